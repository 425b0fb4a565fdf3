//! A Bluesky repository: a CAR file whose tree is walked to the posts.
//!
//! The file is read through once for the places of its blocks, then by them. Equal records share one block and deleted ones
//! may stay as blocks, so only the leaves of the tree say which posts there are.

use std::io::{BufReader, Read as _, Seek as _};

use ipld_core::cid::Cid;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Visitor};

use super::bluesky::{Profile, REPOST, Record};
use super::entries::{Section, SharedSource};
use super::error::{MAX_ELEMENT_BYTES, ReadError};
use super::pages::Pages;
use super::reader::Reader;
use super::report::{Sink, Step};
use crate::post::Post;

/// Most blocks: 32 bytes each are remembered.
const MAX_BLOCKS: usize = 2 << 20;
/// Deepest tree; one of a million leaves has about ten levels.
const MAX_DEPTH: usize = 64;

const PROFILE: &[u8] = b"app.bsky.actor.profile/self";
const POSTS: &[u8] = b"app.bsky.feed.post/";
const REPOSTS: &[u8] = b"app.bsky.feed.repost/";

/// The beginning of a block's hash, which names it, and its place.
type Block = ([u8; 16], u64, u32);

#[derive(Deserialize)]
struct Header {
    roots: Vec<Cid>,
}

#[derive(Deserialize)]
struct Commit {
    did: String,
    data: Cid,
}

/// A node of the Merkle search tree.
#[derive(Deserialize)]
struct Node {
    l: Option<Cid>,
    e: Vec<NodeEntry>,
}

#[derive(Deserialize)]
struct NodeEntry {
    /// Bytes of the key that are those of the key before.
    p: u64,
    /// The rest of the key.
    k: KeyBytes,
    v: Cid,
    t: Option<Cid>,
}

struct KeyBytes(Vec<u8>);

impl<'de> Deserialize<'de> for KeyBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = KeyBytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<KeyBytes, E> {
                Ok(KeyBytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// What is left to walk, the next last.
enum Work {
    /// A subtree whose keys lie between two keys.
    Subtree {
        cid: Cid,
        after: Vec<u8>,
        before: Option<Vec<u8>>,
        depth: usize,
    },
    Leaf {
        key: Vec<u8>,
        cid: Cid,
    },
}

enum State {
    /// Looking for the blocks.
    Scan(BufReader<Section>),
    /// Walking the tree.
    Walk(Vec<Work>),
}

/// A repository being read.
pub(super) struct Car {
    shared: SharedSource,
    name: String,
    state: State,
    root: Option<Cid>,
    /// By hash, once all are found.
    blocks: Vec<Block>,
    pages: Pages,
    did: String,
    /// What is wrong with the file's end; what precedes it is read.
    cut_short: Option<ReadError>,
    scanned: u64,
    leaves: u64,
}

/// Whether a file begins as a CAR does: a short map with `roots`, behind its length.
pub(super) fn is_car(head: &[u8]) -> bool {
    let head = &head[..head.len().min(100)];
    head.len() > 10
        && matches!(head[1], 0xa1..=0xa3 | 0x01)
        && memchr::memmem::find(head, b"eroots").is_some()
}

/// A number in LEB128; `None` at the end of the file.
fn varint(input: &mut BufReader<Section>) -> std::io::Result<Option<u64>> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let mut byte = [0];
        if input.read(&mut byte)? == 0 {
            return match shift {
                0 => Ok(None),
                _ => Err(std::io::ErrorKind::UnexpectedEof.into()),
            };
        }
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(Some(value));
        }
    }
    Err(std::io::ErrorKind::InvalidData.into())
}

/// The beginning of the hash by which a block is found.
fn hash_of(cid: &Cid) -> [u8; 16] {
    let mut beginning = [0; 16];
    let digest = cid.hash().digest();
    let n = digest.len().min(16);
    beginning[..n].copy_from_slice(&digest[..n]);
    beginning
}

/// The first key after all keys that begin with `prefix`.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// Whether keys of interest may lie between two keys.
fn is_wanted(after: &[u8], before: Option<&[u8]>) -> bool {
    [PROFILE, POSTS, REPOSTS].iter().any(|prefix| {
        before.is_none_or(|before| before > *prefix) && after < end_of(prefix).as_slice()
    })
}

