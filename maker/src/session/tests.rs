//! A bot of exports: its counts, its lists, its text, and what is refused.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::Cursor;

use posts::archive::ImportOptions;
use posts::counts::{Counts, Volume};
use posts::dataset::DatasetParams;
use posts::post::Post;
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
    import_into(session, text, Box::<Vec<u8>>::default());
}

fn import_into(session: &mut Session, text: &str, out: Box<dyn Bytes>) {
    let file = Box::new(Cursor::new(text.to_owned().into_bytes()));
    let import = Import::open(file, "posts.txt", ImportOptions::default()).unwrap();
    let part = session.new_part("posts");
    session.import(import, part, out).unwrap();
}

/// A file in a storage without room.
pub struct Full;

impl Bytes for Full {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn read_at(&mut self, _: u64, _: &mut [u8]) -> io::Result<()> {
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    fn len(&self) -> u64 {
        0
    }
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
    assert!(session.record().is_ok());
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
    assert!(matches!(session.record(), Err(SessionError::NoText)));
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
    assert!(session.record().is_err());
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
fn an_export_that_is_left_before_its_first_post_leaves_no_account_and_no_file() {
    let mut session = session_of(&[&export("Ann", 200)]);
    let part = session.new_part("dataset");
    session
        .write(&plan(1), part, Box::<Vec<u8>>::default())
        .unwrap();
    let before = session.view();
    let posts = stored(&mut session);
    session.take_unneeded();
    import(&mut session, &export("Bob", 100));
    // As a tab that is closed now leaves it.
    let manifest = session.manifest();
    assert_eq!(manifest.accounts.len(), 2);

    assert!(matches!(session.stop(), Some(Event::Changed { bot }) if bot == before));
    finish(&mut session);
    assert_eq!(session.view(), before);
    assert_eq!(session.take_unneeded(), ["posts-3"]);

    let mut again =
        Session::open(manifest, vec![Box::new(posts), Box::<Vec<u8>>::default()]).unwrap();
    finish(&mut again);
    assert_eq!(again.handles(), ["me"]);
    assert_eq!(again.take_unneeded(), ["posts-3"]);
}

#[test]
fn what_is_no_export_leaves_no_account() {
    let mut session = Session::new(0);
    import(&mut session, "[{\"a\": ");
    finish(&mut session);
    assert!(session.view().accounts.is_empty());
    assert!(session.check_room().is_ok());
}

#[test]
fn what_has_no_posts_leaves_no_account_and_the_others_as_they_were() {
    let mut session = session_of(&[&export("Ann", 200)]);
    let before = session.view();
    for text in ["", "\n \n", "[]", "{\"a\":1}"] {
        import(&mut session, text);
        let events = finish(&mut session);
        let [Event::Failed { message, .. }, ..] = events.as_slice() else {
            panic!("{text}: {events:?}")
        };
        assert!(message.contains("no posts") && message.contains("posts.txt"));
        assert_eq!(session.view(), before);
    }
}

#[test]
fn a_text_that_the_stored_posts_no_longer_make_is_not_given_out() {
    let mut session = session_of(&[&export("Ann", 300)]);
    let part = session.new_part("dataset");
    session
        .write(&plan(7), part, Box::<Vec<u8>>::default())
        .unwrap();
    let lines = stored(&mut session);
    let ends = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let (end, _) = ends.into_iter().nth(200).unwrap();
    let cut = Box::new(lines[..=end].to_vec());
    let mut cut = Session::open(session.manifest(), vec![cut]).unwrap();
    finish(&mut cut);
    let error = cut.text().unwrap_err();
    assert!(matches!(error, SessionError::DamagedText), "{error}");
    let part = cut.new_part("dataset");
    cut.write(&plan(7), part, Box::<Vec<u8>>::default())
        .unwrap();
    assert!(cut.text().is_ok());
}

#[test]
fn accounts_beside_one_that_cannot_be_read_are_judged_once_it_is_taken_out() {
    let (ann, bob) = (export("Ann", 200), export("Bob", 200));
    let mut before = session_of(&[&ann, &bob]);
    let manifest = before.manifest();
    let (_, good) = before.accounts[1].posts.block_and_lines(0).unwrap();
    // Enough for a bot, and for more than one step.
    let post = Post {
        text: export("Ann", 100),
        ..Post::default()
    };
    let mut damaged = serde_json::to_vec(&post).unwrap();
    damaged.push(b'\n');
    let mut damaged = damaged.repeat(300);
    damaged.extend_from_slice(b"no post\n");
    let files: Vec<Box<dyn Bytes>> = vec![Box::new(damaged), Box::new(good)];

    let mut session = Session::open(manifest, files).unwrap();
    let events = finish(&mut session);
    let Some(Event::Failed { message, hint, .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert!(message.contains("@me") && hint.contains("take the account out"));
    let listing = |account| Listing {
        account,
        class: Some(Class::Kept),
        search: String::new(),
        skip: 0,
        take: 5,
    };
    let found = |event| match event {
        Event::Listed { found, .. } => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(found(session.list(listing(1)).unwrap()), 0);
    let part = session.new_part("dataset");
    let refused = session.write(&plan(1), part, Box::<Vec<u8>>::default());
    assert!(matches!(refused, Err(SessionError::Damaged(handle)) if handle == "me"));

    session.remove(0).unwrap();
    finish(&mut session);
    assert_eq!(found(session.list(listing(0)).unwrap()), 200);
    let account = &session.view().accounts[0];
    assert_eq!((&*account.handle, account.counts.kept), ("me_2", 200));
    assert_eq!(account.survey.words[0], ("again".to_owned(), 400));
    assert!(!session.kept_texts().unwrap()[0].is_empty());
    assert_eq!(session.take_unneeded(), ["dataset-3", "posts-1"]);
}

#[test]
fn an_import_that_fails_leaves_no_file_and_the_others_are_surveyed() {
    let mut session = Session::new(0);
    import(&mut session, &export("Ann", 200));
    while session.is_busy() {
        session.step();
    }
    assert!(session.has_steps());
    import(&mut session, "[{\"a\": ");
    finish(&mut session);
    let view = session.view();
    assert_eq!(view.accounts.len(), 1);
    assert_eq!(view.accounts[0].survey.words[0].1, 400);
    assert_eq!(session.take_unneeded(), ["posts-2"]);
    assert_eq!(session.take_unneeded(), [""; 0]);
}

#[test]
fn a_text_that_was_written_stays_where_a_further_import_fails() {
    let mut session = session_of(&[&export("Ann", 200)]);
    session
        .write(&plan(1), "dataset-2".to_owned(), Box::<Vec<u8>>::default())
        .unwrap();
    let record = session.record().unwrap().clone();
    import(&mut session, "[{\"a\": ");
    // A tab that is closed meanwhile leaves a bot of more posts than the text has.
    assert!(session.manifest().record.is_none());
    finish(&mut session);
    assert_eq!(session.record().unwrap(), &record);
    for out in [Box::new(Full) as Box<dyn Bytes>, Box::<Vec<u8>>::default()] {
        assert!(session.record().is_ok());
        import_into(&mut session, &export("Bob", 200), out);
        finish(&mut session);
    }
    assert!(matches!(session.record(), Err(SessionError::NoText)));
}

#[test]
fn an_import_that_cannot_be_stored_leaves_no_account_and_no_file() {
    // Less and more than what is written at once.
    for n in [200, 40_000] {
        let mut session = session_of(&[&export("Bob", 200)]);
        import_into(&mut session, &export("Ann", n), Box::new(Full));
        let mut events = finish(&mut session);
        events.retain(|event| !matches!(event, Event::Progress { .. }));
        let [Event::Failed { posts: 0, hint, .. }] = &events[..] else {
            panic!("{events:?}")
        };
        assert!(hint.contains("Storage"), "{hint}");
        assert_eq!(session.handles(), ["me"]);
        assert_eq!(session.take_unneeded(), ["posts-2"]);
    }
}

#[test]
fn a_text_that_another_one_replaces_and_one_that_is_refused_are_not_needed() {
    let mut session = session_of(&[&export("Ann", 200)]);
    for _ in 0..2 {
        let part = session.new_part("dataset");
        session
            .write(&plan(1), part, Box::<Vec<u8>>::default())
            .unwrap();
    }
    assert_eq!(session.take_unneeded(), ["dataset-2"]);
    let mut endless = plan(1);
    endless.params.epochs = u32::MAX;
    let part = session.new_part("dataset");
    let refused = session.write(&endless, part, Box::<Vec<u8>>::default());
    let error = refused.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a training text has 1 to 20 copies of the posts, and at most 50 % of them are kept apart"
    );
    assert_eq!(session.take_unneeded(), ["dataset-4"]);
    assert_eq!(session.dataset().unwrap().file, "dataset-3");
}

#[test]
fn a_text_that_is_not_written_is_missed_and_no_account() {
    let mut session = session_of(&[&export("Ann", 200)]);
    let error = session.text().unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.hint().as_str()),
        ("the training text is not written yet", "write it first")
    );
    assert!(matches!(session.record(), Err(SessionError::NoText)));
}

#[test]
fn a_kept_record_of_more_copies_than_fit_is_none() {
    let mut session = session_of(&[&export("Ann", 200)]);
    let part = session.new_part("dataset");
    session
        .write(&plan(1), part, Box::<Vec<u8>>::default())
        .unwrap();
    let mut manifest = session.manifest();
    let record = manifest.record.as_mut().unwrap();
    record.run.config.dataset.epochs = u32::MAX;
    let lines = stored(&mut session);
    let mut again = Session::open(manifest, vec![Box::new(lines)]).unwrap();
    finish(&mut again);
    assert!(matches!(again.text(), Err(SessionError::NoText)));
}

#[test]
fn names_of_any_length_are_kept_at_the_length_that_a_saved_bot_has() {
    let mut session = Session::new(0);
    let name = "İ".repeat(400);
    import(
        &mut session,
        &format!("text,handle\n\"one two three\",@{name}\n"),
    );
    finish(&mut session);
    let entry = session.manifest().accounts.remove(0);
    assert_eq!(entry.handle, kept_name(&entry.handle));
    assert_eq!(entry.name, kept_name(&entry.name));
    assert!(entry.handle.starts_with('i') && entry.handle.chars().count() == 200);
    session.rename(0, &name, &name).unwrap();
    let entry = session.manifest().accounts.remove(0);
    assert_eq!(entry.handle.chars().count(), 200);
    assert_eq!(entry.name.chars().count(), 200);
}
