//! `Parameter`: the generation parameters: names, ranges, and meanings in plain words.
//!
//! The checks of [`GenerationParams`], the settings panel, the page's address and the command line read them;
//! the tests at the end compare the JavaScript module and its types with them. `row` has the table, `value` reads and
//! writes the parameters' values.

mod place;
mod range;
mod row;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = include_str!("../../www/module/options.js");
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
