//! A SOAP fault: the whole request was refused.

use std::time::Duration;

use super::super::codes::{Class, classify, says_blocked};
use super::super::routes::{WRONG_SESSION, says_misrouted};
use super::super::soap::{Node, Ns, Tree};
use super::message::{back_off, value};
use crate::error::{Error, ServerContext};

/// What a fault says.
#[derive(Debug, Clone)]
pub(in crate::source::ews) struct Fault {
    /// Exchange's code; the SOAP fault code where there is none.
    pub(in crate::source::ews) code: String,
    /// How long the server wants to be left alone.
    pub(in crate::source::ews) back_off: Option<Duration>,
    /// Whether it says that the request has come to a mailbox that does not hold the folder.
    pub(in crate::source::ews) misrouted: bool,
    server: ServerContext,
    blocked: bool,
}

impl Fault {
    /// Reads the fault at the root of the tree.
    pub(super) fn read(tree: &Tree, server: ServerContext) -> Self {
        let root = tree.root();
        let inner = root.and_then(|root| value(root, "InnerErrorResponseCode"));
        let stated = root.and_then(|root| {
            let mut codes = root.descendants();
            codes.find(|node| node.name() == "ResponseCode" && node.ns() != Ns::Other)
        });
        let fault_code = root.and_then(|root| root.child_text(Ns::None, "faultcode"));
        let fault_code = fault_code.map(|code| code.rsplit(':').next().unwrap_or(code));
        let code = stated.map(Node::text).or(fault_code).unwrap_or_default();
        let code = match inner {
            Some(inner) if code == "ErrorInternalServerError" => inner,
            _ => code.to_owned(),
        };
        let words = root.and_then(|root| root.child_text(Ns::None, "faultstring"));
        let misrouted = says_misrouted(&code, words.unwrap_or_default());
        Self {
            blocked: words.is_some_and(says_blocked),
            misrouted,
            code,
            back_off: root.and_then(back_off),
            server,
        }
    }

    /// What the code means.
    pub(in crate::source::ews) fn class(&self) -> Class {
        if self.blocked {
            return Class::Blocked;
        }
        match classify(&self.code) {
            // A fault that says that nothing went wrong: what was done is not known.
            Class::Fine => Class::Unknown,
            class => class,
        }
    }

    /// The fault as an error.
    pub(in crate::source::ews) fn error(&self, operation: &'static str) -> Error {
        let error = self
            .class()
            .error(operation, &self.code, self.server.clone());
        if self.misrouted && !says_misrouted(&self.code, "") {
            return error.with_detail(WRONG_SESSION);
        }
        error
    }
}
