//! `ArtifactRecord`: the kind, the origin and the download progress of an artifact that is stored on this device.
//!
//! An artifact is a set of bytes with a name that storage keeps between visits. Models are the only kind so far. Each
//! has a record and its parts; the record is written after the bytes that it describes.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest, Sha256};

use crate::hub::{Dtype, Endpoint, ModelAddress, ModelRef};
use crate::notice::Notice;

/// Version of the record's form. A record of another version belongs to another version of this page and stays as it
/// is.
const VERSION: u32 = 1;

/// Most bytes of a card that are kept; the longest of the original's has 7 kB.
pub const MAX_CARD_BYTES: usize = 256 << 10;

/// A kind of artifact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactKind {
    /// A model: one GGUF.
    #[default]
    Model,
}

impl ArtifactKind {
    /// The name of the folder with artifacts of this kind, which is also a part of the database's name.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Model => "models",
        }
    }

    /// The name of the part with the artifact's bytes, which is the ending of its file.
    #[must_use]
    pub fn part(self) -> &'static str {
        match self {
            Self::Model => "gguf",
        }
    }

    fn is_model(&self) -> bool {
        *self == Self::Model
    }
}

/// A part of a complete artifact, to be checked when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// As [`ArtifactKind::part`].
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal digits, where it was computed: a converted model is not written from front to back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// The record of an artifact that has arrived wholly or in part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArtifactRecord {
    v: u32,
    /// Its kind.
    #[serde(default, skip_serializing_if = "ArtifactKind::is_model")]
    pub kind: ArtifactKind,
    /// The requested model.
    #[serde(rename = "origin", with = "origin")]
    pub model: ModelRef,
    /// A name to show.
    pub name: String,
    /// The card as Markdown, where it has one.
    pub card: Option<String>,
    /// The unfinished download; `None` if the artifact is complete.
    #[serde(rename = "part")]
    pub download: Option<Download>,
    /// The parts of a complete artifact; empty in records of an earlier build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartRecord>,
    /// What was noticed about a complete model while it was converted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// The progress of an unfinished download, and the data to continue it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Download {
    /// A checksum of the source files' names, lengths and checksums: a download continues only with the same files.
    #[serde(default)]
    pub files: String,
    /// Bytes of the source that need not be fetched again.
    pub loaded: u64,
    /// Bytes of the source in all, where that is known.
    pub total: Option<u64>,
    /// The server's mark of the current file's version: its ETag or the time of its last change.
    pub validator: Option<String>,
    /// The state of the checksum over the current file's bytes so far: [`Checksum::state`].
    pub checksum: Option<String>,
    /// The engine's state of the conversion.
    pub journal: Value,
}

/// Why a well-formed record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Another version of this page wrote the record.
    #[error("another version of this page keeps this model (form {version})")]
    OtherVersion {
        /// Version of its form.
        version: u64,
    },
    /// The record names no model.
    #[error("the record of a stored model names no model")]
    NoModel,
}

impl RecordError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::OtherVersion { .. } => "reload the page",
            Self::NoModel => "clear the site's data in the browser's settings",
        }
    }
}

/// The name of a model's files in storage: 32 hexadecimal digits, different for every [`ModelRef`] that can be kept.
#[must_use]
pub fn storage_key(model: &ModelRef) -> String {
    origin::Origin::from(model).key()
}

impl ArtifactRecord {
    /// The record of a model before its first byte.
    #[must_use]
    pub fn new(model: ModelRef) -> Self {
        Self {
            v: VERSION,
            kind: ArtifactKind::Model,
            name: model.name(),
            model,
            card: None,
            download: Some(Download::default()),
            parts: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Reads a record; `None` if the text is not a record.
    ///
    /// # Errors
    /// [`RecordError`], each variant for its cause.
    pub fn from_json(json: &str) -> Result<Option<Self>, RecordError> {
        // A shorter record may have been written over a longer one, whose tail then follows it.
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<Value>();
        let Some(Ok(record)) = values.next() else {
            return Ok(None);
        };
        match record.get("v").and_then(Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => {
                return Err(RecordError::OtherVersion { version });
            }
            _ => {}
        }
        let origin = record.get("origin").cloned().unwrap_or_default();
        if let Ok(origin) = serde_json::from_value::<origin::Origin>(origin)
            && ModelRef::try_from(origin).is_err()
        {
            return Err(RecordError::NoModel);
        }
        Ok(serde_json::from_value(record).ok())
    }

    /// The record for storage.
    ///
    /// # Panics
    /// Never: all its keys are text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("all keys are text")
    }

    /// Whether every byte has arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.download.is_none()
    }

