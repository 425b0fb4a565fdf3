//! Changes of the tweets: generating, rewriting and continuing them, and the worker's tokens and texts.

use super::super::problem::{Problem, Remedy};
use super::super::run_figures::RunFigures;
use super::super::task::Task;
use super::super::tweet::{Tweet, TweetStatus};
use super::super::wording;
use super::super::writing::{Run, Writing};
use super::super::{Command, PageState};
use crate::generate::parameter::Parameter;
use crate::protocol::{
    ErrorCode, ErrorReport, GenerationParams, JobId, Request, RunStats, StopReason,
};

/// New tokens of "Continue", where the context has that much room.
const CONTINUE_TOKENS: usize = 40;

/// New tokens before which a continued text may not end again.
const CONTINUE_MIN_TOKENS: usize = 8;

/// Length of the longest token, in bytes. A prompt of more than `n_ctx` times as many bytes is refused before it is
/// sent.
const MAX_TOKEN_BYTES: usize = 1024;

/// The parts of a request, with the place of its first sequence.
struct PreparedRequest {
    first_slot: usize,
    prompt: String,
    params: GenerationParams,
}

impl PageState {
    /// Whether text is being written.
    pub fn is_generating(&self) -> bool {
        self.writing.run.is_some()
    }

    /// New tokens that the model's context has room for behind a finished tweet.
    pub fn room(&self, slot: usize) -> Option<usize> {
        let tweet = self.texts().tweets.get(slot)?;
        // The last new token needs no place.
        let most = self.n_ctx()?.saturating_add(1);
        Some(most.saturating_sub(tweet.context_tokens?))
    }

    /// Whether "Continue" can add text to this tweet.
    pub fn can_continue(&self, slot: usize) -> bool {
        !self.is_generating() && self.room(slot).is_some_and(|room| room > 0)
    }

    /// Writes tweets for the prompt; loads the model first if need be, and stops the text that is being written.
    ///
    /// `fresh_seed`: used unless the visitor pinned a seed.
    pub fn generate(&mut self, fresh_seed: u32) -> Vec<Command> {
        let pinned = self.checked_params().ok().and_then(|params| params.seed);
        let seed = pinned.unwrap_or(fresh_seed);
        self.write(Writing::Generate { seed })
    }

    /// Writes one tweet anew, with a seed of its own.
    pub fn regenerate(&mut self, slot: usize, fresh_seed: u32) -> Vec<Command> {
        if slot >= self.texts().tweets.len() {
            return Vec::new();
        }
        let seed = fresh_seed;
        self.write(Writing::Regenerate { slot, seed })
    }

    /// Writes more text for a tweet.
    pub fn continue_tweet(&mut self, slot: usize, fresh_seed: u32) -> Vec<Command> {
        if !self.can_continue(slot) {
            return Vec::new();
        }
        let seed = fresh_seed;
        self.write(Writing::Continue { slot, seed })
    }

    /// Pins the seed of a tweet: the first tweet of the next run draws with it. A tweet that was continued has none.
    pub fn pin_seed(&mut self, slot: usize) {
        let tweet = self.texts().tweets.get(slot);
        if let Some(seed) = tweet.and_then(Tweet::own_seed) {
            let text = seed.to_string();
            self.set_parameter(Parameter::Seed, &text);
        }
    }

    fn write(&mut self, writing: Writing) -> Vec<Command> {
        self.problem = None;
        self.writing.was_stopped = false;
        if let Err(error) = self.checked_params() {
            self.refuse_settings(&error);
            return Vec::new();
        }
        if self.is_generating() || self.measuring.run.is_some() {
            let stop = self.stop();
            self.waiting = Some(Task::Write(writing));
            return stop;
        }
        self.start_or_load(Task::Write(writing))
    }

    pub(super) fn stop_writing(&mut self) -> Vec<Command> {
        match &mut self.writing.run {
            Some(run) if !run.is_stopping => {
                run.is_stopping = true;
                vec![Command::Send(Request::Stop { job: run.job })]
            }
            _ => Vec::new(),
        }
    }

