//! `TrainingState`: the training of the bot that the visitor makes, as the page shows it.

use crate::finetune::StepReport;
use crate::trainer::message::{Left, Prepared};
use crate::trainer::{Event, Interrupted, TrainedBot};

use super::maker::Failure;
use super::training_settings::TrainingSettings;
use super::wording::{bytes, count, estimated, isolated, percent};

/// Points of the loss curve that are drawn, at most.
const MOST_POINTS: usize = 400;

/// The training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingState {
    /// The settings that the visitor has chosen.
    pub settings: TrainingSettings,
    /// Its progress.
    pub phase: Phase,
    /// Steps, time and memory of the training, once measured.
    pub prepared: Option<Prepared>,
    /// Step and loss of the steps that this page has seen.
    pub losses: Vec<(u32, f32)>,
    /// The last step.
    pub report: Option<StepReport>,
    /// Speed since the training began or went on.
    pub tokens_per_second: f64,
    /// Bytes of the worker's WebAssembly memory.
    pub memory_bytes: u64,
    /// The newest samples, and the step after which they were written.
    pub samples: Option<(u32, Vec<String>)>,
    /// The trained bot.
    pub trained: Option<TrainedBot>,
    /// The checkpoint that a closed tab left.
    pub interrupted: Option<Interrupted>,
    /// The last failure.
    pub failure: Option<Failure>,
    /// The reason why checkpoints are not kept.
    pub not_kept: Option<String>,
    /// Whether a zip is being made.
    pub is_packing: bool,
    /// Whether the last zip was made.
    pub is_packed: bool,
    /// Whether the bot was trained on this visit.
    pub has_ended: bool,
}

/// How far a training is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was begun.
    #[default]
    Idle,
    /// The base model and the text are read, and a block's loss is measured.
    Preparing {
        /// Whether steps follow at once.
        begins: bool,
    },
    /// Steps can begin.
    Ready,
    /// Steps are done.
    Running,
    /// The step under way is the last for now.
    Pausing,
    /// No steps are done until the visitor goes on.
    Paused,
    /// The bot's files are written, and texts of it compared with its posts.
    Writing {
        /// Texts that are compared.
        texts: u32,
    },
    /// The bot's weights are written; its other files could not be, until the visitor tries it again.
    Unwritten,
}

/// What leaving a bot for another one costs, and what the button that does it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// A sentence.
    pub words: &'static str,
    /// The button.
    pub button: &'static str,
}

