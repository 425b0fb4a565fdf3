//! The training text against its reference in Python, `reference/dataset.py`.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::collections::BTreeMap;

use posts::clean::clean;
use posts::dataset::{self, DatasetParams, SEPARATOR};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<Text>,
}

#[derive(Debug, Deserialize)]
struct Text {
    seed: u64,
    epochs: u32,
    posts: Vec<usize>,
    sha256: String,
}

/// The accounts of `dataset.py`.
fn accounts(sizes: &[usize]) -> Vec<Vec<String>> {
    let account = |(i, n): (usize, &usize)| {
        let posts = support::generated(i as u64 + 1, *n);
        let posts = posts.iter().map(|text| clean(text));
        posts
            .map(|text| {
                if text.is_empty() {
                    "a b c".to_owned()
                } else {
                    text
                }
            })
            .collect()
    };
    sizes.iter().enumerate().map(account).collect()
}

fn text(accounts: &[Vec<String>], seed: u64, epochs: u32) -> String {
    let params = DatasetParams {
        seed,
        epochs,
        ..DatasetParams::default()
    };
    let order = dataset::order(accounts, &params);
    let mut bytes = Vec::new();
    let written = dataset::write_text(accounts, &order.train, &mut bytes).unwrap();
    assert_eq!(written.sha256, support::sha256(&bytes));
    assert_eq!(written.size_bytes, bytes.len() as u64);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(written.characters, text.chars().count() as u64);
    text
}

#[test]
fn texts_of_one_to_three_accounts_are_those_of_python() {
    let fixture: Fixture = support::fixture("dataset.json");
    let cyborgs = fixture.texts.iter().filter(|text| text.posts.len() > 1);
    assert!(cyborgs.count() >= 3);
    for case in fixture.texts {
        let text = text(&accounts(&case.posts), case.seed, case.epochs);
        assert_eq!(support::sha256(text.as_bytes()), case.sha256, "{case:?}");
    }
}

#[test]
fn a_text_of_three_accounts_is_that_of_python_itself() {
    let args = ["314159", "4", "40", "700", "130"].map(str::to_owned);
    if let Some(expected) = support::python("dataset.py", &args) {
        let got = text(&accounts(&[40, 700, 130]), 314_159, 4);
        let posts = |text: &str| text.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>();
        for (i, (got, expected)) in posts(&got).iter().zip(&posts(&expected)).enumerate() {
            assert_eq!(got, expected, "post {i}");
        }
        assert_eq!(got.len(), expected.len());
    }
}

#[test]
fn the_smaller_accounts_grow_to_the_largest_once_and_stay() {
    let accounts = accounts(&[30, 500]);
    let length =
        |place: &dataset::Place| accounts[place.0 as usize][place.1 as usize].chars().count();
    let params = DatasetParams::default();
    let order = dataset::order(&accounts, &params);
    let whole: usize = accounts[1].iter().map(|post| post.chars().count()).sum();
    let longest = accounts[0]
        .iter()
        .map(|post| post.chars().count())
        .max()
        .unwrap();
    let blocks: Vec<&[dataset::Place]> = order.train.chunk_by(|a, b| a.0 == b.0).collect();
    let block_accounts: Vec<u32> = blocks.iter().map(|block| block[0].0).collect();
    assert_eq!(block_accounts, [0, 1, 0, 1, 0, 1, 0, 1]);
    let counts = |block: &[dataset::Place]| {
        let mut counts = BTreeMap::new();
        block
            .iter()
            .for_each(|place| *counts.entry(*place).or_insert(0) += 1);
        counts
    };
    for epoch in blocks.chunks(2) {
        let small: usize = epoch[0].iter().map(length).sum();
        assert!(
            (whole..whole + longest).contains(&small),
            "{small} of {whole}"
        );
        assert_eq!(epoch[1].iter().map(length).sum::<usize>(), whole);
        assert_eq!(counts(epoch[0]), counts(blocks[0]));
    }
    assert_ne!(blocks[0], blocks[2]);
}
