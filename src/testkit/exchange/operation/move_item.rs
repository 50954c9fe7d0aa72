//! MoveItem (Microsoft reference, "MoveItem operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::render::item::write_id_only;
use crate::testkit::exchange::request::reference::{FolderRef, ItemRef};
use crate::testkit::exchange::request::{boolean, required};
use crate::testkit::exchange::store::folder::FolderKey;
use crate::testkit::exchange::store::item::ItemKey;
use crate::testkit::exchange::store::rights::FolderRights;
use crate::testkit::exchange::version::RequestVersion;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

/// What MoveItem and CopyItem ask for.
pub(crate) struct MoveOrCopy {
    target: FolderRef,
    items: Vec<ItemRef>,
    return_new_item_ids: bool,
}

/// What distinguishes a move from a copy.
#[derive(Clone, Copy)]
pub(crate) struct Transfer {
    /// The right that the user needs in the source folder.
    pub(crate) needs: fn(FolderRights) -> bool,
    pub(crate) run: fn(&mut Context<'_>, ItemKey, FolderKey) -> Option<ItemKey>,
}

impl MoveOrCopy {
    /// Reads the request; `ReturnNewItemIds` is unknown before Exchange 2010 SP1.
    pub(crate) fn parse(request: &Element, version: RequestVersion) -> Result<Self, Failure> {
        let wish = request.message("ReturnNewItemIds");
        if wish.is_some() && !version.knows_return_new_item_ids() {
            return Err(Failure::schema(
                "The element 'ReturnNewItemIds' is not expected.",
            ));
        }
        Ok(Self {
            target: FolderRef::one(required(request, "ToFolderId")?)?,
            items: ItemRef::all(required(request, "ItemIds")?)?,
            return_new_item_ids: wish.map_or(Ok(true), |wish| boolean(&wish.text))?,
        })
    }

    /// Runs the transfer for each item and answers the new ids.
    ///
    /// No new id is given when the item went to another mailbox (Microsoft, "MoveItem operation").
    pub(crate) fn answer(
        &self,
        batch: &Batch,
        context: &mut Context<'_>,
        w: &mut XmlWriter,
        transfer: Transfer,
    ) {
        let items = &self.items;
        batch.answer(
            context,
            w,
            items,
            |item| Some(item.id.as_str()),
            |context, item, w| {
                let (key, target, stays_home) = self.check(context, item, transfer.needs)?;
                let made = (transfer.run)(context, key, target);
                let silent = context.effects.move_without_new_id || !self.return_new_item_ids;
                if silent || !stays_home {
                    w.empty("m:Items", &[]);
                    return Ok(());
                }
                let made = context.made(made)?;
                w.nest("m:Items", &[], |w| write_id_only(w, made));
                Ok(())
            },
        );
    }

    fn check(
        &self,
        context: &Context<'_>,
        reference: &ItemRef,
        needs: fn(FolderRights) -> bool,
    ) -> Result<(ItemKey, FolderKey, bool), Failure> {
        let target =
            context
                .folder_anywhere(&self.target)
                .map_err(|failure| match &*failure.code {
                    "ErrorFolderNotFound" => Failure::new("ErrorToFolderNotFound"),
                    _ => failure,
                })?;
        let (item, source) = context.item_with(reference, needs)?;
        context.check_target(target.key, item.size())?;
        Ok((item.key, target.key, source.home == target.home))
    }
}

/// Moves the items and answers their new ids.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let request = MoveOrCopy::parse(request, context.version)?;
    let needs = |rights: FolderRights| rights.read && rights.delete;
    request.answer(
        &Batch::of_items("m:MoveItem"),
        context,
        w,
        Transfer { needs, run },
    );
    Ok(())
}

fn run(context: &mut Context<'_>, key: ItemKey, target: FolderKey) -> Option<ItemKey> {
    if context.effects.move_leaves_original {
        return context.world.copy_item(key, target);
    }
    context.world.move_item(key, target)
}
