//! A GPT-2 of two blocks with computed weights, for engine and generation without a file.

use huggingtweets::engine::{Engine, ModelFile};
use huggingtweets::generate::params::GenerationParams;
use huggingtweets::infer::{TensorPart, TensorSource};
use huggingtweets::kernels::pack::{Packer, WeightType};
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::protocol::{Event, Request};
use huggingtweets::tokenizer::byte_alphabet::char_of_byte;
use huggingtweets::tokenizer::{END_OF_TEXT, GgufTokenizer};
use huggingtweets::weights::WeightsError;
use huggingtweets::weights::dtype::StoredType;
use huggingtweets::weights::gguf::Value;
use huggingtweets::weights::gguf_layout::TensorToWrite;
use huggingtweets::weights::names::{self, Role};
use std::ops::Range;

use safetensors::tensor::{Dtype, TensorView, serialize};

/// The 256 bytes, four merges and the end of text: id = byte value for single bytes.
pub const VOCAB_SIZE: usize = 261;
pub const EOS: u32 = 260;
const C: usize = 32;

/// The behaviour of the model.
#[derive(Clone)]
pub enum Weights {
    /// Scores depend on all tokens read.
    Random,
    /// The same scores after any tokens: `ln_f` has weight 0, so the logits are the first column of `wte`.
    Constant(Vec<f32>),
    /// Greedy writes these tokens, the i-th at position i + 1: the blocks are zero, and each position looks like
    /// the embedding of the token that follows it.
    Script(Vec<u32>),
    /// A tensor is missing.
    Missing,
    /// Scores are NaN.
    NotANumber,
}

impl Weights {
    /// The given tokens score as stated, all others −30.
    pub fn scores(scores: &[(u32, f32)]) -> Self {
        let mut all = vec![-30.0; VOCAB_SIZE];
        for (token_id, score) in scores {
            all[*token_id as usize] = *score;
        }
        Self::Constant(all)
    }
}

pub fn config() -> Gpt2Config {
    Gpt2Config {
        vocab_size: VOCAB_SIZE,
        n_ctx: 80,
        n_embd: C,
        n_layer: 2,
        n_head: 4,
        n_inner: 4 * C,
        layer_norm_epsilon: 1e-5,
        bos_token_id: Some(EOS),
        eos_token_ids: vec![EOS],
        arithmetic: Default::default(),
    }
}

pub fn tokenizer() -> GgufTokenizer {
    let mut tokens: Vec<String> = (0..=255).map(|b| char_of_byte(b).to_string()).collect();
    let merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("Ġ", "w")];
    tokens.extend(merges.iter().map(|(left, right)| format!("{left}{right}")));
    tokens.push(END_OF_TEXT.to_owned());
    GgufTokenizer {
        model: "gpt2".to_owned(),
        tokens,
        merges: merges.map(|(a, b)| format!("{a} {b}")).to_vec(),
        ..GgufTokenizer::default()
    }
}

pub fn file_of(weights: Weights) -> ModelFile {
    ModelFile::new(
        config(),
        tokenizer().read().unwrap(),
        GenerationParams::default(),
        "f32".to_owned(),
        Box::new(Source { weights }),
    )
    .unwrap()
}

struct Source {
    weights: Weights,
}

impl Source {
    fn shape(name: &str) -> (usize, usize) {
        match name.rsplit_once("h.").map_or(name, |(_, rest)| {
            rest.split_once('.').map_or(rest, |(_, rest)| rest)
        }) {
            "wte.weight" => (VOCAB_SIZE, C),
            "wpe.weight" => (config().n_ctx, C),
            "attn.c_attn.weight" => (3 * C, C),
            "attn.c_attn.bias" => (1, 3 * C),
            "mlp.c_fc.weight" => (4 * C, C),
            "mlp.c_fc.bias" => (1, 4 * C),
            "mlp.c_proj.weight" => (C, 4 * C),
            "attn.c_proj.weight" => (C, C),
            _ => (1, C),
        }
    }

