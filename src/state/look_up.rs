//! `LookUp`: the costs of a model, asked for before its weights are fetched.

use super::loading::stage_text;
use crate::hub::{ModelRef, Offer};
use crate::protocol::{ErrorReport, JobId, LoadStage};

/// A question for a model's costs, and the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct LookUp {
    /// The model, in the type that is wanted.
    pub model: ModelRef,
    /// The answer, or the last one while another type is being asked for.
    pub answer: Option<Result<Offer, ErrorReport>>,
    /// Whether the answer to this very question is still to come.
    pub is_asking: bool,
    pub(super) job: JobId,
    pub(super) is_sent: bool,
    pub(super) device_memory_bytes: Option<u64>,
    pub(super) stage: Option<LoadStage>,
}

impl LookUp {
    /// What keeps the answer waiting, in words, such as a lost connection.
    pub fn progress_text(&self) -> Option<String> {
        let stage = self.stage.as_ref().filter(|_| self.is_asking)?;
        (*stage != LoadStage::LookingUp).then(|| stage_text(stage))
    }

    /// The worker that was asked is being replaced: the next worker is asked again.
    pub(super) fn wait_for_worker(&mut self) {
        self.is_sent = false;
    }
}
