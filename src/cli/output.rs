//! `Output`: prints a command's result, as text for people or as one JSON document for programs.

use super::CliError;
use crate::shown;
use serde::Serialize;
use std::io::Write as _;

/// The form in which a command prints its result.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// `json`: whether `--json` was given.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether `--json` was given.
    #[must_use]
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints `result` as JSON, or as the text that `text` makes of it.
    ///
    /// # Errors
    /// [`CliError::Print`] if standard output fails, [`CliError::Json`] if JSON cannot express the result.
    pub fn print<T: Serialize>(
        self,
        result: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        let text = match self.json {
            true => serde_json::to_string(result)?,
            false => text(result),
        };
        // Names, tokens and texts come out of strangers' files.
        let line = match self.json {
            true => shown::escaped_json(&text),
            false => shown::for_terminal(&text),
        };
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{line}")
            .and_then(|()| stdout.flush())
            .map_err(CliError::Print)
    }

    /// Prints the content of a text file as it is, or as a JSON string.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub fn print_file(self, text: &str) -> Result<(), CliError> {
        if self.json {
            return self.print(&text, |text| (*text).to_owned());
        }
        let mut stdout = std::io::stdout().lock();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(CliError::Print)
    }
}
