//! The native figures: `cargo run --release`.

use kernel_bench::{Model, cases, kernels};
use kernels::WeightType;
use std::time::Instant;

/// Median milliseconds of `run`, repeated for about a second.
fn median_ms(mut run: impl FnMut()) -> f64 {
    run();
    let mut times = Vec::new();
    let start = Instant::now();
    while times.len() < 5 || start.elapsed().as_secs_f64() < 1.0 {
        let start = Instant::now();
        run();
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    println!(
        "{}: checksum {:#018x}, scalar twin {:#018x}, expected {:#018x}",
        kernels::simd(),
        kernel_bench::checksum(),
        kernel_bench::scalar_checksum(),
        cases::CHECKSUM
    );
    for dtype in &WeightType::ALL[2..] {
        let mut model = Model::new(*dtype);
        let gb = model.size_bytes() as f64 / 1e6;
        let sum = median_ms(|| {
            std::hint::black_box(model.sum());
        });
        let decode = median_ms(|| model.step(1, 1));
        let five = median_ms(|| model.step(5, 5));
        let prefill = median_ms(|| model.step(64, 1));
        println!(
            "{dtype:?} {gb:.1} MB: sum {:.1} GB/s, decode {:.1} GB/s {:.1} tok/s, five {:.1} tok/s, prefill {:.1} tok/s",
            gb / sum,
            gb / decode,
            1e3 / decode,
            5e3 / five,
            64e3 / prefill
        );
    }
}
