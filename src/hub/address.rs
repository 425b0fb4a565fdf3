//! `ModelAddress`: the location of a model, parsed from the text of a visitor or of a page's address.

use super::endpoint::Endpoint;
use super::is_inside;
use super::repo_id::{RepoId, RepoIdError};
use super::web_address::{MAX_BYTES, WebAddress, WebAddressError};
use crate::shown::beginning;

/// The owner of the original bots' repositories.
pub const OWNER: &str = "huggingtweets";

/// The location of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ModelAddress {
    /// The model that comes with the program, whose host knows its address.
    Bundled,
    /// A repository of an [`Endpoint`].
    Repository {
        /// `OWNER/NAME`.
        repo: RepoId,
        /// The GGUF that the address names; without it, [`choose`](super::choose) selects files.
        file: Option<String>,
    },
    /// A GGUF anywhere on the web.
    Gguf {
        /// Absolute, with its query.
        url: String,
    },
    /// A GGUF on the page's own host; the page turns it into a [`ModelAddress::Gguf`] before any request.
    OwnGguf {
        /// Relative to the page, or from the host's root.
        path: String,
    },
    /// A folder anywhere on the web with the files of a repository.
    Folder {
        /// Absolute, a slash at its end.
        url: String,
    },
    /// Files picked on this device: one GGUF, or the files of a repository's folder.
    Files {
        /// The name of the folder, where they were picked as one.
        folder: Option<String>,
        /// The files' names in the folder.
        names: Vec<String>,
    },
}

/// Why a text names no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// An empty text, or spaces.
    #[error("no name is typed yet")]
    Empty,
    /// A malformed `http(s)` address.
    #[error(transparent)]
    Web(#[from] WebAddressError),
    /// Not an `OWNER/NAME`.
    #[error(transparent)]
    Repository(#[from] RepoIdError),
    /// A page of the Hub other than a model's.
    #[error("this page of the Hub is not a model's page")]
    NotAModelPage,
    /// A branch or a commit other than `main`.
    #[error("only the branch `main` is read, this address names `{revision}`")]
    OtherRevision {
        /// The branch, tag or commit.
        revision: String,
    },
    /// A link to Twitter that leads to no account.
    #[error("this link leads to no account")]
    NotAnAccount,
    /// Not a handle.
    #[error("\"{got}\" is no handle: a handle has 1 to 20 letters, digits and `_`")]
    Handle {
        /// The text, cut after 80 characters.
        got: String,
    },
    /// A word without an owner and without an `@`.
    #[error("\"{got}\" has no owner, and is no model that the Hub knows without one")]
    NoOwner {
        /// The text, cut after 80 characters.
        got: String,
    },
    /// More than three handles.
    #[error("a cyborg has two or three handles, here are {got}")]
    TooManyHandles {
        /// Number of different handles.
        got: usize,
    },
}

impl AddressError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty => {
                "type OWNER/NAME as on the Hub, an address, or a handle such as @jen_122"
            }
            Self::Web(error) => error.hint(),
            Self::Repository(error) => error.hint(),
            Self::NotAModelPage => "open the model there and copy its address, or type OWNER/NAME",
            Self::OtherRevision { .. } => {
                "type OWNER/NAME alone, or take the address of a GGUF's download"
            }
            Self::NotAnAccount => "open the account and copy its address, or type its handle",
            Self::Handle { .. } => "type a handle, OWNER/NAME or an address",
            Self::NoOwner { .. } => {
                "type OWNER/NAME for a model, or an @ and the handle for a bot, such as @jen_122"
            }
            Self::TooManyHandles { .. } => "leave some out",
        }
    }
}

/// GPT-2s that the Hub finds by a name without an owner, as its redirects of 2024 lead on.
const WITHOUT_OWNER: [(&str, &str); 5] = [
    ("gpt2", "openai-community/gpt2"),
    ("gpt2-medium", "openai-community/gpt2-medium"),
    ("gpt2-large", "openai-community/gpt2-large"),
    ("gpt2-xl", "openai-community/gpt2-xl"),
    ("distilgpt2", "distilbert/distilgpt2"),
];

/// Hosts that are recognized without `https://`.
const KNOWN_SITES: [&str; 4] = ["huggingface.co", "hf.co", "twitter.com", "x.com"];

/// First path segments of the Hub's own pages.
const HUB_PAGES: [&str; 16] = [
    "api",
    "blog",
    "chat",
    "collections",
    "datasets",
    "docs",
    "join",
    "learn",
    "login",
    "models",
    "new",
    "organizations",
    "papers",
    "settings",
    "spaces",
    "tasks",
];

/// First path segments of Twitter's own pages.
const TWITTER_PAGES: [&str; 13] = [
    "compose",
    "explore",
    "hashtag",
    "home",
    "i",
    "intent",
    "login",
    "messages",
    "notifications",
    "search",
    "settings",
    "share",
    "signup",
];

