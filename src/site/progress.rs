//! `Progress`: one line per step on standard error, with its seconds while it runs.

use super::SiteError;
use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How many lines of a failed step's output are shown.
const SHOWN_LINES: usize = 25;
/// How often a running step is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Says what is being done; on a terminal the line of a running step is redrawn in place.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    terminal: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// Talks to standard error, the way it allows.
    #[must_use]
    pub fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// A line about something that took no time.
    pub fn note(self, text: &str) {
        eprintln!("  {text}");
    }

    /// Runs one program to its end as one step; its output goes to `log`.
    ///
    /// # Errors
    /// [`SiteError::CannotStart`]; [`SiteError::StepFailed`] if it does not exit with 0 within `limit`
    /// (the end of its output is then printed first).
    pub fn run(
        self,
        step: &str,
        command: &mut Command,
        log: &Path,
        limit: Option<Duration>,
    ) -> Result<(), SiteError> {
        let outcome = self.attempt(step, command, log, limit)?;
        match outcome {
            None => Ok(()),
            Some(reason) => {
                eprintln!("{}", last_lines(log, SHOWN_LINES));
                Err(SiteError::StepFailed {
                    step: step.to_owned(),
                    reason,
                    log: log.to_owned(),
                })
            }
        }
    }

    /// Like [`Progress::run`], for a step that may fail because there is another way; gives back why it did.
    ///
    /// # Errors
    /// [`SiteError::CannotStart`] and [`SiteError::File`] for the log.
    pub fn attempt(
        self,
        step: &str,
        command: &mut Command,
        log: &Path,
        limit: Option<Duration>,
    ) -> Result<Option<String>, SiteError> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder).map_err(SiteError::file("create", folder))?;
        }
        let output = File::create(log).map_err(SiteError::file("write", log))?;
        let errors = output.try_clone().map_err(SiteError::file("write", log))?;
        let started = Instant::now();
        let mut line = Line {
            terminal: self.terminal,
            step,
        };
        line.begin();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|source| {
                line.end("cannot start");
                SiteError::CannotStart {
                    program: command.get_program().to_string_lossy().into_owned(),
                    source,
                }
            })?;
        let reason = wait(&mut child, limit, || line.update(started.elapsed(), log))?;
        let seconds = started.elapsed().as_secs();
        match &reason {
            None => line.end(&format!("done in {seconds} s")),
            Some(reason) => line.end(&format!("not done: {reason} after {seconds} s")),
        }
        Ok(reason)
    }
}

/// Waits for `child`, at most `limit`; `None` if it ended well, else why not.
fn wait(
    child: &mut Child,
    limit: Option<Duration>,
    mut tick: impl FnMut(),
) -> Result<Option<String>, SiteError> {
    let failed = |source| SiteError::CannotStart {
        program: "the step".to_owned(),
        source,
    };
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok((!status.success()).then(|| status.to_string()));
        }
        if limit.is_some_and(|limit| started.elapsed() > limit) {
            // Already ended is as good as killed.
            let _ = child.kill();
            child.wait().map_err(failed)?;
            return Ok(Some("time limit".to_owned()));
        }
        tick();
        std::thread::sleep(POLL);
    }
}

/// The line of one step.
struct Line<'a> {
    terminal: bool,
    step: &'a str,
}

impl Line<'_> {
    fn begin(&mut self) {
        eprint!("  {} …", self.step);
    }

    fn update(&mut self, elapsed: Duration, log: &Path) {
        if self.terminal {
            let doing: String = last_lines(log, 1).trim().chars().take(48).collect();
            eprint!("\r\x1b[K  {} … {} s  {doing}", self.step, elapsed.as_secs());
            // A progress display that cannot be drawn is no reason to stop.
            let _ = std::io::stderr().flush();
        }
    }

    fn end(&mut self, outcome: &str) {
        if self.terminal {
            eprintln!("\r\x1b[K  {} … {outcome}", self.step);
        } else {
            eprintln!(" {outcome}");
        }
    }
}

/// The last `count` lines of a file, read from its last 8 KiB; nothing if it cannot be read.
fn last_lines(path: &Path, count: usize) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(8192)))?;
        file.read_to_end(&mut bytes)
    });
    if read.is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
