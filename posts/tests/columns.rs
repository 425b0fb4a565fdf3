//! Accounts that have exactly the posts of the five published cards come out with the cards' nine columns.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::Cursor;
use std::ops::ControlFlow;

use posts::archive::{Import, ImportOptions, Step};
use posts::clean::Cleaner;
use posts::counts::Counts;
use posts::random::PythonRandom;

/// Downloaded, retweets, short and kept, of the cards of jen_122, empressrandom, snackmerritt,
/// kr00ney-nerdwallet-producthunt and goando-tsuchinao83-za09313103.
const COLUMNS: [[u64; 4]; 9] = [
    [3206, 1337, 137, 1732],
    [3250, 29, 34, 3187],
    [3244, 388, 548, 2308],
    [3250, 92, 234, 2924],
    [2622, 896, 125, 1601],
    [3234, 713, 22, 2499],
    [3236, 1577, 914, 745],
    [3250, 97, 1729, 1424],
    [798, 34, 458, 306],
];

const RETWEETS: [&str; 2] = [
    "RT @a_1: one two three",
    "RT @someone: a cut joke about\\nkites…",
];
const SHORT: [&str; 6] = [
    "https://t.co/abcdefghij",
    "so true https://t.co/abcdefghij",
    "@somebody @else thanks man",
    "今日はとても良い天気ですね https://t.co/abcdefghij",
    "#one #two #three #four",
    "",
];
const KEPT: [&str; 6] = [
    "three words here",
    "@somebody I will be there soon",
    "RT by hand is none",
    "今日は とても 良い",
    "RT @ name: with a space after the sign",
    "one &amp; two\\nhttps://t.co/abcdefghij",
];

/// An archive's posts with this column, in an order drawn from `seed`.
fn tweets(seed: u64, [_, retweets, short, kept]: [u64; 4]) -> String {
    let of = |texts: &[&'static str], n: u64| {
        let texts = texts.to_vec();
        (0..n).map(move |i| texts[usize::try_from(i).unwrap() % texts.len()])
    };
    let all = of(&RETWEETS, retweets)
        .chain(of(&SHORT, short))
        .chain(of(&KEPT, kept));
    let mut all: Vec<&str> = all.collect();
    PythonRandom::new(seed).shuffle(&mut all);
    let records = all.iter().enumerate().map(|(i, text)| {
        format!(r#"{{"tweet":{{"id_str":"{i}","retweeted":false,"full_text":"{text}"}}}}"#)
    });
    format!(
        "window.YTD.tweets.part0 = [{}]",
        records.collect::<Vec<_>>().join(",\n")
    )
}

#[test]
fn the_nine_columns_of_the_published_cards_come_out() {
    for (seed, column) in (1..).zip(COLUMNS) {
        let file = Box::new(Cursor::new(tweets(seed, column).into_bytes()));
        let mut import = Import::open(file, "tweets.js", ImportOptions::default()).unwrap();
        let (mut cleaner, mut counts) = (Cleaner::default(), Counts::default());
        while import
            .step(100_000, &mut |post| {
                counts.add(&cleaner.judge(&post));
                ControlFlow::Continue(())
            })
            .unwrap()
            == Step::More
        {}
        let got = [
            counts.downloaded,
            counts.retweets,
            counts.short,
            counts.kept,
        ];
        assert_eq!(got, column);
        assert_eq!(import.report().unreadable, 0);
    }
}
