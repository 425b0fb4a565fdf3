//! `Sizes`: the size of the code that a visitor downloads before any model, raw and after Brotli.

use super::app_shell::{is_for_hosts, is_of_maker};
use super::compressed::brotli;
use super::{Progress, SiteError, WorkerBuild, WorkerProgram, files, one_file};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Endings of files with code; models, avatars and icons have others.
const CODE: [&str; 5] = ["html", "css", "js", "wasm", "webmanifest"];
/// The limit for the code after Brotli.
pub const MOST_CODE_BYTES: u64 = 1_300_000;

/// Sizes of all files of code.
#[derive(Debug, Clone, Serialize)]
pub struct Sizes {
    /// Every file of code, the largest first.
    pub files: Vec<FileSize>,
    /// Sum of the raw sizes of the page's files, with the largest of the worker's builds only.
    pub raw_bytes: u64,
    /// Sum of the sizes after Brotli, quality 11, of the same files.
    pub brotli_bytes: u64,
    /// Sum of the sizes after Brotli of the element and of the ES module, which only pages of other sites download.
    pub for_hosts_brotli_bytes: u64,
    /// Sum of the sizes after Brotli of the maker's program, which is downloaded when the maker opens.
    pub maker_brotli_bytes: u64,
    /// After Brotli, the heaviest build of the trainer, which is loaded when a bot is trained.
    pub trainer_brotli_bytes: u64,
    /// The limit for `brotli_bytes`.
    pub bar_bytes: u64,
    /// The page in one file, if it is there.
    pub one_file: Option<OneFileSize>,
}

/// The page in one file, which visitors download only when they ask for it.
#[derive(Debug, Clone, Serialize)]
pub struct OneFileSize {
    /// Its path in the folder.
    pub path: String,
    /// Its size.
    pub raw_bytes: u64,
    /// Sum of the sizes of the files that are in it.
    pub held_bytes: u64,
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub struct FileSize {
    /// Its path in the folder.
    pub path: String,
    /// Its size.
    pub raw_bytes: u64,
    /// After Brotli, quality 11; `None` for the builds of a worker that a visitor gets in place of the heaviest: compressing
    /// them all takes a minute.
    pub brotli_bytes: Option<u64>,
}

impl Sizes {
    /// Compresses every file of code in `dir`.
    ///
    /// # Errors
    /// [`SiteError::NotBuilt`] without an `index.html`; [`SiteError::File`].
    pub fn measure(dir: &Path, progress: Progress) -> Result<Self, SiteError> {
        Self::measure_but(dir, progress, |_| false)
    }

    /// Compresses the files of a visitor alone, which takes a third of the time: those of the maker and the trainer have no
    /// sizes.
    ///
    /// # Errors
    /// As [`Sizes::measure`].
    pub fn of_visitor(dir: &Path, progress: Progress) -> Result<Self, SiteError> {
        Self::measure_but(dir, progress, is_of_maker)
    }

    fn measure_but(
        dir: &Path,
        progress: Progress,
        is_spared: impl Fn(&str) -> bool,
    ) -> Result<Self, SiteError> {
        if !dir.join("index.html").is_file() {
            return Err(SiteError::NotBuilt {
                dir: dir.to_owned(),
            });
        }
        progress.note("compressing with Brotli, quality 11");
        let mut sizes = Vec::new();
        let all = files::files(dir)?;
        let spared = spared(&all)?;
        for (name, path) in all {
            let is_code = path
                .extension()
                .is_some_and(|ending| CODE.iter().any(|code| ending == *code));
            // A visitor of a bot's page gets it in place of `index.html`.
            if !is_code || name == one_file::NAME || name.starts_with("bot/") {
                continue;
            }
            let raw = fs::read(&path).map_err(SiteError::file("read", &path))?;
            let brotli_bytes = match is_spared(&name) || spared.contains(&name) {
                true => None,
                false => {
                    let compressed = brotli(&raw, 11);
                    let compressed = compressed.map_err(SiteError::file("compress", &path))?;
                    Some(compressed.len() as u64)
                }
            };
            sizes.push(FileSize {
                path: name,
                raw_bytes: raw.len() as u64,
                brotli_bytes,
            });
        }
        sizes.sort_by(|a: &FileSize, b| {
            b.brotli_bytes
                .cmp(&a.brotli_bytes)
                .then_with(|| a.path.cmp(&b.path))
        });
        let brotli_of = |is_wanted: &dyn Fn(&str) -> bool| -> u64 {
            let wanted = sizes.iter().filter(|file| is_wanted(&file.path));
            wanted.filter_map(|file| file.brotli_bytes).sum()
        };
        let is_sent = |name: &str| !is_for_hosts(name) && !is_of_maker(name);
        let sent = sizes
            .iter()
            .filter(|file| is_sent(&file.path) && file.brotli_bytes.is_some());
        let raw_bytes = sent.map(|file| file.raw_bytes).sum();
        Ok(Self {
            raw_bytes,
            brotli_bytes: brotli_of(&is_sent),
            for_hosts_brotli_bytes: brotli_of(&is_for_hosts),
            maker_brotli_bytes: brotli_of(&|name| is_of_maker(name) && !is_of_trainer(name)),
            trainer_brotli_bytes: brotli_of(&is_of_trainer),
            bar_bytes: MOST_CODE_BYTES,
            one_file: OneFileSize::of(dir)?,
            files: sizes,
        })
    }

