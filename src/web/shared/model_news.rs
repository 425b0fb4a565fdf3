//! `ModelNews`: the tab that fetches a model tells those that wait for it how far it is.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

/// Least time between two messages; tabs that hear every piece of a download are kept from their own work.
const EVERY_MS: f64 = 250.0;

/// Bytes so far, and in all where that is known.
pub type HowFar = (u64, Option<u64>);

/// One end of a model's channel, closed when it is dropped. Messages are `[loaded, total or null]`, and anything else
/// asks for one.
pub struct ModelNews {
    channel: BroadcastChannel,
    last: Rc<Cell<HowFar>>,
    told_ms: Cell<f64>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl ModelNews {
    /// The end that tells, also when it is asked. `None` where the browser has no such channels.
    pub fn tell_of(key: &str) -> Option<Self> {
        let last = Rc::new(Cell::new((0, None)));
        let known = Rc::clone(&last);
        Self::open(key, last, move |channel, message| {
            if how_far(message).is_none() {
                post(channel, known.get());
            }
        })
    }

    /// The end that hears; it asks at once.
    pub fn hear_of(key: &str, hear: impl Fn(HowFar) + 'static) -> Option<Self> {
        let news = Self::open(key, Rc::default(), move |_, message| {
            how_far(message).into_iter().for_each(&hear);
        })?;
        // Fails only for what cannot be cloned.
        let _ = news.channel.post_message(&JsValue::NULL);
        Some(news)
    }

    /// Tells how far the model is.
    pub fn tell(&self, how_far: HowFar) {
        self.last.set(how_far);
        let now = js_sys::Date::now();
        if now - self.told_ms.get() >= EVERY_MS {
            self.told_ms.set(now);
            post(&self.channel, how_far);
        }
    }

    fn open(
        key: &str,
        last: Rc<Cell<HowFar>>,
        mut on_message: impl FnMut(&BroadcastChannel, &JsValue) + 'static,
    ) -> Option<Self> {
        let channel = BroadcastChannel::new(&format!("huggingtweets-model-{key}")).ok()?;
        let on_message = {
            let channel = channel.clone();
            Closure::new(move |event: MessageEvent| on_message(&channel, &event.data()))
        };
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Self {
            channel,
            last,
            told_ms: Cell::new(0.0),
            _on_message: on_message,
        })
    }
}

impl Drop for ModelNews {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

fn post(channel: &BroadcastChannel, (loaded, total): HowFar) {
    let total = total.map_or(JsValue::NULL, |total| JsValue::from_f64(total as f64));
    let message = Array::of2(&JsValue::from_f64(loaded as f64), &total);
    // Fails only for what cannot be cloned.
    let _ = channel.post_message(&message);
}

fn how_far(message: &JsValue) -> Option<HowFar> {
    let message = message.dyn_ref::<Array>()?;
    // A number that is none becomes 0.
    Some((
        message.get(0).as_f64()? as u64,
        message.get(1).as_f64().map(|total| total as u64),
    ))
}
