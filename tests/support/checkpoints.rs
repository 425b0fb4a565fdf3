//! Checkpoints shared by tests: the tiny fixtures, and models computed from a formula.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use huggingtweets::engine::tokenizer_metadata;
use huggingtweets::infer::{Loader, Model, TensorSource};
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::model::gpt2::Gpt2;
use huggingtweets::tokenizer::GgufTokenizer;
use huggingtweets::weights::dtype::StoredType;
use huggingtweets::weights::gguf_layout::TensorToWrite;
use huggingtweets::weights::gguf_metadata::gpt2_metadata;
use huggingtweets::weights::names::TensorSpec;
use huggingtweets::weights::report::TensorReport;
use huggingtweets::weights::{Checkpoint, Conversion, ConversionReport, WeightsError};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

pub fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

/// A folder as on the Hub: `config.json` and `model.safetensors`.
pub fn open_folder(folder: &Path) -> Checkpoint {
    let config = std::fs::read(folder.join("config.json")).unwrap();
    let file = std::fs::File::open(folder.join("model.safetensors")).unwrap();
    Checkpoint::from_floats(&config, vec![Box::new(file)]).unwrap()
}

pub fn tiny() -> Checkpoint {
    open_folder(&fixtures().join("tiny"))
}

pub fn open_gguf(bytes: &[u8]) -> Result<Checkpoint, WeightsError> {
    Checkpoint::from_gguf(Box::new(Cursor::new(bytes.to_vec())))
}

pub fn load(mut checkpoint: Checkpoint) -> Result<Arc<Model>, WeightsError> {
    let mut loader = Loader::new(checkpoint.config().clone(), checkpoint.parts());
    while loader.next_bytes().is_some() {
        loader.step(&mut checkpoint)?;
    }
    Ok(Arc::new(loader.finish()))
}

pub fn load_candle(mut checkpoint: Checkpoint) -> Gpt2 {
    let config = checkpoint.config().clone();
    let tensors = checkpoint.candle_tensors().unwrap();
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    Gpt2::new(&config, vb).unwrap()
}

/// (T, V), one row after another.
pub fn candle_logits(model: &Gpt2, tokens: &[u32]) -> Vec<f32> {
    let tokens = Tensor::new(tokens, &Device::Cpu)
        .unwrap()
        .unsqueeze(0)
        .unwrap();
    model
        .forward(&tokens)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap()
}

/// The metadata of the GGUF files of [`quantize`].
pub fn metadata(
    config: &Gpt2Config,
    dtype: WeightType,
) -> Vec<(String, huggingtweets::weights::gguf::Value)> {
    let tokenizer = GgufTokenizer {
        tokens: (0..config.vocab_size).map(|i| format!("t{i}")).collect(),
        model: "gpt2".to_owned(),
        token_types: (0..config.vocab_size)
            .map(|id| {
                if config.eos_token_ids.iter().any(|eos| *eos as usize == id) {
                    3
                } else {
                    1
                }
            })
            .collect(),
        merges: vec!["t 1".to_owned()],
        ..GgufTokenizer::default()
    };
    gpt2_metadata(
        "test",
        config,
        dtype,
        tokenizer_metadata::entries(tokenizer),
    )
}

/// Float weights as a GGUF in memory, each tensor converted whole: the oracle of the conversion that goes by pieces.
pub fn quantize(checkpoint: Checkpoint, dtype: WeightType) -> (Vec<u8>, ConversionReport) {
    let metadata = metadata(checkpoint.config(), dtype);
    quantize_with(checkpoint, dtype, &metadata)
}

