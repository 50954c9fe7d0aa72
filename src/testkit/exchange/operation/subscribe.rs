//! Subscribe, for events that are pulled (Microsoft reference, "Subscribe operation").

use super::batch::Batch;
use super::context::Context;
use super::get_events::watermark;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::reference::FolderRef;
use crate::testkit::exchange::request::{incomplete, required};
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

const EVENTS: [&str; 7] = [
    "CopiedEvent",
    "CreatedEvent",
    "DeletedEvent",
    "ModifiedEvent",
    "MovedEvent",
    "NewMailEvent",
    "FreeBusyChangedEvent",
];

/// Makes a subscription to one folder of a mailbox.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let folder = parse(required(request, "PullSubscriptionRequest")?)?;
    let batch = Batch::new("m:Subscribe");
    batch.answer(
        context,
        w,
        &[folder],
        |_| None,
        |context, folder, w| {
            let folder = context.folder(folder)?;
            if folder.home.is_public() {
                return Err(Failure::new("ErrorInvalidSubscriptionRequest"));
            }
            let key = folder.key;
            let id = context.world.subscriptions.make(key);
            w.text("m:SubscriptionId", &id);
            w.text("m:Watermark", &watermark(context.world.latest_item()));
            Ok(())
        },
    );
    Ok(())
}

fn parse(pull: &Element) -> Result<FolderRef, Failure> {
    let child = |name| pull.types(name).ok_or_else(|| incomplete(&pull.name, name));
    let events = &child("EventTypes")?.children;
    let known = |event: &Element| EVENTS.contains(&event.text.trim());
    if events.is_empty() || !events.iter().all(known) {
        return Err(Failure::schema("The 'EventTypes' element is invalid."));
    }
    match child("Timeout")?.text.trim().parse() {
        Ok(1_u32..=1440) => FolderRef::one(child("FolderIds")?),
        _ => Err(Failure::schema("The 'Timeout' element is invalid.")),
    }
}