    fn values(&self, name: &str) -> Vec<f32> {
        let (rows, cols) = Self::shape(name);
        let mut state: u64 = name
            .bytes()
            .fold(99, |h, b| h.wrapping_mul(1_099_511_628_211) ^ u64::from(b));
        let mut values: Vec<f32> = (0..rows * cols)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
            })
            .map(|x| x * 0.6)
            .collect();
        if name.contains("ln_") && name.ends_with("weight") {
            values.fill(1.0);
        }
        match (&self.weights, name) {
            (Weights::Constant(_), "ln_f.weight") => values.fill(0.0),
            (Weights::Constant(_), "ln_f.bias") => {
                values.fill(0.0);
                values[0] = 1.0;
            }
            (Weights::Constant(scores), "wte.weight") => {
                for (row, score) in values.chunks_exact_mut(cols).zip(scores) {
                    row[0] = *score;
                }
            }
            (Weights::Script(_), name) if name.starts_with("h.") => values.fill(0.0),
            (Weights::Script(_), "ln_f.bias") => values.fill(0.0),
            (Weights::Script(_), "wte.weight") => {
                for row in values.chunks_exact_mut(cols) {
                    let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                    row.iter_mut().for_each(|x| *x /= norm);
                }
            }
            (Weights::Script(script), "wpe.weight") => {
                let wte = self.values("wte.weight");
                for (row, token_id) in values.chunks_exact_mut(cols).zip(script) {
                    let start = *token_id as usize * cols;
                    for (x, w) in row.iter_mut().zip(&wte[start..start + cols]) {
                        *x = 100.0 * w;
                    }
                }
            }
            (Weights::NotANumber, "ln_f.bias") => values.fill(f32::NAN),
            _ => {}
        }
        values
    }
}

impl TensorSource for Source {
    type Error = WeightsError;

    fn packer(&mut self, name: &str) -> Result<Packer, WeightsError> {
        let (rows, cols) = Self::shape(name);
        Ok(Packer::new(WeightType::F32, rows, cols).unwrap())
    }

    fn rows(
        &mut self,
        name: &str,
        rows: Range<usize>,
        packer: &mut Packer,
    ) -> Result<(), WeightsError> {
        if matches!(self.weights, Weights::Missing) && name.starts_with("h.1.") {
            return Err(WeightsError::MissingTensor {
                name: name.to_owned(),
            });
        }
        let bytes: Vec<u8> = self
            .values(name)
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        packer.read(rows.len(), &mut &bytes[..]).unwrap();
        Ok(())
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, WeightsError> {
        Ok(self.values(name))
    }

    fn parts(&self) -> Vec<TensorPart> {
        let mut end = 0;
        let needed = names::tensors(&config()).into_iter();
        let needed = needed.filter(|spec| !spec.is_optional);
        needed
            .map(|spec| {
                let start = end;
                end += 4 * (spec.rows * spec.cols) as u64;
                TensorPart {
                    name: spec.name,
                    rows: 0..spec.rows,
                    bytes: start..end,
                }
            })
            .collect()
    }
}

/// The job of every load.
pub const LOAD: u32 = 1000;

/// An engine with the model open.
pub fn engine(weights: Weights) -> Engine {
    let mut engine = Engine::new();
    let mut events = engine.load_model_file(LOAD, file_of(weights), "tiny", 1234, 0.0);
    events.extend(run(&mut engine));
    assert!(
        matches!(events.last(), Some(Event::Ready { .. })),
        "{events:?}"
    );
    engine
}

/// Steps until the engine is idle; the clock advances by a millisecond each time it is read.
pub fn run(engine: &mut Engine) -> Vec<Event> {
    let clock = clock();
    let mut events = Vec::new();
    while !engine.is_idle() {
        events.extend(engine.step(&clock));
    }
    events
}

/// A clock that advances by a millisecond each time it is read.
pub fn clock() -> impl Fn() -> f64 {
    let now = std::cell::Cell::new(0.0);
    move || {
        now.set(now.get() + 1.0);
        now.get()
    }
}

/// All events of one generation, job 7.
pub fn generate(engine: &mut Engine, prompt: &str, params: &GenerationParams) -> Vec<Event> {
    let mut events = engine.handle(Request::Generate {
        job: 7,
        prompt: prompt.to_owned(),
        params: params.clone(),
    });
    events.extend(run(engine));
    events
}

/// The generated texts, in order of sequence.
pub fn texts(events: &[Event]) -> Vec<String> {
    let mut texts: Vec<(usize, String)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Result { sequence, .. } => {
                Some((sequence.sequence, sequence.generated_text.clone()))
            }
            _ => None,
        })
        .collect();
    texts.sort();
    texts.into_iter().map(|(_, text)| text).collect()
}

