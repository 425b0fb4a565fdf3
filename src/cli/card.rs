//! `card read`: prints the facts in a bot's model card.

use super::{CliError, Output, error::read_file};
use crate::card::{self, Card, Label};
use std::path::PathBuf;

/// Arguments of `card`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: CardCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CardCommand {
    /// Read a card of any generation and print its facts
    Read {
        /// The card, Markdown
        file: PathBuf,
    },
}

/// Reads the card and prints it.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    match &args.command {
        CardCommand::Read { file } => {
            let card = card::read::read(&read_file(file)?).map_err(|source| CliError::Card {
                path: file.clone(),
                source,
            })?;
            output.print(&card, describe)
        }
    }
}

/// The card's facts, one per line.
fn describe(card: &Card) -> String {
    let label = match card.label {
        Label::Bot => "AI BOT",
        Label::Cyborg => "AI CYBORG",
    };
    let mut lines = vec![
        format!("{label}: {}", card.names.join(" & ")),
        format!("@{} (header generation {})", card.handle, card.generation),
    ];
    lines.extend(card.table.iter().map(|account| {
        format!(
            "{}: {} downloaded, {} retweets, {} short, {} kept",
            account.name, account.downloaded, account.retweets, account.short, account.kept
        )
    }));
    let addresses = [
        &card.thumbnail,
        &card.links.data,
        &card.links.training,
        &card.links.model,
    ];
    lines.extend(
        card.avatars
            .iter()
            .chain(addresses.into_iter().flatten())
            .cloned(),
    );
    lines.extend(card.widget.iter().map(|prompt| format!("prompt: {prompt}")));
    lines.join("\n")
}
