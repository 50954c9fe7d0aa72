//! Exchange journal reports: the mail inside, and the recipients that only the envelope names.
//!
//! A report is a `multipart/mixed` of a text that lists the envelope, one `Name: address` to a
//! line, and the mail as `message/rfc822` (Exchange journaling, "journal report information"). It
//! is taken off once; a report inside a report is a mail.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::calendar::is_meeting;
use super::fields::{Field, fields};
use super::headers::{self, Headers};
use super::keys::fast_key;
use super::parts::{Part, Parts, Shape, walk};
use super::split::split;
use super::{address_list, decode, ids};
use crate::message::{FastKey, Mailbox, MessageFlag, MessageLimits};

/// Where an envelope has begun, if there is one.
pub(super) const PEEK_BYTES: usize = 4_096;

const ADDRESS_LINES: [&str; 5] = ["To", "Cc", "Bcc", "Recipient", "On-Behalf-Of"];

/// The mail out of a report.
pub(super) struct Unwrapped {
    pub(super) headers: Headers,
    pub(super) fast_key: FastKey,
}

/// What a header block says about being a journal report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Claim {
    /// `X-MS-Journal-Report` says so.
    Named,
    /// It has the shape; only the envelope can tell.
    Possible,
    None,
}

pub(super) fn claim(fields: &[Field<'_>]) -> Claim {
    if fields.iter().any(|field| field.is("X-MS-Journal-Report")) {
        return Claim::Named;
    }
    let content_type = fields.iter().find(|field| field.is("Content-Type"));
    match content_type {
        Some(field) if field.keyword().starts_with("multipart/mixed") && !is_meeting(fields) => {
            Claim::Possible
        }
        _ => Claim::None,
    }
}

/// Whether the beginning of a body can be an envelope.
pub(super) fn begins_like_envelope(body: &[u8]) -> bool {
    let is_sender = |line: usize| {
        let start = body.get(line..).unwrap_or_default();
        let name = start.get(.."Sender:".len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(b"Sender:"))
    };
    is_sender(0) || memchr::memchr_iter(b'\n', body).any(|end| is_sender(end + 1))
}

/// Takes the report off.
pub(super) fn unwrap(report: &[u8], claim: Claim, limits: &MessageLimits) -> Option<Unwrapped> {
    let (mail, envelope) = open(report, claim, limits)?;
    let (header, body) = split(&mail);
    let fields = fields(header);
    let mut headers = headers::read(&fields, limits);
    let fast_key = fast_key(&fields, blake3::hash(body));
    add_recipients(&mut headers, envelope.recipients);
    headers.flags.push(MessageFlag::JournalUnwrapped);
    Some(Unwrapped { headers, fast_key })
}

/// The mail that counts: the one inside, if the original is a journal report that the reader
/// unwraps.
pub(super) fn mail_inside<'a>(original: &'a [u8], limits: &MessageLimits) -> Cow<'a, [u8]> {
    let (header, body) = split(original);
    let claim = claim(&fields(header));
    let begins = || {
        let beginning = body.get(..PEEK_BYTES).unwrap_or(body);
        claim == Claim::Named || begins_like_envelope(beginning)
    };
    if claim == Claim::None || body.len() > limits.journal_bytes || !begins() {
        return Cow::Borrowed(original);
    }
    open(original, claim, limits).map_or(Cow::Borrowed(original), |(mail, _)| mail)
}

/// Without the header that names it a report, the envelope must name the Message-ID of the mail
/// inside: then nobody but its writer can have meant anything else.
fn open<'a>(
    report: &'a [u8],
    claim: Claim,
    limits: &MessageLimits,
) -> Option<(Cow<'a, [u8]>, Envelope)> {
    let parts = walk(report, limits);
    let mail = inner_mail(&parts)?;
    let envelope = Envelope::read(&parts);
    let fields = fields(split(&mail).0);
    if fields.is_empty() {
        return None;
    }
    let id = fields.iter().find(|field| field.is("Message-ID"));
    let id = id.and_then(|field| ids::read_one(field.value));
    let same_id = id.is_some() && envelope.message_id == id;
    let meant = claim == Claim::Named || (same_id && envelope.has_sender);
    meant.then_some((mail, envelope))
}

