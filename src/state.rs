//! `PageState`: what the page shows; `update(event)` and the visitor's actions are its only changes.
//!
//! Every action and every event gives back the [`Request`]s that follow from it.
//! One job runs at a time. What cannot start yet (no model, another job) waits in one place, the last wish wins,
//! and starts as soon as it can. Time and seeds are handed in.

pub mod address;
pub mod direction;
pub mod figures;
pub mod model;
pub mod results;
pub mod settings;

use crate::bot::Bot;
use crate::protocol::{
    ErrorCode, ErrorReport, Event, GenerationParams, JobId, ModelInfo, Request, StopReason,
};

use address::Address;
use figures::Figures;
use model::{Loading, ModelChoice, ModelStatus};
use results::{Desk, Tweet, TweetStatus};
use settings::{Field, FieldError, Settings};

/// Prompts the original demo offered.
pub const EXAMPLE_PROMPTS: [&str; 5] = [
    "My dream is",
    "I want",
    "I like",
    "I don't like",
    "I think that",
];

/// Tweets per press of Generate, unless changed.
pub const DEFAULT_SEQUENCES: usize = 5;

/// New tokens that "continue" asks for, where the context has that much room.
const CONTINUE_TOKENS: usize = 40;

/// New tokens before which a continued text may not end again.
const CONTINUE_LEAST: usize = 8;

/// No token is longer, in bytes. A prompt longer than `n_ctx` of these cannot fit, whatever the tokenizer makes of it.
const LONGEST_TOKEN: usize = 1024;

/// Which of its states the whole page is in; written to `<html data-state>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The worker is not there yet.
    Starting,
    /// Nothing is loaded, nothing is going on.
    Idle,
    /// A model is on its way.
    Loading,
    /// A model waits for a prompt.
    Ready,
    /// Text is being written.
    Generating,
    /// The last load failed, or the worker ended.
    Failed,
}

impl Phase {
    /// Its name in `data-state`.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Idle => "idle",
            Phase::Loading => "loading",
            Phase::Ready => "ready",
            Phase::Generating => "generating",
            Phase::Failed => "failed",
        }
    }
}

/// What a button beside an error does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Load the same model again.
    RetryLoad,
    /// Take the model that comes with the page.
    UseBundled,
    /// Start a new worker.
    RestartWorker,
    /// Press Generate again.
    GenerateAgain,
    /// Put every setting back.
    ResetSettings,
}

/// A failure on show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What and what to do.
    pub report: ErrorReport,
    /// Buttons, the likeliest first.
    pub remedies: Vec<Remedy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WorkerStatus {
    Starting,
    Running,
    Ended,
}

/// Something to write, now or as soon as it can be.
#[derive(Debug, Clone, PartialEq)]
enum Task {
    /// Fresh tweets for the open bot's prompt.
    Generate { seed: u32 },
    /// One tweet anew.
    Regenerate { slot: usize, seed: u32 },
    /// More text for one tweet.
    Continue { slot: usize, seed: u32 },
}

/// The job the worker has.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    job: JobId,
    /// Bot whose desk it writes on.
    bot: usize,
    /// Sequence `i` of the job is tweet `first_slot + i`.
    first_slot: usize,
    /// Prompt as it was sent.
    prompt: String,
    /// Whether it writes all tweets anew, so that a refusal leaves none.
    is_whole: bool,
    is_stopping: bool,
}

/// What the page shows, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct PageState {
    bots: Vec<Bot>,
    desks: Vec<Desk>,
    bot: usize,
    worker: WorkerStatus,
    bundled: ModelChoice,
    choice: ModelChoice,
    model: ModelStatus,
    settings: Settings,
    problem: Option<Problem>,
    notices: Vec<String>,
    run: Option<Run>,
    queued: Option<Task>,
    last_job: JobId,
    was_stopped: bool,
}

