//! Apps of the newest bundlers take the npm package `npm pack` makes of the site, and write a text.
//!
//! `cargo test --release --test web -- --ignored bundlers --nocapture` prints what each bundler did. It takes npm and a
//! network. The apps' sources are `tests/fixtures/bundlers/`.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tokio::net::TcpStream;

use crate::harness::{Page, RUN, Site, wait_until};
use crate::support::shared::skipped;
use huggingtweets::site::Isolation;

/// A bundler and how it is used.
struct Bundler {
    /// The folder of its app.
    name: &'static str,
    /// The packages to install, the bundler first.
    packages: &'static [&'static str],
    /// Its program in `node_modules/.bin/`.
    program: &'static str,
    /// Arguments that build the app.
    build: &'static [&'static str],
    /// The folder of the built app.
    out: &'static str,
    /// Arguments that serve the app for development, with the port in place of `PORT`; empty where there is no server.
    dev: &'static [&'static str],
    /// Who brings the worker's files into the built app.
    files: Files,
}

#[derive(PartialEq)]
enum Files {
    /// The bundler finds them; it builds the page too.
    Found,
    /// The bundler finds them; the page is put beside the bundle.
    FoundBesidePage,
    /// `npx huggingtweets-web dist`; the page is put beside the bundle.
    Copied,
}

const VITE: Bundler = Bundler {
    name: "vite",
    packages: &["vite"],
    program: "vite",
    build: &["build"],
    out: "dist",
    dev: &["--port", "PORT", "--strictPort"],
    files: Files::Found,
};

const WEBPACK: Bundler = Bundler {
    name: "webpack",
    packages: &["webpack", "webpack-cli", "webpack-dev-server"],
    program: "webpack",
    build: &["--mode", "production"],
    out: "dist",
    dev: &["serve", "--mode", "development", "--port", "PORT"],
    files: Files::FoundBesidePage,
};

const PARCEL: Bundler = Bundler {
    name: "parcel",
    packages: &["parcel"],
    program: "parcel",
    build: &["build", "index.html", "--no-cache", "--public-url", "./"],
    out: "dist",
    dev: &[
        "serve",
        "index.html",
        "--no-cache",
        "--no-hmr",
        "--port",
        "PORT",
    ],
    files: Files::Found,
};

const NEXT: Bundler = Bundler {
    name: "next",
    packages: &["next", "react", "react-dom"],
    program: "next",
    build: &["build"],
    out: "out",
    dev: &["dev", "--port", "PORT"],
    files: Files::Found,
};

const ESBUILD: Bundler = Bundler {
    name: "esbuild",
    packages: &["esbuild"],
    program: "esbuild",
    build: &["main.js", "--bundle", "--format=esm", "--outdir=dist"],
    out: "dist",
    dev: &[
        "main.js",
        "--bundle",
        "--format=esm",
        "--outdir=dist",
        "--servedir=dist",
        "--serve=127.0.0.1:PORT",
    ],
    files: Files::Copied,
};

const ROLLUP: Bundler = Bundler {
    name: "rollup",
    packages: &["rollup", "@rollup/plugin-node-resolve"],
    program: "rollup",
    build: &["--config"],
    out: "dist",
    dev: &[],
    files: Files::Copied,
};

/// A folder with an app and its installed packages.
struct App {
    bundler: Bundler,
    folder: PathBuf,
    version: String,
}

impl App {
    /// Installs the newest packages; `None` without npm or network.
    fn install(bundler: Bundler, package: &Path) -> Option<Self> {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bundlers");
        let folder = apps().join(bundler.name);
        // What an earlier bundler has built or remembers.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let own = fixtures.join(bundler.name);
        if own.is_dir() {
            copy(&own, &folder);
        }
        for shared in ["app.js", "main.js", "index.html"] {
            fs::copy(fixtures.join(shared), folder.join(shared)).unwrap();
        }
        let manifest = r#"{ "private": true, "type": "module" }"#;
        fs::write(folder.join("package.json"), manifest).unwrap();
        npm(&["install", "--no-audit", "--no-fund"], &folder, |npm| {
            npm.args(bundler.packages).arg(package);
        })?;
        if bundler.files != Files::Found {
            fs::create_dir_all(folder.join("dist")).unwrap();
            fs::copy(folder.join("index.html"), folder.join("dist/index.html")).unwrap();
        }
        let installed = folder.join("node_modules").join(bundler.packages[0]);
        let installed = fs::read(installed.join("package.json")).unwrap();
        let installed: Value = serde_json::from_slice(&installed).unwrap();
        let version = installed["version"].as_str().unwrap().to_owned();
        Some(Self {
            bundler,
            folder,
            version,
        })
    }

