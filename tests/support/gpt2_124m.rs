//! A GPT-2 of 124M parameters in Q8_0 with arbitrary weights, for claims about size and speed.

use std::io::Write;

use huggingtweets::engine::tokenizer_metadata;
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::tokenizer::GgufTokenizer;
use huggingtweets::tokenizer::byte_alphabet::char_of_byte;
use huggingtweets::weights::dtype::StoredType;
use huggingtweets::weights::gguf_layout::TensorToWrite;
use huggingtweets::weights::gguf_metadata::gpt2_metadata;
use huggingtweets::weights::names;

/// One quantization block of Q8_0: scale 2⁻⁷ as an f16, then 32 small weights.
fn block() -> [u8; 34] {
    std::array::from_fn(|i| match i {
        0 => 0x00,
        1 => 0x20,
        _ => (i as u8).wrapping_mul(37) % 7,
    })
}

/// A vocabulary of `n_tokens`: the bytes, invented words, and the end of text as the last token.
pub fn tokenizer(n_tokens: usize) -> GgufTokenizer {
    let bytes = (0..=255u8).map(|byte| char_of_byte(byte).to_string());
    let words = (256..n_tokens - 1).map(|id| format!("word{id}"));
    GgufTokenizer {
        tokens: bytes
            .chain(words)
            .chain(["<|endoftext|>".to_owned()])
            .collect(),
        model: "gpt2".to_owned(),
        token_types: (1..n_tokens).map(|_| 1).chain([3]).collect(),
        merges: Vec::new(),
        ..GgufTokenizer::default()
    }
}

/// Writes the file and gives its length in bytes.
pub fn write(out: impl Write) -> u64 {
    let config = Gpt2Config::from_json(br#"{"model_type":"gpt2"}"#).unwrap();
    let tensors: Vec<_> = names::tensors(&config)
        .into_iter()
        .filter(|spec| !spec.is_optional)
        .map(|spec| TensorToWrite {
            dims: spec.gguf_dims(),
            dtype: match spec.role.is_quantizable() {
                true => WeightType::Q8_0.into(),
                false => StoredType::F32,
            },
            name: spec.gguf_name,
        })
        .collect();
    let metadata = gpt2_metadata(
        "no meaning, 124M",
        &config,
        WeightType::Q8_0,
        tokenizer_metadata::entries(tokenizer(config.vocab_size)),
    );
    let quantized = block().repeat(1024);
    let floats = 0.5f32.to_le_bytes().repeat(1024);
    super::gguf_file::write(out, &metadata, &tensors, |i, out| {
        let pattern = match tensors[i].dtype == StoredType::F32 {
            true => &floats,
            false => &quantized,
        };
        let mut left = usize::try_from(tensors[i].size_bytes()).unwrap();
        while left > 0 {
            let n = left.min(pattern.len());
            out.write_all(&pattern[..n]).unwrap();
            left -= n;
        }
    })
}
