//! `Settings`: the generation parameters that the visitor changed, as typed, and checked one by one.

use std::collections::BTreeMap;

use crate::generate::parameter::{OutOfRange, Parameter};
use crate::protocol::GenerationParams;

/// Why a setting cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The text is not a value, or outside the parameter's range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The value is more than the open model takes.
    #[error("{} must be at most {most}, which is all this model takes", .parameter.name())]
    Context {
        /// The parameter.
        parameter: Parameter,
        /// The greatest value.
        most: usize,
    },
}

/// The parameters that differ from the defaults, as typed; a wrong value stays until it is corrected or reset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    typed: BTreeMap<Parameter, String>,
}

impl Settings {
    /// Takes the text of one parameter; typing the default again means "not changed".
    pub fn set(&mut self, parameter: Parameter, text: &str, defaults: &GenerationParams) {
        if text == parameter.text_of(defaults) {
            self.typed.remove(&parameter);
        } else {
            self.typed.insert(parameter, text.to_owned());
        }
    }

    /// Puts one parameter back to its default.
    pub fn reset(&mut self, parameter: Parameter) {
        self.typed.remove(&parameter);
    }

    /// Puts all parameters back to their defaults.
    pub fn reset_all(&mut self) {
        self.typed.clear();
    }

    /// Whether the visitor changed this parameter.
    pub fn is_changed(&self, parameter: Parameter) -> bool {
        self.typed.contains_key(&parameter)
    }

    /// How many parameters are changed.
    pub fn n_changed(&self) -> usize {
        self.typed.len()
    }

    /// The text in the parameter's control.
    pub fn text(&self, parameter: Parameter, defaults: &GenerationParams) -> String {
        match self.typed.get(&parameter) {
            Some(text) => text.clone(),
            None => parameter.text_of(defaults),
        }
    }

    /// Why a parameter's text cannot be used; `None` if it can.
    pub fn error(&self, parameter: Parameter, n_ctx: Option<usize>) -> Option<SettingError> {
        let text = self.typed.get(&parameter)?;
        let mut params = GenerationParams::default();
        if let Err(error) = parameter.set(text, &mut params) {
            return Some(error.into());
        }
        let n_ctx = n_ctx?;
        let (length, most) = match parameter {
            // The last new token needs no place in the context.
            Parameter::MaxLength => (params.max_length, n_ctx.saturating_add(1)),
            // The prompt has one token at least.
            Parameter::MaxNewTokens => (params.max_new_tokens?, n_ctx),
            _ => return None,
        };
        (length > most).then_some(SettingError::Context { parameter, most })
    }

    /// The parameters to send: `defaults` with the changes.
    ///
    /// # Errors
    /// The first [`SettingError`].
    pub fn params(
        &self,
        defaults: &GenerationParams,
        n_ctx: Option<usize>,
    ) -> Result<GenerationParams, SettingError> {
        let mut params = defaults.clone();
        for (parameter, text) in &self.typed {
            if let Some(error) = self.error(*parameter, n_ctx) {
                return Err(error);
            }
            parameter.set(text, &mut params)?;
        }
        if !self.is_changed(Parameter::NumReturnSequences) {
            params.num_return_sequences = params.unasked_sequences(defaults);
        }
        Ok(params)
    }
}

/// The values of unchanged settings: the open model's own parameters.
pub fn default_params(model: Option<&GenerationParams>) -> GenerationParams {
    let params = model.cloned().unwrap_or_default();
    GenerationParams {
        num_return_sequences: params.unasked_sequences(&params),
        seed: None,
        ..params
    }
}
