//! What Graph's error codes mean for this crate: the one table.
//!
//! Owns the classes, which class a code is of, and what may help. Knows nothing of requests and of waiting.
//!
//! Graph answers `{"error": {"code": …}}` with its own codes, those of Exchange and those of the identity platform
//! (Microsoft Graph, "Microsoft Graph error responses and resource types"). They are compared without regard to case, as
//! Graph writes some both ways. A code that is not in the table counts as its status says.

mod table;

use super::json::Said;
use crate::error::{Code, Error, ServerContext, codes as errors};
use table::TABLE;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// The server wants to be left alone; nothing was done.
    Busy,
    /// As `Busy`, because more requests are open than the server allows.
    Crowded,
    /// The server could not do it now.
    Transient,
    /// The item is not there, or may not be seen.
    Gone,
    /// The folder is not there, or may not be seen.
    FolderGone,
    /// A right is missing.
    Denied,
    /// The server cannot give the original.
    Damaged,
    /// Larger than the server allows.
    TooLarge,
    /// There is no room.
    Quota,
    /// There is no mailbox, or none that can be used.
    Mailbox,
    /// The item was not moved, for a reason that may pass.
    MoveFailed,
    /// A folder of this name exists.
    Exists,
    /// The way of access is switched off.
    Blocked,
    /// The token is not accepted.
    SignIn,
    /// What was known of a folder's changes no longer counts.
    Resync,
    /// The request was refused as it stands.
    Refused,
    /// Neither code nor status is known.
    Unknown,
}

/// What may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chance {
    /// Waiting; nothing was done.
    Wait,
    /// Asking again; what was done is not known.
    Repeat,
    /// Nothing of that.
    None,
}

impl Class {
    /// What an error says, in an answer with this status.
    pub(super) fn of(said: &Said, status: u16) -> Self {
        let known = said.innermost_first().find_map(known);
        let class = match known {
            Some(class) => class,
            None => Self::of_status(status),
        };
        match class {
            // The limit has no code of its own.
            Self::Busy if said.message.contains("MailboxConcurrency") => Self::Crowded,
            Self::Denied if said.message.contains("Access to OData is disabled") => Self::Blocked,
            // What the middle tiers pass on as their own may be a wish to wait.
            Self::Transient if status == 429 => Self::Busy,
            class => class,
        }
    }

    /// What a status says by itself (RFC 9110, section 15).
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            401 | 440 => Self::SignIn,
            403 => Self::Denied,
            404 | 410 => Self::Gone,
            413 => Self::TooLarge,
            429 | 509 => Self::Busy,
            408 | 409 | 423 | 500 | 502..=504 => Self::Transient,
            507 => Self::Quota,
            400..=499 => Self::Refused,
            _ => Self::Unknown,
        }
    }

    /// What may help.
    pub(super) fn chance(self) -> Chance {
        match self {
            Self::Busy | Self::Crowded => Chance::Wait,
            Self::Transient | Self::Unknown => Chance::Repeat,
            _ => Chance::None,
        }
    }

    /// Whether it says something of every item, whichever was asked for.
    pub(super) fn is_everybodys(self) -> bool {
        matches!(self, Self::Mailbox | Self::Blocked | Self::SignIn)
    }

    /// The error of this class.
    pub(super) fn error(self, operation: &'static str, code: &str, server: ServerContext) -> Error {
        let mut server = server;
        server.response_code = Some(printable(code));
        Error::new(self.code(), operation).with_server(server)
    }

    fn code(self) -> &'static Code {
        match self {
            Self::Busy | Self::Crowded => &errors::GRAPH_THROTTLED,
            Self::Transient | Self::Resync => &errors::GRAPH_UNAVAILABLE,
            Self::Gone => &errors::GRAPH_NOT_FOUND,
            Self::FolderGone => &errors::GRAPH_FOLDER_NOT_FOUND,
            Self::Denied => &errors::GRAPH_ACCESS_DENIED,
            Self::Damaged => &errors::GRAPH_ITEM_DAMAGED,
            Self::TooLarge => &errors::GRAPH_ITEM_TOO_LARGE,
            Self::Quota => &errors::GRAPH_QUOTA,
            Self::Mailbox => &errors::GRAPH_MAILBOX,
            Self::MoveFailed => &errors::GRAPH_MOVE_FAILED,
            Self::Blocked => &errors::GRAPH_BLOCKED,
            Self::SignIn => &errors::GRAPH_TOKEN,
            Self::Refused | Self::Exists => &errors::GRAPH_REQUEST,
            Self::Unknown => &errors::GRAPH_UNKNOWN_CODE,
        }
    }
}

/// Whether a code says that what was known of a folder's changes no longer counts.
pub(super) fn says_resync(code: &str) -> bool {
    known(code) == Some(Class::Resync)
}

