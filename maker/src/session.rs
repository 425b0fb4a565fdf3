//! `Session`: the bot that is being made. Every long task is done a step at a time.

mod account;
mod error;
mod listing;
mod saved_bot;
#[cfg(test)]
mod saved_bot_tests;
mod task;
#[cfg(test)]
mod tests;
mod training_text;

use std::io;

use posts::archive::Import;
use posts::clean::{CleanOptions, Cleaner};
use posts::post::normal_handle;
use posts::record::Record;

use self::account::HeldAccount;
pub use self::error::SessionError;
use self::task::{Job, Reading};
pub use self::training_text::WritePlan;
use crate::manifest::{AccountEntry, BotFile, Manifest, kept_name};
use crate::message::{AccountView, BotView, Event, MAX_ACCOUNTS};
use crate::posts_file::{Bytes, PostsFile};

/// A bot that is being made.
pub struct Session {
    begun_ms: i64,
    accounts: Vec<HeldAccount>,
    options: CleanOptions,
    dataset: Option<BotFile>,
    record: Option<Record>,
    /// The record before the last change, whose versions are taken.
    last_record: Option<Record>,
    card: Option<String>,
    next_part: u32,
    /// Names of files of the bot, of which those of no part are to be deleted.
    unneeded: Vec<String>,
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
            unneeded: Vec::new(),
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
            record: manifest
                .record
                .filter(|record| record.run.config.dataset.is_within_limits()),
            card: manifest.card,
            next_part: manifest.next_part,
            ..Self::new(manifest.begun_ms)
        };
        for (entry, file) in manifest.accounts.into_iter().zip(files) {
            let posts = PostsFile::open(file)?;
            // The tab was closed before the first post was read.
            if entry.is_cut && posts.is_empty() {
                session.unneeded.push(entry.posts.file);
                continue;
            }
            let handle = match entry.handle.is_empty() {
                true => session.free_handle(""),
                false => entry.handle,
            };
            session.accounts.push(HeldAccount {
                name: Some(entry.name)
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| handle.clone()),
                handle,
                is_cut: entry.is_cut,
                picture: entry.picture,
                part: entry.posts,
                ..HeldAccount::new(entry.report, String::new(), posts)
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
        let name = format!("{kind}-{}", self.next_part);
        self.unneeded.push(name.clone());
        name
    }

    /// The names of files that were made for the bot and that no part is in, to be deleted.
    pub fn take_unneeded(&mut self) -> Vec<String> {
        let mut files = std::mem::take(&mut self.unneeded);
        let posts = self.accounts.iter().map(|held| &held.part);
        let parts: Vec<&BotFile> = posts.chain(&self.dataset).collect();
        files.retain(|file| parts.iter().all(|part| part.file != *file));
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The places of accounts whose posts are known by their content and stored under another name, with both names.
    /// Equal posts of two accounts are two files, of which one keeps its name.
    #[must_use]
    pub fn posts_to_name(&self) -> Vec<(usize, BotFile)> {
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
    pub fn dataset(&self) -> Option<&BotFile> {
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
        self.accounts.push(HeldAccount {
            is_cut: true,
            ..HeldAccount::new(import.report().clone(), part, PostsFile::new(file))
        });
        self.job = Some(Job::Reading(Box::new(Reading {
            import,
            cleaner: Cleaner::new(self.options.clone()),
            record: self.record.clone(),
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

    /// Takes an account out. The others are judged, if a fault has kept them from it.
    ///
    /// # Errors
    /// [`SessionError::Busy`], [`SessionError::NoAccount`].
    pub fn remove(&mut self, account: usize) -> Result<(), SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        if account >= self.accounts.len() {
            return Err(SessionError::NoAccount);
        }
        self.forget_dataset();
        self.take_out(account);
        Ok(())
    }

    /// Names an account.
    ///
    /// # Errors
    /// [`SessionError::NoAccount`], [`SessionError::NoHandle`], [`SessionError::SameHandle`].
    pub fn rename(&mut self, account: usize, name: &str, handle: &str) -> Result<(), SessionError> {
        let handle = kept_name(&normal_handle(handle));
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
        held.name = kept_name(name);
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

    /// Its record.
    ///
    /// # Errors
    /// [`SessionError::NoText`] if the training text is not written, or something has changed since.
    pub fn record(&self) -> Result<&Record, SessionError> {
        self.record.as_ref().ok_or(SessionError::NoText)
    }

    /// The handles in the order of import.
    #[must_use]
    pub fn handles(&self) -> Vec<String> {
        self.accounts
            .iter()
            .map(|held| held.handle.clone())
            .collect()
    }

    /// `handle`, or one like it that no account has.
    fn free_handle(&self, handle: &str) -> String {
        let handle = if handle.is_empty() { "me" } else { handle };
        let is_free = |handle: &str| self.accounts.iter().all(|held| held.handle != handle);
        let numbered = (2..).map(|n| format!("{handle}_{n}"));
        let mut handles = std::iter::once(handle.to_owned()).chain(numbered);
        handles.find(|handle| is_free(handle)).unwrap_or_default()
    }

    /// The training text no longer is that of the bot.
    fn forget_dataset(&mut self) {
        if let Some(record) = self.record.take() {
            self.last_record = Some(record);
        }
    }
}