/// The random model as a GGUF file, with its metadata changed by `change`.
pub fn gguf(change: impl FnOnce(&mut Vec<(String, Value)>)) -> Vec<u8> {
    let config = config();
    let tokenizer = tokenizer();
    let size = |n: usize| Value::UInt(n as u64);
    let mut metadata = vec![
        ("general.architecture", Value::String("gpt2".to_owned())),
        ("gpt2.context_length", size(config.n_ctx)),
        ("gpt2.embedding_length", size(config.n_embd)),
        ("gpt2.block_count", size(config.n_layer)),
        ("gpt2.attention.head_count", size(config.n_head)),
        ("gpt2.feed_forward_length", size(config.n_inner)),
        ("gpt2.attention.layer_norm_epsilon", Value::Float(1e-5)),
        ("tokenizer.ggml.model", Value::String("gpt2".to_owned())),
        ("tokenizer.ggml.tokens", Value::Strings(tokenizer.tokens)),
        ("tokenizer.ggml.merges", Value::Strings(tokenizer.merges)),
        ("tokenizer.ggml.bos_token_id", size(EOS as usize)),
        ("tokenizer.ggml.eos_token_id", size(EOS as usize)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    change(&mut metadata);
    let source = Source {
        weights: Weights::Random,
    };
    let specs: Vec<_> = names::tensors(&config)
        .into_iter()
        .filter(|spec| !spec.is_optional)
        .collect();
    let tensors: Vec<TensorToWrite> = specs
        .iter()
        .map(|spec| TensorToWrite {
            name: spec.gguf_name.clone(),
            dims: spec.gguf_dims(),
            dtype: StoredType::F32,
        })
        .collect();
    let mut bytes = Vec::new();
    super::gguf_file::write(&mut bytes, &metadata, &tensors, |i, out| {
        let spec = &specs[i];
        let values = source.values(&spec.name);
        assert_eq!(values.len(), spec.rows * spec.cols, "{}", spec.name);
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        out.write_all(&raw).unwrap();
    });
    bytes
}

/// The random model's tensors as a safetensors file, named and laid out as Hugging Face does.
pub fn safetensors() -> Vec<u8> {
    let source = Source {
        weights: Weights::Random,
    };
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = names::tensors(&config())
        .into_iter()
        .filter(|spec| !spec.is_optional)
        .map(|spec| {
            let (rows, cols) = (spec.rows, spec.cols);
            let values = source.values(&spec.name);
            let (shape, values) = match spec.role {
                Role::Vector => (vec![cols], values),
                Role::Embedding | Role::Positions => (vec![rows, cols], values),
                Role::Projection => {
                    let transposed = (0..rows * cols)
                        .map(|i| values[i % rows * cols + i / rows])
                        .collect();
                    (vec![cols, rows], transposed)
                }
            };
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (format!("transformer.{}", spec.name), shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name.clone(), view)
    });
    serialize(views, None).unwrap()
}
