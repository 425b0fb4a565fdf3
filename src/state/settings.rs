//! `Settings`: what the visitor changed of the generation parameters, as typed, checked field by field.

use std::collections::BTreeMap;

use crate::protocol::GenerationParams;

/// One generation parameter as the settings panel and the page address know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
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
}

/// What a field takes and how it is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldKind {
    /// A whole number from `min` to `max`; `optional` ones may be empty.
    Whole {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
        /// Whether nothing at all is a value.
        optional: bool,
    },
    /// A number above `above` and up to `max`.
    Decimal {
        /// Exclusive lower end.
        above: f32,
        /// Inclusive upper end.
        max: f32,
        /// Step of the control.
        step: f32,
    },
    /// Yes or no.
    Switch,
    /// Any text.
    Text,
}

/// Why a value was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Not a number, or outside the range.
    #[error("{name} must be a whole number from {min} to {max}")]
    Whole {
        /// The parameter.
        name: &'static str,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// Not a number, or outside the range.
    #[error("{name} must be a number above {above}, at most {max}")]
    Decimal {
        /// The parameter.
        name: &'static str,
        /// Exclusive lower end.
        above: String,
        /// Inclusive upper end.
        max: String,
    },
    /// Neither `true` nor `false`.
    #[error("{name} must be true or false")]
    Switch {
        /// The parameter.
        name: &'static str,
    },
    /// More than the open model's context.
    #[error("{name} must be at most {n_ctx}: this model holds no more tokens")]
    Context {
        /// The parameter.
        name: &'static str,
        /// Its context length.
        n_ctx: usize,
    },
}

impl Field {
    /// All fields in the order the panel shows them.
    pub const ALL: [Field; 13] = [
        Field::NumReturnSequences,
        Field::Temperature,
        Field::TopP,
        Field::TopK,
        Field::RepetitionPenalty,
        Field::MaxLength,
        Field::MaxNewTokens,
        Field::MinLength,
        Field::Seed,
        Field::DoSample,
        Field::StopAtNewline,
        Field::ReturnFullText,
        Field::Prefix,
    ];

