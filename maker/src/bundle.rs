//! A bot as one zip: the posts of each account, the card, the training text, and the manifest. The manifest and the posts
//! are read back; the other files are for people.

use std::io::{self, BufRead as _, BufReader, Read, Write};

use posts::archive::{Entries, ReadError, Source};
use posts::post::{Post, normal_handle};
use posts::record::is_run_id;
use sha2::{Digest as _, Sha256};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::manifest::{BotFile, Manifest, kept_name};
use crate::message::MAX_ACCOUNTS;
use crate::picture;
use crate::posts_file::MAX_LINE_BYTES;

/// The manifest's file, by which such a zip is known.
const MANIFEST: &str = "huggingtweets-bot.json";
const CARD: &str = "README.md";
/// Most bytes of the manifest, with its card and pictures.
const MAX_MANIFEST_BYTES: u64 = 8 << 20;

/// Why a saved bot is not opened.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is damaged, or of another version.
    #[error("the saved bot cannot be opened: {0}")]
    Damaged(String),
    /// A file in it cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its posts cannot be stored.
    #[error("the posts could not be stored: {0}")]
    Storage(#[from] io::Error),
}

fn damaged(cause: impl Into<String>) -> BundleError {
    BundleError::Damaged(cause.into())
}

/// The file with the posts of the account at a place.
fn posts_name(place: usize) -> String {
    format!("posts-{}.jsonl", place + 1)
}

fn is_read_back(name: &str) -> bool {
    name == MANIFEST || (0..MAX_ACCOUNTS).any(|place| name == posts_name(place))
}

/// A saved bot being written.
pub struct BundleWriter<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    parts: Vec<BotFile>,
    hasher: Sha256,
}

impl<W: Write> BundleWriter<W> {
    /// An empty zip.
    pub fn new(out: W) -> Self {
        Self {
            zip: ZipWriter::new_stream(out),
            parts: Vec::new(),
            hasher: Sha256::new(),
        }
    }

    fn begin(&mut self, name: &str) -> io::Result<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::DEFLATE);
        Ok(self.zip.start_file(name, options)?)
    }

    /// Begins the posts of the next account.
    ///
    /// # Errors
    /// Those of the output.
    pub fn begin_account(&mut self) -> io::Result<()> {
        let name = posts_name(self.parts.len());
        self.begin(&name)?;
        self.parts.push(BotFile {
            file: name,
            ..BotFile::default()
        });
        self.hasher = Sha256::new();
        Ok(())
    }

    /// Adds posts to the account, a line of JSON each.
    ///
    /// # Errors
    /// Those of the output.
    pub fn add_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        self.zip.write_all(lines)?;
        self.hasher.update(lines);
        if let Some(part) = self.parts.last_mut() {
            part.size_bytes += lines.len() as u64;
        }
        Ok(())
    }

    /// Ends the account.
    pub fn end_account(&mut self) {
        let sha256 = std::mem::take(&mut self.hasher).finalize();
        if let Some(part) = self.parts.last_mut() {
            part.sha256 = base16ct::lower::encode_string(&sha256);
        }
    }

    /// Adds the training text under this name, which is for people alone.
    ///
    /// # Errors
    /// Those of the output.
    pub fn add_text(&mut self, name: &str, text: &[u8]) -> io::Result<()> {
        self.begin(name)?;
        self.zip.write_all(text)
    }

    /// Adds the card and the manifest, whose parts are those that were written, and gives the output back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self, mut manifest: Manifest) -> io::Result<W> {
        if let Some(card) = &manifest.card {
            let card = card.clone();
            self.add_text(CARD, card.as_bytes())?;
        }
        // The text is made of the posts anew.
        manifest.dataset = None;
        for (account, part) in manifest.accounts.iter_mut().zip(&self.parts) {
            account.posts = part.clone();
        }
        self.begin(MANIFEST)?;
        serde_json::to_writer_pretty(&mut self.zip, &manifest)?;
        Ok(self.zip.finish()?.into_inner())
    }
}

/// A saved bot, of which the manifest is read.
pub struct Bundle {
    files: Box<dyn Entries>,
    /// The bot; its parts are files of the zip.
    pub manifest: Manifest,
    account: usize,
    lines: Option<BufReader<Box<dyn Read>>>,
    hasher: Sha256,
    bytes: u64,
}

