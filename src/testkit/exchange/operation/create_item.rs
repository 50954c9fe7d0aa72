//! CreateItem (Microsoft reference, "CreateItem operation"): saving only, nothing is sent.

use base64_simd::STANDARD;

use super::batch::Batch;
use super::context::Context;
use super::mime_builder;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::render::item::write_id_only;
use crate::testkit::exchange::request::property::ExtendedPath;
use crate::testkit::exchange::request::reference::FolderRef;
use crate::testkit::exchange::request::{boolean, incomplete, required};
use crate::testkit::exchange::store::delivery::Delivery;
use crate::testkit::exchange::store::facts::Sensitivity;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

struct CreateItem {
    saves: bool,
    target: FolderRef,
    items: Vec<NewItem>,
}

/// An item of the request: either it can be delivered or it fails alone.
struct NewItem(Result<(Delivery, u64), Failure>);

impl CreateItem {
    fn parse(request: &Element) -> Result<Self, Failure> {
        let drafts = FolderRef::Distinguished {
            id: "drafts".to_owned(),
            mailbox: None,
        };
        let target = request
            .message("SavedItemFolderId")
            .map(FolderRef::one)
            .transpose()?;
        let items = required(request, "Items")?.children.iter();
        Ok(Self {
            saves: request.attribute("MessageDisposition") == Some("SaveOnly"),
            target: target.unwrap_or(drafts),
            items: items.map(|item| NewItem(delivery(item))).collect(),
        })
    }
}

/// Creates the items and answers their ids.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let request = CreateItem::parse(request)?;
    let batch = Batch::of_items("m:CreateItem");
    batch.answer(
        context,
        w,
        &request.items,
        |_| None,
        |context, item, w| {
            if !request.saves {
                return Err(Failure::new("ErrorMessageDispositionRequired"));
            }
            let (delivery, size) = item.0.clone()?;
            let folder = context.folder(&request.target)?.key;
            context.check_target(folder, size)?;
            let key = context.world.deliver(folder, delivery);
            let made = context.made(Some(key))?;
            w.nest("m:Items", &[], |w| write_id_only(w, made));
            Ok(())
        },
    );
    Ok(())
}

/// Reads an item: its MIME content, or else the MIME built from its fields.
fn delivery(item: &Element) -> Result<(Delivery, u64), Failure> {
    let mime = match item.types_text("MimeContent") {
        Some(base64) => decode(base64)?,
        None => mime_builder::build(item),
    };
    let size = mime.len() as u64;
    let mut delivery = Delivery::new(mime);
    if let Some(class) = item.types_text("ItemClass") {
        delivery = delivery.with_item_class(class);
    }
    if let Some(subject) = item.types("Subject") {
        delivery = delivery.with_subject(&subject.text);
    }
    if let Some(sensitivity) = item.types_text("Sensitivity") {
        delivery = delivery.with_sensitivity(Sensitivity::by_name(sensitivity));
    }
    if let Some(is_read) = item.types_text("IsRead") {
        delivery = delivery.with_is_read(boolean(is_read)?);
    }
    for property in item
        .children
        .iter()
        .filter(|child| child.name == "ExtendedProperty")
    {
        let (path, values) = extended(property)?;
        delivery = delivery.with_extended(path, values);
    }
    Ok((delivery, size))
}

fn decode(base64: &str) -> Result<Vec<u8>, Failure> {
    let text: String = base64.split_ascii_whitespace().collect();
    STANDARD
        .decode_to_vec(text)
        .map_err(|_| Failure::new("ErrorMimeContentInvalidBase64String"))
}

/// Reads an ExtendedProperty.
pub(crate) fn extended(property: &Element) -> Result<(ExtendedPath, Vec<String>), Failure> {
    let path = property.types("ExtendedFieldURI");
    let path = path.ok_or_else(|| incomplete("ExtendedProperty", "ExtendedFieldURI"))?;
    let values = property.types("Values").unwrap_or(property).children.iter();
    let values = values
        .filter(|child| child.name == "Value")
        .map(|child| child.text.clone());
    Ok((ExtendedPath::parse(path)?, values.collect()))
}
