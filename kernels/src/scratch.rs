//! `Scratch`: the input vectors of one product, quantized once for all rows.

use super::kernel::Kernel;
use super::panel::{Block32, ColumnBlock, InputType, MAX_COLUMNS, Panel, panel_starts};
use crate::parallel::Threads;

/// The quantized inputs of the current product; reused between products to save allocations.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// One panel after another; floats and signed integers as their bits.
    words: Vec<u32>,
    /// The threads that compute; one by default.
    threads: Threads,
}

impl Scratch {
    /// A scratch whose products run on `threads`.
    #[must_use]
    pub fn with_threads(threads: Threads) -> Self {
        Self {
            threads,
            ..Self::default()
        }
    }

    /// The threads that compute.
    #[must_use]
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Quantizes `x`, (n, cols).
    pub(super) fn quantize<K: Kernel>(&mut self, input: InputType, cols: usize, x: &[f32]) {
        let (n, n_blocks) = (x.len() / cols, cols / input.block_len());
        let layout = K::layout(input);
        self.words.resize(n_blocks * layout.block_words(n), 0);
        let write_panel = |first: usize, n: usize, panel: &mut [u32]| {
            for column in 0..n {
                let values = x[(first + column) * cols..][..cols].chunks_exact(input.block_len());
                for (values, block) in values.zip(panel.chunks_exact_mut(layout.block_words(n))) {
                    write_block::<K>(input, values, block, n, column);
                }
            }
        };
        // Attention quantizes a few columns hundreds of times per token.
        if n <= MAX_COLUMNS {
            return write_panel(0, n, &mut self.words);
        }
        let mut rest = &mut self.words[..];
        let mut panels: Vec<_> = panel_starts(n)
            .map(|(first, n)| {
                let words = n_blocks * layout.block_words(n);
                let panel = rest.split_off_mut(..words).expect("resized for all panels");
                (first, n, panel)
            })
            .collect();
        self.threads.for_each(&mut panels, |_, (first, n, panel)| {
            write_panel(*first, *n, panel);
        });
    }

    /// The panel of N columns from column `first`.
    #[inline(always)]
    pub(super) fn panel<K: Kernel, const N: usize>(
        &self,
        input: InputType,
        cols: usize,
        first: usize,
    ) -> Panel<'_, N> {
        let n_blocks = cols / input.block_len();
        let words = |n| n_blocks * K::layout(input).block_words(n);
        Panel(&self.words[words(first)..][..words(N)])
    }
}

/// Quantizes one block of a column, `values`, into the column's part of a panel's `block`.
#[inline(always)]
fn write_block<K: Kernel>(
    input: InputType,
    values: &[f32],
    block: &mut [u32],
    n: usize,
    column: usize,
) {
    let layout = K::layout(input);
    match input {
        InputType::Q8_0 | InputType::Q4_0 | InputType::Cache => {
            let values = values.first_chunk().expect("a block is 32 values");
            let Block32 { scale, bias, pairs } = K::quantize32(input, values);
            let part = ColumnBlock {
                scale,
                biases: &[bias],
                sums: &[],
                words: &pairs[..layout.words],
            };
            part.write(block, layout.step, n, column);
        }
        InputType::Q4K | InputType::Q6K => {
            let values = values.first_chunk().expect("a block is 256 values");
            let quantized = K::quantize256(input, values);
            let part = ColumnBlock {
                scale: quantized.scale,
                biases: &quantized.biases[..layout.biases],
                sums: &quantized.sums[..layout.sums],
                words: &quantized.pairs[..layout.words],
            };
            part.write(block, layout.step, n, column);
        }
    }
}
