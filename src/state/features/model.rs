//! Changes of the model: choosing, loading, pausing and stopping it, and the progress and end of its load.

use super::super::loading::{Loading, Paused};
use super::super::model::{Earlier, ModelStatus};
use super::super::model_choice::{BotShare, ModelChoice, whole_repository};
use super::super::notice::Notice;
use super::super::problem::{Problem, Remedy, lead_to_maker, remedy_here};
use super::super::speaker::Speaker;
use super::super::{Command, PageState};
use crate::bot::Bot;
use crate::hub::{Endpoint, ModelRef};
use crate::protocol::{AdapterShare, ErrorCode, ErrorReport, JobId, LoadStage, ModelInfo, Request};

impl PageState {
    /// The chosen model.
    pub fn choice(&self) -> &ModelChoice {
        &self.model.choice
    }

    /// The state of the chosen model, from its choice until it is open.
    pub fn model_status(&self) -> &ModelStatus {
        &self.model.status
    }

    /// The open model, if there is one.
    pub fn model_info(&self) -> Option<&ModelInfo> {
        match &self.model.status {
            ModelStatus::Ready(info) => Some(info),
            _ => None,
        }
    }

    /// What there is to know about the files of the open model.
    pub fn model_notices(&self) -> &[crate::protocol::Notice] {
        self.model_info().map_or(&[], |info| &info.notices)
    }

    /// Context length of the open model.
    pub fn n_ctx(&self) -> Option<usize> {
        self.model_info().map(|info| info.config.n_ctx)
    }

    /// The load that is going on, if there is one.
    pub fn loading(&self) -> Option<&Loading> {
        match &self.model.status {
            ModelStatus::Loading(loading) => Some(loading),
            _ => None,
        }
    }

    /// The download that waits for the visitor, if there is one.
    pub fn paused(&self) -> Option<&Paused> {
        match &self.model.status {
            ModelStatus::Paused(paused) => Some(paused),
            _ => None,
        }
    }

    /// Whether there is a download that can be paused.
    pub fn can_pause(&self) -> bool {
        let is_downloading = |loading: &Loading| loading.downloaded().is_some();
        let is_open = self
            .loading()
            .is_some_and(|loading| is_downloading(loading) && !loading.is_pausing);
        is_open && self.choice().model.is_storable()
    }

    /// The endpoint that repositories are read from.
    pub fn endpoint(&self) -> &Endpoint {
        &self.model.endpoint
    }

    /// Whether the chosen model is the open bot's own.
    pub fn is_own(&self) -> bool {
        let repo = self.choice().bot_repo();
        repo.is_some_and(|repo| repo.eq_ignore_ascii_case(&self.bot().repo))
    }

    /// Whether the chosen model is the one that comes with the page.
    pub fn is_bundled(&self) -> bool {
        self.model.choice.is_bundled()
    }

    /// Opens another model; a text that is being written ends.
    pub fn open_model(&mut self, choice: ModelChoice) -> Vec<Command> {
        let is_loading = matches!(self.model.status, ModelStatus::Loading(_));
        let stop = self.stop_for_another();
        let is_between = is_loading || matches!(self.model.status, ModelStatus::Paused(_));
        if !is_between || self.model.earlier.is_none() {
            let info = match &self.model.status {
                ModelStatus::Ready(info) => Some(info.clone()),
                _ => None,
            };
            self.model.earlier = Some(Earlier {
                choice: self.model.choice.clone(),
                place: self.gallery.open_place(),
                is_open: info.is_some(),
                info,
            });
        }
        self.model.choice = choice;
        self.open_place_of_choice();
        let load = self.load();
        self.forget_missing_bots();
        // A new load ends an earlier load without a message, and a worker that is replaced needs no message.
        let has_new_worker = load.contains(&Command::RestartWorker);
        let mut commands = if is_loading || has_new_worker {
            Vec::new()
        } else {
            stop
        };
        commands.extend(load);
        commands
    }

    /// Opens a bot that was made here, with its model.
    pub fn open_made_bot(&mut self, bot: Bot, choice: ModelChoice) -> Vec<Command> {
        self.notices
            .retain(|notice| !matches!(notice, Notice::NotHere | Notice::NoBase));
        self.gallery.add(bot);
        self.open_model(choice)
    }

    /// Whether the adapters' shares can change: the engine does one job at a time.
    pub fn can_mix(&self) -> bool {
        !self.is_generating() && self.measuring.run.is_none()
    }

    /// Mixes the open bot's adapters by other shares, which count from the next text on.
    pub fn mix(&mut self, shares: Vec<BotShare>) -> Vec<Command> {
        if !self.can_mix() {
            return Vec::new();
        }
        self.model.choice.shares = shares;
        match self.model.status {
            ModelStatus::Ready(_) => vec![self.adapt()],
            // Sent once the model is open.
            _ => Vec::new(),
        }
    }

