//! The model that comes with the program, so that there is always one to ask.

/// A model file of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundledModel {
    /// Where it is, relative to the page and to `assets/`.
    pub path: &'static str,
    /// What to call it.
    pub name: &'static str,
    /// Its length.
    pub size_bytes: u64,
}

/// A small GPT-2 trained on public-domain English: a stand-in for a bot's own weights, and nothing more.
pub const BUNDLED_MODEL: BundledModel = BundledModel {
    path: "model/bundled.gguf",
    name: "small public-domain GPT-2 (bundled)",
    size_bytes: 11_354_624,
};
