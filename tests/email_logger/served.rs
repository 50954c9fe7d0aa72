//! A simulated Exchange in a process of its own, and commands that know it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::program::program;
use crate::samples::SAMPLES;

/// The directory of the company that the samples are about.
pub const SAMPLE_DIRECTORY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/email_logger/samples/directory.toml"
);

/// A simulated Exchange that serves a directory of mails; it is stopped when the value goes.
pub struct Served {
    pub child: Child,
    pub facts: Value,
}

impl Served {
    pub fn new(mails: &Path, ca: &Path) -> Self {
        let mut command = program();
        command
            .args(["simulate", "--json", "--ca-file"])
            .arg(ca)
            .arg(mails);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let facts = serde_json::from_str(&line).unwrap();
        Self { child, facts }
    }

    pub fn fact(&self, name: &str) -> String {
        self.facts[name].as_str().unwrap().to_owned()
    }

    /// `run` against it.
    pub fn run(&self, store: &Path, arguments: &[&str]) -> std::process::Output {
        self.run_as(&self.fact("password"), store, arguments)
    }

    pub fn run_as(&self, password: &str, store: &Path, arguments: &[&str]) -> std::process::Output {
        let mut command = self.command("run", password, store);
        command.args(arguments).output().unwrap()
    }

    /// A command with everything that a run needs.
    pub fn command(&self, name: &str, password: &str, store: &Path) -> std::process::Command {
        let mut command = self.connected(name, password);
        command.env("EMAIL_LOGGER__FOLDERS__QUEUE", self.fact("queue"));
        command.env("EMAIL_LOGGER__FOLDERS__STORAGE", self.fact("storage"));
        command.env("EMAIL_LOGGER__DIRECTORY__FILE", SAMPLE_DIRECTORY);
        command.arg("--store").arg(store);
        command
    }

    /// A command that knows the server.
    pub fn connected(&self, name: &str, password: &str) -> std::process::Command {
        let mut command = program();
        command
            .arg(name)
            .env("EMAIL_LOGGER__EXCHANGE__PASSWORD", password);
        command.env("EMAIL_LOGGER__EXCHANGE__URL", self.fact("url"));
        command.env("EMAIL_LOGGER__EXCHANGE__USER_NAME", self.fact("user-name"));
        command.env("EMAIL_LOGGER__EXCHANGE__CA_FILE", self.fact("ca-file"));
        command.env("EMAIL_LOGGER__EXCHANGE__ON_PREMISES_RANGES", "127.0.0.0/8");
        command
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory with these samples, and with room for an authority and a store.
pub fn directory_of(samples: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mails = directory.path().join("mails");
    std::fs::create_dir(&mails).unwrap();
    for sample in SAMPLES
        .iter()
        .filter(|sample| samples.contains(&&sample.name[..2]))
    {
        std::fs::write(mails.join(sample.name), sample.original).unwrap();
    }
    directory
}
