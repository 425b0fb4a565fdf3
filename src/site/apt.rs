//! Installs system packages where the user may, else names the command that does.

use super::{Progress, SiteError};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Time limit of apt-get, long enough for a slow mirror.
const LIMIT: Duration = Duration::from_secs(900);

/// The command that installs `packages`, as typed in a shell.
#[must_use]
pub fn remedy(packages: &[&str]) -> String {
    format!("sudo apt-get install {}", packages.join(" "))
}

/// Installs `packages` with apt-get if this process is root on a Debian-like system.
///
/// # Errors
/// [`SiteError::PackagesMissing`] if this process may not or cannot, with the command that does.
pub fn install(packages: &[&str], log: &Path, progress: Progress) -> Result<(), SiteError> {
    let missing = || SiteError::PackagesMissing {
        packages: packages.iter().map(|&name| name.to_owned()).collect(),
        remedy: remedy(packages),
    };
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        return Err(missing());
    }
    let step = format!("install {} (apt-get)", packages.join(", "));
    if progress
        .attempt(&step, &mut apt_get("install", packages), log, Some(LIMIT))?
        .is_none()
    {
        return Ok(());
    }
    // The package lists may be missing or old.
    progress.attempt(
        "refresh the package lists",
        &mut apt_get("update", &[]),
        log,
        Some(LIMIT),
    )?;
    match progress.attempt(&step, &mut apt_get("install", packages), log, Some(LIMIT))? {
        None => Ok(()),
        Some(_) => Err(missing()),
    }
}

fn apt_get(verb: &str, packages: &[&str]) -> Command {
    let mut command = Command::new("/usr/bin/apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args([verb, "-y", "-q", "--no-install-recommends"])
        .args(packages);
    command
}

/// Whether this process may install packages. The program `id` tells without an unsafe call.
fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
