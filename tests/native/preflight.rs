//! The size and memory of a model are known before its weights are fetched, and a smaller type is offered if it
//! does not fit.

use crate::support::checkpoints::{load, model_files, open_gguf, quantize};
use crate::support::{gpt2_124m, shared};
use huggingtweets::engine::conversion::target;
use huggingtweets::engine::tokenizer_metadata;
use huggingtweets::hub::{Dtype, Listing, Offer, Room, Shape, Shortage, over_address_space};
use huggingtweets::infer::Session;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::state::offer_words::OfferWords;
use huggingtweets::weights::gguf_metadata::gpt2_metadata;
use huggingtweets::weights::{Checkpoint, Conversion, ConversionParams};
use serde_json::{Value, json};
use std::io::Cursor;
use std::process::Command;

/// Layers, heads, width of GPT-2's four sizes. The last width is no multiple of 256.
const SHAPES: [(&str, usize, usize, usize); 4] = [
    ("124M", 12, 12, 768),
    ("355M", 24, 16, 1024),
    ("774M", 36, 20, 1280),
    ("1.5B", 48, 25, 1600),
];
const GB: u64 = 1_000_000_000;
const GIB: u64 = 1 << 30;

fn config_json(shape: &str) -> Vec<u8> {
    let (_, n_layer, n_head, n_embd) = SHAPES.into_iter().find(|s| s.0 == shape).unwrap();
    let config = json!({
        "model_type": "gpt2", "n_layer": n_layer, "n_head": n_head, "n_embd": n_embd
    });
    config.to_string().into_bytes()
}

/// A repository of float weights, `bytes_per_weight` each.
fn floats(shape: &str, file: &str, bytes_per_weight: u64) -> Listing {
    let config = Gpt2Config::from_json(&config_json(shape)).unwrap();
    let weights = config.n_params() * bytes_per_weight;
    let files = [
        (file, weights),
        ("config.json", 700),
        ("tokenizer.json", 2_000_000),
    ];
    Listing::of_files(files.map(|(name, size)| (name.to_owned(), Some(size))))
}

fn offer(shape: &str, dtype: Dtype, device: Option<u64>) -> Offer {
    let room = Room {
        device_memory_bytes: device,
        storage_bytes: None,
    };
    let listing = floats(shape, "pytorch_model.bin", 4);
    Offer::new(&listing, None, Some(&config_json(shape)), dtype, room).unwrap()
}

#[test]
fn the_finished_file_of_every_size_and_type_is_known_to_a_hundredth() {
    for (shape, ..) in SHAPES {
        for is_tied in [true, false] {
            let mut json: Value = serde_json::from_slice(&config_json(shape)).unwrap();
            json["tie_word_embeddings"] = is_tied.into();
            let json = json.to_string().into_bytes();
            let config = Gpt2Config::from_json(&json).unwrap();
            for dtype in Dtype::ALL {
                let mut tokenizer = gpt2_124m::tokenizer(config.vocab_size);
                // The length of GPT-2's own vocabulary.
                tokenizer.merges = tokenizer.tokens[257..]
                    .iter()
                    .map(|token| format!("{token} "))
                    .collect();
                let metadata = gpt2_metadata(
                    "",
                    &config,
                    target(dtype),
                    tokenizer_metadata::entries(tokenizer),
                );
                let conversion = Conversion::new(&ConversionParams {
                    config_json: &json,
                    dtype: target(dtype),
                    metadata: &metadata,
                    n_files: 1,
                });
                let exact = conversion.unwrap().output_bytes();
                let told = Shape::from_json(&json).unwrap().footprint(dtype).file;
                let apart = told.abs_diff(exact) as f64 / exact as f64;
                assert!(apart < 0.01, "{shape} {dtype}: {told}, {exact}");
            }
        }
    }
}

