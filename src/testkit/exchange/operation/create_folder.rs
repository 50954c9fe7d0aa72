//! CreateFolder (Microsoft reference, "CreateFolder operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::render::folder;
use crate::testkit::exchange::request::reference::FolderRef;
use crate::testkit::exchange::request::{incomplete, required};
use crate::testkit::exchange::store::folder::FolderKey;
use crate::testkit::exchange::store::tree::NewFolder;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

struct CreateFolder {
    parent: FolderRef,
    names: Vec<String>,
}

impl CreateFolder {
    fn parse(request: &Element) -> Result<Self, Failure> {
        let folders = required(request, "Folders")?.children.iter();
        let name = |folder: &Element| {
            let name = folder
                .types_text("DisplayName")
                .filter(|name| !name.is_empty());
            name.map(str::to_owned)
                .ok_or_else(|| incomplete("Folder", "DisplayName"))
        };
        Ok(Self {
            parent: FolderRef::one(required(request, "ParentFolderId")?)?,
            names: folders.map(name).collect::<Result<_, _>>()?,
        })
    }
}

/// Creates the folders and answers their ids.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let CreateFolder { parent, names } = CreateFolder::parse(request)?;
    let batch = Batch::new("m:CreateFolder");
    batch.answer(
        context,
        w,
        &names,
        |_| None,
        |context, name, w| {
            let key = create(context, &parent, name)?;
            let made = context.world.folder(key);
            let made = made.ok_or_else(|| Failure::new("ErrorFolderNotFound"))?;
            w.nest("m:Folders", &[], |w| folder::write_id_only(w, made));
            Ok(())
        },
    );
    Ok(())
}

fn create(context: &mut Context<'_>, parent: &FolderRef, name: &str) -> Result<FolderKey, Failure> {
    let parent = context.folder_with(parent, |rights| rights.create_hierarchy)?;
    let (key, home) = (parent.key, parent.home);
    if context.world.child_named(key, name).is_some() {
        return Err(Failure::new("ErrorFolderExists"));
    }
    let (parent, class) = (Some(key), "IPF.Note");
    Ok(context.world.add_folder(NewFolder {
        parent,
        name,
        class,
        distinguished: None,
        home,
    }))
}
