//! What is read from the MIME only when a client asks for it: bodies, header fields, attachments.

use mail_parser::{ContentType, Message, MessageParser, MessagePart, MimeHeaders, PartType};

/// One attachment as EWS lists it.
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) content_id: Option<String>,
    pub(crate) size: usize,
    pub(crate) is_inline: bool,
    pub(crate) is_message: bool,
}

/// A parsed message, made at the first question about its content.
pub(crate) struct Content<'m> {
    message: Option<Message<'m>>,
}

impl<'m> Content<'m> {
    pub(crate) fn of(mime: &'m [u8]) -> Self {
        Self {
            message: MessageParser::default().parse(mime),
        }
    }

    /// The body as HTML, if the message has one, else as text.
    pub(crate) fn best_body(&self) -> (&'static str, String) {
        let html = self
            .message
            .as_ref()
            .filter(|m| m.html_bodies().any(MessagePart::is_text_html));
        match html.and_then(|message| message.body_html(0)) {
            Some(html) => ("HTML", html.into_owned()),
            None => ("Text", self.text_body()),
        }
    }

    pub(crate) fn html_body(&self) -> String {
        let body = self
            .message
            .as_ref()
            .and_then(|message| message.body_html(0));
        body.map_or_else(String::new, std::borrow::Cow::into_owned)
    }

    pub(crate) fn text_body(&self) -> String {
        let body = self
            .message
            .as_ref()
            .and_then(|message| message.body_text(0));
        body.map_or_else(String::new, std::borrow::Cow::into_owned)
    }

    /// The header fields in their order, unfolded.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let fields = self.message.iter().flat_map(Message::headers_raw);
        fields
            .map(|(name, value)| (name.to_owned(), unfold(value)))
            .collect()
    }

    /// The first header field of a name.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut fields = self.message.iter().flat_map(Message::headers_raw);
        let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| unfold(value))
    }

    pub(crate) fn attachments(&self) -> Vec<Attachment> {
        let parts = self.message.iter().flat_map(Message::attachments);
        parts.map(describe).collect()
    }
}

fn describe(part: &MessagePart<'_>) -> Attachment {
    let is_message = matches!(part.body, PartType::Message(_));
    let content_type = part.content_type().map_or_else(
        || "application/octet-stream".to_owned(),
        |kind| {
            format!(
                "{}/{}",
                kind.ctype(),
                kind.subtype().unwrap_or("octet-stream")
            )
        },
    );
    let inline = part
        .content_disposition()
        .is_some_and(ContentType::is_inline);
    Attachment {
        name: part.attachment_name().unwrap_or("attachment").to_owned(),
        content_type,
        content_id: part.content_id().map(str::to_owned),
        size: part.len(),
        is_inline: inline,
        is_message,
    }
}

fn unfold(value: &str) -> String {
    value
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}
