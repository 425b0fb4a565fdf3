//! Reads, cleans and counts an export, and prints the counts, the seconds and the peak of memory; compared with
//! `benches/reference.py`.
//!
//! `cargo run --release -p huggingtweets-posts --example import ARCHIVE.zip [STEP_BYTES]`

use std::error::Error;
use std::fs::File;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use posts::archive::{Import, ImportOptions, Step};
use posts::clean::{Cleaner, Verdict};
use posts::counts::Counts;
use sha2::{Digest as _, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("give the path of an export")?;
    let step_bytes = args.next().map_or(Ok(1 << 20), |bytes| bytes.parse())?;
    let start = Instant::now();
    let file = File::open(&path)?;
    let mut import = Import::open(Box::new(file), &path, ImportOptions::default())?;
    let mut cleaner = Cleaner::default();
    let mut counts = Counts::default();
    let mut hash = Sha256::new();
    let (mut longest, mut first) = (Duration::ZERO, None);
    let failed = loop {
        let before = Instant::now();
        let step = import.step(step_bytes, &mut |post| {
            let verdict = cleaner.judge(&post);
            counts.add(&verdict);
            if let Verdict::Kept { text, .. } = &verdict {
                hash.update(text.as_bytes());
                hash.update(b"\n");
            }
            ControlFlow::Continue(())
        });
        longest = longest.max(before.elapsed());
        if counts.downloaded > 0 {
            first.get_or_insert_with(|| start.elapsed());
        }
        match step {
            Ok(Step::More) => {}
            Ok(_) => break None,
            Err(error) => break Some(error),
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    let hash = base16ct::lower::encode_string(&hash.finalize());
    println!(
        "{} downloaded, {} retweets, {} short, {} kept, sha256 {}",
        counts.downloaded,
        counts.retweets,
        counts.short,
        counts.kept,
        &hash[..16]
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!(
        "{seconds:.2} s, first counts after {:.3} s, longest step {:.3} s, peak memory {}",
        first.unwrap_or_default().as_secs_f64(),
        longest.as_secs_f64(),
        peak.unwrap_or("unknown").trim()
    );
    if let Some(error) = failed {
        println!("{error}; {}", error.hint());
    }
    Ok(())
}
