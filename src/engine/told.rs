//! What the engine did, as the events that tell of it.

use crate::generate::{self, Output};
use crate::infer::LoadProgress;
use crate::protocol::{ErrorReport, Event, JobId, LoadStage, StopReason};

use super::EngineError;
use super::measurement::{Measurement, ROUNDS};

pub(super) fn reading(progress: LoadProgress) -> Event {
    Event::Progress {
        stage: LoadStage::Reading {
            loaded: progress.done,
            total: progress.total,
        },
    }
}

pub(super) fn measuring(job: JobId, measurement: &Measurement) -> Event {
    Event::Measuring {
        job,
        part: measurement.part(),
        round: measurement.round(),
        rounds: ROUNDS,
        fraction: measurement.fraction(),
    }
}

pub(super) fn failed(job: Option<JobId>, error: &EngineError) -> Event {
    Event::Error {
        job,
        error: ErrorReport::from(error),
    }
}

/// What a step of a generation brought, as events.
pub(super) fn told(job: JobId, outputs: Vec<Output>) -> Vec<Event> {
    outputs
        .into_iter()
        .map(|output| match output {
            Output::Token {
                sequence,
                token_id,
                text,
                prob,
            } => Event::Token {
                job,
                sequence,
                token_id,
                text,
                prob,
            },
            Output::Finished {
                sequence,
                generated_text,
                stop_reason,
                ..
            } => Event::Result {
                job,
                sequence,
                generated_text,
                stop_reason: match stop_reason {
                    generate::StopReason::EndOfText => StopReason::EndOfText,
                    generate::StopReason::Length => StopReason::Length,
                    generate::StopReason::Newline => StopReason::Newline,
                    generate::StopReason::Stopped => StopReason::Stopped,
                },
            },
        })
        .collect()
}
