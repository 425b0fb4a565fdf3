//! `Generation`: prefill, then one token of every sequence per `step()`.

pub mod logits;
pub mod params;
pub mod perplexity;
pub mod sampler;

use std::sync::Arc;

use crate::infer::{InferError, Logits, Model, PREFILL_CHUNK, Session};
use crate::parallel::Threads;
use crate::tokenizer::{DecodeStream, Tokenizer, TokenizerError};

use params::{CheckedParams, GenerationParams};
use sampler::{Choice, Sampler, SamplerScratch};

/// Why a text could not be continued; nothing has run then, except for [`GenerateError::BrokenLogits`].
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A parameter out of range.
    #[error("`{name}` is {got}, which is out of range; it must be {allowed}")]
    BadParameter {
        /// As in [`GenerationParams`].
        name: &'static str,
        /// What was given.
        got: String,
        /// What can be given.
        allowed: &'static str,
    },
    /// More in all than the model can see.
    #[error(
        "`max_length` is {max_length}, this model's context holds {n_ctx} tokens; set it to {n_ctx} or less"
    )]
    MaxLengthBeyondContext {
        /// What was given.
        max_length: usize,
        /// The model's context.
        n_ctx: usize,
    },
    /// Prompt and new tokens are more than the model can see.
    #[error(
        "prompt ({prompt_tokens} tokens) and new text ({new_tokens}) need more than this model's context of {n_ctx} tokens; shorten the prompt or lower `max_new_tokens`"
    )]
    ContextOverflow {
        /// Tokens of prefix and prompt.
        prompt_tokens: usize,
        /// New tokens asked for.
        new_tokens: usize,
        /// The model's context.
        n_ctx: usize,
    },
    /// The prompt alone reaches `max_length`.
    #[error(
        "the prompt has {prompt_tokens} tokens, `max_length` of {max_length} leaves no room for new ones; shorten the prompt or raise `max_length`"
    )]
    NoRoom {
        /// Tokens of prefix and prompt.
        prompt_tokens: usize,
        /// The limit that was given.
        max_length: usize,
    },
    /// A file with defaults that cannot be read.
    #[error("`{file}` is damaged ({source}); take it from the model's repository again")]
    Defaults {
        /// The file.
        file: &'static str,
        /// Where and what.
        source: serde_json::Error,
    },
    /// Scores that are no numbers.
    #[error(
        "the model's scores are not finite numbers; its file is damaged or of another model, load it again"
    )]
    BrokenLogits,
    /// The prompt could not be tokenised.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The model refused the tokens.
    #[error(transparent)]
    Infer(#[from] InferError),
}

/// Why a sequence ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The model wrote its end-of-text token.
    EndOfText,
    /// `max_length` or `max_new_tokens` was reached.
    Length,
    /// A line break came and `stop_at_newline` was set.
    Newline,
    /// [`Generation::stop`] was called.
    Stopped,
}

/// What a step brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A sequence has one more token.
    Token {
        /// 0-based index of the sequence.
        sequence: usize,
        /// The token, the end-of-text token included.
        token_id: u32,
        /// Text that became whole with it. A sequence's pieces together are its continuation.
        text: String,
        /// Its probability, see [`Choice::prob`].
        prob: f32,
    },
    /// A sequence is complete.
    Finished {
        /// 0-based index of the sequence.
        sequence: usize,
        /// Prompt as typed and continuation, or the continuation alone, as `return_full_text` asks.
        generated_text: String,
        /// All its new tokens, the one that ended it included.
        token_ids: Vec<u32>,
        /// Why it ended.
        stop_reason: StopReason,
    },
}

