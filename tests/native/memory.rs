//! Loading a GPT-2 of 124M and decoding five sequences needs little more memory than the length of the file.

use crate::support::checkpoints::load;
use crate::support::{gpt2_124m, own_process, shared};
use std::io::{BufWriter, Seek};
use std::time::Instant;

use huggingtweets::infer::{Logits, Session};
use huggingtweets::weights::Checkpoint;

/// The cache is allocated at the start, so that more steps need no more memory.
const STEPS: usize = 6;

#[test]
fn gpt2_124m_in_q8_0_and_five_sequences_peak_below_1_3_times_the_file() {
    own_process::run(
        "memory::gpt2_124m_in_q8_0_and_five_sequences_peak_below_1_3_times_the_file",
        load_and_decode,
    );
}

fn load_and_decode() {
    let mut file = tempfile::tempfile().unwrap();
    let file_bytes = gpt2_124m::write(BufWriter::new(&mut file));
    file.rewind().unwrap();

    let before = shared::peak_bytes();
    let start = Instant::now();
    let model = load(Checkpoint::from_gguf(Box::new(file)).unwrap()).unwrap();
    let load_ms = start.elapsed().as_millis();
    let mut session = Session::new(model.clone(), 5, 5, 155).unwrap();
    let start = Instant::now();
    session
        .prefill(&[50256, 3666, 4320, 318, 407], Logits::Last)
        .unwrap();
    for _ in 0..STEPS {
        let tokens = [0, 1, 2, 3, 4].map(|sequence| (sequence, 262));
        session.decode(&tokens).unwrap();
    }
    let tokens_per_second = (5 * STEPS) as f64 / start.elapsed().as_secs_f64();

    let counted = (model.size_bytes() + session.memory_bytes()) as u64;
    let of_file = |bytes: u64| bytes as f64 / file_bytes as f64;
    eprintln!(
        "file {file_bytes} B, weights {} B, session {} B: {:.3} of the file; loaded in {load_ms} ms; {tokens_per_second:.0} tok/s",
        model.size_bytes(),
        session.memory_bytes(),
        of_file(counted),
    );
    assert!(
        of_file(counted) < 1.27,
        "counted {:.3} of the file",
        of_file(counted)
    );
    let (Some(before), Some(peak)) = (before, shared::peak_bytes()) else {
        return;
    };
    eprintln!(
        "peak {peak} B, of which {before} B before loading: {:.3} of the file",
        of_file(peak - before)
    );
    assert!(
        of_file(peak - before) < 1.3,
        "peak {:.3} of the file",
        of_file(peak - before)
    );
}
