//! The command line: one variant of `Command` and one file under `cli/` per command.

mod bench;
mod build;
mod card;
mod check;
mod clean;
mod clock;
mod dataset;
mod error;
mod finetune;
mod folder_entries;
mod generate;
mod local_model;
mod logits;
mod model;
mod notes;
mod output;
mod output_file;
mod params;
mod perplexity;
mod posts;
mod quality;
mod quantize;
mod quantized;
mod runs;
mod runs_folder;
mod serve;
mod sizes;
mod status_line;
mod text_file;
mod threads;
mod tokenize;

pub use error::CliError;
pub use output::Output;

use crate::shown::for_terminal;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The huggingtweets bots: build their page, serve it, and use the same engine from the shell.
///
/// Without a command: `serve`, that is build the page if it is not up to date and serve it.
#[derive(Debug, Parser)]
#[command(name = "huggingtweets", version)]
struct Cli {
    /// Print one JSON document on standard output and nothing else there
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the page if needed and serve it on this machine
    Serve(serve::Args),
    /// Build the page into a folder of static files
    Build(build::Args),
    /// Print the size of the built page's code, raw and after Brotli
    Sizes(sizes::Args),
    /// Lint the half of the code that runs in the browser
    Check,
    /// Continue a prompt
    Generate(generate::Args),
    /// Score the tokens that could follow a prompt
    Logits(logits::Args),
    /// Show the tokens of a text
    Tokenize(tokenize::Args),
    /// Measure how well a model expects a text
    Perplexity(perplexity::Args),
    /// Write a model as one GGUF file with smaller weights
    Quantize(quantize::Args),
    /// Measure tokens per second
    Bench(bench::Args),
    /// Read a bot's model card, or write one
    Card(card::Args),
    /// Clean the posts of exports and count them as on the card
    Clean(clean::Args),
    /// Make the training text of one to three accounts
    Dataset(dataset::Args),
    /// Train a model on posts, and write the bot as a folder
    Finetune(Box<finetune::Args>),
    /// List, show, compare or export the runs of a bot's folder
    Runs(runs::Args),
}

/// Parses the process's arguments and runs them.
///
/// Exit status: 0, or 1 with the error and a hint on standard error, or 2 for wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    let done = match cli
        .command
        .unwrap_or(Command::Serve(serve::Args::default()))
    {
        Command::Serve(args) => serve::run(&args, output),
        Command::Build(args) => build::run(&args, output),
        Command::Sizes(args) => sizes::run(&args, output),
        Command::Check => check::run(output),
        Command::Generate(args) => generate::run(&args, output),
        Command::Logits(args) => logits::run(&args, output),
        Command::Tokenize(args) => tokenize::run(&args, output),
        Command::Perplexity(args) => perplexity::run(&args, output),
        Command::Quantize(args) => quantize::run(&args, output),
        Command::Bench(args) => bench::run(&args, output),
        Command::Card(args) => card::run(&args, output),
        Command::Clean(args) => clean::run(&args, output),
        Command::Dataset(args) => dataset::run(&args, output),
        Command::Finetune(args) => finetune::run(&args, output),
        Command::Runs(args) => runs::run(&args, output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads has read enough, as `head` does.
        Err(CliError::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}", for_terminal(&error.to_string()));
            let hint = error.hint();
            if !hint.is_empty() {
                eprintln!("hint: {}", for_terminal(&hint));
            }
            ExitCode::FAILURE
        }
    }
}
