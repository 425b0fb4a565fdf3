//! `GenerationParams`: the parameters of a generation, with `transformers`' names and meanings.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// "No limit" for `max_length` and `max_new_tokens`: the model's context is the limit.
pub const NO_LIMIT: usize = u32::MAX as usize;

/// Texts that are drawn where neither the caller nor the model's files state a number.
pub const DEFAULT_SEQUENCES: usize = 5;

/// How to continue a prompt. Names and meanings are those of Hugging Face `generate`;
/// [`Parameter`](super::parameter::Parameter) has the ranges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerationParams {
    /// Most new tokens per sequence; wins over `max_length` when set.
    pub max_new_tokens: Option<usize>,
    /// Most tokens in all: prefix, prompt and new text.
    pub max_length: usize,
    /// Nobody asked for these lengths, they are a model's defaults: they are cut to the room that the context has,
    /// where lengths that were asked for are refused.
    pub clip_length: bool,
    /// The tokens that end a text are forbidden while prefix, prompt and new tokens number fewer than this.
    pub min_length: usize,
    /// The tokens that end a text are forbidden while the new tokens number fewer than this; wins over `min_length`
    /// when set, also when 0.
    pub min_new_tokens: Option<usize>,
    /// Draw from the distribution; `false` always takes the most probable token, or with beams the most probable text.
    pub do_sample: bool,
    /// Divides the logits; above 0.
    pub temperature: f32,
    /// Keep the k most probable tokens; 0 keeps all.
    pub top_k: usize,
    /// Keep the most probable tokens up to this total, the token that reaches it included; at most 1.
    pub top_p: f32,
    /// Keep tokens with at least this share of the most probable token's probability; 0 keeps all.
    pub min_p: f32,
    /// Keep the tokens whose information is closest to the expected, up to this total; 1 keeps all.
    pub typical_p: f32,
    /// Keep the most probable tokens up to this share of the entropy; `None` keeps all.
    pub top_h: Option<f32>,
    /// Keep tokens of at least this probability; 0 and 1 keep all.
    pub epsilon_cutoff: f32,
    /// As `epsilon_cutoff`, lower where the distribution is flat; 0 and 1 keep all.
    pub eta_cutoff: f32,
    /// Divides positive and multiplies negative logits of tokens that occur already; 1 has no effect.
    pub repetition_penalty: f32,
    /// No run of so many tokens occurs twice; 0 has no effect.
    pub no_repeat_ngram_size: usize,
    /// Sequences of tokens that never occur. A sequence that is one token which ends a text is passed over.
    pub bad_words_ids: Vec<Vec<u32>>,
    /// Added to the logit of a sequence's last token after its other tokens.
    pub sequence_bias: Vec<(Vec<u32>, f32)>,
    /// Tokens that never occur.
    pub suppress_tokens: Vec<u32>,
    /// Tokens that no text begins with.
    pub begin_suppress_tokens: Vec<u32>,
    /// The token that follows a prompt of one token.
    pub forced_bos_token_id: Option<u32>,
    /// Tokens of which one is the last of a text that reaches its greatest length; empty has no effect.
    pub forced_eos_token_id: Vec<u32>,
    /// From so many new tokens on, the tokens that end a text become likelier by the power of the factor.
    pub exponential_decay_length_penalty: Option<(u32, f32)>,
    /// The tokens that end a text; empty for the model's own.
    pub eos_token_id: Vec<u32>,
    /// Texts that end a sequence, as its last words.
    pub stop_strings: Vec<String>,
    /// Sequences searched at once for the most probable text; 1 searches none.
    pub num_beams: usize,
    /// With beams: a text's score is divided by its length to this power; above 0 favours long texts.
    pub length_penalty: f32,
    /// With beams: when the search ends.
    pub early_stopping: EarlyStopping,
    /// With beams: normalize the scores again after all changes.
    pub renormalize_logits: bool,
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

/// When a beam search ends; in JSON `false`, `true` and `"never"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub enum EarlyStopping {
    /// When the running sequences can hardly become better than those that are complete.
    #[default]
    No,
    /// When as many sequences are complete as there are beams.
    Yes,
    /// When the running sequences cannot become better than those that are complete.
    Never,
}

impl From<EarlyStopping> for Value {
    fn from(early: EarlyStopping) -> Self {
        match early {
            EarlyStopping::No => Self::Bool(false),
            EarlyStopping::Yes => Self::Bool(true),
            EarlyStopping::Never => Self::from("never"),
        }
    }
}

impl TryFrom<Value> for EarlyStopping {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Bool(false) => Ok(Self::No),
            Value::Bool(true) => Ok(Self::Yes),
            Value::String(word) if word == "never" => Ok(Self::Never),
            _ => Err("early_stopping is true, false or \"never\""),
        }
    }
}

impl Default for GenerationParams {
    /// The published huggingtweets bots' own parameters.
    fn default() -> Self {
        Self {
            max_length: 160,
            min_length: 10,
            do_sample: true,
            top_p: 0.95,
            num_return_sequences: DEFAULT_SEQUENCES,
            prefix: "<|endoftext|>".to_owned(),
            ..Self::of_the_library()
        }
    }
}

impl GenerationParams {
    /// The parameters of `transformers`' `generate` where nothing is stated, but for the number of sequences, which is
    /// the bots' five.
    pub fn of_the_library() -> Self {
        Self {
            max_new_tokens: None,
            max_length: 20,
            clip_length: false,
            min_length: 0,
            min_new_tokens: None,
            do_sample: false,
            temperature: 1.0,
            top_k: 50,
            top_p: 1.0,
            min_p: 0.0,
            typical_p: 1.0,
            top_h: None,
            epsilon_cutoff: 0.0,
            eta_cutoff: 0.0,
            repetition_penalty: 1.0,
            no_repeat_ngram_size: 0,
            bad_words_ids: Vec::new(),
            sequence_bias: Vec::new(),
            suppress_tokens: Vec::new(),
            begin_suppress_tokens: Vec::new(),
            forced_bos_token_id: None,
            forced_eos_token_id: Vec::new(),
            exponential_decay_length_penalty: None,
            eos_token_id: Vec::new(),
            stop_strings: Vec::new(),
            num_beams: 1,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::No,
            renormalize_logits: false,
            num_return_sequences: DEFAULT_SEQUENCES,
            return_full_text: true,
            prefix: String::new(),
            seed: None,
            stop_at_newline: false,
        }
    }

    /// How many texts are written where nobody asks for a number. `files`: the parameters of the model's files.
    ///
    /// A text that is not drawn is always the same, so there is one. A search gives its best text as in `transformers`,
    /// or as many as the files state, at most one per beam. Where texts are drawn there are as many as the files state,
    /// else five. A number of five cannot be told from one that is not stated.
    pub fn unasked_sequences(&self, files: &Self) -> usize {
        let number = files.num_return_sequences;
        let is_stated = files.num_beams > 1 || number != DEFAULT_SEQUENCES;
        match (self.do_sample, self.num_beams) {
            (true, 0 | 1) => number,
            (false, 0 | 1) => 1,
            (false, _) if !is_stated => 1,
            (_, beams) => number.min(beams),
        }
    }

    /// These parameters, with `max_length` and `max_new_tokens` limited to a context of `n_ctx` tokens and the last new
    /// token, which needs no place in it.
    pub fn clipped(mut self, n_ctx: usize) -> Self {
        self.max_length = self.max_length.min(n_ctx.saturating_add(1));
        self.max_new_tokens = self.max_new_tokens.map(|n| n.min(n_ctx).max(1));
        self
    }
}
