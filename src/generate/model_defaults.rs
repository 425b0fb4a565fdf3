//! `ModelDefaults`: the generation parameters that a model's files state, and what of them is passed over.

use serde_json::{Map, Value};

use crate::json;
use crate::notice::Notice;

use super::error::GenerateError;
use super::infinity;
use super::not_done::NOT_DONE;
use super::parameter::Parameter;
use super::params::GenerationParams;

const CONFIG: &str = "config.json";
const GENERATION_CONFIG: &str = "generation_config.json";
/// The `vocab_size` of a `config.json` that states none.
const GPT2_VOCAB_SIZE: usize = 50_257;

/// The parameters that a model's files state.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelDefaults {
    /// The parameters; each is in range, or matters only beside others that are not set.
    pub params: GenerationParams,
    /// A notice for every stated value that is passed over.
    pub notices: Vec<Notice>,
}

impl ModelDefaults {
    /// The defaults that the Python pipeline takes from a model's files.
    ///
    /// `config`: bytes of `config.json`; `generation_config`: bytes of `generation_config.json`, if there is one.
    /// Starts from the library's own defaults, then `generation_config.json` or, where there is none that can be read,
    /// the keys of the same names in `config.json`, then `task_specific_params["text-generation"]`, which wins. The
    /// number of sequences to return is the caller's choice: unless the files state it, it stays at our default of five.
    ///
    /// A value that cannot be used never shuts a model: it is passed over, and its parameter keeps its default.
    ///
    /// # Errors
    /// [`GenerateError::Defaults`] if `config.json` is no JSON object.
    ///
    /// Source: huggingface/transformers `pipelines/base.py` and `generation/configuration_utils.py`.
    pub fn of_files(
        config: &[u8],
        generation_config: Option<&[u8]>,
    ) -> Result<Self, GenerateError> {
        let config: Map<String, Value> =
            json::from_slice(&infinity::marked(config)).map_err(|source| {
                GenerateError::Defaults {
                    file: CONFIG,
                    source,
                }
            })?;
        let vocab_size = config.get("vocab_size").and_then(json::whole_number);
        let mut reader = Reader::new(
            GenerationParams::of_the_library(),
            vocab_size.map_or(GPT2_VOCAB_SIZE, |size| size as usize),
        );
        let generation_config = generation_config.and_then(|bytes| {
            let read = json::from_slice::<Map<String, Value>>(&infinity::marked(bytes));
            read.inspect_err(|error| {
                let notice = Notice::file_passed_over(GENERATION_CONFIG, error);
                reader.notices.push(notice);
            })
            .ok()
        });
        match generation_config {
            Some(stated) => {
                // The pipeline reads the prefix from `config.json` in any case.
                if let Some(prefix) = config.get(Parameter::Prefix.name()) {
                    reader.take(CONFIG, Parameter::Prefix, prefix);
                }
                reader.take_all(GENERATION_CONFIG, &stated);
            }
            None => reader.take_all(CONFIG, &config),
        }
        let task = config.get("task_specific_params");
        let task = task.and_then(|tasks| tasks.get("text-generation"));
        if let Some(Value::Object(stated)) = task {
            reader.take_all(CONFIG, stated);
        }
        reader.settle_number();
        Ok(reader.finish())
    }

    /// The parameters among `stated` of a model with `vocab_size` tokens, in the place of those in `base`; `file` names
    /// where they stand.
    pub fn of_values(
        base: GenerationParams,
        vocab_size: usize,
        file: &str,
        stated: &Map<String, Value>,
    ) -> Self {
        let mut reader = Reader::new(base, vocab_size);
        reader.take_all(file, stated);
        reader.finish()
    }
}

struct Reader {
    params: GenerationParams,
    vocab_size: usize,
    odd: Vec<(Parameter, Notice)>,
    /// The file that states how many texts are written.
    number_in: Option<String>,
    notices: Vec<Notice>,
}

impl Reader {
    fn new(params: GenerationParams, vocab_size: usize) -> Self {
        Self {
            params,
            vocab_size,
            odd: Vec::new(),
            number_in: None,
            notices: Vec::new(),
        }
    }

    fn take(&mut self, file: &str, parameter: Parameter, value: &Value) {
        // What an earlier file stated is replaced, also where it was odd.
        self.odd.retain(|(odd, _)| *odd != parameter);
        let value = infinity::null_if_marked(value);
        match parameter.read(value, &mut self.params) {
            Ok(()) if parameter == Parameter::NumReturnSequences && !value.is_null() => {
                self.number_in = Some(file.to_owned());
            }
            Ok(()) => {
                if let Some(id) = parameter.take_beyond(self.vocab_size, &mut self.params) {
                    let notice = Notice::beyond(file, parameter.name(), id, self.vocab_size);
                    self.odd.push((parameter, notice));
                }
            }
            Err(_) => {
                let notice = infinity::passed_over(file, parameter.name(), value);
                self.odd.push((parameter, notice));
            }
        }
    }

    fn take_all(&mut self, file: &str, stated: &Map<String, Value>) {
        for parameter in Parameter::ALL.into_iter().filter(|p| p.is_in_files()) {
            if let Some(value) = stated.get(parameter.name()) {
                self.take(file, parameter, value);
            }
        }
        for (name, neutral) in NOT_DONE {
            if let Some(value) = stated.get(name).map(infinity::null_if_marked)
                && !neutral.is(value)
            {
                self.notices.push(infinity::passed_over(file, name, value));
            }
        }
    }

    /// Decides how many texts are written. A GGUF states the number in any case, these files may leave it open.
    fn settle_number(&mut self) {
        let params = &mut self.params;
        match &self.number_in {
            // A search that is asked for no number gives the best text, also where it draws.
            None if params.num_beams > 1 => params.num_return_sequences = 1,
            None => {}
            Some(file) => self.notices.extend(fewer_texts(file, params)),
        }
    }

    fn finish(mut self) -> ModelDefaults {
        self.params.clip_length = true;
        // A value that has no effect beside the others needs no notice.
        let params = &self.params;
        let odd = self.odd.into_iter();
        let odd = odd.filter(|(parameter, _)| parameter.counts_in(params));
        self.notices.extend(odd.map(|(_, notice)| notice));
        let params = &mut self.params;
        if params.num_beams > 1 {
            let number = &mut params.num_return_sequences;
            *number = params.num_beams.min(*number);
        }
        ModelDefaults {
            params: self.params,
            notices: self.notices,
        }
    }
}

/// A notice that fewer texts are written than `file` states.
fn fewer_texts(file: &str, params: &GenerationParams) -> Option<Notice> {
    let stated = params.num_return_sequences;
    let why = match params.num_beams {
        0 | 1 if params.do_sample || stated == 1 => return None,
        0 | 1 => "counts only where texts are drawn or searched with beams, so one text is written"
            .to_owned(),
        beams if stated > beams => {
            format!("is more than the {beams} of num_beams, so {beams} texts are written")
        }
        _ => return None,
    };
    Some(Notice::new(
        file,
        format!("num_return_sequences {stated} {why}"),
    ))
}
