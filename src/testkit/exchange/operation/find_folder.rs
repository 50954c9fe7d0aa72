//! FindFolder (Microsoft reference, "FindFolder operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::render::folder::{self, FolderView};
use crate::testkit::exchange::request::paging::IndexedPage;
use crate::testkit::exchange::request::reference::FolderRef;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::request::restriction::Restriction;
use crate::testkit::exchange::request::shape::Shape;
use crate::testkit::exchange::store::folder::Folder;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

const PAGE_LIMIT: usize = 1000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Traversal {
    Shallow,
    Deep,
    SoftDeleted,
}

struct FindFolder {
    traversal: Traversal,
    shape: Shape,
    page: Option<IndexedPage>,
    restriction: Option<Restriction>,
    parents: Vec<FolderRef>,
}

impl FindFolder {
    fn parse(request: &Element) -> Result<Self, Failure> {
        let traversal = match request.attribute("Traversal") {
            Some("Shallow") => Traversal::Shallow,
            Some("Deep") => Traversal::Deep,
            Some("SoftDeleted") => Traversal::SoftDeleted,
            _ => return Err(Failure::schema("The 'Traversal' attribute is invalid.")),
        };
        let view = request.message("IndexedPageFolderView");
        Ok(Self {
            traversal,
            shape: Shape::parse(required(request, "FolderShape")?)?,
            page: view.map(IndexedPage::parse).transpose()?,
            restriction: Restriction::parse(request.message("Restriction"))?,
            parents: FolderRef::all(required(request, "ParentFolderIds")?)?,
        })
    }
}

/// Answers the folders below each parent.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let request = FindFolder::parse(request)?;
    let batch = Batch::new("m:FindFolder");
    batch.answer(
        context,
        w,
        &request.parents,
        |_| None,
        |context, parent, w| below(context, &request, parent, w),
    );
    Ok(())
}

fn below(
    context: &Context<'_>,
    request: &FindFolder,
    parent: &FolderRef,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let found = matching(context, request, context.folder(parent)?)?;
    let page = IndexedPage::of(request.page, found.len(), PAGE_LIMIT);
    let attributes = page.attributes();
    let attributes: Vec<_> = attributes
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    w.nest("m:RootFolder", &attributes, |w| {
        w.nest("t:Folders", &[], |w| {
            for view in found.get(page.range).unwrap_or_default() {
                folder::write(w, view, &request.shape, true);
            }
        });
    });
    Ok(())
}

/// A deep search is impossible below public folders (Microsoft, "Public folder access with EWS").
fn matching<'w>(
    context: &'w Context<'_>,
    request: &FindFolder,
    parent: &'w Folder,
) -> Result<Vec<FolderView<'w>>, Failure> {
    let keys = match request.traversal {
        Traversal::Shallow => parent.children.clone(),
        Traversal::SoftDeleted => Vec::new(),
        Traversal::Deep if parent.home.is_public() => {
            return Err(Failure::new("ErrorInvalidOperation"));
        }
        Traversal::Deep => context.world.descendants(parent.key),
    };
    let world = &*context.world;
    let mut found = Vec::new();
    for folder in keys.into_iter().filter_map(|key| world.folder(key)) {
        let view = FolderView { folder, world };
        if request
            .restriction
            .as_ref()
            .map_or(Ok(true), |wanted| wanted.matches(&view))?
        {
            found.push(view);
        }
    }
    Ok(found)
}
