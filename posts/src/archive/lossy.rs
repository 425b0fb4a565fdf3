//! Values of JSON that exports write in several ways: texts with lone surrogates, ids as numbers or as texts.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// The error of [`Lossy`] for bytes that are no UTF-8.
pub(super) const NOT_UTF8: &str = "not UTF-8";

/// A text; half a surrogate pair, which Python writes for a text cut inside a character, becomes U+FFFD.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lossy(pub String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde_json gives bytes where a text is no UTF-8; a lone surrogate comes as three bytes from ED A0 on.
        deserializer.deserialize_bytes(LossyVisitor)
    }
}

struct LossyVisitor;

impl Visitor<'_> for LossyVisitor {
    type Value = Lossy;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Lossy, E> {
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes;
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    return Ok(Lossy(text));
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    match invalid {
                        [0xed, 0xa0..=0xbf, _, after @ ..] => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            rest = after;
                        }
                        _ => return Err(E::custom(NOT_UTF8)),
                    }
                }
            }
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Lossy, E> {
        Ok(Lossy(text.to_owned()))
    }
}

/// An id, written as a text or as a number; empty for anything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl<'de> Visitor<'de> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
        Ok(Id(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Id, E> {
        Ok(Id(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Id, E> {
        Ok(Id(number.to_string()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Id, E> {
        Ok(Id::default())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Id, E> {
        Ok(Id::default())
    }

    fn visit_unit<E: Error>(self) -> Result<Id, E> {
        Ok(Id::default())
    }

    fn visit_none<E: Error>(self) -> Result<Id, E> {
        Ok(Id::default())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Id, A::Error> {
        // MongoDB writes `{"$numberLong": "1"}`.
        let mut id = Id::default();
        while let Some((_, value)) = map.next_entry::<serde::de::IgnoredAny, Id>()? {
            id = value;
        }
        Ok(id)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Id, A::Error> {
        while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Id::default())
    }
}
