//! Holds every file of `src/` to the architecture: who imports whom, where `unsafe` and the browser may appear.
//!
//! It reads the sources as text, without comments, string contents and `#[cfg(test)]` items.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which siblings a module may name. The longest entry that a file's module path begins with counts.
///
/// A target also allows what is inside it: `model` allows `model::gpt2`. Every top-level module may name itself.
/// What is wider than the architecture asks says why. Modules of later work are there already.
const ARROWS: &[(&str, &[&str])] = &[
    ("kernels", &["parallel"]),
    ("parallel", &[]),
    ("tweets", &[]),
    ("card", &[]),
    // A bot is a repository's, and has its address.
    ("bot", &["card", "hub"]),
    ("bundled", &[]),
    // The memory a model takes follows from its shape, which a repository's `config.json` states.
    ("hub", &["model::config", "model::ModelError"]),
    ("model", &[]),
    ("infer", &["kernels", "parallel", "model::config"]),
    // `ModelError` is what reading `model::config` out of a checkpoint fails with.
    (
        "weights",
        &["model::config", "model::ModelError", "kernels::pack"],
    ),
    ("tokenizer", &[]),
    // `params` crosses the worker's channel, so it knows no model either.
    ("generate::params", &[]),
    // Threads are handed through to the session.
    ("generate", &["infer", "parallel", "tokenizer"]),
    ("finetune", &["model", "tokenizer", "tweets", "weights"]),
    ("runs", &["tweets"]),
    ("store", &[]),
    // The structs of parameters: a sampler's, a model's, a training's.
    (
        "protocol",
        &[
            "generate::params",
            "model::config",
            "finetune::params",
            "bot",
            "runs",
        ],
    ),
    (
        "engine",
        &[
            "kernels",
            "parallel",
            "tweets",
            "card",
            "bot",
            "hub",
            "model",
            "infer",
            "weights",
            "tokenizer",
            "generate",
            "finetune",
            "runs",
            "store",
            "protocol",
        ],
    ),
    // The page's address and the box for any bot hold a model's address, as text.
    ("state", &["protocol", "bot", "runs", "hub"]),
    // Writes what arrives through the engine's own conversion.
    (
        "web::worker::acquisition",
        &["protocol", "store", "hub", "bot", "engine"],
    ),
    // `kernels` only to say, in its first message, which SIMD this worker was built with; `parallel` to hand
    // the engine its threads.
    (
        "web::worker::host",
        &[
            "protocol", "store", "hub", "bot", "engine", "kernels", "parallel",
        ],
    ),
    (
        "web",
        &["state", "protocol", "store", "hub", "bot", "bundled"],
    ),
    ("site", &[]),
    // Says what the modules are; no logic.
    ("lib", &[]),
    // The programs are thin, so they name what they start.
    ("bin::app", &["web"]),
    // A worker is the engine's, or one of its threads.
    ("bin::worker", &["web", "parallel"]),
    ("bin::huggingtweets", NATIVE),
    ("cli", NATIVE),
];

/// What the native program's commands call, one or the other all of them.
const NATIVE: &[&str] = &[
    "cli",
    "engine",
    "weights",
    "tokenizer",
    "generate",
    "infer",
    "model",
    "kernels",
    "parallel",
    "tweets",
    "finetune",
    "card",
    "bot",
    "bundled",
    "runs",
    "site",
    "hub",
    "store",
    "protocol",
];

/// Where `unsafe` may appear.
const UNSAFE: &[&str] = &["kernels", "parallel"];

/// Where the browser may appear.
const BROWSER: &[&str] = &["web", "bin::app", "bin::worker"];

/// The browser's crates; each stands for those that begin with it, as `wasm_bindgen_futures`.
const BROWSER_CRATES: &[&str] = &[
    "web_sys",
    "js_sys",
    "wasm_bindgen",
    "serde_wasm_bindgen",
    "gloo",
    "leptos",
    "console_error_panic_hook",
];

/// One file of `src/`.
struct Source {
    path: PathBuf,
    /// Its module path from the crate's root, `card::read`; a `mod.rs` has its folder's.
    module: String,
    text: String,
    /// Identifiers and punctuation of its code.
    tokens: Vec<String>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let tokens = without_test_items(tokens(&text));
                let module = module_path(path.strip_prefix(&root).unwrap());
                sources.push(Source {
                    path,
                    module,
                    text,
                    tokens,
                });
            }
        }
    }
    sources
}

fn module_path(relative: &Path) -> String {
    let parts: Vec<_> = relative
        .with_extension("")
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    let parts = parts
        .strip_suffix(&["mod".to_owned()][..])
        .unwrap_or(&parts);
    parts.join("::")
}

