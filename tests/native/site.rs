//! Finding a toolchain, telling whether the page is up to date, measuring its size and serving it: the parts that need
//! no network.

use huggingtweets::site::fingerprint::{Fingerprint, Stage};
use huggingtweets::site::threads;
use huggingtweets::site::toolchain::{
    Findings, Linker, NextStep, Release, Rust, Std, StdSources, Toolchain, next_step,
};
use huggingtweets::site::{
    AppShell, Isolation, Port, Progress, ServeOptions, Server, SiteError, Sizes, SourceTree, apt,
};
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A recent Rust of rustup's that lacks everything for the browser.
fn bare(name: &str) -> Rust {
    Rust {
        rustc: format!("/rustup/{name}/bin/rustc").into(),
        cargo: format!("/rustup/{name}/bin/cargo").into(),
        release: Release::parse("1.95.0").unwrap(),
        rustup_name: Some(name.to_owned()),
        has_wasm_std: false,
        std_sources: StdSources::Missing,
        linker: Linker::Own,
    }
}

/// Debian's packages.
fn debian() -> Rust {
    Rust {
        rustc: "/usr/bin/rustc".into(),
        cargo: "/usr/bin/cargo".into(),
        rustup_name: None,
        std_sources: StdSources::Complete,
        linker: Linker::System("/usr/bin/lld-22".into()),
        ..bare("debian")
    }
}

#[test]
fn installed_wasm_library_is_preferred_wherever_it_is() {
    let complete = Rust {
        has_wasm_std: true,
        ..bare("nightly")
    };
    let findings = Findings {
        rusts: vec![bare("stable"), debian(), complete.clone()],
        ..Findings::default()
    };
    let expected = Toolchain {
        rust: complete,
        std: Std::Installed,
    };
    assert_eq!(next_step(&findings), NextStep::Use(expected));
}

#[test]
fn rustup_is_asked_before_packages_and_only_once() {
    let mut findings = Findings {
        rusts: vec![bare("stable")],
        ..Findings::default()
    };
    assert_eq!(
        next_step(&findings),
        NextStep::AddTarget("stable".to_owned())
    );
    findings.rustup_failed = true;
    assert_eq!(next_step(&findings), NextStep::InstallPackages);
    findings.rusts.push(debian());
    let expected = Toolchain {
        rust: debian(),
        std: Std::FromSources,
    };
    assert_eq!(next_step(&findings), NextStep::Use(expected));
}

#[test]
fn too_old_a_rust_is_passed_over() {
    let old = Rust {
        has_wasm_std: true,
        release: Release::parse("1.63.0").unwrap(),
        ..bare("old")
    };
    let mut findings = Findings {
        rusts: vec![old],
        ..Findings::default()
    };
    assert_eq!(next_step(&findings), NextStep::InstallPackages);
    findings.packages_tried = true;
    assert_eq!(next_step(&findings), NextStep::GiveUp);
}

#[test]
fn rust_without_a_linker_is_passed_over() {
    let unlinked = Rust {
        linker: Linker::Missing,
        ..debian()
    };
    let findings = Findings {
        rusts: vec![unlinked],
        ..Findings::default()
    };
    assert_eq!(next_step(&findings), NextStep::InstallPackages);
}

#[test]
fn sources_for_threads_are_used_where_they_are_then_added_then_installed() {
    let mut failed = threads::FailedAttempts::default();
    let alone = Rust {
        std_sources: StdSources::Alone,
        ..bare("nightly")
    };
    let rusts = [bare("stable"), alone.clone(), debian()];
    let used = |rust: &Rust| threads::SourcesStep::Use(rust.clone());
    assert_eq!(threads::next_sources_step(&rusts, &failed), used(&alone));
    // Its dependencies could not be fetched; Debian's are there.
    failed.rustcs.push(alone.rustc.clone());
    assert_eq!(threads::next_sources_step(&rusts, &failed), used(&debian()));
    let added = threads::SourcesStep::AddSources("stable".to_owned());
    assert_eq!(threads::next_sources_step(&rusts[..2], &failed), added);
    failed.rustup = true;
    let installed = threads::SourcesStep::InstallPackages;
    assert_eq!(threads::next_sources_step(&rusts[..2], &failed), installed);
    failed.packages = true;
    let given_up = threads::SourcesStep::GiveUp;
    assert_eq!(threads::next_sources_step(&rusts[..2], &failed), given_up);
}

