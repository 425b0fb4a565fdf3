//! `Measurement`: how fast this machine runs the open model, and how fast it reads the model's weights.
//!
//! A round has three workloads: the weights are summed up, one text is written, five texts are written together. Whole
//! generations are run, sampling included, as for a visitor. Each workload is repeated for a minimum time, so that a
//! clock with coarse ticks suffices. The speed of a device varies over time: the figures are medians over the rounds.

use std::hint::black_box;
use std::sync::Arc;

use crate::generate::params::GenerationParams;
use crate::generate::{GenerateError, Generation};
use crate::infer::Model;
use crate::kernels;
use crate::parallel::Threads;
use crate::protocol::{Speeds, Spread, Workload};
use crate::tokenizer::Tokenizer;

use super::OpenModel;

/// Measured rounds. An unmeasured, shorter round before them warms caches up.
pub const ROUNDS: usize = 5;
/// Prompt and new tokens of a run, where the context holds them.
const LENGTH: usize = 64;
/// New tokens of a run in the unmeasured round.
const WARM_UP_LENGTH: usize = 8;
/// Least time of a workload in a round.
const WORKLOAD_MS: f64 = 400.0;
/// Most time of a step, unless a single token takes longer: short enough for a prompt stop, long enough for clocks
/// with ticks of milliseconds.
const STEP_MS: f64 = 100.0;
const WORKLOADS: [Workload; 3] = [Workload::Memory, Workload::OneText, Workload::FiveTexts];

/// A measurement in progress.
pub struct Measurement {
    model: Arc<Model>,
    tokenizer: Arc<Tokenizer>,
    threads: Threads,
    prompt: String,
    /// New tokens of a run in a measured round.
    length: usize,
    prompt_tokens: usize,
    /// Size of all matrices.
    weight_bytes: u64,
    /// The current round; 0 is the unmeasured round.
    round: usize,
    /// Index in [`WORKLOADS`].
    workload: usize,
    /// The current run of a workload that writes texts.
    generation: Option<Generation>,
    tally: Tally,
    rates: RoundRates,
    enough_ms: f64,
    /// Start of the first measured round.
    started_ms: f64,
}

/// Work and time of the current workload in the current round.
#[derive(Default)]
struct Tally {
    prefill: Rate,
    /// Bytes or new tokens, by workload.
    main: Rate,
}

#[derive(Default)]
struct Rate {
    amount: f64,
    ms: f64,
}

/// Figures per second, an entry per round.
#[derive(Default)]
struct RoundRates {
    prefill: Vec<f64>,
    decode: Vec<f64>,
    batch5: Vec<f64>,
    sum_bytes: Vec<f64>,
}

impl Measurement {
    /// Prepares to measure an open model on `threads`; the sum always runs on one.
    ///
    /// `enough_ms`: no round begins later than this after the first; infinite for all rounds.
    ///
    /// # Errors
    /// [`GenerateError::Tokenizer`] or [`GenerateError::EmptyText`] if its vocabulary lacks the letter `a`.
    pub fn new(open: &OpenModel, threads: Threads, enough_ms: f64) -> Result<Self, GenerateError> {
        let length = LENGTH.min(open.info.config.n_ctx / 2);
        let prompt = prompt_of(&open.tokenizer, length)?;
        Ok(Self {
            weight_bytes: open.model.matrices().map(|m| m.size_bytes() as u64).sum(),
            model: Arc::clone(&open.model),
            tokenizer: Arc::clone(&open.tokenizer),
            threads,
            prompt,
            length,
            prompt_tokens: 0,
            round: 0,
            workload: 0,
            generation: None,
            tally: Tally::default(),
            rates: RoundRates::default(),
            enough_ms,
            started_ms: 0.0,
        })
    }

    /// The workload of the next step.
    pub fn workload(&self) -> Workload {
        WORKLOADS[self.workload]
    }

    /// The current round, from 1; 0 in the unmeasured round.
    pub fn round(&self) -> usize {
        self.round
    }

    /// Share that is done, 0 to 1.
    pub fn fraction(&self) -> f64 {
        let Some(rounds) = self.round.checked_sub(1) else {
            return 0.0;
        };
        let of_workload = ((self.tally.prefill.ms + self.tally.main.ms) / WORKLOAD_MS).min(1.0);
        ((rounds * WORKLOADS.len() + self.workload) as f64 + of_workload)
            / (ROUNDS * WORKLOADS.len()) as f64
    }

    /// Works for a tenth of a second, or for one token if that takes longer; the last step returns the figures.
    /// `clock`: milliseconds from any fixed point.
    ///
    /// # Errors
    /// [`GenerateError`] if the model writes no text.
    pub fn step(&mut self, clock: &dyn Fn() -> f64) -> Result<Option<Speeds>, GenerateError> {
        match self.workload() {
            Workload::Memory => self.read(clock),
            Workload::OneText => self.write(1, clock)?,
            Workload::FiveTexts => self.write(5, clock)?,
        }
        let is_warm_up = self.round == 0;
        let worked_ms = self.tally.prefill.ms + self.tally.main.ms;
        if self.generation.is_some() || (worked_ms < WORKLOAD_MS && !is_warm_up) {
            return Ok(None);
        }
        let tally = std::mem::take(&mut self.tally);
        if !is_warm_up {
            self.record(&tally);
        }
        self.workload += 1;
        if self.workload < WORKLOADS.len() {
            return Ok(None);
        }
        self.workload = 0;
        self.round += 1;
        let now_ms = clock();
        if is_warm_up {
            self.started_ms = now_ms;
        }
        let is_enough = self.round > ROUNDS || now_ms - self.started_ms >= self.enough_ms;
        Ok(is_enough.then(|| self.speeds()))
    }

