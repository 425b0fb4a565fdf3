//! The facts that a card is written from, and their check.

use serde::Deserialize;

use super::error::CardWriteError;
use crate::card::error::{MAX_ACCOUNTS, MAX_CARD_BYTES, MAX_HANDLE_BYTES};
use crate::card::text::web_address;
use crate::card::{AccountData, Card, Label, Links};
use crate::shown;

/// The share picture of a bot that has never written anything.
const DEFAULT_THUMBNAIL: &str =
    "https://github.com/borisdayma/huggingtweets/blob/master/img/logo.png?raw=true";
/// What follows a run's address where its artifacts are shown.
pub(super) const ARTIFACTS: &str = "/artifacts";

/// What a card is written from: the JSON of [`Card`], as `card read` prints it, and what original cards lack.
///
/// Only `handles` or `handle`, and one name per account, must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CardFacts {
    /// 3 or 4; left out: 4.
    pub generation: Option<u8>,
    /// Left out: by the number of names.
    pub label: Option<Label>,
    /// One to three display names.
    pub names: Vec<String>,
    /// The sorted handles joined by `-`; left out: made of `handles`.
    pub handle: Option<String>,
    /// The handles in any order.
    pub handles: Vec<String>,
    /// An address per name.
    pub avatars: Vec<String>,
    /// The share picture.
    pub thumbnail: Option<String>,
    /// The counts per name; empty: a card without a table, which the original never wrote.
    pub table: Vec<AccountData>,
    /// The runs' pages.
    pub links: Links,
    /// Example prompts; left out: the original's.
    pub widget: Vec<String>,
    /// Whether the card is the original's, byte for byte.
    pub faithful: bool,
    /// The posts' language as a tag of BCP 47; left out: none is stated.
    pub language: Option<String>,
    /// The model that was trained on; left out: `gpt2`.
    pub base_model: Option<String>,
    /// Left out: `mit`.
    pub license: Option<String>,
    /// The day it is written, such as 2026-01-31.
    pub date: Option<String>,
    /// Whether no model was trained yet.
    pub untrained: bool,
}

impl From<Card> for CardFacts {
    fn from(card: Card) -> Self {
        Self {
            generation: Some(card.generation),
            label: Some(card.label),
            names: card.names,
            handle: Some(card.handle),
            handles: card.handles,
            avatars: card.avatars,
            thumbnail: card.thumbnail,
            table: card.table,
            links: card.links,
            widget: card.widget,
            ..Self::default()
        }
    }
}

/// Facts that were checked, as texts.
pub(super) struct CheckedFacts {
    pub(super) generation: u8,
    pub(super) label: &'static str,
    pub(super) handle: String,
    /// One per name; empty where there is none.
    pub(super) avatars: Vec<String>,
    pub(super) thumbnail: String,
    /// The run's page without [`ARTIFACTS`].
    pub(super) data_run: Option<String>,
    pub(super) training_run: Option<String>,
}

impl CheckedFacts {
    pub(super) fn new(facts: &CardFacts) -> Result<Self, CardWriteError> {
        let names = facts.names.len();
        if !(1..=MAX_ACCOUNTS).contains(&names) {
            return Err(CardWriteError::Names { got: names });
        }
        for (what, got) in [
            ("rows of counts", facts.table.len()),
            ("avatars", facts.avatars.len()),
        ] {
            if got != 0 && got != names {
                return Err(CardWriteError::Number { what, got, names });
            }
        }
        let handle = facts.handle.clone().unwrap_or_else(|| {
            let mut handles = facts.handles.clone();
            handles.sort_unstable();
            handles.join("-")
        });
        let is_handle = (1..=MAX_HANDLE_BYTES).contains(&handle.len())
            && handle
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_handle {
            return Err(CardWriteError::Handle {
                got: shown::beginning(&shown::name(&handle), MAX_HANDLE_BYTES),
            });
        }
        let address = |given: &str| {
            web_address(given).ok_or_else(|| CardWriteError::Address {
                got: shown::beginning(&shown::name(given), 200),
            })
        };
        let run = |given: &Option<String>| {
            let given = given.as_deref().map(address).transpose()?;
            Ok(given.map(|link| link.strip_suffix(ARTIFACTS).unwrap_or(&link).to_owned()))
        };
        let thumbnail = facts.thumbnail.as_deref().unwrap_or(DEFAULT_THUMBNAIL);
        let avatars = facts.avatars.iter().map(|given| address(given));
        Ok(Self {
            generation: facts.generation.unwrap_or(4),
            label: match facts.label {
                Some(Label::Cyborg) => "CYBORG",
                None if names > 1 => "CYBORG",
                Some(Label::Bot) | None => "BOT",
            },
            handle,
            avatars: avatars.collect::<Result<_, _>>()?,
            thumbnail: address(thumbnail)?,
            data_run: run(&facts.links.data)?,
            training_run: run(&facts.links.training)?.or(run(&facts.links.model)?),
        })
    }
}

/// The card, if it is short enough to be read again.
pub(super) fn checked_length(card: String) -> Result<String, CardWriteError> {
    match card.len() {
        got if got > MAX_CARD_BYTES => Err(CardWriteError::TooLarge { got }),
        _ => Ok(card),
    }
}
