//! `clean`: the posts of exports after the original's cleaning, and the counts of the card.

use super::posts::{AccountPosts, PostsArgs, Raw};
use super::{CliError, Output};
use serde::Serialize;

/// Arguments of `clean`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    posts: PostsArgs,
}

#[derive(Debug, Serialize)]
struct Cleaned {
    name: String,
    handle: String,
    downloaded: u64,
    retweets: u64,
    short: u64,
    kept: u64,
    /// Posts that a switch left out; absent where no switch is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u64>,
    tweets: Vec<String>,
}

impl From<AccountPosts> for Cleaned {
    fn from(account: AccountPosts) -> Self {
        let counts = account.counts;
        let left_out = counts.left_out.total();
        Self {
            name: account.name,
            handle: account.handle,
            downloaded: counts.downloaded,
            retweets: counts.retweets,
            short: counts.short,
            kept: counts.kept,
            left_out: (left_out > 0).then_some(left_out),
            tweets: account.kept,
        }
    }
}

/// Prints an entry per account.
///
/// # Errors
/// [`CliError`] if a file cannot be read.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let accounts: Vec<Cleaned> = args
        .posts
        .read(Raw::Drop)?
        .into_iter()
        .map(Cleaned::from)
        .collect();
    output.print(&accounts, |accounts| table(accounts))
}

/// The counts as on the card.
fn table(accounts: &[Cleaned]) -> String {
    type Row = (&'static str, fn(&Cleaned) -> u64);
    const ROWS: [Row; 5] = [
        ("Tweets downloaded", |account| account.downloaded),
        ("Retweets", |account| account.retweets),
        ("Short tweets", |account| account.short),
        ("Left out", |account| account.left_out.unwrap_or_default()),
        ("Tweets kept", |account| account.kept),
    ];
    let has_left_out = accounts.iter().any(|account| account.left_out.is_some());
    let header = (
        "Data",
        accounts
            .iter()
            .map(|account| account.name.clone())
            .collect(),
    );
    let rows = ROWS
        .iter()
        .filter(|(name, _)| has_left_out || *name != "Left out")
        .map(|(name, count)| {
            (
                *name,
                accounts.iter().map(|a| count(a).to_string()).collect(),
            )
        });
    let rows: Vec<(&str, Vec<String>)> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|(_, cells)| cells[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let lines = rows.iter().map(|(name, cells)| {
        let cells = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| format!("  {cell:>width$}", width = width(column)));
        format!("{name:<17}{}", cells.collect::<String>())
    });
    lines.collect::<Vec<_>>().join("\n")
}
