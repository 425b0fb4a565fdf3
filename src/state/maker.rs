//! `MakerState`: the bot that the visitor makes of posts, as the page shows it.

use maker::message::{
    AccountView, BotView, Class, Event, KeptBot, ListedPost, Listing, Request, Task,
};
use posts::clean::{CleanOptions, LeftOut};
use posts::counts::{Counts, Volume};
use posts::dataset::DatasetParams;
use posts::record::Consent;

use super::wording::count;
use crate::bot::Bot;
use crate::card::write::CardFacts;
use crate::card::{AccountData, Card, Label, Links};

/// Posts in one page of the list.
pub const LISTED: u32 = 20;
/// The prompt of a new bot.
const PROMPT: &str = "My dream is";

/// The maker.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MakerState {
    /// The name of the open bot; `None` until its worker has opened one.
    pub name: Option<String>,
    /// Whether the browser keeps the bot.
    pub is_kept: bool,
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
    pub task: Task,
    /// Bytes or posts done.
    pub done: u64,
    /// Of these.
    pub total: u64,
    /// Counts so far.
    pub counts: Counts,
}

impl Running {
    fn begun(task: Task) -> Self {
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
    /// Their class, or all.
    pub class: Option<Class>,
    /// The text to find.
    pub search: String,
    /// The page, from 0.
    pub page: u32,
    /// All that fit.
    pub found: u32,
    /// Those of the page.
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
            Event::Opened { is_kept, bot, .. } => {
                self.is_kept = is_kept;
                // What the visitor began, failed at or said while the worker started stays.
                let begun = self.running;
                self.take(bot);
                // The worker judges the posts anew, and tells when it has.
                let judging = Running::begun(Task::Judge);
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
            Event::Changed { bot } => return self.take(bot),
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

    fn take(&mut self, bot: BotView) -> Vec<Request> {
        self.running = None;
        if let Some(record) = &bot.record {
            self.consent = Some(record.run.config.consent);
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
        self.running = Some(Running::begun(Task::Read));
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

    /// The bot in the gallery, once there is an account.
    #[must_use]
    pub fn card_bot(&self) -> Option<Bot> {
        let accounts = &self.bot.accounts;
        let mut handles: Vec<String> = accounts.iter().map(|a| a.handle.clone()).collect();
        handles.sort();
        let handle = handles.join("-");
        if handle.is_empty() {
            return None;
        }
        let card = Card {
            generation: 4,
            label: match accounts.len() {
                1 => Label::Bot,
                _ => Label::Cyborg,
            },
            names: accounts.iter().map(|a| shown_name(a).to_owned()).collect(),
            handles,
            avatars: match accounts.iter().any(|account| account.picture.is_some()) {
                true => accounts
                    .iter()
                    .map(|account| account.picture.clone().unwrap_or_default())
                    .collect(),
                false => Vec::new(),
            },
            thumbnail: None,
            table: self.table(),
            links: Links::default(),
            widget: vec![PROMPT.to_owned()],
            handle,
        };
        Some(Bot {
            repo: format!("{}/{}", Bot::ON_THIS_DEVICE, card.handle),
            card,
        })
    }

    fn table(&self) -> Vec<AccountData> {
        let few = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let columns = self.bot.accounts.iter().map(|account| {
            let counts = account.counts;
            AccountData {
                name: shown_name(account).to_owned(),
                downloaded: few(counts.downloaded),
                retweets: few(counts.retweets),
                short: few(counts.short + counts.left_out.total()),
                kept: few(counts.kept),
            }
        });
        columns.collect()
    }

    /// What its card says before it is trained, written on `date`, such as 2026-01-31.
    ///
    /// # Errors
    /// A sentence on what a card cannot have.
    pub fn card_text(&self, date: &str) -> Result<String, String> {
        self.card_with(CardFacts {
            untrained: true,
            date: Some(date.to_owned()),
            ..CardFacts::default()
        })
    }

    /// What it says once it is trained on the base model of this name.
    ///
    /// # Errors
    /// As [`MakerState::card_text`].
    pub fn card_of_trained(&self, base: &str, date: &str) -> Result<String, String> {
        self.card_with(CardFacts {
            base_model: Some(base.to_owned()),
            date: Some(date.to_owned()),
            ..CardFacts::default()
        })
    }

    fn card_with(&self, facts: CardFacts) -> Result<String, String> {
        let Some(Bot { card, .. }) = self.card_bot() else {
            return Err("Import posts first.".to_owned());
        };
        let facts = CardFacts {
            names: card.names,
            handles: card.handles,
            table: card.table,
            language: self.language(),
            ..facts
        };
        crate::card::write::mended(&facts).map_err(|error| format!("{error}: {}", error.hint()))
    }

    /// The language of the posts: the one that the cleaning was told, or that of all accounts.
    fn language(&self) -> Option<String> {
        if self.bot.options.lang.is_some() {
            return self.bot.options.lang.clone();
        }
        let mut languages = self
            .bot
            .accounts
            .iter()
            .map(|account| &account.survey.language);
        let first = languages.next()?;
        let is_one = languages.all(|language| language == first);
        first.clone().filter(|_| is_one)
    }
}

/// The display name, or the handle where there is none.
fn shown_name(account: &AccountView) -> &str {
    match account.name.is_empty() {
        true => &account.handle,
        false => &account.name,
    }
}

/// What the volume of an account's kept posts means.
#[must_use]
pub fn volume_words(account: &AccountView) -> String {
    let counts = account.counts;
    let characters = count(counts.joined_characters());
    let posts = count(counts.kept);
    match account.volume {
        Volume::TooLittle => format!(
            "@{}: {posts} kept posts of {characters} characters are too few for a bot, which needs {}.",
            account.handle,
            count(posts::counts::MIN_CHARACTERS)
        ),
        Volume::Little => format!(
            "@{}: {posts} kept posts of {characters} characters are few; with less than {} a bot tends to repeat them.",
            account.handle,
            count(posts::counts::FEW_CHARACTERS)
        ),
        Volume::Enough => format!("{posts} kept posts of {characters} characters."),
    }
}

/// The rule that put a post into its class.
#[must_use]
pub fn reason(post: &ListedPost) -> String {
    let words = post.words.unwrap_or_default();
    match (post.class, post.left_out) {
        (Class::Kept, _) => format!("kept: {words} words that count"),
        (Class::Retweets, _) => "a retweet, boost or repost: another’s words".to_owned(),
        (Class::Short, _) => {
            format!("too short: {words} of 3 words that count (names, tags and addresses do not)")
        }
        (Class::LeftOut, Some(LeftOut::Reply)) => "left out: it answers somebody else".to_owned(),
        (Class::LeftOut, Some(LeftOut::Date)) => "left out: outside the span of dates".to_owned(),
        (Class::LeftOut, Some(LeftOut::Language)) => "left out: another language".to_owned(),
        (Class::LeftOut, _) => "left out: the same text was kept before".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maker::survey::Survey;

    fn account(handle: &str, kept: u64, characters: u64) -> AccountView {
        let counts = Counts {
            downloaded: kept + 3,
            retweets: 2,
            short: 1,
            kept,
            characters,
            ..Counts::default()
        };
        AccountView {
            name: String::new(),
            handle: handle.to_owned(),
            picture: None,
            source: "a table".to_owned(),
            volume: counts.volume(),
            counts,
            survey: Survey::default(),
            opened: Vec::new(),
            notices: Vec::new(),
            community_files: Vec::new(),
            is_cut: false,
        }
    }

    fn with(accounts: Vec<AccountView>) -> MakerState {
        let mut state = MakerState::new(7);
        state.hear(Event::Changed {
            bot: BotView {
                accounts,
                ..BotView::default()
            },
        });
        state
    }

    #[test]
    fn an_opened_bot_is_judged_before_its_posts_are_listed() {
        let mut state = MakerState::new(7);
        state.open("a", 7);
        let bot = BotView {
            accounts: vec![account("zoe", 900, 50_000)],
            ..BotView::default()
        };
        let opened = Event::Opened {
            name: "a".to_owned(),
            is_kept: true,
            bot: bot.clone(),
        };
        assert_eq!(state.hear(opened), []);
        assert!(state.obstacle().is_some_and(|it| it.contains("still")));
        assert_eq!(state.hear(Event::Changed { bot }), [state.list.request()]);
        assert_eq!(state.running, None);
    }

    #[test]
    fn what_is_done_before_the_first_bot_is_open_stays_and_what_belongs_to_another_bot_goes() {
        let opened = |name: &str| Event::Opened {
            name: name.to_owned(),
            is_kept: false,
            bot: BotView::default(),
        };
        let failure = Failure {
            message: "the host did not answer".to_owned(),
            hint: "try again".to_owned(),
            posts: 0,
        };
        let mut state = MakerState::new(7);
        state.open("a", 7);
        state.failure = Some(failure.clone());
        state.consent = Some(Consent::Own);
        state.hear(opened("a"));
        assert_eq!(state.failure, Some(failure));
        assert_eq!(state.consent, Some(Consent::Own));
        state.begin();
        state.hear(opened("a"));
        assert_eq!(state.running, Some(Running::begun(Task::Read)));

        state.consent = Some(Consent::Own);
        state.open("b", 8);
        state.hear(opened("a"));
        assert!(state.is_kept);
        state.hear(opened("b"));
        assert!(!state.is_kept);
        assert_eq!((state.running, state.consent), (None, None));
        assert_eq!(state.params.seed, 8);
    }

    #[test]
    fn a_cyborg_has_sorted_handles_and_names_in_the_order_of_import() {
        let state = with(vec![
            account("zoe", 900, 50_000),
            account("abe", 900, 50_000),
        ]);
        let bot = state.card_bot().unwrap_or_else(|| panic!("{state:?}"));
        assert_eq!(bot.repo, "this-device/abe-zoe");
        assert_eq!(bot.card.names, ["zoe", "abe"]);
        assert_eq!(bot.card.label, Label::Cyborg);
        let table = &bot.card.table[0];
        assert_eq!(table.kept, table.downloaded - table.retweets - table.short);
        assert_eq!(MakerState::default().card_bot(), None);
    }

    #[test]
    fn the_card_that_is_written_reads_as_the_bot_that_is_shown() {
        let state = with(vec![account("zoe", 900, 50_000)]);
        let text = state.card_text("2026-01-31");
        let text = text.unwrap_or_else(|error| panic!("{error}"));
        let read = Bot::from_readme("this-device/zoe", &text);
        let read = read.unwrap_or_else(|| panic!("{text}"));
        let shown = state.card_bot().unwrap_or_else(|| panic!("{state:?}"));
        assert_eq!(
            (read.card.names, read.card.table),
            (shown.card.names, shown.card.table)
        );
    }

    #[test]
    fn a_training_text_needs_posts_enough_of_them_and_an_answer() {
        let mut state = with(Vec::new());
        assert_eq!(state.obstacle().as_deref(), Some("Import posts first."));
        state = with(vec![account("zoe", 10, 100)]);
        let words = state.obstacle().unwrap_or_default();
        assert!(
            words.contains("too few") && words.contains("6,000"),
            "{words}"
        );
        state = with(vec![account("zoe", 900, 50_000)]);
        assert!(state.obstacle().unwrap_or_default().contains("whose"));
        state.consent = Some(Consent::Own);
        assert_eq!(state.obstacle(), None);
        state.begin();
        assert!(state.obstacle().unwrap_or_default().contains("being read"));
    }

    #[test]
    fn a_list_that_was_asked_for_before_another_is_dropped() {
        let mut state = with(vec![account("zoe", 900, 50_000)]);
        let Some(Request::List(old)) = state.list(|list| list.search = "a".to_owned()).pop() else {
            panic!("no request")
        };
        state.list(|list| list.search = "ab".to_owned());
        state.hear(Event::Listed {
            listing: old,
            found: 9,
            posts: Vec::new(),
        });
        assert_eq!(state.list.found, 0);
    }
}
