//! `KeptModel`: what is remembered of a model kept on the device: where it came from, and how much of it is there.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest, Sha256};

/// Of a record; one of another version belongs to another version of this page, and is not touched.
const VERSION: u32 = 1;

/// Most bytes of a card that are kept; the longest of the original's has 7 kB.
pub const MAX_CARD_BYTES: usize = 256 << 10;

/// What was asked for; the same wish finds the same file again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `OWNER/NAME`, or the absolute address of a file or a folder.
    pub model: String,
    /// Where repositories are read; none for an address.
    pub endpoint: Option<String>,
    /// The one file of a repository that was named.
    pub file: Option<String>,
    /// The type that was asked for, `auto` included.
    pub dtype: String,
}

impl Origin {
    /// The name its files have in storage: 32 hexadecimal digits.
    pub fn key(&self) -> String {
        let words = [
            self.endpoint.as_deref().unwrap_or_default(),
            &self.model,
            self.file.as_deref().unwrap_or_default(),
            &self.dtype,
        ];
        // No word holds a line break.
        hex(&Sha256::digest(words.join("\n"))[..16])
    }
}

/// A record that another version of this page made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("another version of this page keeps this model (form {version}); reload the page")]
pub struct OtherVersion {
    /// Of its form.
    pub version: u64,
}

/// A model of which at least a part is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptModel {
    v: u32,
    /// What was asked for.
    pub origin: Origin,
    /// What to call it.
    pub name: String,
    /// The card as Markdown, where it has one.
    pub card: Option<String>,
    /// What is missing; `None` if the file is whole.
    pub part: Option<Part>,
}

/// How far a model has come that is not whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Stands for the source files, their lengths and sums: of others nothing is gone on with.
    #[serde(default)]
    pub files: String,
    /// Bytes of the source that need not be fetched again.
    pub loaded: u64,
    /// Bytes of the source in all, where that is known.
    pub total: Option<u64>,
    /// What the server said of the file that is under way: its ETag or the time of its last change.
    pub validator: Option<String>,
    /// Of that file's bytes so far: [`Checksum::state`].
    pub checksum: Option<String>,
    /// What the engine needs to go on.
    pub journal: Value,
}

impl KeptModel {
    /// Nothing of it is there yet.
    pub fn new(origin: Origin, name: String) -> Self {
        Self {
            v: VERSION,
            origin,
            name,
            card: None,
            part: Some(Part::default()),
        }
    }

    /// As storage has it; `None` for anything that is no record.
    ///
    /// # Errors
    /// [`OtherVersion`].
    pub fn from_json(json: &str) -> Result<Option<Self>, OtherVersion> {
        // A longer record may have stood here, of which a tail is left.
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<Value>();
        let Some(Ok(record)) = values.next() else {
            return Ok(None);
        };
        match record.get("v").and_then(Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => Err(OtherVersion { version }),
            _ => Ok(serde_json::from_value(record).ok()),
        }
    }

    /// For storage.
    ///
    /// # Panics
    /// Never: all its keys are text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("all keys are text")
    }

    /// Whether every byte is there.
    pub fn is_whole(&self) -> bool {
        self.part.is_none()
    }
}

/// SHA-256 of bytes that arrive in pieces, and perhaps on several days.
#[derive(Clone, Default)]
pub struct Checksum(Sha256);

impl Checksum {
    /// Goes on where [`Checksum::state`] was asked; `None` if that is no such state.
    pub fn resume(state: &str) -> Option<Self> {
        let bytes = unhex(state)?;
        let state = bytes.as_slice().try_into().ok()?;
        Some(Self(Sha256::deserialize(&state).ok()?))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// What [`Checksum::resume`] needs, as hexadecimal digits.
    pub fn state(&self) -> String {
        hex(&self.0.serialize())
    }

    /// The sum, 64 hexadecimal digits in lower case.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|&[high, low]| u8::try_from(value(high)? << 4 | value(low)?).ok())
        .collect()
}
