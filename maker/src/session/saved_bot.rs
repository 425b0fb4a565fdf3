//! The bot as one zip, and back.

use std::io;

use posts::counts::Counts;
use posts::dataset;

use super::account::HeldAccount;
use super::task::{Job, STEP_BYTES};
use super::{Session, SessionError};
use crate::bundle::{Bundle, BundleWriter};
use crate::manifest::Manifest;
use crate::message::{Event, LongTask};
use crate::posts_file::{Bytes, PostsFile};

impl Session {
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
            self.accounts.push(HeldAccount {
                name: match entry.name.is_empty() {
                    true => entry.handle.clone(),
                    false => entry.name.clone(),
                },
                handle: entry.handle.clone(),
                picture: entry.picture.clone(),
                // Until all of it has come.
                is_cut: true,
                ..HeldAccount::new(entry.report.clone(), file, PostsFile::new(bytes))
            });
        }
        self.job = Some(Job::Restoring(Box::new(bundle)));
        Ok(())
    }

    pub(super) fn restore_on(&mut self, mut bundle: Box<Bundle>) -> Event {
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
                    task: LongTask::Read,
                    done,
                    total,
                    counts,
                }
            }
            Ok(false) => match self.end_restoring(bundle.manifest) {
                Ok(()) => Event::Changed { bot: self.view() },
                Err(error) => self.refuse(error.into()),
            },
            Err(error) => self.refuse(error.into()),
        }
    }

    /// Takes out what has come of a saved bot that does not come whole.
    fn refuse(&mut self, error: SessionError) -> Event {
        while let Some(last) = self.accounts.len().checked_sub(1) {
            self.take_out(last);
        }
        error.event(0)
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
}
