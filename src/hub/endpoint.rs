//! `Endpoint`: the Hub, or a mirror of it with the same paths.

use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::repo_id::RepoId;
use super::web_address::{WebAddress, WebAddressError};

/// The address of the Hub, the endpoint where no other is given.
pub const HUB: &str = "https://huggingface.co";

/// The address that repositories are read from; `?endpoint=` of a page's address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    /// Without a slash at the end.
    base: String,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            base: HUB.to_owned(),
        }
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.base
    }
}

impl TryFrom<String> for Endpoint {
    type Error = WebAddressError;

    fn try_from(text: String) -> Result<Self, WebAddressError> {
        text.parse()
    }
}

impl FromStr for Endpoint {
    type Err = WebAddressError;

    /// Reads an absolute `http(s)` address, with a path where the mirror is in a folder; a query is dropped.
    fn from_str(text: &str) -> Result<Self, WebAddressError> {
        let address = WebAddress::parse(text)?;
        Ok(Self {
            base: address.without_query().trim_end_matches('/').to_owned(),
        })
    }
}

impl Endpoint {
    /// Its address, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// The repository's page.
    #[must_use]
    pub fn page_url(&self, repo: &RepoId) -> String {
        format!("{}/{repo}", self.base)
    }

    /// The list of the repository's files. The query asks the Hub for sizes and checksums; mirrors may ignore it.
    ///
    /// Source: huggingface_hub `hf_api.py`, `HfApi.model_info` with `files_metadata`.
    #[must_use]
    pub fn listing_url(&self, repo: &RepoId) -> String {
        format!("{}/api/models/{repo}?blobs=true", self.base)
    }

    /// One file of the repository. `file`: as listed, folders included.
    #[must_use]
    pub fn file_url(&self, repo: &RepoId, file: &str) -> String {
        format!(
            "{}/{repo}/resolve/main/{}",
            self.base,
            percent_encoded(file)
        )
    }

    /// The segments of the address's path after the endpoint's own path, if the address begins with the endpoint.
    pub(super) fn parts_of(&self, address: &WebAddress) -> Option<Vec<String>> {
        let own = WebAddress::parse(&self.base).ok()?.parts().len();
        let url = address.without_query();
        let rest = url.strip_prefix(&self.base)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| address.parts().split_off(own))
    }
}

/// Percent-encodes a path; slashes stay.
pub(super) fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string takes all that is written");
        }
    }
    encoded
}