impl TrainingState {
    /// A training that begins anew with these settings.
    #[must_use]
    pub fn new(settings: TrainingSettings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Begins to prepare; `begins`: steps follow at once.
    pub fn prepare(&mut self, begins: bool) {
        self.reset();
        self.phase = Phase::Preparing { begins };
    }

    /// Gives up what was prepared or begun; a checkpoint stays.
    pub fn reset(&mut self) {
        *self = Self {
            trained: self.trained.take(),
            interrupted: self.interrupted.take(),
            ..Self::new(self.settings.clone())
        };
    }

    /// Goes on, pauses or ends: what could not be kept or written before is tried again.
    pub fn go(&mut self, phase: Phase) {
        self.phase = phase;
        (self.failure, self.not_kept) = (None, None);
    }

    /// Takes on what the worker tells; whether steps begin now.
    pub fn hear(&mut self, event: Event) -> bool {
        match event {
            Event::Started { .. } => {}
            Event::Packed { .. } => (self.is_packing, self.is_packed) = (false, true),
            Event::NotPacked { message, hint } => {
                self.is_packing = false;
                self.failure = Some(failure(message, hint));
            }
            Event::Prepared(prepared) => {
                self.prepared = Some(prepared);
                let begins = self.phase == Phase::Preparing { begins: true };
                self.phase = match begins {
                    true => Phase::Running,
                    false => Phase::Ready,
                };
                return begins;
            }
            Event::Step {
                report,
                tokens_per_second,
                memory_bytes,
            } => {
                self.memory_bytes = memory_bytes;
                self.losses.push((report.step, report.loss));
                self.report = Some(report);
                self.tokens_per_second = tokens_per_second;
            }
            Event::Samples { step, texts } => self.samples = Some((step, texts)),
            // The last step may have come first, and with it the writing.
            Event::Paused if self.phase != Phase::Pausing => {}
            Event::Paused => self.phase = Phase::Paused,
            Event::NotKept { reason } => self.not_kept = Some(reason),
            Event::Replacing => self.trained = None,
            Event::Writing { texts } => self.phase = Phase::Writing { texts },
            Event::Done { bot, is_kept: _ } => {
                self.take_trained(*bot);
                self.has_ended = true;
            }
            Event::NotFinished {
                left,
                message,
                hint,
            } => {
                self.phase = match left {
                    Left::Training => Phase::Paused,
                    Left::Weights => Phase::Unwritten,
                };
                self.failure = Some(failure(message, hint));
            }
            Event::Failed { message, hint } => self.fail(message, hint),
        }
        false
    }

    /// Takes on the trained bot; the training has ended.
    pub fn take_trained(&mut self, bot: TrainedBot) {
        *self = Self {
            trained: Some(bot),
            ..Self::new(self.settings.clone())
        };
    }

    /// Takes on the settings of a training that a closed tab has left, so that it can go on.
    pub fn take_interrupted(&mut self, interrupted: Interrupted) {
        self.settings = TrainingSettings::of(&interrupted.params, &self.settings);
        self.interrupted = Some(interrupted);
    }

    /// What a closed tab has left, in words, for a training from the base model of this name. `own`: that of the page's
    /// model.
    #[must_use]
    pub fn interrupted_words(&self, base: &str, own: &str) -> Option<String> {
        let interrupted = self.interrupted.as_ref()?;
        let share = percent(interrupted.steps_done.into(), interrupted.n_steps.into());
        let seed = interrupted.params.seed;
        let same_settings = self.settings.params(seed) == interrupted.params;
        Some(match interrupted.base == base {
            true if same_settings => format!(
                "A training of this bot was interrupted after {share} of its steps; “Train” goes on with it."
            ),
            true => format!(
                "A training of this bot with other settings was interrupted after {share} of its steps. Set them back to go on; \
                 a training with these takes its place."
            ),
            false => format!(
                "A training of this bot from {} was interrupted after {share} of its steps. Choose that model to go on; a \
                 training from another one takes its place.",
                base_words(&interrupted.base, own),
            ),
        })
    }

    /// Ends it with a failure; a checkpoint stays.
    pub fn fail(&mut self, message: String, hint: String) {
        self.reset();
        self.failure = Some(failure(message, hint));
    }

    /// Begins to make a zip.
    pub fn pack(&mut self) {
        (self.is_packing, self.is_packed) = (true, false);
        self.failure = None;
    }

    /// Whether the page computes for it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(
            self.phase,
            Phase::Preparing { .. } | Phase::Running | Phase::Pausing | Phase::Writing { .. }
        )
    }

    /// Whether what it has learnt since its state was kept last goes with it. `is_kept`: whether the browser keeps what is
    /// made.
    #[must_use]
    pub fn loses_steps(&self, is_kept: bool) -> bool {
        let has_steps = matches!(
            self.phase,
            Phase::Running
                | Phase::Pausing
                | Phase::Paused
                | Phase::Writing { .. }
                | Phase::Unwritten
        );
        has_steps && (!is_kept || self.not_kept.is_some())
    }

    /// What leaving its bot for another one costs; `None`: nothing. `is_kept`: whether the browser keeps what is made.
    #[must_use]
    pub fn leaving(&self, is_kept: bool) -> Option<Leaving> {
        let leave = |words| {
            Some(Leaving {
                words,
                button: "Leave it",
            })
        };
        if !is_kept {
            return leave(
                "This bot is not kept: it is gone, with its posts and its training, once you leave it. Save the whole bot first.",
            );
        }
        if self.loses_steps(is_kept) && self.phase != Phase::Running {
            return leave(
                "The state of this bot’s training could not be kept: the steps since it was kept last are lost if you leave it. Free space in Storage first.",
            );
        }
        match self.phase {
            Phase::Running | Phase::Pausing => Some(Leaving {
                words: "This bot is being trained. Its training is paused and kept if you leave it, and goes on when you come back and press “Train”.",
                button: "Pause it and leave",
            }),
            Phase::Preparing { begins: true } => {
                leave("The training of this bot is about to begin, and does not if you leave it.")
            }
            Phase::Writing { .. } | Phase::Unwritten => leave(
                "The files of this bot are not all written: if you leave it, they are written when you come back and press “Train”.",
            ),
            _ if self.is_packing => {
                leave("A zip of this bot is being made, and is not saved if you leave it.")
            }
            Phase::Idle | Phase::Preparing { begins: false } | Phase::Ready | Phase::Paused => None,
        }
    }

    /// What it will take, in words.
    #[must_use]
    pub fn cost_words(&self) -> Option<String> {
        let prepared = self.prepared?;
        let left = prepared.n_steps.saturating_sub(prepared.steps_done);
        let seconds = f64::from(left) * prepared.step_seconds;
        let resumed = match prepared.steps_done {
            0 => String::new(),
            done => format!("It goes on after step {}. ", count(done.into())),
        };
        Some(format!(
            "{resumed}{} steps of {} tokens, about {} on this device, {} of memory.",
            count(left.into()),
            count(prepared.step_tokens),
            estimated(seconds),
            bytes(prepared.memory_bytes),
        ))
    }

    /// What it does, in words; `n_texts`: texts that are compared in all.
    #[must_use]
    pub fn status_words(&self, n_texts: u32) -> Option<String> {
        match self.phase {
            Phase::Idle if self.has_ended => Some("The training has ended.".to_owned()),
            Phase::Idle => None,
            Phase::Preparing { .. } => {
                Some("Reading the model and the text, and measuring …".to_owned())
            }
            Phase::Ready | Phase::Running => self.cost_words(),
            Phase::Pausing => Some("Pausing after this step …".to_owned()),
            Phase::Paused => {
                let prepared = self.prepared?;
                let step = self.report.map_or(prepared.steps_done, |it| it.step);
                Some(format!(
                    "Paused at step {} of {}.",
                    count(step.into()),
                    count(prepared.n_steps.into())
                ))
            }
            Phase::Unwritten => Some("The bot’s files are not all written yet.".to_owned()),
            Phase::Writing { texts: 0 } => Some("Writing the bot’s files …".to_owned()),
            Phase::Writing { texts } => Some(format!(
                "Comparing what it writes with its posts: {texts} of {n_texts} texts …"
            )),
        }
    }

    /// Speed, and the time that is left while it runs, in words.
    #[must_use]
    pub fn speed_words(&self) -> Option<String> {
        let report = self.report?;
        let left = f64::from(report.n_steps - report.step) * report.tokens as f64;
        let speed = self.tokens_per_second.max(1e-3);
        let words = format!("{speed:.0} tokens per second");
        Some(match self.phase {
            Phase::Running => format!("{words}, {} left", estimated(left / speed)),
            _ => words,
        })
    }

    /// The loss at each drawn step: of many steps the mean of neighbours.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, f64)> {
        points(&self.losses)
    }
}

/// What a base model is called. `own`: the name of the page's model.
#[must_use]
pub fn base_words(base: &str, own: &str) -> String {
    match base == own {
        true => "the model that comes with the page".to_owned(),
        false => isolated(base).to_string(),
    }
}

fn failure(message: String, hint: String) -> Failure {
    Failure {
        message,
        hint,
        posts: 0,
    }
}

/// The points of a curve, at most 400: of more steps the mean of neighbours.
#[must_use]
pub fn points(losses: &[(u32, f32)]) -> Vec<(f64, f64)> {
    let at_once = losses.len().div_ceil(MOST_POINTS).max(1);
    let parts = losses.chunks(at_once);
    parts
        .map(|part| {
            let n = part.len() as f64;
            let step = part.iter().map(|(step, _)| f64::from(*step)).sum::<f64>() / n;
            let loss = part.iter().map(|(_, loss)| f64::from(*loss)).sum::<f64>() / n;
            (step, loss)
        })
        .collect()
}

#[cfg(test)]
mod tests;
