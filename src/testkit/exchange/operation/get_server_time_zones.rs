//! GetServerTimeZones (Microsoft reference, "GetServerTimeZones operation"): UTC alone.

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::incomplete;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

const ID: &str = "UTC";
const NAME: &str = "(UTC) Coordinated Universal Time";

/// Answers the time zones that the server knows out of those that were asked for.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let ids = request.message("Ids");
    if ids.is_some_and(|ids| ids.children.is_empty()) {
        return Err(incomplete("Ids", "Id"));
    }
    let wanted = ids.is_none_or(|ids| ids.children.iter().any(|id| id.text.trim() == ID));
    let batch = Batch::new("m:GetServerTimeZones");
    batch.answer(
        context,
        w,
        &[()],
        |()| None,
        |_, (), w| {
            w.nest("m:TimeZoneDefinitions", &[], |w| {
                if wanted {
                    w.nest(
                        "t:TimeZoneDefinition",
                        &[("Id", ID), ("Name", NAME)],
                        periods,
                    );
                }
            });
            Ok(())
        },
    );
    Ok(())
}

fn periods(w: &mut XmlWriter) {
    w.nest("t:Periods", &[], |w| {
        w.empty(
            "t:Period",
            &[("Bias", "PT0S"), ("Name", "Standard"), ("Id", "trule:UTC")],
        );
    });
}
