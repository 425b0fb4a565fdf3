//! The checks run on untrusted bytes, by the fuzzer and by `tests/native/fuzz.rs`: an error is fine, a panic is not.
//!
//! With nightly Rust and `cargo install cargo-fuzz`: `cargo +nightly fuzz run pytorch -- -max_total_time=600`.
//! Seeds are the fixtures: `cargo +nightly fuzz run pytorch fuzz/corpus/pytorch tests/fixtures/pytorch`.

use std::io::Cursor;

use huggingtweets::card;
use huggingtweets::engine::ModelFile;
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::tokenizer::{Tokenizer, TokenizerFiles};
use huggingtweets::weights::{Checkpoint, Conversion, ConversionParams, WeightsError, WriteAt};

/// The configuration of `tests/fixtures/tiny`, the model of the safetensors seeds.
const TINY: &[u8] = include_bytes!("../tests/fixtures/tiny/config.json");
/// The configuration of `tests/fixtures/pytorch`.
const PYTORCH: &[u8] = include_bytes!("../tests/fixtures/pytorch/config.json");

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

/// The files beside a vocabulary, each with the same content.
pub fn added_tokens(data: &[u8]) {
    let mut files = TokenizerFiles::default();
    let vocab = r#"{"a":0,"b":1,"ab":2,"<|endoftext|>":3,"<s>":4}"#;
    files.insert("vocab.json", vocab.into());
    files.insert("merges.txt", "a b".into());
    for name in TokenizerFiles::OPTIONAL {
        files.insert(name, data.to_vec());
    }
    if let Ok(mut tokenizer) = files.read() {
        drop(tokenizer.add_special_ids([0, 4, 7, u32::MAX]));
        drop(tokenizer.fit_to(6));
        if let Ok(token_ids) = tokenizer.encode("ab<s> <|endoftext|><pad>") {
            drop(tokenizer.decode(&token_ids));
        }
        if let Ok(gguf) = tokenizer.to_gguf(6) {
            drop(gguf.read());
        }
    }
}

/// A model card.
pub fn card(data: &[u8]) {
    drop(card::read::read(data));
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
