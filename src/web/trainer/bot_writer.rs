//! Writes the files of a trained bot into its folder, and packs them.

use std::io::{self, Read as _, Write as _};

use web_sys::Blob;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::failure::Failure;
use super::folder::TrainingFolder;
use super::out_file::OutFile;
use crate::finetune::export::FloatType;
use crate::parallel::Threads;
use crate::runs::ArtifactFile;
use crate::trainer::copy_check::{CopyCheck, CopyReport};
use crate::trainer::output::{self, Finished, SAFETENSORS};
use crate::trainer::trained::INDEX;
use crate::trainer::{TrainedBot, Training};
use crate::web::worker::blob_reader::BlobReader;

/// The list of the bot whose files are being replaced.
const REPLACED: &str = "replaced.json";

/// The name of the bot's picture.
const PREVIEW: &str = "preview.png";
/// Most bytes of a picture of 1200 × 628.
const MAX_PREVIEW_BYTES: u64 = 4 << 20;

/// What the page has given for the bot.
pub struct Given {
    /// The training text.
    pub text: String,
    /// Its picture.
    pub preview: Option<Blob>,
}

/// Writes the weights.
///
/// # Errors
/// [`Failure`]; the training is as before, and what was written is deleted.
pub async fn write_weights(
    training: &mut Training,
    folder: &mut TrainingFolder,
) -> Result<Vec<ArtifactFile>, Failure> {
    let written = write_weight_files(training, folder).await;
    if written.is_err() {
        folder.remove(SAFETENSORS).await;
        folder.remove(&training.gguf_name()).await;
    }
    written
}

async fn write_weight_files(
    training: &mut Training,
    folder: &mut TrainingFolder,
) -> Result<Vec<ArtifactFile>, Failure> {
    let gguf = training.gguf_name();
    let mut floats = folder.create(SAFETENSORS).await?;
    let mut quantized = folder.create_scattered(&gguf).await?;
    training.write_model(FloatType::F16, &mut floats, &mut quantized)?;
    folder.take(SAFETENSORS, floats).await?;
    folder.take(&gguf, quantized).await?;
    let mut files = Vec::new();
    for name in [SAFETENSORS, &gguf] {
        let mut reader = BlobReader::new(folder.blob(name).await?)?;
        files.push(output::hashed(name, &mut reader)?);
    }
    Ok(files)
}

/// A bot whose weights are written, and its other files not yet.
pub struct Unwritten {
    finished: Finished,
    gguf: String,
    given: Given,
    /// Whether its texts were compared.
    is_checked: bool,
}

impl Unwritten {
    /// Gives the memory of the training back.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn new(
        training: Training,
        weights: Vec<ArtifactFile>,
        given: Given,
    ) -> Result<Self, Failure> {
        Ok(Self {
            gguf: training.gguf_name(),
            finished: training.into_finished(weights)?,
            given,
            is_checked: false,
        })
    }

    /// Lets the bot write texts and compares them with the training text, and writes the other files, the list of them
    /// last. `clock`: milliseconds; `told` hears how many texts are compared.
    ///
    /// # Errors
    /// [`Failure`]. It can be tried again, and the texts are not compared twice.
    pub async fn write(
        &mut self,
        folder: &mut TrainingFolder,
        threads: &Threads,
        clock: &dyn Fn() -> f64,
        told: &dyn Fn(u32),
    ) -> Result<TrainedBot, Failure> {
        if !self.is_checked {
            let gguf = folder.blob(&self.gguf).await?;
            let copies = check_copies(gguf, &self.given.text, threads, clock, told)?;
            self.finished.take_copies(copies);
            self.is_checked = true;
        }
        let written = self.write_files(folder).await;
        if written.is_err() {
            // Half a list is none.
            folder.remove(INDEX).await;
        }
        written
    }

    async fn write_files(&self, folder: &mut TrainingFolder) -> Result<TrainedBot, Failure> {
        for (name, bytes) in self.finished.files() {
            let mut file = folder.create(&name).await?;
            file.write_all(&bytes)?;
            folder.take(&name, file).await?;
        }
        if let Some(preview) = &self.given.preview {
            let mut file = folder.create(PREVIEW).await?;
            let reader = BlobReader::new(preview.clone())?;
            io::copy(&mut reader.take(MAX_PREVIEW_BYTES), &mut file)?;
            folder.take(PREVIEW, file).await?;
        }
        let replaced = read_bot(folder, REPLACED).await.ok();
        let old_files = replaced.iter().flat_map(|bot| &bot.files);
        let old_files: Vec<String> = old_files.map(|(name, _)| name.clone()).collect();
        let bot = TrainedBot {
            record: self.finished.record.clone(),
            files: folder.files(),
            gguf: self.gguf.clone(),
            earlier: Vec::new(),
        }
        .after(replaced);
        let index = list(folder, INDEX, &bot).await?;
        folder.take(INDEX, index).await?;
        for name in old_files {
            if !bot.files.iter().any(|(of_bot, _)| *of_bot == name) {
                folder.remove(&name).await;
            }
        }
        folder.remove(REPLACED).await;
        Ok(bot)
    }
}

