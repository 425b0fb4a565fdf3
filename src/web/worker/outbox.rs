//! `Outbox`: posts events to the page, tokens by the frame and the progress of a download in steps.

use std::cell::{Cell, RefCell};

use web_sys::DedicatedWorkerGlobalScope;

use super::message;
use crate::protocol::{Event, LoadStage};

/// Tokens of one frame are posted together: each message takes time from a page that may share its core with the worker.
const FRAME_MS: f64 = 16.0;

/// Least time between two messages of a download, unless [`PROGRESS_BYTES`] arrive sooner.
const PROGRESS_MS: f64 = 50.0;

/// Bytes after which a download's progress is posted whatever the time: when a download stalls, the page has been told
/// of all but these.
const PROGRESS_BYTES: u64 = 1 << 20;

/// The channel from the worker to the page.
pub struct Outbox {
    scope: DedicatedWorkerGlobalScope,
    /// Tokens that wait for the end of the frame.
    waiting: RefCell<Vec<Event>>,
    posted_ms: Cell<f64>,
    /// Time and bytes of the last progress of a download.
    progress: Cell<(f64, u64)>,
}

impl Outbox {
    /// An outbox to the page that owns the worker.
    pub fn new(scope: DedicatedWorkerGlobalScope) -> Self {
        Self {
            scope,
            waiting: RefCell::default(),
            posted_ms: Cell::new(f64::NEG_INFINITY),
            progress: Cell::new((f64::NEG_INFINITY, 0)),
        }
    }

    /// Posts an event now.
    pub fn post(&self, event: Event) {
        self.post_all(vec![event]);
    }

    /// Posts a progress event now, or drops it if the last one was posted shortly before.
    pub fn post_progress(&self, event: Event) {
        if let Event::Progress {
            stage: LoadStage::Downloading { loaded, total },
            ..
        } = event
        {
            let now = self.now();
            let (posted_ms, posted_bytes) = self.progress.get();
            if now - posted_ms < PROGRESS_MS
                && loaded.abs_diff(posted_bytes) < PROGRESS_BYTES
                && Some(loaded) != total
            {
                return;
            }
            self.progress.set((now, loaded));
        }
        self.post(event);
    }

    /// Posts the events of a step, tokens by the frame. `is_last`: no step follows.
    pub fn post_step(&self, events: Vec<Event>, is_last: bool) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.extend(events);
        let now = self.now();
        let can_wait = waiting
            .iter()
            .all(|event| matches!(event, Event::Token { .. }))
            && now - self.posted_ms.get() < FRAME_MS;
        if !waiting.is_empty() && (is_last || !can_wait) {
            self.posted_ms.set(now);
            self.post_all(std::mem::take(&mut *waiting));
        }
    }

    /// Milliseconds since the worker began.
    pub fn now(&self) -> f64 {
        self.scope.performance().map_or(0.0, |clock| clock.now())
    }

    fn post_all(&self, events: Vec<Event>) {
        let (messages, transferred) = message::write(events);
        // Our own plain objects and arrays can always be cloned or transferred.
        let _ = self
            .scope
            .post_message_with_transfer(&messages, &transferred);
    }
}
