//! `Manifest`: what is kept of a bot that is being made, beside the files with its posts and its training text.

use posts::archive::Report;
use posts::clean::CleanOptions;
use posts::record::Record;
use serde::{Deserialize, Serialize};

/// The folder of all bots, in the page's private file system.
pub const BOTS_FOLDER: &str = "bots";
/// The file with a bot's handles, for lists.
pub const TITLE_FILE: &str = "title";

/// Version of the form. A manifest of another version belongs to another version of the page and stays as it is.
pub const VERSION: u32 = 1;

/// Most characters of a name or a handle.
const MAX_NAME_CHARS: usize = 200;

/// A name or handle of an export as it is kept: without the white space around it, and cut where it is too long.
#[must_use]
pub fn kept_name(name: &str) -> String {
    let name: String = name.trim().chars().take(MAX_NAME_CHARS).collect();
    name.trim_end().to_owned()
}

/// A bot that is being made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`VERSION`].
    pub v: u32,
    /// When it was begun, in milliseconds since 1970.
    pub begun_ms: i64,
    /// Its accounts, in the order of import.
    pub accounts: Vec<AccountEntry>,
    /// The switches of the cleaning.
    #[serde(default)]
    pub options: CleanOptions,
    /// The training text.
    #[serde(default)]
    pub dataset: Option<BotFile>,
    /// The record of the training text.
    #[serde(default)]
    pub record: Option<Record>,
    /// Its card, in Markdown.
    #[serde(default)]
    pub card: Option<String>,
    /// The number of the next part.
    #[serde(default)]
    pub next_part: u32,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEntry {
    /// The display name.
    pub name: String,
    /// The handle without `@`, in lower case.
    pub handle: String,
    /// What the import found; its pictures and posts are not in it.
    pub report: Report,
    /// Its picture as a `data:` address.
    #[serde(default)]
    pub picture: Option<String>,
    /// Whether the reading ended before the export did.
    pub is_cut: bool,
    /// The posts: a line of JSON each.
    pub posts: BotFile,
}

/// A file of a bot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotFile {
    /// Its name in the bot's folder: [`BotFile::sha256`], or `posts-3` until that is known.
    pub file: String,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal digits; empty while it is being written.
    pub sha256: String,
}

impl BotFile {
    /// The name of its content, if that is known and the file has another name yet.
    #[must_use]
    pub fn name_to_get(&self) -> Option<&str> {
        let name = self.sha256.as_str();
        (!name.is_empty() && name != self.file).then_some(name)
    }
}

impl Manifest {
    /// A bot without accounts.
    #[must_use]
    pub fn new(begun_ms: i64) -> Self {
        Self {
            v: VERSION,
            begun_ms,
            ..Self::default()
        }
    }

    /// The manifest in JSON; `None` if it is of another version or damaged.
    #[must_use]
    pub fn read(json: &[u8]) -> Option<Self> {
        let manifest: Self = serde_json::from_slice(json).ok()?;
        (manifest.v == VERSION).then_some(manifest)
    }

    /// Its files.
    pub fn parts(&self) -> impl Iterator<Item = &BotFile> {
        let posts = self.accounts.iter().map(|account| &account.posts);
        posts.chain(&self.dataset)
    }

    /// Its files, to be named.
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut BotFile> {
        let posts = self.accounts.iter_mut().map(|account| &mut account.posts);
        posts.chain(&mut self.dataset)
    }

    /// Bytes of its files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.parts().map(|part| part.size_bytes).sum()
    }

    /// The handles, sorted and joined by `-`, as huggingtweets named a bot; `None` without accounts.
    #[must_use]
    pub fn joined_handles(&self) -> Option<String> {
        let mut handles: Vec<&str> = self.accounts.iter().map(|a| a.handle.as_str()).collect();
        handles.sort_unstable();
        (!handles.is_empty()).then(|| handles.join("-"))
    }
}