impl Car {
    /// A reader of the repository `name`.
    pub fn new(shared: SharedSource, name: &str) -> Self {
        Self {
            state: State::Scan(shared.whole()),
            pages: Pages::new(shared.unbuffered()),
            shared,
            name: name.to_owned(),
            root: None,
            blocks: Vec::new(),
            did: String::new(),
            cut_short: None,
            scanned: 0,
            leaves: 0,
        }
    }

    fn fault(&self, cause: &'static str) -> ReadError {
        ReadError::Car {
            name: self.name.clone(),
            cause,
        }
    }

    /// Notes the place of the next block; `false` at the end.
    fn scan(&mut self, input: &mut BufReader<Section>) -> Result<bool, ReadError> {
        let io = |source| ReadError::of_io(&self.name, source);
        let Some(len) = varint(input).map_err(|_| self.fault("a block's length is no number"))?
        else {
            return Ok(false);
        };
        if len == 0 || len > MAX_ELEMENT_BYTES as u64 {
            return Err(self.fault("a block is too long"));
        }
        if self.root.is_none() {
            let mut header = Vec::new();
            input
                .by_ref()
                .take(len)
                .read_to_end(&mut header)
                .map_err(io)?;
            let header: Header = serde_ipld_dagcbor::from_slice(&header)
                .map_err(|_| self.fault("its header is damaged"))?;
            self.root = header.roots.into_iter().next();
            if self.root.is_none() {
                return Err(self.fault("it names no root"));
            }
            return Ok(true);
        }
        let start = input.stream_position().map_err(io)?;
        let cid = Cid::read_bytes(input.by_ref().take(len))
            .map_err(|_| self.fault("a block's name is damaged"))?;
        let data = input.stream_position().map_err(io)?;
        let end = start + len;
        if data > end {
            return Err(self.fault("a block's name is damaged"));
        }
        if end > self.shared.size_bytes {
            return Err(self.fault("it ends in the middle of a block"));
        }
        if self.blocks.len() >= MAX_BLOCKS {
            return Err(self.fault("it has too many blocks"));
        }
        let data_len = u32::try_from(end - data).unwrap_or(u32::MAX);
        self.blocks.push((hash_of(&cid), data, data_len));
        input.seek_relative(i64::from(data_len)).map_err(io)?;
        self.scanned = end;
        Ok(true)
    }

    /// The block of this name; `None` if it is not in the file.
    fn block<T: DeserializeOwned>(&mut self, cid: &Cid) -> Result<Option<T>, ReadError> {
        let hash = hash_of(cid);
        let Ok(at) = self.blocks.binary_search_by(|block| block.0.cmp(&hash)) else {
            return Ok(None);
        };
        let (_, start, len) = self.blocks[at];
        let bytes = self
            .pages
            .read(start, len as usize)
            .map_err(|source| ReadError::of_io(&self.name, source))?;
        Ok(serde_ipld_dagcbor::from_slice(&bytes).ok())
    }

    /// From the root to the tree.
    fn start_walk(&mut self) -> Result<Vec<Work>, ReadError> {
        self.blocks.sort_unstable();
        let root = self.root.ok_or_else(|| self.fault("it names no root"))?;
        let commit = self.block::<Commit>(&root)?;
        let commit = commit.ok_or_else(|| self.fault("its root is missing"))?;
        self.did = commit.did;
        Ok(vec![Work::Subtree {
            cid: commit.data,
            after: Vec::new(),
            before: None,
            depth: 0,
        }])
    }

