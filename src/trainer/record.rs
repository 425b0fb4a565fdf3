//! `TrainRun`: the record of a training, which grows with its steps.

use serde_json::{Map, Value};

use crate::finetune::{FineTune, StepReport};
use crate::json::decimal;
use crate::kernels::training::product;
use crate::posts::record::run_id;
use crate::runs::{Artifact, JobType, Metric, Run, RunRecord, State};

/// Steps between two metrics.
pub const LOGGING_STEPS: u32 = 5;

/// What a training takes.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// In the order of input.
    pub handles: &'a [&'a str],
    /// The name of the base model.
    pub base_name: &'a str,
    /// The training text.
    pub dataset: &'a Artifact,
    /// The base model's weights.
    pub base: &'a Artifact,
}

/// The run of a training under way.
pub struct TrainRun {
    /// What is known so far.
    pub record: RunRecord,
    /// Losses since the last metric.
    losses: Vec<f32>,
    /// Of all steps, in whichever visits.
    whole: Pace,
    /// Since it began or went on.
    pace: Pace,
}

impl TrainRun {
    /// The run of a training that begins, at `now_ms` milliseconds since 1970.
    pub fn begin(inputs: Inputs, fine_tune: &FineTune, now_ms: i64) -> Self {
        let Inputs {
            handles,
            base_name,
            dataset,
            base,
        } = inputs;
        let params = fine_tune.params();
        let mut config = Map::new();
        config.insert("handles".to_owned(), handles.into());
        config.insert("base".to_owned(), base_name.into());
        config.insert("steps".to_owned(), fine_tune.n_steps().into());
        let training = serde_json::to_value(params).unwrap_or_default();
        config.insert("training".to_owned(), decimals(training));
        config.insert("model".to_owned(), fine_tune.config().to_json());
        let record = RunRecord {
            run: Run {
                id: run_id(now_ms.unsigned_abs().wrapping_add(1)),
                job_type: JobType::Train,
                name: format!("@{}-train", handles.join("-")),
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
                inputs: vec![dataset.reference(), base.reference()],
                outputs: Vec::new(),
            },
            artifacts: vec![dataset.clone(), base.clone()],
        };
        Self {
            record,
            losses: Vec::new(),
            whole: Pace::default(),
            pace: Pace::default(),
        }
    }

    /// Goes on with the record of the same training, whose first `steps` steps count.
    pub fn resume(&mut self, mut record: RunRecord, steps: u32) {
        record.run.metrics.retain(|metric| metric.step <= steps);
        let number = |name: &str| record.run.summary.get(name).and_then(Value::as_f64);
        self.whole = Pace {
            // Whole numbers below 2^53.
            tokens: number(TOKENS).unwrap_or_default() as u64,
            seconds: number(SECONDS).unwrap_or_default(),
        };
        self.pace = Pace::default();
        self.record = record;
        self.losses.clear();
    }

    /// Takes on a step that took some seconds: of every [`LOGGING_STEPS`] the mean loss. Gives the tokens per second since
    /// the training began or went on.
    pub fn note(&mut self, report: &StepReport, seconds: f64, now_ms: i64) -> f64 {
        for pace in [&mut self.whole, &mut self.pace] {
            pace.add(report.tokens, seconds);
        }
        let summary = &mut self.record.run.summary;
        summary.insert(TOKENS.to_owned(), self.whole.tokens.into());
        summary.insert(SECONDS.to_owned(), self.whole.seconds.into());
        let tokens_per_second = self.pace.tokens_per_second();
        self.losses.push(report.loss);
        let is_logged = report.step == 1
            || report.step.is_multiple_of(LOGGING_STEPS)
            || report.step == report.n_steps;
        if !is_logged {
            return tokens_per_second;
        }
        let loss = self.losses.iter().sum::<f32>() / self.losses.len() as f32;
        self.losses.clear();
        let progress = f64::from(report.step) / f64::from(report.n_steps);
        let values = [
            ("train/loss", decimal(loss)),
            ("train/learning_rate", decimal(report.learning_rate)),
            ("train/grad_norm", decimal(report.grad_norm)),
            ("train/tokens_per_second", tokens_per_second),
            ("train/progress", progress),
        ];
        self.record.run.metrics.push(Metric {
            step: report.step,
            time_ms: now_ms,
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        });
        tokens_per_second
    }

    /// Tokens and seconds of all its steps.
    pub fn whole(&self) -> Pace {
        self.whole
    }

    /// The loss of the first and of the last metric.
    pub fn losses(&self) -> (f32, f32) {
        let loss = |metric: Option<&Metric>| {
            let loss = metric.and_then(|metric| metric.values.get("train/loss"));
            loss.map_or(f32::NAN, |loss| *loss as f32)
        };
        let metrics = &self.record.run.metrics;
        (loss(metrics.first()), loss(metrics.last()))
    }

    /// Ends the run, after all steps or before.
    pub fn end(&mut self, fine_tune: &FineTune, now_ms: i64) {
        let (first_loss, last_loss) = self.losses();
        let run = &mut self.record.run;
        run.state = match fine_tune.is_done() {
            true => State::Finished,
            false => State::Stopped,
        };
        run.ended_ms = Some(now_ms);
        for (name, value) in [
            ("first_loss", decimal(first_loss)),
            ("last_loss", decimal(last_loss)),
            ("tokens_per_second", self.whole.tokens_per_second()),
        ] {
            run.summary.insert(name.to_owned(), value.into());
        }
        let steps = fine_tune.steps_done();
        run.summary.insert(STEPS.to_owned(), steps.into());
        let method = fine_tune.params().method.name();
        run.summary.insert("method".to_owned(), Value::from(method));
    }
}

/// The settings with every float as [`decimal`] writes it; all of them are 32-bit floats.
fn decimals(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default() as f32;
            decimal(float).into()
        }
        Value::Array(values) => values.into_iter().map(decimals).collect(),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(name, value)| (name, decimals(value)))
                .collect(),
        ),
        value => value,
    }
}

/// The sums in the summary that a training goes on with.
const TOKENS: &str = "tokens";
const SECONDS: &str = "seconds";

/// The steps of an ended training, in its summary.
pub const STEPS: &str = "steps";

/// Tokens trained on, and the seconds that took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pace {
    /// Tokens.
    pub tokens: u64,
    /// Seconds.
    pub seconds: f64,
}

impl Pace {
    /// Takes on a step.
    fn add(&mut self, tokens: usize, seconds: f64) {
        self.tokens += tokens as u64;
        self.seconds += seconds;
    }

    /// Tokens per second; 0 before the first step.
    pub fn tokens_per_second(self) -> f64 {
        match self.tokens {
            0 => 0.0,
            tokens => tokens as f64 / self.seconds.max(1e-9),
        }
    }
}
