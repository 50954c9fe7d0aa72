//! One item as an element.

use std::cell::OnceCell;

use super::item_fields::{FIELDS, Field};
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::shape::{BaseShape, Shape};
use crate::testkit::exchange::store::content::Content;
use crate::testkit::exchange::store::folder::Folder;
use crate::testkit::exchange::store::item::Item;
use crate::testkit::exchange::writer::XmlWriter;

/// An item together with what is needed to answer questions about it.
pub(crate) struct ItemView<'a> {
    pub(crate) item: &'a Item,
    pub(crate) folder: &'a Folder,
    content: OnceCell<Content<'a>>,
}

impl<'a> ItemView<'a> {
    pub(crate) fn new(item: &'a Item, folder: &'a Folder) -> Self {
        Self {
            item,
            folder,
            content: OnceCell::new(),
        }
    }

    /// The parsed message; parsed once, when first asked for.
    pub(crate) fn content(&self) -> &Content<'a> {
        self.content.get_or_init(|| Content::of(&self.item.mime))
    }
}

/// Which operation writes the item: FindItem gives less than GetItem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Find,
    Get,
}

/// A shape made ready for many items.
pub(crate) struct ItemRenderer<'s> {
    shape: &'s Shape,
    detail: Detail,
    fields: Vec<&'static Field>,
}

impl<'s> ItemRenderer<'s> {
    /// Chooses the fields.
    ///
    /// FindItem refuses properties that it cannot give (Microsoft, "Email properties and elements
    /// in EWS"): bodies, recipient lists, header fields, MIME content.
    pub(crate) fn new(shape: &'s Shape, detail: Detail) -> Result<Self, Failure> {
        let asked = |field: &&Field| shape.wants(field.uri);
        let finding = detail == Detail::Find;
        if finding && (shape.include_mime || FIELDS.iter().filter(asked).any(|f| f.get_only)) {
            return Err(Failure::new("ErrorInvalidPropertyRequest"));
        }
        let wanted = |field: &&Field| match field.since {
            Some(base) if base <= shape.base && !(finding && field.get_only) => true,
            _ => asked(field) || field.uri == "item:ItemId",
        };
        Ok(Self {
            shape,
            detail,
            fields: FIELDS.iter().filter(wanted).collect(),
        })
    }

    pub(crate) fn write(&self, w: &mut XmlWriter, view: &ItemView<'_>) {
        w.nest(view.item.element(), &[], |w| {
            if self.shape.include_mime {
                w.base64(
                    "t:MimeContent",
                    &[("CharacterSet", "UTF-8")],
                    &view.item.mime,
                );
            }
            for field in &self.fields {
                (field.write)(w, view, self);
            }
        });
    }

    pub(crate) fn shape(&self) -> &Shape {
        self.shape
    }

    pub(crate) fn is_find(&self) -> bool {
        self.detail == Detail::Find
    }
}

/// Writes an item as its id alone, as the answers of MoveItem and its like do.
pub(crate) fn write_id_only(w: &mut XmlWriter, item: &Item) {
    w.nest(item.element(), &[], |w| item_id(w, item));
}

/// Writes ItemId.
pub(crate) fn item_id(w: &mut XmlWriter, item: &Item) {
    w.empty(
        "t:ItemId",
        &[("Id", &item.id), ("ChangeKey", &item.change_key)],
    );
}

/// The lowest base shape that holds a field of the default shape.
pub(crate) const IN_DEFAULT: Option<BaseShape> = Some(BaseShape::Default);
/// The base shape that holds every other field.
pub(crate) const IN_ALL: Option<BaseShape> = Some(BaseShape::AllProperties);