    /// What a node holds, the last first.
    fn expand(
        &mut self,
        node: Node,
        after: Vec<u8>,
        before: Option<Vec<u8>>,
        depth: usize,
    ) -> Result<Vec<Work>, ReadError> {
        let mut keys: Vec<Vec<u8>> = Vec::with_capacity(node.e.len());
        for entry in &node.e {
            let previous = keys.last().map_or(&[][..], Vec::as_slice);
            let shared = usize::try_from(entry.p).ok();
            let shared = shared.and_then(|shared| previous.get(..shared));
            let mut key = shared
                .ok_or_else(|| self.fault("a key of its tree is damaged"))?
                .to_vec();
            key.extend_from_slice(&entry.k.0);
            let floor = keys.last().unwrap_or(&after);
            // The empty key before the first one is no key.
            let is_in_order = (key > *floor) && before.as_ref().is_none_or(|before| key < *before);
            if !is_in_order {
                return Err(self.fault("its tree is out of order"));
            }
            keys.push(key);
        }
        let mut work = Vec::new();
        let mut push = |cid: Option<Cid>, after: &[u8], before: Option<&[u8]>| {
            if let Some(cid) = cid
                && is_wanted(after, before)
            {
                work.push(Work::Subtree {
                    cid,
                    after: after.to_vec(),
                    before: before.map(<[u8]>::to_vec),
                    depth: depth + 1,
                });
            }
            std::mem::take(&mut work)
        };
        let first = keys.first().map(Vec::as_slice).or(before.as_deref());
        let mut all = push(node.l, &after, first);
        for (i, entry) in node.e.into_iter().enumerate() {
            let key = &keys[i];
            if [PROFILE, POSTS, REPOSTS]
                .iter()
                .any(|prefix| key.starts_with(prefix))
            {
                all.push(Work::Leaf {
                    key: key.clone(),
                    cid: entry.v,
                });
            }
            let next = keys.get(i + 1).map(Vec::as_slice).or(before.as_deref());
            all.extend(push(entry.t, key, next));
        }
        all.reverse();
        Ok(all)
    }

    fn leaf(&mut self, key: &[u8], cid: &Cid, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        self.leaves += 1;
        if key == PROFILE {
            if let Some(profile) = self.block::<Profile>(cid)? {
                let name = profile.name.filter(|name| !name.is_empty());
                sink.report.account.name = name;
            }
            return Ok(());
        }
        let uri = format!("at://{}/{}", self.did, String::from_utf8_lossy(key));
        match self.block::<Record>(cid)? {
            Some(record) => {
                let is_retweet = key.starts_with(REPOSTS) || uri.contains(REPOST);
                sink.push(Post {
                    is_retweet,
                    ..record.into_post(&uri)
                });
            }
            None => sink.report.unreadable += 1,
        }
        Ok(())
    }

    fn walk_on(&mut self, work: &mut Vec<Work>, sink: &mut Sink<'_>) -> Result<bool, ReadError> {
        match work.pop() {
            None => Ok(false),
            Some(Work::Leaf { key, cid }) => self.leaf(&key, &cid, sink).map(|()| true),
            Some(Work::Subtree {
                cid,
                after,
                before,
                depth,
            }) => {
                if depth > MAX_DEPTH {
                    return Err(self.fault("its tree is too deep"));
                }
                match self.block::<Node>(&cid)? {
                    Some(node) => work.extend(self.expand(node, after, before, depth)?),
                    None if self.cut_short.is_some() => {}
                    None => self.cut_short = Some(self.fault("a part of its tree is missing")),
                }
                Ok(true)
            }
        }
    }
}

impl Reader for Car {
    fn step(&mut self, budget: u64, sink: &mut Sink<'_>) -> Result<Step, ReadError> {
        let state = std::mem::replace(&mut self.state, State::Walk(Vec::new()));
        match state {
            State::Scan(mut input) => {
                if self.scanned == 0 {
                    sink.report.opened.push(self.name.clone());
                }
                let until = self.scanned.saturating_add(budget);
                while self.scanned < until {
                    match self.scan(&mut input) {
                        Ok(true) => {}
                        Ok(false) => {
                            self.state = State::Walk(self.start_walk()?);
                            return Ok(Step::More);
                        }
                        Err(error) if self.blocks.is_empty() => return Err(error),
                        Err(error) => {
                            self.cut_short = Some(error);
                            self.state = State::Walk(self.start_walk()?);
                            return Ok(Step::More);
                        }
                    }
                }
                self.state = State::Scan(input);
                Ok(Step::More)
            }
            State::Walk(mut work) => {
                let until = self.pages.used_bytes().saturating_add(budget);
                while !sink.is_stopped {
                    if self.pages.used_bytes() >= until {
                        self.state = State::Walk(work);
                        return Ok(Step::More);
                    }
                    if !self.walk_on(&mut work, sink)? {
                        return match self.cut_short.take() {
                            Some(error) => Err(error),
                            None => Ok(Step::Done),
                        };
                    }
                }
                Ok(Step::Stopped)
            }
        }
    }

    fn bytes(&self) -> (u64, u64) {
        // The walk reads about a third of the file again; nobody knows how much before.
        let total = 2 * self.shared.size_bytes;
        let walked = self.pages.used_bytes().min(self.shared.size_bytes);
        (self.scanned + walked, total)
    }
}
