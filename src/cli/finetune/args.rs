//! The arguments of `finetune`.

use crate::cli::dataset::ConsentArg;
use crate::cli::posts::CleaningArgs;
use crate::cli::quantize::dtypes;
use crate::cli::threads::ThreadArgs;
use crate::finetune::FineTuneParams;
use crate::finetune::export::FloatType;
use crate::finetune::params::{Frozen, LoraParams, LoraTarget, Method, Schedule};
use crate::hub::Dtype;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::path::PathBuf;

/// Arguments of `finetune`. The defaults are huggingtweets' recipe.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Exports, one per account, as `clean` takes them, or one text of `dataset`
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// The model to begin with: a .gguf file or a folder laid out like a Hub repository [default: the bundled model]
    #[arg(long, value_name = "MODEL")]
    pub base: Option<PathBuf>,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Whose posts they are, for the record, which says nothing of it otherwise
    #[arg(long, value_enum)]
    pub consent: Option<ConsentArg>,
    /// What is trained
    #[arg(long, value_enum, default_value_t = MethodArg::Full)]
    pub method: MethodArg,
    /// The seed of the shuffles, of dropout and of LoRA's first weights [default: drawn]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Shuffled copies of the posts; a text of `dataset` has its copies already
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub epochs: u32,
    /// The largest learning rate [default: 1.372e-4, with LoRA 2e-3]
    #[arg(long, value_name = "RATE")]
    pub lr: Option<f32>,
    /// How the learning rate changes
    #[arg(long, value_enum, default_value_t = ScheduleArg::Cosine)]
    pub schedule: ScheduleArg,
    /// The share of the steps in which the learning rate rises
    #[arg(long, default_value_t = 0.0)]
    pub warmup: f32,
    /// Tokens of a block [default: the model's context]
    #[arg(long, value_name = "N")]
    pub block: Option<usize>,
    /// Blocks per step
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub batch: usize,
    /// The share of numbers that is dropped
    #[arg(long, default_value_t = 0.1)]
    pub dropout: f32,
    /// Gradients are scaled down to this norm; 0: never
    #[arg(long, default_value_t = 1.0)]
    pub clip: f32,
    /// AdamW's weight decay
    #[arg(long, default_value_t = 0.0)]
    pub weight_decay: f32,
    /// Rank of LoRA's matrices
    #[arg(long, default_value_t = 8)]
    pub rank: usize,
    /// LoRA's change is multiplied by this divided by the rank
    #[arg(long, default_value_t = 16.0)]
    pub alpha: f32,
    /// The matrices that LoRA trains beside
    #[arg(long, value_delimiter = ',', value_name = "NAMES", value_parser = targets(), default_value = "attn.c_attn,attn.c_proj,mlp.c_fc,mlp.c_proj")]
    pub targets: Vec<LoraTarget>,
    /// How LoRA keeps the frozen matrices
    #[arg(long, value_enum, default_value_t = FrozenArg::Quantized)]
    pub frozen: FrozenArg,
    /// Type of the GGUF's matrices
    #[arg(long, default_value = Dtype::Q8_0.name(), value_parser = dtypes())]
    pub dtype: Dtype,
    /// Type of model.safetensors
    #[arg(long, value_enum, default_value_t = FloatArg::F32)]
    pub float: FloatArg,
    /// Take less memory and a third more time
    #[arg(long)]
    pub little_memory: bool,
    /// Write the state of the training into this file now and then, and go on from it if it is there
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Steps between two checkpoints
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub checkpoint_every: u32,
    /// Train even on fewer than 6000 characters
    #[arg(long)]
    pub little_text: bool,
    /// Write into DIR even if it has other files
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub cleaning: CleaningArgs,
    #[command(flatten)]
    pub threads: ThreadArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MethodArg {
    /// Every weight
    Full,
    /// Two thin matrices beside each matrix of the blocks
    Lora,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum ScheduleArg {
    /// Half a cosine down to 0
    Cosine,
    /// A line down to 0
    Linear,
    /// Not at all
    Constant,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum FrozenArg {
    /// Floats as Q8_0, quantized ones as they are
    Quantized,
    /// As floats
    Floats,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum FloatArg {
    /// As they were trained
    F32,
    /// Rounded, in half the space
    F16,
}

fn targets() -> impl clap::builder::TypedValueParser<Value = LoraTarget> {
    PossibleValuesParser::new(LoraTarget::ALL.map(LoraTarget::name))
        .try_map(|name| LoraTarget::of_name(&name).ok_or("unknown"))
}

impl Args {
    /// The figures of the training.
    pub fn params(&self, seed: u64) -> FineTuneParams {
        let defaults = match self.method {
            MethodArg::Full => FineTuneParams::full(),
            MethodArg::Lora => FineTuneParams::lora(),
        };
        FineTuneParams {
            method: match self.method {
                MethodArg::Full => Method::Full,
                MethodArg::Lora => Method::Lora(LoraParams {
                    rank: self.rank,
                    alpha: self.alpha,
                    targets: self.targets.clone(),
                    frozen: match self.frozen {
                        FrozenArg::Quantized => Frozen::Quantized,
                        FrozenArg::Floats => Frozen::Floats,
                    },
                }),
            },
            learning_rate: self.lr.unwrap_or(defaults.learning_rate),
            schedule: match self.schedule {
                ScheduleArg::Cosine => Schedule::Cosine,
                ScheduleArg::Linear => Schedule::Linear,
                ScheduleArg::Constant => Schedule::Constant,
            },
            warmup: self.warmup,
            block_len: self.block,
            batch_size: self.batch,
            dropout: self.dropout,
            max_grad_norm: self.clip,
            weight_decay: self.weight_decay,
            seed,
            ..defaults
        }
    }

    /// The type of model.safetensors.
    pub fn float(&self) -> FloatType {
        match self.float {
            FloatArg::F32 => FloatType::F32,
            FloatArg::F16 => FloatType::F16,
        }
    }
}
