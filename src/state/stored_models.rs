//! `StoredModels`: the complete models that are stored on this device.

use crate::hub::ModelRef;

/// The complete models that are stored on this device, as far as the page knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct StoredModels(Vec<ModelRef>);

impl StoredModels {
    pub(super) fn models(&self) -> impl Iterator<Item = &ModelRef> {
        self.0.iter()
    }

    pub(super) fn contains(&self, model: &ModelRef) -> bool {
        self.0.contains(model)
    }

    pub(super) fn replace(&mut self, models: Vec<ModelRef>) {
        self.0 = models;
    }

    pub(super) fn add(&mut self, model: ModelRef) {
        if !self.0.contains(&model) {
            self.0.push(model);
        }
    }
}
