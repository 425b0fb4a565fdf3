//! `Import`: an export of any kind being read.

use std::ops::ControlFlow;

use super::car::{self, Car};
use super::csv::{self, Csv};
use super::elements::is_utf16;
use super::entries::{Entries, OneFile, SharedSource, Source};
use super::error::{Encoding, ReadError};
use super::gzipped::{Compression, GzFile, TarEntries, content};
use super::interest::base_name;
use super::json::Json;
use super::mastodon;
use super::plain::Plain;
use super::quote::Examples;
use super::reader::Reader;
use super::report::{ImportNotice, ImportOptions, Kind, Report, Sink, Step};
use super::twitter::{ArchiveFiles, Twitter};
use super::zipped::ZipEntries;
use crate::post::Post;

/// Bytes from which a file's kind is told.
const HEAD_BYTES: u64 = 64 << 10;
/// Where a tar's header has its mark.
const TAR_MARK: std::ops::Range<usize> = 257..262;

/// How far an import is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the source read.
    pub bytes: u64,
    /// Bytes to be read; an estimate for some kinds.
    pub of_bytes: u64,
    /// Posts handed out.
    pub posts: u64,
}

/// What is known of an archive's files, of which only those of interest are at hand.
struct Listing {
    n_files: u64,
    /// Some of their names.
    examples: String,
    /// Whether these are all; a broken zip may have had others.
    is_whole: bool,
}

/// An export being read.
pub struct Import {
    reader: Box<dyn Reader>,
    report: Report,
}

