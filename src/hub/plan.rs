//! `Plan`: which of a repository's files to fetch, chosen from their names.

use super::dtype::{Dtype, GgufType};
use super::listing::{ListedFile, Listing};
use super::shard_index::MAX_SHARDS;

/// The files to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What holds the weights.
    pub weights: Weights,
    /// Configuration, tokenizer, card: small files, those that are there of [`NEEDS`].
    pub companions: Vec<ListedFile>,
}

/// The files of the weights, by format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// One GGUF, which holds configuration and tokenizer too.
    Gguf(ListedFile),
    /// safetensors.
    Safetensors(Parts),
    /// PyTorch's `.bin`.
    Pytorch(Parts),
}

/// One file, or several with an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    /// All tensors in one file.
    Whole(ListedFile),
    /// Tensors spread over shards.
    Sharded {
        /// Names the file of each tensor: a [`ShardIndex`](super::ShardIndex).
        index: ListedFile,
        /// In the order of their numbers, none missing; none at all where nothing lists them but the index.
        shards: Vec<ListedFile>,
    },
}

/// Something a model needs, and the files that can be it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// What to call it when it is missing.
    pub what: &'static str,
    /// The first of these whose files are all there is taken.
    pub one_of: &'static [&'static [&'static str]],
    /// Whether float weights are of no use without.
    pub is_required: bool,
}

/// What float weights come with. Where no listing is to be had, as of a plain folder, these names are asked for in
/// this order, then those of [`Need::WEIGHTS`]; a [`Listing`] of those found can be chosen from.
pub const NEEDS: [Need; 4] = [
    Need {
        what: "config.json",
        one_of: &[&["config.json"]],
        is_required: true,
    },
    Need {
        what: "tokenizer.json, nor vocab.json with merges.txt",
        one_of: &[&["tokenizer.json"], &["vocab.json", "merges.txt"]],
        is_required: true,
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
    /// The weights of a folder without a listing. Its GGUFs have names nobody can guess.
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

/// Why nothing can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Another kind of model.
    #[error(
        "this is a model of the kind `{model_type}`; only gpt2 models run here, choose one of those"
    )]
    OtherModel {
        /// As the endpoint says it.
        model_type: String,
    },
    /// Needs an account.
    #[error(
        "this model is given only to people signed in on the Hub; download it there and open the file here"
    )]
    Gated,
    /// No weights in a format that is read.
    #[error("the repository has no weights that can be read here{}; a model has a .gguf, a model.safetensors or a pytorch_model.bin", found(.others))]
    NoWeights {
        /// Weights of other frameworks.
        others: Vec<String>,
    },
    /// An absent companion or shard.
    #[error("the repository has no {what}; take another model, or ask its owner to complete it")]
    Missing {
        /// The file or files.
        what: String,
    },
    /// The file that was named is not there.
    #[error(
        "the repository has no file `{name}`; open the repository's page and copy the address of one that is there"
    )]
    NoSuchFile {
        /// Its name.
        name: String,
    },
    /// An index that cannot be followed.
    #[error(
        "`{name}` does not say which files hold the weights; take another model, or ask its owner to upload it again"
    )]
    BadIndex {
        /// The index.
        name: String,
    },
}

fn found(others: &[String]) -> String {
    match others {
        [] => String::new(),
        others => format!(" (only {})", others.join(", ")),
    }
}

/// Chooses: a GGUF of the wanted type; else safetensors; else PyTorch's `.bin`; else the GGUF that is nearest.
///
/// # Errors
/// [`PlanError::OtherModel`], [`PlanError::Gated`], [`PlanError::NoWeights`], [`PlanError::Missing`].
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
            Weights::Safetensors as fn(Parts) -> Weights,
        ),
        ("pytorch_model", "bin", Weights::Pytorch),
    ] {
        if let Some(parts) = parts(listing, name, ending)? {
            return Ok(Plan {
                weights: weights(parts),
                companions: companions(listing)?,
            });
        }
    }
    // What is left is of another type than was asked for. Floats can still become that type; of the others the most
    // exact one is nearest; last comes what its name does not tell.
    match GgufType::ALL.iter().find_map(of_type).or(ggufs.first()) {
        Some((file, _)) => Ok(gguf_plan(listing, file)),
        None => Err(PlanError::NoWeights {
            others: other_weights(listing),
        }),
    }
}

