//! `Parameter`: the table of generation parameters: names, ranges, defaults, and meanings in plain words.
//!
//! The checks of [`GenerationParams`], the settings panel, the page's address and the command line read this table;
//! the tests at the end compare the JavaScript module and its types with it.

use std::fmt;

use serde_json::{Value, json};

use super::params::{EarlyStopping, GenerationParams, NO_LIMIT};

/// Most elements of a list.
const MOST_LISTED: usize = 1 << 16;
/// Most characters of a refused value that are shown.
const MOST_SHOWN: usize = 80;

/// One generation parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// `num_return_sequences`.
    NumReturnSequences,
    /// `temperature`.
    Temperature,
    /// `top_p`.
    TopP,
    /// `top_k`.
    TopK,
    /// `repetition_penalty`.
    RepetitionPenalty,
    /// `max_length`.
    MaxLength,
    /// `max_new_tokens`.
    MaxNewTokens,
    /// `min_length`.
    MinLength,
    /// `seed`.
    Seed,
    /// `do_sample`.
    DoSample,
    /// `stop_at_newline`.
    StopAtNewline,
    /// `return_full_text`.
    ReturnFullText,
    /// `prefix`.
    Prefix,
    /// `min_new_tokens`.
    MinNewTokens,
    /// `no_repeat_ngram_size`.
    NoRepeatNgramSize,
    /// `num_beams`.
    NumBeams,
    /// `length_penalty`.
    LengthPenalty,
    /// `early_stopping`.
    EarlyStopping,
    /// `renormalize_logits`.
    RenormalizeLogits,
    /// `min_p`.
    MinP,
    /// `typical_p`.
    TypicalP,
    /// `top_h`.
    TopH,
    /// `epsilon_cutoff`.
    EpsilonCutoff,
    /// `eta_cutoff`.
    EtaCutoff,
    /// `bad_words_ids`.
    BadWordsIds,
    /// `sequence_bias`.
    SequenceBias,
    /// `suppress_tokens`.
    SuppressTokens,
    /// `begin_suppress_tokens`.
    BeginSuppressTokens,
    /// `forced_bos_token_id`.
    ForcedBosTokenId,
    /// `forced_eos_token_id`.
    ForcedEosTokenId,
    /// `exponential_decay_length_penalty`.
    ExponentialDecayLengthPenalty,
    /// `eos_token_id`.
    EosTokenId,
    /// `stop_strings`.
    StopStrings,
}

/// The values that a parameter takes. Its text completes "must be …".
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// A whole number.
    Whole {
        /// Least value.
        min: u32,
        /// Greatest value; `None` for no limit of its own.
        max: Option<u32>,
    },
    /// A finite number.
    Decimal {
        /// Lower end.
        least: Least,
        /// Inclusive upper end; `None` for no limit.
        max: Option<f32>,
    },
    /// Yes or no.
    Switch,
    /// Any text.
    Text,
    /// `true`, `false` or `"never"`.
    EarlyStopping,
    /// Token ids; one may stand without a list.
    Ids,
    /// Sequences of token ids.
    IdLists,
    /// Sequences of token ids with a number each.
    Biases,
    /// A number of tokens and a factor.
    Decay,
    /// Texts; one may stand without a list.
    Texts,
}

/// The lower end of a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Least {
    /// Only larger numbers.
    Above(f32),
    /// This number and larger ones.
    From(f32),
    /// Every number.
    Any,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Range::Whole {
                min,
                max: Some(max),
            } => write!(f, "a whole number from {min} to {max}"),
            Range::Whole { min, max: None } => write!(f, "a whole number, {min} or more"),
            Range::Decimal { least, max } => match (least, max) {
                (Least::Above(above), Some(max)) => {
                    write!(f, "a number above {above}, at most {max}")
                }
                (Least::Above(above), None) => write!(f, "a number above {above}"),
                (Least::From(from), Some(max)) => write!(f, "a number from {from} to {max}"),
                (Least::From(from), None) => write!(f, "a number, {from} or more"),
                (Least::Any, Some(max)) => write!(f, "a number, at most {max}"),
                (Least::Any, None) => f.write_str("a number"),
            },
            Range::Switch => f.write_str("true or false"),
            Range::Text => f.write_str("text"),
            Range::EarlyStopping => f.write_str("true, false or \"never\""),
            Range::Ids => f.write_str("a token id or a list of them, such as [198, 628]"),
            Range::IdLists => {
                f.write_str("a list of lists of token ids, such as [[1212], [318, 407]]")
            }
            Range::Biases => {
                f.write_str("a list of token ids with a number, such as [[[1212], -2.5]]")
            }
            Range::Decay => f.write_str("a whole number and a number, such as [20, 1.1]"),
            Range::Texts => f.write_str("a text or a list of texts, such as [\".\", \"!\"]"),
        }
    }
}

