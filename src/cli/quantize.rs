//! `quantize`: a model as one GGUF file with smaller weights.

use super::folder::Folder;
use super::output_file::OutputFile;
use super::quality::Quality;
use super::{CliError, Output};
use crate::engine::{EngineError, arrival, defaults, model_file};
use crate::generate::params::GenerationParams;
use crate::kernels::pack::WeightType;
use crate::tokenizer::Vocabulary;
use crate::weights::quantize::Quantizer;
use crate::weights::{Checkpoint, WeightsError};
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};

/// Arguments of `quantize`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder laid out like a Hub repository, or a .gguf file
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The .gguf file to write
    #[arg(value_name = "OUT.gguf")]
    output: PathBuf,
    /// Type of the matrices
    #[arg(long, value_enum, default_value_t = Dtype::Q8_0)]
    dtype: Dtype,
    /// Do not measure how well the model expects a fixed text before and after
    #[arg(long)]
    no_score: bool,
}

/// What matrices can become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Dtype {
    /// 8 bits and a scale for 32 weights
    #[value(name = "q8_0")]
    Q8_0,
    /// 4 bits and a scale for 32 weights
    #[value(name = "q4_0")]
    Q4_0,
    /// 4 bits, scales and minima in blocks of 256
    #[value(name = "q4_k")]
    Q4K,
    /// 6 bits, scales in blocks of 256
    #[value(name = "q6_k")]
    Q6K,
    /// 16-bit floats
    #[value(name = "f16")]
    F16,
    /// 32-bit floats
    #[value(name = "f32")]
    F32,
}

impl From<Dtype> for WeightType {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Q8_0 => Self::Q8_0,
            Dtype::Q4_0 => Self::Q4_0,
            Dtype::Q4K => Self::Q4K,
            Dtype::Q6K => Self::Q6K,
            Dtype::F16 => Self::F16,
            Dtype::F32 => Self::F32,
        }
    }
}

#[derive(Debug, Serialize)]
struct Quantized {
    tensors: usize,
    bytes: u64,
    max_error: f32,
    errors: Vec<TensorError>,
    #[serde(flatten)]
    quality: Option<BeforeAndAfter>,
}

/// How far a tensor is from the original.
#[derive(Debug, Serialize)]
struct TensorError {
    name: String,
    dtype: &'static str,
    /// Whether the type asked for did not fit its rows.
    #[serde(skip)]
    is_fallback: bool,
    /// As a part of the original's root mean square.
    rms_error: f32,
    /// As a part of the original's largest absolute value.
    max_error: f32,
}

/// What the model makes of a fixed text.
#[derive(Debug, Serialize)]
struct BeforeAndAfter {
    before: Quality,
    after: Quality,
}

impl BeforeAndAfter {
    fn of(input: &Path, output: &Path) -> Result<Self, CliError> {
        Ok(Self {
            before: Quality::of(input)?,
            after: Quality::of(output)?,
        })
    }
}

