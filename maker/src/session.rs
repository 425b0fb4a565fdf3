//! `Session`: the bot that is being made. Every long task is done a step at a time.

#[cfg(test)]
mod saved_bot_tests;

use std::io::{self, BufWriter};
use std::ops::ControlFlow;

use posts::archive::{Import, ReadError, Report, Step};
use posts::clean::{CleanOptions, Cleaner, Verdict};
use posts::copied::Originals;
use posts::counts::{Counts, Volume};
use posts::dataset::{self, DatasetParams};
use posts::post::{Account, Avatar, Post, normal_handle};
use posts::record::{self, Config, Consent, Preprocess, Record};
use sha2::{Digest as _, Sha256};

use crate::bundle::{Bundle, BundleError, BundleWriter};
use crate::manifest::{AccountEntry, Manifest, Part};
use crate::message::{
    AccountView, BotView, Class, Event, ListedPost, Listing, MAX_ACCOUNTS, MAX_LISTED, Task,
};
use crate::picture;
use crate::posts_file::{Bytes, PostsFile};
use crate::survey::{Survey, Surveyor};

/// Bytes of an export that are read in a step.
const STEP_BYTES: u64 = 2 << 20;

/// Why the maker refuses or gives up.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The export.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The storage.
    #[error("the posts could not be stored: {0}")]
    Storage(#[from] io::Error),
    /// One more account than there may be.
    #[error("a bot has at most {MAX_ACCOUNTS} accounts")]
    TooManyAccounts,
    /// Another account of the bot has this handle.
    #[error("@{0} is one of this bot's accounts already")]
    SameHandle(String),
    /// An account without a handle.
    #[error("an account needs a handle")]
    NoHandle,
    /// A task runs.
    #[error("posts are still being read")]
    Busy,
    /// The posts are too few.
    #[error(
        "@{handle} has {characters} characters of kept posts, and a bot needs {}",
        posts::counts::MIN_CHARACTERS
    )]
    TooLittle {
        /// The account.
        handle: String,
        /// Code points of its kept posts, joined.
        characters: u64,
    },
    /// No such account, or none at all.
    #[error("there is no such account")]
    NoAccount,
    /// A bot that was saved whole.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The stored posts of an account are not those that were read.
    #[error("what the browser keeps of @{0}'s posts is damaged")]
    Damaged(String),
    /// A saved bot, where another one is open.
    #[error("this file is a whole bot, which is not added to another one")]
    NotEmpty,
}

impl SessionError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Read(error) => error.hint().to_string(),
            Self::Storage(_) => "delete something in Storage, then try again".to_owned(),
            Self::TooManyAccounts => "take one out first".to_owned(),
            Self::SameHandle(_) => "choose another file, or take the account out first".to_owned(),
            Self::NoHandle => "type the handle, with or without @".to_owned(),
            Self::Busy => "wait for it to end, or stop it".to_owned(),
            Self::TooLittle { .. } => "add an export with more posts".to_owned(),
            Self::NoAccount => "import posts first".to_owned(),
            Self::Bundle(BundleError::Storage(_)) => {
                "delete something in Storage, then try again".to_owned()
            }
            Self::Bundle(_) => "save it again where it was made".to_owned(),
            Self::Damaged(_) => "take the account out and choose its export again".to_owned(),
            Self::NotEmpty => "begin another bot, then choose the file again".to_owned(),
        }
    }

    /// The error as the page shows it.
    #[must_use]
    pub fn event(&self, posts: u64) -> Event {
        Event::Failed {
            message: self.to_string(),
            hint: self.hint(),
            posts,
        }
    }
}

/// An account with its posts.
struct Held {
    name: String,
    handle: String,
    report: Report,
    /// A `data:` address.
    picture: Option<String>,
    is_cut: bool,
    part: Part,
    posts: PostsFile,
    classes: Vec<Class>,
    counts: Counts,
    /// `None` until it was made.
    survey: Option<Survey>,
    /// Whether the stored posts were compared with their SHA-256.
    is_checked: bool,
}

/// What is being done.
enum Job {
    Reading(Box<Reading>),
    Restoring(Box<Bundle>),
    Judging(Judging),
    Surveying(Surveying),
}

/// An export being read; its account is the last one.
struct Reading {
    import: Import,
    cleaner: Cleaner,
}

/// The posts of all accounts being judged, one account after the other.
struct Judging {
    account: usize,
    cleaner: Cleaner,
    /// Counts of the accounts before.
    before: Counts,
}

/// How a training text is written.
#[derive(Debug, Clone, PartialEq)]
pub struct WritePlan {
    /// Seed, copies, and the posts kept apart.
    pub params: DatasetParams,
    /// Whose posts they are.
    pub consent: Consent,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The seed of the run's id.
    pub run_seed: u64,
}

/// The kept posts of an account being surveyed and all of them hashed, which nobody waits for.
struct Surveying {
    account: usize,
    /// Posts that are done.
    done: usize,
    surveyor: Surveyor,
    /// Of the lines.
    hasher: Sha256,
}

