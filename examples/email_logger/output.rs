//! What people and programs see: results on standard output, everything else on standard error.
//!
//! The one place where text leaves the program. Text that came with a mail goes through [`safe`] first.

pub(crate) mod failure;
pub(crate) mod mails;
pub(crate) mod progress;
pub(crate) mod safe;
pub(crate) mod style;

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::panic::Location;

use serde_json::Value;

use crate::cli::Global;
use crate::exit::{Exit, Failure, USAGE};
use style::Style;

pub(crate) use style::colour;

/// Columns where nobody says how many there are.
const COLUMNS: usize = 100;

/// How this program speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    style: Style,
    columns: usize,
}

impl Output {
    /// As the flags, the environment and the terminal say.
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            quiet: global.quiet,
            style: Style::new(colour(&std::io::stdout())),
            columns: columns(),
        }
    }

    /// Whether a program reads.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Colours, or none.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// The columns of a line.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Whether a moving progress bar may be drawn.
    pub(crate) fn moving(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Writes a line of the result.
    pub(crate) fn line(&self, text: impl Display) -> Result<(), Failure> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Writes one JSON value as a line, where a program reads.
    pub(crate) fn value(&self, value: &Value) -> Result<(), Failure> {
        self.line(safe::json(&value.to_string()))
    }

    /// Writes bytes as they are.
    #[allow(
        clippy::unused_self,
        reason = "writing belongs to the output, which a test may replace"
    )]
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        written.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::input("standard output cannot be written", &error),
        })
    }

    /// Writes a stranger's bytes: as they are to a file or a pipe, escaped to a terminal.
    pub(crate) fn stranger(&self, bytes: &[u8]) -> Result<(), Failure> {
        if !std::io::stdout().is_terminal() {
            return self.bytes(bytes);
        }
        let text = String::from_utf8_lossy(bytes);
        text.lines()
            .try_for_each(|line| self.line(safe::text(line)))
    }

    /// Tells a person something that is no result.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            tell(text);
        }
    }
}

/// Writes to standard error. Nobody is left to be told where that fails.
fn tell(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Tells a program, where one reads, that its command line is wrong.
pub(crate) fn usage(text: &str) {
    if !std::env::args_os().any(|word| word == "--json") {
        return;
    }
    let first = text.lines().next().unwrap_or_default();
    let error = serde_json::json!({ "error": {
        "code": USAGE,
        "message": first.strip_prefix("error: ").unwrap_or(first),
        "remedy": "Look at --help.",
        "exit-code": Exit::Usage as u8,
    } });
    // Whoever reads may be gone; the exit code still tells.
    let _ = writeln!(
        std::io::stdout().lock(),
        "{}",
        safe::json(&error.to_string())
    );
}

/// Tells that a promise inside this program was broken: where, but not with which data, which may be somebody's mail.
pub(crate) fn broken(place: Option<&Location<'_>>) {
    let place = place.map_or_else(String::new, |place| {
        format!(" ({}:{})", place.file(), place.line())
    });
    tell(format!(
        "error: a promise inside this program was broken{place}"
    ));
    tell("  what to do: report it with this place; nothing is lost, and the next run goes on");
    tell("  code: internal");
}

/// The terminal's width, else `COLUMNS`, between 40 and 200.
fn columns() -> usize {
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    let terminal = || comfy_table::Table::new().width().map(usize::from);
    let columns = told.or_else(|| terminal().filter(|_| std::io::stdout().is_terminal()));
    columns.unwrap_or(COLUMNS).clamp(40, 200)
}
