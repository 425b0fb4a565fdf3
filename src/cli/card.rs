//! `card read` and `card write`: print the facts in a bot's model card, and the card of such facts.

use super::clock::now_ms;
use super::{CliError, Output, error::read_file};
use crate::card::{self, Card};
use crate::posts::time;
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
    /// Write the card of a bot: the original's with its faults mended, or as it was
    Write {
        /// The facts, JSON as `card read --json` prints it
        #[arg(value_name = "BOT.json")]
        file: PathBuf,
        /// Write the card as huggingtweets did, byte for byte
        #[arg(long)]
        as_original: bool,
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
        CardCommand::Write { file, as_original } => {
            let json = with_date(read_file(file)?);
            let card = card::write::from_json(&json, *as_original).map_err(|source| {
                CliError::CardWrite {
                    path: file.clone(),
                    source,
                }
            })?;
            output.print_file(&card)
        }
    }
}

/// The facts with today's date, if they are an object without one.
fn with_date(json: Vec<u8>) -> Vec<u8> {
    let Ok(mut facts) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&json)
    else {
        return json;
    };
    facts
        .entry("date")
        .or_insert_with(|| time::date_of(now_ms() / 1000).into());
    serde_json::Value::from(facts).to_string().into_bytes()
}

/// The card's facts, one per line.
fn describe(card: &Card) -> String {
    let label = card.label.text();
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
