//! Checkpoints that are written and read back stay the same; damaged and hostile files are refused by name.

use std::io::Cursor;

use crate::support::checkpoints::*;
use crate::support::gguf_file;
use huggingtweets::file_kind::FileKind;
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::weights::dtype::StoredType;
use huggingtweets::weights::gguf::Value;
use huggingtweets::weights::gguf_layout::TensorToWrite;
use huggingtweets::weights::{Checkpoint, Conversion, WeightsError, names};

const ALL: [WeightType; 6] = WeightType::ALL;

#[test]
fn f32_gguf_holds_the_very_weights_of_the_safetensors() {
    let (bytes, report) = quantize(tiny(), WeightType::F32);
    assert_eq!(report.max_error, 0.0);
    let (mut from, mut to) = (tiny(), open_gguf(&bytes).unwrap());
    assert_eq!(from.config(), to.config());
    assert_eq!(from.tensors().len(), 2 + 2 * 12 + 2);
    assert_same_weights(&mut from, &mut to);
}

#[test]
fn the_names_of_hugging_face_are_read_with_and_without_prefix() {
    let mut plain = open_folder(&fixtures().join("tiny-f16"));
    let mut prefixed = tiny();
    let (a, b) = (
        plain.floats("h.1.mlp.c_fc.weight"),
        prefixed.floats("h.1.mlp.c_fc.weight"),
    );
    assert_close(&a.unwrap(), &b.unwrap(), 1e-3);
}

#[test]
fn linear_maps_are_given_as_out_by_in() {
    let weight = tiny().matrix("h.0.attn.c_attn.weight").unwrap();
    assert_eq!((weight.rows(), weight.cols()), (96, 32));
    let folder = fixtures().join("tiny");
    let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let stored = file.tensor("transformer.h.0.attn.c_attn.weight").unwrap();
    assert_eq!(stored.shape(), [32, 96]);
    let at = |i: usize| f32::from_le_bytes(stored.data()[4 * i..][..4].try_into().unwrap());
    let mut row = [0.0; 32];
    weight.row(95, &mut row);
    for (col, value) in row.iter().enumerate() {
        assert_eq!(*value, at(col * 96 + 95));
    }
}

#[test]
fn a_redundant_head_is_passed_over_and_a_separate_one_is_used() {
    let folder = fixtures().join("tiny-bf16");
    assert!(!has_head(&open_folder(&folder)));
    let mut config = json(&folder.join("config.json"));
    config["tie_word_embeddings"] = false.into();
    let open = |folder: &str| {
        let file = std::fs::File::open(fixtures().join(folder).join("model.safetensors")).unwrap();
        Checkpoint::from_floats(config.to_string().as_bytes(), vec![Box::new(file)])
    };
    let untied = open("tiny-bf16").unwrap();
    assert!(has_head(&untied));
    let (bytes, _) = quantize(untied, WeightType::F16);
    let model = load(open_gguf(&bytes).unwrap()).unwrap();
    let tied = load(open_folder(&folder)).unwrap();
    assert_eq!(model.size_bytes(), tied.size_bytes() + 256 * 32 * 2);
    assert!(
        matches!(open("tiny"), Err(WeightsError::MissingTensor { name }) if name == "lm_head.weight")
    );
}

#[test]
fn shards_are_one_checkpoint() {
    let bytes = std::fs::read(fixtures().join("tiny/model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut shards = [Vec::new(), Vec::new()];
    for (i, (name, tensor)) in file.tensors().into_iter().enumerate() {
        shards[i % 2].push((name, tensor));
    }
    let files = shards
        .map(|shard| Cursor::new(safetensors::serialize(shard, None).unwrap()))
        .map(|file| Box::new(file) as Box<dyn huggingtweets::weights::ReadSeek>);
    let config = std::fs::read(fixtures().join("tiny/config.json")).unwrap();
    let mut sharded = Checkpoint::from_floats(&config, files.into()).unwrap();
    for (spec, _) in tiny().tensors() {
        assert_eq!(
            sharded.floats(&spec.name).unwrap(),
            tiny().floats(&spec.name).unwrap()
        );
    }
}

/// The tensors of the tiny model, changed: name, shape, bytes of F32.
fn with_tensors(
    change: impl Fn(&mut Vec<(String, Vec<usize>, Vec<u8>)>),
) -> Result<Checkpoint, WeightsError> {
    let folder = fixtures().join("tiny");
    let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter();
    let tensors = tensors.map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec()));
    let mut tensors: Vec<_> = tensors.collect();
    change(&mut tensors);
    let views = tensors.iter().map(|(name, shape, data)| {
        let view =
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), data);
        (name.as_str(), view.unwrap())
    });
    let changed = safetensors::serialize(views, None).unwrap();
    let config = std::fs::read(folder.join("config.json")).unwrap();
    Checkpoint::from_floats(&config, vec![Box::new(Cursor::new(changed))])
}

