//! A bot of exports: its counts, its lists, its text, and what is refused.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::Cursor;

use posts::archive::ImportOptions;
use posts::counts::{Counts, Volume};
use posts::dataset::DatasetParams;
use posts::record::Consent;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::message::{Class, Listing};

/// Lines of enough text for a bot, with one line that is too short.
pub fn export(author: &str, n: usize) -> String {
    let lines =
        (0..n).map(|i| format!("{author} walks in the garden number {i} again and again\n"));
    lines.collect::<String>() + "too short\n"
}

fn import(session: &mut Session, text: &str) {
    let file = Box::new(Cursor::new(text.to_owned().into_bytes()));
    let import = Import::open(file, "posts.txt", ImportOptions::default()).unwrap();
    let part = session.new_part("posts");
    session
        .import(import, part, Box::<Vec<u8>>::default())
        .unwrap();
}

pub fn finish(session: &mut Session) -> Vec<Event> {
    let mut events = Vec::new();
    while session.has_steps() {
        events.extend(session.step());
    }
    events
}

pub fn session_of(texts: &[&str]) -> Session {
    let mut session = Session::new(0);
    for text in texts {
        import(&mut session, text);
        finish(&mut session);
    }
    session
}

pub fn plan(seed: u64) -> WritePlan {
    WritePlan {
        params: DatasetParams {
            seed,
            ..DatasetParams::default()
        },
        consent: Consent::Own,
        now_ms: 1,
        run_seed: 2,
    }
}

#[test]
fn an_import_is_counted_and_surveyed() {
    let session = session_of(&[&export("Ann", 200)]);
    let view = session.view();
    let [account] = view.accounts.as_slice() else {
        panic!("{view:?}")
    };
    let Counts {
        downloaded,
        kept,
        short,
        ..
    } = account.counts;
    assert_eq!((downloaded, kept, short), (201, 200, 1));
    assert_eq!(account.volume, Volume::Little);
    assert_eq!(account.survey.words[0], ("again".to_owned(), 400));
    assert!(!account.is_cut);
}

#[test]
fn a_bot_has_three_accounts_of_different_handles_at_most() {
    let mut session = session_of(&["one two three\n", "one two three\n", "one two three\n"]);
    let handles = session.handles();
    assert_eq!(handles, ["me", "me_2", "me_3"]);
    assert!(matches!(
        session.check_room(),
        Err(SessionError::TooManyAccounts)
    ));
    assert!(matches!(
        session.rename(0, "", "@ME_2"),
        Err(SessionError::SameHandle(_))
    ));
    assert!(matches!(
        session.rename(0, "", " @ "),
        Err(SessionError::NoHandle)
    ));
    session.rename(0, " Ann ", "@Ann").unwrap();
    assert_eq!(session.view().accounts[0].name, "Ann");
    session.remove(1).unwrap();
    assert_eq!(session.handles(), ["ann", "me_3"]);
}

#[test]
fn other_switches_judge_all_posts_anew_and_take_the_training_text_back() {
    let twice = export("Ann", 200) + &export("Ann", 200);
    let mut session = session_of(&[&twice]);
    let part = session.new_part("dataset");
    session
        .write(&plan(1), part, Box::<Vec<u8>>::default())
        .unwrap();
    assert!(session.record().is_some());
    let options = CleanOptions {
        no_duplicates: true,
        ..CleanOptions::default()
    };
    session.clean(options).unwrap();
    let events = finish(&mut session);
    assert!(matches!(events.last(), Some(Event::Changed { .. })));
    let counts = session.view().accounts[0].counts;
    assert_eq!(
        (counts.kept, counts.left_out.duplicates, counts.short),
        (200, 200, 2)
    );
    assert!(session.record().is_none());
    let part = session.new_part("dataset");
    session
        .write(&plan(1), part, Box::<Vec<u8>>::default())
        .unwrap();
    let version = &session.record().unwrap().artifacts[1].version;
    assert_eq!(version, "v1");
}

#[test]
fn posts_are_found_by_class_and_text() {
    let mut session = session_of(&[&export("Ann", 200)]);
    let mut list = |class, search: &str, skip| {
        let listing = Listing {
            account: 0,
            class,
            search: search.to_owned(),
            skip,
            take: 5,
        };
        match session.list(listing).unwrap() {
            Event::Listed { found, posts, .. } => (found, posts),
            other => panic!("{other:?}"),
        }
    };
    let (found, posts) = list(Some(Class::Short), "", 0);
    assert_eq!((found, posts[0].text.as_str()), (1, "too short"));
    assert_eq!(posts[0].words, Some(2));
    let (found, posts) = list(None, "NUMBER 19", 8);
    // 19 and 190 to 199.
    assert_eq!((found, posts.len()), (11, 3));
}