/// Writes the file, tensor by tensor; it appears at its place only when it is whole.
///
/// # Errors
/// [`CliError`] if the model cannot be read or the file not written.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let input = Input::open(&args.input)?;
    if let (Ok(from), Ok(to)) = (args.input.canonicalize(), args.output.canonicalize())
        && from == to
    {
        return Err(CliError::BadOutput {
            path: args.output.clone(),
            reason: "it is the model that is read",
        });
    }
    let Input {
        mut checkpoint,
        defaults: params,
        vocabulary,
    } = input;
    let broken = |source: EngineError| CliError::Model {
        name: args.input.display().to_string(),
        source: Box::new(source),
    };
    let failed = |error: WeightsError| match error {
        WeightsError::Write { source } => CliError::Write {
            path: args.output.clone(),
            source,
        },
        other => broken(other.into()),
    };
    let dtype = WeightType::from(args.dtype);
    let config = checkpoint.config();
    let metadata = arrival::metadata(&title(&args.input), config, dtype, vocabulary, &params)
        .map_err(broken)?;
    let mut file = OutputFile::create(&args.output)?;
    let is_watched = std::io::stderr().is_terminal() && !output.is_json();
    let total = checkpoint.tensors().len();
    let mut quantizer = Quantizer::new(&checkpoint, dtype, &metadata, &mut file).map_err(failed)?;
    let mut done = 0;
    while let Some(report) = quantizer.step(&mut checkpoint).map_err(failed)? {
        done += 1;
        if is_watched {
            eprint!("\r\x1b[K{done} of {total} tensors: {} …", report.name);
        }
    }
    let report = quantizer.finish().map_err(failed)?;
    file.finish()?;
    if is_watched && !args.no_score {
        eprint!("\r\x1b[Kreading a text with the model, before and after …");
    }
    let quality = match args.no_score {
        true => None,
        // The file is written: a model that cannot be scored is no reason to fail.
        false => match BeforeAndAfter::of(&args.input, &args.output) {
            Ok(quality) => Some(quality),
            Err(error) => {
                eprintln!("the model could not be scored: {error}; --no-score leaves that out");
                None
            }
        },
    };
    if is_watched {
        eprint!("\r\x1b[K");
    }
    let errors = report.tensors.into_iter().map(|tensor| TensorError {
        name: tensor.name,
        dtype: tensor.dtype.name(),
        is_fallback: tensor.is_fallback,
        rms_error: tensor.rms_error,
        max_error: tensor.max_error,
    });
    let result = Quantized {
        tensors: total,
        bytes: report.bytes,
        max_error: report.max_error,
        errors: errors.collect(),
        quality,
    };
    output.print(&result, |result| described(&args.output, result))
}

/// The result for people: a line per tensor that has changed, then the whole.
fn described(path: &Path, result: &Quantized) -> String {
    let mut lines = vec![format!(
        "{:<28} {:<5} {:>10} {:>13}",
        "tensor", "type", "rms error", "largest error"
    )];
    let changed = |tensor: &&TensorError| tensor.max_error > 0.0 || tensor.is_fallback;
    for tensor in result.errors.iter().filter(changed) {
        let note = match tensor.is_fallback {
            true => "  its rows do not fit the type asked for",
            false => "",
        };
        lines.push(format!(
            "{:<28} {:<5} {:>8.3} % {:>11.3} %{note}",
            tensor.name,
            tensor.dtype,
            100.0 * tensor.rms_error,
            100.0 * tensor.max_error,
        ));
    }
    if let Some(BeforeAndAfter { before, after }) = &result.quality {
        for (when, quality) in [("before", before), ("after", after)] {
            lines.push(format!(
                "{when:<6} {:<5} {:.4} bits per byte, perplexity {:.2}",
                quality.dtype.to_ascii_uppercase(),
                quality.bits_per_byte,
                quality.perplexity(),
            ));
        }
    }
    lines.push(format!(
        "{}: {} tensors, {:.1} MB, largest error {:.4} of a tensor's largest weight",
        path.display(),
        result.tensors,
        result.bytes as f64 / 1e6,
        result.max_error,
    ));
    lines.join("\n")
}

/// A model to be written again.
struct Input {
    checkpoint: Checkpoint,
    defaults: GenerationParams,
    vocabulary: Vocabulary,
}

impl Input {
    fn open(path: &Path) -> Result<Self, CliError> {
        if path.is_dir() {
            let Folder {
                checkpoint,
                defaults,
                vocabulary,
                ..
            } = Folder::open(path)?;
            return Ok(Self {
                checkpoint,
                defaults,
                vocabulary,
            });
        }
        let broken = |source: EngineError| CliError::Model {
            name: path.display().to_string(),
            source: Box::new(source),
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(CliError::NoSuchModel {
                    path: path.to_owned(),
                });
            }
            Err(source) => {
                return Err(CliError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let mut checkpoint =
            Checkpoint::from_gguf(Box::new(BufReader::new(file))).map_err(|e| broken(e.into()))?;
        let vocabulary = model_file::take_vocabulary(checkpoint.metadata_mut()).map_err(broken)?;
        let defaults = defaults::from_metadata(checkpoint.metadata());
        Ok(Self {
            checkpoint,
            defaults,
            vocabulary,
        })
    }
}

/// The name of the file or folder, for `general.name`.
fn title(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.file_stem().map_or_else(
        || "gpt2".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