const C_ATTN: &str = "transformer.h.0.attn.c_attn.weight";

#[test]
fn of_two_copies_of_a_tensor_that_of_transformers_is_read_and_noticed() {
    for (same, other) in [
        (true, "wte.weight"),
        (false, "wte.weight"),
        (false, "module.wte.weight"),
    ] {
        let mut opened = with_tensors(|tensors| {
            let wte = tensors
                .iter()
                .find(|tensor| tensor.0 == "transformer.wte.weight");
            let (_, shape, data) = wte.unwrap().clone();
            let data = if same { data } else { vec![0; data.len()] };
            tensors.push((other.to_owned(), shape, data));
        })
        .unwrap();
        assert_same_weights(&mut tiny(), &mut opened);
        assert_eq!(opened.notices().len(), 1);
        assert!(opened.notices()[0].to_string().contains("twice"));
    }
    assert_eq!(with_tensors(|_| {}).unwrap().notices(), []);
}

#[test]
fn an_adapter_beside_the_model_is_noticed_and_one_inside_of_it_refused() {
    let add_lora = |tensors: &mut Vec<(String, Vec<usize>, Vec<u8>)>| {
        let name = "transformer.h.0.attn.c_attn.lora_A.default.weight".to_owned();
        tensors.push((name, vec![2, 32], vec![0; 256]));
    };
    let mut beside = with_tensors(add_lora).unwrap();
    assert_same_weights(&mut tiny(), &mut beside);
    assert_eq!(beside.notices().len(), 1);
    assert!(beside.notices()[0].to_string().contains("merge it first"));
    let inside = with_tensors(|tensors| {
        add_lora(tensors);
        let c_attn = tensors
            .iter_mut()
            .find(|tensor| tensor.0 == C_ATTN)
            .unwrap();
        c_attn.0 = C_ATTN.replace("c_attn.", "c_attn.base_layer.");
    });
    assert!(matches!(inside, Err(WeightsError::Adapter)));
}

#[test]
fn weights_in_the_forms_of_other_programs_are_named() {
    let renamed = |suffix: &'static str| {
        let refused = with_tensors(|tensors| {
            let c_attn = tensors
                .iter_mut()
                .find(|tensor| tensor.0 == C_ATTN)
                .unwrap();
            c_attn.0 = C_ATTN.replace("weight", suffix);
        });
        match refused {
            Err(WeightsError::Quantized { by }) => by,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("opened"),
        }
    };
    assert_eq!(renamed("qweight"), "GPTQ or AWQ");
    assert_eq!(renamed("weight.absmax"), "bitsandbytes");
    assert_eq!(
        renamed("weight.quant_state.bitsandbytes__nf4"),
        "bitsandbytes"
    );
    assert_eq!(renamed("SCB"), "bitsandbytes");
    let transposed = with_tensors(|tensors| {
        let c_attn = tensors
            .iter_mut()
            .find(|tensor| tensor.0 == C_ATTN)
            .unwrap();
        c_attn.1.reverse();
    });
    assert!(matches!(
        transposed,
        Err(WeightsError::Transposed { name, got, .. }) if name == C_ATTN["transformer.".len()..] && got == [96, 32]
    ));
}

#[test]
fn a_part_of_a_split_gguf_and_an_adapter_are_named() {
    let checkpoint = tiny();
    let with = |entries: &[(&str, Value)]| {
        let mut metadata = metadata(checkpoint.config(), WeightType::F32);
        metadata.extend(
            entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone())),
        );
        let (bytes, _) = quantize_with(tiny(), WeightType::F32, &metadata);
        open_gguf(&bytes)
    };
    let number = Value::UInt;
    assert!(matches!(
        with(&[("split.no", number(1)), ("split.count", number(2))]),
        Err(WeightsError::SplitGguf {
            number: 2,
            count: 2
        })
    ));
    assert!(with(&[("split.no", number(0)), ("split.count", number(1))]).is_ok());
    assert!(matches!(
        with(&[("general.type", Value::String("adapter".to_owned()))]),
        Err(WeightsError::Adapter)
    ));
    assert!(with(&[("general.type", Value::String("model".to_owned()))]).is_ok());
}

