//! Exports of every kind and age, made by `reference/make_exports.py`, against what that script says is in them.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;

use posts::archive::{Import, ImportOptions, Kind, Report, Step};
use posts::clean::{Cleaner, Verdict};
use posts::counts::Counts;
use posts::post::{Avatar, Post, Reply, normal_handle};
use serde::Deserialize;

/// What must be read from an export.
#[derive(Debug, Deserialize)]
struct Expected {
    kind: Kind,
    handle: Option<String>,
    name: Option<String>,
    downloaded: u64,
    retweets: u64,
    short: u64,
    kept: u64,
    tweets: Vec<String>,
    opened: Option<Vec<String>>,
    #[serde(default)]
    superseded: u64,
    #[serde(default)]
    joined: u64,
    #[serde(default)]
    not_public: u64,
    /// In Base64.
    avatar: Option<String>,
    avatar_address: Option<String>,
    community: Option<String>,
}

fn exports() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/exports")
}

fn expected() -> BTreeMap<String, Expected> {
    let bytes = std::fs::read(exports().join("expected.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn export(name: &str) -> Vec<u8> {
    std::fs::read(exports().join(name)).unwrap()
}

/// All posts of an export, read by steps of `budget` bytes.
fn read(bytes: Vec<u8>, options: ImportOptions, budget: u64) -> (Vec<Post>, Report) {
    let mut import = Import::open(Box::new(Cursor::new(bytes)), "a file", options).unwrap();
    let mut posts = Vec::new();
    let mut before = 0;
    loop {
        let step = import.step(budget, &mut |post| {
            posts.push(post);
            ControlFlow::Continue(())
        });
        let progress = import.progress();
        assert!(
            progress.bytes >= before && progress.bytes <= progress.of_bytes,
            "{progress:?}"
        );
        assert_eq!(progress.posts, posts.len() as u64);
        before = progress.bytes;
        match step.unwrap() {
            Step::More => {}
            Step::Done => return (posts, import.into_report()),
            Step::Stopped => panic!("nobody stopped it"),
        }
    }
}

fn cleaned(posts: &[Post]) -> (Counts, Vec<String>) {
    let mut cleaner = Cleaner::default();
    let mut counts = Counts::default();
    let mut kept = Vec::new();
    for post in posts {
        let verdict = cleaner.judge(post);
        counts.add(&verdict);
        if let Verdict::Kept { text, .. } = verdict {
            kept.push(text);
        }
    }
    (counts, kept)
}

#[test]
fn every_kind_of_export_is_read_in_small_steps_and_in_large_ones() {
    let expected = expected();
    assert!(expected.len() >= 24, "{}", expected.len());
    for (file, expected) in expected {
        for budget in [1, 700, u64::MAX] {
            let (posts, report) = read(export(&file), ImportOptions::default(), budget);
            let (counts, kept) = cleaned(&posts);
            assert_eq!(report.kind, expected.kind, "{file}");
            assert_eq!(kept, expected.tweets, "{file}");
            let got = [
                counts.downloaded,
                counts.retweets,
                counts.short,
                counts.kept,
            ];
            let rows = [
                expected.downloaded,
                expected.retweets,
                expected.short,
                expected.kept,
            ];
            assert_eq!(got, rows, "{file}");
            let handle = report.account.handle.as_deref().map(normal_handle);
            assert_eq!(handle, expected.handle, "{file}");
            assert_eq!(report.account.name, expected.name, "{file}");
            assert_eq!(report.superseded, expected.superseded, "{file}");
            assert_eq!(report.joined, expected.joined, "{file}");
            assert_eq!(report.not_public, expected.not_public, "{file}");
            assert_eq!(report.unreadable, 0, "{file}");
            assert_eq!(report.notices, [], "{file}");
            if let Some(opened) = &expected.opened {
                assert_eq!(&report.opened, opened, "{file}");
            }
            match (
                &report.account.avatar,
                &expected.avatar,
                &expected.avatar_address,
            ) {
                (None, None, None) => {}
                (Some(Avatar::Bytes { bytes, .. }), Some(_), None) => {
                    // The blue square of the script.
                    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{file}");
                    assert_eq!(bytes.len(), 74, "{file}");
                }
                (Some(Avatar::Address(got)), None, Some(expected)) => {
                    assert_eq!(got, expected, "{file}")
                }
                other => panic!("{file}: {other:?}"),
            }
        }
    }
}

#[test]
fn community_posts_are_offered_apart() {
    let with = ImportOptions {
        community_posts: true,
    };
    let mut n_files = 0;
    for (file, expected) in expected() {
        let (posts, report) = read(export(&file), ImportOptions::default(), u64::MAX);
        let (more, _) = read(export(&file), with, u64::MAX);
        assert_eq!(
            report.community_files.is_empty(),
            expected.community.is_none(),
            "{file}"
        );
        let texts = |posts: &[Post]| {
            posts
                .iter()
                .map(|post| post.text.clone())
                .collect::<Vec<_>>()
        };
        let mut added = texts(&more);
        added.retain(|text| !texts(&posts).contains(text));
        assert_eq!(added, Vec::from_iter(expected.community.clone()), "{file}");
        n_files += usize::from(expected.community.is_some());
    }
    assert!(n_files >= 2);
}

#[test]
fn replies_threads_quotes_dates_and_languages_are_told() {
    for file in ["x_2023.zip", "x_2020.zip", "archive.json"] {
        let (posts, _) = read(export(file), ImportOptions::default(), u64::MAX);
        let with = |beginning: &str| {
            let mut found = posts.iter().filter(|post| post.text.starts_with(beginning));
            found
                .next()
                .unwrap_or_else(|| panic!("{file}: {beginning}"))
                .clone()
        };
        assert_eq!(with("@some_one thanks").reply, Reply::ToOther, "{file}");
        assert_eq!(with("and part two").reply, Reply::ToSelf, "{file}");
        assert_eq!(with("Good morning").reply, Reply::No, "{file}");
        assert!(with("look at this one").is_quote, "{file}");
        assert!(!with("nice ").is_quote, "{file}");
        assert_eq!(with("Good morning").time, Some(1_622_505_600), "{file}");
        assert_eq!(with("今日は").lang.as_deref(), Some("ja"), "{file}");
    }
    for file in ["bluesky_records.json", "bluesky_feed.json", "repo.car"] {
        let (posts, _) = read(export(file), ImportOptions::default(), u64::MAX);
        let n = |is: fn(&Post) -> bool| posts.iter().filter(|post| is(post)).count();
        assert_eq!(n(|post| post.reply == Reply::ToSelf), 1, "{file}");
        assert_eq!(n(|post| post.reply == Reply::ToOther), 1, "{file}");
        assert_eq!(n(|post| post.is_quote), 1, "{file}");
        assert_eq!(n(|post| post.lang.as_deref() == Some("ja")), 1, "{file}");
    }
    let (posts, _) = read(export("outbox.json"), ImportOptions::default(), u64::MAX);
    let n = |is: fn(&Post) -> bool| posts.iter().filter(|post| is(post)).count();
    assert_eq!(n(|post| post.reply == Reply::ToSelf), 1);
    assert_eq!(n(|post| post.reply == Reply::ToOther), 1);
    assert_eq!(n(|post| post.is_quote), 1);
}

#[test]
fn whoever_takes_the_posts_can_stop() {
    for file in expected().keys() {
        let bytes = export(file);
        let mut import =
            Import::open(Box::new(Cursor::new(bytes)), file, ImportOptions::default()).unwrap();
        let mut n = 0;
        loop {
            let step = import.step(u64::MAX, &mut |_| {
                n += 1;
                ControlFlow::Break(())
            });
            match step.unwrap() {
                Step::More => {}
                Step::Stopped => break,
                Step::Done => panic!("{file}: it was not stopped"),
            }
        }
        assert_eq!((n, import.report().posts), (1, 1), "{file}");
    }
}
