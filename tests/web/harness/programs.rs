//! The browsers and their WebDriver servers: found, or installed where the system allows it.

use huggingtweets::site::{Progress, SiteError, SourceTree, apt, tools};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A browser that the tests drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// With chromedriver; for most claims.
    Chromium,
    /// With geckodriver; for claims about every browser.
    Firefox,
    /// WebKitGTK's small browser, a relative of Safari, on a display in memory; for the essential claims.
    WebKit,
}

/// The two programs that the tests drive.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The browser.
    pub browser: PathBuf,
    /// Its WebDriver server.
    pub driver: PathBuf,
}

const CHROMIUM: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];
/// Where the folders of WebKitGTK's versions lie.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/libexec",
];

impl Browser {
    /// Finds or installs the programs, once per run of the tests.
    ///
    /// # Errors
    /// The reason why a program is missing.
    pub fn programs(self, tree: &SourceTree) -> Result<Programs, String> {
        static CHROMIUM: OnceLock<Result<Programs, String>> = OnceLock::new();
        static FIREFOX: OnceLock<Result<Programs, String>> = OnceLock::new();
        static WEBKIT: OnceLock<Result<Programs, String>> = OnceLock::new();
        match self {
            Browser::Chromium => CHROMIUM.get_or_init(|| said(chromium(tree))).clone(),
            Browser::Firefox => FIREFOX.get_or_init(|| said(firefox(tree))).clone(),
            Browser::WebKit => WEBKIT.get_or_init(|| said(webkit(tree))).clone(),
        }
    }
}

fn chromium(tree: &SourceTree) -> Result<Programs, SiteError> {
    let find = || on_path(&CHROMIUM).zip(on_path(&["chromedriver"]));
    let (browser, driver) = match find() {
        Some(found) => found,
        None => {
            let packages = ["chromium", "chromium-driver"];
            apt::install(&packages, &tree.log("apt-browser"), Progress::new())?;
            find().expect("the packages that were just installed bring both programs")
        }
    };
    Ok(Programs { browser, driver })
}

/// No Debian package has geckodriver; crates.io does.
fn firefox(tree: &SourceTree) -> Result<Programs, SiteError> {
    let browser = match on_path(&FIREFOX) {
        Some(found) => found,
        None => {
            apt::install(&["firefox-esr"], &tree.log("apt-firefox"), Progress::new())?;
            on_path(&FIREFOX).expect("the package that was just installed brings it")
        }
    };
    let driver = match on_path(&["geckodriver"]) {
        Some(found) => found,
        None => tools::geckodriver(tree, Progress::new())?,
    };
    Ok(Programs { browser, driver })
}

fn webkit(tree: &SourceTree) -> Result<Programs, SiteError> {
    let find = || {
        on_path(&["xvfb-run"])?;
        mini_browser().zip(on_path(&["WebKitWebDriver"]))
    };
    let (browser, driver) = match find() {
        Some(found) => found,
        None => {
            let packages = ["webkit2gtk-driver", "xvfb", "xauth"];
            apt::install(&packages, &tree.log("apt-webkit"), Progress::new())?;
            find().expect("the packages that were just installed bring the programs")
        }
    };
    Ok(Programs { browser, driver })
}

/// WebKitGTK's browser, which lies in a folder with a version in its name.
fn mini_browser() -> Option<PathBuf> {
    let folders = LIBRARIES.iter().filter_map(|dir| fs::read_dir(dir).ok());
    folders
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| folder.to_string_lossy().contains("/webkit"))
        .map(|folder| folder.join("MiniBrowser"))
        .find(|program| program.is_file())
}

fn said(found: Result<Programs, SiteError>) -> Result<Programs, String> {
    found.map_err(|error| format!("{error}; {}", error.hint()))
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