/// A bot that is being made.
pub struct Session {
    begun_ms: i64,
    accounts: Vec<Held>,
    options: CleanOptions,
    dataset: Option<Part>,
    record: Option<Record>,
    /// The record before the last change, whose versions are taken.
    last_record: Option<Record>,
    card: Option<String>,
    next_part: u32,
    job: Option<Job>,
}

impl Session {
    /// A bot without accounts.
    #[must_use]
    pub fn new(begun_ms: i64) -> Self {
        Self {
            begun_ms,
            accounts: Vec::new(),
            options: CleanOptions::default(),
            dataset: None,
            record: None,
            last_record: None,
            card: None,
            next_part: 0,
            job: None,
        }
    }

    /// The bot of an earlier visit, whose posts are judged in the following steps. `files`: the posts of each account.
    ///
    /// # Errors
    /// [`SessionError::Storage`].
    pub fn open(manifest: Manifest, files: Vec<Box<dyn Bytes>>) -> Result<Self, SessionError> {
        let mut session = Self {
            options: manifest.options,
            dataset: manifest.dataset,
            record: manifest.record,
            card: manifest.card,
            next_part: manifest.next_part,
            ..Self::new(manifest.begun_ms)
        };
        for (entry, file) in manifest.accounts.into_iter().zip(files) {
            let posts = PostsFile::open(file)?;
            let handle = match entry.handle.is_empty() {
                true => session.free_handle(""),
                false => entry.handle,
            };
            session.accounts.push(Held {
                name: Some(entry.name)
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| handle.clone()),
                handle,
                is_cut: entry.is_cut,
                picture: entry.picture,
                part: entry.posts,
                ..Held::new(entry.report, String::new(), posts)
            });
        }
        session.judge();
        Ok(session)
    }

    /// What is to be kept of it.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        let accounts = self.accounts.iter().map(|held| AccountEntry {
            name: held.name.clone(),
            handle: held.handle.clone(),
            report: held.report.clone(),
            picture: held.picture.clone(),
            is_cut: held.is_cut,
            posts: held.part.clone(),
        });
        Manifest {
            accounts: accounts.collect(),
            options: self.options.clone(),
            dataset: self.dataset.clone(),
            record: self.record.clone(),
            card: self.card.clone(),
            next_part: self.next_part,
            ..Manifest::new(self.begun_ms)
        }
    }

    /// What the page shows.
    #[must_use]
    pub fn view(&self) -> BotView {
        let accounts = self.accounts.iter().map(|held| AccountView {
            name: held.name.clone(),
            handle: held.handle.clone(),
            picture: held.picture.clone(),
            source: held.report.kind.name().to_owned(),
            counts: held.counts,
            volume: held.counts.volume(),
            survey: held.survey.clone().unwrap_or_default(),
            opened: held.report.opened.clone(),
            notices: held
                .report
                .notices
                .iter()
                .map(ToString::to_string)
                .collect(),
            community_files: held.report.community_files.clone(),
            is_cut: held.is_cut,
        });
        BotView {
            accounts: accounts.collect(),
            options: self.options.clone(),
            record: self.record.clone(),
            size_bytes: self.manifest().size_bytes(),
        }
    }

    /// Whether there is a step to do.
    #[must_use]
    pub fn has_steps(&self) -> bool {
        self.job.is_some()
    }

    /// Whether posts are being read or judged, so that nothing else can be asked for.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(
            self.job,
            Some(Job::Reading(_) | Job::Restoring(_) | Job::Judging(_))
        )
    }

    /// Refuses a further account, where there can be none.
    ///
    /// # Errors
    /// [`SessionError::Busy`], [`SessionError::TooManyAccounts`].
    pub fn check_room(&self) -> Result<(), SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        match self.accounts.len() {
            0..MAX_ACCOUNTS => Ok(()),
            _ => Err(SessionError::TooManyAccounts),
        }
    }

    /// A name for a new file of the bot, such as `posts-3`.
    pub fn new_part(&mut self, kind: &str) -> String {
        self.next_part += 1;
        format!("{kind}-{}", self.next_part)
    }

    /// The places of accounts whose posts are known by their content and stored under another name, with both names.
    /// Equal posts of two accounts are two files, of which one keeps its name.
    #[must_use]
    pub fn posts_to_name(&self) -> Vec<(usize, Part)> {
        let accounts = || self.accounts.iter().map(|held| &held.part);
        let is_free = |name: &str| accounts().all(|part| part.file != name);
        let named = self.accounts.iter().enumerate().filter(|(place, held)| {
            let is_first = |name: &str| accounts().take(*place).all(|it| it.sha256 != name);
            let name = held.part.name_to_get().filter(|_| held.is_checked);
            name.is_some_and(|name| is_free(name) && is_first(name))
        });
        named
            .map(|(place, held)| (place, held.part.clone()))
            .collect()
    }

    /// Closes the file of an account's posts, until [`Session::reopen_posts`].
    ///
    /// # Errors
    /// Those of the storage.
    pub fn close_posts(&mut self, place: usize) -> io::Result<()> {
        let held = self.accounts.get_mut(place);
        held.map_or(Ok(()), |held| held.posts.close())
    }

    /// Takes the file of an account's posts, under its name of now.
    pub fn reopen_posts(&mut self, place: usize, name: &str, file: Box<dyn Bytes>) {
        if let Some(held) = self.accounts.get_mut(place) {
            name.clone_into(&mut held.part.file);
            held.posts.reopen(file);
        }
    }

    /// The file of the training text, if there is one.
    #[must_use]
    pub fn dataset(&self) -> Option<&Part> {
        self.dataset.as_ref()
    }

    /// Takes note of the name of the training text's file.
    pub fn name_dataset(&mut self, name: &str) {
        if let Some(part) = &mut self.dataset {
            name.clone_into(&mut part.file);
        }
    }

    /// Begins to read an export as a further account; its posts go to the file `part`. The steps follow.
    ///
    /// # Errors
    /// As [`Session::check_room`].
    pub fn import(
        &mut self,
        import: Import,
        part: String,
        file: Box<dyn Bytes>,
    ) -> Result<(), SessionError> {
        self.check_room()?;
        self.accounts.push(Held {
            is_cut: true,
            ..Held::new(import.report().clone(), part, PostsFile::new(file))
        });
        self.job = Some(Job::Reading(Box::new(Reading {
            import,
            cleaner: Cleaner::new(self.options.clone()),
        })));
        self.forget_dataset();
        Ok(())
    }

    /// Ends the reading; what was read stays.
    pub fn stop(&mut self) -> Option<Event> {
        match self.job.take()? {
            Job::Reading(reading) => Some(self.end_reading(*reading, true)),
            // Verdicts are needed for every post.
            other => {
                self.job = Some(other);
                None
            }
        }
    }

    /// Takes an account out, and gives back the name of the file with its posts.
    ///
    /// # Errors
    /// [`SessionError::Busy`], [`SessionError::NoAccount`].
    pub fn remove(&mut self, account: usize) -> Result<String, SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        if account >= self.accounts.len() {
            return Err(SessionError::NoAccount);
        }
        self.forget_dataset();
        let removed = self.accounts.remove(account);
        self.survey();
        Ok(removed.part.file)
    }

    /// Names an account.
    ///
    /// # Errors
    /// [`SessionError::NoAccount`], [`SessionError::NoHandle`], [`SessionError::SameHandle`].
    pub fn rename(&mut self, account: usize, name: &str, handle: &str) -> Result<(), SessionError> {
        let handle = normal_handle(handle);
        if handle.is_empty() {
            return Err(SessionError::NoHandle);
        }
        let others = self.accounts.iter().enumerate();
        if others
            .filter(|(i, _)| *i != account)
            .any(|(_, other)| other.handle == handle)
        {
            return Err(SessionError::SameHandle(handle));
        }
        let held = self
            .accounts
            .get_mut(account)
            .ok_or(SessionError::NoAccount)?;
        held.name = name.trim().to_owned();
        held.handle = handle;
        self.forget_dataset();
        Ok(())
    }

    /// Sets the switches of the cleaning, and begins to judge all posts anew.
    ///
    /// # Errors
    /// [`SessionError::Busy`].
    pub fn clean(&mut self, options: CleanOptions) -> Result<(), SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        self.options = options;
        self.forget_dataset();
        self.judge();
        Ok(())
    }

    /// Keeps the text of its card.
    pub fn keep_card(&mut self, markdown: String) {
        self.card = Some(markdown);
    }

    /// Its record, if the training text was written and nothing has changed since.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    fn judge(&mut self) {
        if !self.accounts.is_empty() {
            self.begin_judging(0, Counts::default());
        }
    }

    fn begin_judging(&mut self, account: usize, before: Counts) {
        let held = &mut self.accounts[account];
        held.classes.clear();
        held.counts = Counts::default();
        held.survey = None;
        self.job = Some(Job::Judging(Judging {
            account,
            cleaner: Cleaner::new(self.options.clone()),
            before,
        }));
    }

    /// The training text no longer is that of the bot.
    fn forget_dataset(&mut self) {
        if let Some(record) = self.record.take() {
            self.last_record = Some(record);
        }
    }

    /// Does a part of the running task.
    pub fn step(&mut self) -> Vec<Event> {
        match self.job.take() {
            None => Vec::new(),
            Some(Job::Reading(reading)) => vec![self.read_on(reading)],
            Some(Job::Restoring(restoring)) => vec![self.restore_on(restoring)],
            Some(Job::Judging(judging)) => self.judge_on(judging).unwrap_or_else(storage_failed),
            Some(Job::Surveying(surveying)) => {
                self.survey_on(surveying).unwrap_or_else(storage_failed)
            }
        }
    }

    fn read_on(&mut self, mut reading: Box<Reading>) -> Event {
        let Some(held) = self.accounts.last_mut() else {
            return SessionError::NoAccount.event(0);
        };
        let mut failed = None;
        let Reading { import, cleaner } = &mut *reading;
        let step = import.step(STEP_BYTES, &mut |post| match held.take(&post, cleaner) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        });
        let error = match (step, failed) {
            (_, Some(error)) => SessionError::Storage(error),
            (Err(error), None) => SessionError::Read(error),
            (Ok(Step::More), None) => {
                let progress = reading.import.progress();
                let counts = held.counts;
                self.job = Some(Job::Reading(reading));
                return Event::Progress {
                    task: Task::Read,
                    done: progress.bytes,
                    total: progress.of_bytes,
                    counts,
                };
            }
            (Ok(Step::Done | Step::Stopped), None) => return self.end_reading(*reading, false),
        };
        let posts = held.counts.downloaded;
        match posts {
            0 => {
                self.accounts.pop();
            }
            _ => {
                self.end_reading(*reading, true);
            }
        }
        error.event(posts)
    }

    /// Writes the bot as a zip.
    ///
    /// # Errors
    /// [`SessionError::Busy`], [`SessionError::NoAccount`], [`SessionError::Storage`].
    pub fn bundle<W: io::Write>(&mut self, out: W) -> Result<W, SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        if self.accounts.is_empty() {
            return Err(SessionError::NoAccount);
        }
        let mut bundle = BundleWriter::new(out);
        for held in &mut self.accounts {
            bundle.begin_account()?;
            let mut idx = 0;
            while idx < held.posts.len() {
                let (posts, lines) = held.posts.block_and_lines(idx)?;
                bundle.add_lines(&lines)?;
                idx += posts.len();
            }
            bundle.end_account();
        }
        if self.record.is_some() {
            let text = self.text()?;
            bundle.add_text(&dataset::file_name(&self.handles()), &text)?;
        }
        Ok(bundle.finish(self.manifest())?)
    }

    /// Begins to read a saved bot; the posts of its accounts go to `files`. The steps follow.
    ///
    /// # Errors
    /// [`SessionError::Busy`]; [`SessionError::NotEmpty`] if the bot has accounts already.
    pub fn restore(
        &mut self,
        bundle: Bundle,
        files: Vec<(String, Box<dyn Bytes>)>,
    ) -> Result<(), SessionError> {
        self.check_room()?;
        if !self.accounts.is_empty() {
            return Err(SessionError::NotEmpty);
        }
        for (entry, (file, bytes)) in bundle.manifest.accounts.iter().zip(files) {
            self.accounts.push(Held {
                name: match entry.name.is_empty() {
                    true => entry.handle.clone(),
                    false => entry.name.clone(),
                },
                handle: entry.handle.clone(),
                picture: entry.picture.clone(),
                // Until all of it has come.
                is_cut: true,
                ..Held::new(entry.report.clone(), file, PostsFile::new(bytes))
            });
        }
        self.job = Some(Job::Restoring(Box::new(bundle)));
        Ok(())
    }

    fn restore_on(&mut self, mut bundle: Box<Bundle>) -> Event {
        let accounts = &mut self.accounts;
        let step = bundle.step(STEP_BYTES, &mut |place, post| {
            let held = accounts.get_mut(place);
            held.map_or(Ok(()), |held| held.posts.push(post))
        });
        match step {
            Ok(true) => {
                let (done, total) = bundle.progress();
                let n_posts = self.accounts.iter().map(|held| held.posts.len() as u64);
                let counts = Counts {
                    downloaded: n_posts.sum(),
                    ..Counts::default()
                };
                self.job = Some(Job::Restoring(bundle));
                Event::Progress {
                    task: Task::Read,
                    done,
                    total,
                    counts,
                }
            }
            Ok(false) => match self.end_restoring(bundle.manifest) {
                Ok(()) => Event::Changed { bot: self.view() },
                Err(error) => SessionError::from(error).event(0),
            },
            Err(error) => {
                self.accounts.clear();
                SessionError::from(error).event(0)
            }
        }
    }

    fn end_restoring(&mut self, manifest: Manifest) -> io::Result<()> {
        for (held, entry) in self.accounts.iter_mut().zip(&manifest.accounts) {
            held.posts.flush()?;
            held.part.size_bytes = held.posts.size_bytes();
            held.is_cut = entry.is_cut;
        }
        self.begun_ms = manifest.begun_ms;
        self.options = manifest.options;
        self.record = manifest.record;
        self.card = manifest.card;
        self.judge();
        Ok(())
    }

    fn end_reading(&mut self, reading: Reading, is_cut: bool) -> Event {
        let Some(mut held) = self.accounts.pop() else {
            return SessionError::NoAccount.event(0);
        };
        if let Err(error) = held.posts.flush() {
            return SessionError::from(error).event(0);
        }
        held.report = reading.import.into_report();
        let Account { handle, name, .. } = &held.report.account;
        let handle = normal_handle(handle.as_deref().unwrap_or_default());
        held.handle = self.free_handle(&handle);
        held.name = match name.as_deref().map(str::trim) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => held.handle.clone(),
        };
        // An address is not asked for the picture: nothing is fetched here.
        held.picture = match held.report.account.avatar.take() {
            Some(Avatar::Bytes { bytes, .. }) => picture::address(&bytes),
            Some(Avatar::Address(_)) | None => None,
        };
        held.is_cut = is_cut;
        held.part.size_bytes = held.posts.size_bytes();
        self.accounts.push(held);
        self.survey();
        Event::Changed { bot: self.view() }
    }

    /// `handle`, or one like it that no account has.
    fn free_handle(&self, handle: &str) -> String {
        let handle = if handle.is_empty() { "me" } else { handle };
        let is_free = |handle: &str| self.accounts.iter().all(|held| held.handle != handle);
        let numbered = (2..).map(|n| format!("{handle}_{n}"));
        let mut handles = std::iter::once(handle.to_owned()).chain(numbered);
        handles.find(|handle| is_free(handle)).unwrap_or_default()
    }

    fn judge_on(&mut self, mut judging: Judging) -> io::Result<Vec<Event>> {
        let account = judging.account;
        let held = &mut self.accounts[account];
        let block = held.posts.block(held.classes.len())?;
        let is_done = block.is_empty();
        for post in &block {
            let verdict = judging.cleaner.judge(post);
            held.count(&verdict);
        }
        if is_done {
            let before = sum(judging.before, held.counts);
            if account + 1 < self.accounts.len() {
                self.begin_judging(account + 1, before);
                return Ok(Vec::new());
            }
            self.survey();
            return Ok(vec![Event::Changed { bot: self.view() }]);
        }
        let counts = sum(judging.before, held.counts);
        self.job = Some(Job::Judging(judging));
        let total = self
            .accounts
            .iter()
            .map(|held| held.posts.len() as u64)
            .sum();
        Ok(vec![Event::Progress {
            task: Task::Judge,
            done: counts.downloaded,
            total,
            counts,
        }])
    }

    /// Begins to survey the first account without a survey.
    fn survey(&mut self) {
        let account = self.accounts.iter().position(|held| held.survey.is_none());
        self.job = account.map(|account| {
            Job::Surveying(Surveying {
                account,
                done: 0,
                surveyor: Surveyor::default(),
                hasher: Sha256::new(),
            })
        });
    }

    fn survey_on(&mut self, mut surveying: Surveying) -> io::Result<Vec<Event>> {
        let held = &mut self.accounts[surveying.account];
        let (block, lines) = held.posts.block_and_lines(surveying.done)?;
        surveying.hasher.update(lines);
        if block.is_empty() {
            let sha256 = base16ct::lower::encode_string(&surveying.hasher.finalize());
            let expected = &held.part.sha256;
            let is_damaged = !expected.is_empty() && *expected != sha256;
            let damaged = SessionError::Damaged(held.handle.clone());
            if !is_damaged {
                held.part.sha256 = sha256;
                held.is_checked = true;
            }
            held.survey = Some(surveying.surveyor.survey());
            self.survey();
            let changed = Event::Changed { bot: self.view() };
            return Ok([changed]
                .into_iter()
                .chain(is_damaged.then(|| damaged.event(0)))
                .collect());
        }
        for post in &block {
            if held.classes.get(surveying.done) == Some(&Class::Kept) {
                let text = posts::clean::clean(&post.text);
                surveying.surveyor.add(post, &text);
            }
            surveying.done += 1;
        }
        self.job = Some(Job::Surveying(surveying));
        Ok(Vec::new())
    }

    /// The posts that fit `listing`.
    ///
    /// # Errors
    /// [`SessionError::Busy`], [`SessionError::NoAccount`], [`SessionError::Storage`].
    pub fn list(&mut self, listing: Listing) -> Result<Event, SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        let held = self
            .accounts
            .get_mut(listing.account)
            .ok_or(SessionError::NoAccount)?;
        let mut cleaner = Cleaner::new(CleanOptions {
            // Its verdicts need all posts before; the class is known.
            no_duplicates: false,
            ..self.options.clone()
        });
        let search = listing.search.to_lowercase();
        let (mut found, mut posts) = (0, Vec::new());
        let take = listing.take.min(MAX_LISTED) as usize;
        let mut idx = 0;
        while idx < held.posts.len() {
            let block = held.posts.block(idx)?;
            for post in block {
                let class = held.classes.get(idx).copied().unwrap_or(Class::Kept);
                idx += 1;
                let fits = listing.class.is_none_or(|wanted| wanted == class)
                    && (search.is_empty() || post.text.to_lowercase().contains(&search));
                if !fits {
                    continue;
                }
                found += 1;
                if found > listing.skip && posts.len() < take {
                    posts.push(listed(post, class, &mut cleaner));
                }
            }
        }
        Ok(Event::Listed {
            listing,
            found,
            posts,
        })
    }

    /// Writes the training text into `out`, which is the file `part`, and the record of how it was made. Gives back the
    /// name of the training text before.
    ///
    /// # Errors
    /// [`SessionError::Busy`], [`SessionError::NoAccount`], [`SessionError::TooLittle`], [`SessionError::Storage`].
    pub fn write(
        &mut self,
        plan: &WritePlan,
        part: String,
        out: Box<dyn Bytes>,
    ) -> Result<Option<String>, SessionError> {
        let texts = self.kept_texts()?;
        let order = dataset::order(&texts, &plan.params);
        let train = dataset::write_text(&texts, &order.train, &mut BufWriter::new(End(out)))?;
        drop(texts);
        let raw = dataset::write_raw(
            &self.texts(|class| class != Class::Retweets)?,
            &mut io::sink(),
        )?;
        let n_versions = self
            .record
            .as_ref()
            .or(self.last_record.as_ref())
            .map_or(0, next_version);
        let sha256 = train.sha256.clone();
        let size_bytes = train.size_bytes;
        let record = Preprocess {
            run_id: record::run_id(plan.run_seed),
            time_ms: plan.now_ms,
            config: Config {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                handles: self.handles(),
                dataset: plan.params,
                clean: self.options.clone(),
                consent: plan.consent,
            },
            counts: self.accounts.iter().map(|held| held.counts).collect(),
            raw,
            train,
            n_versions,
        };
        self.record = Some(record.record());
        let part = Part {
            file: part,
            size_bytes,
            sha256,
        };
        Ok(self.dataset.replace(part).map(|old| old.file))
    }

    /// The training text that was written.
    ///
    /// # Errors
    /// As [`Session::write`]; [`SessionError::NoAccount`] before it was written.
    pub fn text(&mut self) -> Result<Vec<u8>, SessionError> {
        let record = self.record.as_ref().ok_or(SessionError::NoAccount)?;
        let params = record.run.config.dataset;
        let texts = self.kept_texts()?;
        let order = dataset::order(&texts, &params);
        let mut bytes = Vec::new();
        dataset::write_text(&texts, &order.train, &mut bytes)?;
        Ok(bytes)
    }

    /// The cleaned texts of the kept posts, per account.
    ///
    /// # Errors
    /// As [`Session::write`].
    pub fn kept_texts(&mut self) -> Result<Vec<Vec<String>>, SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        if self.accounts.is_empty() {
            return Err(SessionError::NoAccount);
        }
        let little = self
            .accounts
            .iter()
            .find(|held| held.counts.volume() == Volume::TooLittle);
        if let Some(held) = little {
            return Err(SessionError::TooLittle {
                handle: held.handle.clone(),
                characters: held.counts.joined_characters(),
            });
        }
        let mut accounts = self.texts(|class| class == Class::Kept)?;
        for text in accounts.iter_mut().flatten() {
            *text = posts::clean::clean(text);
        }
        Ok(accounts)
    }

    /// What a text shares with the kept posts.
    ///
    /// # Errors
    /// As [`Session::kept_texts`].
    pub fn compare(&mut self, text: &str) -> Result<Event, SessionError> {
        let posts = self.kept_texts()?;
        let originals = Originals::new(posts.iter().flatten().map(String::as_str));
        let shared = originals.shared(text);
        Ok(Event::Compared {
            words: shared
                .as_ref()
                .map_or(0, |it| u32::try_from(it.words).unwrap_or(u32::MAX)),
            post: shared.map_or_else(String::new, |it| it.post.to_owned()),
        })
    }

    /// The texts before cleaning of the posts of some classes, per account.
    fn texts(&mut self, is_wanted: impl Fn(Class) -> bool) -> io::Result<Vec<Vec<String>>> {
        let mut accounts = Vec::new();
        for held in &mut self.accounts {
            let mut texts = Vec::new();
            let mut idx = 0;
            while idx < held.posts.len() {
                for post in held.posts.block(idx)? {
                    if is_wanted(held.classes[idx]) {
                        texts.push(post.text);
                    }
                    idx += 1;
                }
            }
            accounts.push(texts);
        }
        Ok(accounts)
    }

    /// The handles in the order of import.
    #[must_use]
    pub fn handles(&self) -> Vec<String> {
        self.accounts
            .iter()
            .map(|held| held.handle.clone())
            .collect()
    }
}

