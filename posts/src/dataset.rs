//! The training text of huggingtweets 0.6: shuffled copies of the kept posts, one per epoch, each post between
//! `<|endoftext|>`.
//!
//! With two or three accounts the smaller ones repeat posts until each has about as many characters as the largest. The
//! order follows from the seed alone, by Python's generator, so a logged seed gives the original text again.

use std::io::{self, Write};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::python;
use crate::random::PythonRandom;

/// What stands before, between and after the posts.
pub const SEPARATOR: &str = "<|endoftext|>";

/// Numbers of copies that the maker offers and takes.
pub const EPOCHS: RangeInclusive<u32> = 1..=20;
/// Shares of posts kept apart that the maker offers and takes.
pub const VALIDATION: RangeInclusive<f64> = 0.0..=0.5;

/// How the text is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DatasetParams {
    /// The seed of the shuffles; the original drew one below 2³².
    pub seed: u64,
    /// Copies of the posts, at least 1.
    pub epochs: u32,
    /// The share of each account's posts kept apart to see over-fitting, from 0 to below 1. The original's bots had none.
    pub validation: f64,
}

impl DatasetParams {
    /// Whether the copies are among [`EPOCHS`] and the share is among [`VALIDATION`]. Memory grows with the copies, so
    /// parameters of strangers are asked before a text is made.
    #[must_use]
    pub fn is_within_limits(&self) -> bool {
        EPOCHS.contains(&self.epochs) && VALIDATION.contains(&self.validation)
    }
}

impl Default for DatasetParams {
    fn default() -> Self {
        Self {
            seed: 0,
            epochs: 4,
            validation: 0.0,
        }
    }
}

/// A post of the text: the index of its account and its index among the account's posts.
pub type Place = (u32, u32);

/// The order of the posts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// The training text's posts, all epochs.
    pub train: Vec<Place>,
    /// The posts kept apart, once each; none by default.
    pub validation: Vec<Place>,
}

/// The order in which the posts of `accounts` stand in the text.
///
/// `accounts`: the kept posts of each account in the order of input.
///
/// For every epoch and account: shuffle, repeat posts up to the largest account's number of code points, shuffle again.
/// Repeated posts stay for the later epochs, as they did in the original, so only the first epoch adds any.
#[must_use]
pub fn order<S: AsRef<str>>(accounts: &[Vec<S>], params: &DatasetParams) -> Order {
    let mut random = PythonRandom::new(params.seed);
    let index = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    let mut order = Order::default();
    // Index and length of each post, per account.
    let mut pools: Vec<Vec<(u32, u64)>> = accounts
        .iter()
        .map(|posts| {
            let lengths = posts.iter().map(|post| python::len(post.as_ref()) as u64);
            lengths
                .enumerate()
                .map(|(i, len)| (index(i), len))
                .collect()
        })
        .collect();
    if params.validation > 0.0 {
        for (account, pool) in pools.iter_mut().enumerate() {
            random.shuffle(pool);
            let apart = pool.split_off(n_train(pool.len(), params.validation));
            order
                .validation
                .extend(apart.iter().map(|(post, _)| (index(account), *post)));
        }
    }
    let total = |pool: &Vec<(u32, u64)>| pool.iter().map(|(_, len)| len).sum::<u64>();
    let target = pools.iter().map(total).max().unwrap_or_default();
    for _ in 0..params.epochs {
        for (account, pool) in pools.iter_mut().enumerate() {
            random.shuffle(pool);
            let mut characters = total(pool);
            let mut next = 0;
            // An account without any text cannot grow.
            while characters > 0 && characters < target {
                let (post, len) = pool[next];
                pool.push((post, len));
                characters += len;
                next += 1;
            }
            random.shuffle(pool);
            order
                .train
                .extend(pool.iter().map(|(post, _)| (index(account), *post)));
        }
    }
    order
}

/// The posts of `n` that stay for training: `int((1 - validation) * n)`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a number of posts; Python computes it the same way"
)]
fn n_train(n: usize, validation: f64) -> usize {
    (((1.0 - validation) * n as f64) as usize).min(n)
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Posts in the text, repetitions included.
    pub posts: u64,
    /// Code points.
    pub characters: u64,
    /// Bytes of UTF-8.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
}

/// Writes the posts of `order`: [`SEPARATOR`] before the first, between two and after the last, with nothing else.
///
/// # Errors
/// The error of `out`.
pub fn write_text<S: AsRef<str>>(
    accounts: &[Vec<S>],
    order: &[Place],
    out: &mut dyn Write,
) -> io::Result<Written> {
    let mut out = HashedText::new(out);
    out.write(SEPARATOR)?;
    for place in order {
        out.write(post_at(accounts, *place))?;
        out.write(SEPARATOR)?;
    }
    if order.is_empty() {
        // The original joined the posts between two separators.
        out.write(SEPARATOR)?;
    }
    out.finish(order.len())
}

/// Writes the posts of `order` as a JSON array of strings.
///
/// # Errors
/// The error of `out`.
pub fn write_json<S: AsRef<str>>(
    accounts: &[Vec<S>],
    order: &[Place],
    out: &mut dyn Write,
) -> io::Result<Written> {
    let mut out = HashedText::new(out);
    let mut before = "[";
    for place in order {
        out.write(before)?;
        out.write(&serde_json::to_string(post_at(accounts, *place))?)?;
        before = ",\n";
    }
    out.write(if order.is_empty() { "[]" } else { "]\n" })?;
    out.finish(order.len())
}

