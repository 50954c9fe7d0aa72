//! CopyItem (Microsoft reference, "CopyItem operation").

use super::batch::Batch;
use super::context::Context;
use super::move_item::{MoveOrCopy, Transfer};
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

/// Copies the items and answers the ids of the copies.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let request = MoveOrCopy::parse(request, context.version)?;
    let transfer = Transfer {
        needs: |rights| rights.read,
        run: |context, key, target| context.world.copy_item(key, target),
    };
    request.answer(&Batch::of_items("m:CopyItem"), context, w, transfer);
    Ok(())
}
