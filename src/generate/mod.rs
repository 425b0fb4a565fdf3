//! `Generation`: continues a prompt in several sequences: a piece of the prompt per step, then one token of every
//! sequence per step.

pub mod checked_params;
pub mod error;
pub mod logits;
pub mod output;
pub mod parameter;
pub mod params;
pub mod perplexity;
pub mod sampler;
pub mod scores;

use std::sync::Arc;

use crate::infer::{Logits, Model, PREFILL_CHUNK, Session};
use crate::parallel::Threads;
use crate::tokenizer::{DecodeStream, Tokenizer};

use checked_params::CheckedParams;
pub use error::GenerateError;
pub use output::{FinishedSequence, NewToken, StepOutput, StopReason};
use params::GenerationParams;
use sampler::{Sample, Sampler, SamplerScratch};

/// The generation of several continuations of one prompt, in progress.
pub struct Generation {
    session: Session,
    rules: Rules,
    prefilled: usize,
    sequences: Vec<Sequence>,
    /// Each unfinished sequence and its last token.
    last: Vec<(usize, u32)>,
    new_tokens: usize,
}

/// How sequences continue from their logits; shared by all sequences.
struct Rules {
    tokenizer: Arc<Tokenizer>,
    params: CheckedParams,
    eos_token_id: u32,
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
    /// [`GenerateError`], all but [`GenerateError::BrokenLogits`].
    pub fn new(
        model: Arc<Model>,
        tokenizer: Arc<Tokenizer>,
        prompt: &str,
        params: &GenerationParams,
        seed: u32,
    ) -> Result<Self, GenerateError> {
        let n_ctx = model.config.n_ctx;
        let (bos, eos_token_id) = (model.config.bos_token_id, model.config.eos_token_id);
        let params = params.check(n_ctx)?;
        let text = format!("{}{prompt}", params.prefix);
        tokenizer.check_length(&text, n_ctx)?;
        let mut prompt_ids = tokenizer.encode(&text)?;
        if prompt_ids.is_empty() {
            prompt_ids.push(bos);
        }
        let max_new = params.max_new(prompt_ids.len())?;
        let n_sequences = params.num_return_sequences;
        let session = Session::new(model, n_sequences, prompt_ids.len(), max_new)?;
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
            rules: Rules {
                tokenizer,
                params,
                eos_token_id,
                prompt: prompt.to_owned(),
                prompt_ids,
                max_new,
                scratch: SamplerScratch::default(),
            },
            prefilled: 0,
            sequences,
            last: Vec::with_capacity(n_sequences),
            new_tokens: 0,
        })
    }

    /// Sets the threads; the texts do not depend on their number.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.session = self.session.with_threads(threads);
        self
    }

    /// Computes a piece of the prompt, or one token of every unfinished sequence. The last piece of the prompt returns
    /// the first tokens. Does nothing when all sequences are finished.
    ///
    /// # Errors
    /// [`GenerateError::BrokenLogits`]; [`GenerateError::Infer`] only if model and tokenizer do not belong together.
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
            if is_last {
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

    /// Ends every unfinished sequence with its text so far; bytes of an incomplete character are dropped.
    pub fn stop(&mut self) -> Vec<StepOutput> {
        let mut outputs = Vec::new();
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
        if self.params.repetition_penalty != 1.0 {
            let context = [&self.prompt_ids[..], &sequence.token_ids].concat();
            logits::penalize_repetition(logits, &context, self.params.repetition_penalty);
        }
        if self.prompt_ids.len() + sequence.token_ids.len() < self.params.min_length {
            logits::forbid(logits, self.eos_token_id);
        }
        let Sample { token_id, prob } = sequence.sampler.take(logits, &mut self.scratch)?;
        sequence.token_ids.push(token_id);
        let mut text = sequence.stream.push(&self.tokenizer, token_id);
        let mut stop_reason = None;
        if token_id == self.eos_token_id {
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
        outputs.push(StepOutput::Token(NewToken {
            sequence: index,
            token_id,
            text,
            prob,
        }));
        if let Some(reason) = stop_reason {
            outputs.push(self.finish(index, sequence, reason));
        }
        Ok(())
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