fn inner_mail<'a>(parts: &Parts<'a>) -> Option<Cow<'a, [u8]>> {
    let part = parts
        .list
        .iter()
        .skip(1)
        .find(|part| !part.embedded && part.media_type == "message/rfc822")?;
    match part.shape {
        Shape::Message => Some(part.body.into()),
        _ => Some(decode::transfer(part.body, &part.encoding).0),
    }
}

#[derive(Default)]
struct Envelope {
    has_sender: bool,
    message_id: Option<String>,
    recipients: Vec<Mailbox>,
}

impl Envelope {
    fn read(parts: &Parts<'_>) -> Self {
        let is_text = |part: &&Part<'_>| !part.embedded && part.media_type == "text/plain";
        let mut envelope = Self::default();
        let Some(part) = parts.list.iter().skip(1).find(is_text) else {
            return envelope;
        };
        let (bytes, _) = decode::transfer(part.body, &part.encoding);
        let charset = part
            .content_type
            .as_ref()
            .and_then(|t| t.attribute("charset"));
        let (text, _) = decode::charset(&bytes, charset);
        for line in text.lines() {
            envelope.take(line);
        }
        envelope
    }

    fn take(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let name = name.trim();
        if name.eq_ignore_ascii_case("Sender") {
            self.has_sender = true;
        } else if name.eq_ignore_ascii_case("Message-Id") {
            self.message_id = ids::read_one(value.as_bytes());
        } else if ADDRESS_LINES
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
        {
            let list = address_list::read(without_history(value).as_bytes());
            self.recipients.extend(list.mailboxes);
        }
    }
}

/// Leaves out how a recipient came to be one: `, Expanded: list@…` and `, Forwarded: mailbox@…`.
fn without_history(value: &str) -> &str {
    let lower = value.to_ascii_lowercase();
    let marks = [", expanded:", ", forwarded:"];
    let end = marks.iter().filter_map(|mark| lower.find(mark)).min();
    value.get(..end.unwrap_or(value.len())).unwrap_or(value)
}

/// Adds the recipients that the mail does not name as blind ones.
fn add_recipients(headers: &mut Headers, recipients: Vec<Mailbox>) {
    let mut bcc = headers.bcc.take().unwrap_or_default();
    let lists = [&headers.to, &headers.cc].into_iter().flatten().flatten();
    let named = lists.chain(&headers.from).chain(&bcc);
    let mut named: BTreeSet<_> = named.filter_map(|m| m.address.smtp().cloned()).collect();
    for recipient in recipients {
        if let Some(address) = recipient.address.smtp()
            && named.insert(address.clone())
        {
            bcc.push(recipient);
        }
    }
    headers.bcc = Some(bcc);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_no_part_of_a_recipient() {
        let table = [
            (" a@b.example", " a@b.example"),
            (" a@b.example, Expanded: list@b.example", " a@b.example"),
            (" a@b.example, forwarded: c@d.example", " a@b.example"),
            (" a@b.example, c@d.example", " a@b.example, c@d.example"),
        ];
        for (value, recipient) in table {
            assert_eq!(without_history(value), recipient);
        }
    }

    #[test]
    fn only_some_headers_claim_a_report() {
        let table: &[(&[u8], Claim)] = &[
            (b"x-ms-journal-REPORT:\n\n", Claim::Named),
            (
                b"Content-Type: Multipart/Mixed; boundary=b\n\n",
                Claim::Possible,
            ),
            (b"Content-Type: text/plain\n\n", Claim::None),
            (b"A: b\n\n", Claim::None),
        ];
        for (header, expected) in table {
            assert_eq!(claim(&fields(header)), *expected);
        }
    }
}
