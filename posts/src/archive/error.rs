//! `ReadError`: why an export is not read, or not read on. Posts read before stay with whoever took them.

use std::io;

/// Most bytes of one element of a list, such as one post.
pub const MAX_ELEMENT_BYTES: usize = 4 << 20;
/// Most bytes that one file of an export may have after decompression.
pub const MAX_ENTRY_BYTES: u64 = 4 << 30;
/// Most bytes that a small file, such as `account.js`, may have.
pub const MAX_SMALL_FILE_BYTES: u64 = 8 << 20;
/// Most bytes for each compressed byte, once more than [`RATIO_COUNTS_FROM`] bytes have come. Posts compress 5 to 40
/// times, a bomb a thousand times.
pub const MAX_RATIO: u64 = 500;
/// Bytes after which [`MAX_RATIO`] counts.
pub const RATIO_COUNTS_FROM: u64 = 16 << 20;

/// Why an export is not read, or not read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system's error.
    #[error("cannot read `{name}`: {source}")]
    Io {
        /// The file.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The content of a file is not what its archive says.
    #[error("`{name}` is damaged: {fault}")]
    Damaged {
        /// The file.
        name: String,
        /// What is wrong.
        fault: Fault,
    },
    /// The directory of a zip file, or a tar header.
    #[error("the archive is damaged: {cause}")]
    Archive {
        /// The cause, in the words of the crate that reads it.
        cause: String,
    },
    /// A zip that needs a password.
    #[error("`{name}` is encrypted")]
    Encrypted {
        /// The file.
        name: String,
    },
    /// A zip with another method than deflate.
    #[error("`{name}` is compressed by a method that is not read: {method}")]
    Compression {
        /// The file.
        name: String,
        /// The method's name.
        method: String,
    },
    /// What is not JSON, where JSON must be.
    #[error("`{name}` is not valid JSON at byte {at}")]
    Json {
        /// The file.
        name: String,
        /// Offset of the element that cannot be read.
        at: u64,
    },
    /// JSON ends in the middle.
    #[error("`{name}` ends in the middle, at byte {at}")]
    CutShort {
        /// The file.
        name: String,
        /// Its length.
        at: u64,
    },
    /// An element, a line or a record has more than [`MAX_ELEMENT_BYTES`].
    #[error("`{name}` has a post of more than {MAX_ELEMENT_BYTES} bytes at byte {at}")]
    TooLong {
        /// The file.
        name: String,
        /// Offset of the element.
        at: u64,
    },
    /// A small file is not small.
    #[error("`{name}` has more than {limit} bytes")]
    TooLarge {
        /// The file.
        name: String,
        /// The most allowed.
        limit: u64,
    },
    /// Text in another encoding than UTF-8.
    #[error("`{name}` is {encoding} text, not UTF-8")]
    Encoding {
        /// The file.
        name: String,
        /// What it is, or seems to be.
        encoding: Encoding,
    },
    /// A web page.
    #[error("`{name}` is a web page, not an export")]
    Html {
        /// The file.
        name: String,
    },
    /// A file of no known kind.
    #[error("`{name}` is neither an export nor a text")]
    Unknown {
        /// The file.
        name: String,
    },
    /// An archive without any file that holds posts.
    #[error("no file of the archive holds posts; among its {n_entries} files are {examples}")]
    NoPostFile {
        /// Files in it.
        n_entries: u64,
        /// Some names.
        examples: String,
    },
    /// A CSV file without a column of texts.
    #[error("no column of `{name}` is known as the text; its columns are {columns}")]
    NoTextColumn {
        /// The file.
        name: String,
        /// The names in its first line.
        columns: String,
    },
    /// A CAR file that breaks its format.
    #[error("`{name}` is not a whole CAR file: {cause}")]
    Car {
        /// The file.
        name: String,
        /// What is wrong.
        cause: &'static str,
    },
}

/// What is wrong with a compressed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bytes that are no compressed data.
    #[error("its compressed bytes are broken")]
    Compressed,
    /// It ends early.
    #[error("it ends early")]
    CutShort,
    /// More or fewer bytes than its archive states.
    #[error("it has {got} bytes or more, its archive states {expected}")]
    Size {
        /// As stated.
        expected: u64,
        /// Bytes so far.
        got: u64,
    },
    /// Another checksum.
    #[error("its checksum is wrong")]
    Checksum,
    /// It grows out of proportion.
    #[error("it grows more than {MAX_RATIO} times when it is decompressed")]
    Bomb,
    /// More than [`MAX_ENTRY_BYTES`].
    #[error("it has more than {MAX_ENTRY_BYTES} bytes when it is decompressed")]
    TooLarge,
}

/// An encoding that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// With a byte order mark, or with a zero in each second byte.
    Utf16,
    /// Neither; Latin-1 and Windows-1252 are the likely ones.
    SingleByte,
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf16 => "UTF-16",
            Self::SingleByte => "Latin-1 or Windows-1252",
        })
    }
}

impl ReadError {
    /// The error of reading `name`, by its cause.
    pub fn of_io(name: &str, source: io::Error) -> Self {
        let name = name.to_owned();
        let fault = source.get_ref().and_then(|e| e.downcast_ref::<Fault>());
        match (fault, source.kind()) {
            (Some(fault), _) => Self::Damaged {
                name,
                fault: *fault,
            },
            (None, io::ErrorKind::UnexpectedEof) => Self::Damaged {
                name,
                fault: Fault::CutShort,
            },
            (None, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Self::Damaged {
                name,
                fault: Fault::Compressed,
            },
            _ => Self::Io { name, source },
        }
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the file is still there and may be read",
            Self::Damaged {
                fault: Fault::Bomb | Fault::TooLarge | Fault::Size { .. },
                ..
            } => "an export of a network has no such file; get it from the network itself",
            Self::Damaged { .. }
            | Self::Archive { .. }
            | Self::CutShort { .. }
            | Self::Car { .. } => "it may have been cut short; download the export again",
            Self::Encrypted { .. } => "unpack it with its password and give the folder",
            Self::Compression { .. } => "unpack it and give the folder",
            Self::Json { .. } => {
                "if it was edited, take it out of the export again; else download the export again"
            }
            Self::TooLong { .. } | Self::TooLarge { .. } => "check that it is the file you mean",
            Self::Encoding { .. } => "save it as UTF-8, for example with a text editor",
            Self::Html { .. } => {
                "give the whole zip of the export, or its folder `data`, instead of the page in it"
            }
            Self::Unknown { .. } => {
                "give the zip of an X or Mastodon archive, a Bluesky CAR file, JSON, CSV, or a text with a post per line"
            }
            Self::NoPostFile { .. } => {
                "give the zip as the network made it; X keeps posts in data/tweets.js, Mastodon in outbox.json"
            }
            Self::NoTextColumn { .. } => "name the column of the posts `text`",
        }
    }
}

/// An error that a reader of a compressed file passes through [`io::Error`].
pub(super) fn faulty(fault: Fault) -> io::Error {
    io::Error::other(fault)
}
