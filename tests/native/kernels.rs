//! The kernels give the products of candle's dequantized weights, and a column's product does not depend on the other
//! columns.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use huggingtweets::kernels::{
    self, CacheMatrix, CacheType, EXP_BATCH, Kernel, PackedWeight, Packer, Scratch, WeightType,
    matmul, scalar::Scalar,
};
use huggingtweets::parallel::Threads;
use std::io::ErrorKind;

#[path = "../kernel_bench/src/cases.rs"]
mod cases;

/// Largest root-mean-square error relative to that of the exact product, from rounding the inputs.
///
/// A step of amax / max has the error step / √12, and amax is about 2.1 σ among 32 normal inputs,
/// 2.8 σ among 256: 2.1 / 127 / √12 = 0.5 % for Q8_0 and Q4_0, 0.64 % for Q4_K, 0.16 % for Q6_K.
/// Float types round sums only. The table allows a third more.
const TOLERANCES: [(WeightType, f64); 6] = [
    (WeightType::F32, 1e-6),
    (WeightType::F16, 1e-6),
    (WeightType::Q8_0, 6.4e-3),
    (WeightType::Q6K, 2.2e-3),
    (WeightType::Q4K, 8.6e-3),
    (WeightType::Q4_0, 6.4e-3),
];

fn ggml(dtype: WeightType) -> GgmlDType {
    match dtype {
        WeightType::F32 => GgmlDType::F32,
        WeightType::F16 => GgmlDType::F16,
        WeightType::Q8_0 => GgmlDType::Q8_0,
        WeightType::Q4_0 => GgmlDType::Q4_0,
        WeightType::Q4K => GgmlDType::Q4K,
        WeightType::Q6K => GgmlDType::Q6K,
    }
}

/// Normal numbers from a linear congruential generator and twelve-fold sums.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }

    fn sample(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }

    fn vec(&mut self, len: usize, scale: f32) -> Vec<f32> {
        (0..len).map(|_| self.sample() * scale).collect()
    }
}

/// A weight, its GGUF bytes and its values as candle dequantizes them.
struct Case {
    weight: PackedWeight,
    bytes: Vec<u8>,
    values: Vec<f32>,
}

fn case(dtype: WeightType, rows: usize, cols: usize, values: &[f32]) -> Case {
    let tensor = Tensor::from_slice(values, (rows, cols), &Device::Cpu).unwrap();
    let quantized = QTensor::quantize(&tensor, ggml(dtype)).unwrap();
    let bytes = quantized.data().unwrap().to_vec();
    let values = quantized.dequantize(&Device::Cpu).unwrap();
    let weight = PackedWeight::read(dtype, rows, cols, &mut bytes.as_slice()).unwrap();
    Case {
        weight,
        bytes,
        values: values.flatten_all().unwrap().to_vec1().unwrap(),
    }
}

fn random_case(dtype: WeightType, rows: usize, cols: usize, seed: u64) -> Case {
    case(dtype, rows, cols, &Normal(seed).vec(rows * cols, 0.14))
}

/// The product in `f64`.
fn exact(values: &[f32], x: &[f32], rows: usize, cols: usize) -> Vec<f64> {
    let mut out = Vec::new();
    for column in x.chunks(cols) {
        for row in values.chunks(cols).take(rows) {
            out.push(
                row.iter()
                    .zip(column)
                    .map(|(&w, &x)| f64::from(w) * f64::from(x))
                    .sum(),
            );
        }
    }
    out
}

