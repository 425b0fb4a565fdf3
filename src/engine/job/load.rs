//! `LoadJob`: opens a model file, its header first, then a part of its weights per step.

use std::ops::Range;

use super::{Job, Resources, Step};
use crate::engine::{EngineError, Loading, ModelFile};
use crate::infer::LoadProgress;
use crate::notice::Notice;
use crate::parallel::Threads;
use crate::protocol::{ErrorReport, Event, JobId, LoadStage};
use crate::weights::ReadSeek;

/// Size of a header; GPT-2's vocabulary and merges make most of it.
const HEADER_BYTES: u64 = 2 << 20;

/// Number of progress events of a load: most tensors are too small for an event each.
const PROGRESS_EVENTS: u64 = 32;

pub(in crate::engine) struct LoadJob {
    id: JobId,
    stage: Stage,
}

enum Stage {
    Header {
        reader: Box<dyn ReadSeek>,
        name: String,
        size_bytes: u64,
        notices: Vec<Notice>,
    },
    Weights {
        loading: Box<Loading>,
        started_ms: f64,
    },
    Done,
}

impl LoadJob {
    /// A load of a GGUF of `size_bytes` called `name`, with `notices` beside those in it.
    pub(in crate::engine) fn from_gguf(
        id: JobId,
        reader: Box<dyn ReadSeek>,
        name: &str,
        size_bytes: u64,
        notices: Vec<Notice>,
    ) -> Self {
        let stage = Stage::Header {
            reader,
            name: name.to_owned(),
            size_bytes,
            notices,
        };
        Self { id, stage }
    }

    /// A load of a file or folder whose header is read already. `started_ms`: the clock of [`Job::step`].
    pub(in crate::engine) fn from_model_file(
        id: JobId,
        file: ModelFile,
        name: &str,
        size_bytes: u64,
        started_ms: f64,
        threads: &Threads,
    ) -> Self {
        let loading = Loading::new(file, name, size_bytes).with_threads(threads.clone());
        let loading = Box::new(loading);
        let stage = Stage::Weights {
            loading,
            started_ms,
        };
        Self { id, stage }
    }

    /// Whether the file is known to hold a model.
    pub(in crate::engine) fn has_header(&self) -> bool {
        matches!(self.stage, Stage::Weights { .. })
    }

    fn reading(&self, progress: LoadProgress) -> Event {
        Event::Progress {
            job: self.id,
            stage: LoadStage::Reading {
                loaded: progress.done,
                total: progress.total,
            },
        }
    }
}

impl Job for LoadJob {
    fn id(&self) -> JobId {
        self.id
    }

    fn begin(&self) -> Vec<Event> {
        match &self.stage {
            Stage::Weights { loading, .. } => vec![self.reading(loading.progress())],
            Stage::Header { .. } | Stage::Done => Vec::new(),
        }
    }

    fn step(
        &mut self,
        resources: &mut Resources,
        clock: &dyn Fn() -> f64,
    ) -> Result<Step, EngineError> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Header {
                reader,
                name,
                size_bytes,
                notices,
            } => {
                let started_ms = clock();
                let mut file = ModelFile::from_gguf(reader)?;
                file.notices.extend(notices);
                // Both models at once may not fit the memory.
                resources.open = None;
                let threads = &resources.threads;
                *self =
                    Self::from_model_file(self.id, file, &name, size_bytes, started_ms, threads);
                Ok(Step::Continue(self.begin()))
            }
            Stage::Weights {
                mut loading,
                started_ms,
            } => {
                let event_of = |progress: LoadProgress| {
                    progress.done * PROGRESS_EVENTS / progress.total.max(1)
                };
                let before = loading.progress();
                let after = loading.step()?;
                if loading.next_bytes().is_some() {
                    self.stage = Stage::Weights {
                        loading,
                        started_ms,
                    };
                    let is_news = event_of(after) > event_of(before);
                    let events = is_news.then(|| self.reading(after));
                    return Ok(Step::Continue(events.into_iter().collect()));
                }
                // The file and its buffers are dropped before the memory is measured.
                let mut open = loading.finish();
                open.info.load_ms = clock() - started_ms;
                open.info.memory_bytes = resources.memory_bytes();
                let model = open.info.clone();
                resources.open = Some(open);
                let job = self.id;
                Ok(Step::Done(vec![
                    self.reading(after),
                    Event::Ready { job, model },
                ]))
            }
            Stage::Done => Ok(Step::Done(Vec::new())),
        }
    }

    fn stop(&mut self, _resources: &Resources) -> Vec<Event> {
        vec![Event::Error {
            job: Some(self.id),
            error: ErrorReport::from(&EngineError::Cancelled),
        }]
    }

    fn busy(&self) -> EngineError {
        EngineError::Loading
    }

    fn yields_to_load(&self) -> bool {
        true
    }

    fn next_bytes(&self) -> Option<Range<u64>> {
        match &self.stage {
            Stage::Header { size_bytes, .. } => Some(0..HEADER_BYTES.min(*size_bytes)),
            Stage::Weights { loading, .. } => loading.next_bytes(),
            Stage::Done => None,
        }
    }
}
