//! `card read`: what a bot's model card says.

use super::{CliError, Output, error::read_file};
use std::path::PathBuf;

/// Arguments of `card`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: CardCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CardCommand {
    /// Read a card of any generation and print what it says
    Read {
        /// The card, Markdown
        file: PathBuf,
    },
}

/// Reads the card and prints it.
pub fn run(args: &Args, _output: Output) -> Result<(), CliError> {
    match &args.command {
        CardCommand::Read { file } => {
            let _bytes = read_file(file)?;
            Err(CliError::CardsAbsent)
        }
    }
}