    /// A program of the installed packages.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join("node_modules/.bin").join(name));
        command
            .current_dir(&self.folder)
            .env("NEXT_TELEMETRY_DISABLED", "1");
        command
    }

    /// Builds the app for the address `base`.
    fn build(&self, base: &str) {
        let mut build = self.program(self.bundler.program);
        build.args(self.bundler.build).env("BASE_PATH", base);
        succeed(&mut build);
        if self.bundler.files == Files::Copied {
            succeed(self.program("huggingtweets-web").arg("dist"));
        }
    }

    /// Starts the server for development on a free port.
    fn serve(&self) -> Server {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let arguments = self.bundler.dev.iter();
        let arguments = arguments.map(|argument| argument.replace("PORT", &port.to_string()));
        let mut command = self.program(self.bundler.program);
        command
            .args(arguments)
            // Some servers end with their input.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Server {
            child: command.spawn().unwrap(),
            port,
        }
    }
}

/// A running server, with the processes that it has started.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["--", &group]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The apps; the tests' server has them at `/made/bundlers/`.
fn apps() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundlers")
}

/// The package of the site, made once; `None` without npm.
fn package(dist: &Path) -> Option<&'static PathBuf> {
    static PACKAGE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let make = || {
        fs::create_dir_all(apps()).unwrap();
        let packed = npm(&["pack", "--silent"], &apps(), |npm| {
            npm.arg(dist);
        })?;
        Some(apps().join(packed.lines().last()?))
    };
    PACKAGE.get_or_init(make).as_ref()
}

/// What npm prints; `None` if there is no npm, or no network.
fn npm(arguments: &[&str], folder: &Path, more: impl FnOnce(&mut Command)) -> Option<String> {
    let mut npm = Command::new("npm");
    npm.args(arguments).current_dir(folder);
    more(&mut npm);
    let output = npm.output().ok()?;
    if !output.status.success() {
        println!("{}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What the app at this address has written, or its error.
async fn result(page: &Page, address: &str) -> Value {
    page.goto(address).await;
    let result = wait_until(&format!("the app at {address}"), RUN, || async {
        let result = page
            .eval("return document.body?.dataset.result ?? null")
            .await;
        result.as_str().map(str::to_owned)
    })
    .await;
    serde_json::from_str(&result).unwrap()
}

/// The text that the apps ask for.
fn expected() -> Value {
    let arguments = "generate --json --prompt|My dream is|--n|1|--seed|1|--max-new-tokens|8";
    let (command, rest) = arguments.split_once('|').unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
        .args(command.split(' '))
        .args(rest.split('|'))
        .output()
        .unwrap();
    let texts: Value = serde_json::from_slice(&output.stdout).unwrap();
    texts[0]["generated_text"].clone()
}

/// The app writes from its build, and from its server for development.
async fn writes(bundler: Bundler) {
    let site = Site::start_with(Isolation::Off).await;
    let name = bundler.name;
    let app = package(&site.dist()).and_then(|package| App::install(bundler, package));
    let Some(app) = app else {
        return skipped(&format!("the app of {name} takes npm and a network"));
    };
    let base = format!("/made/bundlers/{name}/{}", app.bundler.out);
    app.build(&base);
    let text = expected();
    let page = site.open("/elsewhere/frame").await;
    let built = result(&page, &site.address_of(&format!("{base}/"))).await;
    assert_eq!(
        built["generated_text"], text,
        "{name} {}: {built}",
        app.version
    );
    let mut said = format!("{name} {}: build", app.version);
    if !app.bundler.dev.is_empty() {
        let server = app.serve();
        let address = format!("localhost:{}", server.port);
        wait_until("the server to listen", RUN, || async {
            TcpStream::connect(&address).await.ok().map(drop)
        })
        .await;
        let served = result(&page, &format!("http://{address}/")).await;
        assert_eq!(
            served["generated_text"], text,
            "{name} {}: {served}",
            app.version
        );
        said += " and development";
    }
    println!("{said} wrote the text of the command line");
}

macro_rules! apps_that_write {
    ($($claim:ident: $bundler:ident),+ $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread")]
        #[ignore = "installs a bundler from the network"]
        async fn $claim() {
            writes($bundler).await;
        })+
    };
}

apps_that_write! {
    an_app_of_vite_writes: VITE,
    an_app_of_webpack_writes: WEBPACK,
    an_app_of_parcel_writes: PARCEL,
    an_app_of_next_writes: NEXT,
    an_app_of_esbuild_writes_with_copied_files: ESBUILD,
    an_app_of_rollup_writes_with_copied_files: ROLLUP,
}