    /// Columns for people: file, raw bytes, bytes after Brotli.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut table = format!("{:<40} {:>12} {:>12}\n", "file", "raw bytes", "brotli 11");
        let mut row = |name: &str, raw: u64, brotli: Option<u64>| {
            let brotli = brotli.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
            // Writing to a string does not fail.
            let _ = writeln!(table, "{name:<40} {raw:>12} {brotli:>12}");
        };
        for file in &self.files {
            row(&file.path, file.raw_bytes, file.brotli_bytes);
        }
        row(
            "one visitor of the page",
            self.raw_bytes,
            Some(self.brotli_bytes),
        );
        let verdict = if self.brotli_bytes <= self.bar_bytes {
            "met"
        } else {
            "EXCEEDED"
        };
        let _ = write!(
            table,
            "element and module, for pages of other sites: {} bytes after Brotli\n\
             maker, when it opens: {} bytes after Brotli\n\
             trainer, when a bot is trained: {} bytes after Brotli\n\
             limit: {} bytes after Brotli, {verdict}",
            self.for_hosts_brotli_bytes,
            self.maker_brotli_bytes,
            self.trainer_brotli_bytes,
            self.bar_bytes
        );
        if let Some(one) = &self.one_file {
            let _ = write!(
                table,
                "\n{}: {} bytes, {:.2} times the {} bytes in it",
                one.path,
                one.raw_bytes,
                one.raw_bytes as f64 / one.held_bytes as f64,
                one.held_bytes
            );
        }
        table
    }
}

/// The files of each worker's builds but the one with the longest program, of which a visitor gets one.
fn spared(files: &[(String, PathBuf)]) -> Result<Vec<String>, SiteError> {
    let mut spared = Vec::new();
    for program in WorkerProgram::ALL {
        let mut builds = Vec::new();
        for [script, wasm] in WorkerBuild::ALL.map(|build| build.files_of(program)) {
            if let Some((_, path)) = files.iter().find(|(name, _)| *name == wasm) {
                let found = fs::metadata(path).map_err(SiteError::file("read", path))?;
                builds.push((found.len(), [script, wasm]));
            }
        }
        builds.sort();
        builds.pop();
        spared.extend(builds.into_iter().flat_map(|(_, names)| names));
    }
    Ok(spared)
}

/// Whether the file is part of the trainer.
fn is_of_trainer(name: &str) -> bool {
    name.starts_with(WorkerProgram::Trainer.bin())
}

impl OneFileSize {
    fn of(dir: &Path) -> Result<Option<Self>, SiteError> {
        let path = dir.join(one_file::NAME);
        if !path.is_file() {
            return Ok(None);
        }
        let len = |path: &Path| match fs::metadata(path) {
            Ok(found) => Ok(found.len()),
            Err(error) => Err(SiteError::file("read", path)(error)),
        };
        let held: Result<Vec<u64>, _> = one_file::held(dir)?.iter().map(|path| len(path)).collect();
        Ok(Some(Self {
            path: one_file::NAME.to_owned(),
            raw_bytes: len(&path)?,
            held_bytes: held?.iter().sum(),
        }))
    }
}
