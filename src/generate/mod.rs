//! `Generation`: prefill, then one token of every sequence per `step()`.

pub mod logits;
pub mod params;
pub mod perplexity;
pub mod sampler;
pub mod scores;

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
    /// A text without a token, where nothing stands in for it.
    #[error("the text is empty; give at least one character")]
    EmptyText,
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
    session: Session,
    rules: Rules,
    prefilled: usize,
    sequences: Vec<Sequence>,
    /// Each unfinished sequence and its last token.
    last: Vec<(usize, u32)>,
    new_tokens: usize,
}

/// How a sequence goes on from its logits; the same for all of them.
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
                stream: DecodeStream::new(),
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

    /// Ends every unfinished sequence with the text it has shown; bytes that are no whole character yet are dropped.
    pub fn stop(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (i, sequence) in self.sequences.iter_mut().enumerate() {
            if !sequence.is_finished {
                let finished = self.rules.finish(i, sequence, StopReason::Stopped);
                outputs.push(finished);
            }
        }
        outputs
    }

    /// Whether the next step takes in prompt.
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
        outputs: &mut Vec<Output>,
    ) -> Result<(), GenerateError> {
        if self.params.repetition_penalty != 1.0 {
            let context = [&self.prompt_ids[..], &sequence.token_ids].concat();
            logits::penalize_repetition(logits, &context, self.params.repetition_penalty);
        }
        if self.prompt_ids.len() + sequence.token_ids.len() < self.params.min_length {
            logits::forbid(logits, self.eos_token_id);
        }
        let Choice { token_id, prob } = sequence.sampler.take(logits, &mut self.scratch)?;
        sequence.token_ids.push(token_id);
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
            outputs.push(self.finish(index, sequence, reason));
        }
        Ok(())
    }

    fn finish(&self, index: usize, sequence: &mut Sequence, stop_reason: StopReason) -> Output {
        sequence.is_finished = true;
        let prompt = if self.params.return_full_text {
            self.prompt.as_str()
        } else {
            ""
        };
        Output::Finished {
            sequence: index,
            generated_text: format!("{prompt}{}", sequence.text),
            token_ids: std::mem::take(&mut sequence.token_ids),
            stop_reason,
        }
    }
}