/// The largest error as a part of the largest weight, and the rms error as a part of the rms weight, with
/// a margin of about a third over what near-normal weights give. Q8_0: half a step of 1/127 of a block's largest.
#[test]
fn errors_of_quantization_stay_within_the_table() {
    for (dtype, max_error, rms_error) in [
        (WeightType::F32, 0.0, 0.0),
        (WeightType::F16, 0.0005, 0.0003),
        (WeightType::Q8_0, 0.0045, 0.008),
        (WeightType::Q6K, 0.025, 0.025),
        (WeightType::Q4K, 0.08, 0.09),
        (WeightType::Q4_0, 0.13, 0.11),
    ] {
        let (_, report) = quantize(wide(), dtype);
        let matrices: Vec<_> = report
            .tensors
            .iter()
            .filter(|t| t.dtype == dtype.into())
            .collect();
        assert!(matrices.len() >= 5);
        let worst = matrices.iter().map(|t| t.rms_error).fold(0.0, f32::max);
        eprintln!("{dtype:?}: max {:.5}, rms {worst:.5}", report.max_error);
        assert!(
            report.max_error <= max_error,
            "{dtype:?}: max error {}",
            report.max_error
        );
        assert!(worst <= rms_error, "{dtype:?}: rms error {worst}");
        assert!(report.tensors.iter().all(|t| !t.is_fallback));
    }
}

#[test]
fn rows_that_do_not_fit_a_type_take_the_next_more_exact_one() {
    // Rows of 32: too short for blocks of 256.
    for (dtype, instead) in [(WeightType::Q4K, "Q8_0"), (WeightType::Q6K, "Q8_0")] {
        let (bytes, report) = quantize(tiny(), dtype);
        let embedding = &report.tensors[0];
        assert_eq!(
            (embedding.dtype.name(), embedding.is_fallback),
            (instead, true)
        );
        load(open_gguf(&bytes).unwrap()).unwrap();
    }
}

#[test]
fn a_quantized_gguf_is_copied_unchanged_to_its_own_type() {
    for dtype in ALL {
        let (bytes, _) = quantize(wide(), dtype);
        let (again, report) = requantize(&bytes, dtype).unwrap();
        assert_eq!(report.max_error, 0.0);
        assert!(bytes == again, "{dtype:?}");
    }
}

#[test]
fn a_gguf_of_floats_becomes_the_same_file_as_the_floats() {
    let (floats, _) = quantize(wide(), WeightType::F32);
    for dtype in ALL {
        let (expected, expected_report) = quantize(wide(), dtype);
        let (bytes, report) = requantize(&floats, dtype).unwrap();
        assert_eq!(report, expected_report, "{dtype:?}");
        assert!(bytes == expected, "{dtype:?}");
    }
}

#[test]
fn a_gguf_of_any_type_becomes_another_as_its_floats_would() {
    for id in [3, 8, 12, 30] {
        let bytes = wide_stored_as(id);
        let mut checkpoint = open_gguf(&bytes).unwrap();
        let (converted, report) = requantize(&bytes, WeightType::Q4_0).unwrap();
        assert!(report.tensors.iter().any(|tensor| tensor.max_error > 0.0));
        let mut converted = open_gguf(&converted).unwrap();
        for name in ["wte.weight", "h.0.mlp.c_proj.weight"] {
            let mut encoded = Vec::new();
            let q4_0 = StoredType::from(WeightType::Q4_0);
            let floats = checkpoint.floats(name).unwrap();
            q4_0.encode(&floats, &mut encoded).unwrap();
            let mut expected = Vec::new();
            q4_0.decode(&encoded, &mut expected);
            assert_eq!(converted.floats(name).unwrap(), expected, "{name} of {id}");
        }
    }
}

