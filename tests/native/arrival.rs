//! A model that arrives in pieces: what its weights tell is known with the last piece, and is shown wherever it opens.

use std::io::Cursor;
use std::path::Path;

use huggingtweets::engine::{Arrival, Companions, Engine};
use huggingtweets::hub::{Dtype, ModelRef};
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::notice::Notice;
use huggingtweets::store::ArtifactRecord;

use crate::support::checkpoints::with_adapter_and_head;
use crate::support::tiny::{LOAD, run};

fn folder() -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fixtures/repositories/safetensors-f32")
}

fn companions() -> Companions {
    let mut companions = Companions::default();
    for name in ["config.json", "tokenizer.json"] {
        companions.insert(name, std::fs::read(folder().join(name)).unwrap());
    }
    companions
}

/// The weights, with an adapter beside them and a head that differs from the embedding.
fn weights() -> Vec<u8> {
    with_adapter_and_head(&std::fs::read(folder().join("model.safetensors")).unwrap())
}

/// Pushes the rest of the file in pieces, at most `n` of them; whether the file has ended.
fn push(arrival: &mut Arrival, file: &[u8], out: &mut Vec<u8>, n: usize) -> bool {
    for _ in 0..n {
        let (_, offset) = arrival.source_pos();
        let rest = &file[offset as usize..];
        if rest.is_empty() {
            arrival.end_file().unwrap();
            return true;
        }
        arrival.push(&rest[..rest.len().min(5000)], out).unwrap();
    }
    false
}

fn begun(journal: Option<&serde_json::Value>) -> Arrival {
    Arrival::of_floats(&companions(), "tiny", WeightType::Q8_0, 1, journal).unwrap()
}

fn facts(notices: &[Notice]) -> Vec<&str> {
    notices.iter().map(|notice| notice.fact.as_str()).collect()
}

#[test]
fn what_the_weights_tell_comes_with_the_last_byte_also_after_an_interruption() {
    let file = weights();
    let mut out = Vec::new();
    let mut arrival = begun(None);
    assert_eq!(arrival.notices(), []);
    assert!(!push(&mut arrival, &file, &mut out, 10));
    // A reload: what was written stays, and the journal.
    let mut arrival = begun(Some(&arrival.journal()));
    assert!(arrival.source_pos().1 > 0, "it continues");
    assert!(push(&mut arrival, &file, &mut out, usize::MAX));
    let notices = arrival.notices();
    let facts = facts(&notices);
    assert_eq!(facts.len(), 2, "{facts:?}");
    assert!(facts[0].contains("LoRA"), "{facts:?}");
    assert!(facts[1].contains("lm_head.weight"), "{facts:?}");
}

#[test]
fn a_stored_record_keeps_the_notices_and_the_opened_model_has_them() {
    let file = weights();
    let (mut out, mut arrival) = (Vec::new(), begun(None));
    push(&mut arrival, &file, &mut out, usize::MAX);
    let size = out.len() as u64;

    let model = ModelRef::parse("me/tiny", &Default::default(), Dtype::Auto).unwrap();
    let mut record = ArtifactRecord::new(model);
    record.notices = arrival.notices();
    record.complete(size, None);
    let again = ArtifactRecord::from_json(&record.to_json())
        .unwrap()
        .unwrap();
    assert_eq!(again, record);

    let mut engine = Engine::new();
    let reader = Box::new(Cursor::new(out));
    engine.load(LOAD, reader, "me/tiny", size, again.notices);
    run(&mut engine);
    let opened = &engine.open_model().unwrap().info.notices;
    let told = arrival.notices();
    assert!(
        told.iter().all(|notice| opened.contains(notice)),
        "{opened:?}"
    );
}

#[test]
fn a_record_of_an_earlier_build_has_no_notices() {
    let model = ModelRef::parse("me/tiny", &Default::default(), Dtype::Auto).unwrap();
    let record = ArtifactRecord::new(model);
    assert!(!record.to_json().contains("notices"));
    let again = ArtifactRecord::from_json(&record.to_json())
        .unwrap()
        .unwrap();
    assert_eq!(again.notices, []);
}
