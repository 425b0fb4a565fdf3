//! The folder in the user's cache that several clones share, with built tools, compiled crates and built pages.

use std::path::PathBuf;

/// The name of this package's part of the user's cache.
const NAME: &str = "huggingtweets-web";

/// `$XDG_CACHE_HOME/huggingtweets-web`, or `~/.cache/huggingtweets-web`; `None` without a home folder.
pub(super) fn cache_folder() -> Option<PathBuf> {
    let folder = |variable: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache = folder("XDG_CACHE_HOME")
        .or_else(|| folder("LOCALAPPDATA"))
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    Some(cache?.join(NAME))
}