/// The memory of a few layers, loaded, and of five texts.
#[test]
fn the_memory_told_is_what_weights_and_cache_take() {
    for (shape, n_embd, n_head) in [("124M", 768, 12), ("1.5B", 1600, 25)] {
        let config = Gpt2Config {
            vocab_size: 1000,
            n_ctx: 160,
            n_embd,
            n_layer: 2,
            n_head,
            n_inner: 4 * n_embd,
            layer_norm_epsilon: 1e-5,
            bos_token_id: Some(0),
            eos_token_ids: vec![0],
            arithmetic: Default::default(),
        };
        let (json, weights) = model_files(&config);
        for dtype in [Dtype::F32, Dtype::Q8_0, Dtype::Q6K, Dtype::Q4K, Dtype::Q4_0] {
            let file = Box::new(Cursor::new(weights.clone()));
            let checkpoint = Checkpoint::from_floats(&json, vec![file]).unwrap();
            let (bytes, _) = quantize(checkpoint, target(dtype));
            let model = load(open_gguf(&bytes).unwrap()).unwrap();
            let session = Session::new(model.clone(), 5, 5, 155).unwrap();
            let counted = (model.size_bytes() + session.memory_bytes()) as u64;
            // With so few layers, converting one needs more memory than holding all.
            let convert = (4 * n_embd * config.n_inner + (8 << 20)) as u64;
            let counted = counted.max(convert);
            let shape_of = Shape::from_json(&json).unwrap();
            let told = shape_of.footprint(dtype).memory;
            // Program, tokenizer, stacks.
            let rest = (12 << 20) + 250_000;
            let ratio = (told - rest) as f64 / counted as f64;
            println!("{shape} wide as {dtype}: {told} told, {counted} counted, {ratio:.3}");
            assert!((0.97..1.15).contains(&ratio), "{shape} {dtype}: {ratio}");
            let gguf = shape_of.footprint_of_gguf(bytes.len() as u64, dtype, true);
            assert!(gguf.memory.abs_diff(told) < told / 20, "{gguf:?} {told}");
        }
    }
}

#[test]
fn what_was_measured_in_a_page_is_what_is_told() {
    // README: 173.7 MB for GPT-2 124M in Q8_0, five texts of 160 tokens, two threads.
    let told = offer("124M", Dtype::Q8_0, None)
        .wanted
        .memory_bytes
        .unwrap();
    assert!(told.abs_diff(173_700_000) < 8_000_000, "{told}");
}

#[test]
fn a_model_that_fits_is_offered_as_it_is_wanted() {
    for (shape, device) in [
        ("124M", Some(GIB)),
        ("355M", Some(GIB)),
        ("355M", None),
        ("774M", Some(2 * GIB)),
        ("1.5B", Some(4 * GIB)),
        ("1.5B", None),
    ] {
        let offer = offer(shape, Dtype::Auto, device);
        assert_eq!(offer.wanted.shortage, None, "{shape} {device:?}: {offer:?}");
        assert_eq!(offer.fallback, None);
        assert_eq!(OfferWords::new(&offer).warning, None);
    }
}

