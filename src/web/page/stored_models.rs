//! Brings the list of models stored on this device into the page's state.

use leptos::task::spawn_local;

use super::context::Page;
use crate::web::shared::model_storage::ModelStorage;

/// Updates the state's list of complete models, from which the open bot's own model is chosen if it is stored.
pub fn refresh(page: Page) {
    spawn_local(async move {
        // Of a storage that fails the page knows nothing new.
        let Ok(Some(storage)) = ModelStorage::open().await else {
            return;
        };
        let list = storage.list().await;
        let records = list.into_iter().map(|stored| stored.record);
        let whole = records
            .filter(|record| record.is_complete())
            .map(|record| (record.model, record.card))
            .collect();
        page.act(|state| state.update_stored(whole));
    });
}
