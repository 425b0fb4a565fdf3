//! Brings the list of models stored on this device into the page's state.

use leptos::task::spawn_local;

use super::context::Page;
use crate::web::shared::model_storage::ModelStorage;

/// Updates the state's list of complete models, from which the open bot's own model is chosen if it is stored.
pub fn refresh(page: Page) {
    spawn_local(async move {
        let list = match ModelStorage::open().await {
            Ok(Some(storage)) => storage.list().await,
            _ => Vec::new(),
        };
        let records = list.into_iter().map(|stored| stored.record);
        let whole = records
            .filter(|record| record.is_complete())
            .map(|record| (record.model, record.card))
            .collect();
        page.act(|state| state.update_stored(whole));
    });
}
