//! `Base`: the model that a training begins with.

use crate::bundled::{BUNDLED_MODEL, BUNDLED_NAME};
use crate::cli::CliError;
use crate::cli::local_model::LocalModel;
use crate::cli::model::BUNDLED_BYTES;
use crate::cli::notes::print_notices;
use crate::engine::BaseModel;
use crate::hub::Dtype;
use crate::runs::{Artifact, ArtifactFile};
use crate::trainer::output;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Cursor;
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
                (model, BUNDLED_NAME.to_owned(), vec![file])
            }
        };
        print_notices(&model.notices);
        Ok(Self {
            artifact: output::base_artifact(&name, files),
            model,
            name,
        })
    }
}

/// A file with its hash.
///
/// # Errors
/// [`CliError::Read`].
pub fn hashed(path: &Path) -> Result<ArtifactFile, CliError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let read = File::open(path).and_then(|mut file| output::hashed(&name, &mut file));
    read.map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })
}
