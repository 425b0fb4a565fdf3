//! `Generation`: continues a prompt in several sequences: a piece of the prompt per step, then one token of every
//! sequence per step.

mod beams;
pub mod checked_params;
pub mod error;
mod infinity;
pub mod model_defaults;
pub mod next_logits;
pub mod not_done;
pub mod output;
pub mod parameter;
pub mod params;
pub mod perplexity;
pub mod processors;
pub mod sampler;

use std::sync::Arc;

use crate::infer::{Logits, Mix, Model, PREFILL_CHUNK, Session};
use crate::parallel::Threads;
use crate::tokenizer::{DecodeStream, Tokenizer};

use beams::Beams;
use checked_params::{CheckedParams, check_ids};
pub use error::GenerateError;
pub use output::{FinishedSequence, NewToken, StepOutput, StopReason};
use parameter::Parameter;
use params::GenerationParams;
use processors::Processors;
use sampler::{Sample, Sampler, SamplerScratch};

/// The generation of several continuations of one prompt, in progress.
pub struct Generation {
    session: Session,
    rules: Rules,
    prefilled: usize,
    sequences: Vec<Sequence>,
    /// The search for the sequences, which are written when it is done; `None` if each is written by itself.
    beams: Option<Beams>,
    /// Each unfinished sequence and its last token.
    last: Vec<(usize, u32)>,
    new_tokens: usize,
}

/// How sequences continue from their logits; shared by all sequences.
struct Rules {
    tokenizer: Arc<Tokenizer>,
    params: CheckedParams,
    processors: Processors,
    /// The tokens that end a text.
    eos: Vec<u32>,
    prompt: String,
    /// Prefix and prompt; never empty.
    prompt_ids: Vec<u32>,
    max_new: usize,
    scratch: SamplerScratch,
}

/// One continuation.
struct Sequence {
    sampler: Sampler,
    stream: DecodeStream,
    text: String,
    token_ids: Vec<u32>,
    is_finished: bool,
}

impl Generation {
    /// Prepares to continue `prompt`. Nothing is computed yet.
    ///
    /// Prefix and prompt are tokenized together. Without any token, the model's opening token takes their place. `seed`
    /// is used if `params` has no seed.
    ///
    /// # Errors
    /// [`GenerateError`], all but [`GenerateError::BrokenLogits`] and [`GenerateError::AllForbidden`];
    /// [`GenerateError::EmptyText`] if there is no token and the model has no opening token.
    pub fn new(
        model: Arc<Model>,
        tokenizer: Arc<Tokenizer>,
        prompt: &str,
        params: &GenerationParams,
        seed: u32,
    ) -> Result<Self, GenerateError> {
        let n_ctx = model.config.n_ctx;
        let opening_token = model.config.opening_token();
        let params = params.check(n_ctx)?;
        check_ids(&params, model.config.vocab_size)?;
        let eos = match params.eos_token_id.is_empty() {
            true => model.config.eos_token_ids.clone(),
            false => params.eos_token_id.clone(),
        };
        let text = format!("{}{prompt}", params.prefix);
        tokenizer.check_length(&text, n_ctx)?;
        let mut prompt_ids = tokenizer.encode(&text)?;
        if prompt_ids.is_empty() {
            prompt_ids.push(opening_token.ok_or(GenerateError::EmptyText)?);
        }
        let max_new = params.max_new(prompt_ids.len())?;
        let n_sequences = params.num_return_sequences;
        let n_beams = params.num_beams;
        // The last new token is not computed with.
        let n_sessions = n_sequences.max(n_beams);
        let session = Session::new(model, n_sessions, prompt_ids.len(), max_new - 1)?;
        let seed = params.seed.unwrap_or(seed);
        let sequences = (0..)
            .take(n_sequences)
            .map(|i| Sequence {
                sampler: Sampler::new(&params, seed, i),
                stream: DecodeStream::after(&tokenizer, &prompt_ids),
                text: String::new(),
                token_ids: Vec::new(),
                is_finished: false,
            })
            .collect();
        Ok(Self {
            session,
            beams: (n_beams > 1).then(|| Beams::new(&params, &eos, max_new, seed)),
            rules: Rules {
                tokenizer,
                processors: Processors::new(&params, &eos, prompt_ids.len(), max_new),
                params,
                eos,
                prompt: prompt.to_owned(),
                prompt_ids,
                max_new,
                scratch: SamplerScratch::default(),
            },
            prefilled: 0,
            sequences,
            last: Vec::with_capacity(n_sequences.max(n_beams)),
            new_tokens: 0,
        })
    }

