//! `ModelNews`: the progress of a download, from the tab that fetches a model to the tabs that wait for it.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

/// Least time between two messages: each message interrupts all tabs that wait.
const INTERVAL_MS: f64 = 250.0;

/// Bytes so far, and in all where that is known.
pub type Progress = (u64, Option<u64>);

/// One end of a model's channel, closed when it is dropped. A message `[loaded, total or null]` is a progress; any
/// other message asks for the current progress.
pub struct ModelNews {
    channel: BroadcastChannel,
    last: Rc<Cell<Progress>>,
    sent_ms: Cell<f64>,
    _on_message: EventListener,
}

impl ModelNews {
    /// The end that sends the progress, also in answer to a receiver that asks for it. `None` where the browser has no
    /// such channels.
    pub fn sender(key: &str) -> Option<Self> {
        let last = Rc::new(Cell::new((0, None)));
        let current = Rc::clone(&last);
        Self::open(key, last, move |channel, message| {
            if progress_in(message).is_none() {
                post(channel, current.get());
            }
        })
    }

    /// The end that receives the progress; it asks for the current progress at once.
    pub fn receiver(key: &str, on_progress: impl Fn(Progress) + 'static) -> Option<Self> {
        let news = Self::open(key, Rc::default(), move |_, message| {
            progress_in(message).into_iter().for_each(&on_progress);
        })?;
        // Fails only for values that cannot be cloned.
        let _ = news.channel.post_message(&JsValue::NULL);
        Some(news)
    }

    /// Sends the progress, unless the last message is too recent.
    pub fn send(&self, progress: Progress) {
        self.last.set(progress);
        let now = js_sys::Date::now();
        if now - self.sent_ms.get() >= INTERVAL_MS {
            self.sent_ms.set(now);
            post(&self.channel, progress);
        }
    }

    fn open(
        key: &str,
        last: Rc<Cell<Progress>>,
        on_message: impl Fn(&BroadcastChannel, &JsValue) + 'static,
    ) -> Option<Self> {
        let channel = BroadcastChannel::new(&format!("huggingtweets-model-{key}")).ok()?;
        let on_message = {
            let channel = channel.clone();
            EventListener::new(&channel.clone(), "message", move |event| {
                let event: &MessageEvent = event.unchecked_ref();
                on_message(&channel, &event.data());
            })
        };
        Some(Self {
            channel,
            last,
            sent_ms: Cell::new(0.0),
            _on_message: on_message,
        })
    }
}

impl Drop for ModelNews {
    fn drop(&mut self) {
        self.channel.close();
    }
}

fn post(channel: &BroadcastChannel, (loaded, total): Progress) {
    let total = total.map_or(JsValue::NULL, |total| JsValue::from_f64(total as f64));
    let message = Array::of2(&JsValue::from_f64(loaded as f64), &total);
    // Fails only for values that cannot be cloned.
    let _ = channel.post_message(&message);
}

fn progress_in(message: &JsValue) -> Option<Progress> {
    let message = message.dyn_ref::<Array>()?;
    // The cast turns NaN into 0.
    Some((
        message.get(0).as_f64()? as u64,
        message.get(1).as_f64().map(|total| total as u64),
    ))
}