    fn adapt(&mut self) -> Command {
        let job = self.worker.next_job();
        self.model.adapting = Some(job);
        let shares = self.model.choice.shares.iter();
        let adapters = shares.map(|share| AdapterShare {
            name: share.folder.clone(),
            share: f32::from(share.percent) / 100.0,
        });
        Command::SendFiles(Request::Adapt {
            job,
            adapters: adapters.collect(),
        })
    }

    /// Whether the job gives the adapters to the engine.
    pub(super) fn is_adapting(&self, job: JobId) -> bool {
        self.model.adapting == Some(job)
    }

    /// Says what of the address's bot is not on this device.
    pub fn miss_made_bot(&mut self, missing: Notice) {
        if !self.notices.contains(&missing) {
            self.notices.push(missing);
        }
    }

    /// Says which model is that of the bot that this copy of the site was made for.
    pub fn set_site_model(&mut self, choice: ModelChoice) {
        self.model.of_site = Some(choice);
        if self.is_bundled() {
            // No worker has started yet, so none is replaced.
            let _ = self.follow_place();
        }
    }

    /// Opens the model of that bot.
    pub fn use_site_model(&mut self) -> Vec<Command> {
        match self.model.of_site.clone() {
            Some(choice) => self.open_model(choice),
            None => Vec::new(),
        }
    }

    /// Opens the model that comes with the page.
    pub fn use_bundled(&mut self) -> Vec<Command> {
        let bundled = self.model.bundled.clone();
        self.open_model(bundled)
    }

    /// Loads the model whose load failed again.
    pub fn retry_load(&mut self) -> Vec<Command> {
        match self.model.failed.take() {
            Some(choice) => self.open_model(choice),
            None => self.load(),
        }
    }

    /// Loads the chosen model, for the first time or again.
    pub fn load(&mut self) -> Vec<Command> {
        self.problem = None;
        let mut commands = Vec::new();
        commands.extend(self.replace_large_worker());
        commands.extend(self.replace_ended_worker());
        if !commands.is_empty()
            && let Some(earlier) = &mut self.model.earlier
        {
            earlier.is_open = false;
        }
        let job = self.worker.next_job();
        self.model.status = ModelStatus::Loading(Loading::new(job));
        if self.worker.is_running() {
            commands.extend(self.send_load());
        }
        commands
    }

    /// Sends the load that waits for the worker, if there is one.
    pub(super) fn send_load(&mut self) -> Vec<Command> {
        let ModelStatus::Loading(loading) = &mut self.model.status else {
            return Vec::new();
        };
        if loading.is_sent {
            return Vec::new();
        }
        loading.is_sent = true;
        let model: ModelRef = self.model.choice.model.clone();
        let keep = model.is_storable();
        let is_picked = self.model.choice.is_picked();
        let request = Request::Load {
            job: loading.job,
            model,
            keep,
        };
        if is_picked {
            return vec![Command::SendFiles(request)];
        }
        let mut commands = Vec::new();
        if keep {
            commands.push(Command::Persist);
        }
        commands.push(Command::Send(request));
        commands
    }

