//! `CopyCheck`: lets the trained bot write a hundred texts, and tells how much of them was copied from its posts.

use serde::{Deserialize, Serialize};

use super::training::SAMPLE_PROMPT;
use crate::engine::Engine;
use crate::generate::params::GenerationParams;
use crate::parallel::Threads;
use crate::posts::copied::{COPIED_WORDS, Originals};
use crate::posts::dataset::SEPARATOR;
use crate::protocol::{ErrorReport, Event, JobId, Request};
use crate::runs::Run;
use crate::weights::ReadSeek;

/// Texts that are written.
pub const N_TEXTS: u32 = 100;
/// Texts written at once: more would take more memory.
const AT_ONCE: u32 = 10;
/// Seed of the first ten; it is part of the check, so that it gives the same again.
const SEED: u32 = 0;

/// How much of the texts was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyReport {
    /// Texts written.
    pub texts: u32,
    /// Those that share [`COPIED_WORDS`] or more words in a row with a post.
    pub copied: u32,
    /// The most words in a row.
    pub longest: u32,
}

impl CopyReport {
    /// Puts it into the summary of the bot's run.
    pub fn note_in(self, run: &mut Run) {
        for (name, n) in [
            ("texts", self.texts),
            ("texts_copied", self.copied),
            ("longest_copied_words", self.longest),
        ] {
            run.summary.insert(name.to_owned(), n.into());
        }
    }

    /// The section of the card.
    pub fn to_markdown(self) -> String {
        let Self {
            texts,
            copied,
            longest,
        } = self;
        format!(
            "\n## How much it copies\n\nOf {texts} texts that begin with \"{SAMPLE_PROMPT}\", {copied} repeat {COPIED_WORDS} or more words in a row of a post in the training data; the longest run has {longest} words.\n"
        )
    }
}

/// The check under way.
pub struct CopyCheck {
    engine: Engine,
    originals: Originals,
    report: CopyReport,
    job: JobId,
}

impl CopyCheck {
    /// The check of the bot in a GGUF of `size_bytes`, against the posts of its training text.
    pub fn begin(
        bot: Box<dyn ReadSeek>,
        size_bytes: u64,
        training_text: &str,
        threads: Threads,
    ) -> Self {
        let mut engine = Engine::new();
        engine.set_threads(threads);
        let mut check = Self {
            originals: Originals::new(training_text.split(SEPARATOR)),
            engine,
            report: CopyReport::default(),
            job: 0,
        };
        let job = check.next_job();
        // Errors of the file are returned by `step`.
        let _ = check.engine.load(job, bot, "", size_bytes, Vec::new());
        check
    }

    fn next_job(&mut self) -> JobId {
        self.job += 1;
        self.job
    }

    /// Texts written so far.
    pub fn n_done(&self) -> u32 {
        self.report.texts
    }

    /// Does a little; the report once all is done. `clock`: milliseconds.
    ///
    /// # Errors
    /// The engine's.
    pub fn step(&mut self, clock: &dyn Fn() -> f64) -> Result<Option<CopyReport>, ErrorReport> {
        if self.engine.is_idle() {
            if self.report.texts >= N_TEXTS {
                return Ok(Some(self.report));
            }
            let job = self.next_job();
            let params = GenerationParams {
                num_return_sequences: AT_ONCE as usize,
                seed: Some(SEED + self.report.texts),
                ..self.defaults()
            };
            let prompt = SAMPLE_PROMPT.to_owned();
            let events = self.engine.handle(Request::Generate {
                job,
                prompt,
                params,
            });
            self.take(events)?;
        }
        let events = self.engine.step(clock);
        self.take(events)?;
        Ok(None)
    }

    fn defaults(&self) -> GenerationParams {
        let open = self.engine.open_model();
        open.map_or_else(GenerationParams::default, |open| open.info.defaults.clone())
    }

    fn take(&mut self, events: Vec<Event>) -> Result<(), ErrorReport> {
        for event in events {
            match event {
                Event::Result { sequence, .. } => {
                    let shared = self.originals.shared(&sequence.generated_text);
                    self.report.texts += 1;
                    if let Some(shared) = shared {
                        self.report.copied += u32::from(shared.is_copied());
                        let words = u32::try_from(shared.words).unwrap_or(u32::MAX);
                        self.report.longest = self.report.longest.max(words);
                    }
                }
                Event::Error { error, .. } => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