/// Takes the one GGUF that an address named.
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
    /// Every file of it: companions, then an index, then the weights.
    pub fn files(&self) -> impl Iterator<Item = &ListedFile> {
        let (index, files) = match &self.weights {
            Weights::Gguf(file)
            | Weights::Safetensors(Parts::Whole(file))
            | Weights::Pytorch(Parts::Whole(file)) => (None, std::slice::from_ref(file)),
            Weights::Safetensors(Parts::Sharded { index, shards })
            | Weights::Pytorch(Parts::Sharded { index, shards }) => (Some(index), &shards[..]),
        };
        self.companions.iter().chain(index).chain(files)
    }

    /// Sum of all sizes; `None` if one of them is not told, or the shards are not known yet.
    #[must_use]
    pub fn size_bytes(&self) -> Option<u64> {
        if let Weights::Safetensors(Parts::Sharded { shards, .. })
        | Weights::Pytorch(Parts::Sharded { shards, .. }) = &self.weights
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
            model_type: model_type.chars().take(40).collect(),
        }),
        _ if listing.is_gated => Err(PlanError::Gated),
        _ => Ok(()),
    }
}

/// The GGUFs at the top of the repository that are whole models, with the types their names state.
fn ggufs(listing: &Listing) -> Vec<(&ListedFile, Option<GgufType>)> {
    let is_whole = |name: &str| !name.contains('/') && !name.contains("-of-");
    let files = listing
        .files
        .iter()
        .filter(|file| file.name.to_ascii_lowercase().ends_with(".gguf") && is_whole(&file.name));
    files
        .map(|file| (file, GgufType::from_file_name(&file.name)))
        .collect()
}

/// A GGUF holds what it needs; its card and how its owner wants it to generate may lie beside it.
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

/// What the weights come with: float weights need what [`NEEDS`] requires.
fn companions(listing: &Listing) -> Result<Vec<ListedFile>, PlanError> {
    let mut companions = Vec::new();
    for need in NEEDS {
        match need.find(listing) {
            Some(files) => companions.extend(files),
            None if need.is_required => {
                return Err(PlanError::Missing {
                    what: need.what.to_owned(),
                });
            }
            None => {}
        }
    }
    Ok(companions)
}

/// `NAME.ENDING`, or its index and every shard that it implies.
fn parts(listing: &Listing, name: &str, ending: &str) -> Result<Option<Parts>, PlanError> {
    if let Some(file) = listing.file(&format!("{name}.{ending}")) {
        return Ok(Some(Parts::Whole(file.clone())));
    }
    let Some(index) = listing.file(&format!("{name}.{ending}.index.json")) else {
        return Ok(None);
    };
    // `model-00001-of-00003.safetensors`
    let total = listing.files.iter().find_map(|file| {
        let numbers = file.name.strip_prefix(name)?.strip_prefix('-')?;
        let numbers = numbers.strip_suffix(ending)?.strip_suffix('.')?;
        let (_, total) = numbers.split_once("-of-")?;
        total.parse::<usize>().ok()
    });
    let total = total.filter(|total| (1..=MAX_SHARDS).contains(total));
    let bad_index = || PlanError::BadIndex {
        name: index.name.clone(),
    };
    let mut shards = Vec::new();
    if total.is_none() && listing.is_partial {
        return Ok(Some(Parts::Sharded {
            index: index.clone(),
            shards,
        }));
    }
    for number in 1..=total.ok_or_else(bad_index)? {
        let total = total.unwrap_or_default();
        let what = format!("{name}-{number:05}-of-{total:05}.{ending}");
        match listing.file(&what) {
            Some(shard) => shards.push(shard.clone()),
            None => return Err(PlanError::Missing { what }),
        }
    }
    Ok(Some(Parts::Sharded {
        index: index.clone(),
        shards,
    }))
}

/// Weights that other frameworks read.
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