    /// Ends a load that is going on, or gives up one that is paused.
    pub(super) fn stop_load(&mut self) -> Vec<Command> {
        match &self.model.status {
            ModelStatus::Loading(loading) if loading.is_sent => {
                vec![Command::Send(Request::Stop { job: loading.job })]
            }
            ModelStatus::Loading(_) | ModelStatus::Paused(_) => {
                self.model.status = ModelStatus::Absent;
                self.reopen_earlier().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Goes back to what was chosen before a load that has ended without a model; `None` if no model was open, or if it
    /// would have to be downloaded again.
    fn reopen_earlier(&mut self) -> Option<Vec<Command>> {
        let earlier = self.model.earlier.take()?;
        let is_here = self.is_stored(&earlier.choice.model) || !earlier.choice.model.is_storable();
        self.model.choice = earlier.choice;
        match self.is_bundled() {
            // It speaks for any bot.
            true => self.gallery.reopen(earlier.place),
            false => self.open_place_of_choice(),
        }
        let info = earlier.info?;
        if earlier.is_open {
            self.model.status = ModelStatus::Ready(info);
            return Some(Vec::new());
        }
        is_here.then(|| self.load())
    }

    /// Pauses a download: the bytes so far stay, and so does the task that the model was loaded for.
    pub fn pause(&mut self) -> Vec<Command> {
        if !self.can_pause() {
            return Vec::new();
        }
        if let ModelStatus::Loading(loading) = &mut self.model.status {
            loading.is_pausing = true;
        }
        self.stop_load()
    }

    /// Continues a paused download.
    pub fn resume(&mut self) -> Vec<Command> {
        match &mut self.model.status {
            ModelStatus::Paused(paused) => {
                self.waiting = paused.task.take();
                self.load()
            }
            _ => Vec::new(),
        }
    }

    /// Chooses the model of the open place: a model without a card is its own; a bot's is its own if it is stored on this
    /// device, else the bundled one, because the words of another bot or model are not this one's.
    pub(super) fn follow_place(&mut self) -> Option<Command> {
        let choice = match self.speaker() {
            Speaker::Model(model) => model,
            Speaker::Bot(bot) => {
                let is_own = |model: &&ModelRef| {
                    whole_repository(model).is_some_and(|own| own.eq_ignore_ascii_case(&bot.repo))
                        // Another endpoint's model of this name need not be this bot.
                        && model.endpoint == self.model.endpoint
                };
                let of_site = self.model.of_site.clone();
                let of_site = of_site.filter(|choice| choice.bot_repo() == Some(&bot.repo));
                match self.stored.models().find(is_own) {
                    Some(own) => ModelChoice::new(own.clone()),
                    None => of_site.unwrap_or_else(|| self.model.bundled.clone()),
                }
            }
        };
        if choice.model == self.model.choice.model {
            return None;
        }
        self.model.choice = choice;
        self.model.status = ModelStatus::Absent;
        self.replace_large_worker()
    }

    pub(super) fn is_load(&self, job: JobId) -> bool {
        self.loading().is_some_and(|loading| loading.job == job)
    }

    pub(super) fn on_progress(&mut self, job: JobId, stage: LoadStage, now_ms: f64) {
        let is_reading = matches!(stage, LoadStage::Reading { .. });
        let Some(loading) = self.model.loading(job) else {
            return;
        };
        loading.advance(stage, now_ms);
        if let Some(earlier) = self.model.earlier.as_mut().filter(|_| is_reading) {
            earlier.is_open = false;
        }
    }

    pub(super) fn on_ready(&mut self, job: JobId, mut info: ModelInfo) -> Vec<Command> {
        if !self.is_load(job) {
            return Vec::new();
        }
        if self.model.choice.bot.is_some() {
            // That of the file, not of the folder by which the bot is found.
            info.name.clone_from(&self.model.choice.name);
        }
        if info.retention.outlasts_visit() {
            self.stored.add(self.model.choice.model.clone());
        }
        self.worker.opened_model(info.memory_bytes);
        self.model.status = ModelStatus::Ready(Box::new(info));
        self.model.earlier = None;
        self.model.failed = None;
        self.forget_missing_bots();
        let mut commands = Vec::new();
        let is_mixed = !self.model.choice.shares.is_empty();
        if is_mixed {
            commands.push(self.adapt());
        }
        if !self.is_for_open_place() {
            // Another bot was chosen during the load: these are not its words.
            commands.extend(self.follow_place());
        }
        if !is_mixed {
            commands.extend(self.start_waiting());
        }
        commands
    }

    /// Begins what waited for the adapters: without them the base model would write under the bots' names.
    pub(super) fn on_adapted(&mut self, job: JobId) -> Vec<Command> {
        match self.is_adapting(job) && self.can_mix() {
            true => self.start_waiting(),
            false => Vec::new(),
        }
    }

    /// Takes the end of a load that was stopped, by the visitor or for a pause.
    pub(super) fn on_load_stopped(&mut self) -> Vec<Command> {
        let task = self.waiting.take();
        let ModelStatus::Loading(loading) = &self.model.status else {
            return Vec::new();
        };
        self.model.status = match loading.downloaded().filter(|_| loading.is_pausing) {
            Some((loaded, total)) => ModelStatus::Paused(Paused {
                loaded,
                total,
                task,
            }),
            None => ModelStatus::Absent,
        };
        match self.model.status {
            ModelStatus::Absent => self.reopen_earlier().unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    pub(super) fn on_load_failed(&mut self, mut report: ErrorReport) -> Vec<Command> {
        if report.code == ErrorCode::OutOfMemory {
            // The worker has taken all the memory it can, and keeps it: the next load gets a new worker.
            self.worker.opened_model(u64::MAX);
            if let Some(earlier) = &mut self.model.earlier {
                earlier.is_open = false;
            }
        }
        self.model.status = ModelStatus::Failed(report.clone());
        self.waiting = None;
        let failed = self.model.choice.clone();
        remedy_here(&mut report, &failed);
        let mut remedies = Vec::new();
        if lead_to_maker(&mut report, &failed) {
            remedies.push(Remedy::OpenMaker);
        }
        if report.retryable || self.is_bundled() {
            remedies.push(Remedy::RetryLoad);
        }
        let reopened = self.reopen_earlier();
        let has_another = reopened.is_some() && self.is_bundled();
        if !failed.is_bundled() && !has_another {
            remedies.push(Remedy::UseBundled);
        }
        let stays = reopened.as_ref().map(|_| self.model.choice.name.clone());
        self.model.failed = Some(failed);
        self.problem = Some(Problem {
            report,
            remedies,
            stays,
        });
        reopened.unwrap_or_default()
    }
}