impl Held {
    /// An account whose posts go to `file`.
    fn new(report: Report, file: String, posts: PostsFile) -> Self {
        Self {
            name: String::new(),
            handle: String::new(),
            report,
            picture: None,
            is_cut: false,
            part: Part {
                file,
                ..Part::default()
            },
            posts,
            classes: Vec::new(),
            counts: Counts::default(),
            survey: None,
            is_checked: false,
        }
    }

    /// Stores and judges a post.
    fn take(&mut self, post: &Post, cleaner: &mut Cleaner) -> io::Result<()> {
        self.posts.push(post)?;
        let verdict = cleaner.judge(post);
        self.count(&verdict);
        Ok(())
    }

    fn count(&mut self, verdict: &Verdict) {
        self.counts.add(verdict);
        self.classes.push(class_of(verdict));
    }
}

/// The end of a file, for writers.
struct End(Box<dyn Bytes>);

impl io::Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The version after that of a record's artifacts.
fn next_version(record: &Record) -> u32 {
    let last = record.artifacts.last();
    let number = last.and_then(|artifact| artifact.version.strip_prefix('v')?.parse::<u32>().ok());
    number.map_or(0, |number| number + 1)
}

fn storage_failed(error: io::Error) -> Vec<Event> {
    vec![SessionError::from(error).event(0)]
}