    /// Sends a text's request. The model is open and no job runs.
    pub(super) fn start_writing(&mut self, writing: Writing) -> Vec<Command> {
        let params = match self.checked_params() {
            Ok(params) => params,
            Err(error) => {
                self.refuse_settings(&error);
                return Vec::new();
            }
        };
        let is_of_all_tweets = matches!(writing, Writing::Generate { .. });
        let prepared = match writing {
            Writing::Generate { seed } => self.prepare_tweets(seed, params),
            Writing::Regenerate { slot, seed } => self.prepare_anew(slot, seed, params),
            Writing::Continue { slot, seed } => self.prepare_more(slot, seed, params),
        };
        let Some(PreparedRequest {
            first_slot,
            prompt,
            params,
        }) = prepared
        else {
            return Vec::new();
        };
        let job = self.worker.next_job();
        self.writing.run = Some(Run {
            job,
            place: self.gallery.open_place(),
            first_slot,
            prompt: prompt.clone(),
            is_of_all_tweets,
            is_stopping: false,
        });
        vec![Command::Send(Request::Generate {
            job,
            prompt,
            params,
        })]
    }

    /// Replaces the tweets of the open bot by new tweets, unless the prompt is too long.
    fn prepare_tweets(&mut self, seed: u32, params: GenerationParams) -> Option<PreparedRequest> {
        let n_bytes = self.texts().prompt.len();
        if let Some(n_ctx) = self.n_ctx()
            && n_bytes > n_ctx * MAX_TOKEN_BYTES
        {
            self.problem = Some(Problem::new(ErrorReport {
                code: ErrorCode::ContextOverflow,
                message: format!(
                    "a prompt of {} is too long: this model takes {n_ctx} tokens in all",
                    wording::bytes(n_bytes as u64)
                ),
                hint: "shorten the prompt; a few words are enough".to_owned(),
                retryable: false,
            }));
            return None;
        }
        // A space at the end would be a token of its own, after which no word can start as usual.
        let prompt = self.texts().prompt.trim_end().to_owned();
        let recipe = self.recipe(&prompt, seed, &params);
        let texts = self.gallery.texts_mut();
        texts.figures = None;
        texts.tweets = (0..params.num_return_sequences)
            .map(|i| {
                let seed = seed.wrapping_add(i as u32);
                Tweet::waiting(recipe.clone(), seed, params.return_full_text)
            })
            .collect();
        texts.recipe = Some(recipe);
        Some(PreparedRequest {
            first_slot: 0,
            prompt,
            params: GenerationParams {
                seed: Some(seed),
                ..params
            },
        })
    }

    fn prepare_anew(
        &mut self,
        slot: usize,
        seed: u32,
        params: GenerationParams,
    ) -> Option<PreparedRequest> {
        let prompt = self.texts().tweets.get(slot)?.prompt.clone();
        let recipe = self.recipe(&prompt, seed, &params);
        let tweet = self.gallery.texts_mut().tweets.get_mut(slot)?;
        *tweet = Tweet::waiting(recipe, seed, params.return_full_text);
        Some(PreparedRequest {
            first_slot: slot,
            prompt,
            params: GenerationParams {
                seed: Some(seed),
                num_return_sequences: 1,
                ..params
            },
        })
    }

