//! What the header block of one mail says, before the server's facts are laid beside it.

use mail_parser::ContentType;

use super::address_list;
use super::dates::{self, Date};
use super::fields::Field;
use super::{decode, ids, kind, signals};
use crate::message::authenticity::MAX_STAMPS;
use crate::message::{
    AuthenticityStamp, ItemClass, Mailbox, MessageFlag, MessageLimits, Sensitivity, Signal,
};

/// RFC 5322 2.1.1: no line, and so no Message-ID, is longer.
pub(super) const MAX_ID_BYTES: usize = 998;

#[derive(Default)]
pub(super) struct Headers {
    pub(super) from: Vec<Mailbox>,
    pub(super) sender: Option<Mailbox>,
    pub(super) reply_to: Vec<Mailbox>,
    /// None where there is no such field, which is not the same as one without mailboxes.
    pub(super) to: Option<Vec<Mailbox>>,
    pub(super) cc: Option<Vec<Mailbox>>,
    pub(super) bcc: Option<Vec<Mailbox>>,
    pub(super) message_id: Option<String>,
    pub(super) in_reply_to: Vec<String>,
    pub(super) references: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) date: Option<Date>,
    pub(super) sensitivity: Sensitivity,
    pub(super) signals: Vec<Signal>,
    pub(super) class: Option<ItemClass>,
    pub(super) flags: Vec<MessageFlag>,
    /// What speaks of the author's authenticity, the topmost first.
    pub(super) stamps: Vec<AuthenticityStamp>,
    from_fields: usize,
    received: usize,
}

/// Reads a header block.
pub(super) fn read(fields: &[Field<'_>], limits: &MessageLimits) -> Headers {
    let mut headers = Headers::default();
    for (position, field) in fields.iter().enumerate() {
        headers.take(field);
        headers.take_stamp(position, field);
    }
    if headers.from_fields > 1 {
        headers.flags.push(MessageFlag::SeveralFromHeaders);
    }
    if headers.received > limits.received_hops {
        headers.flags.push(MessageFlag::LoopSuspected);
    }
    headers
}

impl Headers {
    fn take(&mut self, field: &Field<'_>) {
        match field.name.len() {
            8 if field.is("Received") => self.received += 1,
            4 if field.is("From") => {
                self.from_fields += 1;
                let authors = self.mailboxes(field);
                self.from.extend(authors);
            }
            2 if field.is("To") => self.to = Some(self.more(field, |h| h.to.take())),
            2 if field.is("Cc") => self.cc = Some(self.more(field, |h| h.cc.take())),
            3 if field.is("Bcc") => self.bcc = Some(self.more(field, |h| h.bcc.take())),
            6 if field.is("Sender") && self.sender.is_none() => {
                self.sender = self.mailboxes(field).into_iter().next();
            }
            8 if field.is("Reply-To") => {
                let answers = self.mailboxes(field);
                self.reply_to.extend(answers);
            }
            4 | 7 | 10 | 11 => self.take_text(field),
            12 if field.is("Content-Type") && self.class.is_none() => self.take_type(field),
            _ => {}
        }
        self.signals.extend(signals::signal(field));
    }

    /// Only three names have these lengths, so that any other field costs one comparison.
    fn take_stamp(&mut self, position: usize, field: &Field<'_>) {
        if matches!(field.name.len(), 22 | 33 | 37) && self.stamps.len() < MAX_STAMPS {
            let stamp = AuthenticityStamp::read(position, field.name, field.value);
            self.stamps.extend(stamp);
        }
    }

    fn take_text(&mut self, field: &Field<'_>) {
        if field.is("Subject") && self.subject.is_none() {
            self.check_charset(field);
            self.subject = Some(decode::text(field));
        } else if field.is("Date") && self.date.is_none() {
            self.date = Some(dates::read(field));
        } else if field.is("Message-ID") && self.message_id.is_none() {
            self.message_id = ids::read_one(field.value);
        } else if field.is("In-Reply-To") {
            self.in_reply_to.extend(ids::read(field.value));
        } else if field.is("References") {
            self.references.extend(ids::read(field.value));
        } else if field.is("Sensitivity") {
            self.sensitivity = self.sensitivity.max(signals::sensitivity(field));
        }
    }

    fn take_type(&mut self, field: &Field<'_>) {
        let found: Option<ContentType<'_>> = decode::content_type(field);
        let media_type = kind::media_type(found.as_ref());
        self.class = Some(kind::class(&media_type, found.as_ref()));
        self.flags.extend(kind::closed(&media_type));
    }

    fn mailboxes(&mut self, field: &Field<'_>) -> Vec<Mailbox> {
        self.check_charset(field);
        let list = address_list::read(field.value);
        if list.beyond_limit {
            self.flags.push(MessageFlag::AddressLimit);
        }
        list.mailboxes
    }

    /// A field may be there several times (RFC 5322 4.5.3); all its mailboxes count.
    fn more(
        &mut self,
        field: &Field<'_>,
        before: fn(&mut Self) -> Option<Vec<Mailbox>>,
    ) -> Vec<Mailbox> {
        let mut all = before(self).unwrap_or_default();
        all.extend(self.mailboxes(field));
        all
    }

    /// Raw bytes are UTF-8 (RFC 6532) or in a charset that nobody names.
    fn check_charset(&mut self, field: &Field<'_>) {
        if std::str::from_utf8(field.value).is_err() {
            self.flags.push(MessageFlag::HeaderCharset);
        }
    }
}
