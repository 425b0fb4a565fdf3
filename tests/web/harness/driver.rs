//! A WebDriver server of one's own, ended with its browser when dropped.

use super::programs::{Browser, Programs};
use super::wait_until;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

/// A running chromedriver or geckodriver.
pub struct Driver {
    process: Child,
    port: u16,
    /// Where the browsers keep their profiles: one that was killed leaves its own, with the models in it.
    folder: TempDir,
    sessions: Mutex<Vec<String>>,
}

impl Driver {
    /// Starts one and waits until it answers.
    pub async fn start(browser: Browser, programs: &Programs) -> Self {
        let port = free_port();
        let folder =
            tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("target/ can be written");
        let log = File::create(output_in(folder.path())).expect("target/ can be written");
        let mut command = Command::new(&programs.driver);
        command.arg(format!("--port={port}"));
        match browser {
            Browser::Chromium => command.arg("--log-level=OFF"),
            Browser::Firefox => command.args([
                "--log=fatal",
                // Its usual one is taken as soon as two of them run.
                &format!("--websocket-port={}", free_port()),
            ]),
        };
        let errors = log.try_clone().expect("a file has more than one handle");
        let process = command
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("the WebDriver server starts");
        let driver = Self {
            process,
            port,
            folder,
            sessions: Mutex::new(Vec::new()),
        };
        wait_until(
            "the WebDriver server to listen",
            Duration::from_secs(30),
            || async { TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok() },
        )
        .await;
        driver
    }

    /// Where everything goes that the server and, with geckodriver, the browser print.
    pub fn output(&self) -> PathBuf {
        output_in(self.folder.path())
    }

    /// The server's process; the browser's are its children.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Notes a browser to be ended with this driver.
    pub fn adopt(&self, session: String) {
        self.sessions.lock().unwrap().push(session);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A test that failed leaves its browser open; only the driver can close it.
        let sessions = self
            .sessions
            .lock()
            .map(|all| all.clone())
            .unwrap_or_default();
        for session in sessions {
            if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                let request = format!(
                    "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
                    self.port
                );
                let _ = stream.write_all(request.as_bytes());
                let _ = stream.read(&mut [0; 512]);
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn output_in(folder: &Path) -> PathBuf {
    folder.join("driver.log")
}

/// A port that nobody listens on just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}
