//! `runs/` of a bot's folder: a folder per run, with the run as JSON, its metrics as CSV, and TensorBoard's event file.

use super::CliError;
use super::error::read_file;
use super::text_file::TextFile;
use crate::posts::record::is_run_id;
use crate::runs::RunRecord;
use crate::runs::files::{RECORD, files_of};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of runs in a bot's folder.
pub const RUNS: &str = "runs";

/// Writes a run into a folder of its own in `runs`, and gives the folder.
///
/// # Errors
/// [`CliError::Write`].
pub fn write(runs: &Path, record: &RunRecord) -> Result<PathBuf, CliError> {
    let folder = runs.join(&record.run.id);
    fs::create_dir_all(&folder).map_err(|source| CliError::Write {
        path: folder.clone(),
        source,
    })?;
    for (name, bytes) in files_of(record) {
        let file = TextFile::create(&folder.join(name), &[])?;
        file.finish(|out| out.write_all(&bytes))?;
    }
    Ok(folder)
}

/// The runs of a folder, the oldest first: of a bot's folder those in its `runs`.
///
/// # Errors
/// [`CliError::Read`], [`CliError::Run`].
pub fn read(folder: &Path) -> Result<Vec<RunRecord>, CliError> {
    let inside = folder.join(RUNS);
    let runs = match inside.is_dir() {
        true => inside,
        false => folder.to_owned(),
    };
    let unreadable = |source: io::Error| CliError::Read {
        path: runs.clone(),
        source,
    };
    let mut records = Vec::new();
    for entry in fs::read_dir(&runs).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path().join(RECORD);
        if !entry.file_name().to_str().is_some_and(is_run_id) || !path.is_file() {
            continue;
        }
        let json = read_file(&path)?;
        let record =
            RunRecord::from_json(&json).map_err(|source| CliError::Run { path, source })?;
        records.push(record);
    }
    records.sort_by_key(|record| (record.run.begun_ms, record.run.id.clone()));
    Ok(records)
}

/// The run with this id.
///
/// # Errors
/// As [`read`]; [`CliError::NoSuchRun`].
pub fn find(folder: &Path, id: &str) -> Result<RunRecord, CliError> {
    let mut records = read(folder)?.into_iter();
    records
        .find(|record| record.run.id == id)
        .ok_or_else(|| CliError::NoSuchRun {
            path: folder.to_owned(),
            id: id.to_owned(),
        })
}
