//! `Interrupted`: a training that a closed tab has left, as the records beside its checkpoints tell it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::finetune::FineTuneParams;
use crate::runs::RunRecord;

/// The record beside a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointRecord {
    /// Larger than that of every earlier checkpoint.
    pub number: u64,
    /// Steps that are done; `None` in records of earlier versions.
    #[serde(default)]
    pub steps_done: Option<u32>,
    /// What was known of the run.
    pub record: RunRecord,
}

impl CheckpointRecord {
    /// The file of one of the two records that are written in turns.
    #[must_use]
    pub fn file_name(turn: usize) -> String {
        format!("checkpoint-{turn}.json")
    }
}

/// An interrupted training.
#[derive(Debug, Clone, PartialEq)]
pub struct Interrupted {
    /// Its figures.
    pub params: FineTuneParams,
    /// The name of its base model.
    pub base: String,
    /// Steps that the checkpoint has done.
    pub steps_done: u32,
    /// Steps in all.
    pub n_steps: u32,
}

impl Interrupted {
    /// The training of the newest of these records; `None` where there is none, or one of another version.
    #[must_use]
    pub fn of(records: impl IntoIterator<Item = CheckpointRecord>) -> Option<Self> {
        let newest = records.into_iter().max_by_key(|it| it.number)?;
        let run = newest.record.run;
        let params = run.config.get("training")?.clone();
        let noted = || run.metrics.last().map_or(0, |it| it.step);
        let n_steps = run.config.get("steps").and_then(Value::as_u64);
        Some(Self {
            steps_done: newest.steps_done.unwrap_or_else(noted),
            n_steps: u32::try_from(n_steps.unwrap_or_default()).ok()?,
            params: serde_json::from_value(params).ok()?,
            base: run.config.get("base")?.as_str()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{JobType, Metric, Run, State};

    fn record(number: u64, steps_done: Option<u32>) -> CheckpointRecord {
        let training = serde_json::to_value(FineTuneParams::full()).unwrap_or_default();
        let config = [
            ("training", training),
            ("base", "bundled".into()),
            ("steps", 65.into()),
        ];
        let run = Run {
            id: "run".to_owned(),
            job_type: JobType::Train,
            name: "@zoe-train".to_owned(),
            state: State::Running,
            begun_ms: 0,
            ended_ms: None,
            config: config
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
            versions: Default::default(),
            seeds: Default::default(),
            metrics: vec![Metric {
                step: 5,
                time_ms: 1,
                values: Default::default(),
            }],
            summary: Default::default(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        CheckpointRecord {
            number,
            steps_done,
            record: RunRecord {
                run,
                artifacts: Vec::new(),
            },
        }
    }

    #[test]
    fn the_newest_checkpoint_tells_its_step_and_an_old_record_the_last_it_noted() {
        let steps = |records: [CheckpointRecord; 2]| {
            Interrupted::of(records).map(|left| (left.steps_done, left.n_steps))
        };
        assert_eq!(
            steps([record(2, Some(6)), record(1, Some(3))]),
            Some((6, 65))
        );
        assert_eq!(steps([record(1, Some(3)), record(2, None)]), Some((5, 65)));
        assert_eq!(Interrupted::of([]), None);
    }
}
