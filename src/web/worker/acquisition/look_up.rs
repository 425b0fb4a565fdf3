//! `LookedUp`: a host's answer about a model, fetched once for its offers and for the load that follows.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use super::refusal::not_a_model;
use super::source_files::SourceFiles;
use crate::hub::{Listing, ModelAddress, ModelRef, Offer, Room};
use crate::protocol::LoadStage;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_storage::estimate;

/// The list of a model's files, and its configuration.
pub struct LookedUp {
    model: ModelRef,
    named_file: Option<String>,
    pub(super) listing: Listing,
    pub(super) config_json: Option<Vec<u8>>,
}

impl LookedUp {
    /// Asks the host of the model.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn fetch(files: &SourceFiles) -> Result<Self, WebError> {
        files.reporter.stage(LoadStage::LookingUp);
        let listing = files.with_size(files.listing().await?).await?;
        let config_json = match listing.file("config.json") {
            Some(file) => match files.companion(&file.name).await {
                Err(WebError::Cancelled) => return Err(WebError::Cancelled),
                // Without the configuration the offer is less exact, and the load reports the failure.
                Err(_) => None,
                json => json?,
            },
            None => None,
        };
        Ok(Self {
            model: files.model.clone(),
            named_file: files.named_file(),
            listing,
            config_json,
        })
    }

    /// Whether this is the answer about `model`, in whatever type.
    pub fn is_of(&self, model: &ModelRef) -> bool {
        self.model.address == model.address && self.model.endpoint == model.endpoint
    }

    /// The costs of `model` on this device.
    ///
    /// # Errors
    /// [`WebError::Refused`] if there is no model that can be opened.
    pub async fn offer(
        &self,
        model: &ModelRef,
        device_memory_bytes: Option<u64>,
    ) -> Result<Offer, WebError> {
        let storage = estimate().await;
        let room = Room {
            device_memory_bytes: device_memory_bytes.or_else(device_memory),
            storage_bytes: storage.map(|(quota, usage)| quota.saturating_sub(usage)),
        };
        let file = self.named_file.as_deref();
        let config_json = self.config_json.as_deref();
        Offer::new(&self.listing, file, config_json, model.dtype, room)
            .map_err(|e| not_a_model(&e, e.hint()))
    }

    /// Whether a list of files may be fetched for `model`: picked and bundled files have no costs to be known.
    pub fn is_possible(model: &ModelRef) -> bool {
        !matches!(
            model.address,
            ModelAddress::Files { .. } | ModelAddress::Bundled
        )
    }
}

/// `navigator.deviceMemory` in bytes, where the browser tells it to workers.
fn device_memory() -> Option<u64> {
    let property = |object: &JsValue, name| Reflect::get(object, &JsValue::from_str(name)).ok();
    let navigator = property(&js_sys::global(), "navigator")?;
    let gib = property(&navigator, "deviceMemory")?.as_f64()?;
    Some((gib * f64::from(1 << 30)) as u64)
}
