//! Paths to properties: FieldURI, IndexedFieldURI and ExtendedFieldURI.

use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::{Element, Ns};

/// A path to one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PropertyPath {
    Field(String),
    Indexed { uri: String, index: String },
    Extended(ExtendedPath),
}

/// A MAPI property by tag, or by property set and name or number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExtendedPath {
    pub(crate) tag: Option<u16>,
    pub(crate) distinguished_set: Option<String>,
    pub(crate) set: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) id: Option<i32>,
    pub(crate) kind: String,
}

const PREFIXES: [&str; 13] = [
    "item",
    "message",
    "folder",
    "meeting",
    "meetingRequest",
    "calendar",
    "contacts",
    "distributionlist",
    "task",
    "postitem",
    "conversation",
    "persona",
    "person",
];

impl PropertyPath {
    /// Whether an element is a path at all.
    pub(crate) fn is_path(element: &Element) -> bool {
        let names = ["FieldURI", "IndexedFieldURI", "ExtendedFieldURI"];
        element.ns == Ns::Types && names.contains(&element.name.as_str())
    }

    pub(crate) fn parse(element: &Element) -> Result<Self, Failure> {
        match element.name.as_str() {
            "FieldURI" => field_uri(element).map(Self::Field),
            "IndexedFieldURI" => Ok(Self::Indexed {
                uri: field_uri(element)?,
                index: attribute(element, "FieldIndex")?.to_owned(),
            }),
            "ExtendedFieldURI" => ExtendedPath::parse(element).map(Self::Extended),
            other => Err(Failure::schema(format!(
                "The element '{other}' is not a path."
            ))),
        }
    }

    /// The first path among the children of an element.
    pub(crate) fn within(element: &Element) -> Result<Self, Failure> {
        let found = element.children.iter().find(|child| Self::is_path(child));
        Self::parse(found.ok_or_else(|| super::incomplete(&element.name, "Path"))?)
    }
}

impl ExtendedPath {
    pub(crate) fn parse(element: &Element) -> Result<Self, Failure> {
        let text = |name| element.attribute(name).map(str::to_owned);
        let path = Self {
            tag: element
                .attribute("PropertyTag")
                .map(parse_tag)
                .transpose()?,
            distinguished_set: text("DistinguishedPropertySetId"),
            set: text("PropertySetId").map(|guid| guid.to_lowercase()),
            name: text("PropertyName"),
            id: element.attribute("PropertyId").map(parse_id).transpose()?,
            kind: attribute(element, "PropertyType")?.to_owned(),
        };
        path.checked()
    }

    /// A path by property tag.
    pub(crate) fn by_tag(tag: u16, kind: &str) -> Self {
        let tag = Some(tag);
        let kind = kind.to_owned();
        Self {
            tag,
            distinguished_set: None,
            set: None,
            name: None,
            id: None,
            kind,
        }
    }

    /// A tag stands alone; a name or number needs exactly one kind of property set.
    fn checked(self) -> Result<Self, Failure> {
        let sets = usize::from(self.set.is_some()) + usize::from(self.distinguished_set.is_some());
        let keys = usize::from(self.name.is_some()) + usize::from(self.id.is_some());
        match (self.tag, sets, keys) {
            (Some(_), 0, 0) | (None, 1, 1) => Ok(self),
            _ => Err(Failure::new("ErrorInvalidExtendedProperty")),
        }
    }

    pub(crate) fn is_array(&self) -> bool {
        self.kind.ends_with("Array")
    }

    pub(crate) fn write(&self, w: &mut XmlWriter) {
        let tag = self.tag.map(|tag| format!("0x{tag:x}"));
        let id = self.id.map(|id| id.to_string());
        let all = [
            (
                "DistinguishedPropertySetId",
                self.distinguished_set.as_deref(),
            ),
            ("PropertySetId", self.set.as_deref()),
            ("PropertyTag", tag.as_deref()),
            ("PropertyName", self.name.as_deref()),
            ("PropertyId", id.as_deref()),
            ("PropertyType", Some(self.kind.as_str())),
        ];
        let given = all
            .iter()
            .filter_map(|(name, value)| value.map(|value| (*name, value)));
        w.empty("t:ExtendedFieldURI", &given.collect::<Vec<_>>());
    }
}

fn field_uri(element: &Element) -> Result<String, Failure> {
    let uri = attribute(element, "FieldURI")?;
    match uri.split_once(':') {
        Some((prefix, rest)) if PREFIXES.contains(&prefix) && !rest.is_empty() => {
            Ok(uri.to_owned())
        }
        _ => Err(Failure::schema(format!(
            "The value '{uri}' of 'FieldURI' is invalid."
        ))),
    }
}

fn attribute<'e>(element: &'e Element, name: &str) -> Result<&'e str, Failure> {
    let value = element.attribute(name);
    value.ok_or_else(|| Failure::schema(format!("The required attribute '{name}' is missing.")))
}

fn parse_tag(text: &str) -> Result<u16, Failure> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let tag = match hexadecimal {
        Some(digits) => u16::from_str_radix(digits, 16),
        None => text.parse(),
    };
    tag.map_err(|_| Failure::schema("The 'PropertyTag' attribute is invalid."))
}

fn parse_id(text: &str) -> Result<i32, Failure> {
    text.parse()
        .map_err(|_| Failure::schema("The 'PropertyId' attribute is invalid."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testkit::exchange::xml::{TYPES, parse};

    fn path(attributes: &str) -> Result<ExtendedPath, Failure> {
        let document = format!("<ExtendedFieldURI xmlns='{TYPES}' {attributes}/>");
        ExtendedPath::parse(&parse(&document).unwrap())
    }

    #[test]
    fn decimal_and_hexadecimal_tags_are_one() {
        let decimal = path("PropertyTag='12299' PropertyType='Binary'").unwrap();
        let hexadecimal = path("PropertyTag='0x300B' PropertyType='Binary'").unwrap();
        assert_eq!(decimal, hexadecimal);
        assert_eq!(decimal, ExtendedPath::by_tag(0x300b, "Binary"));
    }

    #[test]
    fn half_named_properties_are_refused() {
        for bad in [
            "PropertyName='x' PropertyType='String'",
            "PropertyTag='1' PropertyName='x' PropertyType='String'",
            "DistinguishedPropertySetId='Common' PropertyType='String'",
            "PropertyTag='0x12345' PropertyType='String'",
            "PropertyTag='1'",
        ] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
