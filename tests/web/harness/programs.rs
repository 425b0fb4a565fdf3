//! Chromium and chromedriver: found, or installed where the system allows it.

use huggingtweets::site::{Progress, SourceTree, apt};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The two programs that the tests drive.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The browser.
    pub browser: PathBuf,
    /// Its WebDriver server.
    pub driver: PathBuf,
}

/// Debian's packages of the two.
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const DRIVERS: [&str; 1] = ["chromedriver"];

/// Finds them once per run of the tests.
pub fn programs(tree: &SourceTree) -> Programs {
    static FOUND: OnceLock<Programs> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            find().unwrap_or_else(|| {
                if let Err(error) =
                    apt::install(&PACKAGES, &tree.log("apt-browser"), Progress::new())
                {
                    panic!("the tests in the browser need Chromium and chromedriver: {error}");
                }
                find().expect("the packages that were just installed bring both programs")
            })
        })
        .clone()
}

fn find() -> Option<Programs> {
    Some(Programs {
        browser: on_path(&BROWSERS)?,
        driver: on_path(&DRIVERS)?,
    })
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    names
        .iter()
        .flat_map(|name| {
            std::env::split_paths(&path)
                .chain([PathBuf::from("/usr/bin")])
                .map(move |dir| dir.join(name))
        })
        .find(|program| program.is_file())
}