impl PageState {
    /// The page as it opens: `bots` as the gallery has them (at least one), the model that comes with the page,
    /// and what the address asks for.
    ///
    /// `model`: the address's model with its absolute address, if it has one.
    ///
    /// # Panics
    /// If there is no bot.
    pub fn new(
        bots: Vec<Bot>,
        bundled: ModelChoice,
        address: &Address,
        model: Option<ModelChoice>,
    ) -> PageState {
        assert!(!bots.is_empty(), "the gallery has at least one bot");
        let desks = bots
            .iter()
            .map(|bot| Desk {
                prompt: first_prompt(bot),
                ..Desk::default()
            })
            .collect();
        let mut state = PageState {
            bots,
            desks,
            bot: 0,
            worker: WorkerStatus::Starting,
            choice: model.unwrap_or_else(|| bundled.clone()),
            bundled,
            model: ModelStatus::Absent,
            settings: Settings::default(),
            problem: None,
            notices: address.notices.clone(),
            run: None,
            queued: None,
            last_job: 0,
            was_stopped: false,
        };
        if let Some(repo) = &address.bot {
            match state.bot_index(repo) {
                Some(index) => state.bot = index,
                None => state.notices.push(format!(
                    "This gallery has no bot called “{repo}”. Showing @{} instead.",
                    state.bots[0].card.handle
                )),
            }
        }
        if let Some(text) = &address.text {
            state.desks[state.bot].prompt = text.clone();
        }
        let defaults = state.defaults();
        for (field, text) in &address.settings {
            state.settings.set(*field, text, &defaults);
        }
        state
    }

    // What is shown.

    /// Every bot of the gallery.
    pub fn bots(&self) -> &[Bot] {
        &self.bots
    }

    /// The open bot.
    pub fn bot(&self) -> &Bot {
        &self.bots[self.bot]
    }

    /// Its place in the gallery.
    pub fn selected(&self) -> usize {
        self.bot
    }

    /// Its prompt and tweets.
    pub fn desk(&self) -> &Desk {
        &self.desks[self.bot]
    }

    /// The model that speaks, or will.
    pub fn choice(&self) -> &ModelChoice {
        &self.choice
    }

    /// How far it is.
    pub fn model(&self) -> &ModelStatus {
        &self.model
    }

    /// The open model, if there is one.
    pub fn model_info(&self) -> Option<&ModelInfo> {
        match &self.model {
            ModelStatus::Ready(info) => Some(info),
            _ => None,
        }
    }

    /// The load that is going on, if there is one.
    pub fn loading(&self) -> Option<&Loading> {
        match &self.model {
            ModelStatus::Loading(loading) => Some(loading),
            _ => None,
        }
    }

    /// The failure to show, if there is one.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Plain remarks, such as what was left out of the address.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The settings as typed.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the settings are compared with: the open model's own parameters, and five tweets.
    pub fn defaults(&self) -> GenerationParams {
        let own = self
            .model_info()
            .map(|info| info.defaults.clone())
            .unwrap_or_default();
        GenerationParams {
            num_return_sequences: DEFAULT_SEQUENCES,
            seed: None,
            ..own
        }
    }

    /// Context length of the open model.
    pub fn n_ctx(&self) -> Option<usize> {
        self.model_info().map(|info| info.config.n_ctx)
    }

    /// What is wrong with one setting.
    pub fn setting_error(&self, field: Field) -> Option<FieldError> {
        self.settings.error(field, self.n_ctx())
    }

    /// Which state the whole page is in.
    pub fn phase(&self) -> Phase {
        if self.run.is_some() {
            return Phase::Generating;
        }
        match (&self.model, self.worker) {
            (_, WorkerStatus::Ended) | (ModelStatus::Failed(_), _) => Phase::Failed,
            (ModelStatus::Loading(_), _) => Phase::Loading,
            (_, WorkerStatus::Starting) => Phase::Starting,
            (ModelStatus::Absent, _) => Phase::Idle,
            (ModelStatus::Ready(_), _) => Phase::Ready,
        }
    }

