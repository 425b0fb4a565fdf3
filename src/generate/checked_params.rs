//! `CheckedParams`: generation parameters that are known to be in range.

use super::error::GenerateError;
use super::parameter::{OutOfRange, Parameter};
use super::params::GenerationParams;

impl GenerationParams {
    /// The same parameters, known to be in range.
    ///
    /// # Errors
    /// [`GenerateError::BadParameter`] names the first parameter that is out of range;
    /// [`GenerateError::FewBeams`]; [`GenerateError::MaxLengthBeyondContext`] if `max_length` counts, was asked for and
    /// is more than `n_ctx` and the last new token, which needs no place in the context.
    pub fn check(&self, n_ctx: usize) -> Result<CheckedParams, GenerateError> {
        for parameter in Parameter::ALL {
            if !parameter.counts_in(self) {
                continue;
            }
            parameter
                .check(self)
                .map_err(
                    |OutOfRange { parameter, got }| GenerateError::BadParameter {
                        name: parameter.name(),
                        got,
                        allowed: parameter.range().to_string(),
                    },
                )?;
        }
        if self.num_beams > 1 && self.num_return_sequences > self.num_beams {
            return Err(GenerateError::FewBeams {
                num_beams: self.num_beams,
                num_return_sequences: self.num_return_sequences,
            });
        }
        if self.max_new_tokens.is_none()
            && self.max_length > n_ctx.saturating_add(1)
            && !self.clip_length
        {
            return Err(GenerateError::MaxLengthBeyondContext {
                max_length: self.max_length,
                n_ctx,
            });
        }
        Ok(CheckedParams {
            params: self.clone(),
            n_ctx,
        })
    }
}

/// Refuses a caller's ids that no token has where `transformers` refuses them; elsewhere they have no effect.
///
/// # Errors
/// [`GenerateError::BadParameter`].
pub(super) fn check_ids(params: &GenerationParams, vocab_size: usize) -> Result<(), GenerateError> {
    let mut params = params.clone();
    for parameter in [
        Parameter::BadWordsIds,
        Parameter::SequenceBias,
        Parameter::ForcedBosTokenId,
        Parameter::ForcedEosTokenId,
    ] {
        if let Some(id) = parameter.take_beyond(vocab_size, &mut params) {
            return Err(GenerateError::BadParameter {
                name: parameter.name(),
                got: id.to_string(),
                allowed: format!("made of token ids below {vocab_size}"),
            });
        }
    }
    Ok(())
}

/// [`GenerationParams`] in range for a model with `n_ctx` tokens of context.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedParams {
    params: GenerationParams,
    n_ctx: usize,
}

impl CheckedParams {
    /// New tokens each sequence may have after `prompt_tokens` of prefix and prompt; 1 or more.
    ///
    /// A default length is cut to the room that the context has; a default `max_length` that the prompt alone reaches
    /// counts for the new text.
    ///
    /// # Errors
    /// [`GenerateError::ContextOverflow`] if they would not fit the context,
    /// [`GenerateError::NoRoom`] if `max_length` leaves no room for a new token.
    pub fn max_new(&self, prompt_tokens: usize) -> Result<usize, GenerateError> {
        // The last new token is not computed with, so it needs no place.
        let room = self.n_ctx.saturating_add(1).saturating_sub(prompt_tokens);
        if self.params.clip_length && room > 0 {
            let max_length = self.params.max_length;
            let wanted = match self.params.max_new_tokens {
                Some(new_tokens) => new_tokens,
                None if prompt_tokens < max_length => max_length - prompt_tokens,
                None => max_length,
            };
            return Ok(wanted.min(room));
        }
        match self.params.max_new_tokens {
            Some(new_tokens) => {
                if new_tokens > room {
                    return Err(GenerateError::ContextOverflow {
                        prompt_tokens,
                        new_tokens,
                        n_ctx: self.n_ctx,
                    });
                }
                Ok(new_tokens)
            }
            // `check` made max_length ≤ n_ctx + 1.
            None if prompt_tokens < self.params.max_length => {
                Ok(self.params.max_length - prompt_tokens)
            }
            None if room == 0 => Err(GenerateError::ContextOverflow {
                prompt_tokens,
                new_tokens: 1,
                n_ctx: self.n_ctx,
            }),
            None => Err(GenerateError::NoRoom {
                prompt_tokens,
                max_length: self.params.max_length,
            }),
        }
    }
}

impl std::ops::Deref for CheckedParams {
    type Target = GenerationParams;

    fn deref(&self) -> &GenerationParams {
        &self.params
    }
}
