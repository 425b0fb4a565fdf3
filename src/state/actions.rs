//! What a visitor does, and the requests that follow from it.

use super::figures;
use super::measuring::MeasureRun;
use super::model::{ModelChoice, ModelStatus};
use super::results::{Desk, Tweet};
use super::settings::{Field, FieldError};
use super::{
    CONTINUE_LEAST, CONTINUE_TOKENS, LONGEST_TOKEN, PageState, Problem, Remedy, Run, Task, Writing,
    first_prompt,
};
use crate::bot::Bot;
use crate::hub::{Dtype, ModelAddress};
use crate::protocol::{ErrorCode, ErrorReport, GenerationParams, Request};

impl PageState {
    /// Opens a bot of the gallery; a text that is being written for another one ends there.
    pub fn choose_bot(&mut self, index: usize) -> Vec<Request> {
        if index >= self.bots.len() || index == self.bot {
            return Vec::new();
        }
        let old_default = first_prompt(self.bot());
        let typed = self.desk().prompt.clone();
        self.bot = index;
        if typed != old_default {
            // What a visitor wrote goes with them.
            self.desks[index].prompt = typed;
        }
        self.was_stopped = false;
        if matches!(
            self.queued,
            Some(Task::Write(
                Writing::Regenerate { .. } | Writing::Continue { .. }
            ))
        ) {
            self.queued = None;
        }
        let is_loading = matches!(self.model, ModelStatus::Loading(_));
        let requests = if self.run.is_some() {
            self.stop()
        } else {
            Vec::new()
        };
        if !is_loading {
            self.follow_bot();
        }
        if self.wants_worker {
            // Nobody is left to stop anything.
            return Vec::new();
        }
        requests
    }

    /// Opens the bot of this name, as written in an address; `false` if the gallery has none.
    pub fn bot_index(&self, repo: &str) -> Option<usize> {
        self.bots
            .iter()
            .position(|bot| bot.repo.eq_ignore_ascii_case(repo))
    }

    /// Chooses a bot that the gallery lacks; it is fetched when the visitor asks it to write.
    pub(super) fn ask_for(&mut self, repo: &str) {
        let Ok(id) = repo.parse() else { return };
        let address = ModelAddress::Repository {
            repo: id,
            file: None,
        };
        self.choice = ModelChoice::at(&address, &self.endpoint, Dtype::Auto);
        self.notices.push(format!(
            "{repo} is not in this gallery. Press Generate to fetch it from {}.",
            figures::host_of(self.endpoint.as_str())
        ));
    }

    /// The bot's place in the gallery, which it joins if it is not there.
    pub(super) fn place_of(&mut self, bot: Bot) -> usize {
        if let Some(index) = self.bot_index(&bot.repo) {
            return index;
        }
        self.desks.push(Desk {
            prompt: first_prompt(&bot),
            ..Desk::default()
        });
        self.bots.push(bot);
        self.bots.len() - 1
    }

    /// Takes a bot into the gallery and opens it.
    pub(super) fn take_bot(&mut self, bot: Bot) {
        // What was said of its absence.
        let absent = format!("{} is not in", bot.repo);
        self.notices.retain(|notice| !notice.starts_with(&absent));
        let index = self.place_of(bot);
        if index != self.bot {
            // What waits to be written was asked for on the desk that is left.
            let prompt = self.desk().prompt.clone();
            if prompt != first_prompt(self.bot()) {
                self.desks[index].prompt = prompt;
            }
            self.bot = index;
        }
    }

    /// Takes what stands in the prompt box.
    pub fn edit_prompt(&mut self, text: &str) {
        text.clone_into(&mut self.desks[self.bot].prompt);
    }

    /// Takes what was typed into one setting.
    pub fn set(&mut self, field: Field, text: &str) {
        let defaults = self.defaults();
        self.settings.set(field, text, &defaults);
        self.forget_settings_problem();
    }

    /// Puts one setting back.
    pub fn reset(&mut self, field: Field) {
        self.settings.reset(field);
        self.forget_settings_problem();
    }

    /// Puts all settings back.
    pub fn reset_all(&mut self) {
        self.settings.reset_all();
        self.forget_settings_problem();
    }

    fn forget_settings_problem(&mut self) {
        if self
            .problem
            .as_ref()
            .is_some_and(|problem| problem.remedies.contains(&Remedy::ResetSettings))
        {
            self.problem = None;
        }
    }

    /// Adds a remark.
    pub fn remark(&mut self, sentence: String) {
        self.notices.push(sentence);
    }

    /// Takes away the remarks.
    pub fn dismiss_notices(&mut self) {
        self.notices.clear();
    }