    /// Marks it complete.
    pub fn complete(&mut self, size_bytes: u64, sha256: Option<String>) {
        self.download = None;
        self.parts = vec![PartRecord {
            name: self.kind.part().to_owned(),
            size_bytes,
            sha256,
        }];
    }

    /// Whether bytes of this length can be those of the complete artifact.
    #[must_use]
    pub fn has_length(&self, size_bytes: u64) -> bool {
        size_bytes > 0 && self.parts.iter().all(|part| part.size_bytes == size_bytes)
    }
}

/// The form in which records name a model, and from which storage keys are made. It never changes: the records and
/// files of earlier visits stay valid.
mod origin {
    use super::*;
    use serde::{Deserializer, Serializer, de};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Origin {
        /// `OWNER/NAME`, or the address of a file or a folder.
        model: String,
        /// The endpoint that the repository is read from; `None` for an address.
        endpoint: Option<String>,
        /// The file of the repository, if the address names one.
        file: Option<String>,
        /// The requested type, `auto` included.
        dtype: String,
    }

    impl Origin {
        pub(super) fn key(&self) -> String {
            let words = [
                self.endpoint.as_deref().unwrap_or_default(),
                &self.model,
                self.file.as_deref().unwrap_or_default(),
                &self.dtype,
            ];
            // No word contains a line break.
            hex(&Sha256::digest(words.join("\n"))[..16])
        }
    }

    impl From<&ModelRef> for Origin {
        fn from(model: &ModelRef) -> Self {
            let (endpoint, file) = match &model.address {
                ModelAddress::Repository { file, .. } => {
                    (Some(model.endpoint.as_str().to_owned()), file.clone())
                }
                _ => (None, None),
            };
            let text = match &model.address {
                ModelAddress::Repository { repo, .. } => repo.to_string(),
                ModelAddress::Gguf { url } | ModelAddress::Folder { url } => url.clone(),
                ModelAddress::OwnGguf { path } => path.clone(),
                // Bundled models and picked files are never stored.
                ModelAddress::Bundled | ModelAddress::Files { .. } => model.name(),
            };
            Self {
                model: text,
                endpoint,
                file,
                dtype: model.dtype.name().to_owned(),
            }
        }
    }

    impl TryFrom<Origin> for ModelRef {
        type Error = RecordError;

        fn try_from(origin: Origin) -> Result<Self, RecordError> {
            let read = || {
                let endpoint = match &origin.endpoint {
                    Some(endpoint) => endpoint.parse().ok()?,
                    None => Endpoint::default(),
                };
                let address = match &origin.endpoint {
                    Some(_) => ModelAddress::Repository {
                        repo: origin.model.parse().ok()?,
                        file: origin.file.clone(),
                    },
                    None => ModelAddress::parse(&origin.model, &endpoint).ok()?,
                };
                let dtype: Dtype = origin.dtype.parse().ok()?;
                Some(ModelRef::new(address, endpoint, dtype))
            };
            read().ok_or(RecordError::NoModel)
        }
    }

    pub(super) fn serialize<S: Serializer>(model: &ModelRef, to: S) -> Result<S::Ok, S::Error> {
        Origin::from(model).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ModelRef, D::Error> {
        Origin::deserialize(from)?
            .try_into()
            .map_err(de::Error::custom)
    }
}

/// SHA-256 of bytes that arrive in pieces, perhaps in several visits.
#[derive(Clone, Default)]
pub struct Checksum(Sha256);

impl Checksum {
    /// Continues from a [`Checksum::state`]; `None` if the text is not a state.
    #[must_use]
    pub fn resume(state: &str) -> Option<Self> {
        let bytes = base16ct::lower::decode_vec(state).ok()?;
        let state = bytes.as_slice().try_into().ok()?;
        Some(Self(Sha256::deserialize(&state).ok()?))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The state for [`Checksum::resume`], in hexadecimal digits.
    #[must_use]
    pub fn state(&self) -> String {
        hex(&self.0.serialize())
    }

    /// The sum, 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}
