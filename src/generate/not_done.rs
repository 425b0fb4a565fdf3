//! Options of other libraries' generation that nothing here does: a file's are passed over by name, a caller's refused.

use serde_json::{Value, json};

/// Options of `transformers`' `generate` and of transformers.js that would change a text, each with its value that
/// changes nothing; `null` never does.
///
/// The JavaScript module has the same list, but for what it does with tokens as they are written. Options that say how
/// to compute or what else to return are not here.
pub const NOT_DONE: [(&str, Neutral); 29] = [
    ("assistant_early_exit", Neutral::Null),
    ("assistant_model", Neutral::Null),
    ("clean_up_tokenization_spaces", Neutral::False),
    ("constraints", Neutral::Null),
    ("custom_generate", Neutral::Null),
    ("diversity_penalty", Neutral::Number(0.0)),
    ("dola_layers", Neutral::Null),
    ("encoder_no_repeat_ngram_size", Neutral::Number(0.0)),
    ("encoder_repetition_penalty", Neutral::Number(1.0)),
    ("force_words_ids", Neutral::Null),
    ("generation_config", Neutral::Null),
    ("guidance_scale", Neutral::Number(1.0)),
    ("handle_long_generation", Neutral::Null),
    ("logits_processor", Neutral::Null),
    ("max_time", Neutral::Null),
    ("negative_prompt_ids", Neutral::Null),
    ("num_beam_groups", Neutral::Number(1.0)),
    ("penalty_alpha", Neutral::Number(0.0)),
    ("prefix_allowed_tokens_fn", Neutral::Null),
    ("prompt_lookup_num_tokens", Neutral::Null),
    ("remove_invalid_values", Neutral::False),
    ("return_tensors", Neutral::False),
    ("speculation_type", Neutral::Null),
    ("stop_sequence", Neutral::Null),
    ("stopping_criteria", Neutral::Null),
    ("streamer", Neutral::Null),
    ("token_healing", Neutral::False),
    ("use_mtp", Neutral::False),
    ("watermarking_config", Neutral::Null),
];

/// The value of an option that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Neutral {
    /// Only `null`.
    Null,
    /// A number.
    Number(f64),
    /// `false`.
    False,
}

impl Neutral {
    /// The value in JSON.
    pub fn to_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            // As a module writes it.
            Self::Number(number) if number.fract() == 0.0 => json!(number as i64),
            Self::Number(number) => json!(number),
            Self::False => Value::Bool(false),
        }
    }

    /// Whether an option with this value changes nothing.
    pub fn is(self, value: &Value) -> bool {
        value.is_null()
            || match self {
                Self::Null => false,
                Self::Number(number) => value.as_f64() == Some(number),
                Self::False => value == &Value::Bool(false),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = include_str!("../../www/module/options.js");
    /// Done by the module, by tokens as they are written.
    const DONE_BY_THE_MODULE: [&str; 2] = ["stopping_criteria", "streamer"];

    #[test]
    fn the_module_refuses_the_same_options_but_those_that_it_does() {
        let (_, rest) = MODULE.split_once("const NOT_DONE = {").expect("the list");
        let (table, _) = rest.split_once('}').expect("its end");
        let entries = table.split(',').map(str::trim);
        let found: Vec<&str> = entries.filter(|entry| !entry.is_empty()).collect();
        let expected: Vec<String> = NOT_DONE
            .iter()
            .filter(|(name, _)| !DONE_BY_THE_MODULE.contains(name))
            .map(|(name, neutral)| format!("{name}: {}", neutral.to_json()))
            .collect();
        assert_eq!(found, expected);
    }
}
