//! The one table from Hugging Face to GGUF tensor names, with which ones are stored transposed.

use crate::model::config::Gpt2Config;

/// What a tensor is for, which decides its layout and whether it may be quantized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A linear map. Hugging Face's GPT-2 stores (in, out), GGUF and the kernels (out, in).
    Projection,
    /// One row per token; (V, C) everywhere.
    Embedding,
    /// One row per position; (n_ctx, C) everywhere, kept in F32.
    Positions,
    /// One dimension, kept in F32.
    Vector,
}

impl Role {
    /// Whether [`super::quantize`] may change its type.
    pub fn is_quantizable(self) -> bool {
        matches!(self, Self::Projection | Self::Embedding)
    }
}

/// A tensor a GPT-2 of some configuration consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Name in Hugging Face's files, without `transformer.`.
    pub name: String,
    /// Name in GGUF.
    pub gguf_name: String,
    /// What it is for.
    pub role: Role,
    /// Rows as computed with: out, ids or positions; 1 for a vector.
    pub rows: usize,
    /// Columns as computed with.
    pub cols: usize,
    /// Whether a checkpoint may lack it: the separate head.
    pub is_optional: bool,
}

const BLOCK: [(&str, &str); 6] = [
    ("ln_1", "attn_norm"),
    ("attn.c_attn", "attn_qkv"),
    ("attn.c_proj", "attn_output"),
    ("ln_2", "ffn_norm"),
    ("mlp.c_fc", "ffn_up"),
    ("mlp.c_proj", "ffn_down"),
];

/// Every tensor of a GPT-2 in the order files are written: embeddings, blocks, last norm, head.
pub fn tensors(config: &Gpt2Config) -> Vec<TensorSpec> {
    let (c, n_inner) = (config.n_embd, config.n_inner);
    let spec = |name: &str, gguf_name: &str, role, rows, cols| TensorSpec {
        name: name.to_owned(),
        gguf_name: gguf_name.to_owned(),
        role,
        rows,
        cols,
        is_optional: false,
    };
    let mut specs = vec![
        spec(
            "wte.weight",
            "token_embd.weight",
            Role::Embedding,
            config.vocab_size,
            c,
        ),
        spec(
            "wpe.weight",
            "position_embd.weight",
            Role::Positions,
            config.n_ctx,
            c,
        ),
    ];
    for layer_idx in 0..config.n_layer {
        for (hf, gguf) in BLOCK {
            let (role, rows, cols) = match hf {
                "attn.c_attn" => (Role::Projection, 3 * c, c),
                "attn.c_proj" => (Role::Projection, c, c),
                "mlp.c_fc" => (Role::Projection, n_inner, c),
                "mlp.c_proj" => (Role::Projection, c, n_inner),
                _ => (Role::Vector, 1, c),
            };
            let bias_len = if role == Role::Projection { rows } else { c };
            let (hf, gguf) = (
                format!("h.{layer_idx}.{hf}"),
                format!("blk.{layer_idx}.{gguf}"),
            );
            specs.push(spec(
                &format!("{hf}.weight"),
                &format!("{gguf}.weight"),
                role,
                rows,
                cols,
            ));
            specs.push(spec(
                &format!("{hf}.bias"),
                &format!("{gguf}.bias"),
                Role::Vector,
                1,
                bias_len,
            ));
        }
    }
    specs.push(spec(
        "ln_f.weight",
        "output_norm.weight",
        Role::Vector,
        1,
        c,
    ));
    specs.push(spec("ln_f.bias", "output_norm.bias", Role::Vector, 1, c));
    specs.push(TensorSpec {
        is_optional: true,
        ..spec(
            "lm_head.weight",
            "output.weight",
            Role::Embedding,
            config.vocab_size,
            c,
        )
    });
    specs
}
