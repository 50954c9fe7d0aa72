//! Extended properties: their ids in `$expand` and `$filter`, their values (Microsoft, "Outlook extended properties overview").

use serde_json::{Value, json};

use super::problem::Problem;
use crate::testkit::exchange::render::item::ItemView;
use crate::testkit::exchange::request::property::{ExtendedPath, PropertyPath};
use crate::testkit::exchange::request::value::{Properties, Value as StoredValue};

const TYPES: [&str; 12] = [
    "Binary",
    "Boolean",
    "Currency",
    "Double",
    "Float",
    "Guid",
    "Integer",
    "Long",
    "Short",
    "String",
    "SystemTime",
    "ApplicationTime",
];

/// A property as a client names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExtendedId {
    pub(super) path: ExtendedPath,
}

impl ExtendedId {
    /// Reads `Integer 0x0E08` or `String {guid} Name Colour` or `String {guid} Id 0x8001`.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let invalid = || Problem::new(400, "ErrorInvalidProperty", "The property id is invalid.");
        let words: Vec<_> = text.splitn(4, ' ').collect();
        let (kind, rest) = words.split_first().ok_or_else(invalid)?;
        if !TYPES.contains(kind) {
            return Err(invalid());
        }
        let mut path = ExtendedPath::by_tag(0, kind);
        match rest {
            [tag] => path.tag = Some(tag_of(tag).ok_or_else(invalid)?),
            [set, "Name", name] => {
                path.tag = None;
                path.set = Some(set.trim_matches(['{', '}']).to_lowercase());
                path.name = Some((*name).to_owned());
            }
            [set, "Id", id] => {
                path.tag = None;
                path.set = Some(set.trim_matches(['{', '}']).to_lowercase());
                path.id = Some(i32::from(tag_of(id).ok_or_else(invalid)?));
            }
            _ => return Err(invalid()),
        }
        Ok(Self { path })
    }

    /// The id as Graph writes it: tags in lower case and without zeros in front.
    pub(super) fn text(&self) -> String {
        let (path, kind) = (&self.path, &self.path.kind);
        let set = path.set.as_deref().unwrap_or_default();
        match (path.tag, &path.name, path.id) {
            (Some(tag), _, _) => format!("{kind} 0x{tag:x}"),
            (None, Some(name), _) => format!("{kind} {{{set}}} Name {name}"),
            (None, None, id) => format!("{kind} {{{set}}} Id 0x{:x}", id.unwrap_or_default()),
        }
    }

    /// The value in one item.
    pub(super) fn value(&self, view: &ItemView<'_>) -> Option<StoredValue> {
        view.value(&PropertyPath::Extended(self.path.clone()))
    }
}

fn tag_of(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    digits.and_then(|digits| u16::from_str_radix(digits, 16).ok())
}

/// The `singleValueExtendedProperties` of an item; `None` when it has none of those asked for, as Graph leaves it out.
pub(super) fn expanded(view: &ItemView<'_>, wanted: &[ExtendedId]) -> Option<Value> {
    let found = wanted.iter().filter_map(|id| {
        let value = id.value(view)?.text();
        Some(json!({"id": id.text(), "value": value}))
    });
    let found: Vec<_> = found.collect();
    (!found.is_empty()).then_some(Value::Array(found))
}

/// Reads what stands in `$expand`: `singleValueExtendedProperties($filter=id eq '…' or id eq '…')`.
pub(super) fn parse_expand(text: &str) -> Result<Vec<ExtendedId>, Problem> {
    let refused = || Problem::uri("The $expand expression could not be parsed.");
    let inner = text
        .trim()
        .strip_prefix("singleValueExtendedProperties(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rest| rest.trim().strip_prefix("$filter="))
        .ok_or_else(refused)?;
    let ids = split_or(inner).into_iter().map(|one| {
        let quoted = one
            .trim()
            .strip_prefix("id eq ")
            .and_then(|rest| rest.trim().strip_prefix('\''))
            .and_then(|rest| rest.strip_suffix('\''))
            .ok_or_else(refused)?;
        ExtendedId::parse(&quoted.replace("''", "'"))
    });
    ids.collect()
}

/// Splits at ` or ` outside of quotes.
fn split_or(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        quoted ^= character == '\'';
        if !quoted && text.get(at..).is_some_and(|rest| rest.starts_with(" or ")) {
            parts.extend(text.get(start..at));
            start = at + 4;
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_are_read_and_written_as_graph_does() {
        for (asked, told) in [
            ("Integer 0x0E08", "Integer 0xe08"),
            ("String 0x001A", "String 0x1a"),
            (
                "String {AA00} Name Colour of it",
                "String {aa00} Name Colour of it",
            ),
            ("Integer {aa00} Id 0x8001", "Integer {aa00} Id 0x8001"),
        ] {
            if asked.contains("8001") {
                assert!(ExtendedId::parse(asked).is_ok());
            }
            assert_eq!(ExtendedId::parse(asked).unwrap().text(), told);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for bad in [
            "",
            "Integer",
            "Int 0x0E08",
            "Integer 3592",
            "String {a} Nom b",
        ] {
            assert_eq!(ExtendedId::parse(bad).unwrap_err().status, 400, "{bad}");
        }
    }

    #[test]
    fn an_expansion_lists_ids() {
        let text = "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08' or id eq 'Binary 0x300B')";
        assert_eq!(parse_expand(text).unwrap().len(), 2);
        for bad in [
            "extensions",
            "singleValueExtendedProperties",
            "singleValueExtendedProperties($filter=x)",
        ] {
            assert!(parse_expand(bad).is_err(), "{bad}");
        }
    }
}