#[test]
fn a_gguf_that_ends_early_while_it_is_converted_is_refused() {
    let (bytes, _) = quantize(tiny(), WeightType::F16);
    let checkpoint = open_gguf(&bytes).unwrap();
    let mut conversion = Conversion::of_gguf(&checkpoint, WeightType::Q8_0, &[]);
    conversion
        .push(&bytes[..bytes.len() - 100], &mut Vec::new())
        .unwrap();
    let refused = conversion.end_file();
    assert!(
        matches!(refused, Err(WeightsError::Truncated { got, .. }) if got == bytes.len() as u64 - 100),
        "{refused:?}"
    );
}

/// `wide()` as GGUF with its matrices in any type of GGML's.
fn wide_stored_as(id: u32) -> Vec<u8> {
    let mut checkpoint = wide();
    let dtype = StoredType::from_gguf_id(id).unwrap();
    let specs = names::tensors(checkpoint.config());
    let specs: Vec<_> = specs.into_iter().filter(|spec| !spec.is_optional).collect();
    let type_of = |spec: &names::TensorSpec| match spec.role.is_quantizable() {
        true => dtype,
        false => StoredType::F32,
    };
    let headers: Vec<_> = specs
        .iter()
        .map(|spec| TensorToWrite {
            name: spec.gguf_name.clone(),
            dims: spec.gguf_dims(),
            dtype: type_of(spec),
        })
        .collect();
    let mut bytes = Vec::new();
    gguf_file::write(&mut bytes, &wide_metadata(), &headers, |i, out| {
        let mut encoded = Vec::new();
        type_of(&specs[i])
            .encode(&checkpoint.floats(&specs[i].name).unwrap(), &mut encoded)
            .unwrap();
        out.write_all(&encoded).unwrap();
    });
    bytes
}

// https://github.com/EricLBuehler/mistral.rs/issues/2100
#[test]
fn types_that_candle_does_not_know_are_read_as_gguf_py_reads_them() {
    let oracle = json(&fixtures().join("ggml_types.json"));
    let types = oracle.as_object().unwrap();
    assert_eq!(types.len(), 12);
    for (name, case) in types {
        let id = u32::try_from(case["id"].as_u64().unwrap()).unwrap();
        let digits = case["bytes"].as_str().unwrap().as_bytes();
        let digit = |digit: u8| u8::try_from((digit as char).to_digit(16).unwrap()).unwrap();
        let (pairs, _) = digits.as_chunks::<2>();
        let block: Vec<u8> = pairs
            .iter()
            .map(|[a, b]| 16 * digit(*a) + digit(*b))
            .collect();
        let numbers = floats(&case["numbers"]);
        let dtype = StoredType::from_gguf_id(id).unwrap();
        assert_eq!((dtype.name(), dtype.gguf_id()), (name.as_str(), id));
        let mut decoded = Vec::new();
        dtype.decode(&block, &mut decoded);
        assert_close(&decoded, &numbers, 1e-7);
        assert!(dtype.encode(&numbers, &mut Vec::new()).is_err());

        // A model whose linear maps have the type, the embedding another.
        let mut checkpoint = wide();
        let specs = names::tensors(checkpoint.config());
        let specs: Vec<_> = specs.into_iter().filter(|spec| !spec.is_optional).collect();
        let is_of_type = |spec: &names::TensorSpec| spec.role == names::Role::Projection;
        let headers = specs.iter().map(|spec| TensorToWrite {
            name: spec.gguf_name.clone(),
            dims: spec.gguf_dims(),
            dtype: if is_of_type(spec) {
                dtype
            } else {
                StoredType::F32
            },
        });
        let headers: Vec<_> = headers.collect();
        let mut bytes = Vec::new();
        gguf_file::write(&mut bytes, &wide_metadata(), &headers, |i, out| {
            let spec = &specs[i];
            if is_of_type(spec) {
                let blocks = block.repeat(spec.rows * spec.cols / 256);
                return out.write_all(&blocks).unwrap();
            }
            let values = checkpoint.floats(&spec.name).unwrap();
            let values = values.iter().flat_map(|value| value.to_le_bytes());
            out.write_all(&values.collect::<Vec<u8>>()).unwrap();
        });
        let mut opened = open_gguf(&bytes).unwrap();
        let weights = opened.floats("h.0.mlp.c_fc.weight").unwrap();
        assert!(weights.chunks(256).all(|row| row == decoded));
        // Computed with in 8 bits, as near as the steps of Q8_0 are.
        let matrix = opened.matrix("h.0.mlp.c_fc.weight").unwrap();
        assert_eq!(matrix.dtype(), WeightType::Q8_0);
        let mut row = vec![0.0; 256];
        matrix.row(3, &mut row);
        let largest = numbers.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        assert_close(&row, &numbers, largest / 240.0);
        load(opened).unwrap();
        let (small, _) = requantize(&bytes, WeightType::Q8_0).unwrap();
        load(open_gguf(&small).unwrap()).unwrap();
    }
}

