//! The training text, and the record of how it was made.

use std::io::{self, BufWriter};

use posts::copied::Originals;
use posts::counts::Volume;
use posts::dataset::{self, DatasetParams, Order};
use posts::record::{self, Config, Consent, Preprocess, Record};

use super::{Session, SessionError};
use crate::manifest::BotFile;
use crate::message::{Class, Event};
use crate::posts_file::Bytes;

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

impl Session {
    /// Writes the training text into `out`, which is the file `part`, and the record of how it was made.
    ///
    /// # Errors
    /// As [`Session::kept_texts`]; [`SessionError::BeyondLimits`].
    pub fn write(
        &mut self,
        plan: &WritePlan,
        part: String,
        out: Box<dyn Bytes>,
    ) -> Result<(), SessionError> {
        let texts = self.kept_texts()?;
        let order = order(&texts, &plan.params)?;
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
                consent: Some(plan.consent),
            },
            counts: self.accounts.iter().map(|held| held.counts).collect(),
            raw,
            train,
            n_versions,
        };
        self.record = Some(record.record());
        let part = BotFile {
            file: part,
            size_bytes,
            sha256,
        };
        let old = self.dataset.replace(part);
        self.unneeded.extend(old.map(|old| old.file));
        Ok(())
    }

    /// The training text that was written, made of the posts again.
    ///
    /// # Errors
    /// As [`Session::write`]; [`SessionError::NoText`] before it was written, [`SessionError::DamagedText`] if the posts
    /// make another one.
    pub fn text(&mut self) -> Result<Vec<u8>, SessionError> {
        let params = self.record()?.run.config.dataset;
        let texts = self.kept_texts()?;
        let order = order(&texts, &params)?;
        let mut bytes = Vec::new();
        let text = dataset::write_text(&texts, &order.train, &mut bytes)?;
        let mut written = self.record()?.artifacts.iter();
        match written.any(|written| written.sha256 == text.sha256) {
            true => Ok(bytes),
            false => Err(SessionError::DamagedText),
        }
    }

    /// The cleaned texts of the kept posts, per account.
    ///
    /// # Errors
    /// [`SessionError::Busy`], [`SessionError::NoAccount`], [`SessionError::TooLittle`], [`SessionError::Storage`];
    /// [`SessionError::Damaged`] if posts could not be judged.
    pub fn kept_texts(&mut self) -> Result<Vec<Vec<String>>, SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        if self.accounts.is_empty() {
            return Err(SessionError::NoAccount);
        }
        if let Some(held) = self.accounts.iter().find(|held| !held.is_judged()) {
            return Err(SessionError::Damaged(held.handle.clone()));
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
                    if held.classes.get(idx).copied().is_some_and(&is_wanted) {
                        texts.push(post.text);
                    }
                    idx += 1;
                }
            }
            accounts.push(texts);
        }
        Ok(accounts)
    }
}

/// The order of the posts.
fn order(texts: &[Vec<String>], params: &DatasetParams) -> Result<Order, SessionError> {
    match params.is_within_limits() {
        true => Ok(dataset::order(texts, params)),
        false => Err(SessionError::BeyondLimits),
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
    number.map_or(0, |number| number.saturating_add(1))
}