#[test]
fn sizes_count_one_of_the_workers_builds_because_one_is_downloaded() {
    let folder = page();
    let noise = |n: u32| -> Vec<u8> {
        (0..n)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect()
    };
    fs::write(folder.path().join("worker_bg.wasm"), noise(30_000)).unwrap();
    let total = || {
        let sizes = Sizes::measure(folder.path(), Progress::new()).unwrap();
        (sizes.raw_bytes, sizes.brotli_bytes)
    };
    let one_build = total();
    fs::write(folder.path().join("worker_threads_bg.wasm"), noise(20_000)).unwrap();
    assert_eq!(total(), one_build, "the heavier one counts");
    fs::write(folder.path().join("worker_relaxed_bg.wasm"), noise(10_000)).unwrap();
    assert_eq!(total(), one_build, "so with every other");
    fs::write(folder.path().join("worker_threads_bg.wasm"), noise(40_000)).unwrap();
    assert_eq!(total().0, one_build.0 + 10_000);
}

#[test]
fn oldest_release_is_the_one_in_cargo_toml() {
    let tree = SourceTree::find().unwrap();
    let manifest = fs::read_to_string(tree.root().join("Cargo.toml")).unwrap();
    let oldest = huggingtweets::site::toolchain::OLDEST;
    let line = format!("rust-version = \"{}.{}\"", oldest.major, oldest.minor);
    assert!(manifest.contains(&line), "{line}");
}

#[test]
fn releases_are_read_with_and_without_suffix_and_ordered() {
    let release = |text| Release::parse(text).unwrap();
    assert!(release("1.9.0") < release("1.89.0"));
    assert_eq!(release("1.96.0-nightly"), release(" 1.96.0 "));
    assert_eq!(Release::parse("1.96"), None);
    assert_eq!(Release::parse("one.two.three"), None);
}

#[test]
fn fingerprint_follows_the_sources_of_the_page_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("src/lib.rs", "one");
    write("src/site/build.rs", "native");
    let of = |url| Fingerprint::of(folder.path(), &[url]).unwrap();
    let first = of("./");
    assert_eq!(of("./"), first);
    assert_ne!(of("/bots/"), first, "another address");
    write("src/site/build.rs", "native, changed");
    write("README.md", "new");
    write("assets/tools/trunk.lock", "new");
    assert_eq!(of("./"), first, "not part of the page");
    write("src/lib.rs", "two");
    assert_ne!(of("./"), first, "changed");
    write("src/lib.rs", "one");
    assert_eq!(of("./"), first, "changed back");
    write("www/new.css", "");
    assert_ne!(of("./"), first, "a new file");
}

#[test]
fn page_is_up_to_date_only_with_the_sources_and_settings_of_its_record() {
    let tree = SourceTree::find().unwrap();
    let dist = tempfile::tempdir().unwrap();
    let dist = dist.path();
    let of = |url| Fingerprint::of(tree.root(), &[url]).unwrap();
    let page = of("./");
    assert_eq!(page.stage(&tree, dist), None, "never built");
    page.record(&tree, dist, Stage::FirstPage).unwrap();
    assert_eq!(page.stage(&tree, dist), None, "no page in it");
    fs::write(dist.join("index.html"), "").unwrap();
    assert_eq!(page.stage(&tree, dist), Some(Stage::FirstPage));
    page.record(&tree, dist, Stage::Complete).unwrap();
    assert_eq!(page.stage(&tree, dist), Some(Stage::Complete));
    assert_eq!(of("/bots/").stage(&tree, dist), None, "another address");
    Fingerprint::forget(&tree, dist);
    assert_eq!(page.stage(&tree, dist), None);
}

#[test]
fn every_error_has_a_hint_apart_from_its_text() {
    let error = SiteError::PortTaken { port: 8080 };
    assert_eq!(error.to_string(), "port 8080 is taken");
    assert!(error.hint().contains("--port"));
}

