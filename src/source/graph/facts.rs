//! What Graph says about one mail besides its MIME: which fields are asked for and how they are read.

use jiff::Timestamp;

use super::json::{Message, Property, Recipient};
use crate::message::{FactAddress, ItemClass, MailFacts, Sensitivity};
use crate::source::{ItemRef, ListedItem, SightingKey};

/// The fields of a message that facts and listings are made of, as part of a query.
///
/// `Integer 0x0E08` is the size, `String 0x001A` the item class, `Integer 0x0036` the sensitivity and `Binary 0x300B` the
/// search key (MS-OXPROPS); Graph has no fields of its own for them.
pub(super) const FIELDS: &str = "$select=id,receivedDateTime,sentDateTime,subject,internetMessageId,\
webLink,from,sender,toRecipients,ccRecipients,bccRecipients&$expand=singleValueExtendedProperties(\
$filter=id%20eq%20%27Integer%200x0E08%27%20or%20id%20eq%20%27String%200x001A%27%20or%20id%20eq%20\
%27Integer%200x0036%27%20or%20id%20eq%20%27Binary%200x300B%27)";

/// As [`FIELDS`], of the key alone.
pub(super) const KEY: &str = "$select=id&$expand=singleValueExtendedProperties(\
$filter=id%20eq%20%27Binary%200x300B%27)";

const SIZE: u32 = 0x0E08;
const CLASS: u32 = 0x001A;
const SENSITIVITY: u32 = 0x0036;
const SEARCH_KEY: u32 = 0x300B;

/// The row of a listing and the facts that came along with it. A message without an id is none.
pub(super) fn row(message: Message) -> Option<(ListedItem, MailFacts)> {
    let id = message.id.clone()?;
    let key = search_key(&message).unwrap_or_else(|| SightingKey::ImmutableId(id.clone()));
    let facts = facts(message);
    let mut item = ListedItem::new(ItemRef::new(id));
    item.key = Some(key);
    item.size = facts.size;
    item.class = facts.class.unwrap_or(ItemClass::Mail);
    item.received = facts.received;
    item.sensitivity = facts.sensitivity;
    Some((item, facts))
}

/// The search key, where the message has one.
pub(super) fn search_key(message: &Message) -> Option<SightingKey> {
    let text = property(message, SEARCH_KEY)?;
    let bytes = base64_simd::forgiving_decode_to_vec(text.as_bytes()).ok()?;
    SightingKey::from_search_key(bytes)
}

/// The facts of a message. Missing and unknown values are passed over.
pub(super) fn facts(message: Message) -> MailFacts {
    let size = property(&message, SIZE).and_then(|text| text.parse().ok());
    let class = property(&message, CLASS).map(ItemClass::from_item_class);
    let sensitivity = property(&message, SENSITIVITY).and_then(sensitivity);
    MailFacts {
        from: message.from.and_then(address),
        sender: message.sender.and_then(address),
        to: addresses(message.to_recipients),
        cc: addresses(message.cc_recipients),
        bcc: addresses(message.bcc_recipients),
        subject: message.subject,
        message_id: message.internet_message_id,
        sent: message.sent_date_time.as_deref().and_then(time),
        received: message.received_date_time.as_deref().and_then(time),
        sensitivity,
        class,
        web_link: message.web_link,
        size,
        damaged: false,
    }
}

/// A date and time.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn addresses(recipients: Option<Vec<Recipient>>) -> Vec<FactAddress> {
    let recipients = recipients.into_iter().flatten();
    recipients.filter_map(address).collect()
}

/// An address. One that begins with a slash is Exchange's own (X.500), which Graph gives where it has no other.
fn address(recipient: Recipient) -> Option<FactAddress> {
    let found = recipient.email_address?;
    let exchange = found
        .address
        .as_deref()
        .is_some_and(|text| text.starts_with('/'));
    Some(FactAddress {
        name: found.name,
        address: found.address,
        exchange,
    })
}

fn property(message: &Message, tag: u32) -> Option<&str> {
    let properties = message.single_value_extended_properties.as_ref()?;
    let found = properties
        .iter()
        .find(|property| tag_of(property) == Some(tag))?;
    found.value.as_deref()
}

/// The tag of a property. Asked for as `Integer 0x0E08`, it comes back as `Integer 0xe08`.
fn tag_of(property: &Property) -> Option<u32> {
    let (_, tag) = property.id.split_once(' ')?;
    let digits = tag.strip_prefix("0x").or_else(|| tag.strip_prefix("0X"))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The numbers of `PidTagSensitivity` (MS-OXPROPS).
fn sensitivity(text: &str) -> Option<Sensitivity> {
    match text {
        "0" => Some(Sensitivity::Normal),
        "1" => Some(Sensitivity::Personal),
        "2" => Some(Sensitivity::Private),
        "3" => Some(Sensitivity::Confidential),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::json::read;
    use super::*;

    #[test]
    fn properties_are_found_however_their_tags_are_written() {
        let text = r#"{"id":"a","singleValueExtendedProperties":[
            {"id":"Integer 0xe08","value":"1234"},{"id":"String 0x1a","value":"IPM.Note"},
            {"id":"Integer 0x36","value":"2"},{"id":"Binary 0x300b","value":"AAEC"}]}"#;
        let (item, facts) = row(read(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(item.size, Some(1234));
        assert_eq!(item.class, ItemClass::Mail);
        assert_eq!(item.sensitivity, Some(Sensitivity::Private));
        assert_eq!(item.key, Some(SightingKey::SearchKey(vec![0, 1, 2])));
        assert_eq!(facts.size, Some(1234));
    }

    #[test]
    fn without_a_search_key_the_immutable_id_is_the_key() {
        for text in [
            r#"{"id":"a"}"#,
            r#"{"id":"a","singleValueExtendedProperties":[{"id":"Binary 0x300B","value":"!"}]}"#,
            r#"{"id":"a","singleValueExtendedProperties":[{"id":"Binary 0x300B","value":""}]}"#,
            r#"{"id":"a","singleValueExtendedProperties":[{"id":"Binary","value":"AAEC"}]}"#,
        ] {
            let (item, _) = row(read(text.as_bytes()).unwrap()).unwrap();
            assert_eq!(
                item.key,
                Some(SightingKey::ImmutableId("a".into())),
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_of_exchange_is_marked_and_one_without_anything_is_none() {
        let text = r#"{"id":"a","from":{"emailAddress":{"name":"A","address":"/O=X/CN=A"}},
            "sender":{},"toRecipients":[{"emailAddress":{"address":"b@example.com"}},{}]}"#;
        let facts = facts(read(text.as_bytes()).unwrap());
        assert!(facts.from.unwrap().exchange);
        assert_eq!(facts.sender, None);
        assert_eq!(facts.to.len(), 1);
        assert!(!facts.to[0].exchange);
    }
}
