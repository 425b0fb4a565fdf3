//! A table with a header: posts in a column whose name is known, such as `text` or `full_text`.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};

use super::entries::Entries;
use super::error::{Encoding, MAX_ELEMENT_BYTES, ReadError};
use super::quote::shortened;
use super::reader::{Reader, bytes_of};
use super::report::{Sink, Step};
use crate::post::{Post, Reply};
use crate::time;

/// Names of the text's column, the likelier first.
const TEXT: [&str; 12] = [
    "full_text",
    "text",
    "tweet_text",
    "tweet",
    "tweet_content",
    "content",
    "post_text",
    "post",
    "body",
    "message",
    "status",
    "caption",
];
const ID: [&str; 6] = ["tweet_id", "id_str", "id", "post_id", "status_id", "uri"];
const TIME: [&str; 7] = [
    "created_at",
    "timestamp",
    "createdat",
    "date",
    "datetime",
    "time",
    "published",
];
const RETWEET: [&str; 5] = [
    "retweeted_status_id",
    "is_retweet",
    "isretweet",
    "retweeted_status",
    "retweet",
];
const REPLY: [&str; 4] = [
    "in_reply_to_status_id",
    "in_reply_to_user_id",
    "in_reply_to_screen_name",
    "in_reply_to",
];
const LANG: [&str; 2] = ["lang", "language"];
const HANDLE: [&str; 5] = [
    "screen_name",
    "username",
    "user_screen_name",
    "handle",
    "user",
];

/// Most characters of the columns' names in a message.
const MAX_QUOTED_CHARS: usize = 200;
/// Bytes of a line that may be a header.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// The columns of interest, by number.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    text: usize,
    id: Option<usize>,
    time: Option<usize>,
    retweet: Option<usize>,
    reply: Option<usize>,
    lang: Option<usize>,
    handle: Option<usize>,
}

impl Columns {
    fn of(names: &[String]) -> Option<Self> {
        let one_of = |known: &[&str]| {
            let mut known = known.iter();
            known.find_map(|known| names.iter().position(|name| name == known))
        };
        Some(Self {
            text: one_of(&TEXT)?,
            id: one_of(&ID),
            time: one_of(&TIME),
            retweet: one_of(&RETWEET),
            reply: one_of(&REPLY),
            lang: one_of(&LANG),
            handle: one_of(&HANDLE),
        })
    }
}

/// The separator of a table whose first line is the beginning of `head`, and the names of its columns in lower case.
fn header(head: &[u8]) -> (u8, Vec<String>) {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head = &head[..head.len().min(MAX_HEADER_BYTES)];
    let end = memchr::memchr2(b'\n', b'\r', head).unwrap_or(head.len());
    let line = &head[..end];
    let count = |separator: u8| memchr::memchr_iter(separator, line).count();
    let mut separator = b',';
    for other in [b';', b'\t'] {
        if count(other) > count(separator) {
            separator = other;
        }
    }
    let mut fields = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .from_reader(line);
    let mut record = ByteRecord::new();
    let names = match fields.read_byte_record(&mut record) {
        Ok(true) => record
            .iter()
            .map(|name| {
                String::from_utf8_lossy(name)
                    .trim()
                    .to_lowercase()
                    .replace([' ', '-', '.'], "_")
            })
            .collect(),
        _ => Vec::new(),
    };
    (separator, names)
}

/// Whether a file that begins with `head` is a table with posts: its first line names a column of texts and others, or is
/// the name of a column of texts alone.
pub(super) fn is_table(head: &[u8]) -> bool {
    let (_, names) = header(head);
    let is_name = |name: &String| {
        !name.is_empty()
            && name.len() <= 64
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '/')
    };
    match names.as_slice() {
        [] => false,
        [one] => matches!(
            one.as_str(),
            "full_text" | "text" | "tweet" | "tweet_text" | "content"
        ),
        names => names.iter().all(is_name) && Columns::of(names).is_some(),
    }
}

/// Fails once too much was read for one record.
struct Capped {
    input: Box<dyn Read>,
    left: Rc<Cell<usize>>,
}

/// What [`Capped`] fails with.
#[derive(Debug, thiserror::Error)]
#[error("a record is too long")]
struct RecordTooLong;

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get().checked_sub(buffer.len()) else {
            return Err(io::Error::other(RecordTooLong));
        };
        self.left.set(left);
        self.input.read(buffer)
    }
}

/// A table being read.
pub(super) struct Csv {
    entries: Box<dyn Entries>,
    idx: usize,
    table: Option<(csv::Reader<Capped>, Columns)>,
    left: Rc<Cell<usize>>,
    name: String,
    record: ByteRecord,
}