/// Splits Rust code into identifiers, `::` and single other characters; drops comments, literals' contents and spaces.
fn tokens(code: &str) -> Vec<String> {
    let chars: Vec<char> = code.chars().collect();
    let is_ident = |c: char| c.is_alphanumeric() || c == '_';
    let at = |idx: usize| chars.get(idx).copied().unwrap_or('\0');
    let mut tokens: Vec<String> = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        match (at(i), at(i + 1)) {
            ('/', '/') => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            ('/', '*') => {
                let mut depth = 1;
                i += 2;
                while i < chars.len() && depth > 0 {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                }
            }
            ('"', _) => {
                i += 1;
                while i < chars.len() && at(i) != '"' {
                    i += if at(i) == '\\' { 2 } else { 1 };
                }
                i += 1;
                tokens.push("\"\"".to_owned());
            }
            // A character literal; a lifetime has no quote two or more further on.
            ('\'', '\\') => {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            ('\'', _) if at(i + 2) == '\'' => i += 3,
            (':', ':') => {
                tokens.push("::".to_owned());
                i += 2;
            }
            (c, _) if is_ident(c) => {
                let start = i;
                while is_ident(at(i)) {
                    i += 1;
                }
                let ident: String = chars[start..i].iter().collect();
                let hashes = chars[i..].iter().take_while(|c| **c == '#').count();
                if matches!(ident.as_str(), "r" | "br" | "cr") && at(i + hashes) == '"' {
                    // A raw string ends at a quote with as many hashes.
                    let end: Vec<char> = std::iter::once('"')
                        .chain(std::iter::repeat_n('#', hashes))
                        .collect();
                    i += hashes + 1;
                    while i < chars.len() && !chars[i..].starts_with(&end) {
                        i += 1;
                    }
                    i += end.len();
                } else {
                    tokens.push(ident);
                }
            }
            (c, _) => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                i += 1;
            }
        }
    }
    tokens
}

/// Leaves out every item under `#[cfg(test)]`, up to its closing brace or its semicolon.
fn without_test_items(tokens: Vec<String>) -> Vec<String> {
    const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut i = 0;
    while i < tokens.len() {
        if !tokens[i..].iter().take(CFG_TEST.len()).eq(CFG_TEST.iter()) {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        }
        let mut depth = 0;
        i += CFG_TEST.len();
        while i < tokens.len() {
            match tokens[i].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            i += 1;
            if depth == 0 && matches!(tokens[i - 1].as_str(), "}" | ";") {
                break;
            }
        }
    }
    kept
}

/// Every path that begins with `crate::` or `huggingtweets::`, or with as many `super::` as leave the
/// file's top-level module; braces of a `use` spread out.
fn named_paths(source: &Source) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let tokens = &source.tokens;
    let follows_path = |i: usize| tokens.get(i + 1).is_some_and(|t| t == "::");
    for i in 0..tokens.len() {
        let is_first = i == 0 || tokens[i - 1] != "::";
        if !is_first || !follows_path(i) {
            continue;
        }
        let mut prefix: Vec<String> = match tokens[i].as_str() {
            "crate" | "huggingtweets" => Vec::new(),
            "super" => source.module.split("::").map(str::to_owned).collect(),
            _ => continue,
        };
        let mut next = i;
        while tokens[next] == "super" && follows_path(next) {
            prefix.pop();
            next += 2;
        }
        if tokens[i] != "super" {
            next += 2;
        }
        spread(tokens, next, &prefix, &mut paths);
    }
    paths
}

/// Adds the paths of the use tree at `i`, each after `prefix`; gives back where the tree ends.
fn spread(
    tokens: &[String],
    mut i: usize,
    prefix: &[String],
    paths: &mut BTreeSet<String>,
) -> usize {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.get(i) {
        if token == "{" {
            i += 1;
            while tokens.get(i).is_some_and(|token| token != "}") {
                i = spread(tokens, i, &path, paths);
                while tokens
                    .get(i)
                    .is_some_and(|token| token != "," && token != "}")
                {
                    i += 1; // `as NAME`
                }
                i += usize::from(tokens.get(i).is_some_and(|token| token == ","));
            }
            return i + 1;
        }
        path.push(token.clone());
        i += 1;
        if tokens.get(i).is_none_or(|token| token != "::") {
            break;
        }
        i += 1;
    }
    paths.insert(path.join("::"));
    i
}