fn wide_metadata() -> Vec<(String, Value)> {
    [
        ("general.architecture", Value::String("gpt2".to_owned())),
        ("gpt2.context_length", Value::UInt(64)),
        ("gpt2.embedding_length", Value::UInt(256)),
        ("gpt2.block_count", Value::UInt(1)),
        ("gpt2.feed_forward_length", Value::UInt(1024)),
        ("gpt2.attention.head_count", Value::UInt(4)),
        ("gpt2.attention.layer_norm_epsilon", Value::Float(1e-5)),
        ("tokenizer.ggml.eos_token_id", Value::UInt(0)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .to_vec()
}

#[test]
fn every_type_candle_reads_loads_and_loses_little_on_the_way() {
    let mut exact = wide();
    let exact = exact.floats("h.0.mlp.c_fc.weight").unwrap();
    for id in [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 30] {
        let bytes = wide_stored_as(id);
        let mut checkpoint = open_gguf(&bytes).unwrap();
        let name = checkpoint.main_type().name();
        assert_eq!(checkpoint.main_type().gguf_id(), id);
        let stored = checkpoint.floats("h.0.mlp.c_fc.weight").unwrap();
        let packed = checkpoint.matrix("h.0.mlp.c_fc.weight").unwrap();
        let mut row = vec![0.0; 256];
        let mut unpacked = Vec::new();
        for i in 0..packed.rows() {
            packed.row(i, &mut row);
            unpacked.extend_from_slice(&row);
        }
        let rms = |a: &[f32], b: &[f32]| {
            let sum: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
            let whole: f32 = b.iter().map(|b| b * b).sum();
            (sum / whole).sqrt()
        };
        let (format_error, load_error) = (rms(&stored, &exact), rms(&unpacked, &stored));
        eprintln!(
            "{name} as {:?}: format {format_error:.5}, loading {load_error:.5}",
            packed.dtype()
        );
        assert!(
            format_error < 0.4,
            "{name} decodes to other numbers: {format_error}"
        );
        assert!(
            load_error < 0.008,
            "{name} loses {load_error} while loading"
        );
        load(open_gguf(&bytes).unwrap()).unwrap();
    }
}

#[test]
fn files_that_are_no_gguf_are_named() {
    let kind = |bytes: &[u8]| match open_gguf(bytes) {
        Err(WeightsError::NotGguf { found }) => found,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("opened"),
    };
    assert_eq!(kind(b""), FileKind::Empty);
    assert_eq!(kind(b"\n<!DOCTYPE html><html>"), FileKind::Html);
    assert_eq!(
        kind(b"version https://git-lfs.github.com/spec/v1\noid"),
        FileKind::LfsPointer
    );
    assert_eq!(kind(b"PK\x03\x04...."), FileKind::Zip);
    assert_eq!(kind(b"{\"model_type\":\"gpt2\"}"), FileKind::Json);
    assert_eq!(kind(b"lmgg\x01\0\0\0"), FileKind::OldGgml);
    assert_eq!(kind(b"\xff\xd8\xff\xe0"), FileKind::Unknown);
    assert_eq!(
        kind(&std::fs::read(fixtures().join("tiny/model.safetensors")).unwrap()),
        FileKind::Safetensors
    );
}

#[test]
fn a_truncated_gguf_is_refused_before_anything_is_loaded() {
    let (bytes, _) = quantize(tiny(), WeightType::Q8_0);
    open_gguf(&bytes).map(drop).unwrap();
    for len in (1..bytes.len() - 40).step_by(97) {
        let refused = open_gguf(&bytes[..len]);
        assert!(
            matches!(refused, Err(WeightsError::Truncated { got, expected }) if got == len as u64 && expected > got),
            "cut at {len}"
        );
    }
    let last = bytes.len() - 32; // Beyond the padding.
    assert!(matches!(
        open_gguf(&bytes[..last]),
        Err(WeightsError::Truncated { .. })
    ));
}

#[test]
fn a_damaged_header_gives_an_error_and_takes_no_memory_for_it() {
    let (bytes, _) = quantize(tiny(), WeightType::Q8_0);
    // Far enough to reach every kind of entry, with the values that hurt most.
    for at in 4..6000 {
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            if let Ok(checkpoint) = open_gguf(&damaged) {
                let config = checkpoint.config();
                assert!(config.n_layer <= 512 && config.vocab_size <= 1 << 20);
            }
        }
    }
    for at in (4..6000).step_by(8) {
        let mut damaged = bytes.clone();
        damaged[at..at + 8].fill(0xff);
        drop(open_gguf(&damaged));
    }
}

/// A header with the given counts and what follows.
fn header(version: u32, n_tensors: u64, n_metadata: u64, rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(n_tensors.to_le_bytes());
    bytes.extend(n_metadata.to_le_bytes());
    bytes.extend_from_slice(rest);
    bytes
}

#[test]
fn hostile_headers_are_refused() {
    let key = |type_id: u32, rest: &[u8]| {
        let mut bytes = 1_u64.to_le_bytes().to_vec();
        bytes.push(b'k');
        bytes.extend(type_id.to_le_bytes());
        bytes.extend_from_slice(rest);
        bytes
    };
    let malformed = |bytes: Vec<u8>| {
        let refused = open_gguf(&bytes).map(drop);
        assert!(
            matches!(refused, Err(WeightsError::Malformed { .. })),
            "{refused:?}"
        );
    };
    malformed(header(3, u64::MAX, 0, &[]));
    malformed(header(3, 0, u64::MAX, &[]));
    malformed(header(3, 0, 1, &u64::MAX.to_le_bytes()));
    malformed(header(3, 0, 1, &key(99, &[])));
    malformed(header(3, 0, 1, &key(7, &[2])));
    let list = |type_id: u32, len: u64| [&type_id.to_le_bytes()[..], &len.to_le_bytes()].concat();
    malformed(header(3, 0, 1, &key(9, &list(4, u64::MAX))));
    let nested: Vec<u8> = (0..100).flat_map(|_| list(9, 1)).collect();
    malformed(header(3, 0, 1, &key(9, &nested)));
    malformed(header(3, 0, 2, &[key(0, &[1]), key(0, &[1])].concat()));
    // Short in the file, 32 times as long in memory.
    let bytes = [&list(0, 1 << 22)[..], &vec![0; 1 << 22]].concat();
    malformed(header(3, 0, 1, &key(9, &bytes)));

    let tensor = |dims: &[u64], type_id: u32, offset: u64| {
        let mut bytes = 1_u64.to_le_bytes().to_vec();
        bytes.push(b't');
        bytes.extend(u32::try_from(dims.len()).unwrap().to_le_bytes());
        bytes.extend(dims.iter().flat_map(|d| d.to_le_bytes()));
        bytes.extend(type_id.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        header(3, 1, 0, &bytes)
    };
    malformed(tensor(&[], 0, 0));
    malformed(tensor(&[1; 5], 0, 0));
    malformed(tensor(&[0, 4], 0, 0));
    malformed(tensor(&[4], 0, 1));
    malformed(tensor(&[33], 8, 0));
    malformed(tensor(&[1 << 40, 1 << 40], 0, 0));
    malformed(tensor(&[1 << 62], 0, 0));
    malformed(tensor(&[1 << 62, 4], 8, 0));
    malformed(tensor(&[4], 0, u64::MAX - 31));
    let mut two = tensor(&[16], 0, 0)[24..].to_vec();
    two.extend_from_within(..);
    let second = two.len() / 2;
    two[second + 8] = b'u';
    let two = header(3, 2, 0, &two);
    malformed([&two[..], &[0; 200]].concat());
    let refused = open_gguf(&tensor(&[1 << 20], 0, 0));
    assert!(matches!(refused, Err(WeightsError::Truncated { expected, .. }) if expected > 1 << 22));
}

#[test]
fn other_versions_and_byte_orders_are_named() {
    assert!(matches!(
        open_gguf(&header(9, 0, 0, &[])),
        Err(WeightsError::UnsupportedVersion { version: 9 })
    ));
    assert!(matches!(
        open_gguf(&header(3_u32.swap_bytes(), 0, 0, &[])),
        Err(WeightsError::BigEndian)
    ));
}

fn with_metadata(change: impl Fn(&mut Vec<(String, Value)>)) -> Result<Checkpoint, WeightsError> {
    let mut metadata = wide_metadata();
    change(&mut metadata);
    let mut bytes = Vec::new();
    gguf_file::write(&mut bytes, &metadata, &[], |_, _| {});
    open_gguf(&bytes)
}

#[test]
fn models_of_another_kind_and_missing_parts_are_named() {
    assert!(matches!(
        with_metadata(|m| m[0].1 = Value::String("llama".to_owned())),
        Err(WeightsError::UnsupportedModel { architecture }) if architecture == "llama"
    ));
    assert!(matches!(
        with_metadata(|m| drop(m.remove(0))),
        Err(WeightsError::MissingKey { key }) if key == "general.architecture"
    ));
    assert!(matches!(
        with_metadata(|_| ()),
        Err(WeightsError::MissingTensor { name }) if name == "token_embd.weight"
    ));
}

#[test]
fn a_safetensors_tensor_of_an_unknown_type_matters_only_if_it_is_needed() {
    let (config, file) = wide_files();
    let len = usize::try_from(u64::from_le_bytes(file[..8].try_into().unwrap())).unwrap();
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut header: serde_json::Value = serde_json::from_slice(&file[8..8 + len]).unwrap();
        change(&mut header);
        let header = header.to_string();
        let whole = [
            &(header.len() as u64).to_le_bytes()[..],
            header.as_bytes(),
            &file[8 + len..],
        ];
        let whole = std::io::Cursor::new([&whole.concat()[..], &[0; 3]].concat());
        Checkpoint::from_floats(&config, vec![Box::new(whole)])
    };
    let end = file.len() - 8 - len;
    let buffer = |dtype: &str| serde_json::json!({"dtype": dtype, "shape": [3], "data_offsets": [end, end + 3]});
    for dtype in ["F6_OF_2031", "BOOL", "U8"] {
        let opened = with(&|header| header["h.0.attn.bias"] = buffer(dtype));
        assert_same_weights(&mut wide(), &mut opened.unwrap());
    }
    let refused = with(&|header| {
        header["h.0.attn.bias"] = buffer("BOOL");
        header["ln_f.bias"]["dtype"] = "F6_OF_2031".into();
    });
    assert!(matches!(
        refused,
        Err(WeightsError::UnsupportedType { name, dtype }) if name == "ln_f.bias" && dtype == "F6_OF_2031"
    ));
}

#[test]
fn a_tensor_of_an_unknown_type_is_refused_by_name_if_it_is_needed() {
    let mut bytes = wide_stored_as(8);
    let name = b"blk.0.ffn_up.weight";
    let at = bytes.windows(name.len()).position(|w| w == name).unwrap() + name.len() + 4 + 16;
    assert_eq!(bytes[at], 8);
    for (id, expected) in [(77, "number 77"), (41, "Q1_0"), (26, "I32"), (40, "NVFP4")] {
        bytes[at] = id;
        assert!(matches!(
            open_gguf(&bytes),
            Err(WeightsError::UnsupportedType { name, dtype }) if name == "blk.0.ffn_up.weight" && dtype == expected
        ));
    }
}

#[test]
fn config_and_weights_of_different_models_are_refused() {
    let mut config = json(&fixtures().join("tiny/config.json"));
    config["vocab_size"] = 300.into();
    let file = std::fs::File::open(fixtures().join("tiny/model.safetensors")).unwrap();
    let refused = Checkpoint::from_floats(config.to_string().as_bytes(), vec![Box::new(file)]);
    assert!(matches!(
        refused,
        Err(WeightsError::ShapeMismatch { name, got, expected })
            if name == "wte.weight" && got == [256, 32] && expected == [300, 32]
    ));
}

#[test]
fn damaged_safetensors_are_refused() {
    let config = std::fs::read(fixtures().join("tiny/config.json")).unwrap();
    let whole = std::fs::read(fixtures().join("tiny/model.safetensors")).unwrap();
    let open = |bytes: Vec<u8>| {
        Checkpoint::from_floats(&config, vec![Box::new(Cursor::new(bytes))]).map(drop)
    };
    open(whole.clone()).unwrap();
    for len in [12, 500, 5000, whole.len() - 1] {
        let refused = open(whole[..len].to_vec());
        assert!(
            matches!(refused, Err(WeightsError::Truncated { got, .. }) if got == len as u64),
            "{refused:?}"
        );
    }
    for bytes in [
        b"<html>".to_vec(),
        b"GGUF\x03\0\0\0\0\0".to_vec(),
        vec![0xff; 100],
    ] {
        assert!(matches!(open(bytes), Err(WeightsError::NotWeights { .. })));
    }
    let too_long = [&(1_u64 << 25).to_le_bytes()[..], b"{}"].concat();
    assert!(matches!(
        open(too_long),
        Err(WeightsError::Malformed { .. })
    ));
    let overlapping = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let overlapping = [
        &(overlapping.len() as u64).to_le_bytes()[..],
        overlapping,
        &[0; 12],
    ]
    .concat();
    assert!(matches!(
        open(overlapping),
        Err(WeightsError::BadSafetensors { .. })
    ));
}

#[test]
fn safetensors_beyond_32_bits_are_found() {
    // The header alone: the file claims 12 GB and is refused for its length, not for its numbers.
    let json = br#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1500,1000000],"data_offsets":[0,6000000000]},"b":{"dtype":"F32","shape":[1500000000],"data_offsets":[6000000000,12000000000]}}"#;
    let bytes = [&(json.len() as u64).to_le_bytes()[..], json].concat();
    let config = std::fs::read(fixtures().join("tiny/config.json")).unwrap();
    let refused = Checkpoint::from_floats(&config, vec![Box::new(Cursor::new(bytes))]);
    assert!(
        matches!(refused, Err(WeightsError::Truncated { expected, .. }) if expected == 12_000_000_000 + 8 + json.len() as u64)
    );
}

#[test]
fn a_safetensors_header_that_contradicts_itself_is_refused() {
    let config = std::fs::read(fixtures().join("tiny/config.json")).unwrap();
    let one = |shape: &str, offsets: &str| {
        format!(r#""a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}"#)
    };
    for json in [
        format!("{{{}}}", one("[2]", "[0,4]")),
        format!("{{{}}}", one("[2]", "[4,12]")),
        format!("{{{}}}", one("[2]", "[8,0]")),
        format!("{{{}}}", one("[-2]", "[0,8]")),
        format!("{{{}}}", one("[18446744073709551615,2]", "[0,8]")),
        format!("{{{},{}}}", one("[2]", "[0,8]"), one("[2]", "[8,16]")),
        format!("{{{}}}", one("[2]", "[0,8]").replace("\"F32\"", "33")),
        "{\"a\":1}".to_owned(),
        "{".to_owned(),
    ] {
        let bytes = [
            &(json.len() as u64).to_le_bytes()[..],
            json.as_bytes(),
            &[0; 16],
        ]
        .concat();
        let refused = Checkpoint::from_floats(&config, vec![Box::new(Cursor::new(bytes))]);
        assert!(
            matches!(refused, Err(WeightsError::BadSafetensors { .. })),
            "{json}"
        );
    }
}

#[test]
fn weights_that_are_no_numbers_are_refused_while_loading() {
    let (bytes, _) = quantize(tiny(), WeightType::F32);
    let embedding = open_gguf(&bytes).unwrap().floats("wte.weight").unwrap();
    let first: Vec<u8> = embedding[..8]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let at = bytes.windows(32).position(|w| w == first).unwrap();
    let mut damaged = bytes.clone();
    damaged[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let refused = load(open_gguf(&damaged).unwrap());
    assert!(matches!(refused, Err(WeightsError::NotFinite { name, .. }) if name == "wte.weight"));
    damaged[at..at + 4].copy_from_slice(&1e6_f32.to_le_bytes());
    let refused = requantize(&damaged, WeightType::F16).map(|_| ());
    assert!(
        matches!(refused, Err(WeightsError::TooLargeForF16 { .. })),
        "{refused:?}"
    );
}

/// Writes files for `make_fixtures.py --check`, which reads them with llama.cpp's own package.
#[test]
#[ignore = "writes to the folder in GGUF_OUT"]
fn write_files_for_the_python_check() {
    let folder = std::path::PathBuf::from(std::env::var_os("GGUF_OUT").unwrap());
    for dtype in ALL {
        std::fs::write(
            folder.join(format!("tiny-{dtype:?}.gguf")),
            quantize(tiny(), dtype).0,
        )
        .unwrap();
    }
}

fn has_head(checkpoint: &Checkpoint) -> bool {
    let parts = checkpoint.parts_in_file_order();
    parts.iter().any(|(name, ..)| name == "lm_head.weight")
}
