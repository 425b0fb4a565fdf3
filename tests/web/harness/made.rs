//! Files that tests make, below the folder that the server has at `/made/`. Tests run at once, so none changes a file that
//! another may be reading.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file of this name with this content, which several tests may make.
pub fn made_file(name: &str, content: &[u8]) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // A browser refuses a chosen file that was written again, even with the same bytes.
    if fs::read(&path).is_ok_and(|there| there == content) {
        return path;
    }
    let folder = path.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    let mut file = tempfile::NamedTempFile::new_in(folder).unwrap();
    file.write_all(content).unwrap();
    file.persist(&path).unwrap();
    path
}
