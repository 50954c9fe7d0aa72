//! ConvertId (Microsoft reference, "ConvertId operation"), as far as clients use it to say hello.

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::store::ids::{IdKind, kind_of};
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

/// Gives back an EWS id as it is; other formats are not known.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let destination = request.attribute("DestinationFormat").unwrap_or_default();
    let sources = &required(request, "SourceIds")?.children;
    let id_of = |source: &Element| source.attribute("Id").map(str::to_owned);
    let batch = Batch::new("m:ConvertId");
    batch.answer(
        context,
        w,
        sources,
        |_| None,
        |_, source, w| {
            let id = id_of(source).unwrap_or_default();
            let known = kind_of(&id) != IdKind::Malformed && destination == "EwsId";
            if !known || source.name != "AlternateId" {
                return Err(Failure::new("ErrorInvalidIdMalformed"));
            }
            let mailbox = source.attribute("Mailbox").unwrap_or_default();
            w.empty(
                "m:AlternateId",
                &[
                    ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
                    ("xsi:type", "t:AlternateIdType"),
                    ("Format", destination),
                    ("Id", &id),
                    ("Mailbox", mailbox),
                ],
            );
            Ok(())
        },
    );
    Ok(())
}
