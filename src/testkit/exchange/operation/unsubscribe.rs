//! Unsubscribe (Microsoft reference, "Unsubscribe operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

/// Ends a subscription.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let id = required(request, "SubscriptionId")?.text.trim().to_owned();
    let batch = Batch::new("m:Unsubscribe");
    batch.answer(
        context,
        w,
        &[()],
        |()| None,
        |context, (), _| {
            if context.world.subscriptions.end(&id) {
                Ok(())
            } else {
                Err(Failure::new("ErrorSubscriptionNotFound"))
            }
        },
    );
    Ok(())
}
