//! `--model`: a file, a folder, or the bundled model, opened.

use super::CliError;
use super::folder::Folder;
use crate::bundled::BUNDLED_MODEL;
use crate::engine::{Loading, ModelFile, OpenModel};
use crate::tokenizer::Tokenizer;
use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

/// Inside the program, so that it is there wherever the program is.
static BUNDLED_BYTES: &[u8] = include_bytes!("../../assets/model/bundled.gguf");

/// The model of a command.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// A .gguf file or a folder laid out like a Hub repository [default: the bundled model]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
}

impl ModelArgs {
    /// Reads the whole model.
    ///
    /// # Errors
    /// [`CliError::NoSuchModel`], [`CliError::IncompleteFolder`], or [`CliError::Model`] with what is wrong.
    pub fn open(&self) -> Result<OpenModel, CliError> {
        load(self.open_file()?)
    }

    /// Reads no more than the tokenizer needs.
    ///
    /// # Errors
    /// As [`ModelArgs::open`].
    pub fn open_tokenizer(&self) -> Result<Tokenizer, CliError> {
        Ok(self.open_file()?.0.tokenizer)
    }

    fn open_file(&self) -> Result<(ModelFile, String, u64), CliError> {
        let Some(path) = &self.model else {
            let name = BUNDLED_MODEL.name.to_owned();
            return match ModelFile::from_gguf(Box::new(Cursor::new(BUNDLED_BYTES))) {
                Ok(file) => Ok((file, name, BUNDLED_MODEL.size_bytes)),
                Err(source) => Err(CliError::Model {
                    name,
                    source: Box::new(source),
                }),
            };
        };
        open_file(path)
    }
}

/// Reads the whole model at a path.
///
/// # Errors
/// As [`ModelArgs::open`].
pub fn open(path: &Path) -> Result<OpenModel, CliError> {
    load(open_file(path)?)
}

fn load((file, name, size_bytes): (ModelFile, String, u64)) -> Result<OpenModel, CliError> {
    let mut loading = Loading::new(file, &name, size_bytes);
    while loading.next_bytes().is_some() {
        loading.step().map_err(|source| CliError::Model {
            name: name.clone(),
            source: Box::new(source),
        })?;
    }
    Ok(loading.finish())
}

/// The model at a path, what to call it, and the size of its file or files.
///
/// # Errors
/// As [`ModelArgs::open`].
fn open_file(path: &Path) -> Result<(ModelFile, String, u64), CliError> {
    let name = path.display().to_string();
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(CliError::NoSuchModel {
                path: path.to_owned(),
            });
        }
        Err(source) => {
            return Err(CliError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    if meta.is_dir() {
        let folder = Folder::open(path)?;
        let size_bytes = folder.size_bytes;
        return match folder.into_model_file() {
            Ok(file) => Ok((file, name, size_bytes)),
            Err(source) => Err(CliError::Model {
                name,
                source: Box::new(source),
            }),
        };
    }
    let file = File::open(path).map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })?;
    match ModelFile::from_gguf(Box::new(BufReader::new(file))) {
        Ok(file) => Ok((file, name, meta.len())),
        Err(source) => Err(CliError::Model {
            name,
            source: Box::new(source),
        }),
    }
}
