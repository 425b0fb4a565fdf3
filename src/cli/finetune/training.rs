//! The loop of `finetune`: steps, metrics every five of them, checkpoints.

use crate::cli::CliError;
use crate::cli::error::read_file;
use crate::cli::status_line::StatusLine;
use crate::cli::text_file::TextFile;
use crate::finetune::{FineTune, StepReport};
use crate::runs::RunRecord;
use crate::trainer::record::TrainRun;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where and how often the state is written.
pub struct Checkpoints {
    pub path: PathBuf,
    pub every: u32,
}

impl Checkpoints {
    /// The run's record beside the state, so that metrics of the steps before are not lost.
    fn run_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".run.json");
        name.into()
    }

    fn write(&self, fine_tune: &FineTune, record: &RunRecord) -> Result<(), CliError> {
        // The record first: of a newer record the later metrics are left out.
        let json = record.to_json();
        let file = TextFile::create(&self.run_path(), &[])?;
        file.finish(|out| out.write_all(json.as_bytes()))?;
        let mut failed = None;
        let written = TextFile::create(&self.path, &[])?.finish(|mut out| {
            fine_tune.write_checkpoint(&mut out).map_err(|error| {
                let text = error.to_string();
                failed = Some(error);
                std::io::Error::other(text)
            })
        });
        match failed {
            Some(error) => Err(error.into()),
            None => written,
        }
    }

    /// Goes on from the file, if it is there.
    fn restore(&self, fine_tune: &mut FineTune, run: &mut TrainRun) -> Result<(), CliError> {
        if !self.path.is_file() {
            return Ok(());
        }
        let file = File::open(&self.path).map_err(|source| CliError::Read {
            path: self.path.clone(),
            source,
        })?;
        fine_tune.restore(&mut BufReader::with_capacity(1 << 20, file))?;
        let path = self.run_path();
        if path.is_file() {
            let read = RunRecord::from_json(&read_file(&path)?);
            let record = read.map_err(|source| CliError::Run { path, source })?;
            run.resume(record, fine_tune.steps_done());
        }
        Ok(())
    }

    /// Removes what was written.
    ///
    /// # Errors
    /// [`CliError::Write`].
    pub fn remove(&self) -> Result<(), CliError> {
        let remove = |path: &Path| match path.is_file() {
            true => fs::remove_file(path).map_err(|source| CliError::Write {
                path: path.to_owned(),
                source,
            }),
            false => Ok(()),
        };
        remove(&self.path)?;
        remove(&self.run_path())
    }
}

/// What a training came to.
pub struct Done {
    pub steps: u32,
    pub first_loss: f32,
    pub last_loss: f32,
    pub tokens_per_second: f64,
    pub seconds: f64,
}

/// Does all steps that are left.
///
/// # Errors
/// [`CliError`] if the training fails or a checkpoint cannot be written.
pub fn train(
    fine_tune: &mut FineTune,
    run: &mut TrainRun,
    checkpoints: Option<&Checkpoints>,
    status: &StatusLine,
    now_ms: fn() -> i64,
) -> Result<Done, CliError> {
    if let Some(checkpoints) = checkpoints {
        checkpoints.restore(fine_tune, run)?;
    }
    while !fine_tune.is_done() {
        let begun = Instant::now();
        let report = fine_tune.step()?;
        let speed = run.note(&report, begun.elapsed().as_secs_f64(), now_ms());
        if let Some(checkpoints) = checkpoints
            && report.step % checkpoints.every == 0
        {
            checkpoints.write(fine_tune, &run.record)?;
        }
        status.show(|| progress(&report, speed));
    }
    run.end(fine_tune, now_ms());
    let whole = run.whole();
    let (first_loss, last_loss) = run.losses();
    Ok(Done {
        steps: fine_tune.n_steps(),
        first_loss,
        last_loss,
        tokens_per_second: whole.tokens_per_second(),
        seconds: whole.seconds,
    })
}

fn progress(report: &StepReport, speed: f64) -> String {
    let left = f64::from(report.n_steps - report.step) * report.tokens as f64 / speed;
    let left = match left {
        left if left < 90.0 => format!("{left:.0} s"),
        left => format!("{:.0} min", left / 60.0),
    };
    format!(
        "step {} of {}, loss {:.3}, {speed:.0} tokens per second, {left} left …",
        report.step, report.n_steps, report.loss
    )
}
