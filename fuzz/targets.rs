//! The checks run on untrusted bytes, by the fuzzer and by `tests/native/fuzz.rs`: an error is fine, a panic is not.
//!
//! With nightly Rust and `cargo install cargo-fuzz`: `cargo +nightly fuzz run pytorch -- -max_total_time=600`.
//! Seeds are the fixtures: `cargo +nightly fuzz run pytorch fuzz/corpus/pytorch tests/fixtures/pytorch`. The files of
//! settings have seeds of their own, and a list of their keys:
//! `cargo +nightly fuzz run config fuzz/corpus/config fuzz/seeds/config -- -dict=fuzz/keys.dict`.

pub mod meter;

use std::io::{Cursor, Read};
use std::ops::ControlFlow;

use huggingtweets::card;
use huggingtweets::engine::ModelFile;
use huggingtweets::generate::model_defaults::ModelDefaults;
use huggingtweets::generate::parameter::Parameter;
use huggingtweets::generate::params::GenerationParams;
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::notice::Notice;
use huggingtweets::posts::archive::{Entries, Entry, Import, ImportOptions, ReadError, Step};
use huggingtweets::posts::clean::Cleaner;
use huggingtweets::posts::counts::Counts;
use huggingtweets::tokenizer::{Tokenizer, TokenizerFiles};
use huggingtweets::weights::{Checkpoint, Conversion, ConversionParams, WeightsError, WriteAt};

/// The configuration of `tests/fixtures/tiny`, the model of the safetensors seeds.
const TINY: &[u8] = include_bytes!("../tests/fixtures/tiny/config.json");
/// The configuration of `tests/fixtures/pytorch`.
const PYTORCH: &[u8] = include_bytes!("../tests/fixtures/pytorch/config.json");

/// Most bytes that reading a file of settings may hold at once for each byte of it: an object of one key is 7 bytes of
/// JSON, and a node of 11 keys in memory.
const BYTES_PER_BYTE: usize = 256;
/// Most bytes that it may hold besides.
const BYTES_BESIDES: usize = 1 << 20;
/// The same for a tokenizer: the tokenizers crate's cache of words, and placeholders for ids without a token, in a
/// tokenizer and in one read from what it wrote.
const TOKENIZER_BYTES: usize = 16 << 20;
/// Most bytes of a message about a file.
const MESSAGE_BYTES: usize = 2048;

/// A safetensors file: opened and read as a whole, and converted in pieces.
pub fn safetensors(data: &[u8]) {
    both_ways(TINY, data);
    both_ways(PYTORCH, data);
}

/// A PyTorch checkpoint: opened and read as a whole, and converted in pieces.
pub fn pytorch(data: &[u8]) {
    both_ways(PYTORCH, data);
}

/// A GGUF file, loaded as a model and read tensor by tensor.
pub fn gguf(data: &[u8]) {
    let reader = || Box::new(Cursor::new(data.to_vec()));
    drop(ModelFile::from_gguf(reader()));
    if let Ok(checkpoint) = Checkpoint::from_gguf(reader()) {
        drop(requantize(&checkpoint, data));
        read_all(checkpoint);
    }
}

/// A tokenizer, used if it is one.
pub fn tokenizer_json(data: &[u8]) {
    if let Ok(tokenizer) = Tokenizer::from_json(data)
        && let Ok(token_ids) = tokenizer.encode("My dream is\n<|endoftext|> 🐦 \u{301}\0")
    {
        drop(tokenizer.decode(&token_ids));
    }
}

/// The files beside a vocabulary, each with the same content: beside one whose ids are in a map, and one whose ids are the
/// places in a list.
pub fn added_tokens(data: &[u8]) {
    Tokenizer::warm_up();
    let vocab = r#"{"a":0,"b":1,"ab":2,"<|endoftext|>":3,"<s>":4}"#;
    let list =
        r#"{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["a",-1.0],["b",-1.5]]}}"#;
    let bases: [&[(&str, &str)]; 2] = [
        &[("vocab.json", vocab), ("merges.txt", "a b")],
        &[("tokenizer.json", list)],
    ];
    for base in bases {
        let len = TokenizerFiles::OPTIONAL.len() * data.len();
        within_bounds(len, TOKENIZER_BYTES, || tokenizer_with(base, data));
    }
}

fn tokenizer_with(base: &[(&str, &str)], data: &[u8]) {
    let mut files = TokenizerFiles::default();
    for (name, content) in base {
        files.insert(name, (*content).into());
    }
    for name in TokenizerFiles::OPTIONAL {
        files.insert(name, data.to_vec());
    }
    let read = files.read();
    let Ok(mut tokenizer) = read.map_err(|error| assert_short(&error.to_string())) else {
        return;
    };
    tokenizer.notices().iter().for_each(assert_short_notice);
    drop(files.eos_token());
    drop(tokenizer.add_special_ids([0, 4, 7, u32::MAX]));
    if tokenizer.fit_to(6).is_err() {
        return;
    }
    if let Ok(token_ids) = tokenizer.encode("ab<s> <|endoftext|><pad>") {
        drop(tokenizer.decode(&token_ids));
    }
    if let Ok(gguf) = tokenizer.to_gguf(6) {
        drop(gguf.read());
    }
}

