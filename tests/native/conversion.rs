//! Weights converted while they arrive give the same file as weights converted tensor by tensor, in whatever pieces
//! they arrive.

use std::io::Cursor;
use std::path::Path;

use crate::support::checkpoints::*;
use huggingtweets::file_kind::FileKind;
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::weights::ConversionReport;
use huggingtweets::weights::gguf::Value;
use huggingtweets::weights::{
    Checkpoint, Conversion, ConversionParams, Journal, ReadSeek, WeightsError, WriteAt,
};

/// A model as it lies on the Hub.
struct Repository {
    config: Vec<u8>,
    files: Vec<Vec<u8>>,
}

impl Repository {
    fn open(folder: &Path, files: &[&str]) -> Self {
        Self {
            config: std::fs::read(folder.join("config.json")).unwrap(),
            files: files
                .iter()
                .map(|file| std::fs::read(folder.join(file)).unwrap())
                .collect(),
        }
    }

    fn safetensors(folder: &str) -> Self {
        Self::open(&fixtures().join(folder), &["model.safetensors"])
    }

    fn wide() -> Self {
        let (config, file) = wide_files();
        Self {
            config,
            files: vec![file],
        }
    }

    fn metadata(&self, dtype: WeightType) -> Vec<(String, Value)> {
        metadata(&Gpt2Config::from_json(&self.config).unwrap(), dtype)
    }

    fn checkpoint(&self) -> Checkpoint {
        let files = self.files.iter().cloned();
        let files = files.map(|file| Box::new(Cursor::new(file)) as Box<dyn ReadSeek>);
        Checkpoint::from_floats(&self.config, files.collect()).unwrap()
    }

    /// Converted tensor by tensor, as the oracle.
    fn quantized(&self, dtype: WeightType) -> (Vec<u8>, ConversionReport) {
        let mut metadata = self.metadata(dtype);
        if self.may_have_both() {
            let room = Value::String("token embedding".to_owned());
            metadata.push(("huggingtweets.head".to_owned(), room));
        }
        quantize_with(self.checkpoint(), dtype, &metadata)
    }

    /// Whether a tied head may come in another place than the embedding, so that the header has room for it.
    fn may_have_both(&self) -> bool {
        let holds = |name: &[u8]| self.files[0].windows(name.len()).any(|w| w == name);
        let is_safetensors = self.files[0][8] == b'{';
        let is_tied = Gpt2Config::is_head_tied(&self.config).unwrap();
        // `f16.bin` and `bf16.bin` hold a copy; the other PyTorch files hold the embedding itself.
        let has_copy = match is_safetensors {
            true => holds(b"\"lm_head.weight\"") && holds(b"wte.weight"),
            false => holds(b"f16/data"),
        };
        is_tied && (self.files.len() > 1 || has_copy)
    }

    fn converted(
        &self,
        dtype: WeightType,
        piece_bytes: usize,
    ) -> Result<(Vec<u8>, ConversionReport), WeightsError> {
        let metadata = self.metadata(dtype);
        let mut conversion = Conversion::new(&self.params(dtype, &metadata))?;
        let mut out = Vec::new();
        for file in &self.files {
            for piece in file.chunks(piece_bytes) {
                conversion.push(piece, &mut out)?;
            }
            conversion.end_file()?;
        }
        assert_eq!(conversion.output_bytes(), out.len() as u64);
        let report = conversion.finish();
        assert_eq!(report.bytes, out.len() as u64);
        Ok((out, report))
    }

    fn params<'a>(
        &'a self,
        dtype: WeightType,
        metadata: &'a [(String, Value)],
    ) -> ConversionParams<'a> {
        ConversionParams {
            config_json: &self.config,
            dtype,
            metadata,
            n_files: self.files.len(),
        }
    }
}

/// Two shards, every second tensor in each.
fn sharded(whole: &Repository) -> Repository {
    let file = safetensors::SafeTensors::deserialize(&whole.files[0]).unwrap();
    let mut shards = [Vec::new(), Vec::new()];
    for (i, (name, tensor)) in file.tensors().into_iter().enumerate() {
        shards[i % 2].push((name, tensor));
    }
    Repository {
        config: whole.config.clone(),
        files: shards
            .map(|shard| safetensors::serialize(shard, None).unwrap())
            .into(),
    }
}

