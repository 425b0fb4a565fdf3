//! Conversions of whole models to one GGUF: the weights, with metadata from the files beside them.

use crate::generate::params::GenerationParams;
use crate::hub::Dtype;
use crate::kernels::pack::WeightType;
use crate::model::config::Gpt2Config;
use crate::tokenizer::{Tokenizer, Vocabulary};
use crate::weights::gguf::Value;
use crate::weights::gguf_metadata::{GgufTokenizer, gpt2_metadata};
use crate::weights::{Checkpoint, Conversion, ConversionParams, Journal, ReadSeek, WeightsError};

use super::model_file::take_vocabulary;
use super::{Companions, EngineError, defaults};

/// The type that float weights become for a requested type.
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

/// The conversion of float weights in `n_files` files to a model called `name`. It continues from `journal`, unless that
/// is of another conversion.
///
/// # Errors
/// [`EngineError`] if the companions are damaged, incomplete or of different models.
pub fn of_floats(
    companions: &Companions,
    name: &str,
    dtype: WeightType,
    n_files: usize,
    journal: Option<&Journal>,
) -> Result<Conversion, EngineError> {
    let config = Gpt2Config::from_json(&companions.config).map_err(WeightsError::Config)?;
    let metadata = metadata(
        name,
        &config,
        dtype,
        companions.vocabulary()?,
        &companions.params()?,
    )?;
    let params = ConversionParams {
        config_json: &companions.config,
        dtype,
        metadata: &metadata,
        n_files,
    };
    let resumed = journal.and_then(|journal| Conversion::resume(&params, journal).ok());
    match resumed {
        Some(conversion) => Ok(conversion),
        None => Ok(Conversion::new(&params)?),
    }
}

/// The conversion of a GGUF to another type, under another name. `reader` gives its header; all of its bytes are to be
/// pushed.
///
/// # Errors
/// [`EngineError`] if it is not a GGUF, not a GPT-2, damaged or cut short.
pub fn of_gguf(
    reader: Box<dyn ReadSeek>,
    name: &str,
    dtype: WeightType,
) -> Result<Conversion, EngineError> {
    let mut checkpoint = Checkpoint::from_gguf(reader)?;
    let vocabulary = take_vocabulary(checkpoint.metadata_mut())?;
    let params = defaults::from_metadata(checkpoint.metadata());
    let metadata = metadata(name, checkpoint.config(), dtype, vocabulary, &params)?;
    Ok(Conversion::of_gguf(&checkpoint, dtype, &metadata))
}

/// The metadata of a GGUF. A vocabulary of another model is refused, before anything is written.
fn metadata(
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
    Tokenizer::new(vocabulary)?.check_vocab_size(config.vocab_size)?;
    let more = defaults::to_metadata(params);
    Ok(gpt2_metadata(name, config, dtype, tokenizer, more))
}
