//! `Arrival`: a model's weights on their way into a GGUF file on this device, from any byte on again.

use serde_json::{Value as Json, json};

use crate::generate::params::GenerationParams;
use crate::hub::Dtype;
use crate::kernels::pack::WeightType;
use crate::model::config::Gpt2Config;
use crate::tokenizer::{Tokenizer, Vocabulary};
use crate::weights::gguf::Value;
use crate::weights::quantize::{GgufTokenizer, gpt2_metadata};
use crate::weights::{Conversion, ConversionParams, Journal, WeightsError, WriteAt, gguf};

use super::{EngineError, defaults};

/// The small files beside float weights.
#[derive(Debug, Clone, Default)]
pub struct Companions {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `generation_config.json`.
    pub generation_config: Option<Vec<u8>>,
    /// `tokenizer.json`.
    pub tokenizer: Option<Vec<u8>>,
    /// `vocab.json` and `merges.txt`, where there is no `tokenizer.json`.
    pub vocab_and_merges: Option<(Vec<u8>, Vec<u8>)>,
}

impl Companions {
    /// The vocabulary of whichever files there are.
    ///
    /// # Errors
    /// [`EngineError::Tokenizer`]; [`EngineError::NoTokenizer`] if there are none.
    pub fn vocabulary(&self) -> Result<Vocabulary, EngineError> {
        Ok(match (&self.tokenizer, &self.vocab_and_merges) {
            (Some(json), _) => Vocabulary::from_tokenizer_json(json)?,
            (None, Some((vocab, merges))) => Vocabulary::from_vocab_and_merges(vocab, merges)?,
            (None, None) => return Err(EngineError::NoTokenizer),
        })
    }

    /// What a GGUF made of these files says about itself, `name` being the model's.
    ///
    /// # Errors
    /// As [`Companions::vocabulary`]; [`EngineError::Tokenizer`] if the vocabulary is of another model;
    /// [`EngineError::Weights`] if the configuration is no GPT-2's; [`EngineError::Generate`].
    pub fn metadata(
        &self,
        name: &str,
        dtype: WeightType,
    ) -> Result<Vec<(String, Value)>, EngineError> {
        let config = Gpt2Config::from_json(&self.config).map_err(WeightsError::Config)?;
        let params =
            GenerationParams::from_hugging_face(&self.config, self.generation_config.as_deref())?;
        metadata(name, &config, dtype, self.vocabulary()?, &params)
    }
}

/// What a GGUF says about itself.
///
/// # Errors
/// [`EngineError::Tokenizer`] if the vocabulary is unusable or of another model.
pub fn metadata(
    name: &str,
    config: &Gpt2Config,
    dtype: WeightType,
    vocabulary: Vocabulary,
    params: &GenerationParams,
) -> Result<Vec<(String, Value)>, EngineError> {
    let tokenizer = GgufTokenizer {
        merges: vocabulary
            .merges()
            .map(|(left, right)| format!("{left} {right}"))
            .collect(),
        control: vocabulary
            .added()
            .iter()
            .filter(|(_, special)| *special)
            .map(|(id, _)| *id)
            .collect(),
        tokens: vocabulary.tokens().to_vec(),
    };
    // A vocabulary of another model is refused before anything is written.
    Tokenizer::new(vocabulary)?.check_vocab_size(config.vocab_size)?;
    let more = defaults::to_metadata(params);
    Ok(gpt2_metadata(name, config, dtype, tokenizer, more))
}

/// What float weights become for a wish.
pub fn target(dtype: Dtype) -> WeightType {
    match dtype {
        Dtype::Auto | Dtype::Q8_0 => WeightType::Q8_0,
        Dtype::Q4_0 => WeightType::Q4_0,
        Dtype::Q4K => WeightType::Q4K,
        Dtype::Q6K => WeightType::Q6K,
        Dtype::F16 => WeightType::F16,
        Dtype::F32 => WeightType::F32,
    }
}

