//! The MIME of an item that a client creates without any: a plain message from its fields.

use crate::testkit::exchange::xml::Element;

/// Builds a text message of a Message element.
pub(crate) fn build(item: &Element) -> Vec<u8> {
    let mut lines = Vec::new();
    for (element, field) in [
        ("From", "From"),
        ("ToRecipients", "To"),
        ("CcRecipients", "Cc"),
    ] {
        let addresses = addresses(item.types(element));
        if !addresses.is_empty() {
            lines.push(format!("{field}: {addresses}"));
        }
    }
    let subject = item.types_text("Subject").unwrap_or_default();
    let body = item.types("Body");
    let is_html = body.and_then(|body| body.attribute("BodyType")) == Some("HTML");
    let subtype = if is_html { "html" } else { "plain" };
    lines.push(format!("Subject: {}", one_line(subject)));
    lines.push("MIME-Version: 1.0".to_owned());
    lines.push(format!("Content-Type: text/{subtype}; charset=utf-8"));
    lines.push("Content-Transfer-Encoding: 8bit".to_owned());
    lines.push(String::new());
    lines.push(body.map_or_else(String::new, |body| body.text.clone()));
    lines.join("\r\n").into_bytes()
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
