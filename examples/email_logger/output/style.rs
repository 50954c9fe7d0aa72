//! A little colour, where a terminal wants it.

use std::io::IsTerminal;

/// Whether to colour: a terminal, and neither NO_COLOR (no-color.org) nor a dumb terminal.
pub(crate) fn colour(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    stream.is_terminal() && !refused && !dumb
}

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style(bool);

impl Style {
    pub(crate) fn new(colour: bool) -> Self {
        Self(colour)
    }

    /// A heading.
    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// What went well.
    pub(crate) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What a person should look at.
    pub(crate) fn attention(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Something to type.
    pub(crate) fn command(self, text: &str) -> String {
        self.wrap("36", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