/// Several continuations of one prompt, in the making.
pub struct Generation {
    tokenizer: Arc<Tokenizer>,
    session: Session,
    params: CheckedParams,
    eos_token_id: u32,
    prompt: String,
    /// Prefix and prompt; never empty.
    prompt_ids: Vec<u32>,
    prefilled: usize,
    max_new: usize,
    sequences: Vec<Sequence>,
    /// (V): one sequence's logits while they are changed.
    logits: Vec<f32>,
    scratch: SamplerScratch,
    new_tokens: usize,
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
    /// Prepared to continue `prompt`; nothing has run yet.
    ///
    /// Prefix and prompt are tokenised together. If that gives no token at all, the model's opening token stands in.
    /// `seed` is used where `params` has none.
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
        let (n_ctx, vocab_size) = (model.config.n_ctx, model.config.vocab_size);
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
                stream: DecodeStream::new(),
                text: String::new(),
                token_ids: Vec::new(),
                is_finished: false,
            })
            .collect();
        Ok(Self {
            tokenizer,
            session,
            params,
            eos_token_id,
            prompt: prompt.to_owned(),
            prompt_ids,
            prefilled: 0,
            max_new,
            sequences,
            logits: Vec::with_capacity(vocab_size),
            scratch: SamplerScratch::default(),
            new_tokens: 0,
        })
    }

    /// Computes on these threads from now on; the texts are the same on any number.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.session = self.session.with_threads(threads);
        self
    }

    /// Takes in a piece of the prompt, or writes one token of every unfinished sequence.
    /// When the prompt is taken in, the first tokens come with it. Does nothing when all are finished.
    ///
    /// # Errors
    /// [`GenerateError::BrokenLogits`]; [`GenerateError::Infer`] only if model and tokenizer do not belong together.
    pub fn step(&mut self) -> Result<Vec<Output>, GenerateError> {
        let mut outputs = Vec::new();
        if self.is_prefilling() {
            let end = (self.prefilled + PREFILL_CHUNK).min(self.prompt_ids.len());
            let is_last = end == self.prompt_ids.len();
            let wanted = if is_last { Logits::Last } else { Logits::Skip };
            let rows = self
                .session
                .prefill(&self.prompt_ids[self.prefilled..end], wanted)?;
            self.prefilled = end;
            if is_last {
                let first = rows.to_vec();
                for sequence in 0..self.sequences.len() {
                    self.extend(sequence, &first, &mut outputs)?;
                }
            }
            return Ok(outputs);
        }
        let last: Vec<(usize, u32)> = self
            .sequences
            .iter()
            .enumerate()
            .filter(|(_, sequence)| !sequence.is_finished)
            .filter_map(|(i, sequence)| Some((i, *sequence.token_ids.last()?)))
            .collect();
        if last.is_empty() {
            return Ok(outputs);
        }
        let rows = self.session.decode(&last)?.to_vec();
        let vocab_size = rows.len() / last.len();
        for (&(sequence, _), row) in last.iter().zip(rows.chunks_exact(vocab_size)) {
            self.extend(sequence, row, &mut outputs)?;
        }
        Ok(outputs)
    }

    /// Ends every unfinished sequence with the text it has shown; bytes that are no whole character yet are dropped.
    pub fn stop(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        for sequence in 0..self.sequences.len() {
            if !self.sequences[sequence].is_finished {
                self.finish(sequence, StopReason::Stopped, &mut outputs);
            }
        }
        outputs
    }

    /// Whether the next step takes in prompt.
    pub fn is_prefilling(&self) -> bool {
        self.prefilled < self.prompt_ids.len()
    }

    /// Whether every sequence is complete.
    pub fn is_done(&self) -> bool {
        self.sequences.iter().all(|sequence| sequence.is_finished)
    }

    /// Tokens of prefix and prompt.
    pub fn prompt_tokens(&self) -> usize {
        self.prompt_ids.len()
    }

    /// New tokens of all sequences so far.
    pub fn new_tokens(&self) -> usize {
        self.new_tokens
    }

    /// Takes the next token of one sequence from its logits (V).
    fn extend(
        &mut self,
        index: usize,
        logits: &[f32],
        outputs: &mut Vec<Output>,
    ) -> Result<(), GenerateError> {
        let sequence = &mut self.sequences[index];
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        if self.params.repetition_penalty != 1.0 {
            let context = [&self.prompt_ids[..], &sequence.token_ids].concat();
            logits::penalize_repetition(&mut self.logits, &context, self.params.repetition_penalty);
        }
        if self.prompt_ids.len() + sequence.token_ids.len() < self.params.min_length {
            logits::forbid(&mut self.logits, self.eos_token_id);
        }
        let Choice { token_id, prob } = sequence.sampler.take(&self.logits, &mut self.scratch)?;
        sequence.token_ids.push(token_id);
        self.new_tokens += 1;
        let mut text = sequence.stream.push(&self.tokenizer, token_id);
        let mut stop_reason = None;
        if token_id == self.eos_token_id {
            stop_reason = Some(StopReason::EndOfText);
        } else if sequence.token_ids.len() == self.max_new {
            stop_reason = Some(StopReason::Length);
        }
        if stop_reason.is_some() {
            text.push_str(&sequence.stream.finish());
        }
        if self.params.stop_at_newline
            && let Some(end) = text.find(['\n', '\r'])
        {
            text.truncate(end);
            stop_reason = Some(StopReason::Newline);
        }
        sequence.text.push_str(&text);
        outputs.push(Output::Token {
            sequence: index,
            token_id,
            text,
            prob,
        });
        if let Some(reason) = stop_reason {
            self.finish(index, reason, outputs);
        }
        Ok(())
    }

    fn finish(&mut self, index: usize, stop_reason: StopReason, outputs: &mut Vec<Output>) {
        let sequence = &mut self.sequences[index];
        sequence.is_finished = true;
        let prompt = if self.params.return_full_text {
            self.prompt.as_str()
        } else {
            ""
        };
        outputs.push(Output::Finished {
            sequence: index,
            generated_text: format!("{prompt}{}", sequence.text),
            token_ids: std::mem::take(&mut sequence.token_ids),
            stop_reason,
        });
    }
}
