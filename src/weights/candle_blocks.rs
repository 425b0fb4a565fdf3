//! candle's quantized blocks, without its tensors: a program that only reads and writes blocks has no use for their products.

use candle_core::quantized::k_quants::{
    BlockQ2K, BlockQ3K, BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0, BlockQ5_1, BlockQ5K, BlockQ6K,
    BlockQ8_0, BlockQ8_1, BlockQ8K,
};
use candle_core::quantized::{GgmlDType, GgmlType};
use std::mem::size_of;
use std::slice;

/// A block of candle.
///
/// # Safety
/// It has no padding, and each of its bytes may have any value.
#[allow(unsafe_code, reason = "the types are candle's")]
unsafe trait Block: GgmlType {}

macro_rules! blocks {
    ($($dtype:ident: $block:ident),* $(,)?) => {
        $(
            // SAFETY: whole numbers and `f16`, in the order of C, with the size of its file format.
            #[allow(unsafe_code, reason = "as above")]
            unsafe impl Block for $block {}
        )*

        /// Appends the numbers of the whole blocks in `bytes` to `out`; nothing for the float types.
        pub(super) fn decode(dtype: GgmlDType, bytes: &[u8], out: &mut Vec<f32>) {
            match dtype {
                $(GgmlDType::$dtype => decode_as::<$block>(bytes, out),)*
                GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16 => {}
            }
        }

        /// Appends the blocks of `values`, which fill whole blocks, to `out`; nothing for the float types.
        pub(super) fn encode(dtype: GgmlDType, values: &[f32], out: &mut Vec<u8>) {
            match dtype {
                $(GgmlDType::$dtype => encode_as::<$block>(values, out),)*
                GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16 => {}
            }
        }
    };
}

blocks! {
    Q4_0: BlockQ4_0,
    Q4_1: BlockQ4_1,
    Q5_0: BlockQ5_0,
    Q5_1: BlockQ5_1,
    Q8_0: BlockQ8_0,
    Q8_1: BlockQ8_1,
    Q2K: BlockQ2K,
    Q3K: BlockQ3K,
    Q4K: BlockQ4K,
    Q5K: BlockQ5K,
    Q6K: BlockQ6K,
    Q8K: BlockQ8K,
}

fn decode_as<B: Block>(bytes: &[u8], out: &mut Vec<f32>) {
    let mut blocks = vec![B::zeros(); bytes.len() / size_of::<B>()];
    let whole = blocks.len() * size_of::<B>();
    bytes_of(&mut blocks).copy_from_slice(&bytes[..whole]);
    let start = out.len();
    out.resize(start + blocks.len() * B::BLCK_SIZE, 0.0);
    B::to_float(&blocks, &mut out[start..]);
}

fn encode_as<B: Block>(values: &[f32], out: &mut Vec<u8>) {
    let mut blocks = vec![B::zeros(); values.len() / B::BLCK_SIZE];
    B::from_float(values, &mut blocks);
    out.extend_from_slice(bytes_of(&mut blocks));
}

#[allow(unsafe_code, reason = "candle gives no access to the bytes of blocks")]
fn bytes_of<B: Block>(blocks: &mut [B]) -> &mut [u8] {
    // SAFETY: the same memory, borrowed as long; bytes have no alignment, and as `Block` says, any bytes are a block.
    unsafe { slice::from_raw_parts_mut(blocks.as_mut_ptr().cast(), size_of_val(blocks)) }
}
