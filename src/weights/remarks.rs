//! `Remarks`: what the names of a file's tensors tell beside the weights that are read.

use serde::{Deserialize, Serialize};

use super::error::WeightsError;
use crate::notice::Notice;

/// What adapters call their tensors; a layer below which they were put is called `base_layer`.
const ADAPTER: [&str; 8] = [
    "lora_A",
    "lora_B",
    "lora_embedding_A",
    "lora_embedding_B",
    "lora_magnitude_vector",
    "ia3_l",
    "hada_w1_a",
    "oft_R",
];

/// The last parts of names that only quantized weights have, by the programs that write them.
#[rustfmt::skip]
const QUANTIZED: [(&str, &[&str]); 4] = [
    ("GPTQ or AWQ",  &["qweight", "qzeros", "g_idx"]),
    ("bitsandbytes", &["SCB", "absmax", "nested_absmax", "quant_map", "weight_format", "quant_state"]),
    ("HQQ",          &["W_q"]),
    ("llm-compressor or another program", &["weight_packed", "weight_scale", "weight_scale_inv"]),
];

/// What there is to know about tensors that are not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remarks {
    /// Whether a tensor is there under several names.
    pub(super) has_repeated: bool,
    /// Whether an adapter lies beside the weights that it changes.
    pub(super) has_adapter: bool,
}

impl Remarks {
    /// Notes the name of a tensor.
    ///
    /// # Errors
    /// [`WeightsError::Quantized`].
    pub(super) fn add_name(&mut self, name: &str) -> Result<(), WeightsError> {
        for part in name.split('.') {
            self.has_adapter |= ADAPTER.contains(&part);
            if let Some((by, _)) = QUANTIZED.iter().find(|(_, parts)| parts.contains(&part)) {
                return Err(WeightsError::Quantized { by });
            }
        }
        Ok(())
    }

    /// Adds those of another file.
    pub(super) fn add(&mut self, other: Self) {
        self.has_repeated |= other.has_repeated;
        self.has_adapter |= other.has_adapter;
    }

    /// The cause where a tensor is missing.
    pub(super) fn explain(self, missing: WeightsError) -> WeightsError {
        match self.has_adapter {
            true => WeightsError::Adapter,
            false => missing,
        }
    }

    /// As notices.
    pub(super) fn notices(self) -> impl Iterator<Item = Notice> {
        let notice = |fact| Notice::new("the weights", fact);
        let repeated = self.has_repeated.then(|| {
            notice(
                "they hold tensors twice, under several names; of each the one is used whose name is nearest to that in \
                 transformers",
            )
        });
        let adapter = self.has_adapter.then(|| {
            notice(
                "an adapter (LoRA) lies beside the model and is passed over, so the texts are the base model's; merge it \
                 first, with merge_and_unload of peft",
            )
        });
        repeated.into_iter().chain(adapter)
    }
}
