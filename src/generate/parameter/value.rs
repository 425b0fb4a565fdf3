//! `OutOfRange`, and a parameter's value in [`GenerationParams`]: shown, set by a visitor, read from a model's file,
//! checked.

use serde_json::Value;

use super::Parameter;
use super::place::{Place, Refused};
use crate::generate::params::{GenerationParams, NO_LIMIT};
use crate::shown::beginning;

/// Most characters of a refused value that are shown.
const MOST_SHOWN: usize = 80;

/// A value that a parameter does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} must be {}", .parameter.name(), .parameter.range())]
pub struct OutOfRange {
    /// The parameter.
    pub parameter: Parameter,
    /// The refused value.
    pub got: String,
}

impl OutOfRange {
    fn new(parameter: Parameter, got: &str) -> Self {
        let got = beginning(got, MOST_SHOWN);
        Self { parameter, got }
    }
}

impl Parameter {
    /// The parameter's value in `params`, as a visitor would type it; empty if the parameter has no value.
    pub fn text_of(self, params: &GenerationParams) -> String {
        self.place(&mut params.clone()).text()
    }

    /// The parameter's value in `params`, as JSON states it.
    pub fn value_of(self, params: &GenerationParams) -> Value {
        self.place(&mut params.clone()).json()
    }

    /// Sets the parameter in `params` to `text`, as typed by a visitor, who then asks for the length.
    ///
    /// # Errors
    /// [`OutOfRange`], also for a text that is not a value; `params` is unchanged then.
    pub fn set(self, text: &str, params: &mut GenerationParams) -> Result<(), OutOfRange> {
        // Beside a default `max_new_tokens`, which wins, a length has no effect.
        let asks_for_length = match self {
            Parameter::MaxLength => params.max_new_tokens.is_none(),
            other => other == Parameter::MaxNewTokens,
        };
        let set = self.place(params).set_text(text, self.range());
        set.map_err(|Refused| OutOfRange::new(self, text.trim()))?;
        if asks_for_length {
            params.clip_length = false;
        }
        Ok(())
    }

    /// Sets the parameter in `params` to a value that a model's file states. `null` changes nothing but for `top_k`; −1
    /// and a `top_k` of `null` mean "no limit".
    ///
    /// # Errors
    /// [`OutOfRange`], also for a value of another type; `params` is unchanged then.
    pub fn read(self, value: &Value, params: &mut GenerationParams) -> Result<(), OutOfRange> {
        let is_unlimited = value.as_f64() == Some(-1.0);
        match self {
            Parameter::TopK if value.is_null() || is_unlimited => params.top_k = 0,
            _ if value.is_null() => {}
            Parameter::MaxLength if is_unlimited => params.max_length = NO_LIMIT,
            Parameter::MaxNewTokens if is_unlimited => params.max_new_tokens = Some(NO_LIMIT),
            Parameter::MinLength if is_unlimited => params.min_length = 0,
            Parameter::MinNewTokens if is_unlimited => params.min_new_tokens = Some(0),
            Parameter::NoRepeatNgramSize if is_unlimited => params.no_repeat_ngram_size = 0,
            _ => {
                let set = self.place(params).set_json(value, self.range());
                set.map_err(|Refused| OutOfRange::new(self, &value.to_string()))?;
            }
        }
        Ok(())
    }

    /// Takes the token ids beyond a vocabulary of `vocab_size` out of the parameter's value in `params`, with the
    /// sequences that they are in; returns the first of them.
    pub fn take_beyond(self, vocab_size: usize, params: &mut GenerationParams) -> Option<u32> {
        let mut first = None;
        let mut is_token = |id: u32| {
            let is_token = (id as usize) < vocab_size;
            first = first.or((!is_token).then_some(id));
            is_token
        };
        match self.place(params) {
            Place::Ids(ids) => ids.retain(|id| is_token(*id)),
            Place::IdLists(lists) => lists.retain(|list| list.iter().all(|id| is_token(*id))),
            Place::Biases(biases) => {
                biases.retain(|(list, _)| list.iter().all(|id| is_token(*id)));
            }
            Place::OptionalId(id) if self == Parameter::ForcedBosTokenId => {
                *id = id.filter(|id| is_token(*id));
            }
            _ => {}
        }
        first
    }

    /// Whether the parameter's value in `params` is in its range.
    ///
    /// # Errors
    /// [`OutOfRange`].
    pub fn check(self, params: &GenerationParams) -> Result<(), OutOfRange> {
        match self.place(&mut params.clone()).is_in(self.range()) {
            true => Ok(()),
            false => Err(OutOfRange::new(self, &self.text_of(params))),
        }
    }

    fn place(self, params: &mut GenerationParams) -> Place<'_> {
        match self {
            Parameter::NumReturnSequences => Place::Count(&mut params.num_return_sequences),
            Parameter::Temperature => Place::Number(&mut params.temperature),
            Parameter::TopP => Place::Number(&mut params.top_p),
            Parameter::TopK => Place::Count(&mut params.top_k),
            Parameter::RepetitionPenalty => Place::Number(&mut params.repetition_penalty),
            Parameter::MaxLength => Place::Count(&mut params.max_length),
            Parameter::MaxNewTokens => Place::OptionalCount(&mut params.max_new_tokens),
            Parameter::MinLength => Place::Count(&mut params.min_length),
            Parameter::Seed => Place::OptionalId(&mut params.seed),
            Parameter::DoSample => Place::Switch(&mut params.do_sample),
            Parameter::StopAtNewline => Place::Switch(&mut params.stop_at_newline),
            Parameter::ReturnFullText => Place::Switch(&mut params.return_full_text),
            Parameter::Prefix => Place::Text(&mut params.prefix),
            Parameter::MinNewTokens => Place::OptionalCount(&mut params.min_new_tokens),
            Parameter::NoRepeatNgramSize => Place::Count(&mut params.no_repeat_ngram_size),
            Parameter::NumBeams => Place::Count(&mut params.num_beams),
            Parameter::LengthPenalty => Place::Number(&mut params.length_penalty),
            Parameter::EarlyStopping => Place::Early(&mut params.early_stopping),
            Parameter::RenormalizeLogits => Place::Switch(&mut params.renormalize_logits),
            Parameter::MinP => Place::Number(&mut params.min_p),
            Parameter::TypicalP => Place::Number(&mut params.typical_p),
            Parameter::TopH => Place::OptionalNumber(&mut params.top_h),
            Parameter::EpsilonCutoff => Place::Number(&mut params.epsilon_cutoff),
            Parameter::EtaCutoff => Place::Number(&mut params.eta_cutoff),
            Parameter::BadWordsIds => Place::IdLists(&mut params.bad_words_ids),
            Parameter::SequenceBias => Place::Biases(&mut params.sequence_bias),
            Parameter::SuppressTokens => Place::Ids(&mut params.suppress_tokens),
            Parameter::BeginSuppressTokens => Place::Ids(&mut params.begin_suppress_tokens),
            Parameter::ForcedBosTokenId => Place::OptionalId(&mut params.forced_bos_token_id),
            Parameter::ForcedEosTokenId => Place::Ids(&mut params.forced_eos_token_id),
            Parameter::ExponentialDecayLengthPenalty => {
                Place::Decay(&mut params.exponential_decay_length_penalty)
            }
            Parameter::EosTokenId => Place::Ids(&mut params.eos_token_id),
            Parameter::StopStrings => Place::Texts(&mut params.stop_strings),
        }
    }
}
