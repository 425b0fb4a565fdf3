//! `Loading` and `Paused`: a load that is going on, and a download that the visitor paused.

use super::task::Task;
use super::wording;
use crate::protocol::{JobId, LoadStage};

/// Share of the progress bar for the download; packing the weights is short.
const DOWNLOAD_SHARE: f64 = 0.85;

/// A load that is going on.
#[derive(Debug, Clone, PartialEq)]
pub struct Loading {
    /// The load's number in requests and events.
    pub job: JobId,
    /// The worker's last report; `None` before the first.
    pub stage: Option<LoadStage>,
    /// Whether the worker has the request; `false` while the worker itself starts.
    pub is_sent: bool,
    /// Whether the download is to pause as soon as the worker has stopped it.
    pub is_pausing: bool,
    /// Whether the download had to begin again from the first byte.
    has_started_over: bool,
    started_ms: Option<f64>,
    now_ms: f64,
}

impl Loading {
    pub(super) fn new(job: JobId) -> Loading {
        Loading {
            job,
            stage: None,
            is_sent: false,
            is_pausing: false,
            has_started_over: false,
            started_ms: None,
            now_ms: 0.0,
        }
    }

    pub(super) fn advance(&mut self, stage: LoadStage, now_ms: f64) {
        if stage == LoadStage::StartingOver {
            self.has_started_over = true;
            self.started_ms = None;
        }
        self.started_ms.get_or_insert(now_ms);
        self.now_ms = now_ms;
        self.stage = Some(stage);
    }

    /// Bytes so far and the file's length, during a download.
    pub(super) fn downloaded(&self) -> Option<(u64, Option<u64>)> {
        match self.stage {
            Some(LoadStage::Downloading { loaded, total }) => Some((loaded, total)),
            _ => None,
        }
    }

    /// How full the bar is, 0 to 1; `None` while the length is unknown.
    pub fn fraction(&self) -> Option<f64> {
        match self.stage.as_ref()? {
            LoadStage::LookingUp
            | LoadStage::Unanswered
            | LoadStage::Waiting { .. }
            | LoadStage::StartingOver => None,
            LoadStage::Downloading { loaded, total } | LoadStage::OtherTab { loaded, total } => {
                let total = (*total)?;
                Some(DOWNLOAD_SHARE * wording::ratio(*loaded, total))
            }
            LoadStage::Reading { loaded, total } => {
                Some(DOWNLOAD_SHARE + (1.0 - DOWNLOAD_SHARE) * wording::ratio(*loaded, *total))
            }
        }
    }

    /// The stage of the load, with its numbers.
    pub fn text(&self) -> String {
        match &self.stage {
            None if self.is_sent => "Opening the model".to_owned(),
            None => "Starting".to_owned(),
            // The stage of starting over passes too quickly to be read.
            Some(stage @ LoadStage::Downloading { total: Some(_), .. })
                if self.has_started_over =>
            {
                format!(
                    "{}, again from the start: the file changed, or its server cannot continue a download",
                    stage_text(stage)
                )
            }
            Some(stage) => stage_text(stage),
        }
    }

    /// Time left of a download, after its first second.
    pub fn time_left(&self) -> Option<String> {
        let Some(LoadStage::Downloading {
            loaded,
            total: Some(total),
        }) = self.stage
        else {
            return None;
        };
        let elapsed_ms = self.now_ms - self.started_ms?;
        if elapsed_ms < 1000.0 || loaded == 0 || loaded >= total {
            return None;
        }
        let left_ms = elapsed_ms * (total - loaded) as f64 / loaded as f64;
        Some(format!("about {} left", wording::duration(left_ms)))
    }
}

/// A download that waits for the visitor.
#[derive(Debug, Clone, PartialEq)]
pub struct Paused {
    /// Bytes so far.
    pub loaded: u64,
    /// Length of the file, where the host tells it.
    pub total: Option<u64>,
    /// The task that the model was loaded for.
    pub(super) task: Option<Task>,
}

impl Paused {
    /// How full the bar is, 0 to 1; `None` if the length is unknown.
    pub fn fraction(&self) -> Option<f64> {
        Some(DOWNLOAD_SHARE * wording::ratio(self.loaded, self.total?))
    }

    /// The bytes so far, in words.
    pub fn text(&self) -> String {
        let loaded = wording::bytes(self.loaded);
        match self.total {
            Some(total) => format!("Paused at {loaded} of {}", wording::bytes(total)),
            None => format!("Paused at {loaded}"),
        }
    }
}

/// A stage of a load, in words.
pub(super) fn stage_text(stage: &LoadStage) -> String {
    let so_far = |loaded: u64, total: Option<u64>| match total {
        Some(total) => format!("{} of {}", wording::bytes(loaded), wording::bytes(total)),
        None => format!("{} so far", wording::bytes(loaded)),
    };
    match *stage {
        LoadStage::LookingUp => "Looking for the model’s files".to_owned(),
        LoadStage::OtherTab { loaded: 0, .. } => {
            "Another tab is downloading it; it opens here as soon as that is done".to_owned()
        }
        LoadStage::OtherTab { loaded, total } => {
            format!("Another tab is downloading it, {}", so_far(loaded, total))
        }
        LoadStage::Unanswered => "The server has not answered yet".to_owned(),
        LoadStage::Waiting {
            seconds,
            attempt,
            attempts,
            loaded,
        } => {
            let fact = match loaded {
                0 => "No connection".to_owned(),
                _ => format!("The connection broke; {} are saved", wording::bytes(loaded)),
            };
            let number = match attempts {
                0 => String::new(),
                _ => format!(" (attempt {attempt} of {attempts})"),
            };
            format!("{fact}, trying again in {seconds} s{number}")
        }
        LoadStage::StartingOver => {
            "Starting again: the file changed, or its server cannot continue a download".to_owned()
        }
        LoadStage::Downloading { loaded, total } => so_far(loaded, total),
        LoadStage::Reading { loaded, total } => format!("Reading {}", so_far(loaded, Some(total))),
    }
}