/// [`quantize`], with this metadata.
pub fn quantize_with(
    mut checkpoint: Checkpoint,
    dtype: WeightType,
    metadata: &[(String, huggingtweets::weights::gguf::Value)],
) -> (Vec<u8>, ConversionReport) {
    let tensors = checkpoint.tensors();
    let types = tensors.iter().map(|(spec, _)| type_of(spec, dtype));
    let types: Vec<StoredType> = types.collect();
    let to_write = tensors
        .iter()
        .zip(&types)
        .map(|((spec, _), dtype)| TensorToWrite {
            name: spec.gguf_name.clone(),
            dims: spec.gguf_dims(),
            dtype: *dtype,
        });
    let mut reports = Vec::new();
    let mut bytes = Vec::new();
    let len = super::gguf_file::write(
        &mut bytes,
        metadata,
        &to_write.collect::<Vec<_>>(),
        |i, out| {
            let (spec, _) = &tensors[i];
            let values = checkpoint.floats(&spec.name).unwrap();
            let (mut encoded, mut read_back) = (Vec::new(), Vec::new());
            types[i].encode(&values, &mut encoded).unwrap();
            types[i].decode(&encoded, &mut read_back);
            let (max_error, rms_error) = errors(&values, &read_back);
            reports.push(TensorReport {
                name: spec.gguf_name.clone(),
                dtype: types[i],
                is_fallback: spec.role.is_quantizable() && types[i] != dtype.into(),
                max_error,
                rms_error,
            });
            out.write_all(&encoded).unwrap();
        },
    );
    let max_error = reports.iter().map(|t| t.max_error).fold(0.0, f32::max);
    let report = ConversionReport {
        tensors: reports,
        bytes: len,
        max_error,
    };
    (bytes, report)
}

/// The type that the weights of a tensor become: the requested one, or the next more exact one that its rows fit.
fn type_of(spec: &TensorSpec, dtype: WeightType) -> StoredType {
    if !spec.role.is_quantizable() {
        return StoredType::F32;
    }
    let (wanted, q8_0) = (StoredType::from(dtype), StoredType::from(WeightType::Q8_0));
    let fits = |dtype: &StoredType| spec.cols.is_multiple_of(dtype.block_len());
    [wanted, q8_0]
        .into_iter()
        .find(fits)
        .unwrap_or(StoredType::F16)
}

/// The largest difference and its root mean square, as fractions of the values'.
fn errors(values: &[f32], read_back: &[f32]) -> (f32, f32) {
    let differences = || values.iter().zip(read_back).map(|(a, b)| a - b);
    let max =
        |values: &mut dyn Iterator<Item = f32>| values.fold(0.0, |max, x| f32::max(max, x.abs()));
    let square = |x: f32| f64::from(x) * f64::from(x);
    let root = |values: &mut dyn Iterator<Item = f32>| values.map(square).sum::<f64>().sqrt();
    let fraction = |error: f64, whole: f64| {
        if whole > 0.0 {
            (error / whole) as f32
        } else {
            0.0
        }
    };
    (
        fraction(
            max(&mut differences()).into(),
            max(&mut values.iter().copied()).into(),
        ),
        fraction(root(&mut differences()), root(&mut values.iter().copied())),
    )
}

/// A GGUF in memory converted to another type.
pub fn requantize(
    bytes: &[u8],
    dtype: WeightType,
) -> Result<(Vec<u8>, ConversionReport), WeightsError> {
    let checkpoint = open_gguf(bytes)?;
    let metadata = metadata(checkpoint.config(), dtype);
    let mut conversion = Conversion::of_gguf(&checkpoint, dtype, &metadata);
    let mut out = Vec::new();
    for piece in bytes.chunks(10_007) {
        conversion.push(piece, &mut out)?;
    }
    conversion.end_file()?;
    assert_eq!(conversion.output_bytes(), out.len() as u64);
    Ok((out, conversion.finish()))
}

/// One block of width 256, so that the types with blocks of 256 fit; weights from a generator of our own.
pub fn wide() -> Checkpoint {
    let (config, bytes) = wide_files();
    Checkpoint::from_floats(&config, vec![Box::new(Cursor::new(bytes))]).unwrap()
}

/// Its `config.json` and `model.safetensors`.
pub fn wide_files() -> (Vec<u8>, Vec<u8>) {
    model_files(&Gpt2Config {
        vocab_size: 512,
        n_ctx: 64,
        n_embd: 256,
        n_layer: 1,
        n_head: 4,
        n_inner: 1024,
        layer_norm_epsilon: 1e-5,
        bos_token_id: Some(0),
        eos_token_ids: vec![0],
        arithmetic: Default::default(),
    })
}