    /// The parameter's name, as in `transformers`.
    pub fn name(self) -> &'static str {
        match self {
            Field::NumReturnSequences => "num_return_sequences",
            Field::Temperature => "temperature",
            Field::TopP => "top_p",
            Field::TopK => "top_k",
            Field::RepetitionPenalty => "repetition_penalty",
            Field::MaxLength => "max_length",
            Field::MaxNewTokens => "max_new_tokens",
            Field::MinLength => "min_length",
            Field::Seed => "seed",
            Field::DoSample => "do_sample",
            Field::StopAtNewline => "stop_at_newline",
            Field::ReturnFullText => "return_full_text",
            Field::Prefix => "prefix",
        }
    }

    /// What a visitor calls it.
    pub fn label(self) -> &'static str {
        match self {
            Field::NumReturnSequences => "Tweets at once",
            Field::Temperature => "Temperature",
            Field::TopP => "Top p",
            Field::TopK => "Top k",
            Field::RepetitionPenalty => "Repetition penalty",
            Field::MaxLength => "Longest text",
            Field::MaxNewTokens => "Most new tokens",
            Field::MinLength => "Shortest text",
            Field::Seed => "Seed",
            Field::DoSample => "Draw at random",
            Field::StopAtNewline => "Stop at a line break",
            Field::ReturnFullText => "Repeat the prompt",
            Field::Prefix => "Prefix",
        }
    }

    /// What it does, in plain words.
    pub fn meaning(self) -> &'static str {
        match self {
            Field::NumReturnSequences => "How many different tweets are written side by side.",
            Field::Temperature => {
                "Low is cautious and repetitive, high is wild. 1 is the model as trained."
            }
            Field::TopP => {
                "Only the likeliest tokens that together reach this share may be drawn. 1 allows all."
            }
            Field::TopK => "Only this many of the likeliest tokens may be drawn. 0 allows all.",
            Field::RepetitionPenalty => {
                "Above 1, words that already stand there become less likely."
            }
            Field::MaxLength => {
                "Prefix, prompt and new text together, in tokens (about four letters each)."
            }
            Field::MaxNewTokens => {
                "Limit for the new text alone. When set, it replaces the longest text."
            }
            Field::MinLength => "Before this many tokens in all, the model may not end the text.",
            Field::Seed => {
                "The same seed, prompt and settings give the same text again. Empty: a new one each time."
            }
            Field::DoSample => {
                "Off: always the likeliest token, so every tweet comes out the same."
            }
            Field::StopAtNewline => "End a tweet where the model begins a new line.",
            Field::ReturnFullText => {
                "In the JSON, put the prompt in front of each text, as the Python pipeline does."
            }
            Field::Prefix => {
                "Goes in front of the prompt, unseen. The bots learned that a tweet begins after it."
            }
        }
    }

    /// What it takes.
    pub fn kind(self) -> FieldKind {
        match self {
            Field::NumReturnSequences => FieldKind::Whole {
                min: 1,
                max: 10,
                optional: false,
            },
            Field::Temperature => FieldKind::Decimal {
                above: 0.0,
                max: 100.0,
                step: 0.05,
            },
            Field::TopP => FieldKind::Decimal {
                above: 0.0,
                max: 1.0,
                step: 0.01,
            },
            Field::TopK => FieldKind::Whole {
                min: 0,
                max: 1_000_000,
                optional: false,
            },
            Field::RepetitionPenalty => FieldKind::Decimal {
                above: 0.0,
                max: 100.0,
                step: 0.05,
            },
            Field::MaxLength => FieldKind::Whole {
                min: 1,
                max: 100_000,
                optional: false,
            },
            Field::MaxNewTokens => FieldKind::Whole {
                min: 1,
                max: 100_000,
                optional: true,
            },
            Field::MinLength => FieldKind::Whole {
                min: 0,
                max: 100_000,
                optional: false,
            },
            Field::Seed => FieldKind::Whole {
                min: 0,
                max: u32::MAX as u64,
                optional: true,
            },
            Field::DoSample | Field::StopAtNewline | Field::ReturnFullText => FieldKind::Switch,
            Field::Prefix => FieldKind::Text,
        }
    }

    /// The field's value in `params`, as it would be typed.
    pub fn text_of(self, params: &GenerationParams) -> String {
        let optional = |value: Option<String>| value.unwrap_or_default();
        match self {
            Field::NumReturnSequences => params.num_return_sequences.to_string(),
            Field::Temperature => params.temperature.to_string(),
            Field::TopP => params.top_p.to_string(),
            Field::TopK => params.top_k.to_string(),
            Field::RepetitionPenalty => params.repetition_penalty.to_string(),
            Field::MaxLength => params.max_length.to_string(),
            Field::MaxNewTokens => optional(params.max_new_tokens.map(|n| n.to_string())),
            Field::MinLength => params.min_length.to_string(),
            Field::Seed => optional(params.seed.map(|n| n.to_string())),
            Field::DoSample => params.do_sample.to_string(),
            Field::StopAtNewline => params.stop_at_newline.to_string(),
            Field::ReturnFullText => params.return_full_text.to_string(),
            Field::Prefix => params.prefix.clone(),
        }
    }

    /// Puts `text` into `params`.
    ///
    /// # Errors
    /// As [`FieldError`]; `params` is unchanged then.
    pub fn apply(self, text: &str, params: &mut GenerationParams) -> Result<(), FieldError> {
        match self {
            Field::NumReturnSequences => params.num_return_sequences = self.whole(text)?,
            Field::Temperature => params.temperature = self.decimal(text)?,
            Field::TopP => params.top_p = self.decimal(text)?,
            Field::TopK => params.top_k = self.whole(text)?,
            Field::RepetitionPenalty => params.repetition_penalty = self.decimal(text)?,
            Field::MaxLength => params.max_length = self.whole(text)?,
            Field::MaxNewTokens => params.max_new_tokens = self.optional(text)?,
            Field::MinLength => params.min_length = self.whole(text)?,
            Field::Seed => params.seed = self.optional(text)?,
            Field::DoSample => params.do_sample = self.switch(text)?,
            Field::StopAtNewline => params.stop_at_newline = self.switch(text)?,
            Field::ReturnFullText => params.return_full_text = self.switch(text)?,
            Field::Prefix => params.prefix = text.to_owned(),
        }
        Ok(())
    }

    /// The field with this parameter name, or its short form in the page address (`n`).
    pub fn from_name(name: &str) -> Option<Field> {
        if name == "n" {
            return Some(Field::NumReturnSequences);
        }
        Field::ALL.into_iter().find(|field| field.name() == name)
    }

    fn whole<N: TryFrom<u64>>(self, text: &str) -> Result<N, FieldError> {
        let FieldKind::Whole { min, max, .. } = self.kind() else {
            unreachable!("{} is no whole number", self.name());
        };
        let refused = FieldError::Whole {
            name: self.name(),
            min,
            max,
        };
        let value: u64 = text.trim().parse().map_err(|_| refused.clone())?;
        if !(min..=max).contains(&value) {
            return Err(refused);
        }
        N::try_from(value).map_err(|_| refused)
    }

    fn optional<N: TryFrom<u64>>(self, text: &str) -> Result<Option<N>, FieldError> {
        if text.trim().is_empty() {
            Ok(None)
        } else {
            self.whole(text).map(Some)
        }
    }

    fn decimal(self, text: &str) -> Result<f32, FieldError> {
        let FieldKind::Decimal { above, max, .. } = self.kind() else {
            unreachable!("{} is no number", self.name());
        };
        // Keyboards of half the world write the decimal point as a comma.
        match text.trim().replace(',', ".").parse::<f32>() {
            Ok(value) if value > above && value <= max => Ok(value),
            _ => Err(FieldError::Decimal {
                name: self.name(),
                above: above.to_string(),
                max: max.to_string(),
            }),
        }
    }

    fn switch(self, text: &str) -> Result<bool, FieldError> {
        text.trim()
            .parse()
            .map_err(|_| FieldError::Switch { name: self.name() })
    }
}

