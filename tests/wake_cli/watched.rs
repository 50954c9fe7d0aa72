//! A `watch` in a process of its own, and what it says.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// A schedule with one run, at once.
pub(crate) const ONCE: [&str; 6] = ["watch", "--json", "--first-after", "0s", "--every", "10h"];

/// Nothing takes longer on a machine that is busy.
const LIMIT: Duration = Duration::from_mins(2);

pub(crate) struct Watched {
    child: Child,
    lines: Receiver<String>,
}

impl Watched {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line; what was said to people where there is none.
    pub(crate) fn line(&mut self) -> String {
        if let Ok(line) = self.lines.recv_timeout(LIMIT) {
            return line;
        }
        let _ = self.child.kill();
        panic!("no line: {}", self.said());
    }

    /// The next line as JSON.
    pub(crate) fn value(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// How many mails the next run logged.
    pub(crate) fn logged(&mut self) -> u64 {
        let value = self.value();
        let logged = value["report"]["logged"].as_u64();
        logged.unwrap_or_else(|| panic!("{value}"))
    }

    fn said(&mut self) -> String {
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said).unwrap();
        }
        said
    }

    /// Ends it as a terminal does for Ctrl-C; the exit code, and what it said to people.
    pub(crate) fn interrupt(mut self) -> (i32, String) {
        let command = format!("kill -INT {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &command]).status();
        assert!(sent.unwrap().success());
        let code = self.child.wait().unwrap().code().unwrap();
        (code, self.said())
    }

    /// Ends it as a failure of power does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
