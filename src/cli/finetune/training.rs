//! The loop of `finetune`: steps, metrics every five of them, checkpoints.

use super::base::Base;
use super::data::Data;
use crate::cli::CliError;
use crate::cli::error::read_file;
use crate::cli::status_line::StatusLine;
use crate::cli::text_file::TextFile;
use crate::finetune::params::Method;
use crate::finetune::{FineTune, StepReport};
use crate::kernels::training::product;
use crate::posts::record::run_id;
use crate::runs::{JobType, Metric, Run, RunRecord, State};
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Steps between two metrics.
const LOGGING_STEPS: u32 = 5;

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
    fn restore(&self, fine_tune: &mut FineTune, record: &mut RunRecord) -> Result<(), CliError> {
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
            *record = read.map_err(|source| CliError::Run { path, source })?;
            let done = fine_tune.steps_done();
            record.run.metrics.retain(|metric| metric.step <= done);
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

/// The record of a training that begins.
pub fn begin(data: &Data, base: &Base, fine_tune: &FineTune, now_ms: i64) -> RunRecord {
    let params = fine_tune.params();
    let map = |value: serde_json::Result<Value>| match value {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let mut config = Map::new();
    config.insert("handles".to_owned(), data.handles().into());
    config.insert("base".to_owned(), base.name.as_str().into());
    config.insert("steps".to_owned(), fine_tune.n_steps().into());
    config.insert(
        "training".to_owned(),
        map(serde_json::to_value(params)).into(),
    );
    config.insert("model".to_owned(), fine_tune.config().to_json());
    RunRecord {
        run: Run {
            id: run_id(now_ms.unsigned_abs().wrapping_add(1)),
            job_type: JobType::Train,
            name: format!("@{}-train", data.handles().join("-")),
            state: State::Running,
            begun_ms: now_ms,
            ended_ms: None,
            config,
            versions: [
                ("huggingtweets-web", env!("CARGO_PKG_VERSION")),
                ("products", product::simd()),
            ]
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .into(),
            seeds: [("trainer".to_owned(), params.seed)].into(),
            metrics: Vec::new(),
            summary: Map::new(),
            inputs: vec![data.artifact.reference(), base.artifact.reference()],
            outputs: Vec::new(),
        },
        artifacts: vec![data.artifact.clone(), base.artifact.clone()],
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
    record: &mut RunRecord,
    checkpoints: Option<&Checkpoints>,
    status: &StatusLine,
    now_ms: fn() -> i64,
) -> Result<Done, CliError> {
    if let Some(checkpoints) = checkpoints {
        checkpoints.restore(fine_tune, record)?;
    }
    let begun = Instant::now();
    let (mut tokens, mut since_last) = (0, Vec::new());
    while !fine_tune.is_done() {
        let report = fine_tune.step()?;
        tokens += report.tokens;
        since_last.push(report.loss);
        let speed = tokens as f64 / begun.elapsed().as_secs_f64();
        if report.step == 1 || report.step % LOGGING_STEPS == 0 || report.step == report.n_steps {
            let loss = since_last.iter().sum::<f32>() / since_last.len() as f32;
            since_last.clear();
            record
                .run
                .metrics
                .push(metric(&report, loss, speed, now_ms()));
        }
        if let Some(checkpoints) = checkpoints
            && report.step % checkpoints.every == 0
        {
            checkpoints.write(fine_tune, record)?;
        }
        status.show(|| progress(&report, speed));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let run = &mut record.run;
    let loss = |metric: Option<&Metric>| {
        let loss = metric.and_then(|metric| metric.values.get("train/loss"));
        loss.map_or(f32::NAN, |loss| *loss as f32)
    };
    let done = Done {
        steps: fine_tune.n_steps(),
        first_loss: loss(run.metrics.first()),
        last_loss: loss(run.metrics.last()),
        tokens_per_second: if tokens > 0 {
            tokens as f64 / seconds
        } else {
            0.0
        },
        seconds,
    };
    run.state = State::Finished;
    run.ended_ms = Some(now_ms());
    for (name, value) in [
        ("first_loss", f64::from(done.first_loss)),
        ("last_loss", f64::from(done.last_loss)),
        ("tokens_per_second", done.tokens_per_second),
        ("seconds", seconds),
    ] {
        run.summary.insert(name.to_owned(), value.into());
    }
    let method = match &fine_tune.params().method {
        Method::Full => "full",
        Method::Lora(_) => "lora",
    };
    run.summary.insert("method".to_owned(), method.into());
    Ok(done)
}

fn metric(report: &StepReport, loss: f32, speed: f64, time_ms: i64) -> Metric {
    let values = [
        ("train/loss", f64::from(loss)),
        ("train/learning_rate", f64::from(report.learning_rate)),
        ("train/grad_norm", f64::from(report.grad_norm)),
        ("train/tokens_per_second", speed),
        (
            "train/progress",
            f64::from(report.step) / f64::from(report.n_steps),
        ),
    ];
    Metric {
        step: report.step,
        time_ms,
        values: values.map(|(name, value)| (name.to_owned(), value)).into(),
    }
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