    /// Takes the error away, where the page can go on without an answer to it.
    pub fn dismiss_problem(&mut self) {
        self.problem = None;
        if matches!(self.model, ModelStatus::Failed(_)) {
            self.model = ModelStatus::Absent;
        }
    }

    /// Writes tweets for the prompt; loads the model first if need be, and ends what is being written.
    ///
    /// `fresh_seed`: used unless the visitor pinned one.
    pub fn generate(&mut self, fresh_seed: u32) -> Vec<Request> {
        let seed = self
            .settings_params()
            .ok()
            .and_then(|params| params.seed)
            .unwrap_or(fresh_seed);
        self.begin(Writing::Generate { seed })
    }

    /// Writes one tweet anew, with a seed of its own.
    pub fn regenerate(&mut self, slot: usize, fresh_seed: u32) -> Vec<Request> {
        if slot >= self.desk().results.len() {
            return Vec::new();
        }
        self.begin(Writing::Regenerate {
            slot,
            seed: fresh_seed,
        })
    }

    /// Writes on where a tweet ended.
    pub fn continue_tweet(&mut self, slot: usize, fresh_seed: u32) -> Vec<Request> {
        if !self.can_continue(slot) {
            return Vec::new();
        }
        self.begin(Writing::Continue {
            slot,
            seed: fresh_seed,
        })
    }

    /// Measures how fast this device runs the model; loads it first if need be, and waits for a text's end.
    pub fn measure(&mut self) -> Vec<Request> {
        if self.measure_run.is_some() {
            return Vec::new();
        }
        // A text that waits was asked for first.
        if matches!(self.queued, Some(Task::Write(_))) {
            return Vec::new();
        }
        self.problem = None;
        if self.run.is_some() {
            self.queued = Some(Task::Measure);
            return Vec::new();
        }
        self.start_or_load(Task::Measure)
    }

    /// Ends the measurement, or no longer waits for it; what was found before stays.
    pub fn stop_measuring(&mut self) -> Vec<Request> {
        if self.queued == Some(Task::Measure) {
            self.queued = None;
        }
        match &mut self.measure_run {
            Some(run) if !run.is_stopping => {
                run.is_stopping = true;
                vec![Request::Stop { job: run.job }]
            }
            _ => Vec::new(),
        }
    }

    /// Pins the seed of a tweet: the next run's first tweet draws with it.
    pub fn pin_seed(&mut self, slot: usize) {
        if let Some(tweet) = self.desk().results.get(slot) {
            let text = tweet.seed.to_string();
            self.set(Field::Seed, &text);
        }
    }