#[test]
fn step_that_is_interrupted_ends_at_once() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("step.log");
    let progress = Progress::new().until(&INTERRUPT);
    let setter = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(200));
        INTERRUPT.store(true, Ordering::Relaxed);
    });
    let mut hangs = Command::new("sleep");
    hangs.arg("60");
    let reason = progress.attempt("a nap", &mut hangs, &log, None).unwrap();
    setter.join().unwrap();
    assert_eq!(reason.as_deref(), Some("interrupted"));
    assert!(progress.is_interrupted());
}

#[test]
fn step_that_fails_names_its_log_and_one_that_hangs_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("logs/step.log");
    let mut fails = Command::new("sh");
    fails.args(["-c", "echo said; exit 3"]);
    match Progress::new().run("a step", &mut fails, &log, None) {
        Err(SiteError::StepFailed {
            step, log: named, ..
        }) => {
            assert_eq!((step.as_str(), &named), ("a step", &log));
            assert_eq!(fs::read_to_string(named).unwrap(), "said\n");
        }
        other => panic!("{other:?}"),
    }
    let mut hangs = Command::new("sleep");
    hangs.arg("60");
    let limit = Some(Duration::from_millis(200));
    let reason = Progress::new()
        .attempt("a nap", &mut hangs, &log, limit)
        .unwrap();
    assert_eq!(reason.as_deref(), Some("time limit"));
    let absent = Progress::new().run("nothing", &mut Command::new("no-such-program"), &log, None);
    assert!(
        matches!(absent, Err(SiteError::CannotStart { program, .. }) if program == "no-such-program")
    );
}

#[test]
fn missing_packages_are_named_with_the_command_that_installs_them() {
    assert_eq!(apt::remedy(&["one", "two"]), "sudo apt-get install one two");
}

#[test]
fn sizes_count_code_and_no_models() {
    let folder = page();
    fs::create_dir(folder.path().join("model")).unwrap();
    fs::write(folder.path().join("model/bundled.gguf"), vec![0; 5000]).unwrap();
    fs::write(folder.path().join("app.js"), "a".repeat(10_000)).unwrap();
    fs::write(folder.path().join("app.js.br"), "compressed").unwrap();
    fs::create_dir_all(folder.path().join("bot/a/b")).unwrap();
    fs::write(folder.path().join("bot/a/b/index.html"), "<!doctype html>").unwrap();
    let sizes = Sizes::measure(folder.path(), Progress::new()).unwrap();
    let names: Vec<&str> = sizes.files.iter().map(|file| file.path.as_str()).collect();
    for name in ["model/bundled.gguf", "app.js.br", "bot/a/b/index.html"] {
        assert!(!names.contains(&name), "{names:?}");
    }
    let script = sizes
        .files
        .iter()
        .find(|file| file.path == "app.js")
        .unwrap();
    assert_eq!(script.raw_bytes, 10_000);
    assert!(script.brotli_bytes.unwrap() < 100);
    assert!(sizes.to_table().ends_with("met"));
    let empty = tempfile::tempdir().unwrap();
    let refused = Sizes::measure(empty.path(), Progress::new());
    assert!(matches!(refused, Err(SiteError::NotBuilt { .. })));
}

#[test]
fn the_service_worker_gets_the_list_of_files_by_hash_and_a_new_one_after_a_change() {
    let folder = page();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("sw.js"), "first();\nconst SHELL = null;\nlast();\n").unwrap();
    fs::write(file("huggingtweets.html"), "all of it").unwrap();
    fs::write(file("app.js.map"), "{}").unwrap();
    fs::write(file("worker_bg.wasm.br"), "small").unwrap();
    fs::write(file("worker_bg.wasm.gz"), "small").unwrap();
    let shell = AppShell::of(folder.path()).unwrap();
    let names: Vec<&str> = shell.files.keys().map(String::as_str).collect();
    let expected = [
        "index.html",
        "manifest.webmanifest",
        "model.gguf",
        "worker_bg.wasm",
    ];
    assert_eq!(names, expected);
    let model = &shell.files["model.gguf"];
    assert_eq!(
        model.integrity,
        "sha256-hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII="
    );
    assert_eq!(model.bytes, 10);

    shell.write(folder.path()).unwrap();
    assert_eq!(
        AppShell::of(folder.path()).unwrap(),
        shell,
        "the list is not in itself"
    );
    let first = fs::read_to_string(file("sw.js")).unwrap();
    assert!(
        first.starts_with("first();\nconst SHELL = {\"build\":\"")
            && first.ends_with("};\nlast();\n")
    );
    fs::write(file("index.html"), "<!doctype html><p>").unwrap();
    let newer = AppShell::of(folder.path()).unwrap();
    assert_ne!(newer.build, shell.build);
    newer.write(folder.path()).unwrap();
    let second = fs::read_to_string(file("sw.js")).unwrap();
    assert!(second.contains(&newer.build) && !second.contains(&shell.build));
}

