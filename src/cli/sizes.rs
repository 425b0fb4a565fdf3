//! `sizes`: prints the size of the code that a visitor downloads before any model, beside its limit.

use super::{CliError, Output};
use crate::site::{Progress, Sizes, SourceTree};
use std::path::PathBuf;

/// Arguments of `sizes`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The built folder; default: `dist` beside Cargo.toml
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Measures and prints.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => SourceTree::find()?.dist(),
    };
    let sizes = Sizes::measure(&dir, Progress::new())?;
    output.print(&sizes, Sizes::to_table)
}
