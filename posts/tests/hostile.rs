//! Damaged and hostile exports: each ends in an error that says what to do, the posts before it are good, nothing hangs and
//! memory stays bounded.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "../../fuzz/meter.rs"]
mod meter;

use std::io::{Cursor, Read, Seek, SeekFrom, Write as _};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use posts::archive::error::{Encoding, Fault, MAX_ELEMENT_BYTES};
use posts::archive::{Import, ImportNotice, ImportOptions, ReadError, Report, Source, Step};
use posts::post::Post;
use posts::random::PythonRandom;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn export(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/exports");
    std::fs::read(folder.join(name)).unwrap()
}

/// How the long posts of the exports begin.
const LONG_POST: &str = "This is a long post about inventing things.";

/// Most bytes that reading may hold at once, the posts of these tests included.
const MOST_BYTES: usize = 32 << 20;

struct Outcome {
    posts: Vec<Post>,
    report: Option<Report>,
    error: Option<ReadError>,
}

impl Outcome {
    /// The error, which is a sentence with a remedy.
    fn error(&self) -> &ReadError {
        let error = self.error.as_ref().unwrap();
        let message = error.to_string();
        assert!(!message.is_empty() && message.len() < 2000, "{message}");
        assert!(!error.hint().is_empty(), "{message}");
        error
    }

    fn texts(&self) -> Vec<&str> {
        self.posts.iter().map(|post| post.text.as_str()).collect()
    }
}

fn read_source(file: Box<dyn Source>) -> Outcome {
    let (outcome, peak) = meter::peak_of(|| read_unmeasured(file));
    assert!(peak < MOST_BYTES, "{peak} bytes were held at once");
    outcome
}

fn read_unmeasured(file: Box<dyn Source>) -> Outcome {
    let start = Instant::now();
    let mut posts = Vec::new();
    let mut outcome = match Import::open(file, "the file", ImportOptions::default()) {
        Err(error) => Outcome {
            posts,
            report: None,
            error: Some(error),
        },
        Ok(mut import) => {
            let error = loop {
                let step = import.step(1 << 20, &mut |post| {
                    posts.push(post);
                    ControlFlow::Continue(())
                });
                match step {
                    Ok(Step::More) => {}
                    Ok(_) => break None,
                    Err(error) => break Some(error),
                }
            };
            Outcome {
                posts,
                report: Some(import.into_report()),
                error,
            }
        }
    };
    outcome.posts.shrink_to_fit();
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
    outcome
}

