//! What was made of what: the `preprocess` run and its two artifacts, as huggingtweets kept them in W&B.
//!
//! Ids and times are handed in. A later run, `train`, takes the artifact `train-dataset` by its name and version.

use serde::{Deserialize, Serialize};

use crate::clean::CleanOptions;
use crate::counts::Counts;
use crate::dataset::{DatasetParams, Written, joined_handles};
use crate::random::PythonRandom;

/// Characters of a run's id.
pub const RUN_ID_CHARS: usize = 8;

/// An id of [`RUN_ID_CHARS`] characters of a to z and 0 to 9, drawn from `seed`.
#[must_use]
pub fn run_id(seed: u64) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = PythonRandom::new(seed);
    let mut id = String::with_capacity(RUN_ID_CHARS);
    while id.len() < RUN_ID_CHARS {
        // The six high bits are 0 to 63; what is beyond the alphabet is drawn again.
        if let Some(byte) = ALPHABET.get((random.next_u32() >> 26) as usize) {
            id.push(char::from(*byte));
        }
    }
    id
}

/// Whether `id` has the form of a run's id.
#[must_use]
pub fn is_run_id(id: &str) -> bool {
    id.len() == RUN_ID_CHARS
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// One step of making a bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Eight characters of a to z and 0 to 9.
    pub id: String,
    /// `preprocess`.
    pub job_type: String,
    /// `@h1-h2-preprocess`, the handles in the order of input.
    pub name: String,
    /// When it ended, in milliseconds since 1970.
    pub time_ms: i64,
    /// Its parameters.
    pub config: Config,
    /// The counts per account, in the order of input.
    pub counts: Vec<AccountCounts>,
    /// Artifacts taken in, as `name:version`.
    pub inputs: Vec<String>,
    /// Artifacts made, as `name:version`.
    pub outputs: Vec<String>,
}

/// Parameters of a `preprocess` run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// This program's version.
    pub version: String,
    /// In the order of input.
    pub handles: Vec<String>,
    /// Seed, epochs and the posts kept apart.
    pub dataset: DatasetParams,
    /// The switches of the cleaning.
    pub clean: CleanOptions,
    /// Whose posts they are, as the visitor answered; `None` if nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

/// Whose posts were imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The visitor's own.
    Own,
    /// Somebody's who agreed.
    Agreed,
    /// In the public domain.
    PublicDomain,
}

/// The counts of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCounts {
    /// The handle as compared.
    pub handle: String,
    /// Its counts, taken before posts are repeated.
    #[serde(flatten)]
    pub counts: Counts,
}

/// A file that a run took or made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// `tweets-h1-h2` or `dataset-h1-h2`, the handles sorted.
    pub name: String,
    /// `raw-dataset` or `train-dataset`.
    #[serde(rename = "type")]
    pub kind: ArtifactKind,
    /// `v0`, `v1` and so on, per name.
    pub version: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub size_bytes: u64,
    /// The file's name.
    pub file: String,
    /// Facts about it.
    pub metadata: Metadata,
    /// The run that made it, if any did.
    pub made_by: Option<String>,
}

/// The kinds of artifacts of this half of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    /// The posts of each account before cleaning.
    RawDataset,
    /// The training text.
    TrainDataset,
}

/// Facts about an artifact.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// In the order of input.
    pub handles: Vec<String>,
    /// Posts in it, repetitions included.
    pub posts: u64,
    /// The training text's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Its epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
}

/// A run with the artifacts that it took and made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The run.
    pub run: Run,
    /// Its artifacts.
    pub artifacts: Vec<Artifact>,
}

/// What a record is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocess {
    /// The run's id.
    pub run_id: String,
    /// When it ended, in milliseconds since 1970.
    pub time_ms: i64,
    /// Its parameters.
    pub config: Config,
    /// The counts per account, in the order of input.
    pub counts: Vec<Counts>,
    /// The posts before cleaning, as [`crate::dataset::write_raw`] wrote them.
    pub raw: Written,
    /// The training text.
    pub train: Written,
    /// Versions of the two artifacts' names that exist already.
    pub n_versions: u32,
}

