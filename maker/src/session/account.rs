//! An account of the bot: its posts in their file, and what each was judged to be.

use std::io;

use posts::archive::Report;
use posts::clean::{Cleaner, Verdict};
use posts::counts::Counts;
use posts::post::Post;

use crate::manifest::BotFile;
use crate::message::Class;
use crate::posts_file::PostsFile;
use crate::survey::Survey;

/// An account with its posts.
pub(super) struct HeldAccount {
    pub(super) name: String,
    pub(super) handle: String,
    pub(super) report: Report,
    /// A `data:` address.
    pub(super) picture: Option<String>,
    pub(super) is_cut: bool,
    pub(super) part: BotFile,
    pub(super) posts: PostsFile,
    pub(super) classes: Vec<Class>,
    pub(super) counts: Counts,
    /// `None` until it was made.
    pub(super) survey: Option<Survey>,
    /// Whether the stored posts were compared with their SHA-256.
    pub(super) is_checked: bool,
}

impl HeldAccount {
    /// An account whose posts go to `file`.
    pub(super) fn new(report: Report, file: String, posts: PostsFile) -> Self {
        Self {
            name: String::new(),
            handle: String::new(),
            report,
            picture: None,
            is_cut: false,
            part: BotFile {
                file,
                ..BotFile::default()
            },
            posts,
            classes: Vec::new(),
            counts: Counts::default(),
            survey: None,
            is_checked: false,
        }
    }

    /// Stores and judges a post.
    pub(super) fn take(&mut self, post: &Post, cleaner: &mut Cleaner) -> io::Result<()> {
        self.posts.push(post)?;
        let verdict = cleaner.judge(post);
        self.count(&verdict);
        Ok(())
    }

    /// Whether every post has its class.
    pub(super) fn is_judged(&self) -> bool {
        self.classes.len() == self.posts.len()
    }

    pub(super) fn count(&mut self, verdict: &Verdict) {
        self.counts.add(verdict);
        self.classes.push(class_of(verdict));
    }
}

fn class_of(verdict: &Verdict) -> Class {
    match verdict {
        Verdict::Kept { .. } => Class::Kept,
        Verdict::Retweet => Class::Retweets,
        Verdict::Short { .. } => Class::Short,
        Verdict::LeftOut(_) => Class::LeftOut,
    }
}
