//! The JavaScript module and its types name what the protocol has; TypeScript checks a use of all of it, where npm can
//! install it.

use crate::support::shared;
use huggingtweets::hub::Dtype;
use huggingtweets::protocol::PROTOCOL_VERSION;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const TYPES: &str = include_str!("../../www/huggingtweets.d.ts");
const MODULE: &str = include_str!("../../www/huggingtweets.js");
const OPTIONS: &str = include_str!("../../www/module/options.js");
const PROGRESS: &str = include_str!("../../www/module/progress.js");
const ENGINE_WORKER: &str = include_str!("../../www/module/engine_worker.js");
const LOADER: &str = include_str!("../../www/worker_loader.js");
const PROTOCOL: &str = include_str!("../../src/protocol.rs");
const OUTPUT: &str = include_str!("../../src/generate/output.rs");

const TYPESCRIPT: &str = "typescript@5.9.3";
/// Limit for npm on a network that does not answer.
const INSTALL_LIMIT: Duration = Duration::from_secs(120);

/// The script of the compiler, installed once into `target/tmp/`; `None` without npm or network.
fn compiler() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("typescript");
    let script = folder.join("node_modules/typescript/bin/tsc");
    if script.exists() {
        return Some(script);
    }
    std::fs::create_dir_all(&folder).unwrap();
    let mut install = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
        ])
        .arg(&folder)
        .arg(TYPESCRIPT)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    while install.try_wait().unwrap().is_none() {
        if started.elapsed() > INSTALL_LIMIT {
            install.kill().unwrap();
            install.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    script.exists().then_some(script)
}

#[test]
fn typescript_takes_what_the_module_offers_and_refuses_what_it_does_not() {
    let Some(compiler) = compiler() else {
        return shared::skipped("TypeScript is not there; it takes npm and a network");
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("node")
        .arg(compiler)
        .args(["--noEmit", "--strict", "--exactOptionalPropertyTypes"])
        .args(["--noUncheckedIndexedAccess", "--noImplicitOverride"])
        .args(["--target", "es2022"])
        .args(["--lib", "es2022,dom"])
        .args(["--module", "esnext", "--moduleResolution", "bundler"])
        .arg(root.join("www/huggingtweets.d.ts"))
        .arg(root.join("tests/fixtures/module/usage.ts"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// The texts between apostrophes.
fn quoted(text: &str) -> BTreeSet<String> {
    let pieces = text.split('\'').skip(1).step_by(2);
    pieces.map(str::to_owned).collect()
}

/// The part of `text` from `start` to the next `end`.
fn part<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no `{start}`"));
    rest.split(end).next().unwrap()
}

/// The names of a struct's fields or, as messages have them, of an enum's variants.
fn names_in(source: &str, item: &str) -> BTreeSet<String> {
    let file = syn::parse_file(source).unwrap();
    let names = file.items.iter().find_map(|found| match found {
        syn::Item::Struct(found) if found.ident == item => {
            let fields = found.fields.iter();
            Some(
                fields
                    .map(|field| field.ident.as_ref().unwrap().to_string())
                    .collect(),
            )
        }
        syn::Item::Enum(found) if found.ident == item => {
            let variants = found.variants.iter();
            Some(
                variants
                    .map(|variant| snake_case(&variant.ident.to_string()))
                    .collect(),
            )
        }
        _ => None,
    });
    names.unwrap_or_else(|| panic!("no `{item}`"))
}

/// As `rename_all` of serde.
fn snake_case(name: &str) -> String {
    let letters = name.chars().enumerate();
    letters.fold(String::new(), |text, (i, letter)| {
        let gap = if i > 0 && letter.is_uppercase() {
            "_"
        } else {
            ""
        };
        text + gap + &letter.to_lowercase().to_string()
    })
}

/// The names of an interface's members.
fn members(interface: &str) -> BTreeSet<String> {
    let body = part(TYPES, &format!("export interface {interface} {{"), "\n}");
    let lines = body.lines().filter_map(|line| line.trim().split_once(": "));
    let names = lines.map(|(name, _)| name.trim_start_matches("readonly "));
    names
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_types_have_every_error_code_of_the_protocol_and_no_other() {
    let declared = quoted(part(TYPES, "export type ErrorCode =", ";"));
    assert_eq!(declared, names_in(PROTOCOL, "ErrorCode"));
}

#[test]
fn the_module_knows_every_type_of_weights_and_no_other() {
    let all: BTreeSet<String> = Dtype::ALL
        .iter()
        .map(|dtype| dtype.name().to_owned())
        .collect();
    assert_eq!(quoted(part(TYPES, "export type Dtype =", ";")), all);
    assert_eq!(quoted(part(OPTIONS, "const DTYPES = [", "]")), all);
    let aliases = part(OPTIONS, "const DTYPES_OF_TRANSFORMERS_JS = {", "}");
    let names: BTreeSet<String> = aliases
        .split(',')
        .filter_map(|entry| Some(entry.split_once(':')?.0.trim().to_owned()))
        .collect();
    assert_eq!(
        quoted(part(TYPES, "export type TransformersJsDtype =", ";")),
        names
    );
    assert!(quoted(aliases).is_subset(&all), "{aliases}");
}

#[test]
fn tokens_and_figures_of_the_types_are_those_of_the_protocol() {
    let mut token = names_in(OUTPUT, "NewToken");
    token.insert("prompt_index".to_owned());
    assert_eq!(members("Token"), token);
    let mut stats = names_in(PROTOCOL, "RunStats");
    // The caller gave it; the time of loading is the model's.
    stats.remove("seed");
    stats.insert("load_ms".to_owned());
    assert_eq!(members("Stats"), stats);
}

#[test]
fn the_modules_messages_are_those_of_the_protocol() {
    let version = format!("const PROTOCOL_VERSION = {PROTOCOL_VERSION};");
    assert!(ENGINE_WORKER.contains(&version), "{version}");
    assert!(LOADER.contains(&format!("{{ v: {PROTOCOL_VERSION}, type: 'error'")));
    let sources = [MODULE, ENGINE_WORKER, PROGRESS].concat();
    let types = |beginning: &str| -> BTreeSet<String> {
        let pieces = sources.split(beginning).skip(1);
        pieces
            .map(|rest| rest.split('\'').next().unwrap().to_owned())
            .collect()
    };
    let sent = types("{ type: '");
    assert!(
        sent.contains("generate") && sent.contains("locate_bundled"),
        "{sent:?}"
    );
    // The module tells itself that its worker has ended.
    let known = names_in(PROTOCOL, "Request")
        .into_iter()
        .chain(["ended".to_owned()]);
    assert!(sent.is_subset(&known.collect()), "{sent:?}");
    let heard = types("event.type === '");
    assert!(
        heard.contains("token") && heard.contains("fetching"),
        "{heard:?}"
    );
    let known = names_in(PROTOCOL, "Event")
        .into_iter()
        .chain(["ended".to_owned()]);
    assert!(heard.is_subset(&known.collect()), "{heard:?}");
}

#[test]
fn the_npm_package_has_the_version_of_the_program_and_names_files_that_exist() {
    let www = Path::new(env!("CARGO_MANIFEST_DIR")).join("www");
    let manifest = std::fs::read(www.join("package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["name"], env!("CARGO_PKG_NAME"));
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["license"], env!("CARGO_PKG_LICENSE"));
    let own = &manifest["exports"]["."];
    for file in [
        &own["types"],
        &own["default"],
        &manifest["main"],
        &manifest["types"],
        &manifest["bin"]["huggingtweets-web"],
    ] {
        assert!(www.join(file.as_str().unwrap()).is_file(), "{file}");
    }
}