/// Weights on their way: the bytes of each source file in order, in pieces of any size.
pub enum Arrival {
    /// A GGUF, kept as it is.
    Copy {
        /// Bytes so far.
        offset: u64,
        /// Whether its end has come.
        has_ended: bool,
    },
    /// Float weights that are quantized on the way.
    Conversion(Box<Conversion>),
}

impl Arrival {
    /// A GGUF, going on at the byte a journal names.
    pub fn of_gguf(journal: Option<&Json>) -> Self {
        let offset = journal.and_then(|journal| journal["offset"].as_u64());
        Self::Copy {
            offset: offset.unwrap_or(0),
            has_ended: journal.is_some_and(|journal| journal["has_ended"] == true),
        }
    }

    /// Float weights in `n_files` files, going on where a journal stopped. A journal of anything else is passed over:
    /// the model then arrives from its first byte on.
    ///
    /// # Errors
    /// As [`Companions::metadata`], and as [`Conversion::new`].
    pub fn of_floats(
        companions: &Companions,
        name: &str,
        dtype: WeightType,
        n_files: usize,
        journal: Option<&Json>,
    ) -> Result<Self, EngineError> {
        let metadata = companions.metadata(name, dtype)?;
        let params = ConversionParams {
            config_json: &companions.config,
            dtype,
            metadata: &metadata,
            n_files,
        };
        let resumed = journal
            .and_then(|json| serde_json::from_value::<Journal>(json.clone()).ok())
            .and_then(|journal| Conversion::resume(&params, &journal).ok());
        let conversion = match resumed {
            Some(conversion) => conversion,
            None => Conversion::new(&params)?,
        };
        Ok(Self::Conversion(Box::new(conversion)))
    }

    /// The file and the byte in it that is to be pushed next.
    pub fn source_pos(&self) -> (usize, u64) {
        match self {
            Self::Copy { offset, has_ended } => match has_ended {
                false => (0, *offset),
                true => (1, 0),
            },
            Self::Conversion(conversion) => {
                let pos = conversion.source_pos();
                (pos.file, pos.offset)
            }
        }
    }

    /// Length of the finished file, where it is known before.
    pub fn output_bytes(&self) -> Option<u64> {
        match self {
            Self::Copy { .. } => None,
            Self::Conversion(conversion) => Some(conversion.output_bytes()),
        }
    }

    /// The next bytes of the file.
    ///
    /// # Errors
    /// [`EngineError::Weights`]: what is no model is refused as soon as that shows.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), EngineError> {
        match self {
            Self::Copy { offset, .. } => {
                if *offset == 0 && !bytes.is_empty() {
                    gguf::check_magic(bytes)?;
                }
                sink.write_at(*offset, bytes)
                    .map_err(|source| WeightsError::Write { source })?;
                *offset += bytes.len() as u64;
            }
            Self::Conversion(conversion) => conversion.push(bytes, sink)?,
        }
        Ok(())
    }

    /// That all bytes of the file were pushed.
    ///
    /// # Errors
    /// As [`Conversion::end_file`].
    pub fn end_file(&mut self) -> Result<(), EngineError> {
        match self {
            Self::Copy { has_ended, .. } => *has_ended = true,
            Self::Conversion(conversion) => conversion.end_file()?,
        }
        Ok(())
    }

    /// What it takes to go on later from what has been written.
    pub fn journal(&self) -> Json {
        match self {
            Self::Copy { offset, has_ended } => {
                json!({ "offset": offset, "has_ended": has_ended })
            }
            Self::Conversion(conversion) => {
                serde_json::to_value(conversion.journal()).unwrap_or_default()
            }
        }
    }

    /// The place that [`Arrival::journal`] goes on from.
    pub fn journal_pos(&self) -> (usize, u64) {
        match self {
            Self::Copy { .. } => self.source_pos(),
            Self::Conversion(conversion) => conversion.journal().pos(),
        }
    }
}
