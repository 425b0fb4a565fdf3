//! `GenerationParams`: the parameters of a generation, with `transformers`' names and meanings.

use serde::{Deserialize, Serialize};

use super::error::GenerateError;

/// How to continue a prompt. Names and meanings are those of Hugging Face `generate`;
/// [`Parameter`](super::parameter::Parameter) has the ranges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerationParams {
    /// Most new tokens per sequence; wins over `max_length` when set.
    pub max_new_tokens: Option<usize>,
    /// Most tokens in all: prefix, prompt and new text.
    pub max_length: usize,
    /// The end-of-text token is forbidden while prefix, prompt and new tokens number fewer than this.
    pub min_length: usize,
    /// Draw from the distribution; `false` always takes the most probable token.
    pub do_sample: bool,
    /// Divides the logits; above 0.
    pub temperature: f32,
    /// Keep the k most probable tokens; 0 keeps all.
    pub top_k: usize,
    /// Keep the most probable tokens up to this total, the token that reaches it included; above 0, at most 1.
    pub top_p: f32,
    /// Divides positive and multiplies negative logits of tokens that occur already; 1 has no effect.
    pub repetition_penalty: f32,
    /// Sequences written at once, 1 to 10.
    pub num_return_sequences: usize,
    /// Whether a result repeats the prompt in front of the continuation.
    pub return_full_text: bool,
    /// Put before the prompt, not shown.
    pub prefix: String,
    /// Sequence i draws with `seed + i` (wrapping); `None` lets the caller pick one.
    pub seed: Option<u32>,
    /// End a sequence before its first line break.
    pub stop_at_newline: bool,
}

impl Default for GenerationParams {
    /// The published huggingtweets bots' own parameters.
    fn default() -> Self {
        Self {
            max_new_tokens: None,
            max_length: 160,
            min_length: 10,
            do_sample: true,
            temperature: 1.0,
            top_k: 50,
            top_p: 0.95,
            repetition_penalty: 1.0,
            num_return_sequences: 5,
            return_full_text: true,
            prefix: "<|endoftext|>".to_owned(),
            seed: None,
            stop_at_newline: false,
        }
    }
}

impl GenerationParams {
    /// The defaults the Python pipeline takes from a model's files.
    ///
    /// `config`: bytes of `config.json`; `generation_config`: bytes of `generation_config.json`, if there is one.
    /// Starts from the library's own defaults, then `generation_config.json` or, without it, the keys of the same names
    /// in `config.json`, then `task_specific_params["text-generation"]`, which wins. The number of sequences to return
    /// is the caller's choice: unless the files state it, it stays at our default of five.
    ///
    /// # Errors
    /// [`GenerateError::Defaults`] if a file is not JSON or a parameter has another type.
    ///
    /// Source: huggingface/transformers `pipelines/base.py` and `generation/configuration_utils.py`.
    pub fn from_hugging_face(
        config: &[u8],
        generation_config: Option<&[u8]>,
    ) -> Result<Self, GenerateError> {
        let mut params = Self {
            max_new_tokens: None,
            max_length: 20,
            min_length: 0,
            do_sample: false,
            temperature: 1.0,
            top_k: 50,
            top_p: 1.0,
            repetition_penalty: 1.0,
            prefix: String::new(),
            ..Self::default()
        };
        let config: ConfigJson =
            serde_json::from_slice(config).map_err(|source| GenerateError::Defaults {
                file: "config.json",
                source,
            })?;
        match generation_config {
            Some(bytes) => {
                // The pipeline reads the prefix from `config.json` in any case.
                params.prefix = config.own.prefix.clone().unwrap_or_default();
                let stated: StatedParams =
                    serde_json::from_slice(bytes).map_err(|source| GenerateError::Defaults {
                        file: "generation_config.json",
                        source,
                    })?;
                stated.apply_to(&mut params);
            }
            None => config.own.apply_to(&mut params),
        }
        if let Some(stated) = config
            .task_specific_params
            .and_then(|tasks| tasks.text_generation)
        {
            stated.apply_to(&mut params);
        }
        Ok(params)
    }

    /// These parameters, with `max_length` and `max_new_tokens` limited to a context of `n_ctx` tokens.
    pub fn clipped(mut self, n_ctx: usize) -> Self {
        self.max_length = self.max_length.min(n_ctx);
        self.max_new_tokens = self
            .max_new_tokens
            .map(|n| n.min(n_ctx.saturating_sub(1)).max(1));
        self
    }
}

#[derive(Deserialize)]
struct ConfigJson {
    #[serde(flatten)]
    own: StatedParams,
    task_specific_params: Option<TasksJson>,
}

#[derive(Deserialize)]
struct TasksJson {
    #[serde(rename = "text-generation")]
    text_generation: Option<StatedParams>,
}

/// The parameters that a file states; `null` counts as absent.
#[derive(Deserialize)]
struct StatedParams {
    max_new_tokens: Option<usize>,
    max_length: Option<usize>,
    min_length: Option<usize>,
    do_sample: Option<bool>,
    temperature: Option<f32>,
    top_k: Option<usize>,
    top_p: Option<f32>,
    repetition_penalty: Option<f32>,
    num_return_sequences: Option<usize>,
    return_full_text: Option<bool>,
    prefix: Option<String>,
}

impl StatedParams {
    fn apply_to(self, params: &mut GenerationParams) {
        fn set<T>(target: &mut T, stated: Option<T>) {
            if let Some(value) = stated {
                *target = value;
            }
        }
        if self.max_new_tokens.is_some() {
            params.max_new_tokens = self.max_new_tokens;
        }
        set(&mut params.max_length, self.max_length);
        set(&mut params.min_length, self.min_length);
        set(&mut params.do_sample, self.do_sample);
        set(&mut params.temperature, self.temperature);
        set(&mut params.top_k, self.top_k);
        set(&mut params.top_p, self.top_p);
        set(&mut params.repetition_penalty, self.repetition_penalty);
        set(&mut params.num_return_sequences, self.num_return_sequences);
        set(&mut params.return_full_text, self.return_full_text);
        set(&mut params.prefix, self.prefix);
    }
}
