//! `PageState`: the state of every feature of the page, side by side.

use super::address::Address;
use super::gallery::{Gallery, Place};
use super::look_up::LookUp;
use super::measuring::MeasuringState;
use super::model::{ModelState, ModelStatus};
use super::model_choice::ModelChoice;
use super::notice::Notice;
use super::problem::Problem;
use super::settings::{self, Settings};
use super::stored_models::StoredModels;
use super::task::Task;
use super::wording;
use super::worker::WorkerState;
use super::writing::WritingState;
use crate::bot::Bot;
use crate::generate::parameter::Parameter;
use crate::hub::{Dtype, ModelAddress, ModelRef};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct PageState {
    /// What the page opened with.
    pub(super) home: Home,
    pub(super) worker: WorkerState,
    pub(super) gallery: Gallery,
    pub(super) model: ModelState,
    pub(super) stored: StoredModels,
    pub(super) look_up: Option<LookUp>,
    pub(super) settings: Settings,
    pub(super) writing: WritingState,
    pub(super) measuring: MeasuringState,
    /// The task that starts as soon as the model is open and no job runs.
    pub(super) waiting: Option<Task>,
    pub(super) problem: Option<Problem>,
    pub(super) notices: Vec<Notice>,
}

/// What the page opened with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Home {
    /// The bot, by its index in the gallery.
    pub(super) bot: usize,
    /// The model without a card that was open instead.
    pub(super) choice: Option<ModelChoice>,
}

impl PageState {
    /// The page as it opens, while its worker is being started.
    ///
    /// `bots`: the gallery, at least one bot; `bundled`: the model that comes with the page; `address`: the page's
    /// address; `model`: the address's model, with an absolute address.
    ///
    /// # Panics
    /// If there is no bot.
    pub fn new(
        bots: Vec<Bot>,
        bundled: ModelChoice,
        address: &Address,
        model: Option<ModelChoice>,
    ) -> PageState {
        let is_model_named = model.is_some();
        let mut state = PageState {
            home: Home::default(),
            worker: WorkerState::starting(),
            gallery: Gallery::new(bots),
            model: ModelState {
                choice: model.unwrap_or_else(|| bundled.clone()),
                bundled,
                of_site: None,
                adapting: None,
                endpoint: address.endpoint.clone(),
                status: ModelStatus::Absent,
                earlier: None,
                failed: None,
            },
            stored: StoredModels::default(),
            look_up: None,
            settings: Settings::default(),
            writing: WritingState::default(),
            measuring: MeasuringState::default(),
            waiting: None,
            problem: None,
            notices: address.notices.clone(),
        };
        if let Some(repo) = &address.bot {
            match state.gallery.index_of(repo.as_str()) {
                Some(index) => state.gallery.open(index),
                // The model in the address is the one that opens.
                None if is_model_named => {}
                // The page looks for it in storage, and no host has it.
                None if Bot::folder_here(repo.as_str()).is_some() => {}
                None => {
                    let address = ModelAddress::Repository {
                        repo: repo.clone(),
                        file: None,
                    };
                    let endpoint = state.model.endpoint.clone();
                    state.notices.push(Notice::NotInGallery {
                        repo: repo.as_str().to_owned(),
                        host: wording::host_of(endpoint.as_str()).to_owned(),
                    });
                    // The bot's model is fetched when the visitor presses Generate.
                    state.model.choice =
                        ModelChoice::new(ModelRef::new(address, endpoint, Dtype::Auto));
                }
            }
        }
        state.gallery.open_place_of(&state.model.choice);
        let is_guest = matches!(state.gallery.open_place(), Place::Guest(_));
        let choice = Some(&state.model.choice).filter(|_| is_guest);
        state.home = Home {
            bot: state.gallery.last_bot(),
            choice: choice.cloned(),
        };
        if let Some(text) = &address.text {
            text.clone_into(&mut state.gallery.texts_mut().prompt);
        }
        if let Some(name) = address.file.as_deref().map(crate::shown::name) {
            state.notices.push(Notice::FileElsewhere { name });
        }
        let has_seed = |(parameter, _): &(Parameter, String)| *parameter == Parameter::Seed;
        if address.text.is_some() && address.settings.iter().any(has_seed) {
            state.notices.push(Notice::Again);
        }
        let defaults = settings::default_params(None);
        for (parameter, text) in &address.settings {
            state.settings.set(*parameter, text, &defaults);
        }
        state
    }
}
