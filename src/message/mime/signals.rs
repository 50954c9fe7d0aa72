//! Signs of machines and lists, and how private the author calls a mail.

use super::fields::Field;
use crate::message::{Sensitivity, Signal};

/// What one header field says about its sender.
///
/// `Auto-Submitted` is read as RFC 3834 5 has it: the keyword in any case, without parameters and
/// comments; `no` says that a person wrote it. `Precedence: auto_reply`, `X-Autoreply` and
/// `X-Autorespond` with anything but `no`, `false` or nothing are what responders older than RFC
/// 3834 add to their answers. `X-Auto-Response-Suppress` is nothing: it asks for no answer, and
/// Exchange adds it to mail that people send to distribution lists.
pub(super) fn signal(field: &Field<'_>) -> Option<Signal> {
    if field.is("Auto-Submitted") {
        return match keyword(field).as_str() {
            "" | "no" => None,
            "auto-replied" => Some(Signal::AutomaticReply),
            _ => Some(Signal::AutomaticMessage),
        };
    }
    if field.is("Precedence") {
        return match keyword(field).as_str() {
            "bulk" | "junk" => Some(Signal::Bulk),
            "list" => Some(Signal::MailingList),
            "auto_reply" => Some(Signal::AutomaticReply),
            _ => None,
        };
    }
    if field.is("X-Autoreply") || field.is("X-Autorespond") {
        let says_no = matches!(keyword(field).as_str(), "" | "no" | "false");
        return (!says_no).then_some(Signal::AutomaticReply);
    }
    LIST_FIELDS
        .iter()
        .any(|name| field.is(name))
        .then_some(Signal::MailingList)
}

/// RFC 2369 and RFC 2919.
const LIST_FIELDS: [&str; 7] = [
    "List-Id",
    "List-Unsubscribe",
    "List-Post",
    "List-Help",
    "List-Subscribe",
    "List-Owner",
    "List-Archive",
];

/// The value of a `Sensitivity` field (RFC 2156 5.3.4).
pub(super) fn sensitivity(field: &Field<'_>) -> Sensitivity {
    match keyword(field).as_str() {
        "personal" => Sensitivity::Personal,
        "private" => Sensitivity::Private,
        "company-confidential" | "confidential" => Sensitivity::Confidential,
        _ => Sensitivity::Normal,
    }
}

fn keyword(field: &Field<'_>) -> String {
    let value = field.keyword();
    let keyword = value.split(';').next().unwrap_or_default();
    keyword.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<'a>(name: &'a str, value: &'a str) -> Field<'a> {
        Field {
            name: name.as_bytes(),
            value: value.as_bytes(),
        }
    }

    #[test]
    fn signals_are_read_as_rfc_3834_says() {
        let table = [
            ("Auto-Submitted", " no", None),
            ("Auto-Submitted", " No (a person)", None),
            ("Auto-Submitted", "", None),
            (
                "Auto-Submitted",
                " auto-replied",
                Some(Signal::AutomaticReply),
            ),
            (
                "AUTO-SUBMITTED",
                " (x) Auto-Replied (vacation)",
                Some(Signal::AutomaticReply),
            ),
            (
                "Auto-Submitted",
                " auto-replied; owner-email=\"a@b\"",
                Some(Signal::AutomaticReply),
            ),
            (
                "Auto-Submitted",
                " auto-generated",
                Some(Signal::AutomaticMessage),
            ),
            (
                "Auto-Submitted",
                "\r\n auto-notified",
                Some(Signal::AutomaticMessage),
            ),
            ("X-Auto-Response-Suppress", " All", None),
            ("X-Autoreply", " yes", Some(Signal::AutomaticReply)),
            ("X-Autorespond", " Re: hello", Some(Signal::AutomaticReply)),
            ("X-Autoreply", " no", None),
            ("Precedence", " Bulk", Some(Signal::Bulk)),
            ("precedence", " junk", Some(Signal::Bulk)),
            ("Precedence", " list", Some(Signal::MailingList)),
            ("Precedence", " auto_reply", Some(Signal::AutomaticReply)),
            ("Precedence", " first-class", None),
            ("List-ID", " <a.example>", Some(Signal::MailingList)),
            (
                "list-unsubscribe",
                " <mailto:a@b>",
                Some(Signal::MailingList),
            ),
            ("List-Unsubscribe-Post", " List-Unsubscribe=One-Click", None),
            ("Subject", " Auto-Submitted: auto-replied", None),
        ];
        for (name, value, expected) in table {
            assert_eq!(signal(&field(name, value)), expected, "{name}:{value}");
        }
    }

    #[test]
    fn sensitivity_is_read_in_any_case() {
        let table = [
            (" Personal", Sensitivity::Personal),
            (" PRIVATE (x)", Sensitivity::Private),
            (" Company-Confidential", Sensitivity::Confidential),
            (" Normal", Sensitivity::Normal),
            (" top secret", Sensitivity::Normal),
        ];
        for (value, expected) in table {
            assert_eq!(sensitivity(&field("Sensitivity", value)), expected);
        }
    }
}
