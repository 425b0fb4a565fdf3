//! `Parameter`: the table of generation parameters: names, ranges, and meanings in plain words.
//!
//! The checks of [`GenerationParams`], the settings panel, the page's address and the command line read this table;
//! the tests at the end compare the JavaScript module and its types with it. `value` reads and writes the parameters'
//! values.

mod place;
mod range;
mod value;

use super::params::GenerationParams;

pub use range::{Least, Range};
pub use value::OutOfRange;

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

/// What the table says of one parameter.
struct Row {
    name: &'static str,
    label: &'static str,
    range: Range,
    meaning: &'static str,
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

    /// The table.
    fn row(self) -> Row {
        match self {
            Parameter::NumReturnSequences => Row {
                name: "num_return_sequences",
                label: "Tweets at once",
                range: Range::whole(1, Some(10)),
                meaning: "How many different texts are written at once.",
            },
            Parameter::Temperature => Row {
                name: "temperature",
                label: "Temperature",
                range: Range::ABOVE_ZERO,
                meaning: "Low is cautious and repetitive, high is wild; 1 is the model as trained.",
            },
            Parameter::TopP => Row {
                name: "top_p",
                label: "Top p",
                range: Range::SHARE,
                meaning: "Only the likeliest tokens that together reach this share may be drawn; 1 allows all.",
            },
            Parameter::TopK => Row {
                name: "top_k",
                label: "Top k",
                range: Range::whole(0, None),
                meaning: "Only this many of the likeliest tokens may be drawn; 0 allows all.",
            },
            Parameter::RepetitionPenalty => Row {
                name: "repetition_penalty",
                label: "Repetition penalty",
                range: Range::ABOVE_ZERO,
                meaning: "Above 1, words that are already there become less likely; 1 changes nothing.",
            },
            Parameter::MaxLength => Row {
                name: "max_length",
                label: "Longest text",
                range: Range::whole(1, None),
                meaning: "Most tokens of prefix, prompt and new text together; a token is about four letters.",
            },
            Parameter::MaxNewTokens => Row {
                name: "max_new_tokens",
                label: "Most new tokens",
                range: Range::whole(1, None),
                meaning: "Most tokens of the new text alone. When set, it counts instead of max_length.",
            },
            Parameter::MinLength => Row {
                name: "min_length",
                label: "Shortest text",
                range: Range::whole(0, None),
                meaning: "A text cannot end before prefix, prompt and new text together have this many tokens.",
            },
            Parameter::Seed => Row {
                name: "seed",
                label: "Seed",
                range: Range::whole(0, Some(u32::MAX)),
                meaning: "The same seed, prompt and settings give the same text again. Without a seed, every run draws a new one.",
            },
            Parameter::DoSample => Row {
                name: "do_sample",
                label: "Draw at random",
                range: Range::Switch,
                meaning: "Draw each token at random. When off, the likeliest token is always taken, so every text is the same.",
            },
            Parameter::StopAtNewline => Row {
                name: "stop_at_newline",
                label: "Stop at a line break",
                range: Range::Switch,
                meaning: "End a text where the model begins a new line.",
            },
            Parameter::ReturnFullText => Row {
                name: "return_full_text",
                label: "Repeat the prompt",
                range: Range::Switch,
                meaning: "Put the prompt in front of each generated_text, as the Python pipeline does.",
            },
            Parameter::Prefix => Row {
                name: "prefix",
                label: "Prefix",
                range: Range::Text,
                meaning: "Put in front of the prompt, unseen. The bots learned that a tweet begins after it.",
            },
            Parameter::MinNewTokens => Row {
                name: "min_new_tokens",
                label: "Fewest new tokens",
                range: Range::whole(0, None),
                meaning: "A text cannot end before this many new tokens. When set, it counts instead of min_length.",
            },
            Parameter::NoRepeatNgramSize => Row {
                name: "no_repeat_ngram_size",
                label: "No repeats of",
                range: Range::whole(0, None),
                meaning: "No run of this many tokens comes twice in prompt and text; 0 allows all.",
            },
            Parameter::NumBeams => Row {
                name: "num_beams",
                label: "Beams",
                range: Range::whole(1, Some(32)),
                meaning: "Search this many texts at once for the likeliest; 1 searches none. The text comes when the search is done.",
            },
            Parameter::LengthPenalty => Row {
                name: "length_penalty",
                label: "Length penalty",
                range: Range::ANY_NUMBER,
                meaning: "With beams: above 0 favours long texts, below 0 short ones.",
            },
            Parameter::EarlyStopping => Row {
                name: "early_stopping",
                label: "Early stopping",
                range: Range::EarlyStopping,
                meaning: "With beams: end the search as soon as there are enough texts (true), when better ones are unlikely (false) or impossible (\"never\").",
            },
            Parameter::RenormalizeLogits => Row {
                name: "renormalize_logits",
                label: "Renormalize",
                range: Range::Switch,
                meaning: "With beams: normalize the scores again after all other settings.",
            },
            Parameter::MinP => Row {
                name: "min_p",
                label: "Min p",
                range: Range::SHARE,
                meaning: "Only tokens with at least this share of the likeliest token’s probability may be drawn; 0 allows all.",
            },
            Parameter::TypicalP => Row {
                name: "typical_p",
                label: "Typical p",
                range: Range::SHARE_ABOVE_ZERO,
                meaning: "Only the tokens that surprise about as much as expected, which together reach this share, may be drawn; 1 allows all.",
            },
            Parameter::TopH => Row {
                name: "top_h",
                label: "Top h",
                range: Range::SHARE_ABOVE_ZERO,
                meaning: "Only the likeliest tokens that together reach this share of the entropy may be drawn.",
            },
            Parameter::EpsilonCutoff => Row {
                name: "epsilon_cutoff",
                label: "Epsilon cutoff",
                range: Range::SHARE,
                meaning: "Only tokens of at least this probability may be drawn; 0 allows all.",
            },
            Parameter::EtaCutoff => Row {
                name: "eta_cutoff",
                label: "Eta cutoff",
                range: Range::SHARE,
                meaning: "As epsilon_cutoff, but lower where many tokens are likely; 0 allows all.",
            },
            Parameter::BadWordsIds => Row {
                name: "bad_words_ids",
                label: "Bad words",
                range: Range::IdLists,
                meaning: "Token ids of words that never come.",
            },
            Parameter::SequenceBias => Row {
                name: "sequence_bias",
                label: "Sequence bias",
                range: Range::Biases,
                meaning: "Token ids of words that become likelier, or with a negative number less likely.",
            },
            Parameter::SuppressTokens => Row {
                name: "suppress_tokens",
                label: "Suppressed tokens",
                range: Range::Ids,
                meaning: "Ids of tokens that never come.",
            },
            Parameter::BeginSuppressTokens => Row {
                name: "begin_suppress_tokens",
                label: "Suppressed first tokens",
                range: Range::Ids,
                meaning: "Ids of tokens that no text begins with.",
            },
            Parameter::ForcedBosTokenId => Row {
                name: "forced_bos_token_id",
                label: "Forced first token",
                range: Range::whole(0, Some(u32::MAX)),
                meaning: "Id of the token that follows a prompt of one token.",
            },
            Parameter::ForcedEosTokenId => Row {
                name: "forced_eos_token_id",
                label: "Forced last token",
                range: Range::Ids,
                meaning: "Id of the token that ends a text of the greatest length.",
            },
            Parameter::ExponentialDecayLengthPenalty => Row {
                name: "exponential_decay_length_penalty",
                label: "Decay by length",
                range: Range::Decay,
                meaning: "After this many new tokens the end of the text becomes likelier by the power of this factor.",
            },
            Parameter::EosTokenId => Row {
                name: "eos_token_id",
                label: "End tokens",
                range: Range::Ids,
                meaning: "Ids of the tokens that end a text, in place of the model’s own.",
            },
            Parameter::StopStrings => Row {
                name: "stop_strings",
                label: "Stop strings",
                range: Range::Texts,
                meaning: "Texts after which a text ends.",
            },
        }
    }

    /// The parameter's name in `transformers`, in JSON and in JavaScript.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The parameter's name on the page.
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// What the parameter does, in plain words.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// The values that the parameter takes. `max_length` and `max_new_tokens` are also limited by the model's context.
    pub fn range(self) -> Range {
        self.row().range
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
        matches!(
            self,
            Parameter::MaxNewTokens | Parameter::MinNewTokens | Parameter::Seed
        )
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
