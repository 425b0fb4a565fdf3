//! An archive of X or Twitter: which of its files are read, in which order, and the posts in them.
//!
//! Private files (messages, the e-mail address's own file, likes, advertising) are never opened; the report lists those
//! that were.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::edits::Edits;
use super::elements::{Elements, Next};
use super::entries::{Entries, read_small};
use super::error::{MAX_SMALL_FILE_BYTES, ReadError};
use super::interest::{base_name, folder};
use super::lossy::{Id, Lossy};
use super::notes::{NoteElement, Notes};
use super::quote::quoted;
use super::reader::{Reader, bytes_of};
use super::report::{ImportNotice, ImportOptions, Report, Sink, Step};
use super::tweet::{RetweetRule, Tweet};
use crate::post::Avatar;

/// Most parts of the posts; X makes one per 100 MB.
const MAX_PARTS: usize = 1000;

/// The files of an archive that are read.
#[derive(Debug, Default)]
pub(super) struct ArchiveFiles {
    /// Indices of the files with posts, in order.
    posts: Vec<usize>,
    notes: Vec<usize>,
    communities: Vec<usize>,
    account: Option<usize>,
    profile: Option<usize>,
    manifest: Option<usize>,
    folder: String,
    /// Whether the files are those of an archive up to 2018.
    pub is_grailbird: bool,
}

/// The number of a part in a name such as `tweets-part3.js`: `None` if `base` is another file than `stem`.
fn part(base: &str, stem: &str) -> Option<u32> {
    let rest = base.strip_prefix(stem)?.strip_suffix(".js")?;
    match rest.strip_prefix("-part") {
        Some(number) => number.parse().ok(),
        None => rest.is_empty().then_some(0),
    }
}

/// Whether a name is that of a month's file, `2013_05.js`.
fn is_month(base: &str) -> bool {
    let stem = base.strip_suffix(".js").unwrap_or_default();
    stem.len() == 7
        && stem.bytes().enumerate().all(|(i, b)| match i {
            4 => b == b'_',
            _ => b.is_ascii_digit(),
        })
}

