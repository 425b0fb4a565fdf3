//! Every file below a folder, by its path from there.

use super::SiteError;
use std::fs;
use std::path::{Path, PathBuf};

/// Names with slashes between their parts, as an address has them, and where each file is; in no order.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn files(dir: &Path) -> Result<Vec<(String, PathBuf)>, SiteError> {
    let mut all = Vec::new();
    collect(dir, "", &mut all)?;
    Ok(all)
}

fn collect(dir: &Path, prefix: &str, all: &mut Vec<(String, PathBuf)>) -> Result<(), SiteError> {
    for entry in fs::read_dir(dir).map_err(SiteError::file("read", dir))? {
        let path = entry.map_err(SiteError::file("read", dir))?.path();
        let name = format!(
            "{prefix}{}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        if path.is_dir() {
            collect(&path, &format!("{name}/"), all)?;
        } else {
            all.push((name, path));
        }
    }
    Ok(())
}