fn product(weight: &PackedWeight, x: &[f32], n: usize) -> Vec<f32> {
    let mut out = vec![f32::MAX; n * weight.rows()];
    matmul(weight, x, n, &mut out, &mut Scratch::default());
    out
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[track_caller]
fn assert_close(dtype: WeightType, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    let error = |i: usize| (f64::from(got[i]) - expected[i]).abs();
    let worst = (0..got.len())
        .max_by(|&a, &b| error(a).total_cmp(&error(b)))
        .unwrap();
    let errors: f64 = (0..got.len()).map(|i| error(i).powi(2)).sum();
    let squares: f64 = expected.iter().map(|e| e * e).sum();
    let relative = (errors / squares).sqrt();
    assert!(
        relative <= tolerance,
        "{dtype:?}: error {relative:.3e} above {tolerance:.1e}; worst at {worst}: {} for {}",
        got[worst],
        expected[worst]
    );
}

#[test]
fn products_equal_candles_dequantized_ones_within_the_rounding_of_inputs() {
    for (dtype, tolerance) in TOLERANCES {
        for (rows, cols) in [(8, 256), (64, 768), (13, 512), (1, 768), (257, 256)] {
            let case = random_case(dtype, rows, cols, rows as u64);
            for n in [1, 2, 3, 4, 5, 6, 7, 8, 9, 64] {
                let x = Normal(n as u64).vec(n * cols, 1.0);
                let expected = exact(&case.values, &x, rows, cols);
                // Few outputs scatter more around the expected error.
                let tolerance = tolerance * if n * rows < 64 { 3.0 } else { 1.0 };
                assert_close(dtype, &product(&case.weight, &x, n), &expected, tolerance);
            }
        }
    }
}

#[test]
fn float_types_take_any_number_of_columns() {
    for dtype in [WeightType::F32, WeightType::F16] {
        for cols in [1, 2, 3, 5, 20, 33] {
            let case = random_case(dtype, 11, cols, 4);
            let x = Normal(5).vec(3 * cols, 1.0);
            let expected = exact(&case.values, &x, 11, cols);
            assert_close(dtype, &product(&case.weight, &x, 3), &expected, 1e-6);
        }
    }
}

#[test]
fn a_columns_result_does_not_depend_on_the_columns_beside_it() {
    for dtype in WeightType::ALL {
        let (rows, cols) = (21, 512);
        let case = random_case(dtype, rows, cols, 6);
        let x = Normal(7).vec(64 * cols, 1.0);
        let alone: Vec<f32> = x
            .chunks(cols)
            .flat_map(|x| product(&case.weight, x, 1))
            .collect();
        for n in 1..=64 {
            let together = product(&case.weight, &x[..n * cols], n);
            assert_eq!(
                bits(&together),
                bits(&alone[..n * rows]),
                "{dtype:?}, n = {n}"
            );
        }
    }
}

#[test]
fn a_rows_result_does_not_depend_on_the_rows_beside_it() {
    for dtype in WeightType::ALL {
        let (rows, cols) = (21, 256);
        let case = random_case(dtype, rows, cols, 8);
        let x = Normal(9).vec(cols, 1.0);
        let whole = product(&case.weight, &x, 1);
        for (row, bytes) in case.bytes.chunks(case.bytes.len() / rows).enumerate() {
            let single = PackedWeight::read(dtype, 1, cols, &mut &*bytes).unwrap();
            assert_eq!(
                bits(&product(&single, &x, 1)),
                bits(&whole[row..=row]),
                "{dtype:?}"
            );
        }
    }
}

#[test]
fn products_are_the_same_on_one_to_eight_threads() {
    let all: Vec<Threads> = (1..=8).map(Threads::new).collect();
    for dtype in WeightType::ALL {
        // The last group is not full; the others are enough for every thread to get some.
        let (rows, cols) = (1003, 512);
        let case = random_case(dtype, rows, cols, 23);
        for n in [1, 5, 9, 32] {
            let x = Normal(n as u64).vec(n * cols, 1.0);
            let expected = product(&case.weight, &x, n);
            for threads in &all {
                let mut scratch = Scratch::with_threads(threads.clone());
                // Twice: the second time the helpers are awake.
                for _ in 0..2 {
                    let mut out = vec![f32::MAX; n * rows];
                    matmul(&case.weight, &x, n, &mut out, &mut scratch);
                    assert_eq!(
                        bits(&out),
                        bits(&expected),
                        "{dtype:?}, n = {n}, {threads:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn rows_equal_candles_dequantized_ones_bit_for_bit() {
    for dtype in WeightType::ALL {
        let (rows, cols) = (19, 768);
        let case = random_case(dtype, rows, cols, 10);
        let mut row = vec![0.0; cols];
        for (r, expected) in case.values.chunks(cols).enumerate() {
            case.weight.row(r, &mut row);
            assert_eq!(bits(&row), bits(expected), "{dtype:?}, row {r}");
        }
    }
}

#[test]
fn written_weights_are_the_bytes_that_were_read() {
    for dtype in WeightType::ALL {
        for rows in [1, 8, 19] {
            let case = random_case(dtype, rows, 768, 11);
            let mut written = Vec::new();
            case.weight.write(&mut written).unwrap();
            assert!(written == case.bytes, "{dtype:?}, {rows} rows");
        }
    }
}

/// GGUF bytes in which every integer is random and the scales are `f16` of ordinary size.
fn arbitrary_bytes(dtype: WeightType, n_blocks: usize, seed: u64) -> Vec<u8> {
    let mut random = Normal(seed);
    let mut bytes: Vec<u8> = (0..n_blocks * dtype.block_bytes())
        .map(|_| (random.uniform() * 256.0) as u8)
        .collect();
    for block in bytes.chunks_mut(dtype.block_bytes()) {
        let floats: &[usize] = match dtype {
            WeightType::F32 => &[2],
            WeightType::F16 | WeightType::Q8_0 | WeightType::Q4_0 => &[0],
            WeightType::Q4K => &[0, 2],
            WeightType::Q6K => &[208],
        };
        for &at in floats {
            block[at + 1] &= 0xbb;
        }
    }
    bytes
}

#[test]
fn any_integers_in_a_block_are_kept() {
    for dtype in WeightType::ALL {
        let cols = 1024;
        let bytes = arbitrary_bytes(dtype, 9 * cols / dtype.block_len(), 12);
        let weight = PackedWeight::read(dtype, 9, cols, &mut bytes.as_slice()).unwrap();
        let mut written = Vec::new();
        weight.write(&mut written).unwrap();
        assert!(written == bytes, "{dtype:?}");
        let values: Vec<f32> = (0..9)
            .flat_map(|r| {
                let mut row = vec![0.0; cols];
                weight.row(r, &mut row);
                row
            })
            .collect();
        let x = Normal(13).vec(2 * cols, 1.0);
        let tolerance = TOLERANCES.iter().find(|(t, _)| *t == dtype).unwrap().1 * 3.0;
        assert_close(
            dtype,
            &product(&weight, &x, 2),
            &exact(&values, &x, 9, cols),
            tolerance,
        );
    }
}

#[test]
fn threads_pack_what_one_thread_packs_and_refuse_the_same_rows() {
    for dtype in WeightType::ALL {
        // More than the threads take at once, and a group that is not full.
        let (rows, cols) = (1029, 256);
        let mut bytes = arbitrary_bytes(dtype, rows * cols / dtype.block_len(), 14);
        let read = |bytes: &[u8], n_threads: usize| {
            let packer = Packer::new(dtype, rows, cols).unwrap();
            let mut packer = packer.with_threads(Threads::new(n_threads));
            let mut source = bytes;
            packer.read(512, &mut source)?;
            packer
                .read(rows - 512, &mut source)
                .map(|()| packer.finish())
        };
        let x = Normal(15).vec(cols, 1.0);
        let [one, several] = [1, 3].map(|n| {
            let weight = read(&bytes, n).unwrap();
            let mut written = Vec::new();
            weight.write(&mut written).unwrap();
            assert!(written == bytes, "{dtype:?}, {n} threads");
            product(&weight, &x, 1)
        });
        assert_eq!(one, several, "{dtype:?}");
        // An infinity in row 700: all bits of an exponent.
        let row_bytes = cols / dtype.block_len() * dtype.block_bytes();
        let at = if dtype == WeightType::Q6K { 208 } else { 0 };
        let infinity: &[u8] = match dtype {
            WeightType::F32 => &[0, 0, 0x80, 0x7f],
            _ => &[0, 0x7c],
        };
        bytes[700 * row_bytes + at..][..infinity.len()].copy_from_slice(infinity);
        for n_threads in [1, 3] {
            let refused = read(&bytes, n_threads).unwrap_err().to_string();
            assert!(refused.starts_with("row 700, block 0 "), "{refused}");
        }
    }
}

#[test]
fn extreme_integers_do_not_overflow() {
    for (dtype, byte) in [
        (WeightType::Q8_0, 0x80),
        (WeightType::Q8_0, 0x7f),
        (WeightType::Q4_0, 0x00),
        (WeightType::Q4_0, 0xff),
        (WeightType::Q4K, 0xff),
        (WeightType::Q6K, 0x00),
        (WeightType::Q6K, 0xff),
    ] {
        let cols = 256;
        let mut bytes = vec![byte; cols / dtype.block_len() * dtype.block_bytes()];
        for block in bytes.chunks_mut(dtype.block_bytes()) {
            let one = 0x3c00_u16.to_le_bytes();
            match dtype {
                WeightType::Q4K => {
                    block[..2].copy_from_slice(&one);
                    block[2..4].copy_from_slice(&one);
                }
                WeightType::Q6K => {
                    block[192..208].fill(0x80); // The scales, −128 each.
                    block[208..].copy_from_slice(&one);
                }
                _ => block[..2].copy_from_slice(&one),
            }
        }
        let weight = PackedWeight::read(dtype, 1, cols, &mut bytes.as_slice()).unwrap();
        let mut row = vec![0.0; cols];
        weight.row(0, &mut row);
        for x in [vec![1e30; cols], vec![-1e30; cols], vec![1e-30; cols]] {
            assert_close(
                dtype,
                &product(&weight, &x, 1),
                &exact(&row, &x, 1, cols),
                1e-5,
            );
        }
    }
}

#[test]
fn zero_weights_and_zero_inputs_give_zero() {
    for dtype in WeightType::ALL {
        let zero = case(dtype, 9, 256, &vec![0.0; 9 * 256]);
        let x = Normal(14).vec(256, 1.0);
        assert!(
            product(&zero.weight, &x, 1).iter().all(|&v| v == 0.0),
            "{dtype:?}"
        );
        let case = random_case(dtype, 9, 256, 15);
        let out = product(&case.weight, &vec![0.0; 256], 1);
        assert!(out.iter().all(|&v| v == 0.0), "{dtype:?}");
    }
}

#[test]
fn inputs_too_small_to_quantize_count_as_zero() {
    let case = random_case(WeightType::Q8_0, 9, 256, 16);
    let out = product(&case.weight, &vec![1e-39; 256], 1);
    assert!(out.iter().all(|&v| v == 0.0));
}

#[test]
fn an_infinite_or_nan_input_makes_its_whole_column_nan_and_no_other() {
    for dtype in WeightType::ALL {
        if matches!(dtype, WeightType::F32 | WeightType::F16) {
            continue; // These follow IEEE 754: infinity times a weight.
        }
        let case = random_case(dtype, 9, 512, 17);
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = Normal(18).vec(3 * 512, 1.0);
            let clean = product(&case.weight, &x, 3);
            x[512 + 77] = bad;
            let out = product(&case.weight, &x, 3);
            assert!(out[9..18].iter().all(|v| v.is_nan()), "{dtype:?}");
            assert_eq!(bits(&out[..9]), bits(&clean[..9]));
            assert_eq!(bits(&out[18..]), bits(&clean[18..]));
        }
    }
}

/// Three matrices (rows, cols), the middle one written vector by vector; its rows as kept.
fn cache(
    dtype: CacheType,
    (rows, cols): (usize, usize),
    by_rows: bool,
) -> (CacheMatrix, Vec<Vec<f32>>) {
    let mut matrix = CacheMatrix::new(dtype, 3, rows, cols).unwrap();
    let mut normal = Normal(30);
    let mut kept = vec![vec![0.0; cols]; rows];
    let (vectors, len) = if by_rows { (rows, cols) } else { (cols, rows) };
    for v in 0..vectors {
        let vector = normal.vec(len, 1.0);
        let step = if by_rows {
            matrix.write_row(1, v, &vector)
        } else {
            matrix.write_column(1, v, &vector)
        };
        for (i, x) in vector.iter().enumerate() {
            let (row, col) = if by_rows { (v, i) } else { (i, v) };
            // Without the step, as a product gives it.
            kept[row][col] = match dtype {
                CacheType::F32 => *x,
                CacheType::Q8 => (x / step).round(),
            };
            assert!((kept[row][col] * step - x).abs() <= 0.5001 * step || step == 1.0);
        }
    }
    (matrix, kept)
}

fn cache_product<K: Kernel>(matrix: &CacheMatrix, shape: (usize, usize), x: &[f32]) -> Vec<f32> {
    let mut out = vec![f32::MAX; x.len() / shape.1 * shape.0];
    matrix.product_with::<K>(1, shape, x, &mut out, &mut Scratch::default());
    out
}

#[test]
fn a_cache_multiplies_what_was_written_row_by_row_or_column_by_column() {
    for (dtype, tolerance) in [(CacheType::F32, 1e-6), (CacheType::Q8, 4e-5)] {
        for (rows, cols) in [(64, 64), (7, 40), (160, 64), (64, 161)] {
            for by_rows in [true, false] {
                let (matrix, kept) = cache(dtype, (rows, cols), by_rows);
                let padded = CacheMatrix::padded(cols);
                for n in [1, 2, 5, 6, 9] {
                    let mut x = Normal(31).vec(n * padded, 1.0);
                    for x in x.chunks_mut(padded) {
                        x[cols..].fill(0.0);
                    }
                    let mut expected = Vec::new();
                    for x in x.chunks(padded) {
                        expected.extend(kept.iter().map(|row| {
                            let products = row
                                .iter()
                                .zip(x)
                                .map(|(w, x)| f64::from(*w) * f64::from(*x));
                            products.sum::<f64>()
                        }));
                    }
                    let got = cache_product::<Scalar>(&matrix, (rows, padded), &x);
                    assert_close(WeightType::Q8_0, &got, &expected, tolerance);
                    let alone: Vec<f32> = x
                        .chunks(padded)
                        .flat_map(|x| cache_product::<Scalar>(&matrix, (rows, padded), x))
                        .collect();
                    assert_eq!(bits(&got), bits(&alone), "{dtype:?}, n = {n}");
                    let mut chosen = vec![0.0; n * rows];
                    matrix.product(1, (rows, padded), &x, &mut chosen, &mut Scratch::default());
                    assert_eq!(bits(&got), bits(&chosen), "{dtype:?}, n = {n}");
                }
            }
        }
    }
}

#[test]
fn a_caches_first_columns_are_a_product_of_their_own() {
    let (matrix, _) = cache(CacheType::Q8, (64, 160), false);
    let mut x = Normal(32).vec(160, 1.0);
    x[40..].fill(0.0);
    let whole = cache_product::<Scalar>(&matrix, (64, 160), &x);
    let part = cache_product::<Scalar>(&matrix, (64, 64), &x[..64]);
    assert_eq!(bits(&whole), bits(&part), "zero inputs add nothing");
}

#[test]
fn a_caches_step_tells_of_broken_vectors() {
    let mut matrix = CacheMatrix::new(CacheType::Q8, 1, 8, 32).unwrap();
    assert_eq!(matrix.write_row(0, 0, &[0.0; 32]), 0.0);
    for bad in [f32::NAN, f32::INFINITY] {
        let mut vector = [1.0; 32];
        vector[5] = bad;
        assert!(matrix.write_row(0, 0, &vector).is_nan());
    }
}

#[test]
fn the_exponential_is_the_same_in_scalar_and_simd() {
    let mut normal = Normal(33);
    for _ in 0..10_000 {
        let mut x: [f32; EXP_BATCH] = std::array::from_fn(|_| normal.sample() * 40.0);
        (x[0], x[1], x[2]) = (f32::NEG_INFINITY, f32::INFINITY, -0.0);
        let mut twin = x;
        kernels::exp(&mut x);
        Scalar::exp(&mut twin);
        assert_eq!(bits(&x), bits(&twin));
    }
    let mut x = [f32::NAN; EXP_BATCH];
    kernels::exp(&mut x);
    assert!(x.iter().all(|x| x.is_nan()));
}

#[test]
fn no_columns_and_no_inputs_are_allowed() {
    let case = random_case(WeightType::Q8_0, 9, 256, 19);
    assert!(product(&case.weight, &[], 0).is_empty());
    let empty = PackedWeight::read(WeightType::F32, 3, 0, &mut [].as_slice()).unwrap();
    assert_eq!(product(&empty, &[], 2), [0.0; 6]);
}

#[test]
fn memory_is_the_files_size_but_for_q4k_scales() {
    for (dtype, per_block) in [
        (WeightType::F32, 4),
        (WeightType::F16, 2),
        (WeightType::Q8_0, 34),
        (WeightType::Q4_0, 18),
        (WeightType::Q4K, 148),
        (WeightType::Q6K, 210),
    ] {
        let case = random_case(dtype, 16, 768, 20);
        assert_eq!(
            case.weight.size_bytes(),
            16 * 768 / dtype.block_len() * per_block
        );
    }
}

#[test]
fn a_tensor_packed_in_parts_is_the_one_packed_whole() {
    for dtype in WeightType::ALL {
        let case = random_case(dtype, 27, 256, 22);
        let mut source = case.bytes.as_slice();
        let mut packer = Packer::new(dtype, 27, 256).unwrap();
        for n_rows in [8, 0, 16, 3] {
            assert!(!packer.is_full());
            packer.read(n_rows, &mut source).unwrap();
        }
        assert!(packer.is_full());
        let packed = packer.finish();
        let mut bytes = Vec::new();
        packed.write(&mut bytes).unwrap();
        assert_eq!(bytes, case.bytes, "{dtype:?}");
        let x = Normal(23).vec(256, 1.0);
        let product = |weight: &PackedWeight| {
            let mut out = vec![0.0; 27];
            matmul(weight, &x, 1, &mut out, &mut Scratch::default());
            out
        };
        assert_eq!(product(&packed), product(&case.weight), "{dtype:?}");
    }
}

#[test]
fn a_tensor_cut_short_is_an_unexpected_end() {
    for dtype in WeightType::ALL {
        let case = random_case(dtype, 9, 256, 21);
        let cut = &case.bytes[..case.bytes.len() - 1];
        let error = PackedWeight::read(dtype, 9, 256, &mut &*cut).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{dtype:?}");
    }
}

#[test]
fn columns_that_do_not_fill_blocks_are_refused() {
    for dtype in [
        WeightType::Q8_0,
        WeightType::Q4_0,
        WeightType::Q4K,
        WeightType::Q6K,
    ] {
        let error = PackedWeight::read(dtype, 1, 48, &mut [0; 999].as_slice()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{dtype:?}");
    }
}

#[test]
fn sizes_no_machine_has_are_refused_without_a_panic() {
    let read = |rows, cols| {
        PackedWeight::read(WeightType::F32, rows, cols, &mut [].as_slice())
            .unwrap_err()
            .kind()
    };
    assert_eq!(read(usize::MAX, 1 << 20), ErrorKind::InvalidInput);
    assert_eq!(read(1 << 30, 1 << 27), ErrorKind::OutOfMemory);
}

#[test]
fn infinite_and_nan_weights_are_refused() {
    for dtype in WeightType::ALL {
        let case = random_case(dtype, 9, 256, 22);
        let block = dtype.block_bytes();
        let at = case.bytes.len() - block
            + match dtype {
                WeightType::F32 => 2,
                WeightType::Q6K => 208,
                _ => 0,
            };
        for high_byte in [0x7f, 0xff] {
            let mut bytes = case.bytes.clone();
            bytes[at] = 0x80;
            bytes[at + 1] = high_byte;
            let error = PackedWeight::read(dtype, 9, 256, &mut bytes.as_slice()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{dtype:?}");
        }
    }
}

#[test]
fn every_build_agrees_on_every_bit() {
    // The wasm builds compare themselves with the same number: tests/kernel_bench/run.mjs.
    assert_eq!(cases::checksum::<Scalar>(), cases::CHECKSUM);
    #[cfg(target_arch = "x86_64")]
    assert_eq!(
        cases::checksum::<kernels::simd128::Simd128>(),
        cases::CHECKSUM
    );
    #[cfg(target_arch = "x86_64")]
    if kernels::avx2::Avx2::is_available() {
        assert_eq!(cases::checksum::<kernels::avx2::Avx2>(), cases::CHECKSUM);
    }
}
