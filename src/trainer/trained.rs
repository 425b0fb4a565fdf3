//! `TrainedBot`: what a training has made, as storage lists it and as the page shows it.

use serde::{Deserialize, Serialize};

use crate::runs::RunRecord;

/// The folder of a bot's training, in the bot's own.
pub const TRAINING_FOLDER: &str = "training";
/// The file with a [`TrainedBot`] as JSON, written when all its files are there.
pub const INDEX: &str = "trained.json";
/// Earlier runs that are kept, at most.
const MOST_EARLIER: usize = 8;

/// A trained bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedBot {
    /// The training and what it took and made.
    pub record: RunRecord,
    /// Names and bytes of the bot's files.
    pub files: Vec<(String, u64)>,
    /// The name of the file with the quantized weights, by which the bot is opened.
    pub gguf: String,
    /// Earlier trainings of the bot, whose files this one has replaced, the newest first.
    #[serde(default)]
    pub earlier: Vec<RunRecord>,
}

impl TrainedBot {
    /// The bot, with the runs of the one whose files it replaces.
    #[must_use]
    pub fn after(mut self, replaced: Option<Self>) -> Self {
        if let Some(replaced) = replaced {
            self.earlier = std::iter::once(replaced.record)
                .chain(replaced.earlier)
                .filter(|record| record.run.id != self.record.run.id)
                .take(MOST_EARLIER)
                .collect();
        }
        self
    }

    /// Step and loss of each step that its run has noted.
    #[must_use]
    pub fn losses(&self) -> Vec<(u32, f32)> {
        losses(&self.record)
    }
}

/// Step and loss of each step that a run has noted.
#[must_use]
pub fn losses(record: &RunRecord) -> Vec<(u32, f32)> {
    let metrics = record.run.metrics.iter();
    metrics
        .filter_map(|metric| Some((metric.step, *metric.values.get("train/loss")? as f32)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{JobType, Metric, Run, State};

    fn trained(id: &str) -> TrainedBot {
        let run = Run {
            id: id.to_owned(),
            job_type: JobType::Train,
            name: "@zoe-train".to_owned(),
            state: State::Finished,
            begun_ms: 0,
            ended_ms: Some(1),
            config: Default::default(),
            versions: Default::default(),
            seeds: Default::default(),
            metrics: vec![Metric {
                step: 5,
                time_ms: 1,
                values: [("train/loss".to_owned(), 2.5)].into(),
            }],
            summary: Default::default(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        TrainedBot {
            record: RunRecord {
                run,
                artifacts: Vec::new(),
            },
            files: Vec::new(),
            gguf: String::new(),
            earlier: Vec::new(),
        }
    }

    #[test]
    fn the_last_eight_earlier_runs_stay_and_none_twice() {
        let mut bot = trained("run0");
        for i in 1..12 {
            bot = trained(&format!("run{i}")).after(Some(bot));
        }
        let ids: Vec<&str> = bot.earlier.iter().map(|it| it.run.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "run10", "run9", "run8", "run7", "run6", "run5", "run4", "run3"
            ]
        );
        let again = trained("run11").after(Some(bot));
        assert_eq!(again.earlier[0].run.id, "run10");
        assert_eq!(again.losses(), [(5, 2.5)]);
    }
}
