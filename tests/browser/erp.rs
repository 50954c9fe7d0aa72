//! The example as a process of its own, on a port that is free.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The password of the one that is behind a password.
pub(crate) const PASSWORD: &str = "a long password";

/// An ERP that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Erp {
    command: Command,
    child: Child,
    pub(crate) base: String,
    address: String,
    store: tempfile::TempDir,
    /// Somebody has to hold the other end of its standard output.
    output: BufReader<ChildStdout>,
}

impl Erp {
    pub(crate) fn start(more: &[&OsStr], password: Option<&str>) -> Self {
        let store = tempfile::tempdir().unwrap();
        let mut command = Command::new(program());
        command
            .args([
                "--demo",
                "--every",
                "2",
                "--listen",
                "127.0.0.1:0",
                "--store",
            ])
            .arg(store.path().join("erp.sqlite"))
            .args(more)
            .env_remove("ERP_PASSWORD")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if let Some(password) = password {
            command.env("ERP_PASSWORD", password);
        }
        let (child, output, base, address) = run(&mut command);
        Self {
            command,
            child,
            base,
            address,
            store,
            output,
        }
    }
}

type Running = (Child, BufReader<ChildStdout>, String, String);

/// Starts the program, and reads where it is.
fn run(command: &mut Command) -> Running {
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut after = |words: &str| {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let rest = line.strip_prefix(words).expect(&line);
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let base = after("The ERP is at ").trim_end_matches('/').to_owned();
    let address = after("It listens on ");
    (child, output, base, address)
}

impl Erp {
    /// Where it listens, whatever its address for browsers is.
    #[allow(dead_code, reason = "a browser needs its base only")]
    pub(crate) fn listen(&self) -> String {
        self.address.clone()
    }

    /// The folder of its file.
    #[allow(dead_code, reason = "a browser sees pages only")]
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.store.path()
    }

    /// Kills it, and starts it again over the same file.
    #[allow(dead_code, reason = "a browser stays with one")]
    pub(crate) fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (child, output, base, address) = run(&mut self.command);
        (self.child, self.output, self.base, self.address) = (child, output, base, address);
    }
}

impl Drop for Erp {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example, which `cargo test` builds beside the tests.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let directory = test.parent().and_then(std::path::Path::parent).unwrap();
    let name = format!("erp_host{}", std::env::consts::EXE_SUFFIX);
    let path = directory.join("examples").join(name);
    let hint = "build it with: cargo build --example erp_host";
    assert!(path.is_file(), "{} is missing; {hint}", path.display());
    path
}