    fn prepare_more(
        &mut self,
        slot: usize,
        seed: u32,
        params: GenerationParams,
    ) -> Option<PreparedRequest> {
        let room = self.room(slot)?;
        let beginning = self.texts().tweets.get(slot)?.prompt.clone();
        let recipe = self.recipe(&beginning, seed, &params);
        let tweet = self.gallery.texts_mut().tweets.get_mut(slot)?;
        let (prompt, prompt_tokens) = (tweet.full_text(), tweet.context_tokens?);
        *tweet = Tweet {
            earlier: tweet.continuation(),
            ..Tweet::waiting(recipe, seed, params.return_full_text)
        };
        let max_new_tokens = params.max_new_tokens.unwrap_or(CONTINUE_TOKENS).min(room);
        // After a finished text the end-of-text token is the likeliest; it is forbidden for some tokens, because the
        // visitor wants more text.
        let min_length = prompt_tokens + max_new_tokens.min(CONTINUE_MIN_TOKENS);
        Some(PreparedRequest {
            first_slot: slot,
            prompt,
            params: GenerationParams {
                seed: Some(seed),
                num_return_sequences: 1,
                max_new_tokens: Some(max_new_tokens),
                min_length: params.min_length.max(min_length),
                // Where it is set, it counts instead of the length.
                min_new_tokens: params
                    .min_new_tokens
                    .map(|n| n.max(max_new_tokens.min(CONTINUE_MIN_TOKENS))),
                ..params
            },
        })
    }

    /// The tweet of a job's sequence, and the prompt of the job's request.
    fn tweet_of(&mut self, job: JobId, sequence: usize) -> Option<(&mut Tweet, &str)> {
        let run = self.writing.run.as_ref().filter(|run| run.job == job)?;
        let tweets = &mut self.gallery.texts_at(run.place).tweets;
        Some((tweets.get_mut(run.first_slot + sequence)?, &run.prompt))
    }

    pub(super) fn is_run(&self, job: JobId) -> bool {
        self.writing.run.as_ref().is_some_and(|run| run.job == job)
    }

    pub(super) fn on_token(&mut self, job: JobId, sequence: usize, text: &str) {
        if let Some((tweet, _)) = self.tweet_of(job, sequence) {
            tweet.push(text);
        }
    }

    pub(super) fn on_result(
        &mut self,
        job: JobId,
        sequence: usize,
        generated_text: &str,
        stop_reason: StopReason,
    ) {
        if let Some((tweet, prompt)) = self.tweet_of(job, sequence) {
            tweet.complete(generated_text, prompt, stop_reason);
        }
    }

    /// Takes the end of the run: all tweets are complete, or the visitor stopped the run.
    pub(super) fn on_written(
        &mut self,
        job: JobId,
        was_stopped: bool,
        stats: &RunStats,
    ) -> Vec<Command> {
        let Some(run) = self.writing.run.take_if(|run| run.job == job) else {
            return Vec::new();
        };
        let figures = self.model_info().map(|info| RunFigures::new(stats, info));
        let texts = self.gallery.texts_at(run.place);
        texts.figures = figures;
        for tweet in texts.tweets.iter_mut().skip(run.first_slot) {
            tweet.end(TweetStatus::Done(StopReason::Stopped));
            if tweet.context_tokens.is_none() {
                tweet.context_tokens = Some(stats.prompt_tokens + tweet.n_tokens);
            }
        }
        self.writing.was_stopped = was_stopped;
        self.start_waiting()
    }

    pub(super) fn on_run_failed(&mut self, report: ErrorReport) {
        self.end_run(TweetStatus::Broken);
        let remedies = match report.code {
            ErrorCode::BadParameters if self.settings.n_changed() > 0 => {
                vec![Remedy::ResetSettings]
            }
            _ if report.retryable => vec![Remedy::GenerateAgain],
            _ => Vec::new(),
        };
        self.problem = Some(Problem {
            report,
            remedies,
            stays: None,
        });
    }

    /// Ends the run without waiting for the worker. New tweets without a token disappear.
    pub(super) fn end_run(&mut self, status: TweetStatus) {
        let Some(run) = self.writing.run.take() else {
            return;
        };
        let tweets = &mut self.gallery.texts_at(run.place).tweets;
        let is_waiting = |tweet: &Tweet| tweet.status == TweetStatus::Waiting;
        if run.is_of_all_tweets && tweets.iter().all(is_waiting) {
            tweets.clear();
        }
        for tweet in tweets {
            tweet.end(status);
        }
    }
}