#[test]
fn a_model_that_does_not_fit_is_offered_in_the_best_type_that_does() {
    let small =
        |shape: &str, dtype: Dtype, device: Option<u64>, shortage, fallback: Option<Dtype>| {
            let offer = offer(shape, dtype, device);
            assert_eq!(
                offer.wanted.shortage,
                Some(shortage),
                "{shape} {dtype}: {offer:?}"
            );
            let got = offer.fallback.map(|choice| choice.dtype);
            assert_eq!(got, fallback, "{shape} {dtype} {device:?}: {offer:?}");
            let warning = OfferWords::new(&offer).warning.unwrap();
            match fallback {
                Some(dtype) => {
                    let words = format!("As {} it fits", dtype.name().to_uppercase());
                    assert!(warning.contains(&words), "{warning}");
                }
                None => assert!(warning.contains("open a smaller model"), "{warning}"),
            }
            offer
        };
    // No browser has it; any may have it in eight bits.
    small(
        "1.5B",
        Dtype::F32,
        None,
        Shortage::AddressSpace,
        Some(Dtype::Q8_0),
    );
    small(
        "1.5B",
        Dtype::F16,
        Some(4 * GIB),
        Shortage::Memory,
        Some(Dtype::Q8_0),
    );
    // On a small phone the 355M needs four bits.
    small(
        "355M",
        Dtype::Auto,
        Some(3 * GIB / 4),
        Shortage::Memory,
        Some(Dtype::Q6K),
    );
    small(
        "774M",
        Dtype::Q8_0,
        Some(3 * GIB / 2),
        Shortage::Memory,
        Some(Dtype::Q6K),
    );
    small(
        "774M",
        Dtype::Q8_0,
        Some(GIB + GIB / 4),
        Shortage::Memory,
        Some(Dtype::Q4K),
    );
    // K types need another width, so only Q4_0 is small enough.
    let xl = small(
        "1.5B",
        Dtype::Q8_0,
        Some(5 * GIB / 2),
        Shortage::Memory,
        Some(Dtype::Q4_0),
    );
    let keep = |dtype| {
        xl.types
            .iter()
            .find(|c| c.dtype == dtype)
            .unwrap()
            .storage_bytes
    };
    assert!(keep(Dtype::Q4K) > Some(13 * GB / 10), "{xl:?}");
    assert!(keep(Dtype::Q4_0) < Some(9 * GB / 10), "{xl:?}");
    small("1.5B", Dtype::Auto, Some(GIB), Shortage::Memory, None);
}

#[test]
fn what_weights_are_stored_as_changes_the_fetch_and_not_the_rest() {
    let room = Room::default();
    let config = config_json("355M");
    let of = |file: &str, bytes| {
        let listing = floats("355M", file, bytes);
        Offer::new(&listing, None, Some(&config), Dtype::Auto, room).unwrap()
    };
    let (f32, f16, pickled) = (
        of("model.safetensors", 4),
        of("model.safetensors", 2),
        of("pytorch_model.bin", 4),
    );
    assert_eq!(f32, pickled);
    assert_eq!(f32.wanted.storage_bytes, f16.wanted.storage_bytes);
    assert_eq!(f32.wanted.memory_bytes, f16.wanted.memory_bytes);
    assert!(f32.wanted.download_bytes > f16.wanted.download_bytes.map(|n| n * 19 / 10));
    let keep = f32.wanted.storage_bytes.unwrap();
    assert!((380_000_000..385_000_000).contains(&keep), "{keep}");
}

#[test]
fn what_no_browser_can_address_is_said_as_such_on_a_small_device_too() {
    let offer = offer("1.5B", Dtype::F32, Some(2 * GIB));
    assert_eq!(offer.wanted.shortage, Some(Shortage::AddressSpace));
    let warning = OfferWords::new(&offer).warning.unwrap();
    assert!(
        warning.contains("gives any page, which is 4.29 GB"),
        "{warning}"
    );
}

#[test]
fn a_gguf_is_offered_in_its_own_type_alone() {
    let listing = Listing::of_files([("bot.Q4_K_M.gguf".to_owned(), Some(81_000_000))]);
    for dtype in [Dtype::Auto, Dtype::Q8_0, Dtype::Q4_0] {
        let offer = Offer::new(&listing, None, None, dtype, Room::default()).unwrap();
        let types: Vec<Dtype> = offer.types.iter().map(|choice| choice.dtype).collect();
        assert_eq!(types, [Dtype::Q4K], "{dtype}");
    }
}

#[test]
fn a_size_beyond_all_numbers_is_more_than_fits() {
    let listing = Listing::of_files([("bot.Q8_0.gguf".to_owned(), Some(u64::MAX))]);
    let config = config_json("124M");
    let offer = Offer::new(&listing, None, Some(&config), Dtype::Q8_0, Room::default()).unwrap();
    assert_eq!(offer.wanted.shortage, Some(Shortage::AddressSpace));
}

