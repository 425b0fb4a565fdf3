//! `MakerState`: the bot that the visitor makes of posts, as the page shows it.

mod card;
mod plan;
#[cfg(test)]
mod tests;
mod wording;

use maker::message::{
    AccountView, BotView, Class, Event, KeptBot, ListedPost, Listing, LongTask, Request,
};
use posts::clean::CleanOptions;
use posts::counts::{Counts, Volume};
use posts::dataset::DatasetParams;
use posts::record::Consent;

pub use self::wording::{reason, volume_words};

/// Posts in one page of the list.
pub const LISTED: u32 = 20;

/// The maker.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MakerState {
    /// The name of the open bot; `None` until its worker has opened one.
    pub name: Option<String>,
    /// Whether the browser keeps the bot.
    pub is_kept: bool,
    /// Whether what the browser keeps of the bot cannot be read.
    pub is_damaged: bool,
    /// The open bot.
    pub bot: BotView,
    /// All bots that are kept; `None` until the worker has listed them.
    pub bots: Option<Vec<KeptBot>>,
    /// The running task.
    pub running: Option<Running>,
    /// The last failure.
    pub failure: Option<Failure>,
    /// The posts that are listed, and those that were asked for.
    pub list: PostList,
    /// Whose posts they are, once the visitor has said.
    pub consent: Option<Consent>,
    /// How the training text is written.
    pub params: DatasetParams,
}

/// A running task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Running {
    /// The task.
    pub task: LongTask,
    /// Bytes or posts done.
    pub done: u64,
    /// Bytes or posts in all.
    pub total: u64,
    /// Counts so far.
    pub counts: Counts,
}

impl Running {
    fn begun(task: LongTask) -> Self {
        Self {
            task,
            done: 0,
            total: 0,
            counts: Counts::default(),
        }
    }
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub message: String,
    /// The remedy.
    pub hint: String,
    /// Posts that were read before.
    pub posts: u64,
}

/// The listed posts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostList {
    /// The account's place.
    pub account: usize,
    /// The class to list; `None`: every class.
    pub class: Option<Class>,
    /// The text to find.
    pub search: String,
    /// The page, from 0.
    pub page: u32,
    /// Number of posts that match.
    pub found: u32,
    /// The posts of this page.
    pub posts: Vec<ListedPost>,
}

impl PostList {
    /// The request for them.
    #[must_use]
    pub fn request(&self) -> Request {
        Request::List(Listing {
            account: self.account,
            class: self.class,
            search: self.search.clone(),
            skip: self.page.saturating_mul(LISTED),
            take: LISTED,
        })
    }

    /// Number of pages.
    #[must_use]
    pub fn n_pages(&self) -> u32 {
        self.found.div_ceil(LISTED)
    }
}

impl MakerState {
    /// A maker whose training text has this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            params: DatasetParams {
                seed,
                ..DatasetParams::default()
            },
            ..Self::default()
        }
    }

    /// Takes on what the worker tells, and gives back the requests that follow from it.
    pub fn hear(&mut self, event: Event) -> Vec<Request> {
        match event {
            Event::Started => return vec![Request::Bots],
            Event::Bots { bots } => self.bots = Some(bots),
            // An answer about a bot that was left meanwhile is dropped.
            Event::Opened { name, .. } if self.name.as_ref() != Some(&name) => {}
            Event::Opened {
                is_kept,
                is_damaged,
                bot,
                ..
            } => {
                (self.is_kept, self.is_damaged) = (is_kept, is_damaged);
                // What the visitor began, failed at or said while the worker started stays.
                let begun = self.running;
                self.take(bot);
                // The worker judges the posts anew, and tells when it has.
                let judging = Running::begun(LongTask::Judge);
                self.running = begun.or((!self.bot.accounts.is_empty()).then_some(judging));
            }
            Event::Progress {
                task,
                done,
                total,
                counts,
            } => {
                self.running = Some(Running {
                    task,
                    done,
                    total,
                    counts,
                });
            }
            Event::Changed { bot } => {
                if self.is_mended_by(&bot) {
                    self.failure = None;
                }
                return self.take(bot);
            }
            Event::Listed {
                listing,
                found,
                posts,
            } => {
                // An answer to an older question is dropped.
                if self.list.request() == Request::List(listing) {
                    self.list.found = found;
                    self.list.posts = posts;
                }
            }
            Event::Given { .. } | Event::Compared { .. } => {}
            Event::Failed {
                message,
                hint,
                posts,
            } => {
                self.running = None;
                self.failure = Some(Failure {
                    message,
                    hint,
                    posts,
                });
            }
        }
        Vec::new()
    }

    /// Whether the visitor has since taken an account out, named one anew, or written the training text. A failed import
    /// may leave one account more.
    fn is_mended_by(&self, bot: &BotView) -> bool {
        let names = |bot: &BotView| -> Vec<(String, String)> {
            let accounts = bot.accounts.iter();
            accounts
                .map(|it| (it.name.clone(), it.handle.clone()))
                .collect()
        };
        let is_more = bot.accounts.len() > self.bot.accounts.len();
        let is_written = bot.record.is_some() && bot.record != self.bot.record;
        is_written || !is_more && names(bot) != names(&self.bot)
    }

    fn take(&mut self, bot: BotView) -> Vec<Request> {
        self.running = None;
        if let Some(record) = &bot.record {
            self.consent = record.run.config.consent;
            self.params = record.run.config.dataset;
        }
        self.bot = bot;
        if self.bot.accounts.is_empty() {
            self.list = PostList::default();
            return Vec::new();
        }
        if self.list.account >= self.bot.accounts.len() {
            self.list = PostList::default();
        }
        vec![self.list.request()]
    }

    /// Turns to the bot of this name, and leaves what belongs to another; the worker opens it.
    pub fn open(&mut self, name: &str, seed: u64) {
        // The first bot takes over what was done before there was one.
        if self.name.is_some() {
            *self = Self {
                bots: self.bots.take(),
                ..Self::default()
            };
        }
        self.name = Some(name.to_owned());
        // As nearly every browser does; the worker says if this one does not.
        self.is_kept = true;
        self.params.seed = seed;
    }

    /// Begins to read something.
    pub fn begin(&mut self) {
        self.failure = None;
        self.running = Some(Running::begun(LongTask::Read));
    }

    /// Changes which posts are listed.
    pub fn list(&mut self, change: impl FnOnce(&mut PostList)) -> Vec<Request> {
        change(&mut self.list);
        vec![self.list.request()]
    }

    /// Changes the switches of the cleaning.
    pub fn clean(&mut self, change: impl FnOnce(&mut CleanOptions)) -> Vec<Request> {
        change(&mut self.bot.options);
        self.failure = None;
        vec![Request::Clean {
            options: self.bot.options.clone(),
        }]
    }

    /// Why the training text cannot be written yet, as a sentence.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        if self.bot.accounts.is_empty() {
            return Some("Import posts first.".to_owned());
        }
        if self.running.is_some() {
            return Some("Posts are still being read.".to_owned());
        }
        let is_little = |account: &&AccountView| account.volume == Volume::TooLittle;
        if let Some(account) = self.bot.accounts.iter().find(is_little) {
            return Some(volume_words(account));
        }
        self.consent
            .is_none()
            .then(|| "Say first whose posts these are.".to_owned())
    }
}
