//! A bot is saved as one zip and comes back from it; what is not as it was saved is refused whole.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::{Cursor, Read as _, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::tests::{Full, export, finish, plan, session_of};
use super::*;
use crate::bundle::{Bundle, BundleError};
use crate::picture;

const MANIFEST: &str = "huggingtweets-bot.json";

/// A bot of two accounts with a picture, a card and a training text.
fn cyborg() -> Session {
    let mut session = session_of(&[&export("Ann", 200), &export("Bea", 300)]);
    session.rename(0, "Ann", "@ann").unwrap();
    session.accounts[1].picture = picture::address(b"GIF89a");
    session.keep_card("# Ann & Bea".to_owned());
    let part = session.new_part("dataset");
    session
        .write(&plan(7), part, Box::<Vec<u8>>::default())
        .unwrap();
    session
}

fn restore(zip: Vec<u8>) -> (Session, Vec<Event>) {
    restore_into(zip, || Box::<Vec<u8>>::default())
}

/// Opens a saved bot whose posts go to new files.
fn restore_into(zip: Vec<u8>, new_file: impl Fn() -> Box<dyn Bytes>) -> (Session, Vec<Event>) {
    let bundle = Bundle::open(Box::new(Cursor::new(zip))).unwrap().unwrap();
    let mut session = Session::new(0);
    let n = bundle.manifest.accounts.len();
    let files = (0..n).map(|i| (format!("posts-{i}"), new_file()));
    session.restore(bundle, files.collect()).unwrap();
    let events = finish(&mut session);
    (session, events)
}

/// The zip with its files changed.
fn changed(zip: &[u8], change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut new = ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..old.len() {
        let mut file = old.by_index(i).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let name = file.name().unwrap().to_string();
        if let Some(bytes) = change(&name, bytes) {
            new.start_file(name, SimpleFileOptions::default()).unwrap();
            new.write_all(&bytes).unwrap();
        }
    }
    new.finish().unwrap().into_inner()
}

/// The zip with another manifest.
fn edited(zip: &[u8], edit: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    changed(zip, |name, bytes| {
        if name != MANIFEST {
            return Some(bytes);
        }
        let mut json = serde_json::from_slice(&bytes).unwrap();
        edit(&mut json);
        Some(serde_json::to_vec(&json).unwrap())
    })
}

