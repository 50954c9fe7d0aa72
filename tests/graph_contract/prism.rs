//! The validator as a process of its own.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long Node.js may take to load the package on a busy machine.
const START: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Free ports are found and then taken, so that another process may be faster.
const ATTEMPTS: usize = 5;

/// A running validator; it ends when it is dropped.
pub(crate) struct Prism {
    pub(crate) url: String,
    process: Child,
}

impl Drop for Prism {
    fn drop(&mut self) {
        // It may have ended by itself; nobody is left to be told.
        let _killed = self.process.kill();
        let _waited = self.process.wait();
    }
}

/// Where the packages are installed, the script to start, and the shapes.
pub(crate) struct Installed {
    pub(crate) folder: PathBuf,
    script: PathBuf,
    shapes: PathBuf,
}

/// Where the packages lie and where the shapes are; none, said aloud, where one is missing and need not be there.
pub(crate) fn installed() -> Option<Installed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let given = std::env::var_os("EMAIL_LOGGING_PRISM").map(PathBuf::from);
    let directory = given.unwrap_or_else(|| root.join("target/ci/prism"));
    let script = directory.join("node_modules/@stoplight/prism-cli/dist/index.js");
    let shapes = root.join("../shared/vectors/graph/mail-openapi.json");
    let node = Command::new("node").arg("--version").output();
    let missing = match (script.is_file(), shapes.is_file(), node) {
        (true, true, Ok(output)) if output.status.success() => {
            return Some(Installed {
                folder: directory,
                script,
                shapes,
            });
        }
        (false, _, _) => "the npm package @stoplight/prism-cli is not installed",
        (true, false, _) => "../shared/vectors is absent",
        (true, true, _) => "there is no node",
    };
    let required = std::env::var_os("EMAIL_LOGGING_REQUIRE_PRISM").is_some();
    assert!(!required, "this must not be skipped here: {missing}");
    // Nobody is left to be told where standard error cannot be written.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    None
}

impl Prism {
    /// Starts it between a client and the server of this address; none where it is not installed.
    pub(crate) async fn before(upstream: &str) -> Option<Self> {
        let Installed { script, shapes, .. } = installed()?;
        for _ in 0..ATTEMPTS {
            if let Some(prism) = Self::start(&script, &shapes, upstream).await {
                return Some(prism);
            }
        }
        panic!("the validator does not start");
    }

    async fn start(script: &Path, shapes: &Path, upstream: &str) -> Option<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new("node")
            .arg(script)
            .arg("proxy")
            .arg(shapes)
            .arg(upstream)
            .args([
                "--errors",
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])
            .args(["--verboseLevel", "silent"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let mut prism = Self { url, process };
        let begun = Instant::now();
        while begun.elapsed() < START {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Some(prism);
            }
            if prism.process.try_wait().unwrap().is_some() {
                return None;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        None
    }
}
