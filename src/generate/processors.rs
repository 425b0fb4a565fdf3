//! `Processors`: what forbids tokens and changes their scores by the tokens before them, in the order of `transformers`.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use super::error::GenerateError;
use super::parameter::Parameter;
use super::params::GenerationParams;
use crate::json::map_of;
use crate::kernels::logits;

/// The rules of a generation for the scores of the next token.
///
/// Order and meanings as in huggingface/transformers `generation/utils.py`, `_get_logits_processor`, and
/// `generation/logits_process.py`.
#[derive(Debug, Default)]
pub struct Processors {
    sequence_bias: Biases,
    repetition_penalty: f32,
    no_repeat_ngram_size: usize,
    bad_words: Biases,
    eos: Vec<u32>,
    /// Tokens in all before a text may end.
    min_total: usize,
    forced_bos: Option<u32>,
    forced_eos: Vec<u32>,
    decay: Option<(usize, f32)>,
    suppressed: Vec<u32>,
    begin_suppressed: Vec<u32>,
    /// Tokens in all at which the first suppression counts.
    begin: usize,
    /// Tokens in all before the last token.
    last: usize,
    is_active: bool,
    context: Vec<u32>,
}

/// Numbers that are added to the score of a sequence's last token after its other tokens.
#[derive(Debug, Default)]
struct Biases(Vec<(Vec<u32>, f32)>);

impl Biases {
    /// Of a sequence that is listed twice the last number counts. The lowest number that JSON can hold forbids.
    fn new(biases: impl Iterator<Item = (Vec<u32>, f32)>) -> Self {
        let biases: BTreeMap<Vec<u32>, f32> = map_of(biases);
        let forbids = |bias: f32| bias <= f32::MIN;
        let biases = biases
            .into_iter()
            .map(|(sequence, bias)| match forbids(bias) {
                true => (sequence, f32::NEG_INFINITY),
                false => (sequence, bias),
            });
        Self(biases.collect())
    }

    fn add_to(&self, scores: &mut [f32], context: &[u32]) {
        for (sequence, bias) in &self.0 {
            if let Some((last, before)) = sequence.split_last()
                && context.ends_with(before)
                && let Some(score) = scores.get_mut(*last as usize)
            {
                *score += bias;
            }
        }
    }
}

impl Processors {
    /// The rules of `params` for texts that `eos` ends, with `max_new` tokens after a prompt of `prompt_len`.
    pub fn new(params: &GenerationParams, eos: &[u32], prompt_len: usize, max_new: usize) -> Self {
        let bad_words = params.bad_words_ids.iter();
        // A token that ends a text is never a bad word, as in `transformers`.
        let bad_words = bad_words.filter(|word| !matches!(word[..], [one] if eos.contains(&one)));
        let mut processors = Self {
            sequence_bias: Biases::new(params.sequence_bias.iter().cloned()),
            repetition_penalty: params.repetition_penalty,
            no_repeat_ngram_size: params.no_repeat_ngram_size,
            bad_words: Biases::new(bad_words.map(|word| (word.clone(), f32::NEG_INFINITY))),
            eos: eos.to_vec(),
            min_total: match params.min_new_tokens {
                None => params.min_length,
                Some(n) => prompt_len.saturating_add(n),
            },
            forced_bos: params.forced_bos_token_id,
            forced_eos: params.forced_eos_token_id.clone(),
            decay: params
                .exponential_decay_length_penalty
                .map(|(start, factor)| (prompt_len.saturating_add(start as usize), factor)),
            suppressed: params.suppress_tokens.clone(),
            begin_suppressed: params.begin_suppress_tokens.clone(),
            // After a first token that is forced, the text begins with the second.
            begin: match params.forced_bos_token_id {
                Some(_) if prompt_len == 1 => 2,
                _ => prompt_len,
            },
            last: prompt_len + max_new - 1,
            is_active: false,
            context: Vec::with_capacity(prompt_len + max_new),
        };
        processors.is_active = processors.needs_context()
            || processors.forced_bos.is_some()
            || !processors.forced_eos.is_empty()
            || processors.decay.is_some()
            || !processors.suppressed.is_empty()
            || !processors.begin_suppressed.is_empty();
        processors
    }

    fn needs_context(&self) -> bool {
        self.repetition_penalty != 1.0
            || self.no_repeat_ngram_size > 0
            || !self.sequence_bias.0.is_empty()
            || !self.bad_words.0.is_empty()
    }