/// Whether `path` is `module` or inside it.
fn is_inside(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn top_level(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// What the table says of a module, or nothing if it does not know it.
fn allowed(module: &str) -> Option<&'static [&'static str]> {
    let known = ARROWS.iter().filter(|(from, _)| is_inside(module, from));
    known.max_by_key(|(from, _)| from.len()).map(|(_, to)| *to)
}

/// The arrows of `source` that the table lacks.
fn forbidden_arrows(source: &Source) -> Vec<String> {
    let modules: BTreeSet<&str> = ARROWS.iter().map(|(from, _)| top_level(from)).collect();
    let Some(allowed) = allowed(&source.module) else {
        return vec![format!(
            "module `{}` is not in the table of tests/native/architecture.rs",
            source.module
        )];
    };
    named_paths(source)
        .into_iter()
        .filter(|path| {
            modules.contains(top_level(path)) && top_level(path) != top_level(&source.module)
        })
        .filter(|path| !allowed.iter().any(|to| is_inside(path, to)))
        .map(|path| {
            format!(
                "`{}` names `{path}`; it may name {allowed:?}",
                source.module
            )
        })
        .collect()
}

fn report(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_file_opens_with_what_it_is() {
    let faults: Vec<String> = sources()
        .iter()
        .filter(|source| {
            source
                .text
                .strip_prefix("//! ")
                .is_none_or(|rest| rest.trim_start().starts_with('\n'))
        })
        .map(|source| {
            format!(
                "{} does not open with a `//!` sentence",
                source.path.display()
            )
        })
        .collect();
    report(&faults);
}

#[test]
fn modules_import_only_along_the_arrows() {
    let faults: Vec<String> = sources().iter().flat_map(forbidden_arrows).collect();
    report(&faults);
}

#[test]
fn unsafe_stays_in_the_kernels() {
    let faults: Vec<String> = sources()
        .iter()
        .filter(|source| {
            !UNSAFE
                .iter()
                .any(|module| is_inside(&source.module, module))
        })
        .filter(|source| source.tokens.iter().any(|token| token == "unsafe"))
        .map(|source| {
            format!(
                "{} holds `unsafe`; it belongs into {UNSAFE:?}",
                source.path.display()
            )
        })
        .collect();
    report(&faults);
}

#[test]
fn the_browser_stays_at_the_edge() {
    let names_browser = |token: &String| {
        BROWSER_CRATES.iter().any(|krate| {
            token
                .strip_prefix(krate)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
    };
    let faults: Vec<String> = sources()
        .iter()
        .filter(|source| {
            !BROWSER
                .iter()
                .any(|module| is_inside(&source.module, module))
        })
        .filter_map(|source| {
            let krate = source.tokens.iter().find(|token| names_browser(token))?;
            Some(format!(
                "{} names `{krate}`; only {BROWSER:?} may",
                source.path.display()
            ))
        })
        .collect();
    report(&faults);
}

// The checks above pass on an empty folder too; these hold the reader itself to account.

fn source(module: &str, text: &str) -> Source {
    Source {
        path: PathBuf::from(module),
        module: module.to_owned(),
        text: text.to_owned(),
        tokens: without_test_items(tokens(text)),
    }
}

#[test]
fn all_sources_are_found() {
    let modules: BTreeSet<String> = sources().into_iter().map(|source| source.module).collect();
    for module in ["lib", "card", "card::read", "bot", "bin::app", "web"] {
        assert!(
            modules.contains(module),
            "{module} is not among {modules:?}"
        );
    }
}

#[test]
fn a_forbidden_arrow_is_seen_in_every_form() {
    for text in [
        "use crate::engine::Engine;",
        "use crate::engine;",
        "use crate::{card::Card, engine::{self, Engine}};",
        "use crate::{bot::Bot as B, engine};",
        "use super::super::engine::Engine;",
        "fn f() { let x = crate::engine::start('\\'', '\"'); }",
        "fn f<'a>(x: &'a str) -> crate::engine::Engine<'a> { todo() }",
        "#[cfg(test)] mod tests { fn f() {} } use crate::engine::Engine;",
        "#[cfg(test)] mod tests; use crate::engine::Engine;",
        "const A: &str = r#\"a\"b\"#; use crate::engine::Engine;",
    ] {
        // A `use` with braces names two paths here.
        let n_paths = if text.contains("crate::{") { 2 } else { 1 };
        let faults = forbidden_arrows(&source("card::read", text));
        assert_eq!(faults.len(), n_paths, "{text}: {faults:?}");
    }
    assert_eq!(
        forbidden_arrows(&source("weights::gguf", "use crate::model::gpt2::Gpt2;")).len(),
        1
    );
    assert_eq!(forbidden_arrows(&source("elsewhere", "")).len(), 1);
}

#[test]
fn allowed_arrows_comments_strings_and_tests_are_no_fault() {
    for text in [
        "use super::{Card, Label};",
        "use crate::card::Card;",
        "/// Like [`crate::engine::Engine`].\nfn f() {}",
        "/* crate::engine /* x */ crate::engine */",
        "const A: &str = \"crate::engine::x \\\" crate::engine::x\";",
        "const A: &str = r#\" \"crate::engine::x \"#;",
        "#[cfg(test)]\nmod tests { use crate::engine::Engine; fn f() { {} } }",
    ] {
        assert_eq!(
            forbidden_arrows(&source("card::read", text)),
            [""; 0],
            "{text}"
        );
    }
    assert_eq!(
        forbidden_arrows(&source(
            "weights::gguf",
            "use crate::model::config::Gpt2Config;"
        )),
        [""; 0]
    );
    assert_eq!(
        forbidden_arrows(&source("web::worker::host", "use crate::engine::Engine;")),
        [""; 0]
    );
}