fn known(code: &str) -> Option<Class> {
    let is = |known: &&str| known.eq_ignore_ascii_case(code);
    let mut rows = TABLE.iter();
    let row = rows.find(|(_, codes)| codes.iter().any(is));
    row.map(|(class, _)| *class)
}

/// A code as it may be shown: a word of letters and digits. Anything else may be somebody's text.
fn printable(code: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if code.len() <= 100 && code.chars().all(is_word) {
        code.to_owned()
    } else {
        "unreadable".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str, message: &str) -> Said {
        Said::new(code, message)
    }

    #[test]
    fn every_code_of_the_table_is_of_its_class_in_any_case_and_whatever_the_status() {
        let mut seen = std::collections::BTreeSet::new();
        for (class, codes) in TABLE {
            for code in *codes {
                assert!(
                    seen.insert(code.to_ascii_lowercase()),
                    "{code} is listed twice"
                );
                for spelling in [
                    (*code).to_owned(),
                    code.to_ascii_lowercase(),
                    code.to_ascii_uppercase(),
                ] {
                    for status in [400, 404, 418] {
                        assert_eq!(
                            Class::of(&said(&spelling, ""), status),
                            *class,
                            "{spelling}"
                        );
                    }
                }
            }
        }
        assert!(seen.len() > 90, "{}", seen.len());
    }

    #[test]
    fn an_unknown_code_counts_as_its_status() {
        for (status, class) in [
            (400, Class::Refused),
            (401, Class::SignIn),
            (403, Class::Denied),
            (404, Class::Gone),
            (405, Class::Refused),
            (409, Class::Transient),
            (410, Class::Gone),
            (413, Class::TooLarge),
            (423, Class::Transient),
            (429, Class::Busy),
            (500, Class::Transient),
            (501, Class::Unknown),
            (502, Class::Transient),
            (503, Class::Transient),
            (504, Class::Transient),
            (507, Class::Quota),
            (509, Class::Busy),
            (600, Class::Unknown),
        ] {
            assert_eq!(
                Class::of(&said("ErrorOfTomorrow", ""), status),
                class,
                "{status}"
            );
        }
    }

    #[test]
    fn the_text_tells_a_crowd_from_a_throttling_and_a_switch_from_a_right() {
        let crowded = "Application is over its MailboxConcurrency limit.";
        let found = Class::of(&said("ApplicationThrottled", crowded), 429);
        assert_eq!(found, Class::Crowded);
        assert_eq!(
            Class::of(&said("ApplicationThrottled", "slow"), 429),
            Class::Busy
        );
        let off = said("ErrorAccessDenied", "Access to OData is disabled.");
        assert_eq!(Class::of(&off, 403), Class::Blocked);
        assert_eq!(
            Class::of(&said("ErrorAccessDenied", "no"), 403),
            Class::Denied
        );
    }

    #[test]
    fn an_inner_code_that_is_known_tells_more() {
        let mut outer = said("UnknownError", "");
        outer.inner = Some(Box::new(super::super::json::Inner {
            code: Some("ErrorQuotaExceeded".into()),
            inner: None,
        }));
        assert_eq!(Class::of(&outer, 500), Class::Quota);
    }

    #[test]
    fn every_class_has_its_error() {
        for (class, code) in [
            (Class::Busy, "graph.throttled"),
            (Class::Crowded, "graph.throttled"),
            (Class::Transient, "graph.unavailable"),
            (Class::Gone, "graph.not_found"),
            (Class::FolderGone, "graph.folder_not_found"),
            (Class::Denied, "graph.access_denied"),
            (Class::Damaged, "graph.item_damaged"),
            (Class::TooLarge, "graph.item_too_large"),
            (Class::Quota, "graph.quota"),
            (Class::Mailbox, "graph.mailbox"),
            (Class::MoveFailed, "graph.move_failed"),
            (Class::Exists, "graph.request"),
            (Class::Blocked, "graph.blocked"),
            (Class::SignIn, "graph.token"),
            (Class::Resync, "graph.unavailable"),
            (Class::Refused, "graph.request"),
            (Class::Unknown, "graph.unknown_code"),
        ] {
            let error = class.error("list", "SomeCode", ServerContext::default());
            assert_eq!(error.code(), code);
            let said = error
                .server()
                .and_then(|server| server.response_code.clone());
            assert_eq!(said.as_deref(), Some("SomeCode"));
        }
    }

    #[test]
    fn a_code_that_is_no_word_is_not_shown() {
        for code in ["a b", "max@example.com", "<html>", &"x".repeat(101)] {
            let error = Class::Unknown.error("list", code, ServerContext::default());
            let said = error
                .server()
                .and_then(|server| server.response_code.clone());
            assert_eq!(said.as_deref(), Some("unreadable"), "{code}");
        }
    }
}
