//! `MeasuringState`: the measurement of the device's speed, from the button to the result.

use super::measured::Measured;
use crate::protocol::{JobId, Workload};

/// The progress of the measurement.
#[derive(Debug, Clone, PartialEq)]
pub enum Measuring {
    /// Not requested, or finished.
    Idle,
    /// Requested; first a model has to be loaded or a text to end.
    Waiting {
        /// That load or text, in words.
        text: String,
        /// Share of the load that is done, where it is known.
        fraction: Option<f64>,
    },
    /// Running.
    Running {
        /// Share that is done, 0 to 1.
        fraction: f64,
        /// The worker's last report; `None` before the first.
        step: Option<Step>,
        /// Whether the visitor stopped it.
        is_stopping: bool,
    },
}

/// The step of a running measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The work that is being measured.
    pub workload: Workload,
    /// From 1; 0 during the first, unmeasured round.
    pub round: usize,
    /// Number of rounds.
    pub rounds: usize,
}

impl Measuring {
    /// Whether the measurement waits or runs.
    pub fn is_busy(&self) -> bool {
        *self != Measuring::Idle
    }

    /// How full the bar is, 0 to 1; `None` while that is unknown.
    pub fn fraction(&self) -> Option<f64> {
        match self {
            Measuring::Idle => None,
            Measuring::Waiting { fraction, .. } => *fraction,
            Measuring::Running { fraction, .. } => Some(*fraction),
        }
    }

    /// The step that is going on, in words.
    pub fn text(&self) -> String {
        match self {
            Measuring::Idle => String::new(),
            Measuring::Waiting { text, .. } => text.clone(),
            Measuring::Running {
                is_stopping: true, ..
            } => "Stopping".to_owned(),
            Measuring::Running { step: None, .. } => "Beginning".to_owned(),
            Measuring::Running {
                step: Some(Step { round: 0, .. }),
                ..
            } => "Warming up".to_owned(),
            Measuring::Running {
                step:
                    Some(Step {
                        workload,
                        round,
                        rounds,
                    }),
                ..
            } => {
                let workload = match workload {
                    Workload::Memory => "adding up the weights",
                    Workload::OneText => "writing one text",
                    Workload::FiveTexts => "writing five texts",
                };
                format!("Round {round} of {rounds}: {workload}")
            }
        }
    }
}

/// The job that measures.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MeasureRun {
    pub(super) job: JobId,
    pub(super) fraction: f64,
    pub(super) step: Option<Step>,
    pub(super) is_stopping: bool,
}

/// The measurement that is running, and the result of the last complete one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct MeasuringState {
    pub(super) run: Option<MeasureRun>,
    pub(super) result: Option<Box<Measured>>,
}