/// Writes the posts of each account as an array of strings, in an array: the artifact `raw-dataset`.
///
/// # Errors
/// The error of `out`.
pub fn write_raw<S: AsRef<str>>(accounts: &[Vec<S>], out: &mut dyn Write) -> io::Result<Written> {
    let mut out = HashedText::new(out);
    out.write("[")?;
    for (i, posts) in accounts.iter().enumerate() {
        out.write(if i == 0 { "[" } else { ",\n[" })?;
        for (j, post) in posts.iter().enumerate() {
            out.write(if j == 0 { "" } else { ",\n" })?;
            out.write(&serde_json::to_string(post.as_ref())?)?;
        }
        out.write("]")?;
    }
    out.write("]\n")?;
    out.finish(accounts.iter().map(Vec::len).sum())
}

fn post_at<S: AsRef<str>>(accounts: &[Vec<S>], (account, post): Place) -> &str {
    accounts[account as usize][post as usize].as_ref()
}

/// The file name of the training text of accounts with these handles.
#[must_use]
pub fn file_name<S: AsRef<str>>(handles: &[S]) -> String {
    format!("data_{}_train.txt", joined_handles(handles))
}

/// The handles in order of the alphabet, joined by `-`: the name of a bot.
#[must_use]
pub fn joined_handles<S: AsRef<str>>(handles: &[S]) -> String {
    let mut sorted: Vec<&str> = handles.iter().map(AsRef::as_ref).collect();
    sorted.sort_unstable();
    sorted.join("-")
}

/// Hashes and counts what it passes on.
struct HashedText<'a> {
    out: &'a mut dyn Write,
    sha256: Sha256,
    characters: u64,
    size_bytes: u64,
}

impl<'a> HashedText<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            sha256: Sha256::new(),
            characters: 0,
            size_bytes: 0,
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.sha256.update(text.as_bytes());
        self.characters += python::len(text) as u64;
        self.size_bytes += text.len() as u64;
        Ok(())
    }

    fn finish(self, posts: usize) -> io::Result<Written> {
        self.out.flush()?;
        Ok(Written {
            posts: posts as u64,
            characters: self.characters,
            size_bytes: self.size_bytes,
            sha256: base16ct::lower::encode_string(&self.sha256.finalize()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(accounts: &[Vec<&str>], order: &[Place]) -> (String, Written) {
        let mut bytes = Vec::new();
        let written = write_text(accounts, order, &mut bytes).unwrap_or_else(|e| panic!("{e}"));
        (String::from_utf8_lossy(&bytes).into_owned(), written)
    }

    #[test]
    fn the_text_is_the_posts_between_separators() {
        let accounts = [vec!["a é", "b"]];
        let (text_, written) = text(&accounts, &[(0, 1), (0, 0)]);
        assert_eq!(text_, "<|endoftext|>b<|endoftext|>a é<|endoftext|>");
        assert_eq!(
            (written.posts, written.characters, written.size_bytes),
            (2, 43, 44)
        );
        assert_eq!(text(&accounts, &[]).0, "<|endoftext|><|endoftext|>");
    }

    #[test]
    fn json_is_the_same_posts() {
        let accounts = [vec!["a \"é\"", "b\\"], vec![]];
        let mut bytes = Vec::new();
        write_json(&accounts, &[(0, 1), (0, 0)], &mut bytes).unwrap_or_else(|e| panic!("{e}"));
        let posts: Vec<String> = serde_json::from_slice(&bytes).unwrap_or_default();
        assert_eq!(posts, ["b\\", "a \"é\""]);
        let mut bytes = Vec::new();
        write_raw(&accounts, &mut bytes).unwrap_or_else(|e| panic!("{e}"));
        let raw: Vec<Vec<String>> = serde_json::from_slice(&bytes).unwrap_or_default();
        assert_eq!(raw, accounts);
    }

    #[test]
    fn posts_kept_apart_are_not_trained_on() {
        let posts: Vec<String> = (0..101).map(|i| format!("post {i}")).collect();
        let params = DatasetParams {
            validation: 0.1,
            epochs: 1,
            ..DatasetParams::default()
        };
        let order = order(&[posts], &params);
        assert_eq!((order.train.len(), order.validation.len()), (90, 11));
        assert!(
            order
                .validation
                .iter()
                .all(|place| !order.train.contains(place))
        );
    }

    #[test]
    fn parameters_beyond_the_limits_are_told() {
        let with = |epochs, validation| DatasetParams {
            epochs,
            validation,
            ..DatasetParams::default()
        };
        assert!(DatasetParams::default().is_within_limits());
        assert!(with(1, 0.0).is_within_limits() && with(20, 0.5).is_within_limits());
        for (epochs, validation) in [
            (0, 0.0),
            (21, 0.0),
            (u32::MAX, 0.0),
            (4, 0.51),
            (4, -0.01),
            (4, f64::NAN),
            (4, f64::INFINITY),
        ] {
            let params = with(epochs, validation);
            assert!(!params.is_within_limits(), "{params:?}");
        }
    }

    #[test]
    fn an_account_without_text_does_not_hang() {
        let accounts = [vec!["", ""], vec!["some text"], vec![]];
        let order = order(&accounts, &DatasetParams::default());
        assert_eq!(order.train.len(), 4 * 3);
    }

    #[test]
    fn files_and_bots_are_named_by_sorted_handles() {
        assert_eq!(file_name(&["b", "a"]), "data_a-b_train.txt");
    }
}
