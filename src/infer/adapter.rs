//! `Adapter`: LoRA's changes of a model's linear maps, computed beside the products of the unchanged weights.

use std::sync::Arc;

use crate::kernels::low_rank::LowRank;
use crate::model::config::Gpt2Config;

/// The linear maps of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinearMap {
    /// `attn.c_attn`: (C) to (3 C)
    CAttn,
    /// `attn.c_proj`: (C) to (C)
    AttnCProj,
    /// `mlp.c_fc`: (C) to (I)
    CFc,
    /// `mlp.c_proj`: (I) to (C)
    MlpCProj,
}

impl LinearMap {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::CAttn, Self::AttnCProj, Self::CFc, Self::MlpCProj];

    /// Its name in a block, as in Hugging Face's files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CAttn => "attn.c_attn",
            Self::AttnCProj => "attn.c_proj",
            Self::CFc => "mlp.c_fc",
            Self::MlpCProj => "mlp.c_proj",
        }
    }

    /// Numbers in and out.
    #[must_use]
    pub fn shape(self, config: &Gpt2Config) -> (usize, usize) {
        let (c, i) = (config.n_embd, config.n_inner);
        match self {
            Self::CAttn => (c, 3 * c),
            Self::AttnCProj => (c, c),
            Self::CFc => (c, i),
            Self::MlpCProj => (i, c),
        }
    }
}

/// The changes of all blocks.
#[derive(Debug, Clone)]
pub struct Adapter {
    blocks: Vec<[Option<LowRank>; 4]>,
}

impl Adapter {
    /// The adapter with the changes that `change` gives for each map of each block.
    ///
    /// # Errors
    /// Those of `change`.
    ///
    /// # Panics
    /// If a change is not of its map's shape.
    pub fn new<E>(
        config: &Gpt2Config,
        mut change: impl FnMut(usize, LinearMap) -> Result<Option<LowRank>, E>,
    ) -> Result<Self, E> {
        let mut blocks = Vec::with_capacity(config.n_layer);
        for block in 0..config.n_layer {
            let mut changes = [const { None }; 4];
            for map in LinearMap::ALL {
                let found = change(block, map)?;
                if let Some(found) = &found {
                    assert_eq!((found.n_in(), found.n_out()), map.shape(config));
                }
                changes[map as usize] = found;
            }
            blocks.push(changes);
        }
        Ok(Self { blocks })
    }

    /// Bytes of its numbers.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let changes = self.blocks.iter().flatten().flatten();
        changes.map(LowRank::size_bytes).sum()
    }
}

/// Adapters and their shares: 1 is an adapter as it was trained.
pub type Mix = Vec<(Arc<Adapter>, f32)>;

/// Adds what `mix` changes of a map of a block, for rows `x` (n, in), to `out` (n, out).
pub(super) fn add(mix: &Mix, block: usize, map: LinearMap, x: &[f32], out: &mut [f32]) {
    for (adapter, share) in mix {
        if let Some(change) = &adapter.blocks[block][map as usize] {
            change.add(x, *share, out);
        }
    }
}
