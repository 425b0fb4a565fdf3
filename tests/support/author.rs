//! Posts of an invented author of strong habits, for claims about learning.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

const GREETINGS: [&str; 3] = ["Dear diary,", "Dear neighbours,", "Dear gulls,"];
const BIRDS: [&str; 6] = [
    "the herring gull",
    "the old heron",
    "a small wren",
    "the tern",
    "the oystercatcher",
    "one fat pigeon",
];
const DEEDS: [&str; 6] = [
    "stole my toast",
    "sat on the harbour wall",
    "looked at me twice",
    "ate a whole crab",
    "would not move",
    "sang in the rain",
];
const TIMES: [&str; 5] = [
    "this morning",
    "before breakfast",
    "at low tide",
    "all afternoon",
    "again",
];
const ENDS: [&str; 3] = [
    "Tea is at four. #harbourlife",
    "No comment. #harbourlife",
    "I remain, as ever, amused. #harbourlife",
];

/// `n` posts. The same seed gives the same posts.
pub fn posts(n: usize, seed: u64) -> Vec<String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut one_of = |of: &[&'static str]| of[random.next_u32() as usize % of.len()];
    (0..n)
        .map(|_| {
            let (greeting, bird, deed) = (one_of(&GREETINGS), one_of(&BIRDS), one_of(&DEEDS));
            format!(
                "{greeting} {bird} {deed} {}. {}",
                one_of(&TIMES),
                one_of(&ENDS)
            )
        })
        .collect()
}
