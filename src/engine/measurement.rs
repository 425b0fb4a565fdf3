//! `Measurement`: how fast this machine runs the open model, and how fast it reads the model's weights.
//!
//! A round has three parts: the weights are summed up, one text is written, five are written together.
//! Whole generations are run, sampling included, as for a visitor. Each part repeats its run until the run
//! and its repetitions have lasted a while, so that a clock with coarse ticks does. The rounds stand for
//! a device's changing mood: the figures are their medians.

use std::hint::black_box;
use std::sync::Arc;

use crate::generate::params::GenerationParams;
use crate::generate::{GenerateError, Generation};
use crate::infer::Model;
use crate::kernels;
use crate::parallel::Threads;
use crate::protocol::{MeasuredPart, Speeds, Spread};
use crate::tokenizer::Tokenizer;

use super::OpenModel;

/// Rounds that count; one before them, cut short, brings code and weights to where they stay.
pub const ROUNDS: usize = 5;
/// Prompt and new tokens of a run, where the context holds them.
const LENGTH: usize = 64;
/// New tokens of a run that does not count.
const WARM_LENGTH: usize = 8;
/// Least time of a part.
const PART_MS: f64 = 400.0;
/// Most time of a step, unless a single token takes longer: short enough to be stopped after,
/// long enough for clocks that tick in milliseconds.
const STEP_MS: f64 = 100.0;
const PARTS: [MeasuredPart; 3] = [
    MeasuredPart::Memory,
    MeasuredPart::OneText,
    MeasuredPart::FiveTexts,
];

/// A measurement in the making.
pub struct Measurement {
    model: Arc<Model>,
    tokenizer: Arc<Tokenizer>,
    threads: Threads,
    prompt: String,
    /// New tokens of a run that counts.
    length: usize,
    prompt_tokens: usize,
    /// Of all matrices a token is multiplied with.
    weight_bytes: u64,
    /// 0 is the one that does not count.
    round: usize,
    /// Index in [`PARTS`].
    part: usize,
    /// The run in hand, if the part writes.
    generation: Option<Generation>,
    tally: Tally,
    found: Found,
    enough_ms: f64,
    /// When the first round that counts began.
    started_ms: f64,
}

/// What the part in hand has added up.
#[derive(Default)]
struct Tally {
    prefill: Rate,
    /// Of whatever the part is for: bytes or new tokens.
    main: Rate,
}

#[derive(Default)]
struct Rate {
    amount: f64,
    ms: f64,
}

/// Per second, an entry per round.
#[derive(Default)]
struct Found {
    prefill: Vec<f64>,
    decode: Vec<f64>,
    batch5: Vec<f64>,
    sum_bytes: Vec<f64>,
}

impl Measurement {
    /// Of an open model. Nothing has run yet.
    ///
    /// It computes on `threads`; the plain sum always on one.
    ///
    /// `enough_ms`: no round but the first begins later than this after it; infinite for all rounds.
    ///
    /// # Errors
    /// [`GenerateError::Tokenizer`] if its vocabulary lacks the letter `a`.
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
            part: 0,
            generation: None,
            tally: Tally::default(),
            found: Found::default(),
            enough_ms,
            started_ms: 0.0,
        })
    }

    /// What the next step is part of.
    pub fn part(&self) -> MeasuredPart {
        PARTS[self.part]
    }

    /// From 1; 0 while nothing counts yet.
    pub fn round(&self) -> usize {
        self.round
    }

    /// Share that is done, 0 to 1.
    pub fn fraction(&self) -> f64 {
        let Some(rounds) = self.round.checked_sub(1) else {
            return 0.0;
        };
        let of_part = ((self.tally.prefill.ms + self.tally.main.ms) / PART_MS).min(1.0);
        ((rounds * PARTS.len() + self.part) as f64 + of_part) / (ROUNDS * PARTS.len()) as f64
    }

    /// Works for a tenth of a second, or for one token if that takes longer; with the last step come the figures.
    /// `clock`: milliseconds from any fixed point.
    ///
    /// # Errors
    /// [`GenerateError`] if the model writes no text.
    pub fn step(&mut self, clock: &dyn Fn() -> f64) -> Result<Option<Speeds>, GenerateError> {
        match self.part() {
            MeasuredPart::Memory => self.read(clock),
            MeasuredPart::OneText => self.write(1, clock)?,
            MeasuredPart::FiveTexts => self.write(5, clock)?,
        }
        let is_warming = self.round == 0;
        let worked_ms = self.tally.prefill.ms + self.tally.main.ms;
        if self.generation.is_some() || (worked_ms < PART_MS && !is_warming) {
            return Ok(None);
        }
        let tally = std::mem::take(&mut self.tally);
        if !is_warming {
            self.keep(&tally);
        }
        self.part += 1;
        if self.part < PARTS.len() {
            return Ok(None);
        }
        self.part = 0;
        self.round += 1;
        let now_ms = clock();
        if is_warming {
            self.started_ms = now_ms;
        }
        let is_enough = self.round > ROUNDS || now_ms - self.started_ms >= self.enough_ms;
        Ok(is_enough.then(|| self.speeds()))
    }

    /// Sums the weights up, again and again.
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

    /// Goes on with a run, or begins one.
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
            0 => self.length.min(WARM_LENGTH),
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

    fn keep(&mut self, tally: &Tally) {
        let per_second = |rate: &Rate| rate.amount * 1000.0 / rate.ms;
        let main = per_second(&tally.main);
        match self.part() {
            MeasuredPart::Memory => self.found.sum_bytes.push(main),
            MeasuredPart::OneText => {
                self.found.prefill.push(per_second(&tally.prefill));
                self.found.decode.push(main);
            }
            MeasuredPart::FiveTexts => self.found.batch5.push(main),
        }
    }

    fn speeds(&self) -> Speeds {
        Speeds {
            prompt_tokens: self.prompt_tokens,
            new_tokens: self.length,
            rounds: self.found.decode.len(),
            prefill: spread(&self.found.prefill),
            decode: spread(&self.found.decode),
            batch5: spread(&self.found.batch5),
            sum_bytes: spread(&self.found.sum_bytes),
            weight_bytes: self.weight_bytes,
            threads: self.threads.count(),
            simd: kernels::simd().to_owned(),
        }
    }
}

/// A text of at most `length` tokens with the prefix; any will do.
fn prompt_of(tokenizer: &Tokenizer, length: usize) -> Result<String, GenerateError> {
    // A vocabulary may lack the space.
    let word = if tokenizer.encode(" a").is_ok() {
        " a"
    } else {
        "a"
    };
    let prefix = GenerationParams::default().prefix;
    let mut prompt = String::new();
    while tokenizer.encode(&format!("{prefix}{prompt}{word}"))?.len() <= length {
        prompt.push_str(word);
    }
    Ok(prompt)
}

/// Of at least one value.
fn spread(values: &[f64]) -> Spread {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (below, above) = ((sorted.len() - 1) / 2, sorted.len() / 2);
    Spread {
        median: 0.5 * (sorted[below] + sorted[above]),
        least: sorted[0],
        most: sorted[sorted.len() - 1],
    }
}
