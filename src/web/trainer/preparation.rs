//! The preparation of a training: base model, text, and the checkpoint of an earlier visit.

use std::io::Read as _;

use gloo::timers::future::TimeoutFuture;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, FileSystemDirectoryHandle};

use super::failure::Failure;
use super::folder::TrainingFolder;
use super::host::{Host, State, now};
use super::kept_checkpoints::KeptCheckpoints;
use crate::engine::BaseModel;
use crate::finetune::FineTuneError;
use crate::trainer::training::TrainingError;
use crate::trainer::{Event, Training, TrainingPlan, output};
use crate::web::shared::js_error::WebError;
use crate::web::worker::blob_reader::BlobReader;

/// Further tries to open the checkpoints, and the time between them.
const OPEN_TRIES: u32 = 50;
const PAUSE_MS: u32 = 100;
/// Most bytes of a training text: 100,000 posts have 10 MB, four times.
const MAX_TEXT_BYTES: u64 = 1 << 28;

impl Host {
    pub(super) async fn prepare(
        &self,
        plan: TrainingPlan,
        message: &JsValue,
        now_ms: i64,
    ) -> Result<(), Failure> {
        // The files of an earlier training are closed first.
        *self.state.borrow_mut() = State::default();
        let text = read_text(blob(message, "text")?)?;
        let base_blob = blob(message, "base")?;
        let mut reader = BlobReader::new(base_blob.clone())?;
        let file = output::hashed(&format!("{}.gguf", plan.base), &mut reader)?;
        let base_file = output::base_artifact(&plan.base, vec![file]);
        let begin = || {
            let reader = Box::new(BlobReader::new(base_blob.clone())?);
            let base = BaseModel::from_gguf(reader).map_err(TrainingError::Engine)?;
            let threads = self.threads.clone();
            let begun = Training::begin(plan.clone(), &text, base, &base_file, threads, now_ms);
            begun.map_err(Failure::from)
        };
        let folder = TrainingFolder::open(&plan.bot).await?;
        let mut checkpoints = match folder.stored() {
            Some(folder) => Some(open_checkpoints(folder).await?),
            None => None,
        };
        let mut training = begin()?;
        for found in checkpoints
            .iter_mut()
            .flat_map(KeptCheckpoints::found)
            .collect::<Vec<_>>()
        {
            let Some(checkpoints) = &checkpoints else {
                break;
            };
            let mut state = checkpoints.reader(&found);
            match training.restore(&mut state, Some(found.record.clone())) {
                Ok(()) => break,
                Err(FineTuneError::OtherTraining { .. }) => {}
                // It may be half restored.
                Err(_) => training = begin()?,
            }
        }
        self.post(&Event::Prepared(training.prepared(&now)?));
        let mut state = self.state.borrow_mut();
        state.sampled_step = training.fine_tune().steps_done();
        state.training = Some(training);
        state.text = text;
        state.preview = blob(message, "preview").ok();
        state.folder = Some(folder);
        state.checkpoints = checkpoints;
        Ok(())
    }
}

/// A blob beside a request.
fn blob(message: &JsValue, name: &str) -> Result<Blob, WebError> {
    let blob = Reflect::get(message, &name.into()).ok();
    let blob = blob.and_then(|blob| blob.dyn_into().ok());
    blob.ok_or_else(|| WebError::Read {
        reason: format!("`{name}` is missing"),
    })
}

fn read_text(blob: Blob) -> Result<String, WebError> {
    let failed = |reason: String| WebError::Read { reason };
    let mut reader = BlobReader::new(blob)?;
    if reader.size() > MAX_TEXT_BYTES {
        return Err(failed(format!(
            "the text has more than {MAX_TEXT_BYTES} bytes"
        )));
    }
    let mut text = String::new();
    let read = reader.read_to_string(&mut text);
    read.map_err(|error| failed(error.to_string()))?;
    Ok(text)
}

/// Opens the checkpoints of a bot. The worker of a page that was just left may have them open for a moment.
async fn open_checkpoints(folder: &FileSystemDirectoryHandle) -> Result<KeptCheckpoints, Failure> {
    let mut tries = 0..OPEN_TRIES;
    loop {
        match KeptCheckpoints::open(folder).await {
            Err(_) if tries.next().is_some() => TimeoutFuture::new(PAUSE_MS).await,
            opened => return opened.map_err(in_other_tab),
        }
    }
}

/// The browser's refusal of a second opening, in words.
fn in_other_tab(error: WebError) -> Failure {
    match error {
        WebError::StorageFull => error.into(),
        _ => Failure {
            message: "the browser did not open the place for the training's state".to_owned(),
            hint: "another tab may be training this bot: close it, then prepare again".to_owned(),
        },
    }
}