impl ArchiveFiles {
    /// The plan for these files; `None` if they are no archive of X.
    ///
    /// The posts are in `tweets.js` or, up to 2022, in `tweet.js`, each with parts; up to 2018 in a file per month. Their
    /// folder is `data`, or before 2020 the root; it may itself be in a folder.
    pub fn of(entries: &dyn Entries) -> Option<Self> {
        let files = entries.entries();
        let of_stems = |stems: &[&str], folder_of: &str| {
            let parts = files.iter().enumerate().filter_map(|(idx, entry)| {
                let base = base_name(&entry.name);
                let part = stems.iter().find_map(|stem| part(base, stem))?;
                (folder(&entry.name) == folder_of).then_some((part, idx))
            });
            let mut parts: Vec<(u32, usize)> = parts.collect();
            parts.sort_unstable();
            parts.truncate(MAX_PARTS);
            parts.into_iter().map(|(_, idx)| idx).collect::<Vec<_>>()
        };
        let is_posts = |base: &str| part(base, "tweets").is_some() || part(base, "tweet").is_some();
        let folders = files
            .iter()
            .filter(|entry| is_posts(base_name(&entry.name)))
            .map(|entry| folder(&entry.name));
        // A copy of the archive inside of the archive is deeper.
        if let Some(found) = folders.min_by_key(|folder| folder.len()) {
            let one = |name: &str| {
                let is_it = |name_: &str| folder(name_) == found && base_name(name_) == name;
                files.iter().position(|entry| is_it(&entry.name))
            };
            let posts = of_stems(&["tweets"], found);
            return Some(Self {
                posts: match posts.is_empty() {
                    true => of_stems(&["tweet"], found),
                    false => posts,
                },
                notes: of_stems(&["note-tweet", "note-tweets"], found),
                communities: of_stems(&["community-tweet", "community-tweets"], found),
                account: one("account.js"),
                profile: one("profile.js"),
                manifest: one("manifest.js"),
                folder: found.to_owned(),
                is_grailbird: false,
            });
        }
        let is_month_of =
            |name: &str| folder(name).ends_with("data/js/tweets/") && is_month(base_name(name));
        let mut months: Vec<usize> = (0..files.len())
            .filter(|idx| is_month_of(&files[*idx].name))
            .collect();
        if months.is_empty() {
            return None;
        }
        // The newest month first, as the posts in each file.
        months.sort_by(|a, b| files[*b].name.cmp(&files[*a].name));
        let details = files
            .iter()
            .position(|entry| entry.name.ends_with("data/js/user_details.js"));
        Some(Self {
            posts: months,
            account: details,
            is_grailbird: true,
            ..Self::default()
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AccountElement {
    account: Option<Box<AccountElement>>,
    username: Option<Lossy>,
    #[serde(rename = "accountDisplayName")]
    display_name: Option<Lossy>,
    #[serde(rename = "accountId")]
    id: Option<Id>,
    // Archives up to 2018.
    screen_name: Option<Lossy>,
    full_name: Option<Lossy>,
}

impl AccountElement {
    /// Tells the report whose posts they are; the account's id.
    pub fn tell(self, report: &mut Report) -> Option<String> {
        let this = match self.account {
            Some(inner) => *inner,
            None => self,
        };
        let text = |value: Option<Lossy>| value.map(|text| text.0).filter(|text| !text.is_empty());
        let account = &mut report.account;
        account.handle = text(this.username)
            .or(text(this.screen_name))
            .or(account.handle.take());
        account.name = text(this.display_name)
            .or(text(this.full_name))
            .or(account.name.take());
        this.id.map(|id| id.0).filter(|id| !id.is_empty())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProfileElement {
    profile: Option<Box<ProfileElement>>,
    #[serde(rename = "avatarMediaUrl")]
    avatar: Option<Lossy>,
}

impl ProfileElement {
    /// The avatar's address.
    pub fn avatar(self) -> Option<String> {
        let this = match self.profile {
            Some(inner) => *inner,
            None => self,
        };
        let address = this.avatar.map(|address| address.0);
        address.filter(|address| address.starts_with("https://"))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Manifest {
    #[serde(rename = "archiveInfo")]
    archive: Option<ArchiveInfo>,
    #[serde(rename = "userInfo")]
    user: Option<UserInfo>,
    #[serde(rename = "dataTypes")]
    types: Option<DataTypes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ArchiveInfo {
    #[serde(rename = "isPartialArchive")]
    is_partial: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UserInfo {
    #[serde(rename = "accountId")]
    id: Option<Id>,
    #[serde(rename = "userName")]
    handle: Option<Lossy>,
    #[serde(rename = "displayName")]
    name: Option<Lossy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DataTypes {
    tweets: Option<DataType>,
    tweet: Option<DataType>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DataType {
    files: Vec<DataFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DataFile {
    #[serde(rename = "fileName")]
    name: String,
}

/// An archive being read.
pub(super) struct Twitter {
    entries: Box<dyn Entries>,
    /// Files with posts that are still to be read, the next one last.
    left: Vec<usize>,
    current: Option<Elements>,
    notes: Notes,
    edits: Edits,
    account_id: Option<String>,
    /// Bytes to be read.
    total: u64,
}

impl Twitter {
    /// Reads whose archive it is, and its long posts; the posts come by steps.
    ///
    /// A file besides the posts that cannot be read becomes an [`ImportNotice::Ignored`].
    pub fn open(
        entries: Box<dyn Entries>,
        plan: &ArchiveFiles,
        options: ImportOptions,
        report: &mut Report,
    ) -> Self {
        let mut this = Self {
            entries,
            left: Vec::new(),
            current: None,
            notes: Notes::default(),
            edits: Edits::default(),
            account_id: None,
            total: 0,
        };
        if let Some(idx) = plan.manifest {
            this.read_manifest(idx, &plan.folder, report);
        }
        if let Some(idx) = plan.account {
            let mut id = None;
            this.read_all::<AccountElement>(idx, report, |element, report| {
                id = element.tell(report).or(id.take());
                true
            });
            this.account_id = id.or(this.account_id.take());
        }
        if let Some(idx) = plan.profile {
            this.read_avatar(idx, &plan.folder, report);
        }
        let mut notes = Notes::default();
        for idx in &plan.notes {
            this.read_all::<NoteElement>(*idx, report, |element, report| {
                let has_room = notes.add(element);
                if !has_room {
                    report.notices.push(ImportNotice::TooManyLongPosts);
                }
                has_room
            });
        }
        this.notes = notes;
        let name = |idx: &usize| this.entries.entries()[*idx].name.clone();
        report.community_files = plan.communities.iter().map(name).collect();
        let communities = match options.community_posts {
            true => plan.communities.as_slice(),
            false => &[],
        };
        this.left = plan
            .posts
            .iter()
            .chain(communities)
            .rev()
            .copied()
            .collect();
        let sizes = this
            .left
            .iter()
            .map(|idx| this.entries.entries()[*idx].size_bytes);
        this.total = sizes.sum::<u64>() + this.entries.bytes_read();
        this
    }

    /// Reads the elements of a small or unimportant file until `take` wants no more; what fails is noted.
    fn read_all<T: DeserializeOwned>(
        &mut self,
        idx: usize,
        report: &mut Report,
        mut take: impl FnMut(T, &mut Report) -> bool,
    ) {
        let name = self.entries.entries()[idx].name.clone();
        report.opened.push(name.clone());
        let result = self.entries.open(idx).and_then(|content| {
            let mut elements = Elements::new(&name, content);
            while elements.advance()? == Next::Element {
                let wants_more = match elements.parse::<T>()? {
                    Some(element) => take(element, report),
                    None => true,
                };
                if !wants_more {
                    break;
                }
            }
            Ok(())
        });
        if let Err(error) = result {
            let reason = error.to_string();
            report.notices.push(ImportNotice::Ignored { name, reason });
        }
    }

    fn read_manifest(&mut self, idx: usize, data_folder: &str, report: &mut Report) {
        let mut manifest = Manifest::default();
        self.read_all::<Manifest>(idx, report, |found, _| {
            manifest = found;
            false
        });
        if manifest.archive.and_then(|archive| archive.is_partial) == Some(true) {
            report.notices.push(ImportNotice::PartialArchive);
        }
        if let Some(user) = manifest.user {
            self.account_id = user.id.map(|id| id.0);
            report.account.handle = user.handle.map(|text| text.0);
            report.account.name = user.name.map(|text| text.0);
        }
        let types = manifest.types.unwrap_or_default();
        for file in [types.tweets, types.tweet]
            .into_iter()
            .flatten()
            .flat_map(|t| t.files)
        {
            let base = base_name(&file.name);
            let is_there = |name: &str| folder(name) == data_folder && base_name(name) == base;
            let mut entries = self.entries.entries().iter();
            if !base.is_empty() && !entries.any(|entry| is_there(&entry.name)) {
                let missing = ImportNotice::MissingFile(quoted(&file.name));
                if !report.notices.contains(&missing) && report.notices.len() < MAX_PARTS {
                    report.notices.push(missing);
                }
            }
        }
    }

    /// The avatar: its file in the archive, or else its address.
    fn read_avatar(&mut self, idx: usize, data_folder: &str, report: &mut Report) {
        let mut address = None;
        self.read_all::<ProfileElement>(idx, report, |element, _| {
            address = element.avatar();
            address.is_none()
        });
        let Some(address) = address else {
            return;
        };
        let file = format!(
            "{data_folder}profile_media/{}-{}",
            self.account_id.as_deref().unwrap_or_default(),
            base_name(&address)
        );
        let idx = self
            .entries
            .entries()
            .iter()
            .position(|entry| entry.name == file);
        let bytes = idx.and_then(|idx| {
            report.opened.push(file.clone());
            read_small(&mut *self.entries, idx, MAX_SMALL_FILE_BYTES).ok()
        });
        report.account.avatar = Some(match bytes {
            Some(bytes) => Avatar::Bytes { name: file, bytes },
            None => Avatar::Address(address),
        });
    }

    /// Hands out one tweet.
    fn take(&mut self, tweet: Tweet, sink: &mut Sink<'_>) {
        let (mut tweet, _) = tweet.unwrapped();
        let versions = tweet.versions();
        if let Some(user) = &tweet.user
            && sink.report.account.handle.is_none()
        {
            sink.report.account = user.account();
        }
        let Some(mut post) = tweet.into_post(RetweetRule::Text, self.account_id.as_deref()) else {
            sink.report.unreadable += 1;
            return;
        };
        if self.notes.join(&mut post) {
            sink.report.joined += 1;
        }
        if let Some(post) = self.edits.latest(post, &versions) {
            sink.push(post);
        }
    }
}

impl Reader for Twitter {
    fn step(&mut self, budget: u64, sink: &mut Sink<'_>) -> Result<Step, ReadError> {
        let mut elements = match self.current.take() {
            Some(elements) => elements,
            None => match self.left.pop() {
                Some(idx) => {
                    let name = self.entries.entries()[idx].name.clone();
                    sink.report.opened.push(name.clone());
                    Elements::new(&name, self.entries.open(idx)?)
                }
                None => {
                    for post in self.edits.rest() {
                        sink.push(post);
                    }
                    return Ok(Step::Done);
                }
            },
        };
        let until = elements.position().saturating_add(budget);
        while !sink.is_stopped {
            if elements.position() >= until {
                self.current = Some(elements);
                return Ok(Step::More);
            }
            if elements.advance()? == Next::End {
                elements.drain()?;
                return Ok(Step::More);
            }
            match elements.parse::<Tweet>()? {
                Some(tweet) => self.take(tweet, sink),
                None => sink.report.unreadable += 1,
            }
            sink.report.superseded = self.edits.superseded;
        }
        Ok(Step::Stopped)
    }

    fn bytes(&self) -> (u64, u64) {
        bytes_of(&*self.entries, self.total)
    }
}
