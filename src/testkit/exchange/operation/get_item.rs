//! GetItem (Microsoft reference, "GetItem operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::render::item::{Detail, ItemRenderer, ItemView};
use crate::testkit::exchange::request::reference::ItemRef;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::request::shape::Shape;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

struct GetItem {
    shape: Shape,
    items: Vec<ItemRef>,
}

impl GetItem {
    fn parse(request: &Element) -> Result<Self, Failure> {
        Ok(Self {
            shape: Shape::parse(required(request, "ItemShape")?)?,
            items: ItemRef::all(required(request, "ItemIds")?)?,
        })
    }
}

/// Answers the items that were asked for.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let GetItem { shape, items } = GetItem::parse(request)?;
    let renderer = ItemRenderer::new(&shape, Detail::Get)?;
    let batch = Batch::of_items("m:GetItem");
    batch.answer(
        context,
        w,
        &items,
        |item| Some(item.id.as_str()),
        |context, reference, w| {
            let (item, folder) = context.item_with(reference, |rights| rights.read)?;
            if let Some(code) = item.mime_failure.as_ref().filter(|_| shape.include_mime) {
                return Err(Failure::new(code.clone()));
            }
            let view = ItemView::new(item, folder);
            w.nest("m:Items", &[], |w| renderer.write(w, &view));
            Ok(())
        },
    );
    Ok(())
}
