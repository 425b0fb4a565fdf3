//! `Progress`: a line per step on standard error, with its seconds while it runs.

use super::SiteError;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many lines of a failed step's output are shown.
const SHOWN_LINES: usize = 25;
/// How often a running step is checked.
const POLL: Duration = Duration::from_millis(100);

/// The lines of running steps on a terminal.
static LINES: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Reports the steps of a build; on a terminal the line of a running step is redrawn in place.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    is_terminal: bool,
    /// Whether steps run at the same time.
    is_side_by_side: bool,
    interrupt: Option<&'static AtomicBool>,
}

/// Whether a failed step ends the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The failure ends the build and is reported.
    IsFinal,
    /// The build has another step to try, so the failure is not reported.
    IsExpected,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// Writes to standard error.
    #[must_use]
    pub fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            is_side_by_side: false,
            interrupt: None,
        }
    }

    /// This progress, with steps that end as soon as `interrupt` is set.
    #[must_use]
    pub fn until(self, interrupt: &'static AtomicBool) -> Self {
        Self {
            interrupt: Some(interrupt),
            ..self
        }
    }

    /// This progress, for steps that run at the same time.
    #[must_use]
    pub fn side_by_side(self) -> Self {
        Self {
            is_side_by_side: true,
            ..self
        }
    }

    /// Prints a line about an event that takes no time.
    pub fn note(self, text: &str) {
        print_line(&format!("  {text}"));
    }

    /// Does the work of a step in this process.
    ///
    /// # Errors
    /// The error of the work.
    pub fn step<T>(
        self,
        step: &str,
        work: impl FnOnce() -> Result<T, SiteError>,
    ) -> Result<T, SiteError> {
        let started = Instant::now();
        let line = Line::begin(self, step, Failure::IsFinal);
        let result = work();
        match &result {
            Ok(_) => line.end(&format!("done in {} s", started.elapsed().as_secs())),
            Err(_) => line.end("failed"),
        }
        result
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
        match self.run_child(step, command, log, limit, Failure::IsFinal)? {
            None => Ok(()),
            Some(reason) => {
                if reason != INTERRUPTED {
                    print_line(&last_lines(log, SHOWN_LINES));
                }
                Err(SiteError::StepFailed {
                    step: step.to_owned(),
                    reason,
                    log: log.to_owned(),
                })
            }
        }
    }

    /// Like [`Progress::run`], for a step with an alternative: returns the reason of a failure and does not print it.
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
        self.run_child(step, command, log, limit, Failure::IsExpected)
    }

    fn run_child(
        self,
        step: &str,
        command: &mut Command,
        log: &Path,
        limit: Option<Duration>,
        failure: Failure,
    ) -> Result<Option<String>, SiteError> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder).map_err(SiteError::file("create", folder))?;
        }
        let output = File::create(log).map_err(SiteError::file("write", log))?;
        let errors = output.try_clone().map_err(SiteError::file("write", log))?;
        let started = Instant::now();
        let line = Line::begin(self, step, failure);
        let spawned = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(source) => {
                line.end("cannot start");
                return Err(SiteError::CannotStart {
                    program: command.get_program().to_string_lossy().into_owned(),
                    source,
                });
            }
        };
        let reason = self.wait(&mut child, limit, || line.show_last(log))?;
        match (&reason, failure) {
            (None, _) => line.end(&format!("done in {} s", started.elapsed().as_secs())),
            (Some(reason), Failure::IsFinal) => line.end(reason),
            (Some(_), Failure::IsExpected) => line.forget(),
        }
        Ok(reason)
    }

    /// Waits for `child`, at most `limit`; `None` if it succeeded, else the reason.
    fn wait(
        self,
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
                if status.success() {
                    return Ok(None);
                }
                // Ctrl-C in a terminal ends the child too, perhaps before this process has noticed it.
                if self.interrupt.is_some() {
                    std::thread::sleep(POLL);
                }
                let is_interrupted = self.is_interrupted();
                return Ok(Some(if is_interrupted {
                    INTERRUPTED.to_owned()
                } else {
                    status.to_string()
                }));
            }
            let is_interrupted = self.is_interrupted();
            if is_interrupted || limit.is_some_and(|limit| started.elapsed() > limit) {
                // An error means that the child has just ended by itself.
                let _ = child.kill();
                child.wait().map_err(failed)?;
                let reason = if is_interrupted {
                    INTERRUPTED
                } else {
                    "time limit"
                };
                return Ok(Some(reason.to_owned()));
            }
            tick();
            std::thread::sleep(POLL);
        }
    }

    /// Whether the user has asked to stop.
    #[must_use]
    pub fn is_interrupted(self) -> bool {
        self.interrupt
            .is_some_and(|interrupt| interrupt.load(Ordering::Relaxed))
    }
}

/// The reason of a step that the user ended.
const INTERRUPTED: &str = "interrupted";

/// Prints a line above those of running steps.
fn print_line(line: &str) {
    LINES.suspend(|| eprintln!("{line}"));
}

/// The line of one step: a spinner on a terminal, else written once or twice.
struct Line<'a> {
    step: &'a str,
    spinner: Option<ProgressBar>,
    /// Whether its beginning is on standard error.
    is_begun: bool,
}

impl<'a> Line<'a> {
    fn begin(progress: Progress, step: &'a str, failure: Failure) -> Self {
        let spinner = progress.is_terminal.then(|| {
            let style = ProgressStyle::with_template("  {prefix} … {elapsed} {wide_msg:.dim}")
                .expect("the template is well-formed");
            let spinner = LINES.add(ProgressBar::new_spinner().with_style(style));
            spinner.set_prefix(step.to_owned());
            spinner.enable_steady_tick(Duration::from_secs(1));
            spinner
        });
        // A step that may fail in silence is mentioned when it has succeeded, and one of several when it has ended.
        let is_begun =
            spinner.is_none() && failure == Failure::IsFinal && !progress.is_side_by_side;
        if is_begun {
            eprint!("  {step} …");
        }
        Self {
            step,
            spinner,
            is_begun,
        }
    }

    /// Shows the last line of the step's output.
    fn show_last(&self, log: &Path) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(last_lines(log, 1).trim().to_owned());
        }
    }

    fn end(self, outcome: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
        match self.is_begun {
            true => eprintln!(" {outcome}"),
            false => print_line(&format!("  {} … {outcome}", self.step)),
        }
    }

    fn forget(self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
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
