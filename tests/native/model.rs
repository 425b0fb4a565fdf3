//! The GPT-2 on candle tensors computes the logits of PyTorch's GPT-2, and carries gradients.

use crate::support::checkpoints::*;
use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use huggingtweets::infer::{Logits, Session};
use huggingtweets::json::JsonError;
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::model::ModelError;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::model::gpt2::Gpt2;
use huggingtweets::weights::Checkpoint;

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
        arithmetic: Default::default(),
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

// https://github.com/ggml-org/ggml/issues/64
#[test]
fn every_setting_that_changes_the_arithmetic_gives_the_logits_of_transformers() {
    let oracle = json(&fixtures().join("arithmetic.json"));
    let tokens = ids(&oracle["tokens"]);
    let weights = std::fs::read(fixtures().join("tiny/model.safetensors")).unwrap();
    let cases = oracle["cases"].as_array().unwrap();
    assert!(cases.len() > 25);
    for case in cases {
        let settings = &case["settings"];
        let mut config = json(&fixtures().join("tiny/config.json"));
        for (key, value) in settings.as_object().unwrap() {
            config[key] = value.clone();
        }
        let open = || {
            let file = Box::new(std::io::Cursor::new(weights.clone()));
            Checkpoint::from_floats(config.to_string().as_bytes(), vec![file]).unwrap()
        };
        let expected = floats(&case["logits"]);
        eprintln!("{settings}");
        let readable = candle_logits(&load_candle(open()), &tokens);
        let last = &readable[(tokens.len() - 1) * 256..];
        assert_close(&last[..expected.len()], &expected, 2e-5);
        let model = load(open()).unwrap();
        let mut session = Session::new(model, 1, tokens.len() - 1, 1).unwrap();
        session
            .prefill(&tokens[..tokens.len() - 1], Logits::Skip)
            .unwrap();
        let fast = session.decode(&[(0, tokens[tokens.len() - 1])]).unwrap();
        assert_close(&fast[..expected.len()], &expected, 2e-5);
        // The settings survive in a config.json and in a GGUF.
        let written = open().config().to_json();
        let again = Gpt2Config::from_json(written.to_string().as_bytes()).unwrap();
        assert_eq!(&again, open().config());
        let gguf = quantize(open(), WeightType::F32).0;
        assert_eq!(open_gguf(&gguf).unwrap().config(), &again);
    }
}