#[test]
fn a_saved_bot_comes_back_with_its_posts_text_record_card_and_picture() {
    let mut before = cyborg();
    let zip = before.bundle(Vec::new()).unwrap();
    let (mut after, _) = restore(zip.clone());
    let (old, new) = (before.view(), after.view());
    assert_eq!(new.accounts, old.accounts);
    assert_eq!(new.record, old.record);
    assert_eq!(after.card, before.card);
    assert_eq!(after.text().unwrap(), before.text().unwrap());
    // Saved once more, it has the same files.
    let names = |zip: Vec<u8>| {
        let zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        zip.file_names()
            .map(|name| name.unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let again = after.bundle(Vec::new()).unwrap();
    assert_eq!(names(again), names(zip.clone()));
    assert_eq!(
        names(zip),
        [
            "posts-1.jsonl",
            "posts-2.jsonl",
            "data_ann-me_2_train.txt",
            "README.md",
            "huggingtweets-bot.json"
        ]
    );
}

#[test]
fn a_saved_bot_opens_only_where_there_is_none() {
    let mut session = cyborg();
    let zip = session.bundle(Vec::new()).unwrap();
    let bundle = Bundle::open(Box::new(Cursor::new(zip))).unwrap().unwrap();
    let refused = session.restore(bundle, Vec::new());
    assert!(matches!(refused, Err(SessionError::NotEmpty)));
    assert_eq!(session.view().accounts.len(), 2);
}

#[test]
fn other_files_are_no_saved_bots() {
    let zip = cyborg().bundle(Vec::new()).unwrap();
    let other = changed(&zip, |name, bytes| (name != MANIFEST).then_some(bytes));
    for file in [
        other,
        b"no zip".to_vec(),
        Vec::new(),
        zip[..zip.len() / 2].to_vec(),
    ] {
        assert!(Bundle::open(Box::new(Cursor::new(file))).unwrap().is_none());
    }
}

#[test]
fn a_damaged_saved_bot_is_refused_whole() {
    let zip = cyborg().bundle(Vec::new()).unwrap();
    let cases: [(&str, Vec<u8>, &str); 5] = [
        (
            "posts-2.jsonl",
            b"{\"text\":\"another\"}\n".to_vec(),
            "not as it was saved",
        ),
        (
            "posts-2.jsonl",
            b"no post\n".to_vec(),
            "a line that is no post",
        ),
        (
            "posts-2.jsonl",
            vec![b' '; 1 << 20],
            "longer than it was saved",
        ),
        ("posts-1.jsonl", Vec::new(), "not as it was saved"),
        (
            "posts-1.jsonl",
            b"{}".repeat(100_000),
            "longer than it was saved",
        ),
    ];
    for (file, content, cause) in cases {
        let zip = changed(&zip, |name, bytes| {
            Some(if name == file { content.clone() } else { bytes })
        });
        let (mut session, events) = restore(zip);
        assert!(session.view().accounts.is_empty() && !session.has_steps());
        assert_eq!(session.take_unneeded(), ["posts-0", "posts-1"]);
        let Some(Event::Failed { message, .. }) = events.last() else {
            panic!("{events:?}")
        };
        assert!(message.contains(cause), "{message}");
    }
    let without = changed(&zip, |name, bytes| {
        (name != "posts-1.jsonl").then_some(bytes)
    });
    assert!(matches!(
        restore(without).1.last(),
        Some(Event::Failed { message, .. }) if message.contains("`posts-1.jsonl` is missing")
    ));
}

#[test]
fn a_saved_bot_that_cannot_be_stored_leaves_no_account_and_no_file() {
    let zip = cyborg().bundle(Vec::new()).unwrap();
    let (mut session, events) = restore_into(zip, || Box::new(Full));
    let Some(Event::Failed { hint, .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert!(hint.contains("Storage"), "{hint}");
    assert!(session.view().accounts.is_empty() && !session.has_steps());
    assert_eq!(session.take_unneeded(), ["posts-0", "posts-1"]);
}

#[test]
fn a_manifest_of_strangers_names_no_foreign_picture_and_no_fourth_account() {
    let zip = cyborg().bundle(Vec::new()).unwrap();
    let with = |edit: fn(&mut serde_json::Value)| edited(&zip, edit);
    let (session, _) = restore(with(|json| {
        json["accounts"][0]["picture"] = "https://example.org/track.png".into();
        json["accounts"][0]["handle"] = " @ANN ".into();
    }));
    assert_eq!(session.view().accounts[0].picture, None);
    assert_eq!(session.handles(), ["ann", "me_2"]);
    for edit in [
        (|json| json["accounts"] = serde_json::json!([])) as fn(&mut serde_json::Value),
        |json| json["accounts"][1]["handle"] = "ann".into(),
        |json| json["v"] = 2.into(),
        |json| {
            let account = json["accounts"][0].clone();
            json["accounts"] = vec![account; 4].into();
        },
    ] {
        let opened = Bundle::open(Box::new(Cursor::new(with(edit))));
        assert!(matches!(opened, Err(BundleError::Damaged(_))));
    }
}

#[test]
fn a_record_of_strangers_beyond_the_limits_is_left_out_with_its_text() {
    let zip = cyborg().bundle(Vec::new()).unwrap();
    for (field, value) in [
        ("epochs", serde_json::json!(u32::MAX)),
        ("epochs", serde_json::json!(21)),
        ("epochs", serde_json::json!(0)),
        ("validation", serde_json::json!(0.9)),
        ("validation", serde_json::json!(-0.1)),
    ] {
        let (mut session, _) = restore(edited(&zip, |json| {
            json["record"]["run"]["config"]["dataset"][field] = value.clone();
        }));
        assert_eq!(session.view().record, None, "{field} {value}");
        assert!(matches!(session.text(), Err(SessionError::NoText)));
        assert_eq!(session.handles(), ["ann", "me_2"]);
    }
}

#[test]
fn the_last_version_of_strangers_has_none_after_it() {
    let zip = cyborg().bundle(Vec::new()).unwrap();
    let last = format!("v{}", u32::MAX);
    let (mut session, _) = restore(edited(&zip, |json| {
        json["record"]["artifacts"][1]["version"] = last.clone().into();
    }));
    let part = session.new_part("dataset");
    session
        .write(&plan(7), part, Box::<Vec<u8>>::default())
        .unwrap();
    assert_eq!(session.record().unwrap().artifacts[1].version, last);
}

#[test]
fn a_post_that_is_longer_in_json_than_an_element_of_an_export_comes_back() {
    let text = export("Ann", 200) + &"\u{1}".repeat(1 << 20) + " one two three\n";
    let mut before = session_of(&[&text]);
    assert!(before.manifest().size_bytes() > posts::archive::error::MAX_ELEMENT_BYTES as u64);
    let (after, _) = restore(before.bundle(Vec::new()).unwrap());
    assert_eq!(after.view().accounts, before.view().accounts);
    assert_eq!(after.view().accounts[0].counts.downloaded, 202);
}
