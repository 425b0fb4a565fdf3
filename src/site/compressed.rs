//! The compressed copies beside a page's files, `NAME.br` and `NAME.gz`, which servers send to browsers that take them.

use super::{SiteError, files, one_file};
use flate2::write::GzEncoder;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Endings of files that shrink; models and pictures hardly do, and are read by ranges.
const SHRINKING: [&str; 9] = [
    "css",
    "html",
    "js",
    "json",
    "svg",
    "ts",
    "txt",
    "wasm",
    "webmanifest",
];
/// Below this length the headers of an answer cost more than compression saves.
const LEAST_BYTES: usize = 512;

/// How long a compression may take. For the page's program of 2.2 MB, Brotli takes 0.5 s with quality 5, 2 s with 9, and
/// 17 s with 11, for 555, 532 and 477 kB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// Someone waits for the page.
    Quick,
    /// Done beside other work.
    Thorough,
}

/// How a copy is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    fn ending(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    fn copy_of(self, path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(self.ending());
        name.into()
    }

    fn compress(self, content: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
        match (self, effort) {
            (Self::Brotli, Effort::Quick) => brotli(content, 5),
            (Self::Brotli, Effort::Thorough) => brotli(content, 9),
            (Self::Gzip, _) => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                encoder.write_all(content)?;
                encoder.finish()
            }
        }
    }
}

/// `content` after Brotli of this quality, window 24.
pub(super) fn brotli(content: &[u8], quality: i32) -> io::Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: 24,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &params)?;
    Ok(compressed)
}

/// Whether `name` is that of a compressed copy.
pub(super) fn is_copy(name: &str) -> bool {
    Coding::ALL
        .iter()
        .any(|coding| name.ends_with(coding.ending()))
}

/// Writes the copies of every file below `dist` that shrinks.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn write_all(dist: &Path, effort: Effort) -> Result<(), SiteError> {
    for (name, path) in files::files(dist)? {
        // The page in one file holds its parts compressed already.
        if name != one_file::NAME {
            write_copies(&path, effort)?;
        }
    }
    Ok(())
}

/// Writes the copies of the file at `path`, if it shrinks.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn write_copies(path: &Path, effort: Effort) -> Result<(), SiteError> {
    let ending = path.extension().unwrap_or_default();
    if !SHRINKING.iter().any(|known| ending == *known) {
        return Ok(());
    }
    let content = fs::read(path).map_err(SiteError::file("read", path))?;
    for coding in Coding::ALL {
        let copy = coding.copy_of(path);
        let compressed = coding
            .compress(&content, effort)
            .map_err(SiteError::file("compress", path))?;
        if content.len() >= LEAST_BYTES && compressed.len() < content.len() {
            files::write_whole(&copy, &compressed)?;
        }
    }
    Ok(())
}

/// Replaces a file that may be served meanwhile, and its copies: at no time does a copy have other content than the
/// file.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn replace(path: &Path, content: &[u8], effort: Effort) -> Result<(), SiteError> {
    for coding in Coding::ALL {
        // A copy that is missing already is no error.
        let _ = fs::remove_file(coding.copy_of(path));
    }
    files::write_whole(path, content)?;
    write_copies(path, effort)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;
    use std::io::Read as _;

    fn unpacked(path: &Path, coding: Coding) -> String {
        let packed = fs::read(coding.copy_of(path)).unwrap();
        let mut text = String::new();
        match coding {
            Coding::Brotli => brotli::Decompressor::new(&packed[..], 4096)
                .read_to_string(&mut text)
                .unwrap(),
            Coding::Gzip => flate2::read::GzDecoder::new(&packed[..])
                .read_to_string(&mut text)
                .unwrap(),
        };
        text
    }

    #[test]
    fn copies_hold_the_file_and_stand_beside_what_shrinks_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let text = "a line of a script\n".repeat(100);
        fs::create_dir(file("deep")).unwrap();
        for name in ["app.js", "deep/index.html", "bundled.gguf", one_file::NAME] {
            fs::write(file(name), &text).unwrap();
        }
        fs::write(file("short.js"), "let a;").unwrap();
        write_all(folder.path(), Effort::Quick).unwrap();
        for coding in Coding::ALL {
            for name in ["app.js", "deep/index.html"] {
                assert_eq!(unpacked(&file(name), coding), text, "{name}");
            }
        }
        let names = files::files(folder.path()).unwrap().into_iter();
        let copies = names.filter(|(name, _)| is_copy(name)).count();
        assert_eq!(copies, 4);
    }

    #[test]
    fn replaced_file_has_no_copy_of_the_earlier_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker_loader.js");
        let text = |word: &str| word.repeat(300);
        replace(&path, text("one").as_bytes(), Effort::Thorough).unwrap();
        replace(&path, text("two").as_bytes(), Effort::Thorough).unwrap();
        assert_eq!(unpacked(&path, Coding::Brotli), text("two"));
        replace(&path, b"now too short for a copy", Effort::Thorough).unwrap();
        assert!(!Coding::Brotli.copy_of(&path).exists());
        assert!(!Coding::Gzip.copy_of(&path).exists());
    }
}