    /// Why no token can be drawn from the scores that [`Self::apply`] has changed: a parameter of `params` has made the
    /// scores infinite of tokens that it changes, or the settings forbid all, or the model's own scores are broken.
    pub(super) fn cause(
        &self,
        params: &GenerationParams,
        scores: &[f32],
        prompt: &[u32],
        new: &[u32],
    ) -> GenerateError {
        if scores.iter().all(|score| *score == f32::NEG_INFINITY) {
            return GenerateError::AllForbidden;
        }
        let mut cause = None;
        for (score, id) in scores.iter().zip(0_u32..) {
            if *score < f32::INFINITY {
                continue;
            }
            cause = Some(match self.decay {
                Some(_) if self.eos.contains(&id) => Parameter::ExponentialDecayLengthPenalty,
                _ if self.repetition_penalty != 1.0
                    && *score == f32::INFINITY
                    && (prompt.contains(&id) || new.contains(&id)) =>
                {
                    Parameter::RepetitionPenalty
                }
                _ => return GenerateError::BrokenLogits,
            });
        }
        cause.map_or(GenerateError::BrokenLogits, |parameter| {
            GenerateError::too_strong(parameter, params)
        })
    }

    /// Changes the scores (V) of the token after `prompt` and `new`. Ids outside the vocabulary are ignored.
    pub fn apply(&mut self, scores: &mut [f32], prompt: &[u32], new: &[u32]) {
        let len = prompt.len() + new.len();
        let must_go_on = len < self.min_total;
        if !self.is_active {
            if must_go_on {
                forbid_all(scores, &self.eos);
            }
            return;
        }
        if self.needs_context() {
            self.context.clear();
            self.context.extend_from_slice(prompt);
            self.context.extend_from_slice(new);
            let context = &self.context;
            self.sequence_bias.add_to(scores, context);
            penalize_repetition(scores, context, self.repetition_penalty);
            forbid_repeats(scores, context, self.no_repeat_ngram_size);
            self.bad_words.add_to(scores, context);
        }
        if must_go_on {
            forbid_all(scores, &self.eos);
        }
        if let (Some(token_id), 1) = (self.forced_bos, len) {
            force(scores, &[token_id]);
        }
        if !self.forced_eos.is_empty() && len == self.last {
            force(scores, &self.forced_eos);
        }
        if let Some((start, factor)) = self.decay
            && len > start
        {
            let power = factor.powf((len - start) as f32) - 1.0;
            for id in &self.eos {
                if let Some(score) = scores.get_mut(*id as usize)
                    && score.is_finite()
                {
                    *score += score.abs() * power;
                }
            }
        }
        forbid_all(scores, &self.suppressed);
        if len == self.begin {
            forbid_all(scores, &self.begin_suppressed);
        }
    }
}

/// Divides the positive and multiplies the negative logits of the tokens in `context` by `penalty`, each once.
///
/// `logits`: (V); ids of `context` from V on are ignored.
///
/// Source: Keskar et al. 2019, CTRL, §4.1.
pub fn penalize_repetition(logits: &mut [f32], context: &[u32], penalty: f32) {
    if penalty == 1.0 {
        return;
    }
    let penalized = Tensor::from_slice(logits, logits.len(), &Device::Cpu)
        .and_then(|t| candle_transformers::utils::apply_repeat_penalty(&t, penalty, context))
        .and_then(|t| t.to_vec1::<f32>())
        .expect("a one-dimensional f32 tensor on the CPU stays one");
    logits.copy_from_slice(&penalized);
}

fn forbid_all(scores: &mut [f32], token_ids: &[u32]) {
    for token_id in token_ids {
        logits::forbid(scores, *token_id);
    }
}

/// Forbids all tokens but `token_ids`, which all score 0.
fn force(scores: &mut [f32], token_ids: &[u32]) {
    if !token_ids.iter().any(|id| (*id as usize) < scores.len()) {
        return;
    }
    scores.fill(f32::NEG_INFINITY);
    for token_id in token_ids {
        if let Some(score) = scores.get_mut(*token_id as usize) {
            *score = 0.0;
        }
    }
}

