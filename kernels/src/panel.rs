//! `Panel`: the quantized inputs of columns that are multiplied together, in the order in which kernels read them.
//!
//! For each quantization block a panel has the columns' scales, their biases, then their integers in pairs, a few of
//! each column in turn. A kernel therefore reads the inputs, like the weights, from one increasing address.

/// A column's 32 quantized inputs for the types with a scale per 32 weights.
///
/// Each kernel has its own encoding of `bias` and `pairs`, which only its own products read.
#[derive(Clone, Copy, Debug)]
pub struct Block32 {
    /// The value of one step of the integers.
    pub scale: f32,
    /// The start of every row's sum; it cancels the offset of the stored weights.
    pub bias: i32,
    /// The integers in pairs: the even one in the low, the odd one in the high 16 bits.
    pub pairs: [u32; 16],
}

/// A column's 256 quantized inputs for the types with a scale per 256 weights; see [`Block32`].
#[derive(Clone, Copy, Debug)]
pub struct Block256 {
    /// The value of one step of the integers.
    pub scale: f32,
    /// The starts of the sums of each 16 inputs (Q6_K) or of each 32 (Q4_K, which uses the first eight).
    pub biases: [i32; 16],
    /// Sums of 32 integers each, in 16-bit pairs like the integers; for Q4_K.
    pub sums: [u32; 4],
    /// The integers in pairs.
    pub pairs: [u32; 128],
}

/// The quantized inputs of N columns.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a, const N: usize>(pub(super) &'a [u32]);

/// How a product's inputs are quantized; named after the type of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputType {
    /// For Q8_0.
    Q8_0,
    /// For Q4_0.
    Q4_0,
    /// For Q4_K.
    Q4K,
    /// For Q6_K.
    Q6K,
    /// For the 8-bit integers of a [`CacheMatrix`](super::CacheMatrix).
    Cache,
}

impl InputType {
    /// Inputs per quantization block.
    #[inline(always)]
    pub(super) fn block_len(self) -> usize {
        match self {
            Self::Q8_0 | Self::Q4_0 | Self::Cache => 32,
            Self::Q4K | Self::Q6K => 256,
        }
    }

    /// Largest integer the inputs are rounded to.
    ///
    /// Eight bits, as in llama.cpp and candle. Q6_K weights are more precise, and so are their inputs:
    /// 65 · 504 < 2¹⁵, see `rounding`. Inputs of a cache have 16 bits: 32 · 255 · 32767 < 2³¹.
    pub(super) fn integer_max(self) -> f32 {
        match self {
            Self::Q8_0 | Self::Q4_0 | Self::Q4K => 127.0,
            Self::Q6K => 504.0,
            Self::Cache => 32767.0,
        }
    }

    /// The order in a panel, unless a kernel has its own.
    #[inline(always)]
    pub(super) const fn layout(self) -> Layout {
        match self {
            Self::Q8_0 | Self::Cache => LAYOUT_Q8,
            Self::Q4_0 => LAYOUT_Q4_0,
            Self::Q4K => LAYOUT_Q4K,
            Self::Q6K => LAYOUT_Q6K,
        }
    }
}

/// The order of the inputs of one quantization block in a panel.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Starts of sums per column.
    pub(super) biases: usize,
    /// Pairs of the integers' sums per column.
    pub(super) sums: usize,
    /// Words of integers per column.
    pub(super) words: usize,
    /// Adjacent words of one column: those of one step of the kernel.
    pub(super) step: usize,
}

impl Layout {
    /// Words per column before the integers.
    pub(super) const fn head(self) -> usize {
        1 + self.biases + self.sums
    }

    /// Words of `n` columns together.
    #[inline(always)]
    pub(super) const fn block_words(self, n: usize) -> usize {
        n * (self.head() + self.words)
    }
}

/// The layout for blocks of 32 with 8-bit weights.
pub(super) const LAYOUT_Q8: Layout = Layout {
    biases: 1,
    sums: 0,
    words: 16,
    step: 2,
};
/// The layout for Q4_0.
pub(super) const LAYOUT_Q4_0: Layout = Layout {
    step: 4,
    ..LAYOUT_Q8
};
/// The layout for Q4_K.
pub(super) const LAYOUT_Q4K: Layout = Layout {
    biases: 8,
    sums: 4,
    words: 128,
    step: 4,
};
/// The layout for Q6_K.
pub(super) const LAYOUT_Q6K: Layout = Layout {
    biases: 16,
    sums: 0,
    words: 128,
    step: 4,
};

/// Most columns multiplied together; with more, the sums no longer fit into registers.
pub const MAX_COLUMNS: usize = 5;

/// First column and number of columns of each panel of `n` columns: the fewest panels, of equal size if possible,
/// because the cost per column falls with the size of the panel.
pub(super) fn panel_starts(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let n_panels = n.div_ceil(MAX_COLUMNS);
    (0..n_panels).scan(0, move |next, panel| {
        let first = *next;
        let count = (n - first).div_ceil(n_panels - panel);
        *next += count;
        Some((first, count))
    })
}

