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
    child: Child,
    pub(crate) base: String,
    _store: tempfile::TempDir,
    /// Somebody has to hold the other end of its standard output.
    _output: BufReader<ChildStdout>,
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
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let base = line
            .strip_prefix("The ERP is at ")
            .and_then(|rest| rest.split('/').nth(2));
        let base = format!("http://{}", base.expect(&line));
        Self {
            child,
            base,
            _store: store,
            _output: output,
        }
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
