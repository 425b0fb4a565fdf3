//! `LocalModel`: the files of a model on this machine, chosen as the page chooses them from a repository.

use super::CliError;
use super::error::read_file;
use super::notes::print_notices;
use crate::engine::{BaseModel, Companions, EngineError, ModelFile, conversion};
use crate::hub::{Dtype, Listing, ShardIndex, WeightFiles, WeightList, Weights, choose};
use crate::kernels::pack::WeightType;
use crate::weights::{Conversion, ReadSeek, in_torch_order};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// A GGUF file, or the chosen files of a folder laid out like a repository. The weights are not read yet.
pub struct LocalModel {
    /// As given on the command line.
    path: PathBuf,
    /// The files of the weights, in their order.
    weights: Vec<PathBuf>,
    /// The files beside float weights; `None` for a GGUF.
    companions: Option<Companions>,
}

impl LocalModel {
    /// Finds the model at a path. If a folder has several models, `dtype` selects one.
    ///
    /// # Errors
    /// [`CliError::NoSuchModel`], [`CliError::NotAFile`], [`CliError::Folder`] if nothing in the folder can be chosen,
    /// [`CliError::ShardIndex`], [`CliError::Read`].
    pub fn find(path: &Path, dtype: Dtype) -> Result<Self, CliError> {
        let metadata = fs::metadata(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => CliError::NoSuchModel {
                path: path.to_owned(),
            },
            _ => unreadable(path)(source),
        })?;
        let mut model = Self {
            path: path.to_owned(),
            weights: vec![path.to_owned()],
            companions: None,
        };
        if !metadata.is_dir() {
            require_file(path, &metadata)?;
            return Ok(model);
        }
        let plan = choose(&listing(path)?, dtype).map_err(|source| CliError::Folder {
            path: path.to_owned(),
            source,
        })?;
        let names = match &plan.weights {
            Weights::Gguf(file) => vec![file.name.clone()],
            Weights::Safetensors(parts) | Weights::Pytorch(parts) => {
                let mut companions = Companions::default();
                for file in &plan.companions {
                    companions.insert(&file.name, read_file(&path.join(&file.name))?);
                }
                for name in companions.tokenizer.others_to_try() {
                    let path = path.join(name);
                    if path.is_file() {
                        companions.insert(name, read_file(&path)?);
                    }
                }
                model.companions = Some(companions);
                weight_files(path, parts)?
            }
        };
        model.weights = names.iter().map(|name| path.join(name)).collect();
        Ok(model)
    }

    /// The files of the weights, in their order.
    pub fn weights(&self) -> &[PathBuf] {
        &self.weights
    }

    /// The name to show.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Bytes of all files of the weights.
    ///
    /// # Errors
    /// [`CliError::Read`].
    pub fn size_bytes(&self) -> Result<u64, CliError> {
        let sizes = self.weights.iter();
        let mut sizes = sizes.map(|path| Ok(fs::metadata(path).map_err(unreadable(path))?.len()));
        sizes.try_fold(0, |sum, size: Result<u64, CliError>| Ok(sum + size?))
    }

    /// The opened model, its weights still to be read.
    ///
    /// # Errors
    /// [`CliError::Read`], [`CliError::Model`].
    pub fn open(&self) -> Result<ModelFile, CliError> {
        let opened = match &self.companions {
            None => ModelFile::from_gguf(reader(&self.weights[0])?),
            Some(companions) => {
                let readers = self.weights.iter().map(|path| reader(path));
                companions.open(readers.collect::<Result<_, _>>()?)
            }
        };
        opened.map_err(|source| self.broken(source))
    }

    /// The opened model, to continue its training.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_base(&self) -> Result<BaseModel, CliError> {
        let opened = match &self.companions {
            None => BaseModel::from_gguf(reader(&self.weights[0])?),
            Some(companions) => {
                let readers = self.weights.iter().map(|path| reader(path));
                BaseModel::from_floats(companions, readers.collect::<Result<_, _>>()?)
            }
        };
        opened.map_err(|source| self.broken(source))
    }

    /// The conversion to one GGUF with matrices of type `dtype`, to which all bytes of [`Self::weights`] must be
    /// pushed. What there is to know about the files is printed.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn conversion(&self, dtype: WeightType) -> Result<Conversion, CliError> {
        self.conversion_of(dtype, &self.title())
    }

    /// [`Self::conversion`] to a model called `title`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn conversion_of(&self, dtype: WeightType, title: &str) -> Result<Conversion, CliError> {
        let conversion = match &self.companions {
            None => conversion::of_gguf(reader(&self.weights[0])?, title, dtype),
            Some(companions) => {
                conversion::of_floats(companions, title, dtype, self.weights.len(), None)
            }
        };
        let (conversion, mut notices) = conversion.map_err(|source| self.broken(source))?;
        notices.extend_from_slice(conversion.notices());
        print_notices(notices);
        Ok(conversion)
    }

    /// The error of a model that cannot be opened or read.
    pub fn broken(&self, source: impl Into<EngineError>) -> CliError {
        CliError::Model {
            name: self.name(),
            source: Box::new(source.into()),
        }
    }

    /// The name of the given file or folder, for `general.name`.
    fn title(&self) -> String {
        let path = self.path.canonicalize();
        let path = path.unwrap_or_else(|_| self.path.clone());
        path.file_stem().map_or_else(
            || "gpt2".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}

/// The files in a folder, sorted by name. Files whose names are not UTF-8 are left out.
fn listing(folder: &Path) -> Result<Listing, CliError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let entry = entry.map_err(unreadable(folder))?;
        // Links are followed; links that lead nowhere are left out.
        let Ok(metadata) = fs::metadata(entry.path()) else {
            continue;
        };
        if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
            files.push((name, Some(metadata.len())));
        }
    }
    files.sort();
    Ok(Listing::of_files(files))
}

/// The names of the files of the weights: one file, the listed shards, or those that the index names.
fn weight_files(folder: &Path, parts: &WeightFiles) -> Result<Vec<String>, CliError> {
    match parts.list() {
        WeightList::Files(files) => Ok(files.into_iter().map(|file| file.name).collect()),
        WeightList::Index(index) => {
            let path = folder.join(&index.name);
            let json = read_file(&path)?;
            let index = ShardIndex::from_json(&index.name, &json)
                .map_err(|source| CliError::ShardIndex { path, source })?;
            Ok(index.files)
        }
    }
}

/// Refuses what would wait for a writer, or has no places to seek to.
fn require_file(path: &Path, metadata: &fs::Metadata) -> Result<(), CliError> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(CliError::NotAFile {
            path: path.to_owned(),
        }),
    }
}

/// Opens a file of weights.
pub fn reader(path: &Path) -> Result<Box<dyn ReadSeek>, CliError> {
    require_file(path, &fs::metadata(path).map_err(unreadable(path))?)?;
    let file = File::open(path).map_err(unreadable(path))?;
    in_torch_order(Box::new(BufReader::new(file))).map_err(unreadable(path))
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> CliError {
    |source| CliError::Read {
        path: path.to_owned(),
        source,
    }
}