#[test]
fn every_type_is_the_file_of_tensors_converted_whole() {
    for dtype in WeightType::ALL {
        let repository = Repository::wide();
        let (bytes, report) = repository.converted(dtype, 1 << 16).unwrap();
        let (expected, expected_report) = repository.quantized(dtype);
        assert_eq!(report, expected_report, "{dtype:?}");
        assert!(bytes == expected, "{dtype:?} differs");
        load(open_gguf(&bytes).unwrap()).unwrap();
    }
}

#[test]
fn every_float_type_is_read_in_pieces_of_any_size() {
    for folder in ["tiny", "tiny-f16", "tiny-bf16"] {
        let repository = Repository::safetensors(folder);
        let (expected, expected_report) = repository.quantized(WeightType::Q8_0);
        for piece_bytes in [1, 7, 8, 9, 4096, 1 << 30] {
            let (bytes, report) = repository.converted(WeightType::Q8_0, piece_bytes).unwrap();
            assert_eq!(report, expected_report, "{folder}, {piece_bytes}");
            assert!(bytes == expected, "{folder} by {piece_bytes} differs");
        }
    }
}

/// PyTorch's files and the safetensors with the same weights.
fn pytorch() -> Vec<(Repository, Repository)> {
    let open = |files: &[&str]| Repository::open(&fixtures().join("pytorch"), files);
    let whole = || open(&["model.safetensors"]);
    vec![
        (open(&["tied.bin"]), whole()),
        (open(&["archive.bin"]), whole()),
        (open(&["stored_again.bin"]), whole()),
        (open(&["views.bin"]), whole()),
        (open(&["strides.bin"]), whole()),
        (open(&["odd_strides.bin"]), whole()),
        (open(&["double.bin"]), whole()),
        (open(&["legacy.bin"]), whole()),
        (open(&["training.bin"]), whole()),
        (open(&["training_legacy.bin"]), whole()),
        (open(&["shard-1.bin", "shard-2.bin"]), whole()),
        (open(&["f16.bin"]), open(&["f16.safetensors"])),
        (open(&["bf16.bin"]), open(&["bf16.safetensors"])),
    ]
}

#[test]
fn pytorchs_files_become_the_same_file_as_the_safetensors() {
    for (repository, safetensors) in pytorch() {
        for dtype in [WeightType::F32, WeightType::Q8_0] {
            let (expected, expected_report) = repository.quantized(dtype);
            assert_same_weights(&mut safetensors.checkpoint(), &mut repository.checkpoint());
            for piece_bytes in [1, 7, 4096, 1 << 30] {
                let (bytes, report) = repository.converted(dtype, piece_bytes).unwrap();
                assert_eq!(report, expected_report, "{piece_bytes}");
                assert!(bytes == expected, "{piece_bytes}");
            }
        }
    }
}

/// The tiny model with other tensors in place of embedding and head: by name, the embedding times this factor.
fn with_heads(heads: &[(&str, f32)], n_files: usize) -> Repository {
    let tiny = Repository::safetensors("tiny");
    let file = safetensors::SafeTensors::deserialize(&tiny.files[0]).unwrap();
    let name = file
        .names()
        .into_iter()
        .find(|name| name.ends_with("wte.weight"))
        .unwrap();
    let embedding = file.tensor(name).unwrap();
    let (numbers, _) = embedding.data().as_chunks::<4>();
    let scaled: Vec<(&str, Vec<u8>)> = heads
        .iter()
        .map(|(name, factor)| {
            let scaled = numbers.iter().enumerate().flat_map(|(i, number)| {
                // Only the last rows differ, as after adding tokens.
                let factor = if i < 200 * 32 { 1.0 } else { *factor };
                (factor * f32::from_le_bytes(*number)).to_le_bytes()
            });
            (*name, scaled.collect())
        })
        .collect();
    let mut shards: Vec<Vec<(String, safetensors::tensor::TensorView)>> = Vec::new();
    shards.resize_with(n_files, Vec::new);
    let others = file
        .tensors()
        .into_iter()
        .filter(|(name, _)| !name.ends_with("wte.weight"));
    for (i, (name, tensor)) in others.enumerate() {
        shards[i % n_files].push((name, tensor));
    }
    for (i, (name, bytes)) in scaled.iter().enumerate() {
        let shape = embedding.shape().to_vec();
        let tensor = safetensors::tensor::TensorView::new(embedding.dtype(), shape, bytes);
        shards[i % n_files].push(((*name).to_owned(), tensor.unwrap()));
    }
    Repository {
        config: tiny.config.clone(),
        files: shards
            .into_iter()
            .map(|shard| safetensors::serialize(shard, None).unwrap())
            .collect(),
    }
}

