//! `FileKind`: a guess at the kind of a file, so that a wrong file can be named.

/// The kind of a file, guessed from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A web page: the address led to one, often an error page.
    Html,
    /// Git LFS's pointer to a file.
    LfsPointer,
    /// A zip archive, such as PyTorch's `.bin`.
    Zip,
    /// A pickle: PyTorch's format from before 1.6, or any other.
    Pickle,
    /// A tar archive, such as PyTorch's first format.
    Tar,
    /// JSON text.
    Json,
    /// safetensors.
    Safetensors,
    /// GGUF.
    Gguf,
    /// GGML's older format.
    OldGgml,
    /// No bytes at all.
    Empty,
    /// Another kind.
    Unknown,
}

impl FileKind {
    /// Guesses from the first bytes of a file.
    pub fn of(head: &[u8]) -> Self {
        let text = head.trim_ascii_start();
        let starts = |prefix: &str| {
            text.len() >= prefix.len()
                && text[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
        };
        if head.is_empty() {
            Self::Empty
        } else if head.len() > 8 && head[8] == b'{' && head[4..8] == [0; 4] {
            // Checked first, because its length could begin like any other kind.
            Self::Safetensors
        } else if starts("<!doctype") || starts("<html") || starts("<head") || starts("<?xml") {
            Self::Html
        } else if starts("version https://git-lfs") {
            Self::LfsPointer
        } else if head.starts_with(b"GGUF") {
            Self::Gguf
        } else if head.starts_with(b"PK\x03\x04") {
            Self::Zip
        } else if head.first() == Some(&0x80) && head.get(1).is_some_and(|v| (2..=5).contains(v)) {
            Self::Pickle
        } else if head.get(257..262) == Some(b"ustar") {
            Self::Tar
        } else if [b"ggml", b"lmgg", b"fmgg", b"tjgg"]
            .iter()
            .any(|magic| head.starts_with(*magic))
        {
            Self::OldGgml
        } else if text.first().is_some_and(|b| *b == b'{' || *b == b'[') {
            Self::Json
        } else {
            Self::Unknown
        }
    }

    /// The remedy where a file of this kind was given for a model.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Html => "get the file itself: a server has answered with a page in its place",
            Self::LfsPointer => "run `git lfs pull`, or download the file from the Hub",
            Self::Zip | Self::Safetensors => {
                "it needs its config.json: open the folder that holds both"
            }
            Self::Pickle | Self::Tar => "open it with transformers and save it as safetensors",
            Self::Json => "take the GGUF or safetensors file beside it",
            Self::Gguf => "open it by itself, as a GGUF",
            Self::OldGgml => "convert the model again with a current llama.cpp",
            Self::Empty => "get it again from where it came from",
            Self::Unknown => "choose a .gguf file or a model folder",
        }
    }
}

impl std::fmt::Display for FileKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Html => "a web page",
            Self::LfsPointer => "a Git LFS pointer, not the file it points to",
            Self::Zip => "a zip archive such as PyTorch's .bin",
            Self::Pickle => "a pickle of Python's that holds no weights of PyTorch",
            Self::Tar => "a tar archive, such as PyTorch's format from before 2017",
            Self::Json => "JSON text",
            Self::Safetensors => "safetensors",
            Self::Gguf => "GGUF",
            Self::OldGgml => "in GGML's format from before GGUF",
            Self::Empty => "empty",
            Self::Unknown => "of an unknown kind",
        })
    }
}
