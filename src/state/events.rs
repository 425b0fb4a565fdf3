//! What the worker says, and what the page shows from then on.

use super::figures::Figures;
use super::measuring::Measured;
use super::model::{ModelStatus, Paused};
use super::results::{Tweet, TweetStatus};
use super::{PageState, Problem, Remedy, WorkerStatus};
use crate::bot::Bot;
use crate::protocol::{ErrorCode, ErrorReport, Event, JobId, Request, StopReason};

impl PageState {
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
            Event::Card { repo, markdown } => {
                // A card that is none of the original's shows nobody; its model still speaks.
                if let ModelStatus::Loading(_) = &self.model
                    && let Some(bot) = Bot::from_readme(&repo, &markdown)
                {
                    self.take_bot(bot);
                }
                Vec::new()
            }
            Event::Ready { model } => {
                if !matches!(self.model, ModelStatus::Loading(_)) {
                    return Vec::new();
                }
                if model.keeping.is_kept() && !self.kept.contains(&self.choice) {
                    self.kept.push(self.choice.clone());
                }
                self.worker_bytes = model.memory_bytes;
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
                if self.is_measuring(job) {
                    self.measure_run = None;
                    return self.start_queued();
                }
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
            Event::Measuring {
                job,
                part,
                round,
                rounds,
                fraction,
            } => {
                if let Some(run) = self.measure_run.as_mut().filter(|run| run.job == job) {
                    run.fraction = fraction;
                    run.part = Some((part, round, rounds));
                }
                Vec::new()
            }
            Event::Measured { job, speeds } => {
                if !self.is_measuring(job) {
                    return Vec::new();
                }
                self.measure_run = None;
                // Of a model that has gone meanwhile nothing can be said.
                if let Some(info) = self.model_info() {
                    self.measured = Some(Box::new(Measured::new(speeds, info.clone())));
                }
                self.start_queued()
            }
            Event::Tokens { .. } | Event::Text { .. } | Event::Logits { .. } => Vec::new(),
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

    fn is_measuring(&self, job: JobId) -> bool {
        self.measure_run.as_ref().is_some_and(|run| run.job == job)
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
                let queued = self.queued.take();
                if let ModelStatus::Loading(loading) = &self.model {
                    self.model = match loading.downloaded().filter(|_| loading.is_pausing) {
                        Some((loaded, total)) => ModelStatus::Paused(Paused {
                            loaded,
                            total,
                            queued,
                        }),
                        None => ModelStatus::Absent,
                    };
                }
            }
            _ if job.is_some_and(|job| self.is_measuring(job)) => {
                self.measure_run = None;
                self.problem = Some(Problem {
                    report,
                    remedies: Vec::new(),
                });
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
        self.measure_run = None;
        self.queued = None;
        self.worker = WorkerStatus::Ended;
        self.model = ModelStatus::Absent;
        let mut remedies = vec![Remedy::RestartWorker];
        if report.code == ErrorCode::OutOfMemory && !self.is_bundled() {
            remedies.insert(0, Remedy::UseBundled);
        }
        self.problem = Some(Problem { report, remedies });
    }

    pub(super) fn end_run(&mut self, status: TweetStatus) {
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
