//! `Data`: the training text of a command, made of posts or read as `dataset` wrote it.

use super::args::Args;
use crate::cli::CliError;
use crate::cli::clock::now_ms;
use crate::cli::error::read_file;
use crate::cli::posts::{AccountPosts, MAX_ACCOUNTS, Raw, handle_of};
use crate::posts::dataset::{self, DatasetParams, SEPARATOR};
use crate::posts::record::{Config, Consent, Preprocess, run_id};
use crate::runs::{Artifact, ArtifactFile, RunRecord};
use serde_json::Map;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A training text and whose posts it is of.
pub struct Data {
    /// The posts between separators.
    pub text: String,
    /// The accounts, without their posts; one without counts for a text of `dataset`.
    pub accounts: Vec<AccountPosts>,
    /// Whether the accounts have counts.
    pub has_counts: bool,
    /// The run that made the text, unless it was read as it is.
    pub preprocess: Option<RunRecord>,
    /// The text as an artifact.
    pub artifact: Artifact,
}

impl Data {
    /// Reads the files.
    ///
    /// # Errors
    /// [`CliError`] if a file cannot be read, or an account has too little text.
    pub fn read(args: &Args, seed: u64) -> Result<Self, CliError> {
        match &args.data[..] {
            [path] if begins_with_separator(path) => Self::of_text(path),
            _ => Self::of_posts(args, seed),
        }
    }

    fn of_text(path: &Path) -> Result<Self, CliError> {
        let bytes = read_file(path)?;
        let file = ArtifactFile {
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            size_bytes: bytes.len() as u64,
            sha256: base16ct::lower::encode_string(&Sha256::digest(&bytes)),
        };
        let text = String::from_utf8(bytes).map_err(|_| CliError::NotUtf8 {
            path: path.to_owned(),
        })?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        // The name that the original gave the text of these handles.
        let stem = stem.strip_prefix("data_").unwrap_or(&stem);
        let handle = handle_of(stem.strip_suffix("_train").unwrap_or(stem));
        let account = AccountPosts {
            name: handle.clone(),
            handle: handle.clone(),
            counts: Default::default(),
            kept: Vec::new(),
            raw: Vec::new(),
        };
        Ok(Self {
            text,
            accounts: vec![account],
            has_counts: false,
            preprocess: None,
            artifact: Artifact {
                name: format!("dataset-{handle}"),
                kind: "train-dataset".to_owned(),
                version: "v0".to_owned(),
                files: vec![file],
                metadata: Map::new(),
                made_by: None,
            },
        })
    }

    fn of_posts(args: &Args, seed: u64) -> Result<Self, CliError> {
        if args.data.len() > MAX_ACCOUNTS {
            return Err(CliError::TooManyAccounts {
                got: args.data.len(),
            });
        }
        let mut accounts = args.cleaning.read(&args.data, Raw::Keep)?;
        for account in &accounts {
            account.check_volume(args.little_text)?;
        }
        let params = DatasetParams {
            seed,
            epochs: args.epochs,
            ..DatasetParams::default()
        };
        let take = |posts: &mut Vec<String>| std::mem::take(posts);
        let kept: Vec<_> = accounts.iter_mut().map(|it| take(&mut it.kept)).collect();
        let raw: Vec<_> = accounts.iter_mut().map(|it| take(&mut it.raw)).collect();
        let order = dataset::order(&kept, &params);
        let mut text = Vec::new();
        let written = dataset::write_text(&kept, &order.train, &mut text);
        let raw = dataset::write_raw(&raw, &mut io::sink());
        let failed = |source| CliError::Write {
            path: args.out.clone(),
            source,
        };
        let time_ms = now_ms();
        let preprocess = Preprocess {
            run_id: run_id(time_ms.unsigned_abs()),
            time_ms,
            config: Config {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                handles: accounts.iter().map(|it| it.handle.clone()).collect(),
                dataset: params,
                clean: args.cleaning.clean_options(),
                consent: args.consent.map(Consent::from),
            },
            counts: accounts.iter().map(|it| it.counts).collect(),
            raw: raw.map_err(failed)?,
            train: written.map_err(failed)?,
            n_versions: 0,
        };
        let record = RunRecord::from(preprocess.record());
        let artifact = record
            .artifacts
            .iter()
            .find(|it| it.kind == "train-dataset");
        Ok(Self {
            text: String::from_utf8_lossy(&text).into_owned(),
            artifact: artifact.cloned().expect("the run makes the training text"),
            accounts,
            has_counts: true,
            preprocess: Some(record),
        })
    }

    /// The handles in the order of input.
    pub fn handles(&self) -> Vec<&str> {
        self.accounts.iter().map(|it| it.handle.as_str()).collect()
    }
}

fn begins_with_separator(path: &Path) -> bool {
    let mut head = [0; SEPARATOR.len()];
    File::open(path)
        .is_ok_and(|mut file| file.read_exact(&mut head).is_ok() && head == *SEPARATOR.as_bytes())
}
