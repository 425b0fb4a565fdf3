//! The one table of GPT-2's tensors: names in Hugging Face's files and in GGUF, shapes, layouts, and the tensor that
//! may be absent.

use crate::model::config::Gpt2Config;
use Dimension::{NCtx, NEmbd, NInner, One, QkvWidth, VocabSize};
use Role::{Embedding, Positions, Projection, Vector};

/// The role of a tensor in the model, which decides its layout and whether it may be quantized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A linear map. Hugging Face's GPT-2 stores (in, out), GGUF and the kernels (out, in).
    Projection,
    /// One row per token; (V, C) everywhere.
    Embedding,
    /// One row per position; (`n_ctx`, C) everywhere, always F32 in GGUF.
    Positions,
    /// One dimension, always F32 in GGUF.
    Vector,
}

impl Role {
    /// Whether a conversion may change its type.
    pub fn is_quantizable(self) -> bool {
        matches!(self, Projection | Embedding)
    }

    /// Whether Hugging Face's files store it transposed, as (cols, rows).
    pub fn is_transposed_in_hugging_face(self) -> bool {
        self == Projection
    }
}

/// A dimension of a tensor, as the configuration gives it.
#[derive(Debug, Clone, Copy)]
enum Dimension {
    /// A vector has one row.
    One,
    VocabSize,
    NCtx,
    NEmbd,
    /// Queries, keys and values side by side: 3 × C.
    QkvWidth,
    NInner,
}

impl Dimension {
    fn of(self, config: &Gpt2Config) -> usize {
        match self {
            One => 1,
            VocabSize => config.vocab_size,
            NCtx => config.n_ctx,
            NEmbd => config.n_embd,
            QkvWidth => 3 * config.n_embd,
            NInner => config.n_inner,
        }
    }
}

/// A row of the table: Hugging Face's name, GGUF's name, role, rows, columns.
type Row = (&'static str, &'static str, Role, Dimension, Dimension);

#[rustfmt::skip]
const EMBEDDINGS: [Row; 2] = [
    ("wte.weight", "token_embd.weight",    Embedding, VocabSize, NEmbd),
    ("wpe.weight", "position_embd.weight", Positions, NCtx,      NEmbd),
];

/// The tensors of each block, under `h.N.` and `blk.N.`.
#[rustfmt::skip]
const BLOCK: [Row; 12] = [
    ("ln_1.weight",        "attn_norm.weight",   Vector,     One,      NEmbd),
    ("ln_1.bias",          "attn_norm.bias",     Vector,     One,      NEmbd),
    ("attn.c_attn.weight", "attn_qkv.weight",    Projection, QkvWidth, NEmbd),
    ("attn.c_attn.bias",   "attn_qkv.bias",      Vector,     One,      QkvWidth),
    ("attn.c_proj.weight", "attn_output.weight", Projection, NEmbd,    NEmbd),
    ("attn.c_proj.bias",   "attn_output.bias",   Vector,     One,      NEmbd),
    ("ln_2.weight",        "ffn_norm.weight",    Vector,     One,      NEmbd),
    ("ln_2.bias",          "ffn_norm.bias",      Vector,     One,      NEmbd),
    ("mlp.c_fc.weight",    "ffn_up.weight",      Projection, NInner,   NEmbd),
    ("mlp.c_fc.bias",      "ffn_up.bias",        Vector,     One,      NInner),
    ("mlp.c_proj.weight",  "ffn_down.weight",    Projection, NEmbd,    NInner),
    ("mlp.c_proj.bias",    "ffn_down.bias",      Vector,     One,      NEmbd),
];

#[rustfmt::skip]
const LAST_NORM: [Row; 2] = [
    ("ln_f.weight", "output_norm.weight", Vector, One, NEmbd),
    ("ln_f.bias",   "output_norm.bias",   Vector, One, NEmbd),
];

/// The only optional tensor: without it the head is the token embedding.
const HEAD: Row = (
    "lm_head.weight",
    "output.weight",
    Embedding,
    VocabSize,
    NEmbd,
);

/// A tensor that a GPT-2 of some configuration consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Name in Hugging Face's files, without `transformer.`.
    pub name: String,
    /// Name in GGUF.
    pub gguf_name: String,
    /// Its role.
    pub role: Role,
    /// Rows as computed with: outputs, ids or positions; 1 for a vector.
    pub rows: usize,
    /// Columns as computed with.
    pub cols: usize,
    /// Whether a checkpoint may lack it: the separate head.
    pub is_optional: bool,
}

impl TensorSpec {
    fn new(row: Row, config: &Gpt2Config, block: Option<usize>) -> Self {
        let (name, gguf_name, role, rows, cols) = row;
        let in_block = |prefix: &str, name: &str| match block {
            Some(layer_idx) => format!("{prefix}.{layer_idx}.{name}"),
            None => name.to_owned(),
        };
        Self {
            name: in_block("h", name),
            gguf_name: in_block("blk", gguf_name),
            role,
            rows: rows.of(config),
            cols: cols.of(config),
            is_optional: false,
        }
    }

    /// Its shape in Hugging Face's files, outermost dimension first.
    pub fn hugging_face_shape(&self) -> Vec<u64> {
        let (rows, cols) = (self.rows as u64, self.cols as u64);
        match self.role {
            Vector => vec![cols],
            Projection => vec![cols, rows],
            Embedding | Positions => vec![rows, cols],
        }
    }

    /// Its dimensions in GGUF, innermost first.
    pub fn gguf_dims(&self) -> Vec<u64> {
        let (rows, cols) = (self.rows as u64, self.cols as u64);
        match self.role {
            Vector => vec![cols],
            Projection | Embedding | Positions => vec![cols, rows],
        }
    }
}

/// Every tensor of a GPT-2 in the order files are written: embeddings, blocks, last norm, head.
pub fn tensors(config: &Gpt2Config) -> Vec<TensorSpec> {
    let once = |row| TensorSpec::new(row, config, None);
    let blocks = (0..config.n_layer)
        .flat_map(|layer_idx| BLOCK.map(|row| TensorSpec::new(row, config, Some(layer_idx))));
    let head = TensorSpec {
        is_optional: true,
        ..once(HEAD)
    };
    EMBEDDINGS
        .map(once)
        .into_iter()
        .chain(blocks)
        .chain(LAST_NORM.map(once))
        .chain([head])
        .collect()
}
