//! What the maker does with what its worker tells.

use maker::survey::Survey;

use super::*;
use crate::bot::Bot;
use crate::card::Label;

fn account(handle: &str, kept: u64, characters: u64) -> AccountView {
    let counts = Counts {
        downloaded: kept + 3,
        retweets: 2,
        short: 1,
        kept,
        characters,
        ..Counts::default()
    };
    AccountView {
        name: String::new(),
        handle: handle.to_owned(),
        picture: None,
        source: "a table".to_owned(),
        volume: counts.volume(),
        counts,
        survey: Survey::default(),
        opened: Vec::new(),
        notices: Vec::new(),
        community_files: Vec::new(),
        is_cut: false,
    }
}

fn with(accounts: Vec<AccountView>) -> MakerState {
    let mut state = MakerState::new(7);
    state.hear(Event::Changed {
        bot: BotView {
            accounts,
            ..BotView::default()
        },
    });
    state
}

#[test]
fn an_opened_bot_is_judged_before_its_posts_are_listed() {
    let mut state = MakerState::new(7);
    state.open("a", 7);
    let bot = BotView {
        accounts: vec![account("zoe", 900, 50_000)],
        ..BotView::default()
    };
    let opened = Event::Opened {
        name: "a".to_owned(),
        is_kept: true,
        is_damaged: false,
        bot: bot.clone(),
    };
    assert_eq!(state.hear(opened), []);
    assert!(state.obstacle().is_some_and(|it| it.contains("still")));
    assert_eq!(state.hear(Event::Changed { bot }), [state.list.request()]);
    assert_eq!(state.running, None);
}

#[test]
fn what_is_done_before_the_first_bot_is_open_stays_and_what_belongs_to_another_bot_goes() {
    let opened = |name: &str| Event::Opened {
        name: name.to_owned(),
        is_kept: false,
        is_damaged: false,
        bot: BotView::default(),
    };
    let failure = Failure {
        message: "the host did not answer".to_owned(),
        hint: "try again".to_owned(),
        posts: 0,
    };
    let mut state = MakerState::new(7);
    state.open("a", 7);
    state.failure = Some(failure.clone());
    state.consent = Some(Consent::Own);
    state.hear(opened("a"));
    assert_eq!(state.failure, Some(failure));
    assert_eq!(state.consent, Some(Consent::Own));
    state.begin();
    state.hear(opened("a"));
    assert_eq!(state.running, Some(Running::begun(LongTask::Read)));

    state.consent = Some(Consent::Own);
    state.open("b", 8);
    state.hear(opened("a"));
    assert!(state.is_kept);
    state.hear(opened("b"));
    assert!(!state.is_kept);
    assert_eq!((state.running, state.consent), (None, None));
    assert_eq!(state.params.seed, 8);
}

#[test]
fn a_cyborg_has_sorted_handles_and_names_in_the_order_of_import() {
    let state = with(vec![
        account("zoe", 900, 50_000),
        account("abe", 900, 50_000),
    ]);
    let bot = state.card_bot().unwrap_or_else(|| panic!("{state:?}"));
    assert_eq!(bot.repo, "this-device/abe-zoe");
    assert_eq!(bot.card.names, ["zoe", "abe"]);
    assert_eq!(bot.card.label, Label::Cyborg);
    let table = &bot.card.table[0];
    assert_eq!(table.kept, table.downloaded - table.retweets - table.short);
    assert_eq!(MakerState::default().card_bot(), None);
}

#[test]
fn the_card_that_is_written_reads_as_the_bot_that_is_shown() {
    let state = with(vec![account("zoe", 900, 50_000)]);
    let text = state.card_text("2026-01-31");
    let text = text.unwrap_or_else(|error| panic!("{error}"));
    let read = Bot::from_readme("this-device/zoe", &text);
    let read = read.unwrap_or_else(|| panic!("{text}"));
    let shown = state.card_bot().unwrap_or_else(|| panic!("{state:?}"));
    assert_eq!(
        (read.card.names, read.card.table),
        (shown.card.names, shown.card.table)
    );
}

#[test]
fn a_training_text_needs_posts_enough_of_them_and_an_answer() {
    let mut state = with(Vec::new());
    assert_eq!(state.obstacle().as_deref(), Some("Import posts first."));
    state = with(vec![account("zoe", 10, 100)]);
    let words = state.obstacle().unwrap_or_default();
    assert!(
        words.contains("too few") && words.contains("6,000"),
        "{words}"
    );
    state = with(vec![account("zoe", 900, 50_000)]);
    assert!(state.obstacle().unwrap_or_default().contains("whose"));
    state.consent = Some(Consent::Own);
    assert_eq!(state.obstacle(), None);
    state.begin();
    assert!(state.obstacle().unwrap_or_default().contains("being read"));
}

#[test]
fn a_list_that_was_asked_for_before_another_is_dropped() {
    let mut state = with(vec![account("zoe", 900, 50_000)]);
    let Some(Request::List(old)) = state.list(|list| list.search = "a".to_owned()).pop() else {
        panic!("no request")
    };
    state.list(|list| list.search = "ab".to_owned());
    state.hear(Event::Listed {
        listing: old,
        found: 9,
        posts: Vec::new(),
    });
    assert_eq!(state.list.found, 0);
}

#[test]
fn a_failure_is_told_until_the_visitor_has_done_something_about_it() {
    let bot = |handles: &[&str]| BotView {
        accounts: handles.iter().map(|it| account(it, 900, 50_000)).collect(),
        ..BotView::default()
    };
    let failed = || {
        let mut state = with(bot(&["zoe"]).accounts);
        state.hear(Event::Failed {
            message: "the file ends early".to_owned(),
            hint: "download it again".to_owned(),
            posts: 3,
        });
        state
    };
    let is_told_after = |handles: &[&str]| {
        let mut state = failed();
        state.hear(Event::Changed { bot: bot(handles) });
        state.failure.is_some()
    };
    // What was read before stays, and is surveyed.
    assert!(is_told_after(&["zoe"]) && is_told_after(&["zoe", "abe"]));
    assert!(!is_told_after(&[]) && !is_told_after(&["abe"]));
}

#[test]
fn a_damaged_bot_is_told_and_another_one_is_not_damaged() {
    let opened = |name: &str, is_damaged| Event::Opened {
        name: name.to_owned(),
        is_kept: true,
        is_damaged,
        bot: BotView::default(),
    };
    let mut state = MakerState::new(7);
    state.open("a", 7);
    state.hear(opened("a", true));
    assert!(state.is_damaged);
    state.open("b", 8);
    assert!(!state.is_damaged);
    state.hear(opened("b", false));
    assert!(!state.is_damaged);
}
