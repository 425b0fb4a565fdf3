//! Speed and memory of trainings, with PyTorch's speed beside them.
//!
//! `cargo test --release --test native finetune_speed -- --ignored --nocapture`

use std::io::Cursor;
use std::time::Instant;

use crate::support::{own_process, python, shared};
use huggingtweets::finetune::estimate::MemoryEstimate;
use huggingtweets::finetune::{FineTune, FineTuneParams, Keep};
use huggingtweets::kernels::training::product;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::parallel::Threads;
use huggingtweets::weights::{Checkpoint, names};
use serde_json::{Map, Value, json};

const STEPS: usize = 3;

/// The shape of GPT-2 124M.
fn gpt2() -> Value {
    json!({ "vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12 })
}

/// The shape of the bundled model.
fn bundled() -> Value {
    json!({ "vocab_size": 8192, "n_positions": 128, "n_embd": 256, "n_layer": 14, "n_head": 4 })
}

/// A model of this shape with random weights, in memory or, if it is large, on disk.
fn model(shape: &Value) -> Checkpoint {
    let mut config = shape.clone();
    config["model_type"] = "gpt2".into();
    let config = config.to_string();
    let parsed = Gpt2Config::from_json(config.as_bytes()).unwrap();
    let mut header = Map::new();
    let mut end = 0;
    let specs: Vec<_> = names::tensors(&parsed)
        .into_iter()
        .filter(|it| !it.is_optional)
        .collect();
    for spec in &specs {
        let start = end;
        end += 4 * spec.rows * spec.cols;
        let entry = json!({ "dtype": "F32", "shape": spec.hugging_face_shape(), "data_offsets": [start, end] });
        header.insert(spec.name.clone(), entry);
    }
    let mut file = tempfile::tempfile().unwrap();
    let mut out = std::io::BufWriter::new(&mut file);
    use std::io::{Seek as _, Write as _};
    let header = Value::Object(header).to_string();
    out.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    out.write_all(header.as_bytes()).unwrap();
    let mut state = 1_u64;
    // The map sorts the names, so the tensors' places follow from the offsets, not from their order in the header.
    for spec in &specs {
        let is_scale = spec.name.contains("ln_") && spec.name.ends_with("weight");
        for _ in 0..spec.rows * spec.cols {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            let unit = (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
            let value = if is_scale { 1.0 } else { 0.035 * unit };
            out.write_all(&value.to_le_bytes()).unwrap();
        }
    }
    drop(out);
    file.rewind().unwrap();
    Checkpoint::from_floats(config.as_bytes(), vec![Box::new(file)]).unwrap()
}

fn measure(what: &str, shape: Value, params: &FineTuneParams, tokens: usize) {
    let mut base = model(&shape);
    let config = base.config().clone();
    let before = shared::peak_bytes();
    let vocab_size = config.vocab_size as u64;
    let text: Vec<u32> = (0..(STEPS * tokens) as u64)
        .map(|i| (i * i * 7919 % vocab_size) as u32)
        .collect();
    let params = FineTuneParams {
        block_len: Some(tokens),
        ..params.clone()
    };
    let mut best = f64::INFINITY;
    let mut fine_tune = FineTune::new(&mut base, &params, text, Threads::new(2)).unwrap();
    while !fine_tune.is_done() {
        let start = Instant::now();
        let report = fine_tune.step().unwrap();
        best = best.min(start.elapsed().as_secs_f64());
        eprintln!(
            "step {}: loss {:.4}, norm {:.3}",
            report.step, report.loss, report.grad_norm
        );
    }
    let speed = tokens as f64 / best;
    let peak = match (before, shared::peak_bytes()) {
        (Some(before), Some(peak)) => (peak - before) as f64 / 1e6,
        _ => f64::NAN,
    };
    let estimate = MemoryEstimate::new(&config, &params, Keep::All).total() as f64 / 1e6;
    drop(fine_tune);
    eprintln!(
        "{what}: {speed:.0} tok/s on 2 threads with {}; {peak:.0} MB at the peak, {estimate:.0} MB estimated",
        product::simd()
    );
    let Some(python) = python::with("peft") else {
        return;
    };
    let rank = match &params.method {
        huggingtweets::finetune::params::Method::Lora(lora) => lora.rank,
        huggingtweets::finetune::params::Method::Full => 0,
    };
    let question =
        json!({ "config": shape, "threads": 2, "steps": STEPS, "tokens": tokens, "rank": rank });
    let answer = python::ask(&python, "bench_finetune.py", &question);
    let theirs = answer["tokens_per_second"].as_f64().unwrap();
    eprintln!(
        "{what}: PyTorch {} {theirs:.0} tok/s; ratio {:.2}",
        answer["torch"],
        speed / theirs
    );
}

#[test]
#[ignore = "a measurement of minutes"]
fn full_fine_tuning_of_gpt2() {
    own_process::run("finetune_speed::full_fine_tuning_of_gpt2", || {
        measure(
            "full, 124M, 1 × 1024",
            gpt2(),
            &FineTuneParams::full(),
            1024,
        );
    });
}

#[test]
#[ignore = "a measurement of minutes"]
fn lora_of_gpt2() {
    own_process::run("finetune_speed::lora_of_gpt2", || {
        measure(
            "LoRA over Q8_0, 124M, 1 × 1024",
            gpt2(),
            &FineTuneParams::lora(),
            1024,
        );
    });
}

#[test]
#[ignore = "a measurement of minutes"]
fn full_fine_tuning_of_the_bundled_shape() {
    own_process::run(
        "finetune_speed::full_fine_tuning_of_the_bundled_shape",
        || {
            measure(
                "full, bundled shape, 1 × 128",
                bundled(),
                &FineTuneParams::full(),
                128,
            );
        },
    );
}

/// An empty file is no model, so that the helper above is held to account.
#[test]
fn the_measured_model_is_a_model() {
    let shape =
        json!({ "vocab_size": 50, "n_positions": 8, "n_embd": 8, "n_layer": 1, "n_head": 2 });
    assert_eq!(model(&shape).tensors().len(), 2 + 12 + 2);
    assert!(
        Checkpoint::from_floats(
            b"{\"model_type\":\"gpt2\"}",
            vec![Box::new(Cursor::new(vec![]))]
        )
        .is_err()
    );
}
