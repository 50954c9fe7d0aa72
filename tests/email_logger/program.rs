//! Runs the example binary `email_logger` as a person does.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The program, which `cargo test` builds beside the tests.
pub fn program() -> Command {
    let mut command = Command::new(path());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("EMAIL_LOGGER") || name == "RUST_LOG" || name == "NO_COLOR" {
            command.env_remove(&*name);
        }
    }
    command.env("COLUMNS", "80").stdin(Stdio::null());
    command
}

fn path() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let directory = test.parent().and_then(std::path::Path::parent).unwrap();
    let name = format!("email_logger{}", std::env::consts::EXE_SUFFIX);
    let path = directory.join("examples").join(name);
    let hint = "build it with: cargo build --example email_logger";
    assert!(path.is_file(), "{} is missing; {hint}", path.display());
    path
}

/// Runs the program to its end.
pub fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    program().args(arguments).output().unwrap()
}

/// Its standard output.
pub fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// Its standard error.
pub fn errors(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Its exit code.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Its JSON lines. Every line must be one value.
pub fn json(output: &Output) -> Vec<serde_json::Value> {
    let lines = text(output).lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
