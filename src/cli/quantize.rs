//! `quantize`: writes a model as one GGUF file with smaller weights.

use super::local_model::{LocalModel, reader};
use super::notes::print_notices;
use super::output_file::{OutputFile, Overwrite};
use super::quality::Quality;
use super::quantized::{BeforeAndAfter, Quantized};
use super::status_line::StatusLine;
use super::{CliError, Output};
use crate::engine::conversion::target;
use crate::hub::Dtype;
use crate::shown::for_terminal;
use crate::weights::{Conversion, ConversionReport, WeightsError};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::path::{Path, PathBuf};

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;

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
    #[arg(long, default_value = Dtype::Q8_0.name(), value_parser = dtypes())]
    dtype: Dtype,
    /// Replace OUT.gguf even if it is the model that is read, or was not written by this program
    #[arg(long)]
    force: bool,
    /// Do not measure how well the model expects a fixed text before and after
    #[arg(long)]
    no_score: bool,
}

/// The types that a GGUF's matrices can have.
pub fn dtypes() -> impl clap::builder::TypedValueParser<Value = Dtype> {
    let types = Dtype::ALL.into_iter().filter(|dtype| *dtype != Dtype::Auto);
    PossibleValuesParser::new(types.map(Dtype::name)).try_map(|name| name.parse::<Dtype>())
}

/// Writes the file, tensor by tensor; it appears at its path when it is complete.
///
/// # Errors
/// [`CliError`] if the model cannot be read or the file not written.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    // If the folder has several models, the most exact is read.
    let input = LocalModel::find(&args.input, Dtype::F32)?;
    let overwrite = match args.force {
        true => Overwrite::Any,
        false => Overwrite::OwnOutput,
    };
    let conversion = input.conversion(target(args.dtype))?;
    let mut file = OutputFile::create(&args.output, overwrite, input.weights())?;
    let status = StatusLine::new(output);
    let report = convert(&args.output, &input, conversion, &mut file, &status)?;
    // The input is scored before the result is written, because the result may replace it.
    status.show(|| "reading a text with the model …".to_owned());
    let before = (!args.no_score).then(|| Quality::of(&input));
    file.finish()?;
    status.show(|| "reading a text with the smaller model …".to_owned());
    let quality = before.map(|before| {
        let result = LocalModel::find(&args.output, Dtype::Auto)?;
        Ok(BeforeAndAfter {
            before: before?,
            after: Quality::of(&result)?,
        })
    });
    status.clear();
    // The file is written, so a model that cannot be scored is not an error.
    let quality = quality.and_then(|quality: Result<_, CliError>| {
        let explain = |error: &CliError| {
            let error = error.to_string();
            eprintln!(
                "the model could not be scored: {}\nhint: --no-score leaves that out",
                for_terminal(&error)
            );
        };
        quality.inspect_err(explain).ok()
    });
    let result = Quantized::new(report, args.dtype, quality);
    output.print(&result, |result| result.describe(&args.output))
}

/// Writes the GGUF at `path` into `file`.
///
/// # Errors
/// [`CliError::Read`], [`CliError::Write`], [`CliError::Model`].
pub fn convert(
    path: &Path,
    input: &LocalModel,
    mut conversion: Conversion,
    file: &mut OutputFile,
    status: &StatusLine,
) -> Result<ConversionReport, CliError> {
    let failed = |error: WeightsError| match error {
        WeightsError::Write { source } => CliError::Write {
            path: path.to_owned(),
            source,
        },
        other => input.broken(other),
    };
    let mut buffer = vec![0; READ_BYTES];
    for path in input.weights() {
        let unreadable = |source| CliError::Read {
            path: path.clone(),
            source,
        };
        let mut source = reader(path)?;
        loop {
            let n = source.read(&mut buffer).map_err(unreadable)?;
            if n == 0 {
                break;
            }
            conversion.push(&buffer[..n], file).map_err(failed)?;
            let progress = conversion.progress();
            status.show(|| format!("{} of {} tensors …", progress.done, progress.total));
        }
        conversion.end_file().map_err(failed)?;
    }
    // Some of a model is known only once all of it has been read.
    status.clear();
    print_notices(conversion.notices_of_weights());
    Ok(conversion.finish())
}
