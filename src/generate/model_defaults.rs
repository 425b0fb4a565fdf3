//! `ModelDefaults`: the generation parameters that a model's files state, and what of them is passed over.

use serde_json::{Map, Value};

use crate::json;
use crate::notice::Notice;

use super::error::GenerateError;
use super::not_done::NOT_DONE;
use super::parameter::Parameter;
use super::params::GenerationParams;

const CONFIG: &str = "config.json";
const GENERATION_CONFIG: &str = "generation_config.json";

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
            json::from_slice(config).map_err(|source| GenerateError::Defaults {
                file: CONFIG,
                source,
            })?;
        let mut reader = Reader::default();
        let generation_config = generation_config.and_then(|bytes| {
            let read = json::from_slice::<Map<String, Value>>(bytes);
            read.inspect_err(|error| {
                let fact = format!("passed over, because {error}");
                reader.notices.push(Notice::new(GENERATION_CONFIG, fact));
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
        Ok(reader.finish())
    }

    /// The parameters among `stated`, in the place of those in `base`; `file` names where they stand.
    pub fn of_values(base: GenerationParams, file: &str, stated: &Map<String, Value>) -> Self {
        let mut reader = Reader {
            params: base,
            ..Reader::default()
        };
        reader.take_all(file, stated);
        reader.finish()
    }
}

struct Reader {
    params: GenerationParams,
    odd: Vec<(Parameter, Notice)>,
    notices: Vec<Notice>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            params: GenerationParams::of_the_library(),
            odd: Vec::new(),
            notices: Vec::new(),
        }
    }
}

impl Reader {
    fn take(&mut self, file: &str, parameter: Parameter, value: &Value) {
        // What an earlier file stated is replaced, also where it was odd.
        self.odd.retain(|(odd, _)| *odd != parameter);
        if parameter.read(value, &mut self.params).is_err() {
            let notice = Notice::passed_over(file, parameter.name(), value);
            self.odd.push((parameter, notice));
        }
    }

    fn take_all(&mut self, file: &str, stated: &Map<String, Value>) {
        for parameter in Parameter::ALL.into_iter().filter(|p| p.is_in_files()) {
            if let Some(value) = stated.get(parameter.name()) {
                self.take(file, parameter, value);
            }
        }
        for (name, neutral) in NOT_DONE {
            if let Some(value) = stated.get(name)
                && !neutral.is(value)
            {
                self.notices.push(Notice::passed_over(file, name, value));
            }
        }
    }

    fn finish(mut self) -> ModelDefaults {
        self.params.clip_length = true;
        // A value that has no effect beside the others needs no notice.
        let params = &self.params;
        let odd = self.odd.into_iter();
        let odd = odd.filter(|(parameter, _)| parameter.counts_in(params));
        self.notices.extend(odd.map(|(_, notice)| notice));
        if params.num_beams > 1 && params.num_return_sequences > params.num_beams {
            self.params.num_return_sequences = params.num_beams;
        }
        ModelDefaults {
            params: self.params,
            notices: self.notices,
        }
    }
}
