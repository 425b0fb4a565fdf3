//! Which files of an archive are of interest by name, so that a list of a hundred thousand media stays unread.

/// Extensions of files that may hold posts.
const EXTENSIONS: [&str; 9] = [
    "js", "json", "jsonl", "ndjson", "csv", "tsv", "txt", "car", "gz",
];

/// Longest path considered, in bytes.
const MAX_NAME_BYTES: usize = 512;

/// The last part of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a path with its `/`, empty at the root.
pub(super) fn folder(path: &str) -> &str {
    &path[..path.len() - base_name(path).len()]
}

/// Whether a file may hold posts, the account or its picture.
#[must_use]
pub fn is_of_interest(path: &str) -> bool {
    let base = base_name(path);
    if path.len() > MAX_NAME_BYTES || base.starts_with('.') || path.starts_with("__MACOSX/") {
        return false;
    }
    let is_data = base.rsplit_once('.').is_some_and(|(_, extension)| {
        EXTENSIONS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(extension))
    });
    let is_picture = base.starts_with("avatar.") || folder(path).ends_with("profile_media/");
    is_data || is_picture
}