// https://github.com/huggingface/transformers/issues/38870, https://github.com/huggingface/transformers/issues/41038
#[test]
fn a_head_alone_is_the_embedding_and_a_copy_of_it_is_dropped() {
    let expected = Repository::safetensors("tiny")
        .quantized(WeightType::Q8_0)
        .1;
    for heads in [
        &[("lm_head.weight", 1.0)][..],
        &[("model.lm_head.weight", 1.0)],
        &[("wte.weight", 1.0), ("lm_head.weight", 1.0)],
        &[("transformer.wte.weight", 1.0), ("lm_head.weight", 1.0)],
    ] {
        for n_files in [1, 2] {
            let repository = with_heads(heads, n_files);
            assert!(repository.checkpoint().notices().is_empty());
            assert_same_weights(&mut tiny(), &mut repository.checkpoint());
            let (oracle, _) = repository.quantized(WeightType::Q8_0);
            for piece in [97, 1 << 30] {
                let (bytes, report) = repository.converted(WeightType::Q8_0, piece).unwrap();
                assert_eq!(report.tensors, expected.tensors, "{heads:?} in {n_files}");
                assert!(bytes == oracle, "{heads:?} in {n_files}");
            }
            assert_resumes(&repository, &oracle, 3001);
        }
    }
}

#[test]
fn a_head_that_differs_from_a_tied_embedding_is_used_and_noticed() {
    for heads in [
        // In a safetensors file the head comes before `transformer.wte.weight` and before `wte.weight`.
        [("transformer.wte.weight", 1.0), ("lm_head.weight", 1.5)],
        [("wte.weight", 1.0), ("lm_head.weight", 1.5)],
        // And here behind.
        [("gpt2.wte.weight", 1.0), ("model.lm_head.weight", 1.5)],
    ] {
        for n_files in [1, 2] {
            let repository = with_heads(&heads, n_files);
            let mut checkpoint = repository.checkpoint();
            let head = checkpoint.floats("lm_head.weight").unwrap();
            let embedding = checkpoint.floats("wte.weight").unwrap();
            assert_eq!(embedding, tiny().floats("wte.weight").unwrap());
            let scaled = embedding.iter().enumerate();
            let scaled: Vec<f32> = scaled
                .map(|(i, x)| if i < 200 * 32 { *x } else { 1.5 * x })
                .collect();
            assert!(head == scaled);
            assert_eq!(checkpoint.notices().len(), 1);
            assert!(checkpoint.notices()[0].fact.contains("lm_head.weight"));

            let metadata = repository.metadata(WeightType::F32);
            let params = repository.params(WeightType::F32, &metadata);
            let mut conversion = Conversion::new(&params).unwrap();
            let mut bytes = Vec::new();
            for file in &repository.files {
                for piece in file.chunks(997) {
                    conversion.push(piece, &mut bytes).unwrap();
                }
                conversion.end_file().unwrap();
            }
            assert_eq!(conversion.notices_of_weights(), checkpoint.notices());
            assert_eq!(conversion.output_bytes(), bytes.len() as u64);
            let progress = conversion.progress();
            assert_eq!(progress.done, progress.total);
            let names: Vec<_> = conversion
                .finish()
                .tensors
                .into_iter()
                .map(|t| t.name)
                .collect();
            assert_eq!(names.first().unwrap(), "token_embd.weight");
            assert_eq!(names.last().unwrap(), "output.weight");
            let mut written = open_gguf(&bytes).unwrap();
            assert_same_weights(&mut checkpoint, &mut written);
            assert_eq!(written.tensors().len(), names.len());
            assert!(!written.metadata().contains_key("huggingtweets.head"));

            let (whole, _) = repository.converted(WeightType::Q8_0, 1000).unwrap();
            assert_resumes(&repository, &whole, 3001);
        }
    }
}