    /// Whether text is being written.
    pub fn is_generating(&self) -> bool {
        self.run.is_some()
    }

    /// Whether something waits to be written once the model is there.
    pub fn is_queued(&self) -> bool {
        self.queued.is_some()
    }

    /// One calm sentence on what is going on; changes rarely enough to be read aloud.
    pub fn status(&self) -> String {
        match self.phase() {
            Phase::Starting => "Starting.".to_owned(),
            Phase::Idle => match self.choice.size_bytes {
                Some(size) => format!("Generate first loads the model, {}.", figures::bytes(size)),
                None => "Generate first loads the model.".to_owned(),
            },
            Phase::Loading => format!("Loading {}.", self.choice.name),
            Phase::Generating => match self.open_tweets() {
                1 => "Writing one tweet.".to_owned(),
                n => format!("Writing {n} tweets."),
            },
            Phase::Failed => "Something went wrong.".to_owned(),
            Phase::Ready if self.was_stopped => "Stopped. What was written stays.".to_owned(),
            Phase::Ready => match self.desk().results.len() {
                0 => "Ready.".to_owned(),
                n => format!("Done: {}.", figures::plural(n, "tweet", "tweets")),
            },
        }
    }

    fn open_tweets(&self) -> usize {
        self.desks
            .iter()
            .flat_map(|desk| &desk.results)
            .filter(|tweet| tweet.is_open())
            .count()
    }

    /// Room that a finished tweet has left in the model's context, in tokens.
    pub fn room(&self, slot: usize) -> Option<usize> {
        let tweet = self.desk().results.get(slot)?;
        Some(self.n_ctx()?.saturating_sub(tweet.context_tokens?))
    }

    /// Whether "continue" can do something for this tweet.
    pub fn can_continue(&self, slot: usize) -> bool {
        self.run.is_none() && self.room(slot).is_some_and(|room| room > 0)
    }

