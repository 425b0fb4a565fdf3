//! `runs`: what was done with which data, of a bot's folder.

use super::runs_folder;
use super::{CliError, Output};
use crate::posts::time::iso_8601;
use crate::runs::compare::{Comparison, compare};
use crate::runs::{RunRecord, State};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `runs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The runs of a folder
    List {
        /// A bot's folder, or its folder of runs
        folder: PathBuf,
    },
    /// One run with all its metrics and artifacts
    Show {
        /// A bot's folder, or its folder of runs
        folder: PathBuf,
        /// The run
        id: String,
    },
    /// Two runs side by side
    Compare {
        /// A bot's folder, or its folder of runs
        folder: PathBuf,
        /// The first run
        one: String,
        /// The other
        other: String,
        /// The folder of the other run, if it is another one
        #[arg(long, value_name = "FOLDER")]
        other_folder: Option<PathBuf>,
    },
    /// Write runs for other programs: JSON, CSV and TensorBoard's event files, a folder per run
    Export {
        /// A bot's folder, or its folder of runs
        folder: PathBuf,
        /// The folder to write into
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// One run alone
        #[arg(long, value_name = "ID")]
        run: Option<String>,
    },
}

#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    job_type: &'static str,
    name: String,
    state: State,
    begun: String,
    steps: u32,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

impl From<&RunRecord> for Listed {
    fn from(record: &RunRecord) -> Self {
        let run = &record.run;
        Self {
            id: run.id.clone(),
            job_type: match run.job_type {
                crate::runs::JobType::Preprocess => "preprocess",
                crate::runs::JobType::Train => "train",
            },
            name: run.name.clone(),
            state: run.state,
            begun: iso_8601(run.begun_ms),
            steps: run.metrics.last().map_or(0, |metric| metric.step),
            inputs: run.inputs.clone(),
            outputs: run.outputs.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Exported {
    folders: Vec<PathBuf>,
}

/// Prints or writes runs.
///
/// # Errors
/// [`CliError`] if a run cannot be read or written.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    match &args.action {
        Action::List { folder } => {
            let records = runs_folder::read(folder)?;
            let listed: Vec<Listed> = records.iter().map(Listed::from).collect();
            output.print(&listed, |listed| list(listed))
        }
        Action::Show { folder, id } => {
            let record = runs_folder::find(folder, id)?;
            output.print(&record, RunRecord::to_json)
        }
        Action::Compare {
            folder,
            one,
            other,
            other_folder,
        } => {
            let one = runs_folder::find(folder, one)?;
            let other = runs_folder::find(other_folder.as_ref().unwrap_or(folder), other)?;
            output.print(&compare(&one.run, &other.run), side_by_side)
        }
        Action::Export { folder, out, run } => {
            let records = match run {
                Some(id) => vec![runs_folder::find(folder, id)?],
                None => runs_folder::read(folder)?,
            };
            let folders = records.iter().map(|record| runs_folder::write(out, record));
            let exported = Exported {
                folders: folders.collect::<Result<_, _>>()?,
            };
            output.print(&exported, |exported| {
                let lines = exported
                    .folders
                    .iter()
                    .map(|folder| folder.display().to_string());
                lines.collect::<Vec<_>>().join("\n")
            })
        }
    }
}

fn list(listed: &[Listed]) -> String {
    let lines = listed.iter().map(|run| {
        format!(
            "{}  {}  {:<10}  {} steps  {}  {} → {}",
            run.id,
            run.begun,
            run.job_type,
            run.steps,
            run.name,
            run.inputs.join(", "),
            run.outputs.join(", ")
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn side_by_side(comparison: &Comparison) -> String {
    let [one, other] = &comparison.runs;
    let mut lines = vec![format!("{:<32} {one:<24} {other}", "")];
    for difference in comparison.config.iter().chain(&comparison.metrics) {
        let [one, other] = difference.values.each_ref().map(ToString::to_string);
        lines.push(format!("{:<32} {one:<24} {other}", difference.name));
    }
    lines.join("\n")
}
