//! `Base`: the model that a training begins with.

use crate::bundled::BUNDLED_MODEL;
use crate::cli::CliError;
use crate::cli::local_model::LocalModel;
use crate::cli::model::BUNDLED_BYTES;
use crate::cli::notes::print_notices;
use crate::engine::{BaseModel, EngineError};
use crate::hub::Dtype;
use crate::posts::dataset::SEPARATOR;
use crate::runs::{Artifact, ArtifactFile};
use serde_json::Map;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Cursor, Read as _};
use std::path::Path;

/// An opened model.
pub struct Base {
    pub model: BaseModel,
    /// The name to state in adapters and cards.
    pub name: String,
    /// Its weights as an artifact.
    pub artifact: Artifact,
}

impl Base {
    /// Opens a model on this machine, or the bundled one.
    ///
    /// # Errors
    /// As [`LocalModel::find`]; [`CliError::Model`], [`CliError::Read`].
    pub fn open(path: Option<&Path>) -> Result<Self, CliError> {
        let (model, name, files) = match path {
            Some(path) => {
                // Of several files the most exact is trained.
                let local = LocalModel::find(path, Dtype::F32)?;
                let files = local.weights().iter().map(|path| hashed(path));
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                let files = files.collect::<Result<Vec<_>, _>>()?;
                (local.open_base()?, name.into_owned(), files)
            }
            None => {
                let opened = BaseModel::from_gguf(Box::new(Cursor::new(BUNDLED_BYTES)));
                let model = opened.map_err(|source| CliError::Model {
                    name: BUNDLED_MODEL.name.to_owned(),
                    source: Box::new(source),
                })?;
                let file = ArtifactFile {
                    name: "bundled.gguf".to_owned(),
                    size_bytes: BUNDLED_MODEL.size_bytes,
                    sha256: base16ct::lower::encode_string(&Sha256::digest(BUNDLED_BYTES)),
                };
                (model, "bundled".to_owned(), vec![file])
            }
        };
        print_notices(&model.notices);
        Ok(Self {
            artifact: Artifact {
                name: format!("pretrained-{name}"),
                kind: "pretrained-model".to_owned(),
                version: "v0".to_owned(),
                files,
                metadata: Map::new(),
                made_by: None,
            },
            model,
            name,
        })
    }

    /// The tokens of a training text. Where the model ends texts with another token, that one stands between posts.
    ///
    /// # Errors
    /// [`CliError::Engine`].
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, CliError> {
        let tokenizer = &self.model.tokenizer;
        let opening = self.model.config.opening_token();
        let has_separator = tokenizer.token_id(SEPARATOR).is_some();
        let encoded = match opening.filter(|_| !has_separator) {
            None => tokenizer.encode(text),
            Some(opening) => {
                tokenizer.encode(&text.replace(SEPARATOR, &tokenizer.token_text(opening)))
            }
        };
        Ok(encoded.map_err(EngineError::Tokenizer)?)
    }
}

/// A file with its hash.
///
/// # Errors
/// [`CliError::Read`].
pub fn hashed(path: &Path) -> Result<ArtifactFile, CliError> {
    let hash = || -> io::Result<(u64, String)> {
        let (mut file, mut hash) = (File::open(path)?, Sha256::new());
        let (mut part, mut size_bytes) = (vec![0; 1 << 20], 0);
        loop {
            match file.read(&mut part)? {
                0 => break,
                n => {
                    hash.update(&part[..n]);
                    size_bytes += n as u64;
                }
            }
        }
        Ok((size_bytes, base16ct::lower::encode_string(&hash.finalize())))
    };
    let (size_bytes, sha256) = hash().map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(ArtifactFile {
        name: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        size_bytes,
        sha256,
    })
}
