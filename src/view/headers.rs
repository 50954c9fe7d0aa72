//! The header fields that a person reads.

use jiff::Timestamp;

use super::limits::ViewLimits;
use super::safe_text::plain_text;
use crate::message::{MailAddress, Mailbox, Original};

/// Subject, people and date, as plain text on one line each. Not escaped for HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewHeaders {
    /// The subject, decoded.
    pub subject: String,
    /// The authors as `Name <address>`.
    pub from: Vec<String>,
    /// The primary recipients.
    pub to: Vec<String>,
    /// The copied recipients.
    pub cc: Vec<String>,
    /// When it was sent, by its own word.
    pub sent: Option<Timestamp>,
}

impl ViewHeaders {
    pub(super) fn of(original: &Original<'_>, limits: &ViewLimits) -> Self {
        let line = |text: &str| {
            let text: String = text.chars().take(limits.header_characters).collect();
            plain_text(&text)
        };
        let people = |list: &[Mailbox]| {
            let shown = list.iter().take(limits.people);
            shown.map(|one| line(&person(one))).collect()
        };
        Self {
            subject: line(&original.subject),
            from: people(&original.from),
            to: people(&original.to),
            cc: people(&original.cc),
            sent: original.sent,
        }
    }
}

fn person(mailbox: &Mailbox) -> String {
    let address = match &mailbox.address {
        MailAddress::Smtp(address) => address.as_str(),
        MailAddress::Exchange(name) => name,
        MailAddress::Unusable(_) => "",
    };
    match mailbox.name.as_deref().filter(|name| !name.is_empty()) {
        None => address.to_owned(),
        Some(name) if address.is_empty() => name.to_owned(),
        Some(name) => format!("{name} <{address}>"),
    }
}