#[test]
fn a_damaged_journal_about_a_head_is_refused_or_does_no_harm() {
    assert_harmless(&with_heads(
        &[("model.wte.weight", 1.0), ("lm_head.weight", 1.5)],
        1,
    ));
}

#[test]
fn what_llama_cpp_would_compute_otherwise_is_noticed() {
    let mut config = json(&fixtures().join("tiny/config.json"));
    config["activation_function"] = "relu".into();
    config["scale_attn_weights"] = false.into();
    let repository = Repository {
        config: config.to_string().into_bytes(),
        ..Repository::safetensors("tiny")
    };
    let metadata = repository.metadata(WeightType::Q8_0);
    let conversion = Conversion::new(&repository.params(WeightType::Q8_0, &metadata)).unwrap();
    let notices = conversion.notices();
    assert_eq!(notices.len(), 1);
    for part in [
        "activation_function relu",
        "scale_attn_weights false",
        "llama.cpp",
    ] {
        assert!(notices[0].fact.contains(part), "{}", notices[0]);
    }
    let (bytes, _) = repository.converted(WeightType::Q8_0, 5000).unwrap();
    let again = Conversion::of_gguf(&open_gguf(&bytes).unwrap(), WeightType::F16, &[]);
    assert_eq!(again.notices(), notices);
    let plain = Repository::safetensors("tiny");
    let conversion = Conversion::new(&plain.params(WeightType::Q8_0, &metadata)).unwrap();
    assert!(conversion.notices().is_empty());
}

#[test]
fn a_head_that_is_the_embedding_itself_is_written_twice_where_it_is_untied() {
    let untie = |mut repository: Repository| {
        let mut config: serde_json::Value = serde_json::from_slice(&repository.config).unwrap();
        config["tie_word_embeddings"] = false.into();
        repository.config = config.to_string().into_bytes();
        repository
    };
    let (tied, _) = pytorch().swap_remove(0);
    let untied = untie(tied);
    let (bytes, _) = untied.converted(WeightType::F32, 333).unwrap();
    assert!(bytes == untied.quantized(WeightType::F32).0);
    let mut checkpoint = open_gguf(&bytes).unwrap();
    let (head, embedding) = (
        checkpoint.floats("lm_head.weight"),
        checkpoint.floats("wte.weight"),
    );
    assert_eq!(head.unwrap(), embedding.unwrap());
    assert_resumes(&untied, &untied.quantized(WeightType::Q8_0).0, 97);
}

#[test]
fn f32_conversion_holds_the_very_weights() {
    let (bytes, report) = Repository::safetensors("tiny")
        .converted(WeightType::F32, 1000)
        .unwrap();
    assert_eq!(report.max_error, 0.0);
    assert_same_weights(&mut tiny(), &mut open_gguf(&bytes).unwrap());
}

#[test]
fn shards_follow_each_other_into_one_file() {
    let whole = Repository::safetensors("tiny");
    let shards = sharded(&whole);
    let (expected, _) = shards.quantized(WeightType::Q8_0);
    let (bytes, _) = shards.converted(WeightType::Q8_0, 999).unwrap();
    assert!(bytes == expected);
    let (mut whole, mut shards) = (whole.checkpoint(), shards.checkpoint());
    assert_same_weights(&mut whole, &mut shards);
}

