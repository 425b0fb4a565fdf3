//! The cleaning against its reference in Python, `reference/clean.py`, over generated posts.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeMap;

use posts::clean::{MIN_WORDS, clean, counted_words};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    posts: usize,
    sha256: BTreeMap<u64, String>,
}

/// A line per post, as `clean.py` prints it.
fn lines(seed: u64, n: usize) -> String {
    let line = |text: &String| {
        let cleaned = clean(text);
        let words = counted_words(&cleaned, false);
        let verdict = if words >= MIN_WORDS { 'K' } else { 'S' };
        format!("{verdict}\t{words}\t{cleaned}\n")
    };
    support::generated(seed, n).iter().map(line).collect()
}

#[test]
fn a_hundred_thousand_posts_are_cleaned_as_in_python() {
    let fixture: Fixture = support::fixture("clean.json");
    assert!(fixture.posts * fixture.sha256.len() >= 100_000);
    for (seed, expected) in &fixture.sha256 {
        let lines = lines(*seed, fixture.posts);
        for verdict in ["K\t", "S\t"] {
            let n = lines
                .split('\n')
                .filter(|line| line.starts_with(verdict))
                .count();
            assert!(
                n > fixture.posts / 10,
                "{n} posts with {verdict:?} of seed {seed}"
            );
        }
        assert_eq!(&support::sha256(lines.as_bytes()), expected, "seed {seed}");
    }
}

#[test]
fn posts_of_another_seed_are_cleaned_as_by_python_itself() {
    let (seed, n) = (20_261_129, 20_000);
    let args = [seed.to_string(), n.to_string()];
    let Some(expected) = support::python("clean.py", &args) else {
        return;
    };
    let got = lines(seed, n);
    let posts = support::generated(seed, n);
    let pairs = got.split('\n').zip(expected.split('\n')).enumerate();
    for (i, (got, expected)) in pairs {
        assert_eq!(got, expected, "post {i}: {:?}", posts.get(i));
    }
    assert_eq!(got.len(), expected.len());
}