    /// Ends what is going on: a text after its current token, a measurement, or a load.
    pub fn stop(&mut self) -> Vec<Request> {
        self.queued = None;
        if let Some(run) = &self.measure_run
            && !run.is_stopping
        {
            return self.stop_measuring();
        }
        if let Some(run) = &mut self.run {
            if run.is_stopping {
                return Vec::new();
            }
            run.is_stopping = true;
            return vec![Request::Stop { job: run.job }];
        }
        match &self.model {
            ModelStatus::Loading(loading) if loading.is_sent => vec![Request::Stop { job: 0 }],
            ModelStatus::Loading(_) | ModelStatus::Paused(_) => {
                self.model = ModelStatus::Absent;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Stops a download for a while: what has arrived stays, and so does what the model was loaded for.
    pub fn pause(&mut self) -> Vec<Request> {
        if !self.can_pause() {
            return Vec::new();
        }
        if let ModelStatus::Loading(loading) = &mut self.model {
            loading.is_pausing = true;
        }
        vec![Request::Stop { job: 0 }]
    }

    /// Goes on with a paused download.
    pub fn resume(&mut self) -> Vec<Request> {
        match &mut self.model {
            ModelStatus::Paused(paused) => {
                self.queued = paused.queued.take();
                self.load()
            }
            _ => Vec::new(),
        }
    }

    fn begin(&mut self, writing: Writing) -> Vec<Request> {
        self.problem = None;
        self.was_stopped = false;
        if let Err(error) = self.settings_params() {
            self.refuse_settings(&error);
            return Vec::new();
        }
        if self.run.is_some() || self.measure_run.is_some() {
            let requests = self.stop();
            self.queued = Some(Task::Write(writing));
            return requests;
        }
        self.start_or_load(Task::Write(writing))
    }

    /// Starts where the model is there and no job runs.
    fn start_or_load(&mut self, task: Task) -> Vec<Request> {
        match self.model {
            ModelStatus::Ready(_) => self.start(task),
            ModelStatus::Loading(_) => {
                self.queued = Some(task);
                Vec::new()
            }
            ModelStatus::Absent | ModelStatus::Paused(_) | ModelStatus::Failed(_) => {
                self.queued = Some(task);
                self.load()
            }
        }
    }

    fn settings_params(&self) -> Result<GenerationParams, FieldError> {
        self.settings.params(&self.defaults(), self.n_ctx())
    }

    fn refuse_settings(&mut self, error: &FieldError) {
        self.problem = Some(Problem {
            report: ErrorReport {
                code: ErrorCode::BadParameters,
                message: format!("one setting cannot be used: {error}"),
                hint: "mend it in the settings, or put all settings back".to_owned(),
                retryable: false,
            },
            remedies: vec![Remedy::ResetSettings],
        });
    }

    fn refuse_prompt(&mut self, n_bytes: usize, n_ctx: usize) {
        self.problem = Some(Problem {
            report: ErrorReport {
                code: ErrorCode::ContextOverflow,
                message: format!(
                    "a prompt of {} cannot fit: this model holds {n_ctx} tokens in all",
                    figures::bytes(n_bytes as u64)
                ),
                hint: "shorten the prompt; a few words are enough".to_owned(),
                retryable: false,
            },
            remedies: Vec::new(),
        });
    }

    /// Sends a job to the worker; the model is there and no other job runs.
    pub(super) fn start(&mut self, task: Task) -> Vec<Request> {
        match task {
            Task::Write(writing) => self.start_writing(writing),
            Task::Measure => {
                self.last_job += 1;
                let job = self.last_job;
                self.measure_run = Some(MeasureRun {
                    job,
                    fraction: 0.0,
                    part: None,
                    is_stopping: false,
                });
                vec![Request::Measure { job }]
            }
        }
    }

    fn start_writing(&mut self, writing: Writing) -> Vec<Request> {
        let params = match self.settings_params() {
            Ok(params) => params,
            Err(error) => {
                self.refuse_settings(&error);
                return Vec::new();
            }
        };
        let room = match writing {
            Writing::Continue { slot, .. } => self.room(slot).zip(self.n_ctx()),
            _ => None,
        };
        let is_whole = matches!(writing, Writing::Generate { .. });
        let n_bytes = self.desk().prompt.len();
        if let Some(n_ctx) = self
            .n_ctx()
            .filter(|n_ctx| is_whole && n_bytes > n_ctx * LONGEST_TOKEN)
        {
            self.refuse_prompt(n_bytes, n_ctx);
            return Vec::new();
        }
        let desk = &mut self.desks[self.bot];
        let (first_slot, prompt, params) = match writing {
            Writing::Generate { seed } => {
                // A space at the end would be a token of its own, after which no word can start as usual.
                let prompt = desk.prompt.trim_end().to_owned();
                desk.figures = None;
                desk.results = (0..params.num_return_sequences)
                    .map(|i| {
                        Tweet::waiting(
                            &prompt,
                            seed.wrapping_add(i as u32),
                            params.return_full_text,
                        )
                    })
                    .collect();
                (
                    0,
                    prompt,
                    GenerationParams {
                        seed: Some(seed),
                        ..params
                    },
                )
            }
            Writing::Regenerate { slot, seed } => {
                let Some(tweet) = desk.results.get_mut(slot) else {
                    return Vec::new();
                };
                *tweet = Tweet::waiting(&tweet.prompt, seed, params.return_full_text);
                let prompt = tweet.prompt.clone();
                (
                    slot,
                    prompt,
                    GenerationParams {
                        seed: Some(seed),
                        num_return_sequences: 1,
                        ..params
                    },
                )
            }
            Writing::Continue { slot, seed } => {
                let (Some(tweet), Some((room, n_ctx))) = (desk.results.get_mut(slot), room) else {
                    return Vec::new();
                };
                let prompt = tweet.full_text();
                let kept = tweet.continuation();
                let shown = tweet.prompt.clone();
                *tweet = Tweet {
                    kept,
                    ..Tweet::waiting(&shown, seed, params.return_full_text)
                };
                let wanted = params.max_new_tokens.unwrap_or(CONTINUE_TOKENS).min(room);
                // Where a text ended by itself, its end is the likeliest next token; who asks for more wants words.
                let least = (n_ctx - room) + wanted.min(CONTINUE_LEAST);
                let params = GenerationParams {
                    seed: Some(seed),
                    num_return_sequences: 1,
                    max_new_tokens: Some(wanted),
                    min_length: params.min_length.max(least),
                    ..params
                };
                (slot, prompt, params)
            }
        };
        self.last_job += 1;
        let job = self.last_job;
        self.run = Some(Run {
            job,
            bot: self.bot,
            first_slot,
            prompt: prompt.clone(),
            is_whole,
            is_stopping: false,
        });
        vec![Request::Generate {
            job,
            prompt,
            params,
        }]
    }
}
