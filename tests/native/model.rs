//! The GPT-2 on candle tensors computes the logits of PyTorch's GPT-2, and carries gradients.

use crate::support::checkpoints::*;
use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use huggingtweets::model::ModelError;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::model::gpt2::Gpt2;

#[test]
fn candle_tier_agrees_with_pytorch() {
    let model = load_candle(tiny());
    let reference = json(&fixtures().join("tiny.json"));
    let v = model.config().vocab_size;
    for case in reference["cases"].as_array().unwrap() {
        let logits = candle_logits(&model, &ids(&case["prompt"]));
        assert_close(
            &logits[logits.len() - v..],
            &floats(&case["last_logits"]),
            1e-4,
        );
        if let Some(all) = case["all_logits"].as_array() {
            let all: Vec<f32> = all.iter().flat_map(floats).collect();
            assert_close(&logits, &all, 1e-4);
        }
    }
}

#[test]
fn greedy_ids_of_the_candle_tier_are_pytorchs() {
    let model = load_candle(tiny());
    let reference = &json(&fixtures().join("tiny.json"))["greedy"];
    let mut tokens = ids(&reference["prompt"]);
    let n_prompt = tokens.len();
    for _ in 0..64 {
        let logits = candle_logits(&model, &tokens);
        tokens.push(argmax(&logits[logits.len() - model.config().vocab_size..]));
    }
    assert_eq!(tokens[n_prompt..], ids(&reference["token_ids"]));
}

#[test]
fn rows_of_a_batch_do_not_see_each_other() {
    let model = load_candle(tiny());
    let (a, b) = ([1_u32, 2, 3, 4], [200_u32, 100, 50, 25]);
    let both = Tensor::new(&[a, b], &Device::Cpu).unwrap();
    let both: Vec<f32> = model
        .forward(&both)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap();
    let apart = [candle_logits(&model, &a), candle_logits(&model, &b)].concat();
    assert_close(&both, &apart, 1e-5);
}

#[test]
fn every_parameter_receives_a_gradient_that_finite_differences_confirm() {
    let config = Gpt2Config {
        vocab_size: 11,
        n_ctx: 6,
        n_embd: 8,
        n_layer: 2,
        n_head: 2,
        n_inner: 16,
        layer_norm_epsilon: 1e-5,
        bos_token_id: Some(0),
        eos_token_ids: vec![0],
    };
    let vars = VarMap::new();
    let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
    // A `VarMap` has whatever is asked for, a separate head included.
    let model = Gpt2::new(&config, vb).unwrap();
    let mut state = 5_u64;
    for var in vars.all_vars() {
        let values: Vec<f32> = (0..var.elem_count())
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(99);
                (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.4
            })
            .collect();
        var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
            .unwrap();
    }
    // The model holds the variables themselves, so it sees the values just set.
    let tokens = Tensor::new(&[[1_u32, 5, 7, 2, 9, 3]], &Device::Cpu).unwrap();
    let targets = Tensor::new(&[5_u32, 7, 2, 9, 3, 1], &Device::Cpu).unwrap();
    let loss = || {
        let logits = model.forward(&tokens).unwrap().squeeze(0).unwrap();
        candle_nn::loss::cross_entropy(&logits, &targets).unwrap()
    };
    let gradients = loss().backward().unwrap();
    let data = vars.data().lock().unwrap().clone();
    for (name, var) in &data {
        let gradient = gradients
            .get(var)
            .unwrap_or_else(|| panic!("{name} receives no gradient"));
        let gradient: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
        // The steepest place: a difference there stands out from rounding.
        let i = (0..gradient.len())
            .max_by(|a, b| gradient[*a].abs().total_cmp(&gradient[*b].abs()))
            .unwrap();
        let values: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        let step = 1e-2;
        let moved = |delta: f32| -> f32 {
            let mut values = values.clone();
            values[i] += delta;
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
            loss().to_scalar().unwrap()
        };
        let slope = (moved(step) - moved(-step)) / (2.0 * step);
        moved(0.0);
        assert!(
            (slope - gradient[i]).abs() < 2e-3 + 0.02 * gradient[i].abs(),
            "{name}[{i}]: gradient {}, finite difference {slope}",
            gradient[i]
        );
    }
}

#[test]
fn too_many_tokens_are_refused() {
    let model = load_candle(tiny());
    let tokens = Tensor::zeros((1, 97), DType::U32, &Device::Cpu).unwrap();
    assert!(matches!(
        model.forward(&tokens),
        Err(ModelError::ContextFull {
            wanted: 97,
            n_ctx: 96
        })
    ));
}

fn config_with(changes: &str) -> Result<Gpt2Config, ModelError> {
    let mut config = json(&fixtures().join("tiny/config.json"));
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    Gpt2Config::from_json(config.to_string().as_bytes())
}

#[test]
fn config_survives_a_round_trip_through_json() {
    let config = config_with("{}").unwrap();
    let again = Gpt2Config::from_json(config.to_json().to_string().as_bytes()).unwrap();
    assert_eq!(config, again);
    assert_eq!(config.n_inner, 128);
    assert_eq!(config.to_json()["layer_norm_epsilon"], 1e-5);
}

#[test]
fn absent_keys_have_the_values_of_transformers() {
    let config = Gpt2Config::from_json(br#"{"model_type":"gpt2"}"#).unwrap();
    assert_eq!(
        (config.vocab_size, config.n_ctx, config.n_embd),
        (50257, 1024, 768)
    );
    assert_eq!(
        (config.n_layer, config.n_head, config.n_inner),
        (12, 12, 3072)
    );
    assert_eq!(config.bos_token_id, Some(50256));
    assert_eq!(config.eos_token_ids, [50256]);
    assert_eq!(config.n_params(), 124_439_808);
}

#[test]
fn configurations_of_other_arithmetic_are_refused() {
    for changes in [
        r#"{"activation_function":"relu"}"#,
        r#"{"scale_attn_weights":false}"#,
        r#"{"scale_attn_by_inverse_layer_idx":true}"#,
        r#"{"reorder_and_upcast_attn":true}"#,
        r#"{"add_cross_attention":true}"#,
    ] {
        let refused = config_with(changes);
        assert!(
            matches!(refused, Err(ModelError::UnsupportedOption { .. })),
            "{changes}"
        );
    }
    assert!(matches!(
        config_with(r#"{"model_type":"llama"}"#),
        Err(ModelError::NotGpt2 { .. })
    ));
}

#[test]
fn hostile_configurations_are_refused() {
    for changes in [
        r#"{"vocab_size":0}"#,
        r#"{"n_layer":4294967296}"#,
        r#"{"n_embd":18446744073709551615}"#,
        r#"{"n_positions":1000000000}"#,
        r#"{"n_inner":0}"#,
        r#"{"n_head":64}"#,
    ] {
        let refused = config_with(changes);
        assert!(
            matches!(refused, Err(ModelError::OutOfRange { .. })),
            "{changes}"
        );
    }
    assert!(matches!(
        config_with(r#"{"n_head":5}"#),
        Err(ModelError::UnevenHeads { .. })
    ));
    assert!(matches!(
        config_with(r#"{"layer_norm_epsilon":0}"#),
        Err(ModelError::BadEpsilon { .. })
    ));
    assert!(matches!(
        config_with(r#"{"n_embd":-1}"#),
        Err(ModelError::BadConfigJson { .. })
    ));
    assert!(matches!(
        Gpt2Config::from_json(b"<html>"),
        Err(ModelError::BadConfigJson { .. })
    ));
}