/// A column's part of a quantization block in a panel: one word of each of these fields per column, then the words of
/// one step of each column in turn.
pub(super) struct ColumnBlock<'a> {
    pub(super) scale: f32,
    pub(super) biases: &'a [i32],
    pub(super) sums: &'a [u32],
    pub(super) words: &'a [u32],
}

impl ColumnBlock<'_> {
    /// Writes the part into `block`, which holds `n` columns.
    #[inline(always)]
    pub(super) fn write(self, block: &mut [u32], step: usize, n: usize, column: usize) {
        let biases = self.biases.iter().map(|bias| bias.cast_unsigned());
        let head = [self.scale.to_bits()].into_iter().chain(biases);
        let head = head.chain(self.sums.iter().copied());
        for (words, word) in block.chunks_exact_mut(n).zip(head) {
            words[column] = word;
        }
        let start = n * (1 + self.biases.len() + self.sums.len());
        let block = &mut block[start..];
        match step {
            2 => write_steps::<2>(block, self.words, n, column),
            4 => write_steps::<4>(block, self.words, n, column),
            _ => unreachable!("no layout has other steps"),
        }
    }
}

#[inline(always)]
fn write_steps<const STEP: usize>(block: &mut [u32], words: &[u32], n: usize, column: usize) {
    let steps = block.chunks_exact_mut(n * STEP);
    for (step, words) in steps.zip(words.as_chunks::<STEP>().0) {
        step[column * STEP..][..STEP].copy_from_slice(words);
    }
}

impl<const N: usize> Panel<'_, N> {
    /// One column of a block of 32.
    pub(super) fn block32(self, input: InputType, block: usize, column: usize) -> Block32 {
        let mut read = Block32 {
            scale: 0.0,
            bias: 0,
            pairs: [0; 16],
        };
        let bias = std::slice::from_mut(&mut read.bias);
        read.scale = self.read(input, block, column, bias, &mut [], &mut read.pairs);
        read
    }

    /// One column of a Q4_K block.
    pub(super) fn q4k(self, block: usize, column: usize) -> Block256 {
        let mut read = Block256::ZERO;
        let biases = &mut read.biases[..LAYOUT_Q4K.biases];
        let (sums, pairs) = (&mut read.sums, &mut read.pairs);
        read.scale = self.read(InputType::Q4K, block, column, biases, sums, pairs);
        read
    }

    /// One column of a Q6_K block.
    pub(super) fn q6k(self, block: usize, column: usize) -> Block256 {
        let mut read = Block256::ZERO;
        let (biases, pairs) = (&mut read.biases, &mut read.pairs);
        read.scale = self.read(InputType::Q6K, block, column, biases, &mut [], pairs);
        read
    }

    /// Reads what [`ColumnBlock::write`] wrote, and returns the scale.
    fn read(
        self,
        input: InputType,
        block: usize,
        column: usize,
        biases: &mut [i32],
        sums: &mut [u32],
        pairs: &mut [u32],
    ) -> f32 {
        let start = N * (1 + biases.len() + sums.len());
        let n_words = start + N * pairs.len();
        let (head, words) = self.0[block * n_words..][..n_words].split_at(start);
        let mut head = head.chunks_exact(N).map(|words| words[column]);
        let scale = head.next().map_or(0.0, f32::from_bits);
        for (bias, word) in biases.iter_mut().zip(&mut head) {
            *bias = word.cast_signed();
        }
        for (sum, word) in sums.iter_mut().zip(head) {
            *sum = word;
        }
        let step = input.layout().step;
        let steps = words.chunks_exact(N * step);
        for (words, pairs) in steps.zip(pairs.chunks_exact_mut(step)) {
            pairs.copy_from_slice(&words[column * step..][..step]);
        }
        scale
    }
}

impl Block256 {
    pub(super) const ZERO: Self = Self {
        scale: 0.0,
        biases: [0; 16],
        sums: [0; 4],
        pairs: [0; 128],
    };
}

/// `scale` and its inverse for a block whose largest magnitude has these bits.
///
/// A block whose magnitudes are too small to divide becomes zero. A block with an infinity or a NaN gets a NaN scale
/// and zero integers, so that every output of its column is NaN.
#[inline(always)]
pub(super) fn block_scale(magnitude_bits: u32, max: f32) -> (f32, f32) {
    if magnitude_bits >= f32::INFINITY.to_bits() {
        return (f32::NAN, 0.0);
    }
    let scale = f32::from_bits(magnitude_bits) / max;
    if scale < f32::MIN_POSITIVE {
        return (0.0, 0.0);
    }
    (scale, 1.0 / scale)
}

/// Two 16-bit integers as one pair.
#[inline(always)]
pub(super) fn pair(even: i32, odd: i32) -> u32 {
    even.cast_unsigned() & 0xffff | odd.cast_unsigned() << 16
}

/// 1.5 · 2²³: adding it to a number below 2²² leaves the nearest integer (ties to even) in the low bits.
pub const ROUNDER: f32 = 12_582_912.0;