impl Csv {
    /// A reader of the file `idx` of `entries`.
    pub fn new(entries: Box<dyn Entries>, idx: usize) -> Self {
        let name = entries.entries()[idx].name.clone();
        Self {
            entries,
            idx,
            table: None,
            left: Rc::default(),
            name,
            record: ByteRecord::new(),
        }
    }

    fn open(&mut self, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        sink.report.opened.push(self.name.clone());
        let mut head = Vec::new();
        let beginning = self.entries.open(self.idx)?;
        beginning
            .take(MAX_HEADER_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(|source| ReadError::of_io(&self.name, source))?;
        let (separator, names) = header(&head);
        let columns = Columns::of(&names).ok_or_else(|| ReadError::NoTextColumn {
            name: self.name.clone(),
            columns: shortened(&names.join(", "), MAX_QUOTED_CHARS),
        })?;
        self.left.set(MAX_ELEMENT_BYTES);
        let input = Capped {
            input: self.entries.open(self.idx)?,
            left: Rc::clone(&self.left),
        };
        let table = ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .buffer_capacity(256 << 10)
            .from_reader(input);
        self.table = Some((table, columns));
        Ok(())
    }

    fn error(&self, error: csv::Error, at: u64) -> ReadError {
        let name = self.name.clone();
        match error.into_kind() {
            csv::ErrorKind::Io(source) => match source.get_ref() {
                Some(inner) if inner.is::<RecordTooLong>() => ReadError::TooLong { name, at },
                _ => ReadError::of_io(&self.name, source),
            },
            // Records of unequal length are accepted and texts are bytes, so nothing else can fail.
            _ => ReadError::CutShort { name, at },
        }
    }

    /// The post of a record; `None` if it has no text.
    fn post(&self, columns: &Columns, sink: &mut Sink<'_>) -> Result<Option<Post>, ReadError> {
        let text = |column: usize| -> Result<String, ReadError> {
            let bytes = self.record.get(column).unwrap_or_default();
            std::str::from_utf8(bytes)
                .map(str::to_owned)
                .map_err(|_| ReadError::Encoding {
                    name: self.name.clone(),
                    encoding: Encoding::SingleByte,
                })
        };
        let filled = |column: Option<usize>| -> Result<Option<String>, ReadError> {
            let value = column.map(text).transpose()?;
            Ok(value.filter(|value| !value.trim().is_empty()))
        };
        if sink.report.account.handle.is_none() {
            sink.report.account.handle = filled(columns.handle)?;
        }
        let content = text(columns.text)?;
        if content.is_empty() && self.record.len() <= columns.text {
            return Ok(None);
        }
        let retweet = filled(columns.retweet)?;
        let is_retweet = retweet.is_some_and(|value| {
            let value = value.trim().to_ascii_lowercase();
            !matches!(
                value.as_str(),
                "false" | "0" | "no" | "f" | "n" | "nan" | "none" | "null"
            )
        });
        let reply = match filled(columns.reply)?.is_some() || content.starts_with('@') {
            true => Reply::ToOther,
            false => Reply::No,
        };
        Ok(Some(Post {
            id: filled(columns.id)?.unwrap_or_default(),
            time: filled(columns.time)?.and_then(|date| time::parse(&date)),
            text: content,
            is_retweet,
            reply,
            is_quote: false,
            lang: filled(columns.lang)?,
        }))
    }
}

impl Reader for Csv {
    fn step(&mut self, budget: u64, sink: &mut Sink<'_>) -> Result<Step, ReadError> {
        if self.table.is_none() {
            self.open(sink)?;
        }
        let Some((mut table, columns)) = self.table.take() else {
            return Ok(Step::Done);
        };
        let until = table.position().byte().saturating_add(budget);
        while !sink.is_stopped {
            let at = table.position().byte();
            if at >= until {
                self.table = Some((table, columns));
                return Ok(Step::More);
            }
            // The reader's own buffer is read besides the record.
            self.left.set(MAX_ELEMENT_BYTES + (512 << 10));
            match table.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(Step::Done),
                Err(error) => return Err(self.error(error, at)),
            }
            match self.post(&columns, sink)? {
                Some(post) => sink.push(post),
                None => sink.report.unreadable += 1,
            }
        }
        Ok(Step::Stopped)
    }

    fn bytes(&self) -> (u64, u64) {
        bytes_of(&*self.entries, self.entries.entries()[self.idx].size_bytes)
    }
}