/// A folder as the build leaves it, with a secret beside it.
fn page() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    fs::write(folder.path().join("worker_bg.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(folder.path().join("model.gguf"), b"0123456789").unwrap();
    fs::write(folder.path().join("manifest.webmanifest"), "{}").unwrap();
    folder
}

/// Serves `dir`; the port.
async fn serve(dir: &Path, isolation: Isolation, mount: &str) -> u16 {
    let options = ServeOptions {
        dir: dir.to_owned(),
        isolation,
        mount: mount.to_owned(),
    };
    let server = Server::bind(Port::Exactly(0), &options).await.unwrap();
    let address = server.address();
    assert!(address.ends_with(mount), "{address}");
    tokio::spawn(server.run());
    address
        .split(':')
        .nth(2)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

/// The whole answer to a request written by hand, headers in lower case.
async fn ask(port: u16, request: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let text =
        format!("{request} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).to_lowercase()
}

#[tokio::test]
async fn files_have_the_types_that_browsers_ask_for() {
    let folder = page();
    let port = serve(folder.path(), Isolation::On, "/").await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/worker_bg.wasm", "application/wasm"),
        ("/model.gguf", "application/octet-stream"),
        ("/manifest.webmanifest", "application/manifest+json"),
    ] {
        let answer = ask(port, &format!("GET {path}"), "").await;
        assert!(answer.starts_with("http/1.1 200"), "{path}: {answer}");
        assert!(
            answer.contains(&format!("content-type: {kind}")),
            "{path}: {answer}"
        );
        assert!(
            answer.contains("cache-control: no-cache"),
            "{path}: {answer}"
        );
        assert!(answer.contains("last-modified: "), "{path}: {answer}");
    }
    assert!(
        ask(port, "GET /absent", "")
            .await
            .starts_with("http/1.1 404")
    );
}

#[tokio::test]
async fn isolation_headers_come_only_when_asked_for() {
    let folder = page();
    let on = ask(serve(folder.path(), Isolation::On, "/").await, "GET /", "").await;
    assert!(
        on.contains("cross-origin-opener-policy: same-origin"),
        "{on}"
    );
    assert!(
        on.contains("cross-origin-embedder-policy: require-corp"),
        "{on}"
    );
    let off = ask(serve(folder.path(), Isolation::Off, "/").await, "GET /", "").await;
    assert!(!off.contains("cross-origin-opener"), "{off}");
    assert!(!off.contains("cross-origin-embedder"), "{off}");
    // Files may be loaded by other sites' pages either way.
    for answer in [on, off] {
        assert!(answer.contains("cross-origin-resource-policy: cross-origin"));
        assert!(answer.contains("access-control-allow-origin: *"));
    }
}

#[tokio::test]
async fn ranges_head_and_revalidation_are_answered() {
    let folder = page();
    let port = serve(folder.path(), Isolation::On, "/").await;
    let part = ask(port, "GET /model.gguf", "Range: bytes=2-4\r\n").await;
    assert!(part.starts_with("http/1.1 206"), "{part}");
    assert!(part.contains("content-range: bytes 2-4/10"), "{part}");
    assert!(part.ends_with("\r\n\r\n234"), "{part}");
    let head = ask(port, "HEAD /model.gguf", "").await;
    assert!(head.contains("content-length: 10"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let beyond = ask(port, "GET /model.gguf", "Range: bytes=99-\r\n").await;
    assert!(beyond.starts_with("http/1.1 416"), "{beyond}");
    let later = "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n";
    let unchanged = ask(port, "GET /model.gguf", later).await;
    assert!(unchanged.starts_with("http/1.1 304"), "{unchanged}");
}

/// A page with a script that has both compressed copies.
fn page_with_copies() -> tempfile::TempDir {
    let folder = page();
    for (name, content) in [
        ("app-0123456789abcdef.js", "plain script"),
        ("app-0123456789abcdef.js.br", "as brotli"),
        ("app-0123456789abcdef.js.gz", "as gzip"),
        ("index.html.br", "page as brotli"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[tokio::test]
async fn compressed_copy_is_sent_to_those_who_take_it_as_the_file_that_it_stands_for() {
    let folder = page_with_copies();
    let port = serve(folder.path(), Isolation::On, "/").await;
    let script = "GET /app-0123456789abcdef.js";
    for (accepted, encoding, body) in [
        ("gzip, deflate, br, zstd", Some("br"), "as brotli"),
        ("gzip", Some("gzip"), "as gzip"),
        ("br;q=0, gzip;q=0.5", Some("gzip"), "as gzip"),
        ("identity", None, "plain script"),
    ] {
        let answer = ask(port, script, &format!("Accept-Encoding: {accepted}\r\n")).await;
        assert!(answer.starts_with("http/1.1 200"), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
        let length = format!("content-length: {}\r\n", body.len());
        assert!(answer.contains(&length), "{answer}");
        assert!(
            answer.contains("content-type: text/javascript\r\n"),
            "{answer}"
        );
        assert!(answer.contains("vary: accept-encoding\r\n"), "{answer}");
        match encoding {
            Some(encoding) => {
                let named = format!("content-encoding: {encoding}\r\n");
                assert!(answer.contains(&named), "{answer}");
            }
            None => assert!(!answer.contains("content-encoding"), "{answer}"),
        }
    }
    let folder_page = ask(port, "GET /", "Accept-Encoding: br\r\n").await;
    assert!(
        folder_page.ends_with("page as brotli")
            && folder_page.contains("content-type: text/html\r\n"),
        "{folder_page}"
    );
    // A file without a copy goes out as it is.
    let model = ask(port, "GET /model.gguf", "Accept-Encoding: br\r\n").await;
    assert!(model.ends_with("0123456789") && !model.contains("content-encoding"));
}

#[tokio::test]
async fn range_is_of_the_file_and_not_of_a_copy() {
    let folder = page_with_copies();
    let port = serve(folder.path(), Isolation::On, "/").await;
    let headers = "Accept-Encoding: br, gzip\r\nRange: bytes=0-4\r\n";
    let part = ask(port, "GET /app-0123456789abcdef.js", headers).await;
    assert!(part.starts_with("http/1.1 206"), "{part}");
    assert!(part.contains("content-range: bytes 0-4/12"), "{part}");
    assert!(part.ends_with("\r\n\r\nplain"), "{part}");
    assert!(!part.contains("content-encoding"), "{part}");
}

/// The value of a header of an answer.
fn header(answer: &str, name: &str) -> Option<String> {
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}: ")))?;
    Some(line.to_owned())
}

#[tokio::test]
async fn representations_have_tags_of_their_own_that_save_the_next_transfer() {
    let folder = page_with_copies();
    let port = serve(folder.path(), Isolation::On, "/").await;
    let script = "GET /app-0123456789abcdef.js";
    let mut tags = Vec::new();
    for accepted in ["br", "gzip", "identity"] {
        let answer = ask(port, script, &format!("Accept-Encoding: {accepted}\r\n")).await;
        tags.push(header(&answer, "etag").unwrap());
    }
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
    // Tags are compared as they were sent; `ask` shows answers in lower case.
    let exact = exact_tag(port, "/app-0123456789abcdef.js").await;
    for list in [exact.clone(), format!("\"other\", W/{exact}"), "*".into()] {
        let headers = format!("Accept-Encoding: br\r\nIf-None-Match: {list}\r\n");
        let unchanged = ask(port, script, &headers).await;
        assert!(unchanged.starts_with("http/1.1 304"), "{list}: {unchanged}");
        assert!(header(&unchanged, "etag").is_some(), "{unchanged}");
        assert!(unchanged.ends_with("\r\n\r\n"), "{unchanged}");
    }
    // A copy of an earlier file is not kept because of its date.
    let headers =
        "If-None-Match: \"other\"\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n";
    let changed = ask(port, script, headers).await;
    assert!(changed.starts_with("http/1.1 200"), "{changed}");
}

/// The `ETag` of a file after Brotli, in the letter case that was sent.
async fn exact_tag(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAccept-Encoding: br\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let tag = answer.lines().find_map(|line| line.strip_prefix("etag: "));
    tag.unwrap().to_owned()
}

#[tokio::test]
async fn download_of_a_changed_file_begins_anew() {
    let folder = page();
    let port = serve(folder.path(), Isolation::On, "/").await;
    let tag = exact_tag(port, "/model.gguf").await;
    let go_on = |version: &str| format!("Range: bytes=4-\r\nIf-Range: {version}\r\n");
    let rest = ask(port, "GET /model.gguf", &go_on(&tag)).await;
    assert!(rest.starts_with("http/1.1 206"), "{rest}");
    assert!(rest.ends_with("\r\n\r\n456789"), "{rest}");
    fs::write(folder.path().join("model.gguf"), "another model").unwrap();
    let whole = ask(port, "GET /model.gguf", &go_on(&tag)).await;
    assert!(whole.starts_with("http/1.1 200"), "{whole}");
    assert!(whole.ends_with("\r\n\r\nanother model"), "{whole}");
}

#[tokio::test]
async fn only_files_named_by_their_hash_are_kept_without_asking() {
    let folder = page_with_copies();
    let port = serve(folder.path(), Isolation::On, "/").await;
    for (path, freshness) in [
        (
            "/app-0123456789abcdef.js",
            "public, max-age=31536000, immutable",
        ),
        ("/", "no-cache"),
        ("/worker_bg.wasm", "no-cache"),
        // It may be there after the next build.
        ("/app-fedcba9876543210.js", "no-cache"),
    ] {
        let answer = ask(port, &format!("GET {path}"), "").await;
        let sent = header(&answer, "cache-control");
        assert_eq!(sent.as_deref(), Some(freshness), "{path}");
    }
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("secret"), "hidden words").unwrap();
    let dir = outer.path().join("dist");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("index.html"), "").unwrap();
    let port = serve(&dir, Isolation::On, "/").await;
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/x/../../secret",
        "//secret",
        "/%2e%2e%5csecret",
    ] {
        let answer = ask(port, &format!("GET {path}"), "").await;
        assert!(!answer.contains("hidden words"), "{path}: {answer}");
        assert!(answer.starts_with("http/1.1 4"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn folder_can_be_served_at_a_sub_path() {
    let folder = page();
    let port = serve(folder.path(), Isolation::Off, "/some/sub/path/").await;
    assert!(
        ask(port, "GET /some/sub/path/", "")
            .await
            .starts_with("http/1.1 200")
    );
    assert!(
        ask(port, "GET /some/sub/path/model.gguf", "")
            .await
            .ends_with("0123456789")
    );
    let redirect = ask(port, "GET /some/sub/path", "").await;
    assert!(redirect.starts_with("http/1.1 308"), "{redirect}");
    assert!(redirect.contains("location: /some/sub/path/"), "{redirect}");
    assert!(
        ask(port, "GET /model.gguf", "")
            .await
            .starts_with("http/1.1 404")
    );
}

#[tokio::test]
async fn taken_port_is_an_error_if_named_and_passed_over_if_not() {
    let folder = page();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = ServeOptions {
        dir: folder.path().to_owned(),
        ..ServeOptions::default()
    };
    let refused = Server::bind(Port::Exactly(port), &options).await;
    assert!(matches!(refused, Err(SiteError::PortTaken { port: named }) if named == port));
    let next = Server::bind(Port::FirstFreeFrom(port), &options)
        .await
        .unwrap();
    assert_ne!(next.address(), format!("http://127.0.0.1:{port}/"));
}

#[tokio::test]
async fn folder_without_a_page_is_refused() {
    let empty = tempfile::tempdir().unwrap();
    let options = ServeOptions {
        dir: empty.path().to_owned(),
        ..ServeOptions::default()
    };
    let refused = Server::bind(Port::Exactly(0), &options).await;
    assert!(matches!(refused, Err(SiteError::NotBuilt { .. })));
}