fn read(bytes: impl Into<Vec<u8>>) -> Outcome {
    read_source(Box::new(Cursor::new(bytes.into())))
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::DEFLATE);
    for (name, content) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tweets(texts: &[&str]) -> String {
    let tweets = texts
        .iter()
        .map(|text| format!(r#"{{"tweet":{{"id_str":"1","full_text":"{text}"}}}}"#));
    format!(
        "window.YTD.tweets.part0 = [{}]",
        tweets.collect::<Vec<_>>().join(",")
    )
}

/// A file that is `start`, then `middle` again and again up to `len` bytes, without being in memory.
struct Endless {
    start: Vec<u8>,
    middle: Vec<u8>,
    len: u64,
    at: u64,
    /// Bytes handed out.
    read: std::rc::Rc<std::cell::Cell<u64>>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = buffer
            .len()
            .min(usize::try_from(self.len.saturating_sub(self.at)).unwrap());
        for byte in &mut buffer[..n] {
            let at = usize::try_from(self.at).unwrap();
            *byte = match at.checked_sub(self.start.len()) {
                None => self.start[at],
                Some(at) => self.middle[at % self.middle.len()],
            };
            self.at += 1;
        }
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len.checked_add_signed(by).unwrap(),
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

#[test]
fn a_zip_bomb_is_given_up_early() {
    let mut bomb = tweets(&["these words come first"]).into_bytes();
    bomb.pop();
    bomb.extend(std::iter::repeat_n(b' ', 300 << 20));
    let bytes = zipped(&[("data/tweets.js", &bomb)]);
    drop(bomb);
    assert!(bytes.len() < 1 << 20);
    let outcome = read(bytes);
    assert!(matches!(
        outcome.error(),
        ReadError::Damaged {
            fault: Fault::Bomb,
            ..
        }
    ));
    assert_eq!(outcome.texts(), ["these words come first"]);
}

/// A header of a tar and a content in whole blocks.
fn tar_entry(kind: tar::EntryType, name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_path(name).unwrap();
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

const OUTBOX: &[u8] = br#"{"orderedItems":[{"type":"Create","object":{"type":"Note","to":"as:Public","content":"the only post here"}}]}"#;

#[test]
fn a_small_tar_with_names_of_many_megabytes_costs_no_memory_for_them() {
    use tar::EntryType;
    let mut random = PythonRandom::new(7);
    // With it, the tar does not grow out of proportion.
    let noise: Vec<u8> = std::iter::repeat_with(|| random.next_u32().to_le_bytes())
        .take(100_000)
        .flatten()
        .collect();
    for kind in [
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
    ] {
        let tar = [
            tar_entry(EntryType::Regular, "noise.bin", &noise),
            tar_entry(kind, "name", &vec![b'a'; 96 << 20]),
            tar_entry(EntryType::Regular, "other.txt", b"text"),
            tar_entry(EntryType::Regular, "outbox.json", OUTBOX),
        ];
        let bytes = gzipped(&tar.concat());
        assert!(bytes.len() < 1 << 20);
        let outcome = read(bytes);
        assert_eq!(
            outcome.texts(),
            ["the only post here"],
            "{kind:?}: {:?}",
            outcome.error
        );
    }
}

#[test]
fn a_tar_with_long_names_is_read_whole() {
    let folder = "a folder with a long name/".repeat(8);
    let actor = br#"{"preferredUsername":"Ada_Testwell"}"#;
    let files = [("actor.json", &actor[..]), ("outbox.json", OUTBOX)];
    let mut gnu = tar::Builder::new(Vec::new());
    let mut pax = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let name = folder.clone() + name;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        gnu.append_data(&mut header, &name, content).unwrap();
        pax.append_pax_extensions([("path", name.as_bytes())])
            .unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        pax.append_data(&mut header, "short", content).unwrap();
    }
    for tar in [gnu.into_inner().unwrap(), pax.into_inner().unwrap()] {
        for bytes in [gzipped(&tar), tar] {
            let outcome = read(bytes);
            assert_eq!(outcome.texts(), ["the only post here"]);
            let report = outcome.report.as_ref().unwrap();
            assert_eq!(report.account.handle.as_deref(), Some("Ada_Testwell"));
            assert_eq!(report.opened[1], folder.clone() + "outbox.json");
        }
    }
}

#[test]
fn names_of_an_archive_without_posts_are_quoted_short() {
    let name = "a".repeat(60_000);
    let long = name.clone() + "\0";
    let tar = [
        tar_entry(tar::EntryType::GNULongName, "name", long.as_bytes()),
        tar_entry(tar::EntryType::Regular, "cut", b"x"),
    ];
    for bytes in [zipped(&[(&name, b"x")]), tar.concat()] {
        let outcome = read(bytes);
        let ReadError::NoPostFile { examples, .. } = outcome.error() else {
            panic!("{:?}", outcome.error)
        };
        assert_eq!(*examples, "a".repeat(80) + "…");
    }
    let manifest = format!(
        r#"window.__THAR_CONFIG = {{"dataTypes":{{"tweets":{{"files":[{{"fileName":"data/{name}.js"}}]}}}}}}"#
    );
    let outcome = read(zipped(&[
        ("data/manifest.js", manifest.as_bytes()),
        ("data/tweets.js", tweets(&["one two three"]).as_bytes()),
    ]));
    let notices = &outcome.report.as_ref().unwrap().notices;
    assert!(
        matches!(&notices[..], [ImportNotice::MissingFile(name)] if name.chars().count() == 81),
        "{notices:?}"
    );
}

#[test]
fn an_entry_that_lies_about_its_size_or_checksum_is_noticed() {
    let content = tweets(&["one two three", "four five six"]);
    let honest = zipped(&[("data/tweets.js", content.as_bytes())]);
    // The size and the checksum stand in the directory.
    let directory = honest.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    let (crc_at, size_at) = (directory + 16, directory + 24);
    let len = u32::try_from(content.len()).unwrap();
    assert_eq!(honest[size_at..size_at + 4], len.to_le_bytes());
    for size in [len - 40, len + 40, 3, u32::MAX - 1] {
        let mut bytes = honest.clone();
        bytes[size_at..size_at + 4].copy_from_slice(&size.to_le_bytes());
        let outcome = read(bytes);
        let is_size = matches!(
            outcome.error(),
            ReadError::Damaged { fault: Fault::Size { expected, .. }, .. } if *expected == u64::from(size)
        );
        assert!(is_size, "{:?}", outcome.error);
    }
    let mut bytes = honest.clone();
    bytes[crc_at] ^= 1;
    let outcome = read(bytes);
    assert!(matches!(
        outcome.error(),
        ReadError::Damaged {
            fault: Fault::Checksum,
            ..
        }
    ));
    assert_eq!(outcome.texts(), ["one two three", "four five six"]);
    assert!(read(honest).error.is_none());
}

#[test]
fn names_that_climb_are_only_compared() {
    let inside = tweets(&["inside the archive"]);
    let outside = tweets(&["outside of it"]);
    let files = [
        ("../../etc/passwd", &b"root"[..]),
        ("/data/../../tweets.js", outside.as_bytes()),
        ("data/tweets.js", inside.as_bytes()),
    ];
    assert_eq!(read(zipped(&files)).texts(), ["inside the archive"]);
}

#[test]
fn json_ten_thousand_deep_is_left_out_or_refused() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let inside = format!(r#"[{{"full_text":"a b c","entities":{deep}}},{{"full_text":"d e f"}}]"#);
    let outcome = read(inside);
    assert!(outcome.texts().contains(&"d e f"), "{:?}", outcome.error);
    let unknown = format!(r#"[{{"full_text":"a b c","other":{deep}}},{{"full_text":"d e f"}}]"#);
    assert_eq!(read(unknown).texts(), ["a b c", "d e f"]);
    let bare = read(deep.clone());
    assert_eq!(bare.texts(), [""; 0]);
    let objects = r#"{"a":"#.repeat(10_000);
    assert!(matches!(
        read(objects).error(),
        ReadError::CutShort { .. } | ReadError::Json { .. }
    ));
    let outbox = format!(r#"{{"@context":{deep},"orderedItems":[]}}"#);
    assert!(read(outbox).error.is_none());
}

#[test]
fn a_text_of_a_gigabyte_is_refused_after_a_few_megabytes() {
    for (start, middle) in [
        (r#"[{"full_text":"first of all"},{"full_text":""#, "abc "),
        (r#"[{"full_text":"first of all"},{"other":["#, "\"abc\","),
        ("text,id\nfirst of all,1\n\"", "abc "),
        ("first of all\n", "abc "),
    ] {
        let read = std::rc::Rc::default();
        let file = Endless {
            start: start.into(),
            middle: middle.into(),
            len: 1 << 30,
            at: 0,
            read: std::rc::Rc::clone(&read),
        };
        let outcome = read_source(Box::new(file));
        assert!(
            matches!(outcome.error(), ReadError::TooLong { .. }),
            "{start}: {:?}",
            outcome.error
        );
        assert_eq!(outcome.texts(), ["first of all"], "{start}");
        let most = 4 * MAX_ELEMENT_BYTES as u64;
        assert!(read.get() < most, "{start}: {} bytes were read", read.get());
    }
}

#[test]
fn other_encodings_are_named() {
    let utf16: Vec<u8> = "\u{feff}one two three\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf16_json: Vec<u8> = "[{\"text\":\"a\"}]"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    for bytes in [utf16, utf16_json] {
        let outcome = read(bytes);
        let is_named = matches!(
            outcome.error(),
            ReadError::Encoding {
                encoding: Encoding::Utf16,
                ..
            }
        );
        assert!(is_named, "{:?}", outcome.error);
    }
    for bytes in [
        &b"[{\"full_text\":\"good one here\"},{\"full_text\":\"caf\xe9 is here\"}]"[..],
        b"text,id\ngood one here,1\ncaf\xe9 is here,2\n",
        b"good one here\ncaf\xe9 is here\n",
    ] {
        let outcome = read(bytes);
        let is_named = matches!(
            outcome.error(),
            ReadError::Encoding {
                encoding: Encoding::SingleByte,
                ..
            }
        );
        assert!(is_named, "{:?}", outcome.error);
        assert!(outcome.error().to_string().contains("Latin-1"));
        assert_eq!(outcome.texts(), ["good one here"]);
    }
}

#[test]
fn every_export_cut_anywhere_ends_with_an_error_or_whole_posts() {
    let expected = export("expected.json");
    let expected: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&expected).unwrap();
    for file in expected.keys() {
        let whole = export(file);
        let all = read(whole.clone()).posts;
        let (mut n_kept, mut n_errors) = (0, 0);
        for cut in (0..whole.len()).step_by(whole.len() / 60 + 1) {
            let outcome = read(&whole[..cut]);
            n_errors += usize::from(outcome.error.is_some());
            n_kept = n_kept.max(outcome.posts.len());
            // Texts without brackets cannot tell that they were cut.
            let is_loose =
                file.ends_with(".txt") || file.ends_with(".csv") || file.ends_with(".jsonl");
            let lasts = if is_loose { 1 } else { 0 };
            for post in &outcome.posts[..outcome.posts.len().saturating_sub(lasts)] {
                // Of a long post, the whole text may be what is missing.
                let is_whole = all.iter().any(|other| other.text == post.text)
                    || post.text.contains(LONG_POST) && post.text.contains('…');
                assert!(is_whole, "{file} cut at {cut}: {:?}", post.text);
            }
            if let Some(error) = &outcome.error {
                assert!(!error.hint().is_empty(), "{file} cut at {cut}: {error}");
            }
        }
        assert!(
            n_kept > 0 || file.ends_with(".zip"),
            "{file}: nothing was kept of any cut"
        );
        let is_loose = file.ends_with(".txt")
            || file.ends_with(".csv")
            || file.ends_with(".jsonl")
            || file == "bluesky_records.json";
        assert!(
            n_errors > 20 || is_loose,
            "{file}: {n_errors} cuts were noticed"
        );
    }
}

#[test]
fn a_zip_without_its_end_gives_the_posts_that_are_there() {
    let posts: Vec<String> = (0..2000)
        .map(|i| format!("post number {i} of the cut archive"))
        .collect();
    let posts: Vec<&str> = posts.iter().map(String::as_str).collect();
    let account = br#"window.YTD.account.part0 = [{"account":{"username":"Ada_Testwell"}}]"#;
    let bytes = zipped(&[
        ("data/account.js", account),
        ("data/tweets.js", tweets(&posts).as_bytes()),
        ("data/tweets_media/1-a.jpg", &[7; 1000]),
    ]);
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let outcome = read(&bytes[..directory + 30]);
    assert_eq!(outcome.posts.len(), 2000);
    let report = outcome.report.as_ref().unwrap();
    assert!(report.notices.contains(&ImportNotice::NoDirectory));
    assert_eq!(report.account.handle.as_deref(), Some("Ada_Testwell"));
    let outcome = read(&bytes[..bytes.len() / 2]);
    assert!(
        matches!(
            outcome.error(),
            ReadError::Damaged {
                fault: Fault::CutShort,
                ..
            }
        ),
        "{:?}",
        outcome.error
    );
    assert!(outcome.posts.len() > 100, "{}", outcome.posts.len());
}

#[test]
fn a_directory_of_many_media_costs_no_memory_for_them() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::STORE);
    for i in 0..60_000 {
        zip.start_file(format!("data/tweets_media/{i}-a-picture.jpg"), options)
            .unwrap();
    }
    zip.start_file("data/tweets.js", options).unwrap();
    zip.write_all(tweets(&["the only post here"]).as_bytes())
        .unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let start = Instant::now();
    assert_eq!(read(bytes).texts(), ["the only post here"]);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn what_is_no_export_is_named() {
    type Check = fn(&ReadError) -> bool;
    let encrypted = {
        let mut bytes = zipped(&[("data/tweets.js", b"[]")]);
        for mark in [&b"PK\x01\x02"[..], b"PK\x03\x04"] {
            let at = bytes.windows(4).position(|w| w == mark).unwrap();
            let flags = at + if mark == b"PK\x01\x02" { 8 } else { 6 };
            bytes[flags] |= 1;
        }
        bytes
    };
    let cases: [(Vec<u8>, Check); 7] = [
        (b"<!DOCTYPE html><html></html>".to_vec(), |e| {
            matches!(e, ReadError::Html { .. })
        }),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), |e| {
            matches!(e, ReadError::Unknown { .. })
        }),
        (
            zipped(&[("a.docx", b"x"), ("b.js", b"x"), ("c.js", b"x")]),
            |e| matches!(e, ReadError::NoPostFile { n_entries: 3, .. }),
        ),
        (encrypted, |e| matches!(e, ReadError::Encrypted { .. })),
        (b"PK\x05\x06 and nothing more".to_vec(), |e| {
            matches!(e, ReadError::Archive { .. })
        }),
        (b"\x1f\x8b\x08\0garbage that is no deflate".to_vec(), |e| {
            matches!(e, ReadError::Damaged { .. })
        }),
        (
            b"window.YTD.tweets.part0 = [{\"tweet\":{\"full_text\":\"a b c\"}},oops]".to_vec(),
            |e| matches!(e, ReadError::Json { .. }),
        ),
    ];
    for (bytes, check) in cases {
        let outcome = read(bytes);
        assert!(check(outcome.error()), "{:?}", outcome.error);
    }
    let table = read(b"name,age\nada,7\n".to_vec());
    assert_eq!(table.texts(), ["name,age", "ada,7"]);
}

#[test]
fn elements_of_other_shapes_are_counted_and_left_out() {
    let json = r#"[{"full_text":"one two three"},7,null,{"full_text":5},{},{"full_text":null},{"full_text":"four five six"}]"#;
    let outcome = read(json);
    assert_eq!(outcome.texts(), ["one two three", "four five six"]);
    assert_eq!(outcome.report.unwrap().unreadable, 5);
}

#[test]
fn a_repository_with_a_broken_tree_gives_what_is_in_order() {
    let whole = export("repo.car");
    let texts = |outcome: &Outcome| {
        outcome
            .texts()
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let all = texts(&read(whole.clone()));
    for at in (0..whole.len()).step_by(97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        let outcome = read(bytes);
        assert!(outcome.posts.len() <= all.len() + 1, "byte {at}");
    }
}

#[test]
fn exports_with_changed_bytes_do_no_harm() {
    let expected = export("expected.json");
    let expected: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&expected).unwrap();
    let mut random = PythonRandom::new(7);
    let mut below = |n: usize| random.next_u32() as usize % n.max(1);
    for file in expected.keys() {
        let whole = export(file);
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..=below(4) {
                let at = below(bytes.len());
                let end = (at + below(16)).min(bytes.len());
                match below(5) {
                    0 => bytes.truncate(at),
                    1 => drop(bytes.drain(at..end)),
                    2 => {
                        let again = bytes[at..end].to_vec();
                        bytes.splice(at..at, again);
                    }
                    3 => bytes.splice(at..end, [0xff; 8]).for_each(drop),
                    _ if at < bytes.len() => bytes[at] ^= 1 << below(8),
                    _ => {}
                }
            }
            let outcome = read(bytes);
            if outcome.error.is_some() {
                outcome.error();
            }
        }
    }
}
