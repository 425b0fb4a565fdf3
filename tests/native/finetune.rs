//! A training does what PyTorch's and peft's do, goes on from a checkpoint with the same bits, and learns.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::checkpoints::{fixtures, floats, ids, json, tiny};
use huggingtweets::finetune::parameter::Parameter;
use huggingtweets::finetune::params::{Frozen, LoraParams, Method};
use huggingtweets::finetune::{FineTune, FineTuneError, FineTuneParams};
use huggingtweets::parallel::Threads;
use serde_json::Value;

fn reference() -> Value {
    json(&fixtures().join("finetune.json"))
}

/// The figures of the reference's training of this name, without dropout.
fn params(reference: &Value, name: &str) -> FineTuneParams {
    let method = match name {
        "lora" => Method::Lora(LoraParams {
            rank: reference["rank"].as_u64().unwrap() as usize,
            alpha: reference["alpha"].as_f64().unwrap() as f32,
            frozen: Frozen::Floats,
            ..LoraParams::default()
        }),
        _ => Method::Full,
    };
    FineTuneParams {
        method,
        learning_rate: reference[name]["learning_rate"].as_f64().unwrap() as f32,
        block_len: Some(reference["block_len"].as_u64().unwrap() as usize),
        dropout: 0.0,
        seed: reference["seed"].as_u64().unwrap(),
        ..FineTuneParams::full()
    }
}

/// The first tokens of the reference's text, as many as the training of this name takes.
fn tokens(reference: &Value, name: &str) -> Vec<u32> {
    let mut tokens = ids(&reference["tokens"]);
    let steps = reference[name]["losses"].as_array().unwrap().len();
    tokens.truncate(steps * reference["block_len"].as_u64().unwrap() as usize);
    tokens
}

fn begin(params: &FineTuneParams, tokens: Vec<u32>, n_threads: usize) -> FineTune {
    FineTune::new(&mut tiny(), params, tokens, Threads::new(n_threads)).unwrap()
}

/// Trains to the end and gives the losses and the norms of the gradients.
fn train(fine_tune: &mut FineTune) -> (Vec<f32>, Vec<f32>) {
    let mut reports = Vec::new();
    while !fine_tune.is_done() {
        reports.push(fine_tune.step().unwrap());
    }
    reports.iter().map(|it| (it.loss, it.grad_norm)).unzip()
}

fn by_name(trained: &[Arc<Parameter>]) -> BTreeMap<&str, Vec<f32>> {
    let named = trained.iter();
    named.map(|it| (it.name(), it.value().clone())).collect()
}

/// The largest distance, where numbers above 1 count as fractions.
#[track_caller]
fn assert_follows(what: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let apart = got
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    let worst = apart.fold(0.0, f32::max);
    eprintln!("{what}: {worst:.2e} apart");
    assert!(
        worst <= tolerance,
        "{what}: {worst:.2e} apart\n{got:?}\n{expected:?}"
    );
}

/// The places of a tensor that the reference has.
fn at_places(numbers: &[f32], some: &Value) -> Vec<f32> {
    let stride = some["stride"].as_u64().unwrap() as usize;
    numbers.iter().copied().step_by(stride).collect()
}

fn ten_steps(name: &str, tolerance: f32) {
    let reference = reference();
    let params = params(&reference, name);
    let mut fine_tune = begin(&params, tokens(&reference, name), 1);
    let (losses, norms) = train(&mut fine_tune);
    let expected = &reference[name];
    assert_follows("losses", &losses, &floats(&expected["losses"]), tolerance);
    assert_follows(
        "norms",
        &norms,
        &floats(&expected["norms"]),
        10.0 * tolerance,
    );
    let trained = by_name(fine_tune.trained());
    let weights = expected["weights"].as_object().unwrap();
    assert_eq!(trained.len(), weights.len(), "{:?}", trained.keys());
    for (name, some) in weights {
        let mut got = at_places(&trained[name.as_str()], some);
        let mut theirs = floats(&some["values"]);
        if name.ends_with("c_attn.bias") {
            // The same number added to every key changes no attention weight, so the gradient of the keys' bias is
            // rounding alone, of which Adam makes steps of full length.
            let third = got.len() / 3;
            got.drain(third..2 * third);
            theirs.drain(third..2 * third);
        }
        assert_follows(name, &got, &theirs, 10.0 * tolerance);
    }
}

