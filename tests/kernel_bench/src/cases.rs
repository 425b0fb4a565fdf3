//! A checksum of random products, which must be the same in every build.

use super::kernels::{
    CacheMatrix, CacheType, EXP_BATCH, Kernel, PackedWeight, Scratch, WeightType, matmul_with,
};

/// The number all builds give; a change of it is a change of every model's output.
pub const CHECKSUM: u64 = 0xcfed_747c_5a64_f19b;

/// A linear congruential generator; integers only, so it is the same everywhere.
pub struct Random(pub u64);

impl Random {
    /// The next 16 bits.
    pub fn next(&mut self) -> u16 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 48) as u16
    }

    /// A number of magnitude 2⁻⁹ to 2⁷, either sign; now and then zero.
    pub fn float(&mut self) -> f32 {
        let (mantissa, exponent) = (f32::from(self.next().cast_signed()), self.next() % 16);
        mantissa / 32768.0 * f32::from_bits((120 + u32::from(exponent)) << 23)
    }
}

/// GGUF bytes of `n_blocks` blocks: any integers, scales from `f16`'s subnormal numbers up to 2.
pub fn gguf_bytes(dtype: WeightType, n_blocks: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..n_blocks * dtype.block_bytes())
        .map(|_| random.next() as u8)
        .collect();
    for block in bytes.chunks_mut(dtype.block_bytes()) {
        for &at in high_bytes(dtype) {
            block[at] &= 0xbf;
        }
    }
    bytes
}

/// Where the high bytes of a block's floats are.
pub fn high_bytes(dtype: WeightType) -> &'static [usize] {
    match dtype {
        WeightType::F32 => &[3],
        WeightType::F16 | WeightType::Q8_0 | WeightType::Q4_0 => &[1],
        WeightType::Q4K => &[1, 3],
        WeightType::Q6K => &[209],
    }
}

/// FNV-1a over the bits of every product: all types, odd sizes, 1 to 9 and 64 columns, extremes;
/// then a cache's products and the exponential.
pub fn checksum<K: Kernel>() -> u64 {
    let mut random = Random(1);
    let mut scratch = Scratch::default();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for dtype in WeightType::ALL {
        for (rows, cols) in [(1, 256), (13, 512), (40, 768), (8, 3072)] {
            let bytes = gguf_bytes(dtype, rows * cols / dtype.block_len(), &mut random);
            let weight = PackedWeight::read(dtype, rows, cols, &mut bytes.as_slice())
                .expect("the bytes are as many as asked for and finite");
            for n in [1, 2, 3, 4, 5, 6, 7, 8, 9, 64] {
                let mut x: Vec<f32> = (0..n * cols).map(|_| random.float()).collect();
                match random.next() % 8 {
                    0 => x[..32].fill(0.0),
                    1 => x[7] = 1e-38,
                    2 => x[..cols].iter_mut().for_each(|x| *x *= 1e-36),
                    3 => x[cols - 1] = f32::MAX / 1e9,
                    4 => x[3] = f32::NAN,
                    5 => x[40] = f32::NEG_INFINITY,
                    _ => {}
                }
                let mut out = vec![0.0; n * rows];
                matmul_with::<K>(&weight, &x, n, &mut out, &mut scratch);
                out.into_iter().for_each(|value| add(&mut hash, value));
            }
        }
    }
    for dtype in [CacheType::F32, CacheType::Q8] {
        let (rows, cols) = (64, 96);
        let mut matrix = CacheMatrix::new(dtype, 1, rows, cols).expect("memory");
        for col in 0..cols {
            let vector: Vec<f32> = (0..rows).map(|_| random.float()).collect();
            add(&mut hash, matrix.write_column(0, col, &vector));
        }
        for n in [1, 2, 3, 4, 5, 6] {
            let x: Vec<f32> = (0..n * cols).map(|_| random.float()).collect();
            let mut out = vec![0.0; n * rows];
            matrix.product_with::<K>(0, (rows, cols), &x, &mut out, &mut scratch);
            out.into_iter().for_each(|value| add(&mut hash, value));
        }
    }
    for _ in 0..1600 / EXP_BATCH {
        let mut x = [0.0; EXP_BATCH].map(|_: f32| random.float());
        K::exp(&mut x);
        x.into_iter().for_each(|value| add(&mut hash, value));
    }
    hash
}

/// One step of FNV-1a. Which NaN a value is may differ; that it is one may not.
fn add(hash: &mut u64, value: f32) {
    let bits = if value.is_nan() {
        0x7fc0_0000
    } else {
        value.to_bits()
    };
    *hash = (*hash ^ u64::from(bits)).wrapping_mul(0x0100_0000_01b3);
}
