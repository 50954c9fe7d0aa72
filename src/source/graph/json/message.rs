//! A message, which is read even where a field of it is not what it should be: other people's mail must not make a page or a
//! batch unreadable.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::Said;

/// A message, as far as it was selected.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, remote = "Self")]
pub(in super::super) struct Message {
    pub(in super::super) id: Option<String>,
    pub(in super::super) parent_folder_id: Option<String>,
    pub(in super::super) received_date_time: Option<String>,
    pub(in super::super) sent_date_time: Option<String>,
    pub(in super::super) subject: Option<String>,
    pub(in super::super) internet_message_id: Option<String>,
    pub(in super::super) web_link: Option<String>,
    pub(in super::super) from: Option<Recipient>,
    pub(in super::super) sender: Option<Recipient>,
    pub(in super::super) to_recipients: Option<Vec<Recipient>>,
    pub(in super::super) cc_recipients: Option<Vec<Recipient>>,
    pub(in super::super) bcc_recipients: Option<Vec<Recipient>>,
    pub(in super::super) single_value_extended_properties: Option<Vec<Property>>,
    /// Where a part of a batch is no message but a refusal.
    pub(in super::super) error: Option<Said>,
    /// In a list of changes, where the message has left the folder.
    #[serde(rename = "@removed")]
    pub(in super::super) removed: Option<IgnoredAny>,
    /// Whether a field of it could not be read and is missing here.
    #[serde(skip)]
    pub(in super::super) spoiled: bool,
}

/// A recipient.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Recipient {
    pub(in super::super) email_address: Option<EmailAddress>,
}

/// An address with its name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct EmailAddress {
    pub(in super::super) name: Option<String>,
    pub(in super::super) address: Option<String>,
}

/// A property of MAPI's, such as `Integer 0xe08`.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Property {
    pub(in super::super) id: String,
    #[serde(default)]
    pub(in super::super) value: Option<String>,
}

/// The fields that are read.
const FIELDS: [&str; 15] = [
    "id",
    "parentFolderId",
    "receivedDateTime",
    "sentDateTime",
    "subject",
    "internetMessageId",
    "webLink",
    "from",
    "sender",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    PROPERTIES,
    "error",
    "@removed",
];
const PROPERTIES: &str = "singleValueExtendedProperties";

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(Fields)?;
        // Without its id nothing can be asked about it.
        if fields.get("id").is_some_and(|id| !id.is_string()) {
            return Err(D::Error::custom("an id is no string"));
        }
        Ok(Self::of(fields))
    }
}

impl Message {
    fn of(fields: Map<String, Value>) -> Self {
        let fields = Value::Object(fields);
        // Not the trait's: that of all fields as they stand.
        match Self::deserialize(&fields) {
            Ok(message) => message,
            Err(_) => Self::without_odd_fields(fields),
        }
    }

    fn without_odd_fields(fields: Value) -> Self {
        let Value::Object(fields) = fields else {
            return Self::default();
        };
        let mut kept = Map::new();
        for (name, mut field) in fields {
            if let (PROPERTIES, Value::Array(properties)) = (name.as_str(), &mut field) {
                properties.retain(|property| Property::deserialize(property).is_ok());
            }
            let alone = Value::Object(Map::from_iter([(name.clone(), field.clone())]));
            if Self::deserialize(&alone).is_ok() {
                kept.insert(name, field);
            }
        }
        let message = Self::deserialize(&Value::Object(kept));
        Self {
            spoiled: true,
            ..message.unwrap_or_default()
        }
    }
}

/// Collects the fields that are read; those that are not are never held in memory.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if !FIELDS.contains(&name.as_str()) {
                map.next_value::<IgnoredAny>()?;
            } else if fields.insert(name, map.next_value()?).is_some() {
                return Err(A::Error::custom("a field comes twice"));
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn an_odd_field_is_missing_and_the_others_are_there() {
        for odd in [
            r#""subject":7"#,
            r#""toRecipients":{}"#,
            r#""from":{"emailAddress":"max"}"#,
            r#""singleValueExtendedProperties":[{"id":"Integer 0xe08","value":"9"},{"id":"x","value":7}]"#,
        ] {
            let text = format!(r#"{{"body":{{"content":"long"}},"webLink":"w",{odd},"id":"a"}}"#);
            let message: Message = read(text.as_bytes()).unwrap();
            assert!(message.spoiled, "{odd}");
            assert_eq!(message.id.as_deref(), Some("a"));
            assert_eq!(message.web_link.as_deref(), Some("w"));
            let properties = message.single_value_extended_properties;
            let properties = properties.unwrap_or_default().len();
            assert_eq!(properties, usize::from(odd.contains("0xe08")), "{odd}");
        }
        let sound: Message = read(br#"{"id":"a","subject":null,"other":[1]}"#).unwrap();
        assert!(!sound.spoiled);
    }

    #[test]
    fn without_an_id_that_is_text_there_is_no_message() {
        for text in [
            r#"{"id":7}"#,
            r#"{"id":{}}"#,
            r#"{"id":"a","id":"a"}"#,
            "[]",
            "7",
        ] {
            assert!(read::<Message>(text.as_bytes()).is_none(), "{text}");
        }
    }
}
