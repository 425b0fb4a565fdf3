//! `dataset`: the training text of one to three accounts, as huggingtweets made it.

use super::clock::now_ms;
use super::posts::{AccountPosts, MAX_ACCOUNTS, PostsArgs, Raw};
use super::text_file::TextFile;
use super::{CliError, Output};
use crate::posts::dataset::{self, DatasetParams, Place, Written};
use crate::posts::record::{Config, Consent, Preprocess, run_id};
use serde::Serialize;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Arguments of `dataset`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    posts: PostsArgs,
    /// The seed of the shuffles; the same seed gives the same text
    #[arg(long)]
    seed: u64,
    /// Shuffled copies of the posts
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: u32,
    /// The text to write; with a name that ends in .json, its posts as a JSON array
    #[arg(long, value_name = "F")]
    out: PathBuf,
    /// Keep a share of the posts apart, to see over-fitting
    #[arg(long, value_name = "SHARE", requires = "validation_out", value_parser = share)]
    validation: Option<f64>,
    /// The posts kept apart
    #[arg(long, value_name = "F", requires = "validation")]
    validation_out: Option<PathBuf>,
    /// Write what was made of what, as JSON
    #[arg(long, value_name = "F", requires = "consent")]
    record: Option<PathBuf>,
    /// Whose posts they are, for the record
    #[arg(long, value_enum)]
    consent: Option<ConsentArg>,
    /// Make the text even of fewer than 6000 characters
    #[arg(long)]
    little_text: bool,
}

/// Whose posts they are.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum ConsentArg {
    /// Your own
    Own,
    /// Somebody's who agreed
    Agreed,
    /// In the public domain
    PublicDomain,
}

impl From<ConsentArg> for Consent {
    fn from(arg: ConsentArg) -> Self {
        match arg {
            ConsentArg::Own => Self::Own,
            ConsentArg::Agreed => Self::Agreed,
            ConsentArg::PublicDomain => Self::PublicDomain,
        }
    }
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share = text.parse().ok();
    share
        .filter(|share| (0.0..1.0).contains(share))
        .ok_or("it must be from 0 to below 1, such as 0.1")
}

#[derive(Debug, Serialize)]
struct Dataset {
    seed: u64,
    characters: u64,
    posts: u64,
    sha256: String,
}

/// Writes the text and prints what it is.
///
/// # Errors
/// [`CliError`] if a file cannot be read or written, or an account has too little text.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let files = &args.posts.files;
    if files.len() > MAX_ACCOUNTS {
        return Err(CliError::TooManyAccounts { got: files.len() });
    }
    // A path that cannot be written is refused before the work.
    let out = TextFile::create(&args.out, files)?;
    let validation_out = args.validation_out.as_deref();
    let validation_out = validation_out
        .map(|path| TextFile::create(path, files))
        .transpose()?;
    let record_out = args.record.as_deref();
    let record_out = record_out
        .map(|path| TextFile::create(path, files))
        .transpose()?;
    let raw = match args.record {
        Some(_) => Raw::Keep,
        None => Raw::Drop,
    };
    let mut accounts = args.posts.read(raw)?;
    for account in &accounts {
        account.check_volume(args.little_text)?;
    }
    let params = DatasetParams {
        seed: args.seed,
        epochs: args.epochs,
        validation: args.validation.unwrap_or_default(),
    };
    let kept: Vec<Vec<String>> = accounts
        .iter_mut()
        .map(|account| std::mem::take(&mut account.kept))
        .collect();
    let order = dataset::order(&kept, &params);
    let written = out.finish(|out| write(&args.out, &kept, &order.train, out))?;
    if let (Some(file), Some(path)) = (validation_out, &args.validation_out) {
        file.finish(|out| write(path, &kept, &order.validation, out))?;
    }
    if let Some(file) = record_out {
        let record = record(args, params, &accounts, written.clone())?;
        file.finish(|out| Ok(serde_json::to_writer_pretty(out, &record)?))?;
    }
    let posts = accounts.iter().map(|account| account.counts.kept).sum();
    let result = Dataset {
        seed: args.seed,
        characters: written.characters,
        posts,
        sha256: written.sha256,
    };
    output.print(&result, |result| {
        format!(
            "{} posts, {} characters in {} copies, seed {}\nSHA-256 {}\n{}",
            result.posts,
            result.characters,
            args.epochs,
            result.seed,
            result.sha256,
            args.out.display()
        )
    })
}

fn write(
    path: &Path,
    accounts: &[Vec<String>],
    order: &[Place],
    out: &mut dyn Write,
) -> io::Result<Written> {
    let is_json = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    match is_json {
        true => dataset::write_json(accounts, order, out),
        false => dataset::write_text(accounts, order, out),
    }
}

fn record(
    args: &Args,
    params: DatasetParams,
    accounts: &[AccountPosts],
    train: Written,
) -> Result<crate::posts::record::Record, CliError> {
    let raw: Vec<&Vec<String>> = accounts.iter().map(|account| &account.raw).collect();
    let raw: Vec<Vec<&str>> = raw
        .iter()
        .map(|posts| posts.iter().map(String::as_str).collect())
        .collect();
    let raw = dataset::write_raw(&raw, &mut io::sink()).map_err(|source| CliError::Write {
        path: args.out.clone(),
        source,
    })?;
    let time_ms = now_ms();
    let consent = args.consent.map(Consent::from);
    let preprocess = Preprocess {
        run_id: run_id(time_ms.unsigned_abs()),
        time_ms,
        config: Config {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            handles: accounts
                .iter()
                .map(|account| account.handle.clone())
                .collect(),
            dataset: params,
            clean: args.posts.clean_options(),
            consent,
        },
        counts: accounts.iter().map(|account| account.counts).collect(),
        raw,
        train,
        n_versions: 0,
    };
    Ok(preprocess.record())
}