impl ModelAddress {
    /// Parses, in this order: an `http(s)` address (pages of the endpoint and of the Hub are repositories, pages of Twitter
    /// are accounts); the path of a `.gguf` on the page's host; `OWNER/NAME`; one to three handles, the first with its
    /// `@`; the name of a model without an owner, such as `gpt2`.
    ///
    /// # Errors
    /// [`AddressError`], each variant for its cause.
    pub fn parse(text: &str, endpoint: &Endpoint) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(WebAddressError::TooLong { len: text.len() }.into());
        }
        let lower = text.to_ascii_lowercase();
        let site = lower.split('/').next().unwrap_or_default();
        let site = ["www.", "mobile."]
            .iter()
            .find_map(|prefix| site.strip_prefix(prefix))
            .unwrap_or(site);
        if text.contains(':') {
            return from_web(&WebAddress::parse(text)?, endpoint);
        }
        if KNOWN_SITES.contains(&site) {
            return from_web(&WebAddress::parse(&format!("https://{text}"))?, endpoint);
        }
        if is_gguf(lower.split(['?', '#']).next().unwrap_or_default()) {
            return own_gguf(text);
        }
        if let Some((_, rest)) = text.split_once('/')
            && !text.starts_with('@')
        {
            let repo = match rest.strip_suffix('/') {
                Some(_) => &text[..text.len() - 1],
                None => text,
            };
            return Ok(repository(repo.parse()?));
        }
        if text.starts_with('@') {
            return from_handles(text);
        }
        match WITHOUT_OWNER.iter().find(|(name, _)| *name == text) {
            Some((_, repo)) => Ok(repository(repo.parse()?)),
            None => Err(AddressError::NoOwner {
                got: beginning(text, 80),
            }),
        }
    }
}

fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

fn repository(repo: RepoId) -> ModelAddress {
    ModelAddress::Repository { repo, file: None }
}

fn own_gguf(path: &str) -> Result<ModelAddress, AddressError> {
    let path = path.split('#').next().unwrap_or_default();
    // A path has the same rules as the path of an absolute address, here on a placeholder host.
    WebAddress::parse(&format!("http://page/{}", path.trim_start_matches('/')))?;
    // Two slashes at the start name another host.
    if path.starts_with("//") {
        return Err(WebAddressError::Characters.into());
    }
    Ok(ModelAddress::OwnGguf {
        path: path.to_owned(),
    })
}

fn from_web(address: &WebAddress, endpoint: &Endpoint) -> Result<ModelAddress, AddressError> {
    if let Some(parts) = endpoint.parts_of(address) {
        // A mirror's host may have files outside repositories. The paths of files in repositories have at least five
        // segments.
        let is_loose = parts.len() < 5 && parts.last().is_some_and(|last| is_gguf(last));
        if !is_loose {
            return from_hub_page(address, &parts);
        }
    }
    match address.site() {
        "huggingface.co" | "hf.co" => from_hub_page(address, &address.parts()),
        "twitter.com" | "x.com" | "mobile.twitter.com" | "mobile.x.com" => {
            match address.parts().first() {
                Some(handle) if !TWITTER_PAGES.contains(&handle.to_ascii_lowercase().as_str()) => {
                    from_handles(handle)
                }
                _ => Err(AddressError::NotAnAccount),
            }
        }
        _ => Ok(from_other_site(address)),
    }
}

fn from_hub_page(address: &WebAddress, parts: &[String]) -> Result<ModelAddress, AddressError> {
    let (owner, name, rest) = match parts {
        [owner, name, rest @ ..] if !HUB_PAGES.contains(&owner.as_str()) => (owner, name, rest),
        _ => return Err(AddressError::NotAModelPage),
    };
    let repo: RepoId = format!("{owner}/{name}").parse()?;
    let (revision, file) = match rest {
        [view, revision, file @ ..]
            if ["tree", "blob", "resolve", "raw"].contains(&view.as_str()) =>
        {
            (revision.as_str(), file.join("/"))
        }
        _ => return Ok(repository(repo)),
    };
    let file = Some(file).filter(|file| is_gguf(file) && is_inside(file));
    match (revision, file) {
        ("main", file) => Ok(ModelAddress::Repository { repo, file }),
        // The address of a download names its bytes, whatever the branch.
        (_, Some(_)) if rest[0] == "resolve" => Ok(ModelAddress::Gguf { url: address.url() }),
        _ => Err(AddressError::OtherRevision {
            revision: beginning(revision, 80),
        }),
    }
}

fn from_other_site(address: &WebAddress) -> ModelAddress {
    let parts = address.parts();
    let last = parts.last().map(String::as_str).unwrap_or_default();
    if is_gguf(last) {
        return ModelAddress::Gguf { url: address.url() };
    }
    let url = address.without_query();
    // The address of a file in a folder stands for the folder.
    let ending = last.rsplit_once('.').map(|(_, ending)| ending);
    let is_file = ["json", "safetensors", "bin", "txt", "md"]
        .map(Some)
        .contains(&ending);
    let folder = match url.rfind('/') {
        Some(slash) if is_file => &url[..slash],
        _ => url.trim_end_matches('/'),
    };
    ModelAddress::Folder {
        url: format!("{folder}/"),
    }
}

/// The last part of a path or an address that is not empty, query and fragment left out.
pub(super) fn last_segment(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.rsplit('/')
        .find(|segment| !segment.is_empty())
        .unwrap_or(path)
}

/// The repository of one account or of a cyborg, named as the original did: handles in lower case, sorted, joined by
/// `-`. A text of handles that are joined already gives the same name.
fn from_handles(text: &str) -> Result<ModelAddress, AddressError> {
    let mut handles = Vec::new();
    let is_between = |c: char| c.is_whitespace() || ",;&+-".contains(c);
    for word in text.split(is_between).filter(|word| !word.is_empty()) {
        let handle = word.strip_prefix('@').unwrap_or(word).to_ascii_lowercase();
        // Handles have at most 15 characters, some of the oldest 20.
        let is_handle = (1..=20).contains(&handle.len())
            && handle
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_handle {
            return Err(AddressError::Handle {
                got: beginning(word, 80),
            });
        }
        handles.push(handle);
    }
    handles.sort();
    handles.dedup();
    match handles.len() {
        0 => Err(AddressError::Handle {
            got: beginning(text, 80),
        }),
        1..=3 => Ok(repository(
            format!("{OWNER}/{}", handles.join("-")).parse()?,
        )),
        got => Err(AddressError::TooManyHandles { got }),
    }
}
