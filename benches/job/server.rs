//! The neutral server: started for a line, asked for its counts, stopped.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a server holds and how it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) mails: u64,
    pub(crate) bytes: u64,
    pub(crate) tls: bool,
}

/// A server, ended with this.
pub(crate) struct Server {
    address: String,
    process: Option<Child>,
    folder: tempfile::TempDir,
    tls: bool,
}

/// A port below those that the system gives to clients: who waits for a server there by connecting cannot meet itself.
fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (18_100..30_000).find(is_free).expect("a free port")
}

/// The program that is started, if there is one.
pub(crate) fn program() -> Option<PathBuf> {
    let usual = || "../shared/bench/ews-stub/target/release/ewsstub".to_owned();
    let path = PathBuf::from(std::env::var("EWS_STUB_BIN").unwrap_or_else(|_| usual()));
    path.exists().then(|| path.canonicalize().unwrap())
}

impl Server {
    /// One that somebody started.
    pub(crate) fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            process: None,
            folder: tempfile::tempdir().unwrap(),
            tls: false,
        }
    }

    /// Starts one.
    pub(crate) fn start(program: &Path, held: Held) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let pool = if held.bytes > 1 << 20 { "1" } else { "256" };
        let mut command = Command::new(program);
        for (name, value) in [
            ("--port", port.to_string()),
            ("--n", held.mails.to_string()),
            ("--size", held.bytes.to_string()),
            ("--pool", pool.to_owned()),
        ] {
            command.arg(name).arg(value);
        }
        if held.tls {
            command.arg("--tls");
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.current_dir(folder.path()).spawn().unwrap();
        let server = Self {
            address: format!("127.0.0.1:{port}"),
            process: Some(process),
            folder,
            tls: held.tls,
        };
        server.wait();
        server
    }

    fn wait(&self) {
        for _ in 0..600 {
            if TcpStream::connect(&self.address).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not listen");
    }

    /// Where the mail is.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}/EWS/Exchange.asmx", self.address)
    }

    /// The certificate that it made for itself.
    pub(crate) fn certificate(&self) -> Option<String> {
        let path = self.folder.path().join("ews-stub-cert.pem");
        self.tls.then(|| std::fs::read_to_string(path).unwrap())
    }

    /// Puts every mail back, and sets how long a request takes. Over TLS it is not asked: what was just started is full.
    pub(crate) fn reset(&self, latency_ms: u64) {
        if !self.tls {
            self.http("POST", &format!("/reset?latency_ms={latency_ms}"));
        }
    }

    /// One of its counts since then, by name.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        if self.tls {
            return None;
        }
        let stats = self.http("GET", "/stats");
        let after = stats.split(&format!("\"{name}\":")).nth(1)?;
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    }

    fn http(&self, method: &str, target: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the server answers");
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