#[test]
fn what_is_not_computed_is_refused_by_name() {
    for name in ["prelu", "xielu", "gelu_tnah", ""] {
        let refused = config_with(&format!(r#"{{"activation_function":"{name}"}}"#));
        assert!(
            matches!(&refused, Err(ModelError::UnsupportedOption { option: "activation_function", value }) if value == name),
            "{refused:?}"
        );
    }
    for (changes, name) in [
        (r#"{"model_type":"llama"}"#, "llama"),
        (r#"{"model_type":5}"#, "5"),
        (
            r#"{"model_type":null,"architectures":["XLNetLMHeadModel"]}"#,
            "XLNetLMHeadModel",
        ),
    ] {
        let refused = config_with(changes);
        assert!(
            matches!(&refused, Err(ModelError::NotGpt2 { model_type }) if model_type == name),
            "{refused:?}"
        );
    }
    let nothing = Gpt2Config::from_json(b"{}");
    assert!(matches!(nothing, Err(ModelError::NotGpt2 { .. })));
}

// https://github.com/Morizeyao/GPT2-Chinese/issues/137
#[test]
fn a_configuration_without_a_model_type_is_known_by_its_class_or_by_its_keys() {
    let plain = config_with("{}").unwrap();
    for changes in [
        r#"{"model_type":null}"#,
        r#"{"model_type":null,"architectures":["GPT2LMHeadModel"]}"#,
        r#"{"model_type":null,"architectures":["Other","TFGPT2LMHeadModel"]}"#,
        r#"{"model_type":null,"architectures":"GPT2Model"}"#,
        r#"{"model_type":null,"architectures":null}"#,
    ] {
        assert_eq!(config_with(changes).unwrap(), plain, "{changes}");
    }
    let class_alone = br#"{"architectures":["GPT2LMHeadModel"]}"#;
    assert_eq!(Gpt2Config::from_json(class_alone).unwrap().n_embd, 768);
}

// https://github.com/paiml/aprender/issues/268
#[test]
fn a_key_that_nobody_needs_never_shuts_a_model() {
    let plain = config_with("{}").unwrap();
    for changes in [
        r#"{"use_cache":"yes","resid_pdrop":null,"n_special":-1,"torch_dtype":{"a":[]},"dtype":"float16"}"#,
        r#"{"rope_parameters":{"rope_theta":1e4},"summary_first_dropout":[],"pad_token_id":-1}"#,
        r#"{"reorder_and_upcast_attn":true,"transformers_version":5,"layer_types":null}"#,
    ] {
        assert_eq!(config_with(changes).unwrap(), plain, "{changes}");
    }
    let text = json(&fixtures().join("tiny/config.json")).to_string();
    let text = format!(
        "\u{feff}{}",
        text.replacen('{', r#"{"loss":NaN,"best":-Infinity,"#, 1)
    );
    assert_eq!(Gpt2Config::from_json(text.as_bytes()).unwrap(), plain);
    // Of a key that stands twice the last value counts, as in Python.
    let twice = text.replacen('{', r#"{"n_layer":7,"#, 1);
    assert_eq!(Gpt2Config::from_json(twice.as_bytes()).unwrap(), plain);
}

#[test]
fn sizes_are_read_however_they_are_written() {
    let plain = config_with("{}").unwrap();
    for changes in [
        r#"{"n_embd":32.0,"n_layer":2.0,"n_inner":128.0}"#,
        r#"{"n_inner":128}"#,
        r#"{"n_positions":null,"n_ctx":96}"#,
        r#"{"n_ctx":1024}"#,
        // transformers 5 takes these before the older names.
        r#"{"n_embd":64,"hidden_size":32}"#,
        r#"{"n_layer":null,"num_hidden_layers":2,"n_head":null,"num_attention_heads":4}"#,
        r#"{"n_positions":null,"max_position_embeddings":96}"#,
        r#"{"scale_attn_weights":1,"scale_attn_by_inverse_layer_idx":0,"activation_function":null}"#,
        r#"{"layer_norm_epsilon":null}"#,
    ] {
        assert_eq!(config_with(changes).unwrap(), plain, "{changes}");
    }
    assert_eq!(config_with(r#"{"n_inner":96}"#).unwrap().n_inner, 96);
    let null = config_with(r#"{"n_layer":null}"#).unwrap();
    assert_eq!(null.n_layer, 12);
}

#[test]
fn a_needed_key_with_an_unusable_value_is_named_with_it() {
    for (key, value) in [
        ("n_embd", "-1"),
        ("n_embd", "32.5"),
        ("n_layer", "\"2\""),
        ("n_head", "true"),
        ("n_inner", "[128]"),
        ("vocab_size", "1e300"),
        ("layer_norm_epsilon", "\"1e-5\""),
        ("scale_attn_weights", "\"no\""),
        ("scale_attn_by_inverse_layer_idx", "2"),
        ("activation_function", "[\"gelu\"]"),
    ] {
        let refused = config_with(&format!(r#"{{"{key}":{value}}}"#)).unwrap_err();
        let text = refused.to_string();
        assert!(matches!(refused, ModelError::BadValue { .. }), "{text}");
        assert!(text.contains(&format!("{key} = ")), "{text}");
        assert!(!refused.hint().is_empty());
    }
    let long = config_with(&format!(r#"{{"n_embd":"{}"}}"#, "x".repeat(5000))).unwrap_err();
    assert!(long.to_string().len() < 200, "{long}");
}

#[test]
fn a_decoder_without_its_encoder_is_noticed() {
    let json = br#"{"model_type":"gpt2","add_cross_attention":true}"#;
    let (_, notices) = Gpt2Config::read(json).unwrap();
    assert_eq!(notices.len(), 1);
    assert!(
        notices[0]
            .to_string()
            .starts_with("config.json: add_cross_attention")
    );
    assert_eq!(Gpt2Config::read(br#"{"model_type":"gpt2"}"#).unwrap().1, []);
}

#[test]
fn an_answer_in_place_of_the_configuration_is_named() {
    let refused = Gpt2Config::from_json(br#"{"error":"Repository not found"}"#).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "config.json is not a GPT-2 configuration (it is a server's answer that it does not give the file)"
    );
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
    for epsilon in ["-1e-5", "1"] {
        assert!(matches!(
            config_with(&format!(r#"{{"layer_norm_epsilon":{epsilon}}}"#)),
            Err(ModelError::BadEpsilon { .. })
        ));
    }
    // transformers computes with it.
    let zero = config_with(r#"{"layer_norm_epsilon":0.0}"#).unwrap();
    assert_eq!(zero.layer_norm_epsilon, 0.0);
    assert!(matches!(
        Gpt2Config::from_json(b"[]"),
        Err(ModelError::BadConfigJson { .. })
    ));
    assert!(matches!(
        Gpt2Config::from_json(b"<html>"),
        Err(ModelError::BadConfigJson {
            source: JsonError::Other { .. }
        })
    ));
}