impl Import {
    /// Tells the kind of a file and reads whose posts it holds.
    ///
    /// `name`: the file's name, for messages only.
    ///
    /// # Errors
    /// [`ReadError`] if it is no export, is damaged, or cannot be read.
    pub fn open(
        file: Box<dyn Source>,
        name: &str,
        options: ImportOptions,
    ) -> Result<Self, ReadError> {
        let io = |source| ReadError::of_io(name, source);
        let shared = SharedSource::new(file).map_err(io)?;
        let head = shared.head(HEAD_BYTES).map_err(io)?;
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            let zip = ZipEntries::new(shared.clone())?;
            shared.reset_count();
            let has_directory = zip.has_directory;
            let listing = Listing {
                n_files: zip.n_files,
                examples: zip.examples.joined(),
                is_whole: has_directory,
            };
            let mut import = Self::of_entries(Box::new(zip), options, listing)?;
            if !has_directory {
                import.report.notices.push(ImportNotice::NoDirectory);
            }
            return Ok(import);
        }
        let (compression, inner) = match head.starts_with(b"\x1f\x8b") {
            true => {
                let mut inner = Vec::new();
                let mut beginning = content(&shared, Compression::Gzip);
                let mut limited = std::io::Read::take(&mut beginning, HEAD_BYTES);
                // A stream that breaks off may begin well.
                let read = std::io::Read::read_to_end(&mut limited, &mut inner);
                if inner.is_empty() {
                    read.map_err(io)?;
                }
                (Compression::Gzip, inner)
            }
            false => (Compression::None, head),
        };
        if inner.get(TAR_MARK).is_some_and(|mark| mark == b"ustar") {
            let tar = TarEntries::new(shared.clone(), compression)?;
            shared.reset_count();
            let listing = Listing {
                n_files: tar.n_files,
                examples: tar.examples.joined(),
                is_whole: true,
            };
            return Self::of_entries(Box::new(tar), options, listing);
        }
        shared.reset_count();
        if compression == Compression::None && car::is_car(&inner) {
            return Ok(Self::new(
                Box::new(Car::new(shared, name)),
                Kind::BlueskyRepo,
            ));
        }
        let file: Box<dyn Entries> = match compression {
            Compression::None => Box::new(OneFile::new(shared, name)),
            Compression::Gzip => Box::new(GzFile::new(shared, name)),
        };
        Self::of_text(file, 0, &inner, options)
    }

    /// The same for files that are there by name, such as an unpacked folder.
    ///
    /// # Errors
    /// As [`Import::open`].
    pub fn open_entries(
        entries: Box<dyn Entries>,
        options: ImportOptions,
    ) -> Result<Self, ReadError> {
        let files = entries.entries();
        let mut examples = Examples::default();
        for file in files {
            examples.add(&file.name);
        }
        let listing = Listing {
            n_files: files.len() as u64,
            examples: examples.joined(),
            is_whole: true,
        };
        Self::of_entries(entries, options, listing)
    }

    fn new(reader: Box<dyn Reader>, kind: Kind) -> Self {
        Self {
            reader,
            report: Report::new(kind),
        }
    }

    fn of_entries(
        mut entries: Box<dyn Entries>,
        options: ImportOptions,
        listing: Listing,
    ) -> Result<Self, ReadError> {
        if let Some(plan) = ArchiveFiles::of(&*entries) {
            let kind = match plan.is_grailbird {
                true => Kind::Grailbird,
                false => Kind::Twitter,
            };
            let mut report = Report::new(kind);
            let reader = Twitter::open(entries, &plan, options, &mut report);
            return Ok(Self {
                reader: Box::new(reader),
                report,
            });
        }
        if let Some(outbox) = mastodon::outbox(&*entries) {
            let mut report = Report::new(Kind::Mastodon);
            mastodon::tell_account(&mut *entries, outbox, &mut report);
            return Ok(Self {
                reader: Box::new(Json::new(entries, outbox, options)),
                report,
            });
        }
        let files = entries.entries();
        let named = |name: &str| {
            files
                .iter()
                .position(|entry| base_name(&entry.name) == name)
        };
        if let Some(idx) = named("tweets.csv") {
            return Ok(Self::new(Box::new(Csv::new(entries, idx)), Kind::Grailbird));
        }
        // An archive around a single file.
        let is_single = files.len() == 1 && listing.is_whole;
        let known = named("archive.json").or(is_single.then_some(0));
        if let Some(idx) = known {
            let name = files[idx].name.clone();
            let mut head = Vec::new();
            let beginning = entries.open(idx)?;
            std::io::Read::read_to_end(&mut std::io::Read::take(beginning, HEAD_BYTES), &mut head)
                .map_err(|source| ReadError::of_io(&name, source))?;
            return Self::of_text(entries, idx, &head, options);
        }
        Err(ReadError::NoPostFile {
            n_entries: listing.n_files,
            examples: listing.examples,
        })
    }

    /// A file of text that begins with `head`.
    fn of_text(
        entries: Box<dyn Entries>,
        idx: usize,
        head: &[u8],
        options: ImportOptions,
    ) -> Result<Self, ReadError> {
        let name = entries.entries()[idx].name.clone();
        match text_kind(head) {
            TextKind::Json => Ok(Self::new(
                Box::new(Json::new(entries, idx, options)),
                Kind::Api,
            )),
            TextKind::Table => Ok(Self::new(Box::new(Csv::new(entries, idx)), Kind::Csv)),
            TextKind::Lines => Ok(Self::new(Box::new(Plain::new(entries, idx)), Kind::Plain)),
            TextKind::Html => Err(ReadError::Html { name }),
            TextKind::Utf16 => Err(ReadError::Encoding {
                name,
                encoding: Encoding::Utf16,
            }),
            TextKind::Binary => Err(ReadError::Unknown { name }),
        }
    }

    /// Reads on, about `budget` bytes of content, and gives the posts in them to `take`, until it breaks.
    ///
    /// # Errors
    /// [`ReadError`] if the export cannot be read on. The posts that were handed out are good, and [`Import::report`] says
    /// what they are of; the import is over then.
    pub fn step(
        &mut self,
        budget: u64,
        take: &mut dyn FnMut(Post) -> ControlFlow<()>,
    ) -> Result<Step, ReadError> {
        let mut sink = Sink {
            report: &mut self.report,
            take,
            is_stopped: false,
        };
        let step = self.reader.step(budget, &mut sink)?;
        match sink.is_stopped {
            true => Ok(Step::Stopped),
            false => Ok(step),
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let (bytes, of_bytes) = self.reader.bytes();
        Progress {
            bytes,
            of_bytes,
            posts: self.report.posts,
        }
    }

    /// What is known of the export so far; all of it once [`Import::step`] is done.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The report of an import that is over.
    #[must_use]
    pub fn into_report(self) -> Report {
        self.report
    }
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextKind {
    /// JSON, or JavaScript that assigns it.
    Json,
    Table,
    Lines,
    Html,
    Utf16,
    Binary,
}

fn text_kind(head: &[u8]) -> TextKind {
    if is_utf16(head) {
        return TextKind::Utf16;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if memchr::memchr(0, text).is_some() {
        return TextKind::Binary;
    }
    let text = text.trim_ascii_start();
    let begins = |start: &[u8]| {
        text.get(..start.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(start))
    };
    if begins(b"<!doctype") || begins(b"<html") {
        return TextKind::Html;
    }
    // JavaScript of an archive: a variable that becomes a list or an object.
    let is_script = begins(b"window.") || begins(b"Grailbird.") || begins(b"var ");
    let assigned = memchr::memchr(b'=', &text[..text.len().min(200)]);
    let value = assigned.map(|at| text[at + 1..].trim_ascii_start());
    if is_script && value.is_some_and(|value| value.starts_with(b"[") || value.starts_with(b"{")) {
        return TextKind::Json;
    }
    // A post may begin with a bracket too, such as `[sigh]`.
    let after = text.get(1..).unwrap_or_default().trim_ascii_start();
    let is_json = match text.first() {
        Some(b'[') => matches!(after.first(), Some(b'{' | b'[' | b'"' | b']') | None),
        Some(b'{') => matches!(after.first(), Some(b'"' | b'}')),
        _ => false,
    };
    if is_json {
        TextKind::Json
    } else if csv::is_table(head) {
        TextKind::Table
    } else {
        TextKind::Lines
    }
}
