//! What Exchange says about one mail besides its MIME.

use jiff::Timestamp;

use super::super::request::{STAMP_NAME, STAMP_SET};
use super::super::soap::{Node, Ns};
use crate::message::{FactAddress, ItemClass, MailFacts, Sensitivity};

/// Tags of the SMTP addresses of the sender and of who is represented (MS-OXPROPS).
pub(in crate::source::ews) const SENDER_SMTP: &str = "0x5d01";
/// See [`SENDER_SMTP`].
pub(in crate::source::ews) const REPRESENTED_SMTP: &str = "0x5d02";

/// Reads the facts of an item element. Missing, empty and unknown elements are passed over.
pub(in crate::source::ews) fn item_facts(item: Node<'_>) -> MailFacts {
    let text = |name| item.child_text(Ns::Types, name);
    let time = |name| text(name).and_then(timestamp);
    MailFacts {
        from: single(item, "From").map(|from| with_smtp(from, item, REPRESENTED_SMTP)),
        sender: single(item, "Sender").map(|from| with_smtp(from, item, SENDER_SMTP)),
        to: several(item, "ToRecipients"),
        cc: several(item, "CcRecipients"),
        bcc: several(item, "BccRecipients"),
        subject: text("Subject").map(str::to_owned),
        message_id: text("InternetMessageId").map(str::to_owned),
        sent: time("DateTimeSent"),
        received: time("DateTimeReceived"),
        sensitivity: text("Sensitivity").and_then(sensitivity),
        class: text("ItemClass").map(ItemClass::from_item_class),
        web_link: None,
        size: text("Size").and_then(|size| size.parse().ok()),
        damaged: false,
    }
}

/// Every Exchange address in the facts that is not resolved yet.
pub(in crate::source::ews) fn unresolved(facts: &mut MailFacts) -> Vec<&mut FactAddress> {
    let single = facts.from.iter_mut().chain(&mut facts.sender);
    let several = facts
        .to
        .iter_mut()
        .chain(&mut facts.cc)
        .chain(&mut facts.bcc);
    single
        .chain(several)
        .filter(|address| address.exchange)
        .collect()
}

/// Reads a mailbox element.
pub(in crate::source::ews) fn fact_address(mailbox: Node<'_>) -> FactAddress {
    let text = |name| mailbox.child_text(Ns::Types, name).map(str::to_owned);
    let address = text("EmailAddress");
    let routing = mailbox.child_text(Ns::Types, "RoutingType");
    let is_x500 = address.as_deref().is_some_and(|text| text.starts_with('/'));
    let exchange = match routing {
        Some(routing) => routing.eq_ignore_ascii_case("EX"),
        None => is_x500,
    };
    FactAddress {
        name: text("Name"),
        address,
        exchange,
    }
}

fn single(item: Node<'_>, name: &str) -> Option<FactAddress> {
    let mailbox = item.child(Ns::Types, name)?.child(Ns::Types, "Mailbox")?;
    Some(fact_address(mailbox))
}

fn several(item: Node<'_>, name: &str) -> Vec<FactAddress> {
    let list = item
        .child(Ns::Types, name)
        .into_iter()
        .flat_map(Node::children);
    list.filter(|node| node.is(Ns::Types, "Mailbox"))
        .map(fact_address)
        .collect()
}

fn with_smtp(mut address: FactAddress, item: Node<'_>, tag: &str) -> FactAddress {
    if let (true, Some(smtp)) = (address.exchange, property(item, tag))
        && smtp.contains('@')
    {
        address.address = Some(smtp.to_owned());
        address.exchange = false;
    }
    address
}

/// The value of an extended property, by its tag in lower case.
pub(super) fn property<'a>(item: Node<'a>, tag: &str) -> Option<&'a str> {
    let mut properties = item
        .children()
        .filter(|node| node.is(Ns::Types, "ExtendedProperty"))
        .filter(|node| {
            let field = node.child(Ns::Types, "ExtendedFieldURI");
            let found = field.and_then(|field| field.attribute("PropertyTag"));
            found.is_some_and(|found| same_tag(found, tag))
        });
    properties.next()?.child_text(Ns::Types, "Value")
}

/// Tags are written as `0x300B`, `0x300b` or in decimal.
fn same_tag(found: &str, tag: &str) -> bool {
    let number = |text: &str| match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    number(found).is_some() && number(found) == number(tag)
}

/// The bytes of a binary extended property.
pub(super) fn binary_property(item: Node<'_>, tag: &str) -> Option<Vec<u8>> {
    let text = property(item, tag)?;
    base64_simd::forgiving_decode_to_vec(text.as_bytes())
        .ok()
        .filter(|bytes| !bytes.is_empty())
}

/// The key of our own, where the item has one of the right length.
pub(super) fn stamp(item: Node<'_>) -> Option<[u8; 16]> {
    let is_ours = |field: &Node<'_>| {
        field.attribute("DistinguishedPropertySetId") == Some(STAMP_SET)
            && field.attribute("PropertyName") == Some(STAMP_NAME)
    };
    let mut properties = item
        .children()
        .filter(|node| node.is(Ns::Types, "ExtendedProperty"))
        .filter(|node| {
            let field = node.child(Ns::Types, "ExtendedFieldURI");
            field.is_some_and(|field| is_ours(&field))
        });
    let text = properties.next()?.child_text(Ns::Types, "Value")?;
    let bytes = base64_simd::forgiving_decode_to_vec(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// A date and time; one without a zone is UTC.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let zoned = text.parse().ok();
    zoned.or_else(|| format!("{text}Z").parse().ok())
}

/// How private an item is; nothing for a word that is not known.
pub(super) fn sensitivity(text: &str) -> Option<Sensitivity> {
    match text {
        "Normal" => Some(Sensitivity::Normal),
        "Personal" => Some(Sensitivity::Personal),
        "Private" => Some(Sensitivity::Private),
        "Confidential" => Some(Sensitivity::Confidential),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        for text in [
            "2026-11-01T10:00:00Z",
            "2026-11-01T10:00:00",
            "2026-11-01T12:00:00+02:00",
        ] {
            let found = timestamp(text).map(|time| time.to_string());
            assert_eq!(found.as_deref(), Some("2026-11-01T10:00:00Z"));
        }
        assert_eq!(timestamp("yesterday"), None);
    }
}