/// Forbids the tokens after which a run of `n` tokens would occur a second time; `n` = 0 forbids none.
fn forbid_repeats(scores: &mut [f32], context: &[u32], n: usize) {
    if n == 0 || context.len() < n {
        return;
    }
    let end = &context[context.len() + 1 - n..];
    for run in context.windows(n) {
        if run[..n - 1] == *end {
            logits::forbid(scores, run[n - 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: f32 = f32::NEG_INFINITY;

    /// The scores of eight tokens, all 1 before.
    fn applied(params: &GenerationParams, prompt: &[u32], new: &[u32]) -> Vec<f32> {
        let mut scores = vec![1.0; 8];
        Processors::new(params, &[7, 6], prompt.len(), 4).apply(&mut scores, prompt, new);
        scores
    }

    fn forbidden(params: &GenerationParams, prompt: &[u32], new: &[u32]) -> Vec<usize> {
        let scores = applied(params, prompt, new);
        (0..8).filter(|id| scores[*id] == NEVER).collect()
    }

    fn plain() -> GenerationParams {
        GenerationParams::of_the_library()
    }

    // https://github.com/microsoft/onnxruntime-genai/issues/2241
    #[test]
    fn no_run_comes_twice_in_prompt_and_text() {
        let params = |n| GenerationParams {
            no_repeat_ngram_size: n,
            ..plain()
        };
        assert_eq!(forbidden(&params(2), &[1, 2, 1], &[3, 1]), [2, 3]);
        assert_eq!(forbidden(&params(3), &[1, 2, 3], &[1, 2]), [3]);
        assert_eq!(forbidden(&params(1), &[1, 2], &[5]), [1, 2, 5]);
        assert_eq!(forbidden(&params(4), &[1, 2], &[]), [0; 0]);
        assert_eq!(forbidden(&params(0), &[1, 1], &[1]), [0; 0]);
    }

    #[test]
    fn bad_words_never_come_but_may_begin() {
        let params = GenerationParams {
            bad_words_ids: vec![vec![3], vec![1, 2], vec![7], vec![4, 99], vec![0, 1, 2, 5]],
            ..plain()
        };
        // 7 ends a text, so it is no bad word.
        assert_eq!(forbidden(&params, &[0], &[]), [3]);
        assert_eq!(forbidden(&params, &[1], &[]), [2, 3]);
        assert_eq!(forbidden(&params, &[0, 1], &[2]), [3, 5]);
    }

    #[test]
    fn biases_are_added_after_the_tokens_before_them() {
        let params = GenerationParams {
            sequence_bias: vec![(vec![3], -2.5), (vec![1, 2], 4.0), (vec![3], 0.5)],
            ..plain()
        };
        let scores = applied(&params, &[0], &[1]);
        assert_eq!(scores[..4], [1.0, 1.0, 5.0, 1.5]);
    }

    #[test]
    fn every_end_is_forbidden_until_the_text_is_long_enough() {
        let min = |min_length, min_new_tokens| GenerationParams {
            min_length,
            min_new_tokens,
            ..plain()
        };
        assert_eq!(forbidden(&min(4, None), &[1, 2], &[3]), [6, 7]);
        assert_eq!(forbidden(&min(4, None), &[1, 2], &[3, 3]), [0; 0]);
        assert_eq!(forbidden(&min(0, Some(2)), &[1, 2], &[3]), [6, 7]);
        // The number of new tokens wins, also where it is 0.
        assert_eq!(forbidden(&min(99, Some(1)), &[1, 2], &[3]), [0; 0]);
        assert_eq!(forbidden(&min(99, Some(0)), &[1, 2], &[]), [0; 0]);
    }

    #[test]
    fn tokens_are_suppressed_everywhere_or_at_the_beginning() {
        let params = GenerationParams {
            suppress_tokens: vec![1, 4_000_000_000],
            begin_suppress_tokens: vec![2],
            ..plain()
        };
        assert_eq!(forbidden(&params, &[5, 5], &[]), [1, 2]);
        assert_eq!(forbidden(&params, &[5, 5], &[5]), [1]);
    }

    #[test]
    fn first_and_last_tokens_are_forced() {
        let params = GenerationParams {
            forced_bos_token_id: Some(3),
            forced_eos_token_id: vec![7],
            begin_suppress_tokens: vec![2],
            ..plain()
        };
        assert_eq!(applied(&params, &[5], &[])[3], 0.0);
        assert_eq!(forbidden(&params, &[5], &[]), [0, 1, 2, 4, 5, 6, 7]);
        // The forced token is not the beginning of the text.
        assert_eq!(forbidden(&params, &[5], &[3]), [2]);
        assert_eq!(forbidden(&params, &[5], &[3, 3, 3]), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(forbidden(&params, &[5, 5], &[]), [2]);
    }

    #[test]
    fn the_end_becomes_likelier_by_the_power_of_the_factor() {
        let params = GenerationParams {
            exponential_decay_length_penalty: Some((1, 2.0)),
            ..plain()
        };
        assert_eq!(applied(&params, &[5], &[5])[7], 1.0);
        let scores = applied(&params, &[5], &[5, 5, 5]);
        assert_eq!((scores[5], scores[6], scores[7]), (1.0, 4.0, 4.0));
    }
}
