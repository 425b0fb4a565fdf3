//! The messages between a frame and the element of its host page, each as `{ huggingtweets: { v, type, … } }`.
//!
//! `www/embed_frame.js` is the other end. Each side drops a foreign sender or origin first, then another version, then an
//! unknown shape, and what comes too often.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::protocol::ErrorReport;

/// Version of every message here.
pub const FRAME_VERSION: u32 = 1;

/// Most messages of a host in a second; the rest are dropped.
const MOST_A_SECOND: u32 = 200;

/// A message with its version, under the name that tells it from other programs' messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wrapped<T> {
    /// The message.
    pub huggingtweets: Versioned<T>,
}

/// A message with its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Versioned<T> {
    /// [`FRAME_VERSION`] of the sender.
    pub v: u32,
    /// The message itself; its `type` and fields stand beside `v`.
    #[serde(flatten)]
    pub message: T,
}

impl<T> Wrapped<T> {
    /// The message under this build's version.
    pub fn new(message: T) -> Self {
        Self {
            huggingtweets: Versioned {
                v: FRAME_VERSION,
                message,
            },
        }
    }
}

/// A message of the host.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HostMessage {
    /// The element's attributes, and its look; sent again when one of them changes.
    Set(Look),
    /// A prompt in place of the one in the box.
    Write {
        /// The prompt.
        text: String,
    },
    /// Load the model, and write nothing.
    Load,
    /// Write texts for the prompt in the box; answered by [`FrameMessage::Answer`].
    Generate {
        /// The host's number for the call.
        call: u32,
        /// Options of this call, with the names and values of huggingtweets.js.
        #[serde(default)]
        options: Map<String, Value>,
    },
    /// Stop what is being written or loaded.
    Abort,
    /// Take over the focus of the card that the frame replaces.
    Focus {
        /// The control that had it.
        on: Control,
        /// Beginning and end of the selection in the prompt, in UTF-16 units.
        selection: [u32; 2],
    },
    /// The engine that the frame asked for, at the port beside the message.
    Engine,
    /// The engine has disappeared.
    Lost,
}

/// Attributes and look of the element.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Look {
    /// Settings by their names in the page's address; empty for the default.
    pub settings: BTreeMap<String, String>,
    /// Values of custom properties by the rest of their name; empty for the default.
    pub styles: BTreeMap<String, String>,
    /// The colours of the host.
    pub theme: HostTheme,
    /// Whether the host is written from right to left.
    pub is_right_to_left: bool,
}

/// The colours of a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostTheme {
    /// Dark text on light ground.
    #[default]
    Light,
    /// Light text on dark ground.
    Dark,
}

/// A control of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The prompt.
    Prompt,
    /// The button.
    Button,
}

/// A message to the host.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FrameMessage {
    /// The frame shows its bot and takes messages.
    Here,
    /// The frame needs an engine; answered by [`HostMessage::Engine`].
    Connect,
    /// The height of its content changed.
    Height {
        /// In CSS pixels.
        height: f64,
    },
    /// The visitor changed the prompt.
    Input {
        /// The prompt.
        text: String,
    },
    /// Events of the element, in order.
    Events {
        /// The events.
        list: Vec<FrameEvent>,
    },
    /// The end of a call.
    Answer {
        /// The host's number for the call.
        call: u32,
        /// Its texts or its failure.
        #[serde(flatten)]
        answer: Answer,
    },
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The texts, as huggingtweets.js gives them.
    Texts(Vec<GeneratedText>),
    /// The failure.
    Error(ErrorReport),
}

/// One text of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratedText {
    /// Prompt and continuation, or the continuation alone.
    pub generated_text: String,
}

/// An event of the element: its name and its `detail`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name", content = "detail", rename_all = "snake_case")]
pub enum FrameEvent {
    /// The model is being downloaded.
    Progress {
        /// `progress`, as in transformers.js.
        status: &'static str,
        /// The model.
        file: String,
        /// Bytes so far.
        loaded: u64,
        /// All bytes, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    /// The model is open.
    Ready {
        /// `ready`, as in transformers.js.
        status: &'static str,
        /// `text-generation`.
        task: &'static str,
        /// The model.
        model: String,
    },
    /// One more token.
    Token(crate::protocol::NewToken),
    /// One text is complete.
    Result {
        /// 0-based index of the text.
        sequence: usize,
        /// Prompt and continuation, or the continuation alone.
        generated_text: String,
    },
    /// A failure.
    Error(ErrorReport),
}

/// Counts a sender's messages, and lets through as many as a host sends that means well.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FloodGate {
    since_ms: f64,
    count: u32,
}

impl FloodGate {
    /// Whether one more message may pass. `now_ms`: any steady clock.
    pub fn allows(&mut self, now_ms: f64) -> bool {
        if now_ms - self.since_ms >= 1000.0 {
            *self = Self {
                since_ms: now_ms,
                count: 0,
            };
        }
        self.count += 1;
        self.count <= MOST_A_SECOND
    }
}