    /// Sets the threads; the texts do not depend on their number.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.session = self.session.with_threads(threads);
        self
    }

    /// Computes with adapters of the model.
    #[must_use]
    pub fn with_adapters(mut self, adapters: Mix) -> Self {
        self.session = self.session.with_adapters(adapters);
        self
    }

    /// Computes a piece of the prompt, or one token of every unfinished sequence. The last piece of the prompt returns
    /// the first tokens; a beam search returns all tokens at its end. Does nothing when all sequences are finished.
    ///
    /// # Errors
    /// [`GenerateError::BrokenLogits`]; [`GenerateError::AllForbidden`]; [`GenerateError::BadParameter`] if a parameter makes
    /// the scores infinite; [`GenerateError::Infer`] only if model and tokenizer do not belong together.
    pub fn step(&mut self) -> Result<Vec<StepOutput>, GenerateError> {
        let mut outputs = Vec::new();
        let Self {
            session,
            sequences,
            rules,
            ..
        } = self;
        if self.prefilled < rules.prompt_ids.len() {
            let end = (self.prefilled + PREFILL_CHUNK).min(rules.prompt_ids.len());
            let is_last = end == rules.prompt_ids.len();
            let wanted = if is_last { Logits::Last } else { Logits::Skip };
            let first = session.prefill(&rules.prompt_ids[self.prefilled..end], wanted)?;
            self.prefilled = end;
            if is_last && let Some(beams) = &mut self.beams {
                rules.search(beams, first)?;
                self.new_tokens = 1;
                self.finish_search(&mut outputs);
            } else if is_last {
                let mut logits = Vec::with_capacity(first.len());
                for (i, sequence) in sequences.iter_mut().enumerate() {
                    logits.clear();
                    logits.extend_from_slice(first);
                    rules.extend(i, sequence, &mut logits, &mut outputs)?;
                    self.new_tokens += 1;
                }
            }
            return Ok(outputs);
        }
        self.last.clear();
        if let Some(beams) = self.beams.as_mut().filter(|beams| !beams.is_done()) {
            beams.place(session);
            self.last.extend(beams.last_tokens());
            let rows = session.decode(&self.last)?;
            rules.search(beams, rows)?;
            self.new_tokens += 1;
            self.finish_search(&mut outputs);
            return Ok(outputs);
        }
        self.last.extend(
            sequences
                .iter()
                .enumerate()
                .filter(|(_, sequence)| !sequence.is_finished)
                .filter_map(|(i, sequence)| Some((i, *sequence.token_ids.last()?))),
        );
        if self.last.is_empty() {
            return Ok(outputs);
        }
        let rows = session.decode(&self.last)?;
        let vocab_size = rows.len() / self.last.len();
        for (&(i, _), row) in self.last.iter().zip(rows.chunks_exact_mut(vocab_size)) {
            rules.extend(i, &mut sequences[i], row, &mut outputs)?;
            self.new_tokens += 1;
        }
        Ok(outputs)
    }

    /// Writes the sequences that a search has found, once it is done.
    fn finish_search(&mut self, outputs: &mut Vec<StepOutput>) {
        let Some(beams) = self.beams.as_mut().filter(|beams| beams.is_done()) else {
            return;
        };
        self.new_tokens = 0;
        let found = beams.take_best(self.sequences.len());
        for (i, (sequence, hypothesis)) in self.sequences.iter_mut().zip(found).enumerate() {
            for (token_id, prob) in hypothesis {
                if !sequence.is_finished {
                    self.rules
                        .accept(i, sequence, Sample { token_id, prob }, outputs);
                    self.new_tokens += 1;
                }
            }
            if !sequence.is_finished {
                outputs.push(self.rules.finish(i, sequence, StopReason::Stopped));
            }
        }
        // Where every continuation was forbidden, the search may have found fewer.
        for (i, sequence) in self.sequences.iter_mut().enumerate() {
            if !sequence.is_finished {
                outputs.push(self.rules.finish(i, sequence, StopReason::Stopped));
            }
        }
    }

    /// Ends every unfinished sequence with its text so far; bytes of an incomplete character are dropped.
    pub fn stop(&mut self) -> Vec<StepOutput> {
        let mut outputs = Vec::new();
        if let Some(beams) = self.beams.as_mut().filter(|beams| !beams.is_done()) {
            beams.stop();
            self.finish_search(&mut outputs);
        }
        for (i, sequence) in self.sequences.iter_mut().enumerate() {
            if !sequence.is_finished {
                let finished = self.rules.finish(i, sequence, StopReason::Stopped);
                outputs.push(finished);
            }
        }
        outputs
    }

    /// Whether the next step computes a piece of the prompt.
    pub fn is_prefilling(&self) -> bool {
        self.prefilled < self.rules.prompt_ids.len()
    }

    /// Whether every sequence is complete.
    pub fn is_done(&self) -> bool {
        self.sequences.iter().all(|sequence| sequence.is_finished)
    }

    /// Tokens of prefix and prompt.
    pub fn prompt_tokens(&self) -> usize {
        self.rules.prompt_ids.len()
    }

    /// New tokens of all sequences so far.
    pub fn new_tokens(&self) -> usize {
        self.new_tokens
    }
}