impl Bundle {
    /// The saved bot in a file; `None` if the file is something else.
    ///
    /// # Errors
    /// [`BundleError`] if it is one, and damaged or of another version.
    pub fn open(file: Box<dyn Source>) -> Result<Option<Self>, BundleError> {
        // A file that is no zip, or a broken zip, is left to `Import::open`, whose error names its kind.
        let Ok(mut files) = posts::archive::zip_files(file, is_read_back) else {
            return Ok(None);
        };
        let Some(json) = open_named(&mut *files, MANIFEST) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        json?
            .take(MAX_MANIFEST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| damaged(error.to_string()))?;
        let manifest = Manifest::read(&bytes)
            .ok_or_else(|| damaged(format!("`{MANIFEST}` is not one of this version")))?;
        Ok(Some(Self {
            manifest: checked(manifest)?,
            files,
            account: 0,
            lines: None,
            hasher: Sha256::new(),
            bytes: 0,
        }))
    }

    /// Bytes of the zip read and to be read.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        let sizes = self.files.entries().iter().map(|file| file.size_bytes);
        (self.files.bytes_read(), sizes.sum())
    }

    /// Gives about `budget` bytes of posts out, each with the place of its account; `false` once there are no more.
    ///
    /// # Errors
    /// [`BundleError`] if they are not as they were saved; that of `take`.
    pub fn step(
        &mut self,
        budget: u64,
        take: &mut dyn FnMut(usize, &Post) -> io::Result<()>,
    ) -> Result<bool, BundleError> {
        let Some(account) = self.manifest.accounts.get(self.account) else {
            return Ok(false);
        };
        let name = posts_name(self.account);
        let mut lines = match self.lines.take() {
            Some(lines) => lines,
            None => match open_named(&mut *self.files, &name) {
                Some(file) => BufReader::new(file?),
                None => return Err(damaged(format!("`{name}` is missing"))),
            },
        };
        let (mut line, end) = (Vec::new(), self.bytes + budget);
        while self.bytes < end {
            line.clear();
            let mut limited = (&mut lines).take(MAX_LINE_BYTES as u64);
            let n = limited
                .read_until(b'\n', &mut line)
                .map_err(|source| ReadError::of_io(&name, source))?;
            if n == 0 {
                let sha256 = std::mem::take(&mut self.hasher).finalize();
                if base16ct::lower::encode_string(&sha256) != account.posts.sha256 {
                    return Err(damaged(format!("`{name}` is not as it was saved")));
                }
                (self.account, self.bytes) = (self.account + 1, 0);
                return Ok(self.account < self.manifest.accounts.len());
            }
            self.bytes += n as u64;
            if self.bytes > account.posts.size_bytes {
                return Err(damaged(format!("`{name}` is longer than it was saved")));
            }
            self.hasher.update(&line);
            let post: Post = serde_json::from_slice(&line)
                .map_err(|_| damaged(format!("`{name}` has a line that is no post")))?;
            take(self.account, &post)?;
        }
        self.lines = Some(lines);
        Ok(true)
    }
}

/// The file of that name, opened.
fn open_named(files: &mut dyn Entries, name: &str) -> Option<Result<Box<dyn Read>, ReadError>> {
    let idx = files.entries().iter().position(|file| file.name == name)?;
    Some(files.open(idx))
}

/// A stranger's manifest with values as this program makes them.
fn checked(mut manifest: Manifest) -> Result<Manifest, BundleError> {
    let n = manifest.accounts.len();
    if n == 0 || n > MAX_ACCOUNTS {
        return Err(damaged(format!("it has {n} accounts")));
    }
    let mut handles: Vec<String> = Vec::new();
    for account in &mut manifest.accounts {
        account.handle = kept_name(&normal_handle(&account.handle));
        account.name = kept_name(&account.name);
        if account.handle.is_empty() || handles.contains(&account.handle) {
            return Err(damaged(
                "two of its accounts have the same handle, or one has none",
            ));
        }
        handles.push(account.handle.clone());
        account.picture = account
            .picture
            .take()
            .filter(|text| picture::is_address(text));
        account.report.account.avatar = None;
    }
    // A record may be of other accounts, or of more copies than fit in memory.
    manifest.record = manifest.record.filter(|record| {
        let config = &record.run.config;
        is_run_id(&record.run.id) && config.handles == handles && config.dataset.is_within_limits()
    });
    Ok(manifest)
}