/// A configuration: one that is read has a shape that can be computed with, and is read again as it was written.
pub fn config(data: &[u8]) {
    let read = within_bounds(data.len(), BYTES_BESIDES, || Gpt2Config::read(data));
    drop(within_bounds(data.len(), BYTES_BESIDES, || {
        Gpt2Config::is_head_tied(data)
    }));
    match read {
        Ok((config, notices)) => {
            notices.iter().for_each(assert_short_notice);
            assert_eq!(config.head_dim() * config.n_head, config.n_embd);
            assert!(config.score_scale(config.n_layer - 1).is_finite());
            assert!(config.n_params() > 0);
            assert!(
                config
                    .special_ids()
                    .all(|id| (id as usize) < config.vocab_size)
            );
            let written = config.to_json().to_string();
            let again = Gpt2Config::from_json(written.as_bytes());
            assert_eq!(again.expect("written here"), config);
        }
        Err(error) => assert_short(&error.to_string()),
    }
}

/// The files that state how a model generates: `config.json`, and behind a zero byte `generation_config.json`. Without the
/// byte both have the same content. The defaults that are read can be generated with, and cross the worker's channel.
pub fn generation_config(data: &[u8]) {
    match data.iter().position(|byte| *byte == 0) {
        Some(end) => defaults(&data[..end], Some(&data[end + 1..])),
        None => {
            defaults(data, None);
            defaults(data, Some(data));
            defaults(b"{}", Some(data));
        }
    }
}

fn defaults(config: &[u8], generation_config: Option<&[u8]>) {
    let len = config.len() + generation_config.map_or(0, <[u8]>::len);
    let read = within_bounds(len, BYTES_BESIDES, || {
        ModelDefaults::of_files(config, generation_config)
    });
    let Ok(ModelDefaults { params, notices }) =
        read.map_err(|error| assert_short(&error.to_string()))
    else {
        return;
    };
    notices.iter().for_each(assert_short_notice);
    let checked = params.check(64).expect("defaults are in range");
    for prompt_tokens in [1, 63] {
        let max_new = checked.max_new(prompt_tokens);
        assert!(
            (1..=65 - prompt_tokens)
                .contains(&max_new.expect("a default makes no prompt impossible"))
        );
    }
    let mut again = GenerationParams::of_the_library();
    for parameter in Parameter::ALL {
        let value = parameter.value_of(&params);
        parameter.read(&value, &mut again).expect("in range");
    }
    again.clip_length = params.clip_length;
    assert_eq!(again, params);
    let sent = serde_json::to_vec(&params).expect("has a form in JSON");
    let received: GenerationParams = serde_json::from_slice(&sent).expect("sent as it is read");
    assert_eq!(received, params);
}

/// Runs `read` on files of `len` bytes; it holds no more memory than they account for, and `besides`.
fn within_bounds<T>(len: usize, besides: usize, read: impl FnOnce() -> T) -> T {
    let (value, peak) = meter::peak_of(read);
    let most = BYTES_PER_BYTE * len + besides;
    assert!(
        peak <= most,
        "{peak} bytes were held at once for {len} bytes of files, more than {most}"
    );
    value
}

fn assert_short_notice(notice: &Notice) {
    assert_short(&notice.to_string());
}

/// A message quotes no more of a file than a person can read.
fn assert_short(message: &str) {
    assert!(
        message.len() <= MESSAGE_BYTES,
        "a message of {} bytes: {}",
        message.len(),
        message.chars().take(200).collect::<String>()
    );
}

/// A model card.
pub fn card(data: &[u8]) {
    drop(card::read::read(data));
}

/// An export of any kind: what a person drops.
pub fn export(data: &[u8]) {
    let file = Box::new(Cursor::new(data.to_vec()));
    import(data.len(), || {
        Import::open(file, "file", ImportOptions::default())
    });
}

/// An archive of X: its posts, and behind a zero byte each its long posts, account, profile and manifest.
pub fn x_archive(data: &[u8]) {
    let names = [
        "tweets.js",
        "note-tweet.js",
        "account.js",
        "profile.js",
        "manifest.js",
    ];
    let parts = data.splitn(names.len(), |byte| *byte == 0);
    let files = names
        .map(|name| format!("data/{name}"))
        .into_iter()
        .zip(parts.map(<[u8]>::to_vec));
    files_of_an_export(data.len(), files.collect());
}

