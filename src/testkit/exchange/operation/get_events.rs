//! GetEvents (Microsoft reference, "GetEvents operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::clock;
use crate::testkit::exchange::store::folder::FolderKey;
use crate::testkit::exchange::store::item::{Item, ItemKey};
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

/// Events of one answer.
const MOST: usize = 50;

/// A place in the history of the server, as text.
pub(super) fn watermark(latest: ItemKey) -> String {
    base64_simd::STANDARD.encode_to_string(format!("mark {}", latest.0))
}

fn mark(text: &str) -> Option<ItemKey> {
    let bytes = base64_simd::STANDARD.decode_to_vec(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix("mark ")?.parse().ok().map(ItemKey)
}

/// Answers what came into the folder of a subscription since the watermark and is there still.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let id = required(request, "SubscriptionId")?.text.trim().to_owned();
    let since = required(request, "Watermark")?.text.trim().to_owned();
    let batch = Batch::new("m:GetEvents");
    batch.answer(
        context,
        w,
        &[()],
        |()| None,
        |context, (), w| {
            let folder = context.world.subscriptions.folder(&id);
            let folder = folder.ok_or_else(|| Failure::new("ErrorSubscriptionNotFound"))?;
            let last = mark(&since).filter(|mark| *mark <= context.world.latest_item());
            let last = last.ok_or_else(|| Failure::new("ErrorInvalidWatermark"))?;
            write(context.world, (&id, &since), (folder, last), w);
            Ok(())
        },
    );
    Ok(())
}

fn write(
    world: &World,
    (id, since): (&str, &str),
    (folder, last): (FolderKey, ItemKey),
    w: &mut XmlWriter,
) {
    let folder = world.folder(folder);
    let items = folder.into_iter().flat_map(|folder| world.items_in(folder));
    let new: Vec<_> = items
        .filter(|item| item.key > last)
        .take(MOST + 1)
        .collect();
    w.nest("m:Notification", &[], |w| {
        w.text("t:SubscriptionId", id);
        w.text("t:PreviousWatermark", since);
        w.boolean("t:MoreEvents", new.len() > MOST);
        for item in new.iter().take(MOST) {
            let parent = folder.map(|folder| folder.id.as_str());
            event(item, parent.unwrap_or_default(), w);
        }
        if new.is_empty() {
            w.nest("t:StatusEvent", &[], |w| w.text("t:Watermark", since));
        }
    });
}

fn event(item: &Item, parent: &str, w: &mut XmlWriter) {
    w.nest("t:NewMailEvent", &[], |w| {
        w.text("t:Watermark", &watermark(item.key));
        w.text("t:TimeStamp", &clock::text(item.received));
        w.empty(
            "t:ItemId",
            &[("Id", &item.id), ("ChangeKey", &item.change_key)],
        );
        w.empty("t:ParentFolderId", &[("Id", parent)]);
    });
}
