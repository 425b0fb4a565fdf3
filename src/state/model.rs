//! `ModelState`: the chosen model, and whether it is absent, loading or open.

use super::gallery::Place;
use super::loading::{Loading, Paused};
use super::model_choice::ModelChoice;
use crate::hub::Endpoint;
use crate::protocol::{ErrorReport, JobId, ModelInfo};

/// The state of the chosen model, from its choice until it is open.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelStatus {
    /// No load was requested yet.
    Absent,
    /// Being loaded.
    Loading(Loading),
    /// The visitor paused its download.
    Paused(Paused),
    /// Open.
    Ready(Box<ModelInfo>),
    /// Its load failed.
    Failed(ErrorReport),
}

/// The chosen model, and where models come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ModelState {
    /// The model that comes with the page.
    pub(super) bundled: ModelChoice,
    /// The model of the bot that this copy of the site was made for.
    pub(super) of_site: Option<ModelChoice>,
    /// The last job that gave adapters to the engine.
    pub(super) adapting: Option<JobId>,
    /// The endpoint that repositories are read from.
    pub(super) endpoint: Endpoint,
    pub(super) choice: ModelChoice,
    pub(super) status: ModelStatus,
    /// What was chosen before the load that is going on or paused.
    pub(super) earlier: Option<Earlier>,
    /// The model whose load failed last.
    pub(super) failed: Option<ModelChoice>,
}

/// A model that stays chosen, and open if it was, until another has opened.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Earlier {
    pub(super) choice: ModelChoice,
    /// The place that was open.
    pub(super) place: Place,
    /// `None` if it was not open.
    pub(super) info: Option<Box<ModelInfo>>,
    /// Whether the worker still has it: it is closed as soon as the weights of another are read.
    pub(super) is_open: bool,
}

impl ModelState {
    /// The load with this job number, if it is going on.
    pub(super) fn loading(&mut self, job: JobId) -> Option<&mut Loading> {
        match &mut self.status {
            ModelStatus::Loading(loading) if loading.job == job => Some(loading),
            _ => None,
        }
    }
}