/// An archive of Mastodon: its outbox, and behind a zero byte its account.
pub fn mastodon(data: &[u8]) {
    let parts = data.splitn(2, |byte| *byte == 0);
    let files = ["outbox.json", "actor.json"].map(str::to_owned).into_iter();
    files_of_an_export(data.len(), files.zip(parts.map(<[u8]>::to_vec)).collect());
}

/// A table under a header.
pub fn table(data: &[u8]) {
    let file = [b"text,id,created_at,retweeted_status_id,lang\n", data].concat();
    export(&file);
}

/// The text of a post in HTML.
pub fn html(data: &[u8]) {
    let content = serde_json::Value::from(String::from_utf8_lossy(data));
    let outbox = format!(
        r#"{{"orderedItems":[{{"type":"Create","to":"as:Public","object":{{"type":"Note","content":{content}}}}}]}}"#
    );
    let files = vec![("outbox.json".to_owned(), outbox.into_bytes())];
    files_of_an_export(6 * data.len(), files);
}

/// Files in memory.
struct Files {
    entries: Vec<Entry>,
    contents: Vec<Vec<u8>>,
}

impl Entries for Files {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn open(&mut self, idx: usize) -> Result<Box<dyn Read>, ReadError> {
        Ok(Box::new(Cursor::new(self.contents[idx].clone())))
    }

    fn bytes_read(&self) -> u64 {
        0
    }
}

fn files_of_an_export(len: usize, files: Vec<(String, Vec<u8>)>) {
    let entry = |(name, content): &(String, Vec<u8>)| Entry {
        name: name.clone(),
        size_bytes: content.len() as u64,
    };
    let entries = files.iter().map(entry).collect();
    let contents = files.into_iter().map(|(_, content)| content).collect();
    let files = Box::new(Files { entries, contents });
    import(len, || {
        Import::open_entries(files, ImportOptions::default())
    });
}

/// Most bytes that reading an export may hold besides, however long it is: buffers, an element, an archive's long posts.
const IMPORT_BYTES: usize = 64 << 20;

/// Reads an export to its end, by steps, and cleans its posts.
fn import(len: usize, open: impl FnOnce() -> Result<Import, ReadError>) {
    let read = || {
        let mut import = open()?;
        let mut cleaner = Cleaner::default();
        let mut counts = Counts::default();
        loop {
            let step = import.step(5000, &mut |post| {
                counts.add(&cleaner.judge(&post));
                ControlFlow::Continue(())
            });
            assert_eq!(counts.downloaded, import.report().posts);
            assert_eq!(
                counts.kept,
                counts.downloaded - counts.retweets - counts.short
            );
            if step? != Step::More {
                return Ok::<(), ReadError>(());
            }
        }
    };
    let (read, peak) = meter::peak_of(read);
    assert!(
        peak <= IMPORT_BYTES + 8 * len,
        "{peak} bytes were held at once"
    );
    if let Err(error) = read {
        assert_short(&error.to_string());
    }
}

fn both_ways(config: &[u8], data: &[u8]) {
    let file = Box::new(Cursor::new(data.to_vec()));
    if let Ok(checkpoint) = Checkpoint::from_floats(config, vec![file]) {
        read_all(checkpoint);
    }
    drop(convert(config, data));
}

fn read_all(mut checkpoint: Checkpoint) {
    for (spec, _) in checkpoint.tensors() {
        drop(checkpoint.matrix(&spec.name));
        drop(checkpoint.floats(&spec.name));
    }
}

/// A sink that discards all bytes.
struct Nowhere;

impl WriteAt for Nowhere {
    fn write_at(&mut self, _: u64, _: &[u8]) -> std::io::Result<()> {
        Ok(())
    }
}

/// Converts a GGUF to another type, in pieces.
fn requantize(checkpoint: &Checkpoint, data: &[u8]) -> Result<(), WeightsError> {
    let mut conversion = Conversion::of_gguf(checkpoint, WeightType::Q4_0, &[]);
    for piece in data.chunks(777) {
        conversion.push(piece, &mut Nowhere)?;
    }
    conversion.end_file()?;
    conversion.finish();
    Ok(())
}

/// Converts `data` in pieces, with an interruption at a place that the first byte selects.
fn convert(config_json: &[u8], data: &[u8]) -> Result<(), WeightsError> {
    let params = ConversionParams {
        config_json,
        dtype: WeightType::Q8_0,
        metadata: &[],
        n_files: 1,
    };
    let cut = data.len() / 256 * data.first().map_or(0, |byte| usize::from(*byte));
    let mut conversion = Conversion::new(&params)?;
    for piece in data[..cut].chunks(777) {
        conversion.push(piece, &mut Nowhere)?;
    }
    let mut conversion = Conversion::resume(&params, conversion.journal())?;
    let start = usize::try_from(conversion.source_pos().offset).expect("inside the data");
    for piece in data[start..].chunks(1000) {
        conversion.push(piece, &mut Nowhere)?;
    }
    conversion.end_file()?;
    conversion.finish();
    Ok(())
}
