//! `OfferWords`: what a model would cost, whether there is room for it, and what to do if not.

use crate::hub::{Lack, MOST_MEMORY, Offer};

use super::figures::{bytes, dtype};

/// What a model costs, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferWords {
    /// What it takes, and what there is.
    pub cost: String,
    /// Why it will not fit, and what to do.
    pub warning: Option<String>,
}

impl OfferWords {
    /// Of an offer.
    pub fn new(offer: &Offer) -> Self {
        let wanted = offer.wanted;
        let mut cost = match (wanted.keep, wanted.memory) {
            (Some(keep), Some(memory)) => format!(
                "It will take {} on this device, and {} of memory while it is open.",
                bytes(keep),
                bytes(memory)
            ),
            (Some(keep), None) => format!(
                "It will take {} on this device, and as much memory while it is open, or more.",
                bytes(keep)
            ),
            (None, _) => "How much it takes is not known before.".to_owned(),
        };
        if let Some(storage) = offer.room.storage {
            cost += &format!(" The browser has room for {} more.", bytes(storage));
        }
        let fact = wanted.lack.map(|lack| match lack {
            Lack::Address => format!(
                "That is more memory than a browser gives any page, which is {}.",
                bytes(MOST_MEMORY)
            ),
            Lack::Memory => format!(
                "That is more memory than this device is likely to have for a page, about {}.",
                bytes(offer.room.memory())
            ),
            Lack::Storage => "That is more than the browser stores for a page.".to_owned(),
        });
        let warning = fact.map(|fact| {
        let remedy = match (offer.instead, wanted.lack) {
            (Some(instead), _) => format!(
                "As {} it fits: {} on this device, {} of memory.",
                dtype(instead.dtype.name()),
                instead.keep.map_or_else(String::new, bytes),
                instead.memory.map_or_else(String::new, bytes)
            ),
            (None, Some(Lack::Storage)) => "Delete models under Storage first.".to_owned(),
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