impl Preprocess {
    /// The record of the run: `raw-dataset` in, `train-dataset` out.
    #[must_use]
    pub fn record(self) -> Record {
        let Self {
            run_id,
            time_ms,
            config,
            counts,
            raw,
            train,
            n_versions,
        } = self;
        let sorted = joined_handles(&config.handles);
        let version = format!("v{n_versions}");
        let artifact = |prefix: &str, kind, written: Written, file: String| Artifact {
            name: format!("{prefix}-{sorted}"),
            kind,
            version: version.clone(),
            sha256: written.sha256,
            size_bytes: written.size_bytes,
            file,
            metadata: Metadata {
                handles: config.handles.clone(),
                posts: written.posts,
                ..Metadata::default()
            },
            made_by: None,
        };
        let raw = artifact(
            "tweets",
            ArtifactKind::RawDataset,
            raw,
            "tweets.txt".to_owned(),
        );
        let file = crate::dataset::file_name(&config.handles);
        let mut train = artifact("dataset", ArtifactKind::TrainDataset, train, file);
        train.metadata.seed = Some(config.dataset.seed);
        train.metadata.epochs = Some(config.dataset.epochs);
        train.made_by = Some(run_id.clone());
        let counts = config.handles.iter().zip(counts);
        let counts = counts.map(|(handle, counts)| AccountCounts {
            handle: handle.clone(),
            counts,
        });
        let run = Run {
            id: run_id,
            job_type: "preprocess".to_owned(),
            name: format!("@{}-preprocess", config.handles.join("-")),
            time_ms,
            counts: counts.collect(),
            inputs: vec![format!("{}:{}", raw.name, raw.version)],
            outputs: vec![format!("{}:{}", train.name, train.version)],
            config,
        };
        Record {
            run,
            artifacts: vec![raw, train],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sha256: &str) -> Written {
        Written {
            posts: 3,
            characters: 40,
            size_bytes: 41,
            sha256: sha256.to_owned(),
        }
    }

    fn example() -> Record {
        Preprocess {
            run_id: run_id(7),
            time_ms: 1_600_000_000_000,
            config: Config {
                version: "0.1.0".to_owned(),
                handles: vec!["zoe".to_owned(), "abe".to_owned()],
                dataset: DatasetParams::default(),
                clean: CleanOptions::default(),
                consent: Some(Consent::Agreed),
            },
            counts: vec![Counts::default(); 2],
            raw: written("aa"),
            train: written("bb"),
            n_versions: 2,
        }
        .record()
    }

    #[test]
    fn a_record_says_what_was_made_of_what() {
        let Record { run, artifacts } = example();
        assert_eq!(run.name, "@zoe-abe-preprocess");
        assert_eq!(run.inputs, ["tweets-abe-zoe:v2"]);
        assert_eq!(run.outputs, ["dataset-abe-zoe:v2"]);
        assert_eq!(artifacts[1].file, "data_abe-zoe_train.txt");
        assert_eq!(artifacts[1].made_by.as_deref(), Some(run.id.as_str()));
        assert_eq!(artifacts[0].made_by, None);
    }

    #[test]
    fn a_record_is_the_same_after_json() {
        let record = example();
        let json = serde_json::to_string(&record).unwrap_or_default();
        assert!(json.contains(r#""type":"train-dataset""#), "{json}");
        assert_eq!(serde_json::from_str::<Record>(&json).ok(), Some(record));
    }

    #[test]
    fn ids_have_the_form_of_runs_and_follow_from_the_seed() {
        let ids: std::collections::BTreeSet<String> = (0..1000).map(run_id).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| is_run_id(id)));
        assert_eq!(run_id(3), run_id(3));
        for id in ["", "abcdefg", "abcdefghi", "Abcdefgh", "abc-efgh"] {
            assert!(!is_run_id(id), "{id}");
        }
    }
}
