//! The plan of a training: the written text with the chosen settings and base model.

use super::MakerState;
use crate::posts::record::ArtifactKind;
use crate::runs::{Artifact, RunRecord};
use crate::state::training_settings::TrainingSettings;
use crate::trainer::TrainingPlan;

impl MakerState {
    /// The training of the written text with these settings, on the base model of this name.
    #[must_use]
    pub fn plan(
        &self,
        settings: &TrainingSettings,
        base: &str,
        date: &str,
    ) -> Option<TrainingPlan> {
        let record = self.bot.record.clone()?;
        let of_text =
            |artifact: &&posts::record::Artifact| artifact.kind == ArtifactKind::TrainDataset;
        let place = record.artifacts.iter().position(|it| of_text(&it))?;
        let seed = record.run.config.dataset.seed;
        let preprocess = RunRecord::from(record);
        let dataset: Artifact = preprocess.artifacts.get(place)?.clone();
        let handles = self.bot.accounts.iter().map(|it| it.handle.clone());
        Some(TrainingPlan {
            bot: self.name.clone()?,
            handles: handles.collect(),
            base: base.to_owned(),
            params: settings.params(seed),
            little_memory: settings.little_memory,
            dtype: settings.dtype,
            dataset,
            preprocess: Some(preprocess),
            card: self.card_of_trained(base, date).unwrap_or_default(),
        })
    }
}
