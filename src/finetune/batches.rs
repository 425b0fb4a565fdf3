//! `Batches`: the tokens of a text in blocks, in the order of a seed, as `transformers`' `TextDataset` cut them.
//!
//! Blocks follow each other without overlap and cross the borders of posts; the last, incomplete one is left out.

use sha2::{Digest as _, Sha256};

use super::FineTuneError;
use crate::posts::random::PythonRandom;

/// The blocks of a training in their order.
#[derive(Debug, Clone)]
pub struct Batches {
    tokens: Vec<u32>,
    block_len: usize,
    batch_size: usize,
    /// Indices of blocks, all passes.
    order: Vec<u32>,
    n_blocks: usize,
}

impl Batches {
    /// The blocks of `block_len` tokens, `batch_size` per step, shuffled anew for each of `passes`.
    ///
    /// # Errors
    /// [`FineTuneError::TooLittleText`].
    pub fn new(
        tokens: Vec<u32>,
        block_len: usize,
        batch_size: usize,
        passes: u32,
        seed: u64,
    ) -> Result<Self, FineTuneError> {
        let n_blocks = tokens.len() / block_len.max(1);
        if n_blocks == 0 {
            return Err(FineTuneError::TooLittleText {
                got: tokens.len(),
                block_len,
            });
        }
        let mut random = PythonRandom::new(seed);
        let mut order = Vec::new();
        for _ in 0..passes {
            let mut pass: Vec<u32> = (0..u32::try_from(n_blocks).unwrap_or(u32::MAX)).collect();
            random.shuffle(&mut pass);
            order.append(&mut pass);
        }
        Ok(Self {
            tokens,
            block_len,
            batch_size,
            order,
            n_blocks,
        })
    }

    /// Steps in all. The last batch of a pass may have fewer blocks.
    pub fn n_steps(&self) -> u32 {
        let passes = self.order.len() / self.n_blocks;
        let steps = self.n_blocks.div_ceil(self.batch_size) * passes;
        u32::try_from(steps).unwrap_or(u32::MAX)
    }

    /// The blocks of a step.
    pub fn blocks(&self, step: u32) -> Vec<&[u32]> {
        let steps_of_pass = self.n_blocks.div_ceil(self.batch_size);
        let (pass, step) = (step as usize / steps_of_pass, step as usize % steps_of_pass);
        let order = self
            .order
            .chunks(self.n_blocks)
            .nth(pass)
            .unwrap_or_default();
        let batch = order.chunks(self.batch_size).nth(step).unwrap_or_default();
        let blocks = batch.iter();
        blocks
            .map(|block| &self.tokens[*block as usize * self.block_len..][..self.block_len])
            .collect()
    }

    /// SHA-256 of tokens and order.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.block_len as u64).to_le_bytes());
        for numbers in [&self.tokens, &self.order] {
            for part in numbers.chunks(1 << 12) {
                let bytes: Vec<u8> = part.iter().flat_map(|n| n.to_le_bytes()).collect();
                hash.update(&bytes);
            }
        }
        base16ct::lower::encode_string(&hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_comes_once_per_pass_and_the_rest_is_left_out() {
        let batches =
            Batches::new((0..107).collect(), 10, 3, 2, 7).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(batches.n_steps(), 8);
        for pass in 0..2 {
            let steps = 4 * pass..4 * pass + 4;
            let mut firsts: Vec<u32> = steps
                .flat_map(|step| batches.blocks(step))
                .map(|block| block[0])
                .collect();
            assert_ne!(firsts, (0..10).map(|i| 10 * i).collect::<Vec<_>>());
            firsts.sort_unstable();
            assert_eq!(firsts, (0..10).map(|i| 10 * i).collect::<Vec<_>>());
        }
        assert_eq!(batches.blocks(3).len(), 1);
        assert!(batches.blocks(8).is_empty());
    }

    #[test]
    fn a_text_without_a_block_is_refused() {
        assert!(matches!(
            Batches::new(vec![1; 9], 10, 1, 1, 0),
            Err(FineTuneError::TooLittleText {
                got: 9,
                block_len: 10
            })
        ));
    }
}