    // What a visitor does.

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
            Some(Task::Regenerate { .. } | Task::Continue { .. })
        ) {
            self.queued = None;
        }
        if self.run.is_some() {
            self.stop()
        } else {
            Vec::new()
        }
    }

    /// Opens the bot of this name, as written in an address; `false` if the gallery has none.
    pub fn bot_index(&self, repo: &str) -> Option<usize> {
        self.bots
            .iter()
            .position(|bot| bot.repo.eq_ignore_ascii_case(repo))
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
        self.begin(Task::Generate { seed })
    }

    /// Writes one tweet anew, with a seed of its own.
    pub fn regenerate(&mut self, slot: usize, fresh_seed: u32) -> Vec<Request> {
        if slot >= self.desk().results.len() {
            return Vec::new();
        }
        self.begin(Task::Regenerate {
            slot,
            seed: fresh_seed,
        })
    }

    /// Writes on where a tweet ended.
    pub fn continue_tweet(&mut self, slot: usize, fresh_seed: u32) -> Vec<Request> {
        if !self.can_continue(slot) {
            return Vec::new();
        }
        self.begin(Task::Continue {
            slot,
            seed: fresh_seed,
        })
    }

    /// Pins the seed of a tweet: the next run's first tweet draws with it.
    pub fn pin_seed(&mut self, slot: usize) {
        if let Some(tweet) = self.desk().results.get(slot) {
            let text = tweet.seed.to_string();
            self.set(Field::Seed, &text);
        }
    }

    /// Ends what is going on: a text after its current token, or a load.
    pub fn stop(&mut self) -> Vec<Request> {
        self.queued = None;
        if let Some(run) = &mut self.run {
            if run.is_stopping {
                return Vec::new();
            }
            run.is_stopping = true;
            return vec![Request::Stop { job: run.job }];
        }
        match &self.model {
            ModelStatus::Loading(loading) if loading.is_sent => vec![Request::Stop { job: 0 }],
            ModelStatus::Loading(_) => {
                self.model = ModelStatus::Absent;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Opens another model; a text that is being written ends.
    pub fn open_model(&mut self, choice: ModelChoice) -> Vec<Request> {
        let mut requests = self.stop();
        self.choice = choice;
        requests.extend(self.load());
        requests
    }

    /// Loads the chosen model again, or for the first time.
    pub fn load(&mut self) -> Vec<Request> {
        self.problem = None;
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
        self.problem = None;
        if !matches!(self.model, ModelStatus::Loading(_)) {
            self.model = ModelStatus::Absent;
        }
    }

    /// Whether the worker has ended and a new one must be started before anything else.
    pub fn has_worker_ended(&self) -> bool {
        self.worker == WorkerStatus::Ended
    }

    fn begin(&mut self, task: Task) -> Vec<Request> {
        self.problem = None;
        self.was_stopped = false;
        if let Err(error) = self.settings_params() {
            self.refuse_settings(&error);
            return Vec::new();
        }
        if self.run.is_some() {
            let requests = self.stop();
            self.queued = Some(task);
            return requests;
        }
        match self.model {
            ModelStatus::Ready(_) => self.start(task),
            ModelStatus::Loading(_) => {
                self.queued = Some(task);
                Vec::new()
            }
            ModelStatus::Absent | ModelStatus::Failed(_) => {
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
    fn start(&mut self, task: Task) -> Vec<Request> {
        let params = match self.settings_params() {
            Ok(params) => params,
            Err(error) => {
                self.refuse_settings(&error);
                return Vec::new();
            }
        };
        let room = match task {
            Task::Continue { slot, .. } => self.room(slot).zip(self.n_ctx()),
            _ => None,
        };
        let is_whole = matches!(task, Task::Generate { .. });
        let n_bytes = self.desk().prompt.len();
        if let Some(n_ctx) = self
            .n_ctx()
            .filter(|n_ctx| is_whole && n_bytes > n_ctx * LONGEST_TOKEN)
        {
            self.refuse_prompt(n_bytes, n_ctx);
            return Vec::new();
        }
        let desk = &mut self.desks[self.bot];
        let (first_slot, prompt, params) = match task {
            Task::Generate { seed } => {
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
            Task::Regenerate { slot, seed } => {
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
            Task::Continue { slot, seed } => {
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

    // What the worker says.

    /// Takes one event. `now_ms`: any steady clock.
    pub fn update(&mut self, event: Event, now_ms: f64) -> Vec<Request> {
        match event {
            Event::Started { .. } => self.on_started(),
            Event::Progress { stage } => {
                if let ModelStatus::Loading(loading) = &mut self.model {
                    loading.advance(stage, now_ms);
                }
                Vec::new()
            }
            Event::Ready { model } => {
                if !matches!(self.model, ModelStatus::Loading(_)) {
                    return Vec::new();
                }
                self.model = ModelStatus::Ready(Box::new(model));
                self.start_queued()
            }
            Event::Token {
                job,
                sequence,
                text,
                ..
            } => {
                if let Some((tweet, _)) = self.tweet_of(job, sequence) {
                    tweet.push(&text);
                }
                Vec::new()
            }
            Event::Result {
                job,
                sequence,
                generated_text,
                stop_reason,
            } => {
                if let Some((tweet, asked)) = self.tweet_of(job, sequence) {
                    tweet.complete(&generated_text, &asked, stop_reason);
                }
                Vec::new()
            }
            Event::Done {
                job,
                stopped,
                stats,
            } => {
                let Some(run) = self.run.take_if(|run| run.job == job) else {
                    return Vec::new();
                };
                let figures = self.model_info().map(|info| Figures::new(&stats, info));
                let desk = &mut self.desks[run.bot];
                desk.figures = figures;
                for tweet in desk.results.iter_mut().skip(run.first_slot) {
                    tweet.end(TweetStatus::Done(StopReason::Stopped));
                    if tweet.context_tokens.is_none() {
                        tweet.context_tokens = Some(stats.prompt_tokens + tweet.n_tokens);
                    }
                }
                self.was_stopped = stopped;
                self.start_queued()
            }
            Event::Tokens { .. } => Vec::new(),
            Event::Error { job, error } => {
                self.on_error(job, error);
                Vec::new()
            }
        }
    }

    fn on_started(&mut self) -> Vec<Request> {
        self.worker = WorkerStatus::Running;
        match &mut self.model {
            ModelStatus::Loading(loading) if !loading.is_sent => {
                loading.is_sent = true;
                vec![Request::Load {
                    source: self.choice.source(),
                }]
            }
            _ => Vec::new(),
        }
    }

    fn start_queued(&mut self) -> Vec<Request> {
        if !matches!(self.model, ModelStatus::Ready(_)) {
            return Vec::new();
        }
        match self.queued.take() {
            Some(task) => self.start(task),
            None => Vec::new(),
        }
    }

    /// The tweet a job's sequence writes, and the prompt the job was given.
    fn tweet_of(&mut self, job: JobId, sequence: usize) -> Option<(&mut Tweet, String)> {
        let run = self.run.as_ref().filter(|run| run.job == job)?;
        let (slot, bot, prompt) = (run.first_slot + sequence, run.bot, run.prompt.clone());
        Some((self.desks[bot].results.get_mut(slot)?, prompt))
    }

    fn on_error(&mut self, job: Option<JobId>, report: ErrorReport) {
        match report.code {
            ErrorCode::WorkerCrashed | ErrorCode::OutOfMemory => self.on_crash(report),
            ErrorCode::Cancelled => {
                self.queued = None;
                if matches!(self.model, ModelStatus::Loading(_)) {
                    self.model = ModelStatus::Absent;
                }
            }
            _ if job.is_some() => {
                if self.run.as_ref().map(|run| run.job) == job {
                    self.end_run(TweetStatus::Broken);
                    let remedies = match report.code {
                        ErrorCode::BadParameters | ErrorCode::ContextOverflow
                            if self.settings.n_changed() > 0 =>
                        {
                            vec![Remedy::ResetSettings]
                        }
                        _ if report.retryable => vec![Remedy::GenerateAgain],
                        _ => Vec::new(),
                    };
                    self.problem = Some(Problem { report, remedies });
                }
            }
            _ if matches!(self.model, ModelStatus::Loading(_)) => {
                self.model = ModelStatus::Failed(report.clone());
                self.queued = None;
                let mut remedies = Vec::new();
                if report.retryable || self.is_bundled() {
                    remedies.push(Remedy::RetryLoad);
                }
                if !self.is_bundled() {
                    remedies.push(Remedy::UseBundled);
                }
                self.problem = Some(Problem { report, remedies });
            }
            _ => {
                self.problem = Some(Problem {
                    report,
                    remedies: Vec::new(),
                })
            }
        }
    }

    /// The worker is gone: prompt, settings and what was written stay.
    fn on_crash(&mut self, report: ErrorReport) {
        self.end_run(TweetStatus::Broken);
        self.queued = None;
        self.worker = WorkerStatus::Ended;
        self.model = ModelStatus::Absent;
        let mut remedies = vec![Remedy::RestartWorker];
        if report.code == ErrorCode::OutOfMemory && !self.is_bundled() {
            remedies.insert(0, Remedy::UseBundled);
        }
        self.problem = Some(Problem { report, remedies });
    }

    fn end_run(&mut self, status: TweetStatus) {
        let Some(run) = self.run.take() else { return };
        let tweets = &mut self.desks[run.bot].results;
        if run.is_whole
            && tweets
                .iter()
                .all(|tweet| tweet.status == TweetStatus::Waiting)
        {
            tweets.clear();
        }
        for tweet in tweets {
            tweet.end(status);
        }
    }
}

/// The prompt a bot's card proposes.
fn first_prompt(bot: &Bot) -> String {
    bot.card
        .widget
        .first()
        .cloned()
        .unwrap_or_else(|| EXAMPLE_PROMPTS[0].to_owned())
}
