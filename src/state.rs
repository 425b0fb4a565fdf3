//! Everything that the page shows, and the changes by the visitor's actions and the worker's events.
//!
//! Each feature has a file here with its part of the state and a file in `features` with its reads and changes;
//! [`PageState`] holds the parts. An action or an event gives back the [`Command`]s that follow from it, and the page
//! executes them in order. One job of the model runs at a time. A task that cannot start yet waits; the last one wins,
//! and it starts as soon as it can. Time and seeds are arguments.

pub mod address;
pub mod bot_texts;
mod command;
pub mod copied;
pub mod embed_code;
mod features;
pub mod frame_message;
pub mod gallery;
pub mod loading;
pub mod look_up;
pub mod maker;
mod markup;
pub mod measured;
pub mod measuring;
pub mod model;
pub mod model_choice;
pub mod notice;
pub mod offer_words;
mod page_state;
mod phase;
pub mod problem;
pub mod recipe;
pub mod run_figures;
pub mod settings;
pub mod share;
pub mod share_picture;
pub mod speaker;
mod stored_models;
pub mod stored_words;
mod task;
pub mod text_direction;
pub mod training;
pub mod training_settings;
pub mod tweet;
pub mod wording;
pub mod wordpress;
mod worker;
mod writing;

pub use command::Command;
pub use page_state::PageState;
pub use phase::Phase;
