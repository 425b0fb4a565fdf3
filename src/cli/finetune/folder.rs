//! `BotFolder`: the folder of a trained bot, which appears when it is complete.

use super::base::{Base, hashed};
use super::data::Data;
use crate::card::{self, AccountData};
use crate::cli::local_model::LocalModel;
use crate::cli::output_file::{OutputFile, Overwrite};
use crate::cli::quantize::convert;
use crate::cli::runs_folder::{self, RUNS};
use crate::cli::status_line::StatusLine;
use crate::cli::{CliError, notes};
use crate::engine::bot_files::{bot_files, bot_params};
use crate::engine::conversion::target;
use crate::finetune::export::FloatType;
use crate::finetune::params::Method;
use crate::finetune::{FineTune, FineTuneError};
use crate::hub::Dtype;
use crate::parallel::Threads;
use crate::posts::dataset::joined_handles;
use crate::posts::time::date_of;
use crate::protocol::ErrorReport;
use crate::runs::RunRecord;
use crate::trainer::copy_check::{CopyCheck, CopyReport};
use crate::trainer::output::with_model;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;

/// How a bot is written.
pub struct How {
    /// Type of the GGUF's matrices.
    pub dtype: Dtype,
    /// Type of model.safetensors.
    pub float: FloatType,
    /// What its hundred texts are computed on.
    pub threads: Threads,
}

/// A folder that is made beside its place and moved there.
pub struct BotFolder {
    path: PathBuf,
    made: TempDir,
}

impl BotFolder {
    /// An empty folder. What is at `path` stays until the new files are complete.
    ///
    /// # Errors
    /// [`CliError::BadOutput`] if there is something else than a bot's folder, [`CliError::Write`].
    pub fn create(path: &Path, force: bool) -> Result<Self, CliError> {
        let refuse = |reason, hint| {
            Err(CliError::BadOutput {
                path: path.to_owned(),
                reason,
                hint,
            })
        };
        if path.exists() && !path.is_dir() {
            return refuse("it is a file", "give the path of a folder");
        }
        let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if path.is_dir() && !force && !path.join(RUNS).is_dir() && !is_empty() {
            return refuse(
                "the folder has files that this program did not write",
                "give another folder, or --force to write into it",
            );
        }
        let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let made = fs::create_dir_all(parent).and_then(|()| {
            let mut builder = tempfile::Builder::new();
            builder.prefix(".huggingtweets-").suffix(".partial");
            // Temporary folders are otherwise their owner's alone, and so would be the result.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
            builder.tempdir_in(parent)
        });
        Ok(Self {
            path: path.to_owned(),
            made: made.map_err(|source| CliError::Write {
                path: path.to_owned(),
                source,
            })?,
        })
    }

    /// Writes everything, and moves it to its place.
    ///
    /// # Errors
    /// [`CliError`] if a file cannot be written.
    pub fn write(
        self,
        fine_tune: FineTune,
        base: &mut Base,
        data: &Data,
        mut record: RunRecord,
        how: How,
        status: &StatusLine,
    ) -> Result<(), CliError> {
        let How {
            dtype,
            float,
            threads,
        } = how;
        let folder = self.made.path().to_owned();
        let is_lora = matches!(fine_tune.params().method, Method::Lora(_));
        let config = base.model.config.clone();
        let params = bot_params(&config, &base.model.tokenizer);
        for (name, bytes) in bot_files(&config, &base.model.tokenizer, &params)? {
            self.file(&name, |out| Ok(out.write_all(&bytes)?))?;
        }
        let checkpoint = &mut base.model.checkpoint;
        self.file("model.safetensors", |out| {
            fine_tune.write_safetensors(Some(checkpoint), float, out)
        })?;
        let handle = joined_handles(&data.handles());
        if is_lora {
            fs::create_dir_all(folder.join("adapter")).map_err(|source| self.failed(source))?;
            self.file("adapter/adapter_model.safetensors", |out| {
                fine_tune.write_adapter(FloatType::F32, out)
            })?;
            self.file(&format!("adapter/{handle}-lora-f16.gguf"), |out| {
                fine_tune.write_adapter_gguf(&handle, FloatType::F16, out)
            })?;
            let config = fine_tune.adapter_config(&base.name)?;
            self.file("adapter/adapter_config.json", |out| {
                Ok(serde_json::to_writer_pretty(out, &config).map_err(io::Error::from)?)
            })?;
        }
        // The weights in memory are no longer needed, and the conversion needs memory of its own.
        drop(fine_tune);
        let gguf = format!("{handle}-{}.gguf", dtype.name());
        let path = folder.join(&gguf);
        let model = LocalModel::find(&folder, Dtype::F32)?;
        let conversion = model.conversion_of(target(dtype), &handle)?;
        let mut file = OutputFile::create(&path, Overwrite::Any, &[])?;
        convert(&path, &model, conversion, &mut file, status)?;
        file.finish()?;

        status.show(|| "comparing what it writes with its posts …".to_owned());
        let copies = check_copies(&path, &data.text, threads)?;
        copies.note_in(&mut record.run);

        let date = date_of(record.run.ended_ms.unwrap_or_default().div_euclid(1000));
        match card(data, &base.name, &date) {
            Ok(card) => {
                let card = card + &copies.to_markdown();
                self.file("README.md", |out| Ok(out.write_all(card.as_bytes())?))?;
            }
            // The bot is complete without it.
            Err(error) => notes::print_notices([error]),
        }
        let outputs = ["model.safetensors", "config.json", gguf.as_str()];
        let files = outputs.iter().map(|name| hashed(&folder.join(name)));
        let files = files.collect::<Result<_, _>>()?;
        let record = with_model(record, &handle, self.n_versions(), files);
        let runs = folder.join(RUNS);
        if let Some(preprocess) = &data.preprocess {
            runs_folder::write(&runs, preprocess)?;
        }
        runs_folder::write(&runs, &record)?;
        self.finish()
    }

