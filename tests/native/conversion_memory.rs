//! Converting a GPT-2 of 124M while it arrives needs the memory of its largest transposed tensor and a few MB.

use crate::support::{gpt2_124m, own_process, pickled, shared};
use std::time::Instant;

use huggingtweets::engine::tokenizer_metadata;
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::weights::gguf_metadata::gpt2_metadata;
use huggingtweets::weights::names;
use huggingtweets::weights::{Conversion, ConversionParams, WriteAt};

const CONFIG: &[u8] = br#"{"model_type":"gpt2"}"#;
/// `mlp.c_fc.weight`, which is transposed as a whole: 768 × 3072 numbers of 4 bytes.
const LARGEST: u64 = 768 * 3072 * 4;
/// Everything else, such as chunks of rows and the header of the output.
const MORE: u64 = 8 << 20;

/// An output that keeps only its length.
struct Nowhere {
    len: u64,
}

impl WriteAt for Nowhere {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.len = self.len.max(offset + bytes.len() as u64);
        Ok(())
    }
}

/// Names and shapes as Hugging Face stores them.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let config = Gpt2Config::from_json(CONFIG).unwrap();
    names::tensors(&config)
        .into_iter()
        .filter(|spec| !spec.is_optional)
        .map(|spec| {
            let shape = spec.hugging_face_shape().into_iter();
            let shape = shape.map(|n| usize::try_from(n).unwrap()).collect();
            (format!("transformer.{}", spec.name), shape)
        })
        .collect()
}

/// `n` floats, a pattern repeated.
fn numbers(n: usize, out: &mut dyn FnMut(&[u8])) {
    let some: Vec<u8> = (0..4096)
        .flat_map(|i| (((i * 37 % 101) as f32 - 50.0) / 300.0).to_le_bytes())
        .collect();
    let mut left = 4 * n;
    while left > 0 {
        let n = left.min(some.len());
        out(&some[..n]);
        left -= n;
    }
}

fn safetensors(out: &mut dyn FnMut(&[u8])) {
    let tensors = tensors();
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, shape) in &tensors {
        let start = end;
        end += 4 * shape.iter().product::<usize>();
        let info =
            serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, end] });
        header.insert(name.clone(), info);
    }
    let header = serde_json::Value::from(header).to_string();
    out(&(header.len() as u64).to_le_bytes());
    out(header.as_bytes());
    for (_, shape) in &tensors {
        numbers(shape.iter().product(), out);
    }
}

fn pytorch(out: &mut dyn FnMut(&[u8])) {
    let tensors = tensors();
    let of = |i: usize, out: &mut dyn FnMut(&[u8])| numbers(tensors[i].1.iter().product(), out);
    pickled::write(&tensors, of, out);
}

#[test]
fn converting_124m_as_it_arrives_peaks_below_its_largest_tensor_and_8_mb() {
    own_process::run(
        "conversion_memory::converting_124m_as_it_arrives_peaks_below_its_largest_tensor_and_8_mb",
        convert,
    );
}

fn convert() {
    let config = Gpt2Config::from_json(CONFIG).unwrap();
    let dtype = WeightType::Q8_0;
    let tokenizer = gpt2_124m::tokenizer(config.vocab_size);
    let metadata = gpt2_metadata(
        "no meaning, 124M",
        &config,
        dtype,
        tokenizer_metadata::entries(tokenizer),
    );
    let params = ConversionParams {
        config_json: CONFIG,
        dtype,
        metadata: &metadata,
        n_files: 1,
    };
    let before = shared::peak_bytes();
    for (format, source) in [
        ("safetensors", safetensors as fn(&mut dyn FnMut(&[u8]))),
        ("pytorch_model.bin", pytorch),
    ] {
        let start = Instant::now();
        let mut sink = Nowhere { len: 0 };
        let mut conversion = Conversion::new(&params).unwrap();
        let mut source_bytes = 0;
        source(&mut |piece| {
            source_bytes += piece.len();
            conversion.push(piece, &mut sink).unwrap();
        });
        conversion.end_file().unwrap();
        let report = conversion.finish();
        assert_eq!(report.bytes, sink.len);
        assert!(source_bytes > 497_000_000 && sink.len > 130_000_000);
        eprintln!(
            "{format}: {source_bytes} B to {} B in {} ms",
            sink.len,
            start.elapsed().as_millis()
        );
    }
    let (Some(before), Some(peak)) = (before, shared::peak_bytes()) else {
        return;
    };
    let took = peak - before;
    eprintln!("took {took} B, the largest tensor {LARGEST} B");
    assert!(
        took < LARGEST + MORE,
        "took {took} B, {LARGEST} + {MORE} allowed"
    );
}
