//! `BuiltPages`: complete pages in the user's cache, by the hash of their sources, so that a second clone, or a branch
//! that comes back, has its page at once.

use super::cache_folder::cache_folder;
use super::fingerprint::Fingerprint;
use super::{SiteError, files};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The number of pages that stay, the newest.
const KEPT: usize = 4;

/// The folder of the pages.
#[derive(Debug)]
pub(super) struct BuiltPages(PathBuf);

impl BuiltPages {
    /// The pages in the user's cache; `None` without a home folder.
    pub(super) fn here() -> Option<Self> {
        Some(Self(cache_folder()?.join("pages")))
    }

    /// The complete page that was built from these sources.
    pub(super) fn find(&self, fingerprint: &Fingerprint) -> Option<PathBuf> {
        let page = self.0.join(fingerprint.as_str());
        page.join("index.html").is_file().then_some(page)
    }

    /// Keeps the complete page in `dist`, and removes the oldest beyond [`KEPT`].
    ///
    /// # Errors
    /// [`SiteError::File`].
    pub(super) fn keep(&self, fingerprint: &Fingerprint, dist: &Path) -> Result<(), SiteError> {
        fs::create_dir_all(&self.0).map_err(SiteError::file("create", &self.0))?;
        let page = self.0.join(fingerprint.as_str());
        if !page.exists() {
            let made = tempfile::Builder::new()
                .prefix(".making-")
                .tempdir_in(&self.0)
                .map_err(SiteError::file("write", &self.0))?;
            copy(dist, made.path())?;
            // Another clone may have kept the same page meanwhile.
            if fs::rename(made.path(), &page).is_ok() {
                let _ = made.keep();
            }
        }
        self.remove_oldest()
    }

    fn remove_oldest(&self) -> Result<(), SiteError> {
        let list = || {
            let pages = fs::read_dir(&self.0)?.map(|entry| {
                let entry = entry?;
                Ok((entry.metadata()?.modified()?, entry.path()))
            });
            pages.collect::<std::io::Result<Vec<(SystemTime, PathBuf)>>>()
        };
        let mut pages = list().map_err(SiteError::file("read", &self.0))?;
        pages.sort();
        for (_, page) in pages.iter().rev().skip(KEPT) {
            fs::remove_dir_all(page).map_err(SiteError::file("remove", page))?;
        }
        Ok(())
    }
}

/// Copies the files of the page in `from` into the empty folder `to`.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), SiteError> {
    for (name, path) in files::files(from)? {
        let copy = to.join(name);
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder).map_err(SiteError::file("create", folder))?;
        }
        fs::copy(&path, &copy).map_err(SiteError::file("copy to", &copy))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    #[test]
    fn a_kept_page_is_found_by_its_sources_alone_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let (root, dist) = (folder.path().join("sources"), folder.path().join("dist"));
        fs::create_dir_all(&root).unwrap();
        fs::create_dir_all(dist.join("model")).unwrap();
        fs::write(dist.join("index.html"), "page").unwrap();
        fs::write(dist.join("model/a.gguf"), "GGUF").unwrap();
        let pages = BuiltPages(folder.path().join("pages"));
        let fingerprints: Vec<Fingerprint> = (0..=KEPT)
            .map(|i| Fingerprint::of(&root, &[&i.to_string()]).unwrap())
            .collect();
        for (i, fingerprint) in fingerprints.iter().enumerate() {
            assert_eq!(pages.find(fingerprint), None);
            pages.keep(fingerprint, &dist).unwrap();
            let page = fs::File::open(pages.find(fingerprint).unwrap()).unwrap();
            let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(i as u64);
            page.set_modified(then).unwrap();
        }
        pages.keep(&fingerprints[KEPT], &dist).unwrap();
        assert_eq!(pages.find(&fingerprints[0]), None);
        let page = pages.find(&fingerprints[1]).unwrap();
        let copied = folder.path().join("copied");
        copy(&page, &copied).unwrap();
        assert_eq!(fs::read(copied.join("model/a.gguf")).unwrap(), b"GGUF");
        assert_eq!(fs::read_dir(&pages.0).unwrap().count(), KEPT);
    }
}
