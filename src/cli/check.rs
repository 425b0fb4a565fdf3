//! `check`: lints the code that runs in the browser, which a native clippy does not compile.

use super::{CliError, Output};
use crate::site::{Progress, SourceTree, check};

/// Runs the lints and prints the result.
pub fn run(output: Output) -> Result<(), CliError> {
    check(&SourceTree::find()?, Progress::new())?;
    output.print(&true, |_| "no warnings for the browser".to_owned())
}
