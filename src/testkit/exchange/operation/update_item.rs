//! UpdateItem (Microsoft reference, "UpdateItem operation").

use std::sync::Arc;

use super::batch::Batch;
use super::context::Context;
use super::create_item::extended;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::render::item::write_id_only;
use crate::testkit::exchange::request::property::{ExtendedPath, PropertyPath};
use crate::testkit::exchange::request::reference::ItemRef;
use crate::testkit::exchange::request::{boolean, incomplete, required};
use crate::testkit::exchange::store::facts::Sensitivity;
use crate::testkit::exchange::store::item::Item;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

struct UpdateItem {
    always_overwrite: bool,
    changes: Vec<ItemChange>,
}

struct ItemChange {
    item: ItemRef,
    updates: Result<Vec<Update>, Failure>,
}

/// One change of one property.
#[derive(Clone)]
enum Update {
    SetExtended(ExtendedPath, Vec<String>),
    RemoveExtended(ExtendedPath),
    Subject(String),
    IsRead(bool),
    Sensitivity(Sensitivity),
}

impl UpdateItem {
    fn parse(request: &Element) -> Result<Self, Failure> {
        let always_overwrite = match request.attribute("ConflictResolution") {
            Some("AlwaysOverwrite") => true,
            Some("NeverOverwrite" | "AutoResolve") => false,
            _ => {
                return Err(Failure::schema(
                    "The 'ConflictResolution' attribute is invalid.",
                ));
            }
        };
        let changes = required(request, "ItemChanges")?.children.iter();
        Ok(Self {
            always_overwrite,
            changes: changes.map(item_change).collect::<Result<_, _>>()?,
        })
    }
}

/// Changes the items and answers their new change keys.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let request = UpdateItem::parse(request)?;
    let batch = Batch::of_items("m:UpdateItem");
    let overwrite = request.always_overwrite;
    let changes = &request.changes;
    batch.answer(
        context,
        w,
        changes,
        |change| Some(change.item.id.as_str()),
        |context, change, w| update(context, overwrite, change, w),
    );
    Ok(())
}

fn update(
    context: &mut Context<'_>,
    always_overwrite: bool,
    change: &ItemChange,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let updates = change.updates.clone()?;
    let (item, _) = context.item_with(&change.item, |rights| rights.modify)?;
    if !always_overwrite {
        check_change_key(item, &change.item)?;
    }
    let key = item.key;
    context.world.change(key, |item| {
        for update in updates {
            update.apply(item);
        }
    });
    let changed = context.made(Some(key))?;
    w.nest("m:Items", &[], |w| write_id_only(w, changed));
    w.nest("m:ConflictResults", &[], |w| w.number("t:Count", 0));
    Ok(())
}

fn check_change_key(item: &Item, reference: &ItemRef) -> Result<(), Failure> {
    match &reference.change_key {
        None => Err(Failure::new("ErrorChangeKeyRequiredForWriteOperations")),
        Some(known) if *known != item.change_key => Err(Failure::new("ErrorIrresolvableConflict")),
        Some(_) => Ok(()),
    }
}

fn item_change(change: &Element) -> Result<ItemChange, Failure> {
    let item = change
        .types("ItemId")
        .ok_or_else(|| incomplete("ItemChange", "ItemId"))?;
    let updates = change
        .types("Updates")
        .ok_or_else(|| incomplete("ItemChange", "Updates"))?;
    let updates = updates.children.iter().map(one_update).collect();
    Ok(ItemChange {
        item: ItemRef::parse(item)?,
        updates,
    })
}

fn one_update(element: &Element) -> Result<Update, Failure> {
    let path = PropertyPath::within(element)?;
    match (element.name.as_str(), path) {
        ("DeleteItemField", PropertyPath::Extended(path)) => Ok(Update::RemoveExtended(path)),
        ("SetItemField", path) => set_field(element, &path),
        _ => Err(Failure::new("ErrorInvalidPropertyDelete")),
    }
}

fn set_field(element: &Element, path: &PropertyPath) -> Result<Update, Failure> {
    let item = element
        .children
        .iter()
        .find(|child| !PropertyPath::is_path(child));
    let value = item.and_then(|item| item.children.first());
    let value = value.ok_or_else(|| incomplete("SetItemField", "Item"))?;
    match path {
        PropertyPath::Extended(path) => {
            let (given, values) = extended(value)?;
            let same = given == *path;
            same.then_some(Update::SetExtended(given, values))
                .ok_or_else(|| Failure::new("ErrorUpdatePropertyMismatch"))
        }
        PropertyPath::Field(uri) => match uri.as_str() {
            "item:Subject" => Ok(Update::Subject(value.text.clone())),
            "item:Sensitivity" => Ok(Update::Sensitivity(Sensitivity::by_name(&value.text))),
            "message:IsRead" => boolean(&value.text).map(Update::IsRead),
            _ => Err(Failure::new("ErrorInvalidPropertySet")),
        },
        PropertyPath::Indexed { .. } => Err(Failure::new("ErrorInvalidPropertySet")),
    }
}

impl Update {
    fn apply(self, item: &mut Item) {
        match self {
            Self::SetExtended(path, values) => drop(item.extended.insert(path, values)),
            Self::RemoveExtended(path) => drop(item.extended.remove(&path)),
            Self::Subject(subject) => item.subject = Arc::from(subject),
            Self::IsRead(is_read) => item.is_read = is_read,
            Self::Sensitivity(sensitivity) => item.sensitivity = sensitivity,
        }
    }
}
