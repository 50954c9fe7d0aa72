//! Graph's JSON, as far as it is read. Fields that are not named are passed over; fields that come twice or are of another
//! type make the whole document unreadable, and so does one that is nested deeper than 128. A message is the exception: what
//! is odd about one concerns that one alone.
//!
//! Errors of the parser hold pieces of the text, which may be somebody's mail: none leaves this file.

mod mending;
mod message;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
};
use serde_json::Value;

pub(super) use mending::mended;
pub(super) use message::{Message, Property, Recipient};

/// Reads a document, if it can be read.
pub(super) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// A refusal (OData JSON format 4.01, 21).
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) error: Option<Said>,
}

/// What a refusal says.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default, rename = "innerError", alias = "innererror")]
    pub(super) inner: Option<Box<Inner>>,
}

/// What stands behind a refusal.
#[derive(Debug, Deserialize)]
pub(super) struct Inner {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default, rename = "innerError", alias = "innererror")]
    pub(super) inner: Option<Box<Self>>,
}

impl Said {
    #[cfg(test)]
    pub(super) fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
            inner: None,
        }
    }

    /// Its codes, the innermost first, which tells most.
    pub(super) fn innermost_first(&self) -> impl Iterator<Item = &str> {
        let mut codes = vec![self.code.as_str()];
        let mut next = self.inner.as_deref();
        while let Some(inner) = next {
            codes.extend(inner.code.as_deref());
            next = inner.inner.as_deref();
        }
        codes.into_iter().rev()
    }
}

/// One page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) value: Vec<T>,
    #[serde(default, rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    pub(super) delta: Option<String>,
    #[serde(default, rename = "@odata.count")]
    pub(super) count: Option<u64>,
}

/// A folder.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MailFolder {
    pub(super) id: String,
    #[serde(default)]
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) child_folder_count: Option<u32>,
}

/// The answer to a batch.
#[derive(Debug, Deserialize)]
pub(super) struct Batch<'a> {
    #[serde(borrow)]
    pub(super) responses: Vec<Part<'a>>,
}

/// The answer to one part.
#[derive(Debug, Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: Value,
    #[serde(default, borrow)]
    pub(super) body: Content<'a>,
}

/// What a part holds: an object, or base64 of anything else, which is left where it stands in the answer.
#[derive(Debug, Default)]
pub(super) enum Content<'a> {
    /// No body, or one of no use.
    #[default]
    Nothing,
    /// A string.
    Text(Cow<'a, str>),
    /// An object.
    Object(Box<Message>),
    /// What no part holds, such as a number.
    Odd,
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, a string or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Content::Nothing)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Content::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Content::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        // The trait's, which minds no odd field; the type's own does.
        let map = MapAccessDeserializer::new(map);
        let message = <Message as Deserialize>::deserialize(map)?;
        Ok(Content::Object(Box::new(message)))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Content::Odd)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Content::Odd)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Content::Odd)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Content::Odd)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Content::Odd)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let text =
            br#"{"responses":[{"id":"1","status":200,"body":"QUJD"},{"id":"2","status":204}]}"#;
        let batch: Batch<'_> = read(text).unwrap();
        let Content::Text(Cow::Borrowed(body)) = &batch.responses[0].body else {
            panic!("it was copied");
        };
        assert_eq!(*body, "QUJD");
        assert!(matches!(batch.responses[1].body, Content::Nothing));
    }

    #[test]
    fn what_is_twice_or_of_another_type_or_too_deep_cannot_be_read() {
        let deep = format!(
            "{{\"value\":[],\"x\":{}1{}}}",
            "[".repeat(200),
            "]".repeat(200)
        );
        for text in [
            r#"{"value":[],"value":[]}"#,
            r#"{"value":{}}"#,
            r#"{"value":[{"id":7}]}"#,
            r#"{"value":[{"id":"a","id":"b"}]}"#,
            r#"{"value":[7]}"#,
            r#"{"value":[]} trailing"#,
            r#"{"value":[]"#,
            r"[]",
            "<html></html>",
            "",
        ] {
            assert!(read::<Page<Message>>(text.as_bytes()).is_none(), "{text}");
        }
        // Passed over without recursion, or refused: never a panic.
        let _ = read::<Page<Message>>(deep.as_bytes());
        let nested = format!(
            "{{\"error\":{{\"code\":\"x\",\"innerError\":{}{}}}}}",
            "{\"innerError\":".repeat(200),
            "null".to_owned() + &"}".repeat(200)
        );
        assert!(read::<Refusal>(nested.as_bytes()).is_none());
    }

    #[test]
    fn what_is_odd_about_a_part_concerns_that_part_alone() {
        let text = br#"{"responses":[{"id":"1","status":200,"body":[1,{"a":2}],"headers":{"Retry-After":7}},
            {"id":"2","status":200,"body":true,"headers":[]},{"id":"3","status":200,"body":1.5},
            {"id":"4","status":200,"body":{"id":"x","subject":[]}},{"id":"5","status":200,"body":-1}]}"#;
        let batch: Batch<'_> = read(text).unwrap();
        for at in [0, 1, 2, 4] {
            assert!(matches!(batch.responses[at].body, Content::Odd), "{at}");
        }
        let Content::Object(message) = &batch.responses[3].body else {
            panic!("no message");
        };
        assert!(message.spoiled);
        assert_eq!(message.id.as_deref(), Some("x"));
    }

    #[test]
    fn the_innermost_code_comes_first() {
        let text = r#"{"error":{"code":"a","message":"m","innerError":{"code":"b","date":"d",
            "innererror":{"code":"c"}}}}"#;
        let refusal: Refusal = read(text.as_bytes()).unwrap();
        let said = refusal.error.unwrap();
        let codes: Vec<_> = said.innermost_first().collect();
        assert_eq!(codes, ["c", "b", "a"]);
    }
}