#[test]
fn ten_steps_follow_pytorch() {
    ten_steps("full", 3e-5);
}

#[test]
fn ten_steps_of_lora_follow_peft() {
    ten_steps("lora", 3e-5);
}

#[test]
fn a_hundred_steps_stay_in_a_band_around_pytorch() {
    let reference = reference();
    let mut fine_tune = begin(&params(&reference, "long"), tokens(&reference, "long"), 2);
    let (losses, _) = train(&mut fine_tune);
    let expected = floats(&reference["long"]["losses"]);
    assert_follows("losses", &losses, &expected, 2e-3);
    assert!(
        losses[99] < losses[0] - 1.0,
        "{} to {}",
        losses[0],
        losses[99]
    );
}

/// Some steps of the recipe, with dropout, two blocks per step and two passes.
fn recipe(method: Method) -> FineTuneParams {
    FineTuneParams {
        method,
        learning_rate: 1e-3,
        block_len: Some(24),
        batch_size: 2,
        passes: 2,
        seed: 3,
        ..FineTuneParams::full()
    }
}

fn methods() -> [Method; 3] {
    let lora = |frozen| {
        Method::Lora(LoraParams {
            rank: 3,
            frozen,
            ..LoraParams::default()
        })
    };
    [Method::Full, lora(Frozen::Floats), lora(Frozen::Quantized)]
}

fn text() -> Vec<u32> {
    let mut tokens = ids(&reference()["tokens"]);
    tokens.truncate(24 * 5 + 7);
    tokens
}

#[test]
fn threads_do_not_change_a_bit_of_a_training() {
    for method in methods() {
        let params = recipe(method);
        let of = |n_threads| {
            let mut fine_tune = begin(&params, text(), n_threads);
            let losses = train(&mut fine_tune);
            (
                losses,
                by_name(fine_tune.trained())
                    .into_values()
                    .collect::<Vec<_>>(),
            )
        };
        let one = of(1);
        assert_eq!(one.0.0.len(), 6);
        assert_eq!(of(2), one, "{:?}", params.method);
        assert_eq!(of(3), one, "{:?}", params.method);
    }
}

