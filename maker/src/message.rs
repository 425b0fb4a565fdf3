//! The messages between the page and the maker's worker.
//!
//! Files that the visitor picked are beside a request, as `blobs`, in the order of its paths; a file that the worker
//! made is beside an event, as `blob`.

use posts::archive::ImportOptions;
use posts::clean::{CleanOptions, LeftOut};
use posts::counts::{Counts, Volume};
use posts::dataset::DatasetParams;
use posts::record::{Consent, Record};
use serde::{Deserialize, Serialize};

use crate::survey::Survey;

/// Most accounts of a bot, as in the original.
pub const MAX_ACCOUNTS: usize = 3;
/// Most posts in one answer to [`Request::List`].
pub const MAX_LISTED: u32 = 200;

/// What the page asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Begin a bot, or go on with one that is kept.
    Open {
        /// The name of its folder: letters, digits and `-`.
        bot: String,
        /// Milliseconds since 1970.
        now_ms: i64,
    },
    /// List the bots that are kept.
    Bots,
    /// Delete a bot that is not open, with all that is kept of it.
    Delete {
        /// The name of its folder.
        bot: String,
    },
    /// Read an export as a further account.
    Import {
        /// The path of each file beside the request.
        paths: Vec<String>,
        /// What to read besides the ordinary posts.
        options: ImportOptions,
    },
    /// Read typed text, a post per line, as a further account.
    Paste {
        /// The text.
        text: String,
    },
    /// End the reading. What was read stays.
    Stop,
    /// Take an account out, with its posts.
    Remove {
        /// Its place.
        account: usize,
    },
    /// Name an account.
    Rename {
        /// Its place.
        account: usize,
        /// The display name.
        name: String,
        /// The handle, with or without `@`.
        handle: String,
    },
    /// Judge all posts anew.
    Clean {
        /// The switches.
        options: CleanOptions,
    },
    /// List posts of one account.
    List(Listing),
    /// Write the training text and its record.
    Write {
        /// Seed, copies, and the posts kept apart.
        params: DatasetParams,
        /// Whose posts they are.
        consent: Consent,
        /// Milliseconds since 1970.
        now_ms: i64,
        /// The seed of the run's id.
        run_seed: u64,
    },
    /// Keep the card's text.
    KeepCard {
        /// Markdown.
        markdown: String,
    },
    /// Give out a file that is kept.
    Give {
        /// Which one.
        file: MadeFile,
    },
    /// Compare a text with the kept posts.
    Compare {
        /// The text.
        text: String,
    },
}

/// Which posts to list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The account's place.
    pub account: usize,
    /// Only posts of this class; `None`: all.
    pub class: Option<Class>,
    /// Those with this text in them, whatever its case; empty: all.
    pub search: String,
    /// Found posts to pass over.
    pub skip: u32,
    /// Posts to give back, at most [`MAX_LISTED`].
    pub take: u32,
}

/// The classes of posts, which are the columns of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Data.
    Kept,
    /// A retweet, boost or repost.
    Retweets,
    /// Too short.
    Short,
    /// Left out by a switch.
    LeftOut,
}

/// A file that the maker made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MadeFile {
    /// The training text.
    Dataset,
    /// The posts as JSON: a list of texts per account.
    Json,
    /// The record of what was done.
    Record,
    /// The bot as one zip, which [`Request::Import`] takes where no account is.
    Bot,
}

/// What the worker answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The worker takes requests.
    Started,
    /// The bots that are kept, the newest first.
    Bots {
        /// Every one, also those whose manifest cannot be read.
        bots: Vec<KeptBot>,
    },
    /// The bot is open.
    Opened {
        /// The name of its folder.
        name: String,
        /// Whether the browser keeps it. Else it is gone when the page closes.
        is_kept: bool,
        /// Whether files of it are there, and nothing that says what they are.
        is_damaged: bool,
        /// The bot.
        bot: BotView,
    },
    /// Reading or judging goes on.
    Progress {
        /// What is being done.
        task: LongTask,
        /// Bytes, or posts.
        done: u64,
        /// The total.
        total: u64,
        /// The counts of the account that is read; of all accounts that are judged.
        counts: Counts,
    },
    /// The bot has changed.
    Changed {
        /// The bot.
        bot: BotView,
    },
    /// The posts that were asked for.
    Listed {
        /// What was asked for.
        listing: Listing,
        /// Number of posts that match.
        found: u32,
        /// The posts.
        posts: Vec<ListedPost>,
    },
    /// A file that was asked for; its bytes are beside the event.
    Given {
        /// Which one.
        file: MadeFile,
        /// A name for it.
        name: String,
    },
    /// What a text shares with the kept posts.
    Compared {
        /// Words of the longest run that is in a post; 0 if no word is.
        words: u32,
        /// The post with that run; empty without a shared word.
        post: String,
    },
    /// Something failed. The bot is as it was before, but for posts that were read.
    Failed {
        /// What happened.
        message: String,
        /// The remedy.
        hint: String,
        /// Posts that were read before the failure and stay, unless their account is removed.
        posts: u64,
    },
}

/// A long task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongTask {
    /// Fetching an archive, which the page does; the numbers are bytes.
    Fetch,
    /// Reading an export; the numbers are bytes.
    Read,
    /// Judging posts; the numbers are posts.
    Judge,
    /// Writing the training text; the numbers are posts.
    Write,
}

/// A bot in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBot {
    /// The name of its folder.
    pub name: String,
    /// Its handles in the order of import.
    pub handles: Vec<String>,
    /// Bytes of its files.
    pub size_bytes: u64,
    /// When it was begun, in milliseconds since 1970.
    pub begun_ms: i64,
}

/// A bot that is being made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BotView {
    /// One to three, in the order of import.
    pub accounts: Vec<AccountView>,
    /// The switches of the cleaning.
    pub options: CleanOptions,
    /// The training text, if it was written and nothing has changed since.
    pub record: Option<Record>,
    /// Bytes that are kept of it.
    pub size_bytes: u64,
}

/// One account of a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The display name.
    pub name: String,
    /// The handle without `@`, in lower case.
    pub handle: String,
    /// Its picture as a `data:` address, if the export has it.
    pub picture: Option<String>,
    /// What its export is, such as `an X archive`.
    pub source: String,
    /// How the card counts its posts.
    pub counts: Counts,
    /// Whether that is enough to learn from.
    pub volume: Volume,
    /// What its posts look like.
    pub survey: Survey,
    /// The files that were opened.
    pub opened: Vec<String>,
    /// What there is to know about the import, as sentences.
    pub notices: Vec<String>,
    /// Files with posts in communities that were not read.
    pub community_files: Vec<String>,
    /// Whether the reading ended before the export did.
    pub is_cut: bool,
}

/// A post in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedPost {
    /// Seconds since 1970.
    pub time: Option<i64>,
    /// Its text before cleaning.
    pub text: String,
    /// Its text after cleaning, if it was cleaned and has changed.
    pub cleaned: Option<String>,
    /// Its class.
    pub class: Class,
    /// Words that count, if they were counted.
    pub words: Option<u32>,
    /// The switch that left it out.
    pub left_out: Option<LeftOut>,
}