/// `config.json` and `model.safetensors` of any shape, with weights from a generator of our own.
pub fn model_files(config: &Gpt2Config) -> (Vec<u8>, Vec<u8>) {
    let mut state = 1_u64;
    let mut random = |n: usize, mean: f32, scale: f32| -> Vec<u8> {
        (0..n)
            .flat_map(|_| {
                // A sum of four uniform numbers is close to normal.
                let mut sum = 0.0;
                for _ in 0..4 {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    sum += (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5;
                }
                (mean + scale * 1.7 * sum).to_le_bytes()
            })
            .collect()
    };
    let (v, t, c, i) = (
        config.vocab_size,
        config.n_ctx,
        config.n_embd,
        config.n_inner,
    );
    // Sums of c products stay as large at every width.
    let scale = 1.6 / (c as f32).sqrt();
    let mut tensors = vec![
        ("wte.weight".to_owned(), vec![v, c], random(v * c, 0.0, 0.2)),
        ("wpe.weight".to_owned(), vec![t, c], random(t * c, 0.0, 0.1)),
        ("ln_f.weight".to_owned(), vec![c], random(c, 1.0, 0.1)),
        ("ln_f.bias".to_owned(), vec![c], random(c, 0.0, 0.1)),
    ];
    for layer_idx in 0..config.n_layer {
        for (name, n_in, n_out) in [
            ("attn.c_attn", c, 3 * c),
            ("attn.c_proj", c, c),
            ("mlp.c_fc", c, i),
            ("mlp.c_proj", i, c),
        ] {
            let name = format!("h.{layer_idx}.{name}");
            let weight = random(n_in * n_out, 0.0, scale);
            tensors.push((format!("{name}.weight"), vec![n_in, n_out], weight));
            tensors.push((format!("{name}.bias"), vec![n_out], random(n_out, 0.0, 0.1)));
        }
        for name in ["ln_1", "ln_2"] {
            let name = format!("h.{layer_idx}.{name}");
            tensors.push((format!("{name}.weight"), vec![c], random(c, 1.0, 0.1)));
            tensors.push((format!("{name}.bias"), vec![c], random(c, 0.0, 0.1)));
        }
    }
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (
            name,
            TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
        )
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    (serde_json::to_vec(&config.to_json()).unwrap(), bytes)
}

/// Fails with the first tensor whose numbers differ.
#[track_caller]
pub fn assert_same_weights(from: &mut Checkpoint, to: &mut Checkpoint) {
    for (spec, _) in from.tensors() {
        let name = &spec.name;
        assert_eq!(
            from.floats(name).unwrap(),
            to.floats(name).unwrap(),
            "{name}"
        );
    }
}

/// Fails with the largest difference if two lists differ by more than `tolerance` anywhere.
#[track_caller]
pub fn assert_close(got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "lengths differ");
    let (worst, error) = got
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("something to compare");
    eprintln!("largest difference {error:.2e} of {tolerance:.0e} allowed");
    assert!(
        error <= tolerance,
        "index {worst}: got {}, expected {}, apart by {error}, tolerance {tolerance}",
        got[worst],
        expected[worst]
    );
}

/// Index of the largest number.
pub fn argmax(logits: &[f32]) -> u32 {
    let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    u32::try_from(best.expect("logits").0).unwrap()
}

/// A safetensors file of a tied GPT-2, with an adapter beside its weights and a head that differs from the embedding.
pub fn with_adapter_and_head(file: &[u8]) -> Vec<u8> {
    let file = safetensors::SafeTensors::deserialize(file).unwrap();
    let tensors = file.tensors();
    let is_embedding = |name: &str| name.ends_with("wte.weight");
    let (_, embedding) = tensors.iter().find(|(name, _)| is_embedding(name)).unwrap();
    let view = |shape, bytes| {
        safetensors::tensor::TensorView::new(embedding.dtype(), shape, bytes).unwrap()
    };
    let head: Vec<u8> = embedding.data().iter().map(|byte| byte ^ 1).collect();
    let more = [
        (
            "lm_head.weight".to_owned(),
            view(embedding.shape().to_vec(), &head),
        ),
        (
            "transformer.h.0.mlp.lora_A.weight".to_owned(),
            view(vec![1], &[0; 4]),
        ),
    ];
    safetensors::serialize(tensors.clone().into_iter().chain(more), None).unwrap()
}
