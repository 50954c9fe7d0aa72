//! The second look: text and attachments out of the parts.

use std::borrow::Cow;
use std::collections::BTreeSet;

use mail_parser::ContentType;

use super::parts::{Part, Parts, Shape, walk};
use super::{decode, file_name, journal, kind};
use crate::message::{Attachment, MessageContent, MessageFlag, MessageLimits};

/// Markup is larger than its text; this many times the limit of the text is looked at.
const MARKUP_FACTOR: usize = 16;

/// Reads text and attachments of an original.
pub(super) fn read(original: &[u8], limits: &MessageLimits) -> MessageContent {
    let mail = journal::mail_inside(original, limits);
    let parts = walk(&mail, limits);
    let mut reader = BodyReader {
        limit: limits.indexed_text_bytes,
        text: String::new(),
        content: MessageContent::default(),
        readable: readable_alternatives(&parts),
    };
    reader.flag(parts.limited, MessageFlag::PartLimit);
    reader.flag(parts.damaged, MessageFlag::DamagedContent);
    for part in parts.list.iter().filter(|part| !part.embedded) {
        reader.take(part);
    }
    reader.finish()
}

/// The alternatives that have a plain text, so that their HTML is not needed.
fn readable_alternatives(parts: &Parts<'_>) -> BTreeSet<usize> {
    let plain = |part: &&Part<'_>| {
        part.media_type == "text/plain" && is_text(part) && !part.body.trim_ascii().is_empty()
    };
    let plain = parts.list.iter().filter(plain);
    plain.filter_map(|part| part.alternative).collect()
}

/// Whether a part is meant to be read rather than saved.
fn is_text(part: &Part<'_>) -> bool {
    let attached = part
        .disposition
        .as_ref()
        .is_some_and(ContentType::is_attachment);
    part.shape == Shape::Leaf
        && !attached
        && raw_name(part).is_none()
        && matches!(&*part.media_type, "text/plain" | "text/html")
}

fn raw_name<'p>(part: &'p Part<'_>) -> Option<&'p str> {
    file_name::raw(part.content_type.as_ref(), part.disposition.as_ref())
}

struct BodyReader {
    limit: usize,
    text: String,
    content: MessageContent,
    readable: BTreeSet<usize>,
}

impl BodyReader {
    fn flag(&mut self, given: bool, flag: MessageFlag) {
        if given {
            self.content.flags.push(flag);
        }
    }

    fn take(&mut self, part: &Part<'_>) {
        self.content.flags.extend(kind::closed(&part.media_type));
        match part.shape {
            Shape::Multipart => {}
            Shape::Leaf if is_text(part) => self.take_text(part),
            Shape::Leaf | Shape::Message => self.take_attachment(part),
        }
    }

    fn take_text(&mut self, part: &Part<'_>) {
        let is_html = part.media_type == "text/html";
        if is_html && part.alternative.is_some_and(|a| self.readable.contains(&a)) {
            return;
        }
        let (bytes, broken) = decode::transfer(part.body, &part.encoding);
        let charset = part
            .content_type
            .as_ref()
            .and_then(|t| t.attribute("charset"));
        let (text, lossy) = decode::charset(&bytes, charset);
        self.flag(broken || lossy, MessageFlag::DamagedContent);
        let text = if is_html {
            decode::html_to_text(cut(&text, self.limit.saturating_mul(MARKUP_FACTOR)))
        } else {
            text
        };
        let text = text.trim();
        if text.is_empty() || self.text.len() >= self.limit {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let room = self.limit.saturating_sub(self.text.len());
        self.text.push_str(cut(text, room));
    }

    fn take_attachment(&mut self, part: &Part<'_>) {
        let (bytes, broken) = match part.shape {
            Shape::Message => (Cow::Borrowed(part.body), false),
            _ => decode::transfer(part.body, &part.encoding),
        };
        self.flag(broken, MessageFlag::DamagedContent);
        let name = name(part);
        let tnef = name.eq_ignore_ascii_case("winmail.dat");
        self.flag(tnef, MessageFlag::OpaqueContent);
        let shown = part
            .disposition
            .as_ref()
            .is_some_and(ContentType::is_inline);
        self.content.attachments.push(Attachment {
            name,
            media_type: part.media_type.clone(),
            size: bytes.len() as u64,
            content_id: part.content_id.clone(),
            inline: shown || (part.related && part.content_id.is_some() && !is_saved(part)),
        });
    }

    fn finish(mut self) -> MessageContent {
        let text = self.text.replace("\r\n", "\n").replace('\0', "\u{fffd}");
        self.content.text = (!text.is_empty()).then(|| cut(&text, self.limit).to_owned());
        self.content.flags.sort();
        self.content.flags.dedup();
        self.content
    }
}

fn is_saved(part: &Part<'_>) -> bool {
    part.disposition
        .as_ref()
        .is_some_and(ContentType::is_attachment)
}

/// A clean name; where the mail gives none, one that says what it is.
fn name(part: &Part<'_>) -> String {
    let given = file_name::given(part.content_type.as_ref(), part.disposition.as_ref());
    match given {
        Some(name) if !name.is_empty() => name,
        _ if part.media_type == "message/rfc822" => "message.eml".to_owned(),
        _ if part.media_type == "text/calendar" => "invite.ics".to_owned(),
        _ => "attachment".to_owned(),
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}
