//! The files of a run in a bot's folder.

use super::{RunRecord, csv, events};

/// The file with a run as JSON.
pub const RECORD: &str = "run.json";

/// The files of a run: the run as JSON, its metrics as CSV, and TensorBoard's event file.
pub fn files_of(record: &RunRecord) -> [(String, Vec<u8>); 3] {
    let run = &record.run;
    [
        (RECORD.to_owned(), record.to_json().into_bytes()),
        ("metrics.csv".to_owned(), csv::metrics(run).into_bytes()),
        (events::file_name(run), events::file(run)),
    ]
}
