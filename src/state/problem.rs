//! `Problem`: the failure that the page shows, and the buttons that can help.

use super::model_choice::ModelChoice;
use super::wording::isolated;
use crate::hub::{ModelAddress, NEEDS};
use crate::protocol::{ErrorCode, ErrorReport};

/// The action of a button beside an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Load the same model again.
    RetryLoad,
    /// Take the model that comes with the page.
    UseBundled,
    /// Start a new worker.
    RestartWorker,
    /// Press Generate again.
    GenerateAgain,
    /// Put every setting back.
    ResetSettings,
    /// Take the files to the maker, which makes bots of posts.
    OpenMaker,
}

/// A failure that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The failure and its remedy, in words.
    pub report: ErrorReport,
    /// Buttons, the likeliest to help first.
    pub remedies: Vec<Remedy>,
    /// The model that is open all the same, where another could not be opened.
    pub stays: Option<String>,
}

/// The remedy of a failed load in the page's words: reports say what any caller of the worker can do, the page knows its
/// own buttons and where the model came from.
pub(super) fn remedy_here(report: &mut ErrorReport, choice: &ModelChoice) {
    let hint = match report.code {
        ErrorCode::Truncated | ErrorCode::NotAModel if choice.is_bundled() => {
            "reload the page: its model comes from the same place"
        }
        ErrorCode::Truncated if choice.is_picked() => {
            "get the file again from where it came from, then choose it here"
        }
        ErrorCode::Download if choice.is_picked() => {
            "check that the file is still on this device, then choose it again"
        }
        ErrorCode::Storage => {
            "delete models under Storage at the top, or close other tabs of this page, then load it again; bytes that \
             have arrived are kept"
        }
        _ => return,
    };
    hint.clone_into(&mut report.hint);
}

/// What a packed export is called.
const PACKED: &str = "an archive of posts";

/// Endings of the names of exports, and what such a file may be.
const EXPORTS: [(&str, &str); 11] = [
    ("outbox.json", "the posts of a Mastodon account"),
    (".car", "the posts of a Bluesky account"),
    ("archive.html", "an archive of X"),
    (".js", "the posts of an archive of X"),
    (".zip", PACKED),
    (".gz", PACKED),
    (".tgz", PACKED),
    (".csv", "a table of posts"),
    (".jsonl", "a list of posts"),
    (".json", "a list of posts"),
    (".txt", "a list of posts"),
];

/// Makes the report about picked files that may be an export of posts, by their names, lead to the maker; gives back
/// whether they may.
pub(super) fn lead_to_maker(report: &mut ErrorReport, choice: &ModelChoice) -> bool {
    let ModelAddress::Files { folder, names } = &choice.model.address else {
        return false;
    };
    let is_of_model = |name: &String| {
        let known = NEEDS.iter().flat_map(|need| need.one_of).copied();
        let weights = [".gguf", ".safetensors", ".bin"];
        known.flatten().any(|known| known == name) || weights.iter().any(|it| name.ends_with(it))
    };
    if report.code != ErrorCode::NotAModel || names.iter().any(is_of_model) {
        return false;
    }
    let of = |name: &String| {
        let name = name.to_ascii_lowercase();
        EXPORTS.iter().find(|(ending, _)| name.ends_with(ending))
    };
    let Some((_, what)) = names.iter().find_map(of) else {
        return false;
    };
    report.message = format!("{} is no model; it may be {what}", isolated(&choice.name));
    let ready = match folder {
        Some(_) => "drop the folder there",
        None => "it has the file ready",
    };
    let packed = match *what == PACKED {
        true => "; a model that is packed like this must be unpacked",
        false => "",
    };
    report.hint = format!("open the maker, which makes bots of posts: {ready}{packed}");
    true
}

impl Problem {
    /// A failure without a button.
    pub(super) fn new(report: ErrorReport) -> Problem {
        Problem {
            report,
            remedies: Vec::new(),
            stays: None,
        }
    }
}
