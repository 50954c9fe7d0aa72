//! Response shapes: which properties of an item or a folder a client wants.

use super::property::{ExtendedPath, PropertyPath};
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::xml::Element;

/// The base shape (DefaultShapeNamesType).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BaseShape {
    IdOnly,
    Default,
    AllProperties,
}

/// In which form a body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyType {
    Best,
    Html,
    Text,
}

/// The shape of items or folders.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) base: BaseShape,
    pub(crate) include_mime: bool,
    pub(crate) body_type: BodyType,
    pub(crate) fields: Vec<String>,
    pub(crate) extended: Vec<ExtendedPath>,
}

impl Shape {
    pub(crate) fn parse(element: &Element) -> Result<Self, Failure> {
        let mut shape = Self {
            base: base(element.types_text("BaseShape"))?,
            include_mime: element
                .types_text("IncludeMimeContent")
                .map_or(Ok(false), super::boolean)?,
            body_type: body_type(element.types_text("BodyType"))?,
            fields: Vec::new(),
            extended: Vec::new(),
        };
        for path in element
            .types("AdditionalProperties")
            .iter()
            .flat_map(|list| &list.children)
        {
            match PropertyPath::parse(path)? {
                PropertyPath::Field(uri) => shape.fields.push(uri),
                PropertyPath::Extended(path) => shape.extended.push(path),
                PropertyPath::Indexed { .. } => {}
            }
        }
        if shape.wants("item:MimeContent") {
            shape.include_mime = true;
        }
        Ok(shape)
    }

    /// Whether a field was named.
    pub(crate) fn wants(&self, uri: &str) -> bool {
        self.fields.iter().any(|field| field == uri)
    }
}

fn base(text: Option<&str>) -> Result<BaseShape, Failure> {
    match text {
        Some("IdOnly") => Ok(BaseShape::IdOnly),
        Some("Default") => Ok(BaseShape::Default),
        Some("AllProperties") => Ok(BaseShape::AllProperties),
        _ => Err(Failure::schema("The 'BaseShape' element is invalid.")),
    }
}

fn body_type(text: Option<&str>) -> Result<BodyType, Failure> {
    match text {
        None | Some("Best") => Ok(BodyType::Best),
        Some("HTML") => Ok(BodyType::Html),
        Some("Text") => Ok(BodyType::Text),
        _ => Err(Failure::schema("The 'BodyType' element is invalid.")),
    }
}