/// Cuts after every `step` bytes, each time with the journal as it comes back from storage, and with what was
/// written since as it may be after a crash.
fn assert_resumes(repository: &Repository, expected: &[u8], step: usize) {
    let dtype = WeightType::Q8_0;
    let metadata = repository.metadata(dtype);
    let params = repository.params(dtype, &metadata);
    let total: usize = repository.files.iter().map(Vec::len).sum();
    let mut resumed_inside = 0;
    for cut in (0..=total).step_by(step) {
        let mut out = Vec::new();
        let mut conversion = Conversion::new(&params).unwrap();
        let mut left = cut;
        for file in &repository.files {
            let n = left.min(file.len());
            for piece in file[..n].chunks(10_000) {
                conversion.push(piece, &mut out).unwrap();
            }
            left -= n;
            if n < file.len() {
                break;
            }
            conversion.end_file().unwrap();
        }
        let journal = serde_json::to_vec(conversion.journal()).unwrap();
        let done = conversion.progress().done;
        drop(conversion);

        let journal: Journal = serde_json::from_slice(&journal).unwrap();
        let mut conversion = Conversion::resume(&params, &journal).unwrap();
        assert!(conversion.progress().done <= done);
        let start = conversion.source_pos();
        resumed_inside += usize::from(start.offset > 0);
        let mut offset = usize::try_from(start.offset).unwrap();
        for file in repository.files.iter().skip(start.file) {
            for piece in file[offset..].chunks(7_777) {
                conversion.push(piece, &mut out).unwrap();
            }
            conversion.end_file().unwrap();
            offset = 0;
        }
        let report = conversion.finish();
        assert!(out == expected, "cut at {cut}");
        assert_eq!(report.bytes, expected.len() as u64);
    }
    assert!(
        resumed_inside > 10,
        "{resumed_inside} of the cuts resumed inside a file"
    );
}

#[test]
fn a_conversion_cut_anywhere_goes_on_to_the_same_file() {
    let whole = Repository::safetensors("tiny");
    let (expected, _) = whole.quantized(WeightType::Q8_0);
    assert_resumes(&whole, &expected, 997);
    let shards = sharded(&whole);
    let (expected, _) = shards.quantized(WeightType::Q8_0);
    assert_resumes(&shards, &expected, 997);
    for (repository, _) in pytorch() {
        let (expected, _) = repository.quantized(WeightType::Q8_0);
        assert_resumes(&repository, &expected, 97);
    }
}

#[test]
fn a_journal_of_another_conversion_is_refused() {
    let repository = Repository::safetensors("tiny");
    let journal_of = |repository: &Repository, dtype| {
        let metadata = repository.metadata(dtype);
        let mut conversion = Conversion::new(&repository.params(dtype, &metadata)).unwrap();
        let half = repository.files[0].len() / 2;
        conversion
            .push(&repository.files[0][..half], &mut Vec::new())
            .unwrap();
        assert!(conversion.progress().done > 5);
        conversion.journal().clone()
    };
    let metadata = repository.metadata(WeightType::Q8_0);
    let resume = |journal: &Journal| {
        Conversion::resume(&repository.params(WeightType::Q8_0, &metadata), journal).map(drop)
    };
    resume(&journal_of(&repository, WeightType::Q8_0)).unwrap();
    for other in [
        journal_of(&repository, WeightType::Q4_0),
        journal_of(&Repository::wide(), WeightType::Q8_0),
    ] {
        assert!(matches!(
            resume(&other),
            Err(WeightsError::BadJournal { .. })
        ));
    }
}

#[test]
fn a_damaged_journal_is_refused_or_does_no_harm() {
    assert_harmless(&Repository::safetensors("tiny"));
    assert_harmless(&pytorch().swap_remove(0).0);
}

/// The journal of half a conversion, with any byte changed, is refused, or goes on to an end or an error.
fn assert_harmless(repository: &Repository) {
    let metadata = repository.metadata(WeightType::Q8_0);
    let params = repository.params(WeightType::Q8_0, &metadata);
    let file = &repository.files[0];
    let mut conversion = Conversion::new(&params).unwrap();
    conversion
        .push(&file[..file.len() / 2], &mut Vec::new())
        .unwrap();
    let text = serde_json::to_string(conversion.journal()).unwrap();
    let (mut refused, mut resumed) = (0, 0);
    for at in 0..text.len() {
        for digit in *b"09-,]" {
            let mut damaged = text.as_bytes().to_vec();
            damaged[at] = digit;
            let Ok(journal) = serde_json::from_slice::<Journal>(&damaged) else {
                continue;
            };
            let Ok(mut conversion) = Conversion::resume(&params, &journal) else {
                refused += 1;
                continue;
            };
            resumed += 1;
            let offset = usize::try_from(conversion.source_pos().offset).unwrap();
            if conversion.source_pos().file == 0
                && let Some(rest) = file.get(offset..)
            {
                let _ = conversion
                    .push(rest, &mut Vec::new())
                    .and_then(|()| conversion.end_file());
            }
        }
    }
    assert!(
        refused > 100 && resumed > 100,
        "{refused} refused, {resumed} resumed"
    );
}

