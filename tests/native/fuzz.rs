//! The targets of the fuzzer over fixtures with changed bytes, the same in each run: no panic, no hang.
//!
//! The ignored test changes each fixture more often; `fuzz/` searches for new inputs.

#[path = "../../fuzz/targets.rs"]
mod targets;

use crate::support::shared;
use std::time::{Duration, Instant};

use crate::support::checkpoints::{fixtures, quantize, tiny};
use huggingtweets::kernels::pack::WeightType;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Bytes that break parsers: ends of ranges, signs, and the marks of the formats.
const NASTY: [&[u8]; 12] = [
    &[0x00],
    &[0xff],
    &[0x7f],
    &[0x80],
    &[0xff; 4],
    &[0xff; 8],
    &[0, 0, 0, 0x80],
    b"PK\x03\x04",
    b"\"",
    b"}",
    b"-1",
    b"99999999999999999999",
];

/// The seed with some bytes replaced, inserted, removed or repeated.
fn mutated(seed: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.next_u32() % 4 {
        let below = |n: usize, random: &mut ChaCha8Rng| random.next_u32() as usize % (n + 1);
        // Headers come first: half of the changes fall into the first kilobytes.
        let reach = match random.next_u32() % 2 {
            0 => bytes.len().min(4096),
            _ => bytes.len(),
        };
        let at = below(reach, random);
        let until = (at + below(16, random)).min(bytes.len());
        match random.next_u32() % 6 {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..until)),
            2 => {
                let again = bytes[at..until].to_vec();
                bytes.splice(at..at, again);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << (random.next_u32() % 8),
            _ => {
                let nasty = NASTY[below(NASTY.len() - 1, random)];
                let end = (at + nasty.len()).min(bytes.len());
                bytes.splice(at..end, nasty.iter().copied());
            }
        }
    }
    bytes
}

/// Changed files per fixture.
const ROUNDS: usize = 300;
const NIGHTLY_ROUNDS: usize = 30_000;

/// A target of the fuzzer, and the files that are changed for it.
struct Sweep {
    target: fn(&[u8]),
    seeds: Vec<Vec<u8>>,
}

impl Sweep {
    fn run(&self, rounds: usize) {
        run(&self.seeds, self.target, rounds);
    }
}

fn run(seeds: &[Vec<u8>], target: fn(&[u8]), rounds: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut slowest = Duration::ZERO;
    for seed in seeds {
        assert!(!seed.is_empty());
        target(seed);
        for _ in 0..rounds {
            let bytes = mutated(seed, &mut random);
            let start = Instant::now();
            target(&bytes);
            slowest = slowest.max(start.elapsed());
        }
    }
    eprintln!("slowest: {} ms", slowest.as_millis());
    assert!(slowest < Duration::from_secs(60), "took {slowest:?}");
}

fn read(files: &[&str]) -> Vec<Vec<u8>> {
    let read = |file: &&str| std::fs::read(fixtures().join(file)).unwrap();
    files.iter().map(read).collect()
}

fn safetensors() -> Sweep {
    let files = [
        "tiny/model.safetensors",
        "pytorch/model.safetensors",
        "pytorch/bf16.safetensors",
    ];
    Sweep {
        target: targets::safetensors,
        seeds: read(&files),
    }
}

fn gguf() -> Sweep {
    let types = [WeightType::Q8_0, WeightType::F16, WeightType::Q4_0];
    Sweep {
        target: targets::gguf,
        seeds: types.map(|dtype| quantize(tiny(), dtype).0).into(),
    }
}

fn pytorch() -> Sweep {
    let files = [
        "pytorch/tied.bin",
        "pytorch/archive.bin",
        "pytorch/stored_again.bin",
        "pytorch/views.bin",
        "pytorch/protocol_4.bin",
        "pytorch/parameters.bin",
    ];
    Sweep {
        target: targets::pytorch,
        seeds: read(&files),
    }
}

fn tokenizer_json() -> Sweep {
    let tokens: serde_json::Map<String, serde_json::Value> = (0..=255_u8)
        .map(|byte| huggingtweets::tokenizer::byte_alphabet::char_of_byte(byte).to_string())
        .chain(["he".to_owned(), "<|endoftext|>".to_owned()])
        .enumerate()
        .map(|(id, token)| (token, id.into()))
        .collect();
    let json = serde_json::json!({
        "added_tokens": [{ "id": 257, "content": "<|endoftext|>", "special": true }],
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true },
        "model": { "type": "BPE", "vocab": tokens, "merges": ["h e"] },
    });
    Sweep {
        target: targets::tokenizer_json,
        seeds: vec![json.to_string().into_bytes()],
    }
}

