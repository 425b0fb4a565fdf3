//! The reads and changes of `PageState`, a file per feature: the visitor's actions and the worker's events.

mod events;
mod frame;
mod gallery;
mod look_up;
mod measuring;
mod model;
mod notice;
mod phase;
mod problem;
mod settings;
mod share;
mod stored_models;
mod task;
mod worker;
mod writing;
