//! `trunk build` makes the same page as `cargo run`, for those who use `trunk serve`.

use crate::harness::Site;
use crate::support::shared::skipped;
use huggingtweets::site::comments::without_comments;
use huggingtweets::site::tools::{TRUNK, Tool, WASM_BINDGEN};
use huggingtweets::site::wasm_cargo::WasmCargo;
use huggingtweets::site::{Progress, SourceTree, toolchain};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Made by `cargo run` alone, in the page of one file or after it.
const NOT_BY_TRUNK: [&str; 15] = [
    "app_start.js",
    "huggingtweets.html",
    "preview.png",
    "trainer_relaxed.js",
    "trainer_relaxed_bg.wasm",
    "trainer_threads.js",
    "trainer_threads_bg.wasm",
    "trainer_threads_relaxed.js",
    "trainer_threads_relaxed_bg.wasm",
    "worker_relaxed.js",
    "worker_relaxed_bg.wasm",
    "worker_threads.js",
    "worker_threads_bg.wasm",
    "worker_threads_relaxed.js",
    "worker_threads_relaxed_bg.wasm",
];
/// Filled in by `cargo run` alone; the module is joined of its parts, too.
const FILLED_IN: [&str; 4] = [
    "huggingtweets.js",
    "start_worker.js",
    "sw.js",
    "worker_loader.js",
];
/// The line of `worker.js` that `cargo run` alone adds, for bundlers.
const FOR_BUNDLERS: &str = "self.wasm_bindgen = wasm_bindgen;";

#[tokio::test(flavor = "multi_thread")]
async fn trunk_builds_the_same_page_as_cargo_run() {
    let tree = SourceTree::find().unwrap();
    let (Some(trunk), Some(bindgen)) = (
        find(&tree, TRUNK, "trunk"),
        find(&tree, WASM_BINDGEN, "wasm-bindgen"),
    ) else {
        skipped(
            "this test needs trunk and wasm-bindgen; \
             `cargo test --release --test web -- --ignored trunk` builds both for it",
        );
        return;
    };
    let ours = Site::start().await.dist();
    let theirs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("by-trunk");
    let found = toolchain::find(&tree, Progress::new()).unwrap();
    let cargo = WasmCargo::single(&tree, &found, Progress::new()).unwrap();
    let mut build = Command::new(&trunk);
    cargo.configure(&mut build);
    let paths = [trunk, bindgen];
    let tools = paths.iter().filter_map(|program| program.parent());
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let rest: Vec<PathBuf> = std::env::split_paths(&rest).collect();
    let bin = found.rust.cargo.parent().unwrap();
    let path = tools.chain([bin]).map(Path::to_owned).chain(rest);
    build
        .args(["build", "--release", "--locked", "--color", "never"])
        .arg("--dist")
        .arg(&theirs)
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("TRUNK_SKIP_VERSION_CHECK", "true")
        // trunk takes it for an option that contradicts `--color`.
        .env_remove("NO_COLOR");
    let output = build.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let (ours, theirs) = (files(&ours), files(&theirs));
    let names = |files: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        let is_part = |name: &str| name.starts_with("module/") && name != "module/error.js";
        let shared = files
            .keys()
            .filter(|name| !is_not_by_trunk(name) && !is_part(name));
        shared.cloned().collect()
    };
    assert_eq!(names(&ours), names(&theirs));
    for name in names(&theirs) {
        if FILLED_IN.contains(&name.as_str()) {
            continue;
        }
        let (ours, theirs) = (&ours[&name], &theirs[&name]);
        if name == "index.html" || name.ends_with(".js") {
            let is_start = |line: &String| line.contains("<script type=\"module\"");
            let lines = |text: &[u8]| -> Vec<String> {
                let text = without_comments(&String::from_utf8_lossy(text));
                // trunk starts the program by an inline script.
                let all = lines(text.as_bytes()).into_iter();
                all.take_while(|line| name != "index.html" || !is_start(line))
                    .filter(|line| line != FOR_BUNDLERS)
                    .filter(|line| name != "index.html" || !is_filled_in(line))
                    .collect()
            };
            assert_eq!(lines(ours), lines(theirs), "{name}");
        } else {
            assert!(ours == theirs, "{name} differs");
        }
    }
    // Our one style sheet is theirs, joined.
    let ours = String::from_utf8_lossy(&ours["page.css"]);
    for (name, sheet) in theirs.iter().filter(|(name, _)| name.ends_with(".css")) {
        let sheet = without_comments(&String::from_utf8_lossy(sheet));
        assert!(ours.contains(&sheet), "{name}");
    }
}

/// Whether our build alone makes the file: compressed copies, the pages of the bots, the page in one file; or makes it of
/// several.
fn is_not_by_trunk(name: &str) -> bool {
    let endings = [".br", ".gz", ".css"];
    NOT_BY_TRUNK.contains(&name)
        || name.starts_with("bot/")
        || endings.iter().any(|ending| name.ends_with(ending))
}

/// Whether our build writes another line in this place of `index.html`, or only our build has it.
fn is_filled_in(line: &str) -> bool {
    [
        "<html ",
        "<link rel=\"stylesheet\"",
        "<link rel=\"modulepreload\"",
        "<link rel=\"preload\"",
        "<meta property=",
        "<meta name=\"twitter:",
    ]
    .iter()
    .any(|beginning| line.starts_with(beginning))
}

#[test]
#[ignore = "nightly: compiles trunk and wasm-bindgen for minutes"]
fn trunk_and_wasm_bindgen_are_built_by_our_lock_files() {
    let tree = SourceTree::find().unwrap();
    for tool in [TRUNK, WASM_BINDGEN] {
        let program = tool.install(&tree, Progress::new()).unwrap();
        let version = Command::new(program).arg("--version").output().unwrap();
        assert!(version.status.success());
    }
}

/// On the PATH, or built by the ignored test.
fn find(tree: &SourceTree, tool: Tool, program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|program| program.is_file());
    on_path.or_else(|| tool.find(tree).ok().flatten())
}

/// The files below a folder by their names without the hashes in them, which trunk computes in its own way.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy();
                all.insert(without_hashes(&name), fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// The lines of a text that are not empty, without hashes.
fn lines(text: &[u8]) -> Vec<String> {
    let text = without_hashes(&String::from_utf8_lossy(text));
    let lines = text.replace("<link ", "\n<link ");
    lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// `text` with each `-` and 12 to 16 hexadecimal digits before `.` or `_` left out.
fn without_hashes(text: &str) -> String {
    let mut parts = text.split('-');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        if (12..=16).contains(&digits) && part[digits..].starts_with(['.', '_']) {
            result.push_str(&part[digits..]);
        } else {
            result.push('-');
            result.push_str(part);
        }
    }
    result
}