fn added_tokens() -> Sweep {
    let json = serde_json::json!({
        "<pad>": 5,
        "<s>": 4,
        "bos_token": { "content": "<s>", "lstrip": true, "__type": "AddedToken" },
        "eos_token": "<|endoftext|>",
        "additional_special_tokens": ["<a>", { "content": "<b>", "rstrip": true }],
        "added_tokens_decoder": { "5": { "content": "<pad>", "single_word": true, "special": false } },
        "add_prefix_space": true,
    });
    let mut without = json.clone();
    without["added_tokens_decoder"] = serde_json::Value::Null;
    let written = [json, without].map(|json| json.to_string().into_bytes());
    Sweep {
        target: targets::added_tokens,
        seeds: written.into_iter().chain(seeds("added_tokens")).collect(),
    }
}

/// The files of `fuzz/seeds`.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let read = |file: &std::path::PathBuf| std::fs::read(file).unwrap();
    files.iter().map(read).collect()
}

fn config() -> Sweep {
    Sweep {
        target: targets::config,
        seeds: seeds("config"),
    }
}

fn generation_config() -> Sweep {
    Sweep {
        target: targets::generation_config,
        seeds: seeds("generation_config"),
    }
}

/// `None`, with a note, where the published cards are missing.
fn cards() -> Option<Sweep> {
    let folder = shared::shared("cards")?;
    let cards = std::fs::read_dir(folder).unwrap();
    let mut cards: Vec<_> = cards.map(|card| card.unwrap().path()).collect();
    cards.sort();
    Some(Sweep {
        target: targets::card,
        seeds: cards
            .iter()
            .map(|card| std::fs::read(card).unwrap())
            .collect(),
    })
}

