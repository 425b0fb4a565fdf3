//! Which model is open: by the visitor's wish, by the open bot, by what is kept on this device; and whose worker it is.

use super::model::{Loading, ModelChoice, ModelStatus};
use super::results::TweetStatus;
use super::{PageState, WorkerStatus};
use crate::bot::Bot;
use crate::hub::{Endpoint, HUB};
use crate::protocol::{Request, StopReason};

/// Memory of a worker that is worth a new one once its model is closed.
const LARGE_WORKER_BYTES: u64 = 64 << 20;

impl PageState {
    /// Opens another model; a text that is being written ends.
    pub fn open_model(&mut self, choice: ModelChoice) -> Vec<Request> {
        let is_loading = matches!(self.model, ModelStatus::Loading(_));
        let mut requests = self.stop();
        if is_loading {
            // A load takes an earlier one's place by itself; the answer to a stop would be taken for the new one's.
            requests.clear();
        }
        self.choice = choice;
        let load = self.load();
        if self.wants_worker {
            // Nobody is left to stop anything.
            requests.clear();
        }
        requests.extend(load);
        requests
    }

    /// Loads the chosen model again, or for the first time.
    pub fn load(&mut self) -> Vec<Request> {
        self.problem = None;
        self.leave_large_worker();
        if self.worker == WorkerStatus::Ended {
            // The page answers with a new worker, whose start sends the request.
            self.worker = WorkerStatus::Starting;
        }
        let is_sent = self.worker == WorkerStatus::Running;
        self.model = ModelStatus::Loading(Loading::new(is_sent));
        if is_sent {
            vec![Request::Load {
                source: self.choice.source(),
            }]
        } else {
            Vec::new()
        }
    }

    /// Whether the chosen model is the open bot's own.
    pub fn is_own(&self) -> bool {
        let repo = self.choice.repo();
        repo.is_some_and(|repo| repo.eq_ignore_ascii_case(&self.bot().repo))
    }

    /// Whether the model is kept whole on this device.
    pub fn is_kept(&self, choice: &ModelChoice) -> bool {
        self.kept.contains(choice)
    }

    /// Where repositories are read.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Takes what is kept on this device, each with its card: its bots join the gallery, and the open one speaks
    /// with its own weights if nothing else was asked for yet.
    pub fn know_kept(&mut self, kept: Vec<(ModelChoice, Option<String>)>) {
        for (choice, card) in &kept {
            let bot = choice
                .repo()
                .zip(card.as_ref())
                .and_then(|(repo, card)| Bot::from_readme(repo, card));
            if let Some(bot) = bot {
                self.place_of(bot);
            }
        }
        let was_kept = self.kept.contains(&self.choice);
        self.kept = kept.into_iter().map(|(choice, _)| choice).collect();
        let is_gone = was_kept && !self.kept.contains(&self.choice);
        if self.model == ModelStatus::Absent && (self.is_bundled() || is_gone) {
            self.follow_bot();
        }
    }

    /// Chooses the open bot's own weights if they are kept here, else no other bot's.
    pub(super) fn follow_bot(&mut self) {
        let repo = self.bot().repo.as_str();
        let is_own = |choice: &&ModelChoice| {
            let own = choice.repo();
            own.is_some_and(|own| own.eq_ignore_ascii_case(repo))
                // What another endpoint gave under this name need not be this bot.
                && choice.endpoint.as_deref().unwrap_or(HUB) == self.endpoint.as_str()
        };
        let choice = match self.kept.iter().find(is_own) {
            Some(own) => own.clone(),
            // A model that is no bot's stays whoever is on show.
            None if self
                .choice
                .repo()
                .is_some_and(|repo| self.bot_index(repo).is_some()) =>
            {
                self.bundled.clone()
            }
            None => return,
        };
        if choice != self.choice {
            self.choice = choice;
            self.model = ModelStatus::Absent;
            self.leave_large_worker();
        }
    }

    /// Goes back to the model that comes with the page.
    pub fn use_bundled(&mut self) -> Vec<Request> {
        let bundled = self.bundled.clone();
        self.open_model(bundled)
    }

    /// Whether the chosen model is the one that comes with the page.
    pub fn is_bundled(&self) -> bool {
        self.choice == self.bundled
    }

    /// The page has started a new worker in place of one that ended.
    pub fn worker_restarted(&mut self) {
        self.worker = WorkerStatus::Starting;
        self.worker_bytes = 0;
        self.problem = None;
        if !matches!(self.model, ModelStatus::Loading(_)) {
            self.model = ModelStatus::Absent;
        }
    }

    /// Whether the worker has ended and a new one must be started before anything else.
    pub fn has_worker_ended(&self) -> bool {
        self.worker == WorkerStatus::Ended
    }

    /// Whether a new worker is to take the place of the one that runs, asked once.
    pub fn take_wish_for_worker(&mut self) -> bool {
        std::mem::take(&mut self.wants_worker)
    }

    /// Ends a worker whose model was large: its memory never shrinks, and goes back with it alone.
    fn leave_large_worker(&mut self) {
        if self.worker != WorkerStatus::Running || self.worker_bytes < LARGE_WORKER_BYTES {
            return;
        }
        self.end_run(TweetStatus::Done(StopReason::Stopped));
        self.measure_run = None;
        self.worker = WorkerStatus::Starting;
        self.worker_bytes = 0;
        self.wants_worker = true;
    }
}
