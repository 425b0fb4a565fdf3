//! `LookUp`: the request for a model's costs, before its weights are fetched, and the answer.

use super::loading::stage_text;
use crate::hub::{ModelRef, Offer};
use crate::protocol::{ErrorReport, JobId, LoadStage};

/// A request for a model's costs, and the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct LookUp {
    /// The model, in the type that the visitor selected.
    pub model: ModelRef,
    /// The answer, or the answer for an earlier type while the answer for this type is still to come.
    pub answer: Option<Result<Offer, ErrorReport>>,
    /// Whether the answer for `model` is still to come.
    pub is_asking: bool,
    pub(super) job: JobId,
    pub(super) is_sent: bool,
    pub(super) device_memory_bytes: Option<u64>,
    pub(super) stage: Option<LoadStage>,
}

impl LookUp {
    /// The cause of a delay of the answer, in words, such as a lost connection.
    pub fn progress_text(&self) -> Option<String> {
        let stage = self.stage.as_ref().filter(|_| self.is_asking)?;
        (*stage != LoadStage::LookingUp).then(|| stage_text(stage))
    }

    /// Notes that the worker is being replaced: the next worker gets the request again.
    pub(super) fn wait_for_worker(&mut self) {
        self.is_sent = false;
    }
}