/// The exports made for the tests of the package of posts.
fn made_export(name: &str) -> Vec<u8> {
    let path = format!("{}/posts/tests/exports/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn exports() -> Sweep {
    let names = [
        "x_2023.zip",
        "grailbird.zip",
        "api.json",
        "api.jsonl",
        "archive.json",
        "mastodon.zip",
        "mastodon.tar.gz",
        "bluesky_records.json",
        "bluesky_feed.json",
        "repo.car",
        "table.csv",
        "plain.txt",
        "texts.json",
    ];
    Sweep {
        target: targets::export,
        seeds: names.map(made_export).into(),
    }
}

fn x_archives() -> Sweep {
    let notes = r#"window.YTD.note_tweet.part0 = [{"noteTweet":{"createdAt":"2021-06-01T00:00:00.400Z","core":{"text":"Good morning to everybody"}}}]"#;
    let account = r#"window.YTD.account.part0 = [{"account":{"username":"ada","accountId":"7"}}]"#;
    let profile = r#"window.YTD.profile.part0 = [{"profile":{"avatarMediaUrl":"https://pbs.example/a.jpg"}}]"#;
    let manifest = r#"window.__THAR_CONFIG = {"userInfo":{"userName":"ada"},"archiveInfo":{"isPartialArchive":true},"dataTypes":{"tweets":{"files":[{"fileName":"data/tweets.js"}]}}}"#;
    let mut archive = made_export("tweets.js");
    for file in [notes, account, profile, manifest] {
        archive.push(0);
        archive.extend(file.as_bytes());
    }
    Sweep {
        target: targets::x_archive,
        seeds: vec![archive],
    }
}

fn mastodon_archives() -> Sweep {
    let actor = br#"{"preferredUsername":"ada","name":"Ada","icon":{"url":"avatar.png"}}"#;
    let archive = [&made_export("outbox.json")[..], &[0], actor].concat();
    Sweep {
        target: targets::mastodon,
        seeds: vec![archive],
    }
}

fn tables() -> Sweep {
    let rows = b"\"a \"\"b\"\" c\",1,2021-06-01 00:00:00 +0000,,en\r\nd e f,2,,5,\n";
    Sweep {
        target: targets::table,
        seeds: vec![rows.to_vec()],
    }
}

fn html_texts() -> Sweep {
    let html = r#"<p>a &amp; b <a href="x" class="u-url mention">@<span>c</span></a><br/><a href='y'>z</a></p><p class="quote-inline">q</p>"#;
    Sweep {
        target: targets::html,
        seeds: vec![html.as_bytes().to_vec()],
    }
}

#[test]
fn damaged_exports_do_no_harm() {
    exports().run(ROUNDS / 3);
}

#[test]
fn damaged_files_of_exports_do_no_harm() {
    for sweep in [x_archives(), mastodon_archives(), tables(), html_texts()] {
        sweep.run(4 * ROUNDS);
    }
}

#[test]
fn damaged_safetensors_do_no_harm() {
    safetensors().run(ROUNDS);
}

#[test]
fn damaged_ggufs_do_no_harm() {
    gguf().run(ROUNDS);
}

#[test]
fn damaged_pytorch_files_do_no_harm() {
    pytorch().run(ROUNDS);
}

#[test]
fn damaged_tokenizers_do_no_harm() {
    tokenizer_json().run(ROUNDS);
}

#[test]
fn damaged_lists_of_added_tokens_do_no_harm() {
    // They are small, so that more changes cost little.
    added_tokens().run(4 * ROUNDS);
}

#[test]
fn damaged_configurations_do_no_harm() {
    config().run(4 * ROUNDS);
}

#[test]
fn damaged_generation_settings_do_no_harm() {
    generation_config().run(4 * ROUNDS);
}

/// Each form repeated under keys of all three files, where a fuzzer's inputs are small.
#[test]
fn long_and_deep_settings_do_no_harm() {
    const N: usize = 20_000;
    let list = |element: &str| format!("[{}0]", format!("{element},").repeat(N));
    let map = |value: &str| {
        let entries = (0..N).map(|i| format!("\"<{i}>\":{value},"));
        format!("{{{}\"\":0}}", entries.collect::<String>())
    };
    let text = format!("\"{}\"", "a ".repeat(N));
    let values = [
        list("7"),
        list("[7]"),
        list("[[7],0.5]"),
        list("{\"\":0}"),
        list("\"<a>\""),
        map("7"),
        map("[]"),
        map("{\"content\":\"a\"}"),
        "[".repeat(N) + &"]".repeat(N),
        "9".repeat(N),
        text,
    ];
    let keys = [
        "eos_token_id",
        "architectures",
        "n_inner",
        "bad_words_ids",
        "sequence_bias",
        "suppress_tokens",
        "stop_strings",
        "prefix",
        "guidance_scale",
        "added_tokens_decoder",
        "additional_special_tokens",
        "bos_token",
    ];
    let shape = r#""n_embd":8,"n_head":1,"n_layer":1,"vocab_size":10"#;
    let under_keys = values
        .iter()
        .flat_map(|value| keys.map(|key| format!("{{{shape},\"{key}\":{value}}}")));
    let long_key = values.iter().map(|value| {
        let key = value.replace(['"', '\\'], "");
        format!("{{{shape},\"{key}\":-1}}")
    });
    for file in values.iter().cloned().chain(under_keys).chain(long_key) {
        for target in [
            targets::config,
            targets::generation_config,
            targets::added_tokens,
        ] {
            let start = Instant::now();
            target(file.as_bytes());
            let elapsed = start.elapsed();
            let head = &file[..file.len().min(120)];
            assert!(elapsed < Duration::from_secs(20), "{head} took {elapsed:?}");
        }
    }
}

#[test]
fn the_meter_counts_what_is_held_at_once() {
    let held = |call: fn()| targets::meter::peak_of(call).1;
    assert_eq!(held(|| ()), 0);
    assert_eq!(held(|| drop(vec![1_u8; 1000])), 1000);
    let one_after_the_other = || (0..5).for_each(|_| drop(vec![1_u8; 1000]));
    assert_eq!(held(one_after_the_other), 1000);
    let grown = || {
        let mut bytes = vec![1_u8; 1000];
        bytes.reserve_exact(2000);
    };
    assert_eq!(held(grown), 1000 + 3000);
}

#[test]
fn damaged_cards_do_no_harm() {
    if let Some(cards) = cards() {
        cards.run(ROUNDS);
    }
}

#[test]
#[ignore = "nightly: 30 000 changes of each fixture"]
fn many_more_damaged_files_do_no_harm() {
    let sweeps = [
        safetensors(),
        gguf(),
        pytorch(),
        tokenizer_json(),
        added_tokens(),
        config(),
        generation_config(),
        exports(),
        x_archives(),
        mastodon_archives(),
        tables(),
        html_texts(),
    ];
    for sweep in sweeps.into_iter().chain(cards()) {
        sweep.run(NIGHTLY_ROUNDS);
    }
}
