//! A machine without network: the simulated servers in a child process, a folder for the log, and curl as the browser.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{program, skipped};

/// The client secret of the simulated app registration.
pub const SECRET: &str = "simulated~client~secret~of~nobody";

/// Nothing takes longer on a machine that is busy; whatever does has hung.
const LIMIT: Duration = Duration::from_mins(2);

/// The servers, and what was said so far by every command.
pub struct Machine {
    servers: Child,
    facts: Value,
    own: tempfile::TempDir,
    said: Vec<u8>,
    /// What every command finds in its environment.
    pub environment: Vec<(&'static str, String)>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.servers.kill();
        let _ = self.servers.wait();
        // Killed, it could not take its files away.
        if let Some(folder) = self
            .fact("config")
            .as_deref()
            .and_then(|file| Path::new(file).parent())
        {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

impl Machine {
    /// Starts `simulate --oauth2` with these arguments; `None`, which is said, without curl.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        if Command::new("curl").arg("--version").output().is_err() {
            skipped::skipped("there is no curl");
            return None;
        }
        let mut command = program::program();
        command
            .args(["simulate", "--oauth2", "--json"])
            .args(arguments);
        let mut servers = command.stdout(Stdio::piped()).spawn().unwrap();
        let (first, _rest) = first_line(servers.stdout.take().unwrap());
        Some(Self {
            servers,
            facts: serde_json::from_str(&first).unwrap(),
            own: tempfile::tempdir().unwrap(),
            said: Vec::new(),
            environment: Vec::new(),
        })
    }

    /// A fact that `simulate` told.
    pub fn fact(&self, name: &str) -> Option<String> {
        self.facts[name].as_str().map(str::to_owned)
    }

    /// The folder with the log and the key alone.
    pub fn own_folder(&self) -> &Path {
        self.own.path()
    }

    /// Everything that commands wrote.
    pub fn said(&self) -> &[u8] {
        &self.said
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::program();
        command.args(arguments);
        command.env("EMAIL_LOGGER_CONFIG", self.fact("config").unwrap());
        command.env(
            "EMAIL_LOGGER__STORE__PATH",
            self.own.path().join("log.sqlite"),
        );
        command.envs(self.environment.iter().cloned());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&mut self, arguments: &[&str]) -> Output {
        self.run_with_input(arguments, "")
    }

    /// Runs a command with this on its standard input.
    pub fn run_with_input(&mut self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that does not read may be gone before all is written.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        self.ended(child, Vec::new())
    }

    /// The set-up as `simulate` tells to type it.
    pub fn set_up(&mut self) -> Output {
        let fact = |field: &str, name: &str| format!("{field}={}", self.fact(name).unwrap());
        let url = if self.facts["autodiscover"] == true {
            "exchange-service-url=".to_owned()
        } else {
            fact("exchange-service-url", "url")
        };
        let address = fact("autodiscovery-email-address", "mailbox");
        let client = fact("exchange-client-id", "client-id");
        let file = self.fact("client-secret-file").unwrap();
        let template = "interaction-template-code=EMAIL";
        let fields = [address.as_str(), &url, &client, template];
        self.run(&[&["setup"], &fields[..], &["--client-secret-file", &file]].concat())
    }

    /// Signs in, with curl as the browser; answers what the command said, and the page that the browser ended at.
    pub fn sign_in(&mut self, arguments: &[&str]) -> (Output, String) {
        let mut child = self
            .command(&[&["sign-in"], arguments].concat())
            .spawn()
            .unwrap();
        let (first, rest) = first_line(child.stdout.take().unwrap());
        child.stdout = Some(rest);
        let page = self.curl(&["--location", &address(&first)]);
        let output = self.ended(child, first.into_bytes());
        (output, page)
    }

    /// Signs in with a browser on another machine, where nobody listens: the address that it ends at is pasted.
    pub fn sign_in_elsewhere(&mut self) -> Output {
        let mut child = self.command(&["sign-in", "--callback-url"]);
        let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
        let (first, rest) = first_line(child.stdout.take().unwrap());
        child.stdout = Some(rest);
        let callback = self.curl(&[
            "--output",
            "/dev/null",
            "--write-out",
            "%{redirect_url}",
            &address(&first),
        ]);
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{callback}").unwrap();
        self.ended(child, first.into_bytes())
    }

    fn curl(&self, arguments: &[&str]) -> String {
        let authority = self.fact("ca-file").unwrap();
        let curl = Command::new("curl")
            .args([
                "--silent",
                "--max-time",
                "60",
                "--noproxy",
                "*",
                "--cacert",
                &authority,
            ])
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(curl.stdout).unwrap()
    }

    /// Waits for the end of a child, which is killed where it hangs.
    fn ended(&mut self, mut child: Child, mut stdout: Vec<u8>) -> Output {
        let out = child.stdout.take().unwrap();
        let err = child.stderr.take().unwrap();
        let (out, err) = (read(out), read(err));
        let status = wait(&mut child);
        stdout.extend(out.recv_timeout(LIMIT).unwrap());
        let stderr = err.recv_timeout(LIMIT).unwrap();
        self.said.extend(stdout.iter().chain(&stderr));
        Output {
            status,
            stdout,
            stderr,
        }
    }
}

/// The address of a sign-in, as it is told to people and to programs.
fn address(line: &str) -> String {
    match serde_json::from_str::<Value>(line) {
        Ok(value) => value["sign-in"]["url"].as_str().unwrap().to_owned(),
        Err(_) => line.trim().to_owned(),
    }
}

fn read(mut from: impl std::io::Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        let _ = sender.send(bytes);
    });
    receiver
}

/// The first line, byte by byte, so that nothing of the rest is lost.
fn first_line(from: ChildStdout) -> (String, ChildStdout) {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::with_capacity(1, from);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let _ = sender.send((line, reader.into_inner()));
    });
    receiver.recv_timeout(LIMIT).unwrap()
}

fn wait(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("a command did not end in {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
