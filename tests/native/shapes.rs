//! The widths of GPT-2's larger sizes, in few layers: the logits of PyTorch in floats, and in every type the logits of
//! the rounded weights, also at a width that is no multiple of 256.

use std::io::{Cursor, Write as _};
use std::process::{Command, Stdio};

use crate::support::checkpoints::{
    assert_close, candle_logits, fixtures, floats, load, load_candle, model_files, open_gguf,
    quantize,
};
use crate::support::shared::skipped;
use huggingtweets::infer::{Logits, Session};
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::weights::Checkpoint;
use huggingtweets::weights::dtype::StoredType;
use serde_json::{Value, json};

const TOKENS: [u32; 9] = [271, 44, 88, 3, 3, 200, 17, 256, 90];

/// (width, heads, layers): of 355M, 774M and 1.5B.
const SHAPES: [(usize, usize, usize); 3] = [(1024, 16, 2), (1280, 20, 1), (1600, 25, 1)];

fn model(n_embd: usize, n_head: usize, n_layer: usize) -> (Vec<u8>, Vec<u8>) {
    let (config, weights) = model_files(&Gpt2Config {
        vocab_size: 272,
        n_ctx: 32,
        n_embd,
        n_layer,
        n_head,
        n_inner: 4 * n_embd,
        layer_norm_epsilon: 1e-5,
        bos_token_id: Some(271),
        eos_token_ids: vec![271],
        arithmetic: Default::default(),
    });
    (config, weights)
}

fn open(config: &[u8], weights: &[u8]) -> Checkpoint {
    let file = Box::new(Cursor::new(weights.to_vec()));
    Checkpoint::from_floats(config, vec![file]).unwrap()
}

/// (T, V)
fn logits(checkpoint: Checkpoint) -> Vec<f32> {
    let model = load(checkpoint).unwrap();
    let mut session = Session::new(model, 1, TOKENS.len(), 0).unwrap();
    session.prefill(&TOKENS, Logits::All).unwrap().to_vec()
}

/// (T, V); `None`, with a note, where there is no PyTorch.
fn pytorch_logits(config: &[u8], weights: &[u8]) -> Option<Vec<f32>> {
    let python = std::env::var("HUGGINGTWEETS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = Command::new(&python)
        .args(["-c", "import torch, transformers"])
        .stderr(Stdio::null())
        .status();
    if !import.is_ok_and(|status| status.success()) {
        skipped(&format!(
            "`{python}` has no torch and transformers; set HUGGINGTWEETS_PYTHON to a python that has them"
        ));
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut config: Value = serde_json::from_slice(config).unwrap();
    config["architectures"] = json!(["GPT2LMHeadModel"]);
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    std::fs::write(folder.path().join("model.safetensors"), weights).unwrap();
    let mut child = Command::new(&python)
        .arg(fixtures().join("ask_pytorch.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let question = json!({ "folder": folder.path(), "ids": TOKENS });
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(question.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    Some(rows.iter().flat_map(floats).collect())
}

fn widest(logits: &[f32]) -> f32 {
    logits.iter().fold(0.0, |max, x| f32::max(max, x.abs()))
}

/// Root mean square of the difference, relative to that of the second list.
fn rms_apart(got: &[f32], expected: &[f32]) -> f32 {
    let sum = |values: &mut dyn Iterator<Item = f32>| values.map(|x| x * x).sum::<f32>();
    let apart = sum(&mut got.iter().zip(expected).map(|(a, b)| a - b));
    (apart / sum(&mut expected.iter().copied())).sqrt()
}

#[test]
fn float_logits_of_each_width_are_pytorchs() {
    for (n_embd, n_head, n_layer) in SHAPES {
        let (config, weights) = model(n_embd, n_head, n_layer);
        let got = logits(open(&config, &weights));
        let by_candle = candle_logits(&load_candle(open(&config, &weights)), &TOKENS);
        eprintln!("{n_embd}: logits up to {:.1}", widest(&by_candle));
        assert_close(&got, &by_candle, 1e-4 * widest(&by_candle));
        if let Some(by_pytorch) = pytorch_logits(&config, &weights) {
            assert_close(&got, &by_pytorch, 1e-4 * widest(&by_pytorch));
        }
    }
}

/// Tolerance for the inputs of products, which are rounded to 8 bits with quantized weights.
const ROUNDED: f32 = 0.04;

#[test]
fn logits_of_each_width_and_type_are_those_of_the_rounded_weights() {
    for (n_embd, n_head, n_layer) in SHAPES {
        let (config, weights) = model(n_embd, n_head, n_layer);
        let exact = logits(open(&config, &weights));
        for dtype in WeightType::ALL {
            let (bytes, _) = quantize(open(&config, &weights), dtype);
            let got = logits(open_gguf(&bytes).unwrap());
            let expected = candle_logits(&load_candle(open_gguf(&bytes).unwrap()), &TOKENS);
            eprintln!("{n_embd} in {dtype:?}");
            let is_float = matches!(dtype, WeightType::F32 | WeightType::F16);
            let tolerance = if is_float { 1e-4 } else { ROUNDED };
            assert_close(&got, &expected, tolerance * widest(&expected));
            let error = rms_apart(&got, &exact);
            let most = match dtype {
                WeightType::F32 | WeightType::F16 => 0.001,
                WeightType::Q8_0 => 0.05,
                WeightType::Q6K => 0.1,
                WeightType::Q4K | WeightType::Q4_0 => 0.4,
            };
            eprintln!("{:.4} apart from the exact weights' in the mean", error);
            assert!(error < most, "{n_embd} in {dtype:?}: {error}");
        }
    }
}

#[test]
fn types_with_blocks_of_256_fall_back_tensor_by_tensor_at_width_1600() {
    let (config, weights) = model(1600, 25, 1);
    for dtype in [WeightType::Q4K, WeightType::Q6K] {
        let (_, report) = quantize(open(&config, &weights), dtype);
        for tensor in &report.tensors {
            // The inner layer's 6400 columns are 25 blocks.
            let expected = match tensor.name.as_str() {
                "blk.0.ffn_down.weight" => (StoredType::from(dtype), false),
                "token_embd.weight"
                | "blk.0.attn_qkv.weight"
                | "blk.0.attn_output.weight"
                | "blk.0.ffn_up.weight" => (StoredType::from(WeightType::Q8_0), true),
                _ => (StoredType::F32, false),
            };
            assert_eq!((tensor.dtype, tensor.is_fallback), expected, "{tensor:?}");
        }
    }
    // Blocks of 32 fit everywhere, and at the other widths those of 256 do too.
    for (n_embd, n_head, _) in SHAPES {
        let (config, weights) = model(n_embd, n_head, 1);
        for dtype in [WeightType::Q8_0, WeightType::Q4_0, WeightType::Q4K] {
            let (_, report) = quantize(open(&config, &weights), dtype);
            let has_fallback = report.tensors.iter().any(|tensor| tensor.is_fallback);
            assert_eq!(has_fallback, n_embd == 1600 && dtype == WeightType::Q4K);
        }
    }
}