    /// Sums the weights up, repeatedly.
    fn read(&mut self, clock: &dyn Fn() -> f64) {
        let before = clock();
        let mut ms = 0.0;
        while ms < STEP_MS {
            for matrix in self.model.matrices() {
                black_box(matrix.sum_words());
            }
            self.tally.main.amount += self.weight_bytes as f64;
            ms = clock() - before;
        }
        self.tally.main.ms += ms;
    }

    /// Continues the run, or begins one.
    fn write(&mut self, sequences: usize, clock: &dyn Fn() -> f64) -> Result<(), GenerateError> {
        let mut generation = match self.generation.take() {
            Some(generation) => generation,
            None => self.run_of(sequences)?,
        };
        let is_prefilling = generation.is_prefilling();
        let tokens = generation.new_tokens();
        let before = clock();
        let mut ms = 0.0;
        while ms < STEP_MS && !generation.is_done() && generation.is_prefilling() == is_prefilling {
            generation.step()?;
            ms = clock() - before;
        }
        if !is_prefilling {
            self.tally.main.ms += ms;
            self.tally.main.amount += (generation.new_tokens() - tokens) as f64;
        } else {
            self.tally.prefill.ms += ms;
            if !generation.is_prefilling() {
                self.prompt_tokens = generation.prompt_tokens();
                self.tally.prefill.amount += generation.prompt_tokens() as f64;
            }
        }
        self.generation = (!generation.is_done()).then_some(generation);
        Ok(())
    }

    fn run_of(&self, sequences: usize) -> Result<Generation, GenerateError> {
        let new_tokens = match self.round {
            0 => self.length.min(WARM_UP_LENGTH),
            _ => self.length,
        };
        let params = GenerationParams {
            max_new_tokens: Some(new_tokens),
            // Forbids the end of text, so that every run has the same number of tokens.
            min_length: usize::MAX,
            num_return_sequences: sequences,
            ..GenerationParams::default()
        };
        let (model, tokenizer) = (Arc::clone(&self.model), Arc::clone(&self.tokenizer));
        Generation::new(model, tokenizer, &self.prompt, &params, 1)
            .map(|generation| generation.with_threads(self.threads.clone()))
    }

    fn record(&mut self, tally: &Tally) {
        let per_second = |rate: &Rate| rate.amount * 1000.0 / rate.ms;
        let main = per_second(&tally.main);
        match self.workload() {
            Workload::Memory => self.rates.sum_bytes.push(main),
            Workload::OneText => {
                self.rates.prefill.push(per_second(&tally.prefill));
                self.rates.decode.push(main);
            }
            Workload::FiveTexts => self.rates.batch5.push(main),
        }
    }

    fn speeds(&self) -> Speeds {
        Speeds {
            prompt_tokens: self.prompt_tokens,
            new_tokens: self.length,
            rounds: self.rates.decode.len(),
            prefill: spread(&self.rates.prefill),
            decode: spread(&self.rates.decode),
            batch5: spread(&self.rates.batch5),
            sum_bytes: spread(&self.rates.sum_bytes),
            weight_bytes: self.weight_bytes,
            threads: self.threads.count(),
            simd: kernels::simd().to_owned(),
        }
    }
}

/// A text of at most `length` tokens, prefix included.
fn prompt_of(tokenizer: &Tokenizer, length: usize) -> Result<String, GenerateError> {
    // A vocabulary may have no token for the space.
    let word = if tokenizer.encode(" a").is_ok() {
        " a"
    } else {
        "a"
    };
    let prefix = GenerationParams::default().prefix;
    let n_tokens = |prompt: &str| -> Result<usize, GenerateError> {
        Ok(tokenizer.encode(&format!("{prefix}{prompt}"))?.len())
    };
    let mut prompt = String::new();
    // A tokenizer without an unknown token leaves a word out that its vocabulary lacks.
    if n_tokens(word)? == n_tokens("")? {
        return Err(GenerateError::EmptyText);
    }
    for _ in 0..length {
        prompt.push_str(word);
        if n_tokens(&prompt)? > length {
            prompt.truncate(prompt.len() - word.len());
            break;
        }
    }
    Ok(prompt)
}

/// The spread of at least one value.
fn spread(values: &[f64]) -> Spread {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (below, above) = ((sorted.len() - 1) / 2, sorted.len() / 2);
    Spread {
        median: 0.5 * (sorted[below] + sorted[above]),
        least: sorted[0],
        most: sorted[sorted.len() - 1],
    }
}