#[test]
fn storage_that_is_short_is_a_reason_too() {
    let config = config_json("355M");
    let listing = floats("355M", "model.safetensors", 4);
    let of = |storage| {
        let room = Room {
            device_memory_bytes: None,
            storage_bytes: Some(storage),
        };
        Offer::new(&listing, None, Some(&config), Dtype::Q8_0, room).unwrap()
    };
    let offer = of(250_000_000);
    assert_eq!(offer.wanted.shortage, Some(Shortage::Storage));
    assert_eq!(offer.fallback.unwrap().dtype, Dtype::Q4K);
    let offer = of(100_000_000);
    assert_eq!(offer.fallback, None);
    let warning = OfferWords::new(&offer).warning.unwrap();
    assert!(warning.contains("Delete models under Storage"), "{warning}");
}

#[test]
fn of_a_gguf_its_own_size_counts_and_other_types_become_q8_0() {
    let config = config_json("124M");
    let files = [
        ("gpt2.Q2_K.gguf", 81_000_000),
        ("gpt2.Q4_0.gguf", 77_000_000),
        ("gpt2.Q8_0.gguf", 137_000_000),
        ("config.json", 700),
    ];
    let listing = Listing::of_files(files.map(|(name, size)| (name.to_owned(), Some(size))));
    let of = |dtype, config| Offer::new(&listing, None, config, dtype, Room::default()).unwrap();
    let q8 = of(Dtype::Auto, Some(&config[..])).wanted;
    assert_eq!(q8.storage_bytes, Some(137_000_000));
    assert!(
        (170_000_000..185_000_000).contains(&q8.memory_bytes.unwrap()),
        "{q8:?}"
    );
    let q4 = of(Dtype::Q4_0, Some(&config[..])).wanted;
    assert_eq!(q4.storage_bytes, Some(77_000_000));
    assert!(q4.memory_bytes.unwrap() < 125_000_000, "{q4:?}");
    // The file alone says less.
    assert_eq!(of(Dtype::Q4_0, None).wanted.memory_bytes, None);

    let only = Listing::of_files([("gpt2.Q2_K.gguf".to_owned(), Some(81_000_000))]);
    let q2 = Offer::new(&only, None, Some(&config), Dtype::Auto, Room::default()).unwrap();
    assert_eq!(
        q2.wanted.memory_bytes.map(|n| n / 20_000_000),
        q8.memory_bytes.map(|n| n / 20_000_000)
    );
}

#[test]
fn the_loss_told_of_each_type_is_the_one_quantize_measures() {
    let Some(model) = shared::shared("data/starter") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for dtype in Offer::DTYPES {
        let output = Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
            .args(["--json", "quantize", "--dtype", dtype.name()])
            .args([&model, &folder.path().join("out.gguf")])
            .output()
            .unwrap();
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        let bits = |when: &str| result[when]["bits_per_byte"].as_f64().unwrap();
        let loss = 100.0 * (bits("after") / bits("before") - 1.0);
        eprintln!("{dtype}: {loss:.2} % more bits per byte");
        assert!(
            (loss - dtype.loss_percent()).abs() < 0.06,
            "{dtype}: {loss}"
        );
    }
}

#[test]
fn weights_that_no_browser_can_hold_are_refused_before_they_are_fetched() {
    for (shape, dtype, instead) in [
        ("1.5B", Dtype::F32, Some(Some(Dtype::Q8_0))),
        ("1.5B", Dtype::F16, None),
        ("774M", Dtype::F32, None),
    ] {
        let refused = over_address_space(&config_json(shape), dtype);
        assert_eq!(
            refused.map(|(_, instead)| instead),
            instead,
            "{shape} {dtype}"
        );
        assert!(refused.is_none_or(|(memory, _)| memory > 4 * GIB));
    }
    let huge = json!({ "model_type": "gpt2", "n_layer": 96, "n_head": 96, "n_embd": 12_288 });
    let refused = over_address_space(huge.to_string().as_bytes(), Dtype::Q4_0);
    assert_eq!(refused.map(|(_, instead)| instead), Some(None));
}
