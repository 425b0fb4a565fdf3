//! The long tasks: reading an export, judging its posts, surveying them. Each is done a step at a time.

use std::io;
use std::ops::ControlFlow;

use posts::archive::{Import, Step};
use posts::clean::Cleaner;
use posts::counts::Counts;
use posts::post::{Account, Avatar, normal_handle};
use posts::record::Record;
use sha2::{Digest as _, Sha256};

use super::account::HeldAccount;
use super::{Session, SessionError};
use crate::bundle::Bundle;
use crate::manifest::kept_name;
use crate::message::{Class, Event, LongTask};
use crate::picture;
use crate::survey::Surveyor;

/// Bytes of an export that are read in a step.
pub(super) const STEP_BYTES: u64 = 2 << 20;

/// The running task.
pub(super) enum Job {
    Reading(Box<Reading>),
    Restoring(Box<Bundle>),
    Judging(Judging),
    Surveying(Surveying),
}

/// An export being read; its account is the last one.
pub(super) struct Reading {
    pub(super) import: Import,
    pub(super) cleaner: Cleaner,
    /// The bot's record without this account, which is its record again if no post can be read.
    pub(super) record: Option<Record>,
}

/// The posts of all accounts being judged, one account after the other.
pub(super) struct Judging {
    pub(super) account: usize,
    pub(super) cleaner: Cleaner,
    /// Counts of the accounts before.
    pub(super) before: Counts,
}

/// The kept posts of an account being surveyed and all of them hashed, which nobody waits for.
pub(super) struct Surveying {
    pub(super) account: usize,
    /// Posts that are done.
    pub(super) done: usize,
    pub(super) surveyor: Surveyor,
    /// Of the lines.
    pub(super) hasher: Sha256,
}

impl Session {
    /// Does a part of the running task.
    pub fn step(&mut self) -> Vec<Event> {
        match self.job.take() {
            None => Vec::new(),
            Some(Job::Reading(reading)) => vec![self.read_on(reading)],
            Some(Job::Restoring(restoring)) => vec![self.restore_on(restoring)],
            Some(Job::Judging(judging)) => {
                let account = judging.account;
                let events = self.judge_on(judging);
                events.unwrap_or_else(|error| vec![self.unread(account, error).event(0)])
            }
            Some(Job::Surveying(surveying)) => {
                let account = surveying.account;
                let events = self.survey_on(surveying);
                events.unwrap_or_else(|error| vec![self.unread(account, error).event(0)])
            }
        }
    }

    /// Why the stored posts of an account cannot be read.
    fn unread(&self, account: usize, error: io::Error) -> SessionError {
        match (error.kind(), self.accounts.get(account)) {
            // A file that ends early, and a line that is no post.
            (io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData, Some(held)) => {
                SessionError::Damaged(held.handle.clone())
            }
            _ => SessionError::Storage(error),
        }
    }

    /// Takes an account out, whose file is not needed any longer, and goes on with the others.
    pub(super) fn take_out(&mut self, account: usize) {
        let removed = self.accounts.remove(account);
        self.unneeded.push(removed.part.file);
        self.go_on();
    }

    /// Takes out the last account, of whose export nothing was stored. The bot is as before.
    fn take_out_unread(&mut self, record: Option<Record>) {
        self.record = record;
        self.take_out(self.accounts.len() - 1);
    }

    /// Begins what is left to do: to judge, where posts have no class, or else to survey.
    fn go_on(&mut self) {
        match self.accounts.iter().all(HeldAccount::is_judged) {
            true => self.survey(),
            false => self.judge(),
        }
    }

    fn read_on(&mut self, mut reading: Box<Reading>) -> Event {
        let Some(held) = self.accounts.last_mut() else {
            return SessionError::NoAccount.event(0);
        };
        let mut failed = None;
        let Reading {
            import, cleaner, ..
        } = &mut *reading;
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
                    task: LongTask::Read,
                    done: progress.bytes,
                    total: progress.of_bytes,
                    counts,
                };
            }
            (Ok(Step::Done), None) if held.counts.downloaded == 0 => {
                let opened = &reading.import.report().opened;
                SessionError::NoPosts(opened.last().cloned().unwrap_or_default())
            }
            (Ok(Step::Done | Step::Stopped), None) => return self.end_reading(*reading, false),
        };
        let posts = held.counts.downloaded;
        if posts == 0 {
            self.take_out_unread(reading.record);
            return error.event(0);
        }
        match self.end_reading(*reading, true) {
            // What was read before could not be stored either.
            failed @ Event::Failed { .. } => failed,
            _ => error.event(posts),
        }
    }

    pub(super) fn end_reading(&mut self, reading: Reading, is_cut: bool) -> Event {
        let last = self.accounts.last_mut();
        // Stopped before there was one.
        if last
            .as_ref()
            .is_some_and(|held| held.counts.downloaded == 0)
        {
            self.take_out_unread(reading.record);
            return Event::Changed { bot: self.view() };
        }
        if let Some(Err(error)) = last.map(|held| held.posts.flush()) {
            self.take_out_unread(reading.record);
            return SessionError::from(error).event(0);
        }
        let Some(mut held) = self.accounts.pop() else {
            return SessionError::NoAccount.event(0);
        };
        held.report = reading.import.into_report();
        let Account { handle, name, .. } = &mut held.report.account;
        for text in [&mut *handle, &mut *name].into_iter().flatten() {
            *text = kept_name(text);
        }
        let handle = kept_name(&normal_handle(handle.as_deref().unwrap_or_default()));
        held.handle = self.free_handle(&handle);
        held.name = match name.as_deref() {
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
        self.go_on();
        Event::Changed { bot: self.view() }
    }

    pub(super) fn judge(&mut self) {
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
            task: LongTask::Judge,
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