/// A value that a parameter does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} must be {}", .parameter.name(), .parameter.range())]
pub struct OutOfRange {
    /// The parameter.
    pub parameter: Parameter,
    /// The refused value.
    pub got: String,
}

/// A parameter's place in [`GenerationParams`], by its type.
enum Place<'a> {
    Count(&'a mut usize),
    OptionalCount(&'a mut Option<usize>),
    OptionalId(&'a mut Option<u32>),
    Number(&'a mut f32),
    OptionalNumber(&'a mut Option<f32>),
    Switch(&'a mut bool),
    Text(&'a mut String),
    Early(&'a mut EarlyStopping),
    Ids(&'a mut Vec<u32>),
    IdLists(&'a mut Vec<Vec<u32>>),
    Biases(&'a mut Vec<(Vec<u32>, f32)>),
    Decay(&'a mut Option<(u32, f32)>),
    Texts(&'a mut Vec<String>),
}

impl Parameter {
    /// All parameters.
    pub const ALL: [Parameter; 33] = [
        Parameter::NumReturnSequences,
        Parameter::Temperature,
        Parameter::TopP,
        Parameter::TopK,
        Parameter::RepetitionPenalty,
        Parameter::MaxLength,
        Parameter::MaxNewTokens,
        Parameter::MinLength,
        Parameter::Seed,
        Parameter::DoSample,
        Parameter::StopAtNewline,
        Parameter::ReturnFullText,
        Parameter::Prefix,
        Parameter::MinNewTokens,
        Parameter::NoRepeatNgramSize,
        Parameter::NumBeams,
        Parameter::LengthPenalty,
        Parameter::EarlyStopping,
        Parameter::RenormalizeLogits,
        Parameter::MinP,
        Parameter::TypicalP,
        Parameter::TopH,
        Parameter::EpsilonCutoff,
        Parameter::EtaCutoff,
        Parameter::BadWordsIds,
        Parameter::SequenceBias,
        Parameter::SuppressTokens,
        Parameter::BeginSuppressTokens,
        Parameter::ForcedBosTokenId,
        Parameter::ForcedEosTokenId,
        Parameter::ExponentialDecayLengthPenalty,
        Parameter::EosTokenId,
        Parameter::StopStrings,
    ];

    /// The parameters that the settings panel shows, in its order.
    pub const ON_PANEL: [Parameter; 14] = [
        Parameter::NumReturnSequences,
        Parameter::Temperature,
        Parameter::TopP,
        Parameter::TopK,
        Parameter::RepetitionPenalty,
        Parameter::NoRepeatNgramSize,
        Parameter::MaxLength,
        Parameter::MaxNewTokens,
        Parameter::MinLength,
        Parameter::Seed,
        Parameter::DoSample,
        Parameter::StopAtNewline,
        Parameter::ReturnFullText,
        Parameter::Prefix,
    ];

    /// The parameter's name in `transformers`, in JSON and in JavaScript.
    pub fn name(self) -> &'static str {
        match self {
            Parameter::NumReturnSequences => "num_return_sequences",
            Parameter::Temperature => "temperature",
            Parameter::TopP => "top_p",
            Parameter::TopK => "top_k",
            Parameter::RepetitionPenalty => "repetition_penalty",
            Parameter::MaxLength => "max_length",
            Parameter::MaxNewTokens => "max_new_tokens",
            Parameter::MinLength => "min_length",
            Parameter::Seed => "seed",
            Parameter::DoSample => "do_sample",
            Parameter::StopAtNewline => "stop_at_newline",
            Parameter::ReturnFullText => "return_full_text",
            Parameter::Prefix => "prefix",
            Parameter::MinNewTokens => "min_new_tokens",
            Parameter::NoRepeatNgramSize => "no_repeat_ngram_size",
            Parameter::NumBeams => "num_beams",
            Parameter::LengthPenalty => "length_penalty",
            Parameter::EarlyStopping => "early_stopping",
            Parameter::RenormalizeLogits => "renormalize_logits",
            Parameter::MinP => "min_p",
            Parameter::TypicalP => "typical_p",
            Parameter::TopH => "top_h",
            Parameter::EpsilonCutoff => "epsilon_cutoff",
            Parameter::EtaCutoff => "eta_cutoff",
            Parameter::BadWordsIds => "bad_words_ids",
            Parameter::SequenceBias => "sequence_bias",
            Parameter::SuppressTokens => "suppress_tokens",
            Parameter::BeginSuppressTokens => "begin_suppress_tokens",
            Parameter::ForcedBosTokenId => "forced_bos_token_id",
            Parameter::ForcedEosTokenId => "forced_eos_token_id",
            Parameter::ExponentialDecayLengthPenalty => "exponential_decay_length_penalty",
            Parameter::EosTokenId => "eos_token_id",
            Parameter::StopStrings => "stop_strings",
        }
    }

    /// The parameter's name in the page's address; `None` for a parameter that an address cannot set.
    pub fn address_name(self) -> Option<&'static str> {
        match self {
            Parameter::NumReturnSequences => Some("n"),
            Parameter::Seed
            | Parameter::Temperature
            | Parameter::TopK
            | Parameter::TopP
            | Parameter::MaxNewTokens => Some(self.name()),
            _ => None,
        }
    }

    /// The parameter's name on the page.
    pub fn label(self) -> &'static str {
        match self {
            Parameter::NumReturnSequences => "Tweets at once",
            Parameter::Temperature => "Temperature",
            Parameter::TopP => "Top p",
            Parameter::TopK => "Top k",
            Parameter::RepetitionPenalty => "Repetition penalty",
            Parameter::MaxLength => "Longest text",
            Parameter::MaxNewTokens => "Most new tokens",
            Parameter::MinLength => "Shortest text",
            Parameter::Seed => "Seed",
            Parameter::DoSample => "Draw at random",
            Parameter::StopAtNewline => "Stop at a line break",
            Parameter::ReturnFullText => "Repeat the prompt",
            Parameter::Prefix => "Prefix",
            Parameter::MinNewTokens => "Fewest new tokens",
            Parameter::NoRepeatNgramSize => "No repeats of",
            Parameter::NumBeams => "Beams",
            Parameter::LengthPenalty => "Length penalty",
            Parameter::EarlyStopping => "Early stopping",
            Parameter::RenormalizeLogits => "Renormalize",
            Parameter::MinP => "Min p",
            Parameter::TypicalP => "Typical p",
            Parameter::TopH => "Top h",
            Parameter::EpsilonCutoff => "Epsilon cutoff",
            Parameter::EtaCutoff => "Eta cutoff",
            Parameter::BadWordsIds => "Bad words",
            Parameter::SequenceBias => "Sequence bias",
            Parameter::SuppressTokens => "Suppressed tokens",
            Parameter::BeginSuppressTokens => "Suppressed first tokens",
            Parameter::ForcedBosTokenId => "Forced first token",
            Parameter::ForcedEosTokenId => "Forced last token",
            Parameter::ExponentialDecayLengthPenalty => "Decay by length",
            Parameter::EosTokenId => "End tokens",
            Parameter::StopStrings => "Stop strings",
        }
    }

    /// What the parameter does, in plain words.
    pub fn meaning(self) -> &'static str {
        match self {
            Parameter::NumReturnSequences => "How many different texts are written at once.",
            Parameter::Temperature => {
                "Low is cautious and repetitive, high is wild; 1 is the model as trained."
            }
            Parameter::TopP => {
                "Only the likeliest tokens that together reach this share may be drawn; 1 allows all."
            }
            Parameter::TopK => "Only this many of the likeliest tokens may be drawn; 0 allows all.",
            Parameter::RepetitionPenalty => {
                "Above 1, words that are already there become less likely; 1 changes nothing."
            }
            Parameter::MaxLength => {
                "Most tokens of prefix, prompt and new text together; a token is about four letters."
            }
            Parameter::MaxNewTokens => {
                "Most tokens of the new text alone. When set, it counts instead of max_length."
            }
            Parameter::MinLength => {
                "A text cannot end before prefix, prompt and new text together have this many tokens."
            }
            Parameter::Seed => {
                "The same seed, prompt and settings give the same text again. Without a seed, every run draws a new one."
            }
            Parameter::DoSample => {
                "Draw each token at random. When off, the likeliest token is always taken, so every text is the same."
            }
            Parameter::StopAtNewline => "End a text where the model begins a new line.",
            Parameter::ReturnFullText => {
                "Put the prompt in front of each generated_text, as the Python pipeline does."
            }
            Parameter::Prefix => {
                "Put in front of the prompt, unseen. The bots learned that a tweet begins after it."
            }
            Parameter::MinNewTokens => {
                "A text cannot end before this many new tokens. When above 0, it counts instead of min_length."
            }
            Parameter::NoRepeatNgramSize => {
                "No run of this many tokens comes twice in prompt and text; 0 allows all."
            }
            Parameter::NumBeams => {
                "Search this many texts at once for the likeliest; 1 searches none. The text comes when the search is done."
            }
            Parameter::LengthPenalty => {
                "With beams: above 0 favours long texts, below 0 short ones."
            }
            Parameter::EarlyStopping => {
                "With beams: end the search as soon as there are enough texts (true), when better ones are unlikely (false) or impossible (\"never\")."
            }
            Parameter::RenormalizeLogits => {
                "With beams: normalize the scores again after all other settings."
            }
            Parameter::MinP => {
                "Only tokens with at least this share of the likeliest token’s probability may be drawn; 0 allows all."
            }
            Parameter::TypicalP => {
                "Only the tokens that surprise about as much as expected, which together reach this share, may be drawn; 1 allows all."
            }
            Parameter::TopH => {
                "Only the likeliest tokens that together reach this share of the entropy may be drawn."
            }
            Parameter::EpsilonCutoff => {
                "Only tokens of at least this probability may be drawn; 0 allows all."
            }
            Parameter::EtaCutoff => {
                "As epsilon_cutoff, but lower where many tokens are likely; 0 allows all."
            }
            Parameter::BadWordsIds => "Token ids of words that never come.",
            Parameter::SequenceBias => {
                "Token ids of words that become likelier, or with a negative number less likely."
            }
            Parameter::SuppressTokens => "Ids of tokens that never come.",
            Parameter::BeginSuppressTokens => "Ids of tokens that no text begins with.",
            Parameter::ForcedBosTokenId => "Id of the token that follows a prompt of one token.",
            Parameter::ForcedEosTokenId => {
                "Id of the token that ends a text of the greatest length."
            }
            Parameter::ExponentialDecayLengthPenalty => {
                "After this many new tokens the end of the text becomes likelier by the power of this factor."
            }
            Parameter::EosTokenId => {
                "Ids of the tokens that end a text, in place of the model’s own."
            }
            Parameter::StopStrings => "Texts after which a text ends.",
        }
    }

    /// The values that the parameter takes. `max_length` and `max_new_tokens` are also limited by the model's context.
    pub fn range(self) -> Range {
        let whole = |min, max| Range::Whole { min, max };
        let share = Range::Decimal {
            least: Least::From(0.0),
            max: Some(1.0),
        };
        match self {
            Parameter::NumReturnSequences => whole(1, Some(10)),
            Parameter::NumBeams => whole(1, Some(32)),
            Parameter::Temperature | Parameter::RepetitionPenalty => Range::Decimal {
                least: Least::Above(0.0),
                max: None,
            },
            Parameter::LengthPenalty => Range::Decimal {
                least: Least::Any,
                max: None,
            },
            Parameter::TypicalP | Parameter::TopH => Range::Decimal {
                least: Least::Above(0.0),
                max: Some(1.0),
            },
            Parameter::TopP | Parameter::MinP | Parameter::EpsilonCutoff | Parameter::EtaCutoff => {
                share
            }
            Parameter::MaxLength | Parameter::MaxNewTokens => whole(1, None),
            Parameter::TopK
            | Parameter::MinLength
            | Parameter::MinNewTokens
            | Parameter::NoRepeatNgramSize => whole(0, None),
            Parameter::Seed => whole(0, Some(u32::MAX)),
            Parameter::ForcedBosTokenId => whole(0, Some(u32::MAX)),
            Parameter::DoSample
            | Parameter::StopAtNewline
            | Parameter::ReturnFullText
            | Parameter::RenormalizeLogits => Range::Switch,
            Parameter::Prefix => Range::Text,
            Parameter::EarlyStopping => Range::EarlyStopping,
            Parameter::SuppressTokens
            | Parameter::BeginSuppressTokens
            | Parameter::EosTokenId
            | Parameter::ForcedEosTokenId => Range::Ids,
            Parameter::BadWordsIds => Range::IdLists,
            Parameter::SequenceBias => Range::Biases,
            Parameter::ExponentialDecayLengthPenalty => Range::Decay,
            Parameter::StopStrings => Range::Texts,
        }
    }

    /// Whether the parameter's value matters beside the others in `params`: some matter only when tokens are drawn, some
    /// only in a beam search, and `max_length` only without `max_new_tokens`.
    pub fn counts_in(self, params: &GenerationParams) -> bool {
        match self {
            Parameter::MaxLength => params.max_new_tokens.is_none(),
            Parameter::Temperature
            | Parameter::TopK
            | Parameter::TopP
            | Parameter::MinP
            | Parameter::TypicalP
            | Parameter::TopH
            | Parameter::EpsilonCutoff
            | Parameter::EtaCutoff => params.do_sample,
            Parameter::LengthPenalty | Parameter::EarlyStopping | Parameter::RenormalizeLogits => {
                params.num_beams > 1
            }
            _ => true,
        }
    }

    /// Whether a model's files state the parameter; the others are the caller's alone.
    pub fn is_in_files(self) -> bool {
        !matches!(
            self,
            Parameter::Seed | Parameter::StopAtNewline | Parameter::EosTokenId
        )
    }

    /// Whether the parameter may be left empty.
    pub fn is_optional(self) -> bool {
        matches!(self, Parameter::MaxNewTokens | Parameter::Seed)
    }

    /// Meaning and range in one text, for a list of options.
    pub fn help(self) -> String {
        let meaning = self.meaning();
        match self.range() {
            Range::Switch | Range::Text => meaning.to_owned(),
            range => {
                let range = range.to_string();
                let (first, rest) = range.split_at(1);
                format!("{meaning} {}{rest}.", first.to_uppercase())
            }
        }
    }

    /// The parameter with this name in the page's address.
    pub fn from_address_name(name: &str) -> Option<Parameter> {
        let all = Parameter::ALL.into_iter();
        all.into_iter()
            .find(|parameter| parameter.address_name() == Some(name))
    }

    /// The parameter's value in `params`, as a visitor would type it; empty if the parameter has no value.
    pub fn text_of(self, params: &GenerationParams) -> String {
        match self.place(&mut params.clone()) {
            Place::Number(number) => number.to_string(),
            Place::OptionalNumber(number) => number.map_or_else(String::new, |x| x.to_string()),
            Place::Text(text) => text.clone(),
            Place::Ids(ids) if ids.is_empty() => String::new(),
            Place::IdLists(lists) if lists.is_empty() => String::new(),
            Place::Biases(biases) if biases.is_empty() => String::new(),
            Place::Texts(texts) if texts.is_empty() => String::new(),
            _ => match self.value_of(params) {
                Value::Null => String::new(),
                value => value.to_string(),
            },
        }
    }

    /// The parameter's value in `params`, as JSON states it.
    pub fn value_of(self, params: &GenerationParams) -> Value {
        match self.place(&mut params.clone()) {
            Place::Count(count) => json!(*count),
            Place::OptionalCount(count) => json!(*count),
            Place::OptionalId(id) => json!(*id),
            Place::Number(number) => json!(*number),
            Place::OptionalNumber(number) => json!(*number),
            Place::Switch(switch) => json!(*switch),
            Place::Text(text) => json!(*text),
            Place::Early(early) => json!(*early),
            Place::Ids(ids) => json!(*ids),
            Place::IdLists(lists) => json!(*lists),
            Place::Biases(biases) => json!(*biases),
            Place::Decay(decay) => json!(*decay),
            Place::Texts(texts) => json!(*texts),
        }
    }

    /// Sets the parameter in `params` to `text`, as typed by a visitor, who then asks for the length.
    ///
    /// # Errors
    /// [`OutOfRange`], also for a text that is not a value; `params` is unchanged then.
    pub fn set(self, text: &str, params: &mut GenerationParams) -> Result<(), OutOfRange> {
        let trimmed = text.trim();
        let refused = || OutOfRange {
            parameter: self,
            got: trimmed.chars().take(MOST_SHOWN).collect(),
        };
        // Beside a default `max_new_tokens`, which wins, a length has no effect.
        let asks_for_length = match self {
            Parameter::MaxLength => params.max_new_tokens.is_none(),
            other => other == Parameter::MaxNewTokens,
        };
        if asks_for_length {
            let before = params.clone();
            params.clip_length = false;
            return self.set_text(text, trimmed, params).map_err(|()| {
                *params = before;
                refused()
            });
        }
        self.set_text(text, trimmed, params).map_err(|()| refused())
    }

    fn set_text(self, text: &str, trimmed: &str, params: &mut GenerationParams) -> Result<(), ()> {
        let whole = || match trimmed.parse::<u32>() {
            Ok(n) if self.takes_whole(n as usize) => Ok(n),
            _ => Err(()),
        };
        // Many languages write the decimal point as a comma.
        let number = || match trimmed.replace(',', ".").parse() {
            Ok(value) if self.takes_number(value) => Ok(value),
            _ => Err(()),
        };
        match self.place(params) {
            Place::Count(count) => *count = whole()? as usize,
            Place::OptionalCount(count) if trimmed.is_empty() => *count = None,
            Place::OptionalCount(count) => *count = Some(whole()? as usize),
            Place::OptionalId(id) if trimmed.is_empty() => *id = None,
            Place::OptionalId(id) => *id = Some(whole()?),
            Place::Number(place) => *place = number()?,
            Place::OptionalNumber(place) if trimmed.is_empty() => *place = None,
            Place::OptionalNumber(place) => *place = Some(number()?),
            Place::Switch(switch) => *switch = trimmed.parse().map_err(|_| ())?,
            Place::Text(place) => text.clone_into(place),
            Place::Texts(texts) if trimmed.is_empty() => texts.clear(),
            Place::Texts(texts) if !trimmed.starts_with('[') => *texts = vec![text.to_owned()],
            Place::Early(_)
            | Place::Ids(_)
            | Place::IdLists(_)
            | Place::Biases(_)
            | Place::Decay(_)
            | Place::Texts(_) => {
                let value = match trimmed {
                    "" => json!([]),
                    "never" => json!("never"),
                    json => serde_json::from_str(json).map_err(|_| ())?,
                };
                return self.take(&value, params);
            }
        }
        Ok(())
    }

    /// Sets the parameter in `params` to a value that a model's file states. `null` changes nothing but for `top_k`; −1
    /// and a `top_k` of `null` mean "no limit".
    ///
    /// # Errors
    /// [`OutOfRange`], also for a value of another type; `params` is unchanged then.
    pub fn read(self, value: &Value, params: &mut GenerationParams) -> Result<(), OutOfRange> {
        let refused = |()| OutOfRange {
            parameter: self,
            got: value.to_string().chars().take(MOST_SHOWN).collect(),
        };
        let is_unlimited = value.as_f64() == Some(-1.0);
        match self {
            Parameter::TopK if value.is_null() || is_unlimited => params.top_k = 0,
            _ if value.is_null() => {}
            Parameter::MaxLength if is_unlimited => params.max_length = NO_LIMIT,
            Parameter::MaxNewTokens if is_unlimited => params.max_new_tokens = Some(NO_LIMIT),
            Parameter::MinLength if is_unlimited => params.min_length = 0,
            Parameter::MinNewTokens if is_unlimited => params.min_new_tokens = 0,
            Parameter::NoRepeatNgramSize if is_unlimited => params.no_repeat_ngram_size = 0,
            _ => self.take(value, params).map_err(refused)?,
        }
        Ok(())
    }

    fn take(self, value: &Value, params: &mut GenerationParams) -> Result<(), ()> {
        let count = || match whole(value) {
            Some(n) if self.takes_whole(n as usize) => Ok(n),
            _ => Err(()),
        };
        let number = || match value.as_f64().map(|x| x as f32) {
            Some(x) if self.takes_number(x) => Ok(x),
            _ => Err(()),
        };
        match self.place(params) {
            Place::Count(place) => *place = count()? as usize,
            Place::OptionalCount(place) => *place = Some(count()? as usize),
            Place::OptionalId(place) => *place = Some(count()?),
            Place::Number(place) => *place = number()?,
            Place::OptionalNumber(place) => *place = Some(number()?),
            Place::Switch(place) => {
                *place = match whole(value) {
                    Some(0) => false,
                    Some(1) => true,
                    _ => value.as_bool().ok_or(())?,
                }
            }
            Place::Text(place) => value.as_str().ok_or(())?.clone_into(place),
            Place::Early(place) => *place = value.clone().try_into().map_err(|_| ())?,
            Place::Ids(place) => *place = ids(value).ok_or(())?,
            Place::IdLists(place) => {
                let lists = listed(value).ok_or(())?;
                let lists = lists.iter().map(id_list);
                *place = lists.collect::<Option<_>>().ok_or(())?;
            }
            Place::Biases(place) => {
                let pairs = listed(value).ok_or(())?;
                let pairs = pairs.iter().map(|pair| match pair.as_array()?.as_slice() {
                    [sequence, bias] => {
                        let bias = bias.as_f64().map(|x| x as f32).filter(|x| x.is_finite())?;
                        Some((id_list(sequence)?, bias))
                    }
                    _ => None,
                });
                *place = pairs.collect::<Option<_>>().ok_or(())?;
            }
            Place::Decay(place) => {
                *place = match listed(value).ok_or(())? {
                    [] => None,
                    [start, factor] => {
                        let factor = factor.as_f64().map(|x| x as f32);
                        let factor = factor.filter(|x| x.is_finite() && *x > 0.0).ok_or(())?;
                        Some((whole(start).ok_or(())?, factor))
                    }
                    _ => return Err(()),
                }
            }
            Place::Texts(place) => {
                let texts = match value {
                    Value::String(_) => std::slice::from_ref(value),
                    list => listed(list).ok_or(())?,
                };
                let texts = texts.iter().map(|text| Some(text.as_str()?.to_owned()));
                let texts: Option<Vec<_>> = texts.collect();
                *place = texts
                    .filter(|texts| texts.iter().all(|text| !text.is_empty()))
                    .ok_or(())?;
            }
        }
        Ok(())
    }

    /// Whether the parameter's value in `params` is in its range.
    ///
    /// # Errors
    /// [`OutOfRange`].
    pub fn check(self, params: &GenerationParams) -> Result<(), OutOfRange> {
        let is_in_range = match self.place(&mut params.clone()) {
            Place::Count(count) => self.takes_whole(*count),
            Place::OptionalCount(count) => count.is_none_or(|count| self.takes_whole(count)),
            Place::Number(number) => self.takes_number(*number),
            Place::OptionalNumber(number) => number.is_none_or(|x| self.takes_number(x)),
            Place::IdLists(lists) => {
                lists.len() <= MOST_LISTED && lists.iter().all(|list| !list.is_empty())
            }
            Place::Biases(biases) => {
                let is_bias = |(list, bias): &(Vec<u32>, f32)| !list.is_empty() && bias.is_finite();
                biases.len() <= MOST_LISTED && biases.iter().all(is_bias)
            }
            Place::Decay(decay) => {
                decay.is_none_or(|(_, factor)| factor.is_finite() && factor > 0.0)
            }
            Place::Ids(ids) => ids.len() <= MOST_LISTED,
            Place::Texts(texts) => {
                texts.len() <= MOST_LISTED && texts.iter().all(|text| !text.is_empty())
            }
            // Every value of these types is in range.
            Place::OptionalId(_) | Place::Switch(_) | Place::Text(_) | Place::Early(_) => true,
        };
        if is_in_range {
            Ok(())
        } else {
            Err(OutOfRange {
                parameter: self,
                got: self.text_of(params).chars().take(MOST_SHOWN).collect(),
            })
        }
    }

    fn takes_whole(self, value: usize) -> bool {
        let Range::Whole { min, max } = self.range() else {
            return false;
        };
        value >= min as usize && max.is_none_or(|max| value <= max as usize)
    }

    fn takes_number(self, value: f32) -> bool {
        let Range::Decimal { least, max } = self.range() else {
            return false;
        };
        let is_enough = match least {
            Least::Above(above) => value > above,
            Least::From(from) => value >= from,
            Least::Any => true,
        };
        value.is_finite() && is_enough && max.is_none_or(|max| value <= max)
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
            Parameter::MinNewTokens => Place::Count(&mut params.min_new_tokens),
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

/// A whole number below 2^32, which may be written as a float.
fn whole(value: &Value) -> Option<u32> {
    if let Some(n) = value.as_u64() {
        return u32::try_from(n).ok();
    }
    let float = value.as_f64()?;
    let is_whole = float.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&float);
    is_whole.then_some(float as u32)
}

/// The elements of a list that is not too long.
fn listed(value: &Value) -> Option<&[Value]> {
    let list = value.as_array()?;
    (list.len() <= MOST_LISTED).then_some(list)
}

/// A list of token ids that is not empty.
fn id_list(value: &Value) -> Option<Vec<u32>> {
    let list = listed(value)?;
    if list.is_empty() {
        return None;
    }
    list.iter().map(whole).collect()
}

/// Token ids; one may stand without a list.
fn ids(value: &Value) -> Option<Vec<u32>> {
    match value {
        Value::Array(_) => listed(value)?.iter().map(whole).collect(),
        one => Some(vec![whole(one)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = include_str!("../../www/huggingtweets.js");
    const TYPES: &str = include_str!("../../www/huggingtweets.d.ts");

    #[test]
    fn the_module_checks_every_parameter_by_its_type() {
        let (_, rest) = MODULE
            .split_once("const PARAMS = {")
            .expect("the module's table of parameters");
        let (table, _) = rest.split_once('}').expect("its end");
        let mut found: Vec<&str> = table
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .collect();
        found.sort_unstable();
        let mut expected = Parameter::ALL.map(|parameter| {
            let check = match parameter.range() {
                Range::Whole { .. } => "COUNT",
                Range::Decimal { .. } => "NUMBER",
                Range::Switch => "FLAG",
                Range::Text => "TEXT",
                Range::EarlyStopping => "EARLY",
                Range::Ids => "IDS",
                Range::IdLists => "ID_LISTS",
                Range::Biases => "BIASES",
                Range::Decay => "DECAY",
                Range::Texts => "TEXTS",
            };
            format!("{}: {check}", parameter.name())
        });
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_modules_types_describe_every_parameter_as_the_table_does() {
        let (_, rest) = TYPES
            .split_once("export interface GenerationOptions {")
            .expect("the options of a call");
        let (options, _) = rest.split_once("\n}").expect("their end");
        for parameter in Parameter::ALL {
            let kind = match parameter.range() {
                Range::Whole { .. } | Range::Decimal { .. } => "number",
                Range::Switch => "boolean",
                Range::Text => "string",
                Range::EarlyStopping => "boolean | 'never'",
                Range::Ids => "number | readonly number[]",
                Range::IdLists => "readonly (readonly number[])[]",
                Range::Biases => "readonly (readonly [readonly number[], number])[]",
                Range::Decay => "readonly [number, number]",
                Range::Texts => "string | readonly string[]",
            };
            let declaration = format!("\n  {}?: {kind} | null;", parameter.name());
            let (before, _) = options
                .split_once(&declaration)
                .unwrap_or_else(|| panic!("no line `{declaration}`"));
            let comment = before.rsplit("/** ").next().unwrap_or_default();
            assert!(
                comment.starts_with(&parameter.help()),
                "`{comment}` does not begin with `{}`",
                parameter.help()
            );
        }
    }
}
