//! `KeptCheckpoints`: the state of a training in the bot's folder, in two files in turns, so that a tab that is closed
//! while one is written leaves the other.

use std::io::{self, Read, Write};

use web_sys::FileSystemDirectoryHandle;

use crate::runs::RunRecord;
use crate::trainer::Training;
use crate::trainer::interrupted::CheckpointRecord;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_storage::StorageFile;

/// Bytes written or read at once.
const PART_BYTES: usize = 1 << 20;
/// Most bytes of a record.
const MAX_RECORD_BYTES: u64 = 1 << 26;

/// The two files, open, so that no other tab trains the same bot.
pub struct KeptCheckpoints {
    turns: [Turn; 2],
    /// Number of the newest checkpoint.
    number: u64,
}

struct Turn {
    state: StorageFile,
    /// Written once the state is there, and empty while it is written.
    record: StorageFile,
}

/// A checkpoint that is there.
pub struct Found {
    turn: usize,
    number: u64,
    /// What was known of the run.
    pub record: RunRecord,
}

impl KeptCheckpoints {
    /// The checkpoints in a bot's folder.
    ///
    /// # Errors
    /// [`WebError`], also if another tab has them open.
    pub async fn open(folder: &FileSystemDirectoryHandle) -> Result<Self, WebError> {
        let mut turns = Vec::new();
        for i in 0..2 {
            turns.push(Turn {
                state: StorageFile::open(folder, &format!("checkpoint-{i}")).await?,
                record: StorageFile::open(folder, &CheckpointRecord::file_name(i)).await?,
            });
        }
        let Ok(turns) = <[Turn; 2]>::try_from(turns) else {
            unreachable!("two were opened")
        };
        Ok(Self { turns, number: 0 })
    }

    /// Those that are whole, the newest first.
    pub fn found(&mut self) -> Vec<Found> {
        let turns = self.turns.iter().enumerate();
        let mut found: Vec<Found> = turns
            .filter_map(|(turn, files)| {
                let CheckpointRecord { number, record, .. } = read_record(&files.record)?;
                Some(Found {
                    turn,
                    number,
                    record,
                })
            })
            .collect();
        found.sort_by_key(|it| std::cmp::Reverse(it.number));
        self.number = found.first().map_or(0, |newest| newest.number);
        found
    }

    /// The state of a checkpoint.
    pub fn reader(&self, found: &Found) -> impl Read {
        Reader {
            file: &self.turns[found.turn].state,
            pos: 0,
            part: Vec::new(),
            at: 0,
        }
    }

    /// Writes the state in place of the older checkpoint.
    ///
    /// # Errors
    /// The storage's; the newer checkpoint is still there, and nothing of this one.
    pub fn write(&mut self, training: &Training) -> io::Result<()> {
        let turn = &self.turns[(self.number % 2) as usize];
        let written = self.write_turn(turn, training);
        match written {
            Ok(()) => self.number += 1,
            // Half a state would take room that the bot's files may need.
            Err(_) => turn.clear(),
        }
        written
    }

    fn write_turn(&self, turn: &Turn, training: &Training) -> io::Result<()> {
        turn.record.truncate(0).map_err(io::Error::other)?;
        let mut out = Writer {
            file: &turn.state,
            pos: 0,
            part: Vec::with_capacity(PART_BYTES),
        };
        let written = training.write_checkpoint(&mut out);
        written.map_err(io::Error::other)?;
        let end = out.pos;
        turn.state.truncate(end).map_err(io::Error::other)?;
        turn.state.flush().map_err(io::Error::other)?;
        let numbered = CheckpointRecord {
            number: self.number + 1,
            steps_done: Some(training.fine_tune().steps_done()),
            record: training.record().clone(),
        };
        let json = serde_json::to_vec(&numbered)?;
        turn.record.replace(&json).map_err(io::Error::other)
    }

    /// Deletes both checkpoints.
    pub fn clear(&mut self) {
        self.turns.iter().for_each(Turn::clear);
        self.number = 0;
    }
}

impl Turn {
    fn clear(&self) {
        // A state that stays is overwritten by the next checkpoint.
        let _ = self.record.truncate(0);
        let _ = self.state.truncate(0);
    }
}

fn read_record(file: &StorageFile) -> Option<CheckpointRecord> {
    let len = file
        .size_bytes()
        .ok()
        .filter(|len| *len <= MAX_RECORD_BYTES)?;
    let mut json = vec![0; usize::try_from(len).ok()?];
    let n = file.read_at(0, &mut json).ok()?;
    serde_json::from_slice(&json[..n]).ok()
}

/// Writes a file from its beginning on.
struct Writer<'a> {
    file: &'a StorageFile,
    pos: u64,
    part: Vec<u8>,
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(self.pos, &self.part)?;
        self.pos += self.part.len() as u64;
        self.part.clear();
        Ok(())
    }
}

/// Reads a file from its beginning on.
struct Reader<'a> {
    file: &'a StorageFile,
    pos: u64,
    part: Vec<u8>,
    at: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.part.len() {
            self.part.resize(PART_BYTES, 0);
            let n = self.file.read_at(self.pos, &mut self.part)?;
            self.part.truncate(n);
            (self.pos, self.at) = (self.pos + n as u64, 0);
        }
        let n = out.len().min(self.part.len() - self.at);
        out[..n].copy_from_slice(&self.part[self.at..][..n]);
        self.at += n;
        Ok(n)
    }
}