fn checkpoint(fine_tune: &FineTune) -> Vec<u8> {
    let mut bytes = Vec::new();
    fine_tune.write_checkpoint(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_training_interrupted_at_any_step_ends_with_the_same_bits() {
    for method in methods() {
        let params = recipe(method);
        let mut whole = begin(&params, text(), 1);
        let (losses, _) = train(&mut whole);
        for interrupted_at in 0..=whole.n_steps() {
            let mut first = begin(&params, text(), 1);
            for _ in 0..interrupted_at {
                first.step().unwrap();
            }
            let bytes = checkpoint(&first);
            assert!(bytes.len() as u64 >= first.checkpoint_bytes());
            drop(first);
            let mut second = begin(&params, text(), 2);
            second.restore(&mut &bytes[..]).unwrap();
            assert_eq!(second.steps_done(), interrupted_at);
            let (rest, _) = train(&mut second);
            assert_eq!(
                rest,
                losses[interrupted_at as usize..],
                "after step {interrupted_at}"
            );
            assert_eq!(by_name(second.trained()), by_name(whole.trained()));
        }
    }
}

#[test]
fn a_damaged_or_foreign_checkpoint_is_refused() {
    let params = recipe(Method::Full);
    let mut fine_tune = begin(&params, text(), 1);
    fine_tune.step().unwrap();
    let bytes = checkpoint(&fine_tune);
    let restored = |params: &FineTuneParams, text: Vec<u32>, bytes: &[u8]| {
        begin(params, text, 1).restore(&mut &bytes[..])
    };
    for end in [0, 4, 12, 400, bytes.len() - 40, bytes.len() - 1] {
        let error = restored(&params, text(), &bytes[..end]).unwrap_err();
        assert!(
            matches!(error, FineTuneError::BadCheckpoint { .. }),
            "{end}: {error}"
        );
    }
    for place in [0, 9, bytes.len() / 2, bytes.len() - 3] {
        let mut changed = bytes.clone();
        changed[place] ^= 4;
        let error = restored(&params, text(), &changed).unwrap_err();
        assert!(
            matches!(error, FineTuneError::BadCheckpoint { .. }),
            "{place}: {error}"
        );
    }
    let what = |result: Result<(), FineTuneError>| match result {
        Err(FineTuneError::OtherTraining { what }) => what,
        other => panic!("{other:?}"),
    };
    let other = FineTuneParams {
        seed: 4,
        ..params.clone()
    };
    assert_eq!(what(restored(&other, text(), &bytes)), "figures");
    let mut longer = text();
    longer[0] += 1;
    assert_eq!(what(restored(&params, longer, &bytes)), "text");
}

#[test]
fn lora_begins_as_the_base_and_leaves_it_as_it_is() {
    let params = recipe(methods()[1].clone());
    let block = &text()[..40];
    let base = begin(&recipe(Method::Full), text(), 1)
        .evaluate(block)
        .unwrap();
    let mut fine_tune = begin(&params, text(), 1);
    let before = fine_tune.evaluate(block).unwrap();
    assert!((before - base).abs() < 1e-5, "{before}, {base}");
    train(&mut fine_tune);
    let after = fine_tune.evaluate(block).unwrap();
    assert!((after - base).abs() > 1e-2, "{after}, {base}");
    let names = by_name(fine_tune.trained());
    assert_eq!(names.len(), 2 * 4 * 2);
    assert!(
        names.keys().all(|name| name.contains(".lora_")),
        "{names:?}"
    );
}

#[test]
fn frozen_weights_in_eight_bits_train_nearly_as_floats() {
    let of = |method: &Method| {
        let params = FineTuneParams {
            dropout: 0.0,
            ..recipe(method.clone())
        };
        train(&mut begin(&params, text(), 1)).0
    };
    let [_, as_floats, quantized] = methods();
    assert_follows("losses", &of(&quantized), &of(&as_floats), 2e-2);
}

#[test]
fn figures_and_texts_that_cannot_be_trained_are_refused() {
    let refused = |params: &FineTuneParams, tokens: Vec<u32>| match FineTune::new(
        &mut tiny(),
        params,
        tokens,
        Threads::default(),
    ) {
        Err(error) => error,
        Ok(_) => panic!("accepted"),
    };
    let full = FineTuneParams::full();
    for (change, name) in [
        (
            FineTuneParams {
                block_len: Some(97),
                ..full.clone()
            },
            "block_len",
        ),
        (
            FineTuneParams {
                block_len: Some(1),
                ..full.clone()
            },
            "block_len",
        ),
        (
            FineTuneParams {
                learning_rate: f32::NAN,
                ..full.clone()
            },
            "learning_rate",
        ),
        (
            FineTuneParams {
                batch_size: 0,
                ..full.clone()
            },
            "batch_size",
        ),
        (
            FineTuneParams {
                dropout: 1.0,
                ..full.clone()
            },
            "dropout",
        ),
    ] {
        match refused(&change, vec![1; 200]) {
            FineTuneError::OutOfRange { name: got, .. } => assert_eq!(got, name),
            other => panic!("{other}"),
        }
    }
    assert!(matches!(
        refused(&full, vec![1; 95]),
        FineTuneError::TooLittleText {
            got: 95,
            block_len: 96
        }
    ));
    assert!(matches!(
        refused(&full, vec![256; 96]),
        FineTuneError::TokenOutOfRange {
            token_id: 256,
            vocab_size: 256
        }
    ));
}

#[test]
fn a_loss_that_is_no_number_stops_the_training_and_changes_nothing() {
    let params = FineTuneParams {
        learning_rate: 1.0,
        max_grad_norm: 0.0,
        passes: 40,
        ..recipe(Method::Full)
    };
    let mut fine_tune = begin(&params, text(), 1);
    let mut before = checkpoint(&fine_tune);
    let error = loop {
        match fine_tune.step() {
            Ok(_) if fine_tune.is_done() => return eprintln!("the loss stayed finite"),
            Ok(_) => before = checkpoint(&fine_tune),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, FineTuneError::NotFinite { .. }), "{error}");
    assert_eq!(checkpoint(&fine_tune), before);
}
