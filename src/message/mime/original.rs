//! An original opened for a view: its fields for display and its parts with their places.
//!
//! Knows the MIME parser so that the view need not. Nothing is decoded before it is asked for.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;

use super::dates::{self, Date};
use super::parts::{Part, Shape, walk};
use super::{address_list, decode, file_name, journal};
use crate::message::{Mailbox, MessageLimits};

/// An original with its parts.
#[derive(Debug)]
pub(crate) struct Original<'a> {
    mail: Cow<'a, [u8]>,
    pub(crate) subject: String,
    pub(crate) from: Vec<Mailbox>,
    pub(crate) to: Vec<Mailbox>,
    pub(crate) cc: Vec<Mailbox>,
    pub(crate) sent: Option<Timestamp>,
    /// In the order of the mail, a container before what it holds.
    pub(crate) parts: Vec<OriginalPart>,
    /// Parts beyond the limits were not taken apart, or a multipart did not end.
    pub(crate) incomplete: bool,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PartShape {
    Leaf,
    Multipart,
    Message,
}

/// What a part is meant for (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Disposition {
    Unsaid,
    Inline,
    Attachment,
}

/// One part; its bytes are asked of the [`Original`].
#[derive(Debug)]
pub(crate) struct OriginalPart {
    pub(crate) shape: PartShape,
    pub(crate) media_type: String,
    /// Clean, never empty.
    pub(crate) name: Option<String>,
    pub(crate) disposition: Disposition,
    pub(crate) content_id: Option<String>,
    pub(crate) embedded: bool,
    pub(crate) alternative: Option<usize>,
    pub(crate) related: bool,
    pub(crate) charset: Option<String>,
    /// In lower case, as are the next two.
    pub(crate) protocol: String,
    pub(crate) smime_type: String,
    pub(crate) method: String,
    encoding: String,
    body: Range<usize>,
}

impl<'a> Original<'a> {
    /// Opens an original; of a journal report the mail inside.
    pub(crate) fn open(original: &'a [u8], limits: &MessageLimits) -> Self {
        let mail = journal::mail_inside(original, limits);
        let parts = walk(&mail, limits);
        let fields = parts.list.first().map(|part| &*part.fields);
        let fields = fields.unwrap_or_default();
        let find = |name: &str| fields.iter().find(|field| field.is(name));
        let addresses = |name: &str| {
            let found = fields.iter().filter(|field| field.is(name));
            let lists = found.map(|field| address_list::read(field.value).mailboxes);
            lists.flatten().take(limits.addresses).collect()
        };
        let sent = match find("Date").map(dates::read) {
            Some(Date::At(sent)) => Some(sent),
            _ => None,
        };
        let opened = Self {
            subject: find("Subject").map_or_else(String::new, decode::text),
            from: addresses("From"),
            to: addresses("To"),
            cc: addresses("Cc"),
            sent,
            parts: parts.list.iter().map(part).collect(),
            incomplete: parts.limited || parts.damaged,
            mail: Cow::Borrowed(&[]),
        };
        Self { mail, ..opened }
    }

    /// The bytes of a part after its transfer encoding.
    pub(crate) fn bytes(&self, part: &OriginalPart) -> Cow<'_, [u8]> {
        let body = self.mail.get(part.body.clone()).unwrap_or_default();
        match part.shape {
            PartShape::Leaf => decode::transfer(body, &part.encoding).0,
            PartShape::Multipart | PartShape::Message => Cow::Borrowed(body),
        }
    }

    /// The text of a part, decoded.
    pub(crate) fn text(&self, part: &OriginalPart) -> String {
        decode::charset(&self.bytes(part), part.charset.as_deref()).0
    }
}

fn part(part: &Part<'_>) -> OriginalPart {
    let of_type = |name| {
        let value = part.content_type.as_ref().and_then(|t| t.attribute(name));
        value.unwrap_or_default().trim().to_ascii_lowercase()
    };
    let disposition = part.disposition.as_ref();
    let name = file_name::given(part.content_type.as_ref(), disposition);
    let body = part.body_range();
    OriginalPart {
        shape: match part.shape {
            Shape::Leaf => PartShape::Leaf,
            Shape::Multipart => PartShape::Multipart,
            Shape::Message => PartShape::Message,
        },
        media_type: part.media_type.clone(),
        name: name.filter(|name| !name.is_empty()),
        disposition: match disposition {
            Some(said) if said.is_attachment() => Disposition::Attachment,
            Some(said) if said.is_inline() => Disposition::Inline,
            _ => Disposition::Unsaid,
        },
        content_id: part.content_id.clone(),
        embedded: part.embedded,
        alternative: part.alternative,
        related: part.related,
        charset: Some(of_type("charset")).filter(|charset| !charset.is_empty()),
        protocol: of_type("protocol"),
        smime_type: of_type("smime-type"),
        method: of_type("method"),
        encoding: part.encoding.clone(),
        body,
    }
}

/// HTML without its markup.
pub(crate) fn markup_to_text(html: &str) -> String {
    decode::html_to_text(html)
}

/// A clean file name; empty when nothing is left.
pub(crate) fn clean_file_name(name: &str) -> String {
    file_name::clean(name)
}
