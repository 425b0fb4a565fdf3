//! Conversions of whole models to one GGUF: the weights, with metadata from the files beside them.

use crate::generate::model_defaults::ModelDefaults;
use crate::hub::Dtype;
use crate::kernels::pack::WeightType;
use crate::model::config::Gpt2Config;
use crate::notice::Notice;
use crate::tokenizer::Tokenizer;
use crate::weights::gguf::Value;
use crate::weights::gguf_metadata::gpt2_metadata;
use crate::weights::{Checkpoint, Conversion, ConversionParams, Journal, ReadSeek, WeightsError};

use super::{Companions, EngineError, defaults, special_tokens, tokenizer_metadata};

const ADD_BOS_TOKEN: &str = "tokenizer.ggml.add_bos_token";

/// The entries of a GGUF's header.
type Metadata = Vec<(String, Value)>;

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

/// The conversion of float weights in `n_files` files to a model called `name`. It continues from `journal`, unless the
/// journal is of another conversion. Also what there is to know about the files, which is written with the model, and
/// about llama.cpp, which is not.
///
/// # Errors
/// [`EngineError`] if the companions are damaged, incomplete or of different models.
pub fn of_floats(
    companions: &Companions,
    name: &str,
    dtype: WeightType,
    n_files: usize,
    journal: Option<&Journal>,
) -> Result<(Conversion, Vec<Notice>), EngineError> {
    let read = Gpt2Config::read(&companions.config).map_err(WeightsError::Config)?;
    let (mut config, mut notices) = read;
    let tokenizer = companions.tokenizer()?;
    let mut defaults = companions.defaults()?;
    notices.extend(companions.set_special_tokens(&mut config, &tokenizer));
    defaults.notices.splice(0..0, notices);
    let (metadata, of_llama_cpp) = metadata(name, &config, dtype, tokenizer, &mut defaults)?;
    defaults.notices.extend(of_llama_cpp);
    let params = ConversionParams {
        config_json: &companions.config,
        dtype,
        metadata: &metadata,
        n_files,
    };
    let resumed = journal.and_then(|journal| Conversion::resume(&params, journal).ok());
    let conversion = match resumed {
        Some(conversion) => conversion,
        None => Conversion::new(&params)?,
    };
    Ok((conversion, defaults.notices))
}

/// The conversion of a GGUF to another type, under another name, and what there is to know about the file. `reader`
/// reads the header; afterwards all bytes of the file must be pushed.
///
/// # Errors
/// [`EngineError`] if it is not a GGUF, not a GPT-2, damaged or cut short.
pub fn of_gguf(
    reader: Box<dyn ReadSeek>,
    name: &str,
    dtype: WeightType,
) -> Result<(Conversion, Vec<Notice>), EngineError> {
    let mut checkpoint = Checkpoint::from_gguf(reader)?;
    let tokenizer = tokenizer_metadata::take(checkpoint.metadata_mut())?.read()?;
    let mut config = checkpoint.config().clone();
    let mut defaults = defaults::from_metadata(checkpoint.metadata(), config.vocab_size);
    let notices = [
        defaults::notices_of(checkpoint.metadata()),
        special_tokens::of_gguf(&mut config, checkpoint.metadata(), &tokenizer),
    ];
    defaults.notices.splice(0..0, notices.concat());
    let (metadata, of_llama_cpp) = metadata(name, &config, dtype, tokenizer, &mut defaults)?;
    defaults.notices.extend(of_llama_cpp);
    let conversion = Conversion::of_gguf(&checkpoint, dtype, &metadata);
    Ok((conversion, defaults.notices))
}

/// The metadata of a GGUF, with the notices about the tokenizer, which are added to `defaults`, and a notice that is not
/// written: it is about other readers of the file. A tokenizer of another model is refused, before anything is written.
fn metadata(
    name: &str,
    config: &Gpt2Config,
    dtype: WeightType,
    mut tokenizer: Tokenizer,
    defaults: &mut ModelDefaults,
) -> Result<(Metadata, Option<Notice>), EngineError> {
    tokenizer.fit_to(config.vocab_size)?;
    tokenizer.add_special_ids(config.special_ids())?;
    defaults.notices.extend_from_slice(tokenizer.notices());
    let bos = config.opening_token();
    let bos = bos.map_or_else(String::new, |bos| tokenizer.token_text(bos));
    let mut more = tokenizer_metadata::entries(tokenizer.to_gguf(config.vocab_size)?);
    // With the flag, other programs begin a text with the token that the prefix begins with here.
    let adds_bos = !bos.is_empty() && defaults.params.prefix.starts_with(&bos);
    more.push((ADD_BOS_TOKEN.to_owned(), Value::Bool(adds_bos)));
    more.extend(defaults::to_metadata(&defaults.params));
    more.extend(defaults::notices_entry(&defaults.notices));
    let metadata = gpt2_metadata(name, config, dtype, more);
    Ok((metadata, tokenizer.notice_of_llama_cpp()))
}
