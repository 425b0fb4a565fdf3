//! `ParamArgs`: a flag for every generation parameter, by the table of parameters.

use super::CliError;
use crate::generate::parameter::{Parameter, Range};
use crate::generate::params::GenerationParams;
use crate::shown::beginning;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The generation parameters that the command line states, as typed.
#[derive(Debug, Default)]
pub struct ParamArgs {
    given: Vec<(Parameter, String)>,
}

impl ParamArgs {
    /// Whether a parameter is stated.
    pub fn has(&self, parameter: Parameter) -> bool {
        self.given.iter().any(|(given, _)| *given == parameter)
    }

    /// Puts the stated parameters in the place of those in `params`.
    ///
    /// # Errors
    /// [`CliError::BadFlag`] for a value out of range.
    pub fn apply_to(&self, params: &mut GenerationParams) -> Result<(), CliError> {
        for (parameter, text) in &self.given {
            parameter.set(text, params).map_err(|_| CliError::BadFlag {
                flag: format!("--{}", flag(*parameter)),
                got: beginning(text, 80),
                allowed: parameter.range().to_string(),
            })?;
        }
        Ok(())
    }

    /// A notice for every stated parameter with a token id that a vocabulary of `vocab_size` lacks and that, as in
    /// `transformers`, has no effect; other parameters are refused with such an id.
    pub fn without_effect(&self, vocab_size: usize, params: &GenerationParams) -> Vec<String> {
        let may_be_any = |parameter: &Parameter| {
            matches!(
                parameter,
                Parameter::SuppressTokens | Parameter::BeginSuppressTokens | Parameter::EosTokenId
            )
        };
        let stated = self.given.iter().map(|(parameter, _)| *parameter);
        let notice = |parameter: Parameter| {
            let id = parameter.take_beyond(vocab_size, &mut params.clone())?;
            let flag = flag(parameter);
            Some(format!(
                "the command line: --{flag} {id} is passed over, because the vocabulary has {vocab_size} tokens"
            ))
        };
        stated.filter(may_be_any).filter_map(notice).collect()
    }
}

/// The flag of a parameter, without its two dashes.
fn flag(parameter: Parameter) -> String {
    match parameter {
        Parameter::NumReturnSequences => "n".to_owned(),
        other => other.name().replace('_', "-"),
    }
}

fn arg(parameter: Parameter) -> Arg {
    let arg = Arg::new(parameter.name())
        // The command line lives as long as the program.
        .long(&*flag(parameter).leak())
        .action(ArgAction::Set)
        .help_heading("Generation")
        .help(parameter.help());
    let arg = match parameter {
        Parameter::NumReturnSequences => arg
            .alias("num-return-sequences")
            .help("Number of texts, 1 to 10 [default: the model's own, else 5 where texts are drawn and 1 where they are not; at most as many as beams]"),
        Parameter::DoSample => arg.conflicts_with("greedy"),
        _ => arg,
    };
    match parameter.range() {
        Range::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(["true", "false"])
            .value_name("BOOL")
            .hide_possible_values(true),
        Range::Whole { .. } | Range::Decimal { .. } => arg
            .allow_negative_numbers(true)
            .value_name("NUMBER")
            .value_parser(
                |text: &str| match text.trim().replace(',', ".").parse::<f64>() {
                    Ok(_) => Ok(text.to_owned()),
                    Err(_) => Err("this is no number"),
                },
            ),
        Range::Text | Range::Texts => arg.allow_hyphen_values(true).value_name("TEXT"),
        Range::EarlyStopping => arg.value_name("WHEN"),
        Range::Ids | Range::IdLists | Range::Biases | Range::Decay => arg.value_name("JSON"),
    }
}

impl clap::Args for ParamArgs {
    fn augment_args(command: Command) -> Command {
        command.args(Parameter::ALL.map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for ParamArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for parameter in Parameter::ALL {
            let text = matches.try_get_one::<String>(parameter.name());
            let text = text.map_err(|_| clap::Error::new(ErrorKind::InvalidValue))?;
            given.extend(text.map(|text| (parameter, text.clone())));
        }
        Ok(Self { given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