    /// Trainings that wrote into this folder before.
    fn n_versions(&self) -> usize {
        let records = runs_folder::read(&self.path).unwrap_or_default();
        let trainings = records
            .iter()
            .filter(|it| it.run.job_type == crate::runs::JobType::Train);
        trainings.count()
    }

    fn failed(&self, source: io::Error) -> CliError {
        CliError::Write {
            path: self.path.clone(),
            source,
        }
    }

    fn file(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<(), FineTuneError>,
    ) -> Result<(), CliError> {
        let failed = |source| CliError::Write {
            path: self.path.join(name),
            source,
        };
        let file = File::create(self.made.path().join(name)).map_err(failed)?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        match write(&mut out) {
            Err(FineTuneError::Io(source)) => return Err(failed(source)),
            written => written?,
        }
        let file = out
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)
    }

    /// Moves the files to their place; runs that are there stay.
    fn finish(self) -> Result<(), CliError> {
        let failed = |source| CliError::Write {
            path: self.path.clone(),
            source,
        };
        move_into(self.made.path(), &self.path).map_err(failed)
    }
}

/// Moves what is in a folder into another one, folder by folder.
fn move_into(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => move_into(&entry.path(), &place)?,
            false => fs::rename(entry.path(), place)?,
        }
    }
    Ok(())
}

/// How much of a hundred texts of the bot was copied from its posts.
fn check_copies(gguf: &Path, text: &str, threads: Threads) -> Result<CopyReport, CliError> {
    let unreadable = |source| CliError::Read {
        path: gguf.to_owned(),
        source,
    };
    let file = File::open(gguf).map_err(unreadable)?;
    let size_bytes = file.metadata().map_err(unreadable)?.len();
    let reader = Box::new(BufReader::with_capacity(1 << 20, file));
    let mut check = CopyCheck::begin(reader, size_bytes, text, threads);
    let begun = Instant::now();
    loop {
        let step = check.step(&|| begun.elapsed().as_secs_f64() * 1e3);
        let failed = |error: ErrorReport| unreadable(io::Error::other(error.message));
        if let Some(report) = step.map_err(failed)? {
            return Ok(report);
        }
    }
}

/// The card of the bot.
fn card(data: &Data, base: &str, date: &str) -> Result<String, card::CardWriteError> {
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let table = data.accounts.iter().map(|account| AccountData {
        name: account.name.clone(),
        downloaded: count(account.counts.downloaded),
        retweets: count(account.counts.retweets),
        short: count(account.counts.short_on_card()),
        kept: count(account.counts.kept),
    });
    let facts = card::CardFacts {
        names: data.accounts.iter().map(|it| it.name.clone()).collect(),
        handles: data.handles().into_iter().map(str::to_owned).collect(),
        table: match data.has_counts {
            true => table.collect(),
            false => Vec::new(),
        },
        base_model: Some(base.to_owned()),
        date: Some(date.to_owned()),
        ..card::CardFacts::default()
    };
    card::write::mended(&facts)
}
