//! Texts for comparing tokenizers, put together at random.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Words, marks, spaces, and the tokens that the fixtures' families add.
const PARTS: [&str; 54] = [
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\u{200d}",
    "a",
    "Z",
    "hello",
    "World",
    "dream",
    "low",
    "ING",
    "é",
    "e\u{301}",
    "ß",
    "İ",
    "ﬁ",
    "土",
    "今天",
    "です",
    "1",
    "18",
    "½",
    "Ⅷ",
    "'",
    "'s",
    "'ll",
    "'RE",
    "’t",
    "!",
    "...",
    "🌸",
    "👍🏽",
    "🇯",
    "_",
    "<|user|>",
    "<mask>",
    "<sep>",
    "xqbot",
    "<|endoftext|>",
    "[SEP]",
    "</s>",
    "<s>",
    "<|start|>",
    "<pad>",
    "il\u{d6}veyou",
    "<unk>",
    "ab",
];

/// `n` texts of up to 13 parts.
pub fn random_texts(n: usize, seed: u64) -> Vec<String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |n: usize| random.next_u32() as usize % n;
    (0..n)
        .map(|_| (0..below(14)).map(|_| PARTS[below(PARTS.len())]).collect())
        .collect()
}
