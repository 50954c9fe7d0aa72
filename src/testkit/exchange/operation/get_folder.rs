//! GetFolder (Microsoft reference, "GetFolder operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::render::folder::{self, FolderView};
use crate::testkit::exchange::request::reference::FolderRef;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::request::shape::Shape;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

struct GetFolder {
    shape: Shape,
    folders: Vec<FolderRef>,
}

impl GetFolder {
    fn parse(request: &Element) -> Result<Self, Failure> {
        Ok(Self {
            shape: Shape::parse(required(request, "FolderShape")?)?,
            folders: FolderRef::all(required(request, "FolderIds")?)?,
        })
    }
}

/// Answers the folders that were asked for.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let GetFolder { shape, folders } = GetFolder::parse(request)?;
    let batch = Batch::new("m:GetFolder");
    batch.answer(
        context,
        w,
        &folders,
        |_| None,
        |context, reference, w| {
            let folder = context.folder(reference)?;
            let view = FolderView {
                folder,
                world: context.world,
            };
            w.nest("m:Folders", &[], |w| folder::write(w, &view, &shape, false));
            Ok(())
        },
    );
    Ok(())
}
