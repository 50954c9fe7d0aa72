//! The MIME of an item that a client creates without any: a plain message from its fields.

use crate::testkit::exchange::xml::Element;

/// Builds a text message of a Message element.
pub(crate) fn build(item: &Element) -> Vec<u8> {
    let mut mime = String::new();
    for (element, field) in [
        ("From", "From"),
        ("ToRecipients", "To"),
        ("CcRecipients", "Cc"),
    ] {
        let addresses = addresses(item.types(element));
        if !addresses.is_empty() {
            mime.push_str(&format!("{field}: {addresses}\r\n"));
        }
    }
    let subject = item.types_text("Subject").unwrap_or_default();
    let kind = item
        .types("Body")
        .and_then(|body| body.attribute("BodyType"));
    let subtype = if kind == Some("HTML") {
        "html"
    } else {
        "plain"
    };
    mime.push_str(&format!(
        "Subject: {}\r\nMIME-Version: 1.0\r\nContent-Type: text/{subtype}; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n",
        one_line(subject),
    ));
    mime.push_str(item.types("Body").map_or("", |body| body.text.as_str()));
    mime.into_bytes()
}

fn addresses(list: Option<&Element>) -> String {
    let mailboxes = list.iter().flat_map(|list| &list.children);
    let addresses = mailboxes.filter_map(|mailbox| mailbox.types_text("EmailAddress"));
    addresses
        .map(|address| format!("<{}>", one_line(address)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}
