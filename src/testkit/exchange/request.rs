//! The parts that requests are made of, read into types. Each refuses what the schema refuses.

pub(crate) mod paging;
pub(crate) mod property;
pub(crate) mod reference;
pub(crate) mod restriction;
pub(crate) mod shape;
pub(crate) mod sort;
pub(crate) mod value;

use super::failure::Failure;
use super::xml::Element;

/// A required child in the messages namespace.
pub(crate) fn required<'e>(request: &'e Element, name: &str) -> Result<&'e Element, Failure> {
    request
        .message(name)
        .ok_or_else(|| incomplete(&request.name, name))
}

/// The failure for an element that lacks a child.
pub(crate) fn incomplete(element: &str, expected: &str) -> Failure {
    Failure::schema(format!(
        "The element '{element}' has incomplete content. Expected: '{expected}'."
    ))
}

/// Reads a boolean of XML Schema.
pub(crate) fn boolean(text: &str) -> Result<bool, Failure> {
    match text.trim() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Failure::schema("The string is not a valid Boolean value.")),
    }
}