/// The fields that differ from the defaults, as typed; a wrong value stays until it is mended or reset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    typed: BTreeMap<Field, String>,
}

impl Settings {
    /// Takes what was typed into one field; typing the default again means "not changed".
    pub fn set(&mut self, field: Field, text: &str, defaults: &GenerationParams) {
        if text == field.text_of(defaults) {
            self.typed.remove(&field);
        } else {
            self.typed.insert(field, text.to_owned());
        }
    }

    /// Back to the default, for one field.
    pub fn reset(&mut self, field: Field) {
        self.typed.remove(&field);
    }

    /// Back to the defaults.
    pub fn reset_all(&mut self) {
        self.typed.clear();
    }

    /// Whether the visitor changed this field.
    pub fn is_changed(&self, field: Field) -> bool {
        self.typed.contains_key(&field)
    }

    /// How many fields are changed.
    pub fn n_changed(&self) -> usize {
        self.typed.len()
    }

    /// What stands in the field's control.
    pub fn text(&self, field: Field, defaults: &GenerationParams) -> String {
        match self.typed.get(&field) {
            Some(text) => text.clone(),
            None => field.text_of(defaults),
        }
    }

    /// What is wrong with a field, if anything.
    pub fn error(&self, field: Field, n_ctx: Option<usize>) -> Option<FieldError> {
        let text = self.typed.get(&field)?;
        let mut scratch = GenerationParams::default();
        if let Err(error) = field.apply(text, &mut scratch) {
            return Some(error);
        }
        let n_ctx = n_ctx?;
        let wanted = match field {
            Field::MaxLength => scratch.max_length,
            Field::MaxNewTokens => scratch.max_new_tokens?,
            _ => return None,
        };
        (wanted > n_ctx).then_some(FieldError::Context {
            name: field.name(),
            n_ctx,
        })
    }

    /// The parameters to send: `defaults` with the changes laid over them.
    ///
    /// # Errors
    /// The first field's [`FieldError`].
    pub fn params(
        &self,
        defaults: &GenerationParams,
        n_ctx: Option<usize>,
    ) -> Result<GenerationParams, FieldError> {
        let mut params = defaults.clone();
        for (field, text) in &self.typed {
            if let Some(error) = self.error(*field, n_ctx) {
                return Err(error);
            }
            field.apply(text, &mut params)?;
        }
        Ok(params)
    }
}
