//! `Parameter`: the table of generation parameters: names, ranges, defaults, and meanings in plain words.
//!
//! The checks of [`GenerationParams`], the settings panel, the page's address and the command line read this table;
//! the tests at the end compare the JavaScript module and its types with it.

use std::fmt;

use super::params::GenerationParams;

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
        /// Exclusive lower end.
        above: f32,
        /// Inclusive upper end; `None` for no limit.
        max: Option<f32>,
    },
    /// Yes or no.
    Switch,
    /// Any text.
    Text,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Range::Whole {
                min,
                max: Some(max),
            } => write!(f, "a whole number from {min} to {max}"),
            Range::Whole { min, max: None } => write!(f, "a whole number, {min} or more"),
            Range::Decimal {
                above,
                max: Some(max),
            } => write!(f, "a number above {above}, at most {max}"),
            Range::Decimal { above, max: None } => write!(f, "a number above {above}"),
            Range::Switch => f.write_str("true or false"),
            Range::Text => f.write_str("text"),
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
    Seed(&'a mut Option<u32>),
    Number(&'a mut f32),
    Switch(&'a mut bool),
    Text(&'a mut String),
}

impl Parameter {
    /// All parameters, in the order of the settings panel.
    pub const ALL: [Parameter; 13] = [
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
        }
    }

    /// The values that the parameter takes. `max_length` and `max_new_tokens` are also limited by the model's context.
    pub fn range(self) -> Range {
        match self {
            Parameter::NumReturnSequences => Range::Whole {
                min: 1,
                max: Some(10),
            },
            Parameter::Temperature | Parameter::RepetitionPenalty => Range::Decimal {
                above: 0.0,
                max: None,
            },
            Parameter::TopP => Range::Decimal {
                above: 0.0,
                max: Some(1.0),
            },
            Parameter::MaxLength | Parameter::MaxNewTokens => Range::Whole { min: 1, max: None },
            Parameter::TopK | Parameter::MinLength => Range::Whole { min: 0, max: None },
            Parameter::Seed => Range::Whole {
                min: 0,
                max: Some(u32::MAX),
            },
            Parameter::DoSample | Parameter::StopAtNewline | Parameter::ReturnFullText => {
                Range::Switch
            }
            Parameter::Prefix => Range::Text,
        }
    }

    /// Whether the parameter may be left empty.
    pub fn is_optional(self) -> bool {
        matches!(self, Parameter::MaxNewTokens | Parameter::Seed)
    }

    /// Meaning and range in one text, for a list of options.
    pub fn help(self) -> String {
        let meaning = self.meaning();
        match self.range() {
            range @ (Range::Whole { .. } | Range::Decimal { .. }) => {
                let range = range.to_string();
                let (first, rest) = range.split_at(1);
                format!("{meaning} {}{rest}.", first.to_uppercase())
            }
            Range::Switch | Range::Text => meaning.to_owned(),
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
            Place::Count(count) => count.to_string(),
            Place::OptionalCount(count) => count.map_or_else(String::new, |n| n.to_string()),
            Place::Seed(seed) => seed.map_or_else(String::new, |n| n.to_string()),
            Place::Number(number) => number.to_string(),
            Place::Switch(switch) => switch.to_string(),
            Place::Text(text) => text.clone(),
        }
    }

    /// Sets the parameter in `params` to `text`, as typed by a visitor.
    ///
    /// # Errors
    /// [`OutOfRange`], also for a text that is not a value; `params` is unchanged then.
    pub fn set(self, text: &str, params: &mut GenerationParams) -> Result<(), OutOfRange> {
        let trimmed = text.trim();
        let refused = || OutOfRange {
            parameter: self,
            got: trimmed.to_owned(),
        };
        let whole = || match trimmed.parse::<u32>() {
            Ok(n) if self.takes_whole(n as usize) => Ok(n),
            _ => Err(refused()),
        };
        match self.place(params) {
            Place::Count(count) => *count = whole()? as usize,
            Place::OptionalCount(count) if trimmed.is_empty() => *count = None,
            Place::OptionalCount(count) => *count = Some(whole()? as usize),
            Place::Seed(seed) if trimmed.is_empty() => *seed = None,
            Place::Seed(seed) => *seed = Some(whole()?),
            // Many languages write the decimal point as a comma.
            Place::Number(number) => match trimmed.replace(',', ".").parse() {
                Ok(value) if self.takes_number(value) => *number = value,
                _ => return Err(refused()),
            },
            Place::Switch(switch) => *switch = trimmed.parse().map_err(|_| refused())?,
            Place::Text(place) => text.clone_into(place),
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
            // Every value of these types is in range.
            Place::Seed(_) | Place::Switch(_) | Place::Text(_) => true,
        };
        if is_in_range {
            Ok(())
        } else {
            Err(OutOfRange {
                parameter: self,
                got: self.text_of(params),
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
        let Range::Decimal { above, max } = self.range() else {
            return false;
        };
        value.is_finite() && value > above && max.is_none_or(|max| value <= max)
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
            Parameter::Seed => Place::Seed(&mut params.seed),
            Parameter::DoSample => Place::Switch(&mut params.do_sample),
            Parameter::StopAtNewline => Place::Switch(&mut params.stop_at_newline),
            Parameter::ReturnFullText => Place::Switch(&mut params.return_full_text),
            Parameter::Prefix => Place::Text(&mut params.prefix),
        }
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
