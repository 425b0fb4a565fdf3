//! `Report`: what an import found, opened and left out; and `Sink`, where its posts go.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::post::{Account, Post};

/// The kinds of exports, told from their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An archive of X, or one of its files, since 2019.
    Twitter,
    /// An archive of Twitter up to 2018: `tweets.csv` and a file per month.
    Grailbird,
    /// Tweets as the API gave them, in a list or one per line.
    Api,
    /// The one file of the Community Archive.
    CommunityArchive,
    /// A Mastodon archive or its `outbox.json`.
    Mastodon,
    /// A Bluesky repository: a CAR file.
    BlueskyRepo,
    /// Pages of records or of a feed of Bluesky.
    BlueskyPages,
    /// A table with a header.
    Csv,
    /// A list of texts in JSON.
    Texts,
    /// A text with a post per line.
    Plain,
}

impl Kind {
    /// Its name in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Twitter => "an X archive",
            Self::Grailbird => "a Twitter archive from before 2019",
            Self::Api => "tweets in JSON",
            Self::CommunityArchive => "an archive of the Community Archive",
            Self::Mastodon => "a Mastodon archive",
            Self::BlueskyRepo => "a Bluesky repository",
            Self::BlueskyPages => "posts of Bluesky in JSON",
            Self::Csv => "a table",
            Self::Texts => "texts in JSON",
            Self::Plain => "a text with a post per line",
        }
    }
}

/// What to read besides the ordinary posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOptions {
    /// Posts in communities of X, which are in a file of their own.
    pub community_posts: bool,
}

/// What there is to know about an import, complete when it has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The kind of export.
    pub kind: Kind,
    /// Whose posts they are.
    pub account: Account,
    /// The files that were opened, in order.
    pub opened: Vec<String>,
    /// Posts handed out.
    pub posts: u64,
    /// Earlier versions of edited posts, left out.
    pub superseded: u64,
    /// Posts that not everybody could read, left out: direct and followers-only ones of Mastodon.
    pub not_public: u64,
    /// Long posts whose whole text replaced its beginning.
    pub joined: u64,
    /// Elements without a text or of an unknown shape, left out.
    pub unreadable: u64,
    /// Files with posts in communities, which [`ImportOptions::community_posts`] reads.
    pub community_files: Vec<String>,
    /// What the visitor should know.
    pub notices: Vec<ImportNotice>,
}

/// Something that the visitor should know about an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportNotice {
    /// The archive says that it is not complete.
    PartialArchive,
    /// A file with posts that the archive lists is not in it.
    MissingFile(String),
    /// A file besides the posts could not be read.
    Ignored {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// The directory of the zip is lost, and its files were found one after the other.
    NoDirectory,
    /// More long posts than are joined.
    TooManyLongPosts,
}

impl std::fmt::Display for ImportNotice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PartialArchive => {
                f.write_str("the archive says that it is not complete; X can make a new one")
            }
            Self::MissingFile(name) => write!(f, "`{name}` is missing from the archive"),
            Self::Ignored { name, reason } => write!(f, "`{name}` was left out: {reason}"),
            Self::NoDirectory => {
                f.write_str("the end of the zip is missing; what could be found in it was read")
            }
            Self::TooManyLongPosts => {
                f.write_str("the archive has too many long posts; some stay cut at 280 characters")
            }
        }
    }
}

impl Report {
    /// An empty report.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            account: Account::default(),
            opened: Vec::new(),
            posts: 0,
            superseded: 0,
            not_public: 0,
            joined: 0,
            unreadable: 0,
            community_files: Vec::new(),
            notices: Vec::new(),
        }
    }
}

/// Where the posts of a step go, and the report.
pub(super) struct Sink<'a> {
    pub report: &'a mut Report,
    pub take: &'a mut dyn FnMut(Post) -> ControlFlow<()>,
    /// Whether whoever takes the posts wants no more.
    pub is_stopped: bool,
}

impl Sink<'_> {
    /// Hands a post out.
    pub fn push(&mut self, post: Post) {
        if !self.is_stopped {
            self.report.posts += 1;
            self.is_stopped = (self.take)(post).is_break();
        }
    }
}

/// Whether there is more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// More posts may come.
    More,
    /// The export is read.
    Done,
    /// Whoever takes the posts wanted no more.
    Stopped,
}
