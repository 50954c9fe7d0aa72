//! SyncFolderItems: refused, as Exchange does for public folders.

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::reference::FolderRef;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

/// Refuses: public folders have no sync (Microsoft, "SyncFolderItems operation"), and the simulated
/// server keeps no history for mailbox folders either.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let folder = FolderRef::one(required(request, "SyncFolderId")?)?;
    let batch = Batch::new("m:SyncFolderItems");
    batch.answer(
        context,
        w,
        &[folder],
        |_| None,
        |context, folder, _| {
            context.folder(folder)?;
            Err(Failure::new("ErrorInvalidOperation"))
        },
    );
    Ok(())
}
