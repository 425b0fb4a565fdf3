//! `BUNDLED_MODEL`: the model file that comes with the page and the program.

/// A model file in `assets/` and in the built page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundledModel {
    /// The path, relative to the page and to `assets/`.
    pub path: &'static str,
    /// The name shown to visitors.
    pub name: &'static str,
    /// The file's length.
    pub size_bytes: u64,
}

/// The name of [`BUNDLED_MODEL`] as the base of a training, in records and cards.
pub const BUNDLED_NAME: &str = "bundled";

/// A small GPT-2 trained on public-domain English, a stand-in for a bot's own weights.
pub const BUNDLED_MODEL: BundledModel = BundledModel {
    path: "model/bundled.gguf",
    name: "small model of old books",
    size_bytes: 11_354_624,
};
