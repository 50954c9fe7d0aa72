//! DeleteItem (Microsoft reference, "DeleteItem operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::reference::ItemRef;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::store::folder::Folder;
use crate::testkit::exchange::store::folder::FolderKey;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

struct DeleteItem {
    to_deleted_items: bool,
    items: Vec<ItemRef>,
}

impl DeleteItem {
    fn parse(request: &Element) -> Result<Self, Failure> {
        let to_deleted_items = match request.attribute("DeleteType") {
            Some("HardDelete" | "SoftDelete") => false,
            Some("MoveToDeletedItems") => true,
            _ => return Err(Failure::schema("The 'DeleteType' attribute is invalid.")),
        };
        Ok(Self {
            to_deleted_items,
            items: ItemRef::all(required(request, "ItemIds")?)?,
        })
    }
}

/// Deletes the items.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let request = DeleteItem::parse(request)?;
    let batch = Batch::new("m:DeleteItem");
    batch.answer(
        context,
        w,
        &request.items,
        |item| Some(item.id.as_str()),
        |context, item, _| {
            let (item, folder) = context.item_with(item, |rights| rights.delete)?;
            let bin = request
                .to_deleted_items
                .then(|| deleted_items(context, folder))
                .flatten();
            let key = item.key;
            match bin {
                Some(bin) => drop(context.world.move_item(key, bin)),
                None => drop(context.world.remove(key)),
            }
            Ok(())
        },
    );
    Ok(())
}

/// The Deleted Items folder of the mailbox; a public folder has none, and its items just vanish.
fn deleted_items(context: &Context<'_>, folder: &Folder) -> Option<FolderKey> {
    let mailbox = context.world.mailbox_of(&folder.home)?;
    let bin = context.world.distinguished(mailbox, "deleteditems")?;
    (bin.key != folder.key).then_some(bin.key)
}