/// Takes the list of an earlier bot away, whose files are replaced now: a training that is interrupted here leaves no bot
/// of mixed files. Whether there was such a bot.
///
/// # Errors
/// [`Failure`]; the earlier bot is there.
pub async fn withdraw(folder: &mut TrainingFolder) -> Result<bool, Failure> {
    if let Ok(bot) = read_bot(folder, INDEX).await {
        list(folder, REPLACED, &bot).await?.finish()?;
        folder.remove(INDEX).await;
        return Ok(true);
    }
    Ok(false)
}

async fn list(folder: &TrainingFolder, name: &str, bot: &TrainedBot) -> Result<OutFile, Failure> {
    let mut file = folder.create(name).await?;
    serde_json::to_writer(&mut file, bot).map_err(io::Error::from)?;
    Ok(file)
}

/// Compares what the bot in `gguf` writes with the posts of its training text.
fn check_copies(
    gguf: Blob,
    text: &str,
    threads: &Threads,
    clock: &dyn Fn() -> f64,
    told: &dyn Fn(u32),
) -> Result<CopyReport, Failure> {
    let reader = BlobReader::new(gguf)?;
    let size_bytes = reader.size();
    let mut check = CopyCheck::begin(Box::new(reader), size_bytes, text, threads.clone());
    let mut n_told = 0;
    loop {
        if let Some(report) = check.step(clock)? {
            return Ok(report);
        }
        if check.n_done() > n_told {
            n_told = check.n_done();
            told(n_told);
        }
    }
}

/// The files of the bot in `folder` in one zip.
///
/// # Errors
/// [`Failure`].
pub async fn pack(bot: &TrainedBot, folder: &TrainingFolder) -> Result<Blob, Failure> {
    let mut zip = ZipWriter::new_stream(OutFile::blob());
    // Weights hardly get smaller.
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, _) in &bot.files {
        zip.start_file(name, stored).map_err(io::Error::from)?;
        let mut reader = BlobReader::new(folder.blob(name).await?)?;
        io::copy(&mut reader, &mut zip)?;
    }
    let file = zip.finish().map_err(io::Error::from)?.into_inner();
    let blob = file.finish()?;
    Ok(blob
        .ok_or(io::ErrorKind::Unsupported)
        .map_err(io::Error::from)?)
}

/// The bot that a list in `folder` names.
///
/// # Errors
/// [`Failure`] if there is none.
pub async fn read_bot(folder: &TrainingFolder, name: &str) -> Result<TrainedBot, Failure> {
    let mut json = Vec::new();
    BlobReader::new(folder.blob(name).await?)?.read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json).map_err(io::Error::from)?)
}
