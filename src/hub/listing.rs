//! `Listing`: an endpoint's list of a repository's files.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use super::is_inside;
use crate::shown::beginning;

/// Longest answer that is read, in bytes; the Hub's answer for a model has a few kB.
pub const MAX_BYTES: usize = 4 << 20;

/// Most characters of the parser's error in a message.
const MAX_REASON: usize = 200;

/// Most files of a repository.
pub const MAX_FILES: usize = 10_000;

/// A repository's files. Without an endpoint's list, [`Listing::of_files`] makes one of the files that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files, without duplicates and without names that lead out of the repository.
    pub files: Vec<ListedFile>,
    /// The commit of these files.
    pub commit: Option<String>,
    /// The kind of model, `gpt2`, where the endpoint knows it.
    pub model_type: Option<String>,
    /// Whether the files need an account with granted access.
    pub is_gated: bool,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Its path in the repository.
    pub name: String,
    /// Its length, if the endpoint states it.
    pub size_bytes: Option<u64>,
    /// 64 hexadecimal digits in lower case; the Hub has it for large files.
    pub sha256: Option<String>,
}

/// Why an answer is not a [`Listing`].
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// More than [`MAX_BYTES`] or [`MAX_FILES`].
    #[error("the list of the repository's files is longer than a model's can be")]
    TooLong,
    /// The answer is not JSON, or JSON of another form.
    #[error("the endpoint answered with something other than a list of files ({reason})")]
    Malformed {
        /// The beginning of the parser's error, which may quote the answer.
        reason: String,
    },
    /// JSON without `siblings`.
    #[error("the endpoint's answer lists no files")]
    NoFiles,
    /// A malformed checksum.
    #[error("the checksum of `{name}` is not 64 hexadecimal digits")]
    BadChecksum {
        /// The file.
        name: String,
    },
}

impl ListingError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLong => "check the endpoint and the name",
            Self::Malformed { .. } => "check the endpoint's address, or try again later",
            Self::NoFiles => "check the endpoint's address and the model's name",
            Self::BadChecksum { .. } => "try again later, or take another endpoint",
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    siblings: Option<Vec<Sibling>>,
    sha: Option<String>,
    gated: Option<Value>,
    config: Option<Value>,
    gguf: Option<Value>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    size: Option<u64>,
    sha256: Option<String>,
}

impl Listing {
    /// Reads the answer of `ENDPOINT/api/models/OWNER/NAME`, with or without `?blobs=true`.
    ///
    /// Names that lead out of the repository are skipped.
    ///
    /// # Errors
    /// [`ListingError`], each variant for its cause.
    ///
    /// Source: huggingface_hub `hf_api.py`, `ModelInfo.__init__`; sizes and checksums are optional there too.
    pub fn from_json(json: &[u8]) -> Result<Self, ListingError> {
        if json.len() > MAX_BYTES {
            return Err(ListingError::TooLong);
        }
        let answer: Answer =
            serde_json::from_slice(json).map_err(|error| ListingError::Malformed {
                reason: beginning(&error.to_string(), MAX_REASON),
            })?;
        let siblings = answer.siblings.ok_or(ListingError::NoFiles)?;
        if siblings.len() > MAX_FILES {
            return Err(ListingError::TooLong);
        }
        let mut names = HashSet::new();
        let mut files = Vec::new();
        for sibling in siblings {
            if !is_inside(&sibling.rfilename) || !names.insert(sibling.rfilename.clone()) {
                continue;
            }
            // For a file in LFS, `size` may be that of the pointer.
            let (lfs_bytes, sha256) = match sibling.lfs {
                Some(lfs) => (lfs.size, lfs.sha256),
                None => (None, None),
            };
            let sha256 = sha256.map(|digits| digits.to_ascii_lowercase());
            let is_sha256 = |digits: &String| {
                digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())
            };
            if sha256.as_ref().is_some_and(|digits| !is_sha256(digits)) {
                return Err(ListingError::BadChecksum {
                    name: sibling.rfilename,
                });
            }
            files.push(ListedFile {
                name: sibling.rfilename,
                size_bytes: lfs_bytes.or(sibling.size),
                sha256,
            });
        }
        let text = |value: &Option<Value>, key: &str| {
            let text = value.as_ref()?.get(key)?.as_str()?;
            Some(text.to_owned())
        };
        Ok(Self {
            files,
            model_type: text(&answer.config, "model_type")
                .or_else(|| text(&answer.gguf, "architecture")),
            commit: answer.sha,
            // `false`, or how access is granted: `"auto"` or `"manual"`.
            is_gated: answer
                .gated
                .is_some_and(|gated| gated.is_string() || gated == true),
        })
    }

    /// A list of picked files, or of files found in a folder. Names that lead out of the folder are skipped.
    pub fn of_files(files: impl IntoIterator<Item = (String, Option<u64>)>) -> Self {
        let files = files
            .into_iter()
            .filter(|(name, _)| is_inside(name))
            .map(|(name, size_bytes)| ListedFile {
                name,
                size_bytes,
                sha256: None,
            })
            .collect();
        Self {
            files,
            ..Self::default()
        }
    }

    /// The file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&ListedFile> {
        self.files.iter().find(|file| file.name == name)
    }
}
