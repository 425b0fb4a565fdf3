//! `--model`: opens a model from a file or a folder, or the bundled model.

use super::CliError;
use super::local_model::LocalModel;
use super::notes::print_notices;
use crate::bundled::BUNDLED_MODEL;
use crate::engine::{Loading, ModelFile, OpenModel};
use crate::hub::Dtype;
use crate::tokenizer::Tokenizer;
use std::io::Cursor;
use std::path::PathBuf;

/// The bundled model, part of the program.
pub static BUNDLED_BYTES: &[u8] = include_bytes!("../../assets/model/bundled.gguf");

/// The model of a command.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// A .gguf file or a folder laid out like a Hub repository [default: the bundled model]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
}

impl ModelArgs {
    /// The whole model, in memory. What there is to know about its files is printed.
    ///
    /// # Errors
    /// As [`LocalModel::find`], or [`CliError::Model`].
    pub fn open(&self) -> Result<OpenModel, CliError> {
        let open = match &self.model {
            Some(path) => open(&LocalModel::find(path, Dtype::Auto)?)?,
            None => load(bundled()?, BUNDLED_MODEL.name, BUNDLED_MODEL.size_bytes)?,
        };
        print_notices(&open.info.notices);
        Ok(open)
    }

    /// Its tokenizer, without reading the weights.
    ///
    /// # Errors
    /// As [`ModelArgs::open`].
    pub fn open_tokenizer(&self) -> Result<Tokenizer, CliError> {
        let file = match &self.model {
            Some(path) => LocalModel::find(path, Dtype::Auto)?.open()?,
            None => bundled()?,
        };
        print_notices(&file.notices);
        Ok(file.tokenizer)
    }
}

/// A model on this machine, in memory.
///
/// # Errors
/// [`CliError::Read`], [`CliError::Model`].
pub fn open(model: &LocalModel) -> Result<OpenModel, CliError> {
    load(model.open()?, &model.name(), model.size_bytes()?)
}

fn bundled() -> Result<ModelFile, CliError> {
    let file = ModelFile::from_gguf(Box::new(Cursor::new(BUNDLED_BYTES)));
    file.map_err(|source| CliError::Model {
        name: BUNDLED_MODEL.name.to_owned(),
        source: Box::new(source),
    })
}

fn load(file: ModelFile, name: &str, size_bytes: u64) -> Result<OpenModel, CliError> {
    let mut loading = Loading::new(file, name, size_bytes);
    while loading.next_bytes().is_some() {
        loading.step().map_err(|source| CliError::Model {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
    }
    Ok(loading.finish())
}
