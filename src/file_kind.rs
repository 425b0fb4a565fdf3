//! `FileKind`: a guess at the kind of a file, so that a wrong file can be named.

/// The kind of a file, guessed from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A web page: the address led to one, often an error page.
    Html,
    /// Git LFS's pointer to a file.
    LfsPointer,
    /// A server's answer that it does not give the file.
    ServerAnswer,
    /// A file or an archive that is compressed with the program of this name.
    Compressed(&'static str),
    /// A zip archive, such as PyTorch's `.bin`.
    Zip,
    /// A pickle: PyTorch's format from before 1.6, or any other.
    Pickle,
    /// A tar archive, such as PyTorch's first format.
    Tar,
    /// Text of 16 bits per character, as Windows' PowerShell writes it.
    Utf16,
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

/// The first bytes of compressed files. A zip archive is a [`FileKind`] of its own.
const COMPRESSED: [(&[u8], &str); 6] = [
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
];

/// What the Hub, GitHub and S3 answer in plain text where they give no file.
const ANSWERS: [&str; 8] = [
    "entry not found",
    "repository not found",
    "revision not found",
    "invalid username or password",
    "access to model",
    "404: not found",
    "404 not found",
    "not found",
];

/// The keys with which answers in JSON begin; their values are texts, which no file of a model has under them.
const ANSWER_KEYS: [&str; 3] = ["\"error\"", "\"message\"", "\"detail\""];

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
        } else if ANSWERS.iter().any(|answer| starts(answer)) || is_answer_in_json(text) {
            Self::ServerAnswer
        } else if let Some((_, name)) = COMPRESSED.iter().find(|(magic, _)| head.starts_with(magic))
        {
            Self::Compressed(name)
        } else if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            Self::Utf16
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
            Self::ServerAnswer => {
                "get the file itself: check its address, and whether an account is needed"
            }
            Self::Compressed(_) => "unpack it first",
            Self::LfsPointer => "run `git lfs pull`, or download the file from the Hub",
            Self::Zip | Self::Safetensors => {
                "it needs its config.json and tokenizer: open the folder that holds all of them"
            }
            Self::Pickle | Self::Tar => "open it with transformers and save it as safetensors",
            Self::Utf16 => "save it as UTF-8",
            Self::Json => "take the GGUF or safetensors file beside it",
            Self::Gguf => "open it by itself, as a GGUF",
            Self::OldGgml => "convert the model again with a current llama.cpp",
            Self::Empty => "get it again from where it came from",
            Self::Unknown => {
                "open a .gguf file, or the folder of a model with its config.json, tokenizer and weights"
            }
        }
    }
}

impl std::fmt::Display for FileKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Html => "a web page",
            Self::LfsPointer => "a Git LFS pointer, not the file it points to",
            Self::ServerAnswer => "a server's answer that it does not give the file",
            Self::Compressed(program) => return write!(f, "compressed with {program}"),
            Self::Zip => "a zip archive such as PyTorch's .bin",
            Self::Pickle => "a pickle of Python's that holds no weights of PyTorch",
            Self::Tar => "a tar archive, such as PyTorch's format from before 2017",
            Self::Utf16 => "UTF-16 text",
            Self::Json => "JSON text",
            Self::Safetensors => "safetensors",
            Self::Gguf => "GGUF",
            Self::OldGgml => "in GGML's format from before GGUF",
            Self::Empty => "empty",
            Self::Unknown => "of an unknown kind",
        })
    }
}

/// Whether JSON begins as an object of one of [`ANSWER_KEYS`] with a text.
fn is_answer_in_json(text: &[u8]) -> bool {
    let value = text.strip_prefix(b"{").and_then(|object| {
        let object = object.trim_ascii_start();
        let mut values = ANSWER_KEYS
            .iter()
            .map(|key| object.strip_prefix(key.as_bytes()));
        values.find_map(|value| value?.trim_ascii_start().strip_prefix(b":"))
    });
    value.is_some_and(|value| value.trim_ascii_start().starts_with(b"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_answer_is_no_file() {
        for answer in [
            "Entry not found",
            "Repository not found",
            "Invalid username or password.",
            "404: Not Found",
            "{\"error\": \"Repository not found\"}",
            "{ \"message\" : \"Not Found\", \"status\": \"404\" }",
            "{\"detail\":\"gone\"}",
        ] {
            assert_eq!(
                FileKind::of(answer.as_bytes()),
                FileKind::ServerAnswer,
                "{answer}"
            );
        }
        // A vocabulary.
        assert_eq!(
            FileKind::of(b"{\"error\": 0, \"message\": 1}"),
            FileKind::Json
        );
        // A tokenizer's setting.
        assert_eq!(FileKind::of(b"{\"errors\": \"replace\"}"), FileKind::Json);
    }

    #[test]
    fn compressed_files_are_named_by_their_program() {
        assert_eq!(
            FileKind::of(b"\x1f\x8b\x08\0\0\0\0\0\0\x03").to_string(),
            "compressed with gzip"
        );
        assert_eq!(
            FileKind::of(b"\xfd7zXZ\0\0\x04"),
            FileKind::Compressed("xz")
        );
    }
}
