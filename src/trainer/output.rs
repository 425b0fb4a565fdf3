//! The files of a trained bot, laid out like a repository of the Hub.

use std::io::{self, Read, Write};

use serde_json::Map;
use sha2::{Digest as _, Sha256};

use super::copy_check::CopyReport;
use super::training::{Training, TrainingError};
use crate::engine::bot_files::{bot_files, bot_params};
use crate::engine::conversion::{self, target};
use crate::engine::{Companions, EngineError, WriteAt};
use crate::finetune::FineTuneError;
use crate::finetune::export::FloatType;
use crate::finetune::params::Method;
use crate::posts::dataset::joined_handles;
use crate::runs::files::files_of;
use crate::runs::{Artifact, ArtifactFile, RunRecord};
use crate::weights::Conversion;

/// The file with the weights as floats.
pub const SAFETENSORS: &str = "model.safetensors";
/// Bytes hashed at a time.
const PART_BYTES: usize = 1 << 20;

/// A file with its length and hash.
///
/// # Errors
/// The reader's.
pub fn hashed(name: &str, file: &mut dyn Read) -> io::Result<ArtifactFile> {
    let (mut hash, mut size_bytes) = (Sha256::new(), 0);
    let mut part = vec![0; PART_BYTES];
    loop {
        match file.read(&mut part)? {
            0 => break,
            n => {
                hash.update(&part[..n]);
                size_bytes += n as u64;
            }
        }
    }
    Ok(ArtifactFile {
        name: name.to_owned(),
        size_bytes,
        sha256: base16ct::lower::encode_string(&hash.finalize()),
    })
}

/// A base model's files as an artifact.
pub fn base_artifact(base_name: &str, files: Vec<ArtifactFile>) -> Artifact {
    Artifact {
        name: format!("pretrained-{base_name}"),
        kind: "pretrained-model".to_owned(),
        version: "v0".to_owned(),
        files,
        metadata: Map::new(),
        made_by: None,
    }
}

/// The record of an ended run, with the weights `files` as what it made. `n_before`: earlier models of this bot.
pub fn with_model(
    mut record: RunRecord,
    handle: &str,
    n_before: usize,
    files: Vec<ArtifactFile>,
) -> RunRecord {
    let artifact = Artifact {
        name: format!("model-{handle}"),
        kind: "finetuned-model".to_owned(),
        version: format!("v{n_before}"),
        files,
        metadata: Map::new(),
        made_by: Some(record.run.id.clone()),
    };
    record.run.outputs = vec![artifact.reference()];
    record.artifacts.push(artifact);
    record
}

impl Training {
    /// The handles as in the names of files.
    fn joined_handles(&self) -> String {
        let handles: Vec<&str> = self.plan.handles.iter().map(String::as_str).collect();
        joined_handles(&handles)
    }

    /// The name of the file with the quantized weights.
    pub fn gguf_name(&self) -> String {
        format!("{}-{}.gguf", self.joined_handles(), self.plan.dtype.name())
    }

    /// Whether there is an adapter beside the model.
    fn is_lora(&self) -> bool {
        matches!(self.fine_tune.params().method, Method::Lora(_))
    }

    /// Writes the weights as floats into `floats`, and the GGUF of the same numbers into `gguf`.
    ///
    /// # Errors
    /// [`TrainingError`].
    pub fn write_model(
        &mut self,
        float: FloatType,
        floats: &mut dyn Write,
        gguf: &mut dyn WriteAt,
    ) -> Result<(), TrainingError> {
        let mut companions = Companions::default();
        for (name, bytes) in self.model_files()? {
            companions.insert(&name, bytes);
        }
        let (name, dtype) = (self.joined_handles(), target(self.plan.dtype));
        let (conversion, _) = conversion::of_floats(&companions, &name, dtype, 1, None)?;
        let mut both = Both {
            floats,
            gguf,
            conversion,
        };
        let checkpoint = &mut self.base.checkpoint;
        self.fine_tune
            .write_safetensors(Some(checkpoint), float, &mut both)?;
        let ended = both.conversion.end_file();
        ended.map_err(|error| TrainingError::Engine(EngineError::Weights(error)))?;
        Ok(())
    }

    /// The model's small files, but for the card and the runs.
    fn model_files(&self) -> Result<Vec<(String, Vec<u8>)>, EngineError> {
        let (config, tokenizer) = (&self.base.config, &self.base.tokenizer);
        bot_files(config, tokenizer, &bot_params(config, tokenizer))
    }

    fn adapter_files(&self) -> Result<Vec<(String, Vec<u8>)>, FineTuneError> {
        let handle = self.joined_handles();
        let (mut of_peft, mut of_llama) = (Vec::new(), Vec::new());
        self.fine_tune.write_adapter(FloatType::F32, &mut of_peft)?;
        self.fine_tune
            .write_adapter_gguf(&handle, FloatType::F16, &mut of_llama)?;
        let config = self.fine_tune.adapter_config(&self.plan.base)?;
        let config = serde_json::to_vec_pretty(&config).map_err(io::Error::from)?;
        Ok(vec![
            ("adapter/adapter_model.safetensors".to_owned(), of_peft),
            (format!("adapter/{handle}-lora-f16.gguf"), of_llama),
            ("adapter/adapter_config.json".to_owned(), config),
        ])
    }

    /// What is left to write once the training's memory is given back; `weights` are the files of
    /// [`Training::write_model`].
    ///
    /// # Errors
    /// [`TrainingError`].
    pub fn into_finished(self, weights: Vec<ArtifactFile>) -> Result<Finished, TrainingError> {
        let mut files = self.model_files()?;
        if self.is_lora() {
            files.extend(self.adapter_files()?);
        }
        let handle = self.joined_handles();
        Ok(Finished {
            record: with_model(self.run.record, &handle, 0, weights),
            preprocess: self.plan.preprocess,
            card: self.plan.card,
            files,
        })
    }
}

/// A trained bot but for its weights, which are written.
pub struct Finished {
    /// The run, with the bot as what it made.
    pub record: RunRecord,
    preprocess: Option<RunRecord>,
    card: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Finished {
    /// Adds what a check has found to the card and to the run.
    pub fn take_copies(&mut self, report: CopyReport) {
        self.card += &report.to_markdown();
        report.note_in(&mut self.record.run);
    }

    /// The files with their names: those of model and tokenizer, an adapter's, the card and the runs.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = self.files.clone();
        files.push(("README.md".to_owned(), self.card.clone().into_bytes()));
        for record in self.preprocess.iter().chain([&self.record]) {
            let of_run = files_of(record).into_iter();
            let id = &record.run.id;
            files.extend(of_run.map(|(name, bytes)| (format!("runs/{id}/{name}"), bytes)));
        }
        files
    }
}

/// Writes what it is given, and its conversion.
struct Both<'a> {
    floats: &'a mut dyn Write,
    gguf: &'a mut dyn WriteAt,
    conversion: Conversion,
}

impl Write for Both<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.floats.write_all(bytes)?;
        let pushed = self.conversion.push(bytes, self.gguf);
        pushed.map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.floats.flush()
    }
}
