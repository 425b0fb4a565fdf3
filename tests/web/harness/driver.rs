//! A WebDriver server, and the guard that ends it.

use super::programs::{Browser, Programs};
use super::wait_until;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Runs the driver until standard input closes, then ends its process group and removes its files.
///
/// A `static` is not dropped and a killed program drops nothing, but both close the pipe. Profiles hold whole models,
/// and a browser may write to its own until it is gone.
const GUARD: &str = r#"
"$@" < /dev/null &
read -r _
trap '' TERM
kill -TERM 0
wait
for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$TMPDIR" 2> /dev/null && [ ! -e "$TMPDIR" ] && exit
  sleep 1
done
"#;

/// A running chromedriver, geckodriver or WebKitWebDriver. Dropping it ends the driver and its browser.
pub struct Driver {
    /// Its standard input is the pipe of [`GUARD`].
    guard: Child,
    port: u16,
    log: PathBuf,
}

impl Driver {
    /// Starts a driver and waits until it answers.
    pub async fn start(browser: Browser, programs: &Programs) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .expect("target/ can be written")
            .keep();
        let log = folder.join("driver.log");
        let output = File::create(&log).expect("target/ can be written");
        let errors = output.try_clone().expect("a file has more than one handle");
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]);
        if browser == Browser::WebKit {
            command.args(["xvfb-run", "--auto-servernum"]);
        }
        command.arg(&programs.driver).arg(format!("--port={port}"));
        match browser {
            Browser::Chromium => command.arg("--log-level=OFF"),
            Browser::Firefox => command.args([
                "--log=fatal",
                // The default port is taken as soon as two drivers run.
                &format!("--websocket-port={}", free_port()),
                // Clearing a profile is a matter of the browser's own scope.
                "--allow-system-access",
            ]),
            Browser::WebKit => &mut command,
        };
        let guard = command
            // Where the browsers put their profiles.
            .env("TMPDIR", &folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .expect("a shell starts");
        let driver = Self { guard, port, log };
        wait_until(
            "the WebDriver server to listen",
            Duration::from_secs(90),
            || async { TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok() },
        )
        .await;
        driver
    }

    /// The file with all that the driver and, with geckodriver, the browser print.
    pub fn log(&self) -> &PathBuf {
        &self.log
    }

    /// A process that the driver and the browser descend from.
    pub fn process_id(&self) -> u32 {
        self.guard.id()
    }

    /// The driver's address.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
    }
}

/// A port without a listener.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}