#[test]
fn what_is_no_weights_is_named() {
    let refused = |bytes: &[u8]| {
        let repository = Repository {
            files: vec![bytes.to_vec()],
            ..Repository::safetensors("tiny")
        };
        match repository.converted(WeightType::Q8_0, 100) {
            Err(WeightsError::NotWeights { found }) => found,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("converted"),
        }
    };
    assert_eq!(refused(b""), FileKind::Empty);
    assert_eq!(
        refused(b"<!doctype html><title>404</title>"),
        FileKind::Html
    );
    assert_eq!(
        refused(&[&b"<html>"[..], &[b' '; 4000]].concat()),
        FileKind::Html
    );
    assert_eq!(
        refused(b"version https://git-lfs.github.com/spec/v1"),
        FileKind::LfsPointer
    );
    assert_eq!(refused(b"GGUF\x03\0\0\0"), FileKind::Gguf);
    assert_eq!(refused(b"{\"weight\": [1, 2]}"), FileKind::Json);
    assert_eq!(
        refused(b"{\"error\":\"Entry not found\"}"),
        FileKind::ServerAnswer
    );
    assert_eq!(refused(b"Entry not found"), FileKind::ServerAnswer);
    assert_eq!(
        refused(&[&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &[7; 4000]].concat()),
        FileKind::Compressed("gzip")
    );
    assert_eq!(refused(&[0xff; 2000]), FileKind::Unknown);
    assert_eq!(
        refused(b"\x80\x04]\x94.                    "),
        FileKind::Pickle
    );
}

#[test]
fn a_header_too_short_to_be_one_is_refused_at_once() {
    let repository = Repository::safetensors("tiny");
    let metadata = repository.metadata(WeightType::Q8_0);
    let params = repository.params(WeightType::Q8_0, &metadata);
    for len in [0_u64, 1] {
        let file = [&len.to_le_bytes()[..], b"{", &[b' '; 100]].concat();
        for n_bytes in [9, file.len()] {
            let mut conversion = Conversion::new(&params).unwrap();
            let refused = conversion
                .push(&file[..n_bytes], &mut Vec::new())
                .and_then(|()| conversion.end_file());
            assert!(
                matches!(refused, Err(WeightsError::BadSafetensors { .. })),
                "{len}, {n_bytes} bytes: {refused:?}"
            );
        }
    }
}

#[test]
fn a_file_that_ends_early_is_refused() {
    assert_refused_cut(&Repository::safetensors("tiny"));
    for (repository, _) in pytorch().iter().take(3) {
        assert_refused_cut(repository);
    }
}

fn assert_refused_cut(whole: &Repository) {
    let file = &whole.files[0];
    for len in [
        9,
        100,
        5000,
        file.len() / 2,
        file.len() - 20,
        file.len() - 1,
    ] {
        let cut = Repository {
            config: whole.config.clone(),
            files: vec![file[..len].to_vec()],
        };
        let refused = cut.converted(WeightType::Q8_0, 1000).map(drop);
        assert!(
            matches!(refused, Err(WeightsError::Truncated { got, expected }) if got == len as u64 && expected > got),
            "{refused:?}"
        );
    }
}