impl Rules {
    /// Takes the next token of sequence number `index` from its logits (V), which change.
    fn extend(
        &mut self,
        index: usize,
        sequence: &mut Sequence,
        logits: &mut [f32],
        outputs: &mut Vec<StepOutput>,
    ) -> Result<(), GenerateError> {
        let Self {
            processors,
            params,
            prompt_ids,
            scratch,
            ..
        } = self;
        processors.apply(logits, prompt_ids, &sequence.token_ids);
        // No other error comes of drawing.
        let sample = sequence
            .sampler
            .draw(logits, scratch)
            .map_err(|_| processors.cause(params, logits, prompt_ids, &sequence.token_ids))?;
        self.accept(index, sequence, sample, outputs);
        Ok(())
    }

    /// Takes a token of sequence number `index`.
    fn accept(
        &mut self,
        index: usize,
        sequence: &mut Sequence,
        Sample { token_id, prob }: Sample,
        outputs: &mut Vec<StepOutput>,
    ) {
        sequence.token_ids.push(token_id);
        let mut text = sequence.stream.push(&self.tokenizer, token_id);
        let mut stop_reason = None;
        if self.eos.contains(&token_id) {
            stop_reason = Some(StopReason::EndOfText);
        } else if sequence.token_ids.len() == self.max_new {
            stop_reason = Some(StopReason::Length);
        }
        if stop_reason.is_some() {
            text.push_str(&sequence.stream.finish(&self.tokenizer));
        }
        if self.params.stop_at_newline
            && let Some(end) = text.find(['\n', '\r'])
        {
            text.truncate(end);
            stop_reason = Some(StopReason::Newline);
        }
        sequence.text.push_str(&text);
        if stop_reason.is_none() && self.ends_in_stop_string(&sequence.text, &text) {
            stop_reason = Some(StopReason::StopString);
        }
        outputs.push(StepOutput::Token(NewToken {
            sequence: index,
            token_id,
            text,
            prob,
        }));
        if let Some(reason) = stop_reason {
            outputs.push(self.finish(index, sequence, reason));
        }
    }

    /// Whether one of the stop strings reaches into `piece`, the end of the new text `text`.
    fn ends_in_stop_string(&self, text: &str, piece: &str) -> bool {
        self.params.stop_strings.iter().any(|stop| {
            // A stop string may begin in the prompt.
            let whole = [&self.prompt, text].concat();
            let earlier = whole.len() - piece.len();
            let start = earlier.saturating_sub(stop.len().saturating_sub(1));
            let start = (0..=start).rev().find(|at| whole.is_char_boundary(*at));
            !piece.is_empty() && whole[start.unwrap_or(0)..].contains(stop.as_str())
        })
    }

    /// Takes the logits (n, V) of the beams' next tokens, which change.
    fn search(&mut self, beams: &mut Beams, rows: &mut [f32]) -> Result<(), GenerateError> {
        let Self {
            processors,
            prompt_ids,
            scratch,
            tokenizer,
            params,
            prompt,
            ..
        } = self;
        let ends = |new: &[u32]| {
            if params.stop_strings.is_empty() {
                return false;
            }
            let text = |ids: &[u32]| tokenizer.decode(ids).unwrap_or_default();
            let (before, text) = (text(&new[..new.len() - 1]), text(new));
            let whole = [prompt.as_str(), &text].concat();
            let count = |whole: &str, stop: &str| whole.matches(stop).count();
            let before = [prompt.as_str(), &before].concat();
            let mut stops = params.stop_strings.iter();
            stops.any(|stop| count(&whole, stop) > count(&before, stop))
        };
        let mut process =
            |scores: &mut [f32], new: &[u32]| processors.apply(scores, prompt_ids, new);
        let step = beams.step(rows, &mut process, &ends, scratch);
        step.map_err(|error| match error {
            // Some could be drawn, and dividing by the temperature has made all of them impossible.
            GenerateError::AllForbidden if params.do_sample && !scratch.candidates.is_empty() => {
                GenerateError::too_strong(Parameter::Temperature, params)
            }
            error => error,
        })
    }

    fn finish(&self, index: usize, sequence: &mut Sequence, stop_reason: StopReason) -> StepOutput {
        sequence.is_finished = true;
        let prompt = if self.params.return_full_text {
            self.prompt.as_str()
        } else {
            ""
        };
        StepOutput::Finished(FinishedSequence {
            sequence: index,
            generated_text: format!("{prompt}{}", sequence.text),
            token_ids: std::mem::take(&mut sequence.token_ids),
            stop_reason,
        })
    }
}
