//! `OfferWords`: a model's costs in words, with a warning and a remedy where the device has too little room.

use super::wording::{bytes, dtype};
use crate::hub::{MAX_MEMORY_BYTES, Offer, Shortage};

/// A model's costs, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferWords {
    /// The model's size, and the device's room.
    pub cost: String,
    /// Why the model does not fit, and a remedy.
    pub warning: Option<String>,
}

impl OfferWords {
    /// The words for an offer.
    pub fn new(offer: &Offer) -> Self {
        let wanted = offer.wanted;
        let mut cost = match (wanted.storage_bytes, wanted.memory_bytes) {
            (Some(storage), Some(memory)) => format!(
                "It will take {} on this device, and {} of memory while it is open.",
                bytes(storage),
                bytes(memory)
            ),
            (Some(storage), None) => format!(
                "It will take {} on this device, and at least as much memory while it is open.",
                bytes(storage)
            ),
            (None, _) => "Its size is not known before the download.".to_owned(),
        };
        if let Some(storage) = offer.room.storage_bytes {
            cost += &format!(" The browser has room for {} more.", bytes(storage));
        }
        let warning = wanted.shortage.map(|shortage| {
            let fact = match shortage {
                Shortage::AddressSpace => format!(
                    "That is more memory than a browser gives any page, which is {}.",
                    bytes(MAX_MEMORY_BYTES)
                ),
                Shortage::Memory => format!(
                    "That is more memory than this device is likely to have for a page, about {}.",
                    bytes(offer.room.memory_bytes())
                ),
                Shortage::Storage => "That is more than the browser stores for a page.".to_owned(),
            };
            let remedy = match (offer.fallback, shortage) {
                (Some(fallback), _) => format!(
                    "As {} it fits: {} on this device, {} of memory.",
                    dtype(fallback.dtype.name()),
                    fallback.storage_bytes.map_or_else(String::new, bytes),
                    fallback.memory_bytes.map_or_else(String::new, bytes)
                ),
                (None, Shortage::Storage) => "Delete models under Storage first.".to_owned(),
                (None, _) => {
                    "No type of it is small enough: open a smaller model, or this one on a device with more memory."
                        .to_owned()
                }
            };
            format!("{fact} {remedy}")
        });
        Self { cost, warning }
    }
}