#[test]
fn tensors_that_are_missing_are_named_as_soon_as_the_header_is_read() {
    let whole = Repository::safetensors("tiny");
    let one_of_two = Repository {
        files: vec![sharded(&whole).files.remove(0)],
        ..whole
    };
    let metadata = one_of_two.metadata(WeightType::Q8_0);
    let mut conversion = Conversion::new(&one_of_two.params(WeightType::Q8_0, &metadata)).unwrap();
    let refused = conversion.push(&one_of_two.files[0][..10_000], &mut Vec::new());
    assert!(
        matches!(refused, Err(WeightsError::MissingTensor { .. })),
        "{refused:?}"
    );
    let twice = Repository {
        files: vec![one_of_two.files[0].clone(), one_of_two.files[0].clone()],
        ..one_of_two
    };
    let refused = twice.converted(WeightType::Q8_0, 1000).map(drop);
    assert!(
        matches!(refused, Err(WeightsError::RepeatedTensor { .. })),
        "{refused:?}"
    );
}

#[test]
fn config_and_weights_of_different_models_are_refused() {
    let mut config = json(&fixtures().join("tiny/config.json"));
    config["vocab_size"] = 300.into();
    let other = Repository {
        config: config.to_string().into_bytes(),
        ..Repository::safetensors("tiny")
    };
    assert!(matches!(
        other.converted(WeightType::Q8_0, 1000),
        Err(WeightsError::ShapeMismatch { name, got, expected })
            if name == "wte.weight" && got == [256, 32] && expected == [300, 32]
    ));
}

#[test]
fn weights_that_are_no_numbers_are_refused_wherever_they_stand() {
    let whole = Repository::safetensors("tiny");
    let file = safetensors::SafeTensors::deserialize(&whole.files[0]).unwrap();
    for name in [
        "transformer.wte.weight",
        "transformer.ln_f.bias",
        "transformer.h.1.mlp.c_fc.weight",
    ] {
        let first = file.tensor(name).unwrap().data().as_ptr() as usize;
        let at = first - whole.files[0].as_ptr() as usize + 8;
        for value in [f32::NAN, f32::INFINITY] {
            let mut files = whole.files.clone();
            files[0][at..at + 4].copy_from_slice(&value.to_le_bytes());
            let damaged = Repository {
                config: whole.config.clone(),
                files,
            };
            for dtype in [WeightType::F32, WeightType::Q8_0] {
                let refused = damaged.converted(dtype, 1000).map(drop);
                assert!(
                    matches!(&refused, Err(WeightsError::NotFinite { name: named, .. }) if name.ends_with(named)),
                    "{dtype:?} {name} {value}: {refused:?}"
                );
            }
        }
        let mut files = whole.files.clone();
        files[0][at..at + 4].copy_from_slice(&1e6_f32.to_le_bytes());
        let large = Repository {
            config: whole.config.clone(),
            files,
        };
        let refused = large.converted(WeightType::F16, 1000).map(drop);
        assert_eq!(
            matches!(refused, Err(WeightsError::TooLargeForF16 { .. })),
            !name.contains("ln_f"),
            "{refused:?}"
        );
    }
}

#[test]
fn a_full_disk_is_an_error_and_the_journal_goes_on_when_there_is_room() {
    struct Disk {
        bytes: Vec<u8>,
        room: u64,
    }
    impl WriteAt for Disk {
        fn write_at(&mut self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
            if offset + bytes.len() as u64 > self.room {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.bytes.write_at(offset, bytes)
        }
    }
    let repository = Repository::safetensors("tiny");
    let (expected, _) = repository.quantized(WeightType::Q8_0);
    let metadata = repository.metadata(WeightType::Q8_0);
    let params = repository.params(WeightType::Q8_0, &metadata);
    let mut disk = Disk {
        bytes: Vec::new(),
        room: expected.len() as u64 / 2,
    };
    let mut conversion = Conversion::new(&params).unwrap();
    let refused = conversion.push(&repository.files[0], &mut disk);
    assert!(
        matches!(refused, Err(WeightsError::Write { .. })),
        "{refused:?}"
    );
    disk.room = u64::MAX;
    let journal = conversion.journal().clone();
    let mut conversion = Conversion::resume(&params, &journal).unwrap();
    let start = usize::try_from(conversion.source_pos().offset).unwrap();
    conversion
        .push(&repository.files[0][start..], &mut disk)
        .unwrap();
    conversion.end_file().unwrap();
    assert!(disk.bytes == expected);
}
