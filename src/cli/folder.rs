//! A model folder laid out like a Hub repository.

use super::CliError;
use super::error::read_file;
use crate::engine::{EngineError, ModelFile};
use crate::generate::params::GenerationParams;
use crate::hub::ShardIndex;
use crate::tokenizer::Vocabulary;
use crate::weights::{Checkpoint, ReadSeek};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Everything a folder holds, the weights still unread.
pub struct Folder {
    /// The weights.
    pub checkpoint: Checkpoint,
    /// From `config.json` and `generation_config.json`.
    pub defaults: GenerationParams,
    /// From `tokenizer.json`, or `vocab.json` and `merges.txt`.
    pub vocabulary: Vocabulary,
    /// Of the weight files together.
    pub size_bytes: u64,
}

impl Folder {
    /// Reads the headers of all files.
    ///
    /// # Errors
    /// [`CliError::IncompleteFolder`], [`CliError::Read`], or [`CliError::Model`] with what is wrong.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let incomplete = |missing| CliError::IncompleteFolder {
            path: path.to_owned(),
            missing,
        };
        let broken = |source: EngineError| CliError::Model {
            name: path.display().to_string(),
            source: Box::new(source),
        };
        let optional = |file: &str| {
            let path = path.join(file);
            if path.exists() {
                read_file(&path).map(Some)
            } else {
                Ok(None)
            }
        };
        let config_json = optional("config.json")?.ok_or_else(|| incomplete("config.json"))?;
        let generation_config = optional("generation_config.json")?;
        let defaults =
            GenerationParams::from_hugging_face(&config_json, generation_config.as_deref())
                .map_err(|e| broken(e.into()))?;
        let vocabulary = match (
            optional("tokenizer.json")?,
            optional("vocab.json")?,
            optional("merges.txt")?,
        ) {
            (Some(json), _, _) => Vocabulary::from_tokenizer_json(&json),
            (None, Some(vocab), Some(merges)) => Vocabulary::from_vocab_and_merges(&vocab, &merges),
            _ => return Err(incomplete("tokenizer.json, nor vocab.json with merges.txt")),
        }
        .map_err(|e| broken(e.into()))?;
        let (format, files) = weight_files(path)?;
        let mut readers: Vec<Box<dyn ReadSeek>> = Vec::new();
        let mut size_bytes = 0;
        for path in files {
            let unreadable = |source| CliError::Read {
                path: path.clone(),
                source,
            };
            let file = File::open(&path).map_err(unreadable)?;
            size_bytes += file.metadata().map_err(unreadable)?.len();
            readers.push(Box::new(BufReader::new(file)));
        }
        let checkpoint = match format {
            Format::Safetensors => Checkpoint::from_safetensors(&config_json, readers),
            Format::Pytorch => Checkpoint::from_pytorch(&config_json, readers),
        }
        .map_err(|e| broken(e.into()))?;
        Ok(Self {
            checkpoint,
            defaults,
            vocabulary,
            size_bytes,
        })
    }

    /// As the engine takes it.
    ///
    /// # Errors
    /// As [`ModelFile::new`].
    pub fn into_model_file(self) -> Result<ModelFile, EngineError> {
        ModelFile::from_checkpoint(self.checkpoint, self.vocabulary, self.defaults)
    }
}

/// What the weights of a folder are stored in.
#[derive(Clone, Copy)]
enum Format {
    Safetensors,
    Pytorch,
}

/// The folder's weights: one file, or the shards its index names; safetensors before PyTorch's.
fn weight_files(folder: &Path) -> Result<(Format, Vec<PathBuf>), CliError> {
    for (format, name) in [
        (Format::Safetensors, "model.safetensors"),
        (Format::Pytorch, "pytorch_model.bin"),
    ] {
        let whole = folder.join(name);
        if whole.exists() {
            return Ok((format, vec![whole]));
        }
        let index = folder.join(format!("{name}.index.json"));
        if index.exists() {
            let ShardIndex { files } = ShardIndex::from_json(name, &read_file(&index)?)
                .map_err(|_| CliError::BadShardIndex { path: index })?;
            return Ok((format, files.iter().map(|name| folder.join(name)).collect()));
        }
    }
    Err(CliError::IncompleteFolder {
        path: folder.to_owned(),
        missing: "model.safetensors, nor pytorch_model.bin",
    })
}