/// The stored lines of the first account's posts.
fn stored(session: &mut Session) -> Vec<u8> {
    let (_, lines) = session.accounts[0].posts.block_and_lines(0).unwrap();
    lines
}

#[test]
fn posts_get_the_name_of_their_content_once_it_is_known() {
    let (ann, bob) = (export("Ann", 200), export("Bob", 100));
    let mut session = session_of(&[&ann, &bob, &ann]);
    let to_name = session.posts_to_name();
    assert_eq!(
        to_name.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
        [0, 1]
    );
    let (_, part) = &to_name[0];
    let lines = stored(&mut session);
    let sha256 = base16ct::lower::encode_string(&Sha256::digest(&lines));
    assert_eq!(
        (&*part.file, &part.sha256, part.size_bytes),
        ("posts-1", &sha256, lines.len() as u64)
    );

    session.close_posts(0).unwrap();
    session.reopen_posts(0, &sha256, Box::new(lines.clone()));
    assert_eq!(stored(&mut session), lines);
    let to_name = session.posts_to_name();
    assert_eq!(
        to_name.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
        [1]
    );
    assert_eq!(session.manifest().accounts[0].posts.file, sha256);
}

#[test]
fn posts_that_changed_on_the_disk_are_told() {
    let mut session = session_of(&[&export("Ann", 200)]);
    let (manifest, mut lines) = (session.manifest(), stored(&mut session));
    let opened = |lines: Vec<u8>| {
        let mut session = Session::open(manifest.clone(), vec![Box::new(lines)]).unwrap();
        let events = finish(&mut session);
        let failed = events.into_iter().find_map(|event| match event {
            Event::Failed { message, .. } => Some(message),
            _ => None,
        });
        (failed, session.manifest().accounts[0].posts.sha256.clone())
    };
    let sha256 = manifest.accounts[0].posts.sha256.clone();
    assert_eq!(opened(lines.clone()), (None, sha256.clone()));
    let place = lines.iter().position(|byte| *byte == b'g').unwrap();
    lines[place] = b'k';
    let (failed, expected) = opened(lines);
    assert!(failed.is_some_and(|message| message.contains("@me") && message.contains("damaged")));
    assert_eq!(expected, sha256);
    let mut damaged = Session::open(manifest, vec![Box::new(vec![b'\n'])]).unwrap();
    finish(&mut damaged);
    assert_eq!(damaged.posts_to_name(), []);
}

#[test]
fn a_bot_of_an_earlier_visit_is_the_same_and_its_text_too() {
    let text = export("Ann", 200);
    let mut session = session_of(&[&text]);
    let part = session.new_part("dataset");
    session
        .write(&plan(7), part, Box::<Vec<u8>>::default())
        .unwrap();
    let (before, bytes) = (session.view(), session.text().unwrap());
    assert!(bytes.starts_with(b"<|endoftext|>Ann walks"));
    let manifest = session.manifest();
    assert_eq!(
        manifest.dataset.as_ref().unwrap().size_bytes,
        bytes.len() as u64
    );

    let lines = stored(&mut session);
    let json = serde_json::to_vec(&manifest).unwrap();
    let manifest = Manifest::read(&json).unwrap();
    let mut again = Session::open(manifest, vec![Box::new(lines)]).unwrap();
    finish(&mut again);
    assert_eq!(again.view(), before);
    assert_eq!(again.text().unwrap(), bytes);
}

#[test]
fn too_little_text_makes_no_bot_and_says_how_much_there_is() {
    let mut session = session_of(&["one two three\n"]);
    let part = session.new_part("dataset");
    let refused = session.write(&plan(1), part, Box::<Vec<u8>>::default());
    let error = refused.unwrap_err();
    assert_eq!(
        error.to_string(),
        "@me has 13 characters of kept posts, and a bot needs 6000"
    );
    assert!(session.record().is_none());
}

#[test]
fn an_export_that_breaks_off_keeps_its_posts_and_says_so() {
    let mut session = Session::new(0);
    let json = "[{\"full_text\":\"one two three\"},{\"full_text\":\"four five six\"},{\"full";
    import(&mut session, json);
    let events = finish(&mut session);
    assert!(
        matches!(
            events[..],
            [Event::Failed { posts: 2, .. }, Event::Changed { .. }]
        ),
        "{events:?}"
    );
    let view = session.view();
    assert!(view.accounts[0].is_cut);
    assert_eq!(view.accounts[0].counts.kept, 2);
}

#[test]
fn what_is_no_export_leaves_no_account() {
    let mut session = Session::new(0);
    import(&mut session, "[{\"a\": ");
    finish(&mut session);
    assert!(session.view().accounts.is_empty());
    assert!(session.check_room().is_ok());
}
