//! One response message: whether it went well, the code, and how long to wait.

use std::time::Duration;

use super::super::codes::{Class, classify};
use super::super::routes::says_misrouted;
use super::super::soap::{Node, Ns, Tree};
use crate::error::ServerContext;

/// The class of a response message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::ews) enum Outcome {
    /// It went well.
    Success,
    /// It went well enough, or was not tried.
    Warning,
    /// It failed. A class that is not known is taken for this.
    Error,
}

/// What a response message says besides its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source::ews) struct ResponseMessage {
    /// Its class.
    pub(in crate::source::ews) outcome: Outcome,
    /// Its code, as text: a server may know codes that this crate does not.
    pub(in crate::source::ews) code: String,
    /// The code inside of an ErrorInternalServerError.
    pub(in crate::source::ews) inner: Option<String>,
    /// How long the server wants to be left alone.
    pub(in crate::source::ews) back_off: Option<Duration>,
    /// Whether it says that the request has come to a mailbox that does not hold the folder.
    pub(in crate::source::ews) misrouted: bool,
    /// What to say about the server, where the message is the whole answer.
    pub(in crate::source::ews) server: ServerContext,
}

impl ResponseMessage {
    /// Reads the message at the root of the tree.
    pub(in crate::source::ews) fn read(tree: &Tree) -> Self {
        let root = tree.root();
        let code = root.and_then(|root| root.child_text(Ns::Messages, "ResponseCode"));
        let outcome = match root.and_then(|root| root.attribute("ResponseClass")) {
            Some("Success") => Outcome::Success,
            Some("Warning") => Outcome::Warning,
            _ => Outcome::Error,
        };
        let words = root.and_then(|root| root.child_text(Ns::Messages, "MessageText"));
        let misrouted = outcome != Outcome::Success
            && says_misrouted(code.unwrap_or_default(), words.unwrap_or_default());
        Self {
            outcome,
            misrouted,
            code: code.unwrap_or_default().to_owned(),
            inner: root.and_then(|root| value(root, "InnerErrorResponseCode")),
            back_off: root.and_then(back_off),
            server: ServerContext::default(),
        }
    }

    /// The code that counts: the inner one of an internal error, if there is one.
    pub(in crate::source::ews) fn decisive_code(&self) -> &str {
        match &self.inner {
            Some(inner) if self.code == "ErrorInternalServerError" => inner,
            _ => &self.code,
        }
    }

    /// What the code means.
    pub(in crate::source::ews) fn class(&self) -> Class {
        if self.outcome == Outcome::Success {
            return Class::Fine;
        }
        match (self.outcome, classify(self.decisive_code())) {
            // It says that it failed, and that nothing went wrong: what was done is not known.
            (Outcome::Error, Class::Fine) => Class::Unknown,
            (_, class) => class,
        }
    }
}

/// A value of MessageXml, which has the messages namespace in a response message and the types namespace in a fault.
pub(super) fn value(below: Node<'_>, name: &str) -> Option<String> {
    let holders = below.descendants().filter(|node| {
        node.name() == "MessageXml" && matches!(node.ns(), Ns::Messages | Ns::Types)
    });
    let mut values = holders.flat_map(Node::children);
    let found = values.find(|node| {
        matches!(node.ns(), Ns::Types | Ns::Messages)
            && node.name() == "Value"
            && node.attribute("Name") == Some(name)
    });
    found.map(|node| node.text().to_owned())
}

pub(super) fn back_off(below: Node<'_>) -> Option<Duration> {
    let text = value(below, "BackOffMilliseconds")?;
    let digits = text.trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_millis(digits.parse().unwrap_or(u64::MAX)))
}
