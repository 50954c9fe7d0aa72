//! What the server reads from the MIME of a message.
//!
//! It alone knows the MIME parser, together with `content`.

use std::sync::Arc;

use jiff::Timestamp;
use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders};

/// The sensitivity of an item (SensitivityChoicesType).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sensitivity {
    /// Not marked.
    #[default]
    Normal,
    /// Marked as personal.
    Personal,
    /// Marked as private.
    Private,
    /// Marked as company-confidential.
    Confidential,
}

impl Sensitivity {
    /// The name in the schema.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Personal => "Personal",
            Self::Private => "Private",
            Self::Confidential => "Confidential",
        }
    }

    /// Reads a name of the schema or of the header field (RFC 2156).
    pub(crate) fn by_name(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "personal" => Self::Personal,
            "private" => Self::Private,
            "company-confidential" | "confidential" => Self::Confidential,
            _ => Self::Normal,
        }
    }
}

/// One address as EWS shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailAddress {
    pub(crate) name: String,
    pub(crate) address: String,
    /// The SMTP address, also where `address` is of another kind.
    pub(crate) smtp: String,
    pub(crate) routing: &'static str,
}

/// The facts of one message.
#[derive(Clone, Debug, Default)]
pub(crate) struct MimeFacts {
    pub(crate) subject: Arc<str>,
    pub(crate) from: Option<MailAddress>,
    pub(crate) sender: Option<MailAddress>,
    pub(crate) to: Vec<MailAddress>,
    pub(crate) cc: Vec<MailAddress>,
    pub(crate) bcc: Vec<MailAddress>,
    pub(crate) reply_to: Vec<MailAddress>,
    pub(crate) message_id: Option<String>,
    pub(crate) in_reply_to: Option<String>,
    pub(crate) references: Option<String>,
    pub(crate) sent: Option<Timestamp>,
    pub(crate) sensitivity: Sensitivity,
    pub(crate) importance: &'static str,
    pub(crate) item_class: &'static str,
    pub(crate) has_attachments: bool,
}

impl MimeFacts {
    pub(crate) fn of(mime: &[u8]) -> Self {
        match MessageParser::default().parse(mime) {
            Some(message) => Self::from_message(&message),
            None => Self {
                item_class: "IPM.Note",
                importance: "Normal",
                ..Self::default()
            },
        }
    }

    fn from_message(message: &Message<'_>) -> Self {
        let from = addresses(message.from()).into_iter().next();
        let sender = addresses(message.sender()).into_iter().next();
        Self {
            subject: message.subject().unwrap_or_default().into(),
            sender: sender.or_else(|| from.clone()),
            from,
            to: addresses(message.to()),
            cc: addresses(message.cc()),
            bcc: addresses(message.bcc()),
            reply_to: addresses(message.reply_to()),
            message_id: message.message_id().map(|id| format!("<{id}>")),
            in_reply_to: ids(message.in_reply_to()),
            references: ids(message.references()),
            sent: message
                .date()
                .and_then(|at| Timestamp::from_second(at.to_timestamp()).ok()),
            sensitivity: Sensitivity::by_name(raw(message, "Sensitivity")),
            importance: importance(message),
            item_class: item_class(message),
            has_attachments: message.attachment_count() > 0,
        }
    }

    /// Shows an SMTP address as an address inside the organisation.
    pub(crate) fn route_by_ex(&mut self, smtp: &str, legacy_dn: &str) {
        let lists = [
            &mut self.to,
            &mut self.cc,
            &mut self.bcc,
            &mut self.reply_to,
        ];
        let listed = lists.into_iter().flat_map(|list| list.iter_mut());
        let all = listed
            .chain(self.from.iter_mut())
            .chain(self.sender.iter_mut());
        for mailbox in all.filter(|mailbox| mailbox.address.eq_ignore_ascii_case(smtp)) {
            legacy_dn.clone_into(&mut mailbox.address);
            mailbox.routing = "EX";
        }
    }
}

fn addresses(header: Option<&Address<'_>>) -> Vec<MailAddress> {
    let all = header.into_iter().flat_map(Address::iter);
    all.map(|one| {
        let address = one.address().unwrap_or_default().to_owned();
        let name = one.name().unwrap_or(&address).to_owned();
        MailAddress {
            name,
            smtp: address.clone(),
            address,
            routing: "SMTP",
        }
    })
    .collect()
}

fn ids(value: &HeaderValue<'_>) -> Option<String> {
    let all: Vec<_> = match value {
        HeaderValue::Text(id) => vec![format!("<{id}>")],
        HeaderValue::TextList(ids) => ids.iter().map(|id| format!("<{id}>")).collect(),
        _ => return None,
    };
    Some(all.join(" "))
}

