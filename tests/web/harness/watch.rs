//! A proxy that refuses and records every request: the proof that a page contacts no other machine.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// Hosts that Chromium and Firefox contact on their own.
const BROWSERS_OWN: [&str; 8] = [
    ".google.com",
    ".googleapis.com",
    ".gvt1.com",
    ".gstatic.com",
    ".firefox.com",
    ".mozilla.com",
    ".mozilla.net",
    ".mozilla.org",
];

/// Beginnings of hosts below [`BROWSERS_OWN`] from which pages load fonts, scripts and files.
const OF_PAGES: [&str; 3] = ["ajax.", "fonts.", "storage."];

/// The requests of a browser to other machines.
#[derive(Clone)]
pub struct Watch {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Watch {
    /// Listens on a free port for as long as the runtime runs.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let watch = Self {
            port,
            requests: Arc::clone(&requests),
        };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let requests = Arc::clone(&requests);
                tokio::spawn(async move {
                    let (read, mut write) = stream.split();
                    let mut line = String::new();
                    // Browsers also open connections ahead and close them without a request.
                    if let Ok(1..) = BufReader::new(read).read_line(&mut line).await {
                        requests.lock().unwrap().push(line.trim().to_owned());
                        // The browser may be gone.
                        let _ = write
                            .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                            .await;
                    }
                });
            }
        });
        watch
    }

    /// The address of the proxy, for all requests but those to this machine.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Forgets all requests.
    pub fn clear(&self) {
        self.requests.lock().unwrap().clear();
    }

    /// First lines of the requests, such as `CONNECT example.org:443 HTTP/1.1`, without those of [`BROWSERS_OWN`].
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .filter(|line| !is_browsers_own(line))
            .cloned()
            .collect()
    }
}

fn is_browsers_own(line: &str) -> bool {
    let target = line.split_whitespace().nth(1).unwrap_or_default();
    let authority = target.split("://").last().unwrap_or_default();
    let host = authority.split(['/', ':']).next().unwrap_or_default();
    BROWSERS_OWN.iter().any(|own| host.ends_with(own))
        && !OF_PAGES.iter().any(|of_pages| host.starts_with(of_pages))
}