fn class_of(verdict: &Verdict) -> Class {
    match verdict {
        Verdict::Kept { .. } => Class::Kept,
        Verdict::Retweet => Class::Retweets,
        Verdict::Short { .. } => Class::Short,
        Verdict::LeftOut(_) => Class::LeftOut,
    }
}

fn listed(post: Post, class: Class, cleaner: &mut Cleaner) -> ListedPost {
    let verdict = cleaner.judge(&post);
    let (cleaned, words, left_out) = match verdict {
        Verdict::Kept { text, words } | Verdict::Short { text, words } => {
            (Some(text), u32::try_from(words).ok(), None)
        }
        Verdict::Retweet => (None, None, None),
        Verdict::LeftOut(reason) => (None, None, Some(reason)),
    };
    let left_out = match class {
        Class::LeftOut => left_out.or(Some(posts::clean::LeftOut::Duplicate)),
        _ => None,
    };
    ListedPost {
        time: post.time,
        cleaned: cleaned.filter(|text| *text != post.text),
        text: post.text,
        class,
        words,
        left_out,
    }
}

fn sum(mut a: Counts, b: Counts) -> Counts {
    a.downloaded += b.downloaded;
    a.retweets += b.retweets;
    a.short += b.short;
    a.kept += b.kept;
    a.characters += b.characters;
    a.left_out.replies += b.left_out.replies;
    a.left_out.duplicates += b.left_out.duplicates;
    a.left_out.dates += b.left_out.dates;
    a.left_out.languages += b.left_out.languages;
    a
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use std::io::Cursor;

    use posts::archive::ImportOptions;

    use super::*;

    /// Lines of enough text for a bot, with one line that is too short.
    pub fn export(author: &str, n: usize) -> String {
        let lines =
            (0..n).map(|i| format!("{author} walks in the garden number {i} again and again\n"));
        lines.collect::<String>() + "too short\n"
    }

    fn import(session: &mut Session, text: &str) {
        let file = Box::new(Cursor::new(text.to_owned().into_bytes()));
        let import = Import::open(file, "posts.txt", ImportOptions::default()).unwrap();
        let part = session.new_part("posts");
        session
            .import(import, part, Box::<Vec<u8>>::default())
            .unwrap();
    }

    pub fn finish(session: &mut Session) -> Vec<Event> {
        let mut events = Vec::new();
        while session.has_steps() {
            events.extend(session.step());
        }
        events
    }

    pub fn session_of(texts: &[&str]) -> Session {
        let mut session = Session::new(0);
        for text in texts {
            import(&mut session, text);
            finish(&mut session);
        }
        session
    }

    pub fn plan(seed: u64) -> WritePlan {
        WritePlan {
            params: DatasetParams {
                seed,
                ..DatasetParams::default()
            },
            consent: Consent::Own,
            now_ms: 1,
            run_seed: 2,
        }
    }

    #[test]
    fn an_import_is_counted_and_surveyed() {
        let session = session_of(&[&export("Ann", 200)]);
        let view = session.view();
        let [account] = view.accounts.as_slice() else {
            panic!("{view:?}")
        };
        let Counts {
            downloaded,
            kept,
            short,
            ..
        } = account.counts;
        assert_eq!((downloaded, kept, short), (201, 200, 1));
        assert_eq!(account.volume, Volume::Little);
        assert_eq!(account.survey.words[0], ("again".to_owned(), 400));
        assert!(!account.is_cut);
    }

    #[test]
    fn a_bot_has_three_accounts_of_different_handles_at_most() {
        let mut session = session_of(&["one two three\n", "one two three\n", "one two three\n"]);
        let handles = session.handles();
        assert_eq!(handles, ["me", "me_2", "me_3"]);
        assert!(matches!(
            session.check_room(),
            Err(SessionError::TooManyAccounts)
        ));
        assert!(matches!(
            session.rename(0, "", "@ME_2"),
            Err(SessionError::SameHandle(_))
        ));
        assert!(matches!(
            session.rename(0, "", " @ "),
            Err(SessionError::NoHandle)
        ));
        session.rename(0, " Ann ", "@Ann").unwrap();
        assert_eq!(session.view().accounts[0].name, "Ann");
        session.remove(1).unwrap();
        assert_eq!(session.handles(), ["ann", "me_3"]);
    }

    #[test]
    fn other_switches_judge_all_posts_anew_and_take_the_training_text_back() {
        let twice = export("Ann", 200) + &export("Ann", 200);
        let mut session = session_of(&[&twice]);
        let part = session.new_part("dataset");
        session
            .write(&plan(1), part, Box::<Vec<u8>>::default())
            .unwrap();
        assert!(session.record().is_some());
        let options = CleanOptions {
            no_duplicates: true,
            ..CleanOptions::default()
        };
        session.clean(options).unwrap();
        let events = finish(&mut session);
        assert!(matches!(events.last(), Some(Event::Changed { .. })));
        let counts = session.view().accounts[0].counts;
        assert_eq!(
            (counts.kept, counts.left_out.duplicates, counts.short),
            (200, 200, 2)
        );
        assert!(session.record().is_none());
        let part = session.new_part("dataset");
        session
            .write(&plan(1), part, Box::<Vec<u8>>::default())
            .unwrap();
        let version = &session.record().unwrap().artifacts[1].version;
        assert_eq!(version, "v1");
    }

    #[test]
    fn posts_are_found_by_class_and_text() {
        let mut session = session_of(&[&export("Ann", 200)]);
        let mut list = |class, search: &str, skip| {
            let listing = Listing {
                account: 0,
                class,
                search: search.to_owned(),
                skip,
                take: 5,
            };
            match session.list(listing).unwrap() {
                Event::Listed { found, posts, .. } => (found, posts),
                other => panic!("{other:?}"),
            }
        };
        let (found, posts) = list(Some(Class::Short), "", 0);
        assert_eq!((found, posts[0].text.as_str()), (1, "too short"));
        assert_eq!(posts[0].words, Some(2));
        let (found, posts) = list(None, "NUMBER 19", 8);
        // 19 and 190 to 199.
        assert_eq!((found, posts.len()), (11, 3));
    }

    /// The stored lines of the first account's posts.
    fn stored(session: &mut Session) -> Vec<u8> {
        let (_, lines) = session.accounts[0].posts.block_and_lines(0).unwrap();
        lines
    }

    #[test]
    fn posts_get_the_name_of_their_content_once_it_is_known() {
        let (ann, bob) = (export("Ann", 200), export("Bob", 100));
        let mut session = session_of(&[&ann, &bob, &ann]);
        let to_name = session.posts_to_name();
        assert_eq!(
            to_name.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
            [0, 1]
        );
        let (_, part) = &to_name[0];
        let lines = stored(&mut session);
        let sha256 = base16ct::lower::encode_string(&Sha256::digest(&lines));
        assert_eq!(
            (&*part.file, &part.sha256, part.size_bytes),
            ("posts-1", &sha256, lines.len() as u64)
        );

        session.close_posts(0).unwrap();
        session.reopen_posts(0, &sha256, Box::new(lines.clone()));
        assert_eq!(stored(&mut session), lines);
        let to_name = session.posts_to_name();
        assert_eq!(
            to_name.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(session.manifest().accounts[0].posts.file, sha256);
    }

    #[test]
    fn posts_that_changed_on_the_disk_are_told() {
        let mut session = session_of(&[&export("Ann", 200)]);
        let (manifest, mut lines) = (session.manifest(), stored(&mut session));
        let opened = |lines: Vec<u8>| {
            let mut session = Session::open(manifest.clone(), vec![Box::new(lines)]).unwrap();
            let events = finish(&mut session);
            let failed = events.into_iter().find_map(|event| match event {
                Event::Failed { message, .. } => Some(message),
                _ => None,
            });
            (failed, session.manifest().accounts[0].posts.sha256.clone())
        };
        let sha256 = manifest.accounts[0].posts.sha256.clone();
        assert_eq!(opened(lines.clone()), (None, sha256.clone()));
        let place = lines.iter().position(|byte| *byte == b'g').unwrap();
        lines[place] = b'k';
        let (failed, expected) = opened(lines);
        assert!(
            failed.is_some_and(|message| message.contains("@me") && message.contains("damaged"))
        );
        assert_eq!(expected, sha256);
        let mut damaged = Session::open(manifest, vec![Box::new(vec![b'\n'])]).unwrap();
        finish(&mut damaged);
        assert_eq!(damaged.posts_to_name(), []);
    }

    #[test]
    fn a_bot_of_an_earlier_visit_is_the_same_and_its_text_too() {
        let text = export("Ann", 200);
        let mut session = session_of(&[&text]);
        let part = session.new_part("dataset");
        session
            .write(&plan(7), part, Box::<Vec<u8>>::default())
            .unwrap();
        let (before, bytes) = (session.view(), session.text().unwrap());
        assert!(bytes.starts_with(b"<|endoftext|>Ann walks"));
        let manifest = session.manifest();
        assert_eq!(
            manifest.dataset.as_ref().unwrap().size_bytes,
            bytes.len() as u64
        );

        let lines = stored(&mut session);
        let json = serde_json::to_vec(&manifest).unwrap();
        let manifest = Manifest::read(&json).unwrap();
        let mut again = Session::open(manifest, vec![Box::new(lines)]).unwrap();
        finish(&mut again);
        assert_eq!(again.view(), before);
        assert_eq!(again.text().unwrap(), bytes);
    }

    #[test]
    fn too_little_text_makes_no_bot_and_says_how_much_there_is() {
        let mut session = session_of(&["one two three\n"]);
        let part = session.new_part("dataset");
        let refused = session.write(&plan(1), part, Box::<Vec<u8>>::default());
        let error = refused.unwrap_err();
        assert_eq!(
            error.to_string(),
            "@me has 13 characters of kept posts, and a bot needs 6000"
        );
        assert!(session.record().is_none());
    }

    #[test]
    fn an_export_that_breaks_off_keeps_its_posts_and_says_so() {
        let mut session = Session::new(0);
        let json = "[{\"full_text\":\"one two three\"},{\"full_text\":\"four five six\"},{\"full";
        import(&mut session, json);
        let events = finish(&mut session);
        assert!(
            matches!(
                events[..],
                [Event::Failed { posts: 2, .. }, Event::Changed { .. }]
            ),
            "{events:?}"
        );
        let view = session.view();
        assert!(view.accounts[0].is_cut);
        assert_eq!(view.accounts[0].counts.kept, 2);
    }

    #[test]
    fn what_is_no_export_leaves_no_account() {
        let mut session = Session::new(0);
        import(&mut session, "[{\"a\": ");
        finish(&mut session);
        assert!(session.view().accounts.is_empty());
        assert!(session.check_room().is_ok());
    }
}
