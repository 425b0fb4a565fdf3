//! `Engine`: owns model, tokenizer and jobs; takes a `Request`, yields `Event`s, one step at a time.

use std::io::{Read, Seek};

use crate::protocol::{Event, Request};

/// Where a model file is read from.
pub trait ModelReader: Read + Seek {}
impl<T: Read + Seek> ModelReader for T {}

/// The model, the tokenizer and the one job that runs.
#[derive(Default)]
pub struct Engine {}

impl Engine {
    /// With nothing open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says how the engine's memory is measured, in bytes; 0 is reported without it.
    pub fn set_memory_meter(&mut self, meter: impl Fn() -> u64 + 'static) {
        let _ = meter;
    }

    /// Opens a model file: frees the open model, and reads the file in the following [`Engine::step`]s.
    /// `name` is what to call it, `size_bytes` its length. What goes wrong comes back as [`Event::Error`].
    pub fn load(
        &mut self,
        reader: Box<dyn ModelReader>,
        name: &str,
        size_bytes: u64,
    ) -> Vec<Event> {
        let _ = (reader, name, size_bytes);
        Vec::new()
    }

    /// Takes a request and answers it as far as that needs no work.
    /// [`Request::Load`] is the host's part: it opens the source and calls [`Engine::load`].
    pub fn handle(&mut self, request: Request) -> Vec<Event> {
        let _ = request;
        Vec::new()
    }

    /// Does one piece of the work in hand. `clock`: milliseconds from any fixed point.
    pub fn step(&mut self, clock: &dyn Fn() -> f64) -> Vec<Event> {
        let _ = clock;
        Vec::new()
    }

    /// Whether [`Engine::step`] would do nothing.
    pub fn is_idle(&self) -> bool {
        true
    }
}