fn raw<'m>(message: &'m Message<'_>, name: &'static str) -> &'m str {
    message.header_raw(name).unwrap_or_default().trim()
}

fn importance(message: &Message<'_>) -> &'static str {
    let stated = raw(message, "Importance").to_ascii_lowercase();
    match (
        stated.as_str(),
        raw(message, "X-Priority").as_bytes().first(),
    ) {
        ("high", _) | ("", Some(b'1' | b'2')) => "High",
        ("low", _) | ("", Some(b'4' | b'5')) => "Low",
        _ => "Normal",
    }
}

/// The item class that Exchange gives to a message that arrives from outside.
fn item_class(message: &Message<'_>) -> &'static str {
    let Some(top) = message.content_type() else {
        return "IPM.Note";
    };
    let kind = top.ctype().to_ascii_lowercase();
    let subtype = top.subtype().unwrap_or_default().to_ascii_lowercase();
    match (kind.as_str(), subtype.as_str()) {
        ("multipart", "report") => report_class(top.attribute("report-type").unwrap_or_default()),
        ("multipart", "signed") => "IPM.Note.SMIME.MultipartSigned",
        ("application", "pkcs7-mime" | "x-pkcs7-mime") => "IPM.Note.SMIME",
        _ => meeting_class(message).unwrap_or("IPM.Note"),
    }
}

fn report_class(report_type: &str) -> &'static str {
    match report_type.to_ascii_lowercase().as_str() {
        "delivery-status" => "REPORT.IPM.Note.NDR",
        "disposition-notification" => "REPORT.IPM.Note.IPNRN",
        _ => "IPM.Note",
    }
}

fn meeting_class(message: &Message<'_>) -> Option<&'static str> {
    let mut calendar = message
        .parts
        .iter()
        .filter(|part| part.is_content_type("text", "calendar"));
    let method = calendar.find_map(|part| part.content_type()?.attribute("method"))?;
    match method.to_ascii_uppercase().as_str() {
        "REQUEST" => Some("IPM.Schedule.Meeting.Request"),
        "CANCEL" => Some("IPM.Schedule.Meeting.Canceled"),
        "REPLY" => Some("IPM.Schedule.Meeting.Resp.Pos"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_and_ids_come_from_the_header() {
        let facts = MimeFacts::of(
            b"From: Ann <ann@a.example>\r\nTo: b@b.example, \"C, D\" <c@c.example>\r\n\
              Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@a.example>\r\n\
              References: <0@a.example> <x@b.example>\r\nSensitivity: Private\r\n\
              Date: Mon, 5 Jan 2026 09:00:00 +0100\r\n\r\nHello",
        );
        assert_eq!(&*facts.subject, "Gr\u{fc}\u{df}e");
        assert_eq!(facts.from.as_ref().unwrap().address, "ann@a.example");
        assert_eq!(facts.sender, facts.from);
        let to: Vec<_> = facts
            .to
            .iter()
            .map(|one| (&*one.name, &*one.address))
            .collect();
        assert_eq!(
            to,
            [("b@b.example", "b@b.example"), ("C, D", "c@c.example")]
        );
        assert_eq!(facts.message_id.as_deref(), Some("<1@a.example>"));
        assert_eq!(
            facts.references.as_deref(),
            Some("<0@a.example> <x@b.example>")
        );
        assert_eq!(facts.sensitivity, Sensitivity::Private);
        assert_eq!(facts.sent.unwrap().to_string(), "2026-01-05T08:00:00Z");
    }

    #[test]
    fn item_classes_follow_the_content_type() {
        for (content_type, class) in [
            ("text/plain", "IPM.Note"),
            (
                "multipart/report; report-type=delivery-status; boundary=b",
                "REPORT.IPM.Note.NDR",
            ),
            (
                "multipart/report; report-type=disposition-notification; boundary=b",
                "REPORT.IPM.Note.IPNRN",
            ),
            (
                "multipart/signed; boundary=b",
                "IPM.Note.SMIME.MultipartSigned",
            ),
            (
                "application/pkcs7-mime; smime-type=enveloped-data",
                "IPM.Note.SMIME",
            ),
            (
                "text/calendar; method=REQUEST",
                "IPM.Schedule.Meeting.Request",
            ),
            (
                "text/calendar; method=CANCEL",
                "IPM.Schedule.Meeting.Canceled",
            ),
        ] {
            let mime = format!("Content-Type: {content_type}\r\n\r\nx\r\n");
            assert_eq!(
                MimeFacts::of(mime.as_bytes()).item_class,
                class,
                "{content_type}"
            );
        }
    }

    #[test]
    fn no_mail_at_all_is_still_an_item() {
        assert_eq!(MimeFacts::of(b"").item_class, "IPM.Note");
    }
}
