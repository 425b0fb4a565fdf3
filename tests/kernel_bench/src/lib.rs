//! The matrix products of GPT-2 124M, timed by whoever calls `step`.
//!
//! Natively `cargo run --release`. In wasm, in this folder:
//!
//! ```sh
//! RUSTFLAGS='-C target-feature=+simd128' cargo build --release --lib --target wasm32-unknown-unknown
//! node run.mjs                # or --chromium; --least on a machine with other work
//! ```
//!
//! Both first compare the checksum of [`cases`], without which no figure means anything.
#![allow(unsafe_code, reason = "JavaScript calls exported functions by name")]

pub use ::kernels;

pub mod cases;

use std::cell::RefCell;

use kernels::{PackedWeight, Scratch, WeightType, matmul, scalar::Scalar};

/// Rows and columns of one block's four matrices.
const BLOCK: [(usize, usize); 4] = [(2304, 768), (768, 768), (3072, 768), (768, 3072)];
/// The tied head.
const HEAD: (usize, usize) = (50257, 768);

/// All matrices of a model, their inputs and outputs.
#[derive(Default)]
pub struct Model {
    weights: Vec<PackedWeight>,
    x: Vec<f32>,
    out: Vec<f32>,
    scratch: Scratch,
}

impl Model {
    /// 12 blocks and the head, of random weights.
    pub fn new(dtype: WeightType) -> Self {
        let mut random = cases::Random(2);
        let mut weights = Vec::new();
        for (rows, cols) in std::iter::repeat_n(BLOCK, 12).flatten().chain([HEAD]) {
            // One row after the other from the same bytes, so that filling is quick.
            let mut row = cases::gguf_bytes(dtype, cols / dtype.block_len(), &mut random);
            ordinary_scales(dtype, &mut row);
            let mut source = Repeat { row: &row, at: 0 };
            weights.push(PackedWeight::read(dtype, rows, cols, &mut source).expect("memory"));
        }
        let x = (0..64 * 3072).map(|_| random.float()).collect();
        let out = vec![0.0; 64 * HEAD.0];
        Self {
            weights,
            x,
            out,
            scratch: Scratch::default(),
        }
    }

    /// Every product of one step with `n` columns; the head has one column if `n` is a prompt's.
    pub fn step(&mut self, n: usize, head_n: usize) {
        for weight in &self.weights {
            let n = if weight.rows() == HEAD.0 { head_n } else { n };
            matmul(
                weight,
                &self.x[..n * weight.cols()],
                n,
                &mut self.out[..n * weight.rows()],
                &mut self.scratch,
            );
        }
    }

    /// One matrix alone.
    pub fn one(&mut self, index: usize, n: usize) {
        let weight = &self.weights[index];
        matmul(
            weight,
            &self.x[..n * weight.cols()],
            n,
            &mut self.out[..n * weight.rows()],
            &mut self.scratch,
        );
    }

    /// Reads all weights once and adds them up as integers: the memory's own speed.
    pub fn sum(&self) -> u32 {
        self.weights
            .iter()
            .map(PackedWeight::sum_words)
            .fold(0, u32::wrapping_add)
    }

    /// Bytes of all weights.
    pub fn size_bytes(&self) -> usize {
        self.weights.iter().map(PackedWeight::size_bytes).sum()
    }
}

/// Gives all blocks scales of a trained model's size: speed may depend on subnormal numbers.
fn ordinary_scales(dtype: WeightType, bytes: &mut [u8]) {
    for block in bytes.chunks_mut(dtype.block_bytes()) {
        for &at in cases::high_bytes(dtype) {
            block[at] = block[at] & 0x83 | 0x14;
        }
    }
}

/// The same row again and again.
struct Repeat<'a> {
    row: &'a [u8],
    at: usize,
}

impl std::io::Read for Repeat<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(self.row.len() - self.at);
        out[..count].copy_from_slice(&self.row[self.at..][..count]);
        self.at = (self.at + count) % self.row.len();
        Ok(count)
    }
}

thread_local! {
    static MODEL: RefCell<Model> = RefCell::default();
}

/// The checksum of the build's own kernels.
#[unsafe(no_mangle)]
pub extern "C" fn checksum() -> u64 {
    #[cfg(target_arch = "x86_64")]
    if kernels::avx2::Avx2::is_available() {
        return cases::checksum::<kernels::avx2::Avx2>();
    }
    #[cfg(any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    ))]
    return cases::checksum::<kernels::simd128::Simd128>();
    #[cfg(not(any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    cases::checksum::<Scalar>()
}

/// The checksum of the scalar twins in the same build.
#[unsafe(no_mangle)]
pub extern "C" fn scalar_checksum() -> u64 {
    cases::checksum::<Scalar>()
}

/// What both should be.
#[unsafe(no_mangle)]
pub extern "C" fn expected_checksum() -> u64 {
    cases::CHECKSUM
}

/// Makes the model of type `WeightType::ALL[dtype]`, or none if there is no such type; result: its bytes.
#[unsafe(no_mangle)]
pub extern "C" fn prepare(dtype: usize) -> usize {
    MODEL.with_borrow_mut(|model| {
        *model = Model::default();
        if let Some(dtype) = WeightType::ALL.get(dtype) {
            *model = Model::new(*dtype);
        }
        model.size_bytes()
    })
}

/// See [`Model::step`].
#[unsafe(no_mangle)]
pub extern "C" fn step(n: usize, head_n: usize) {
    MODEL.with_borrow_mut(|model| model.step(n, head_n));
}

/// See [`Model::one`].
#[unsafe(no_mangle)]
pub extern "C" fn one(index: usize, n: usize) {
    MODEL.with_borrow_mut(|model| model.one(index, n));
}

/// See [`Model::sum`].
#[unsafe(no_mangle)]
pub extern "C" fn sum() -> u32 {
    MODEL.with_borrow(Model::sum)
}
