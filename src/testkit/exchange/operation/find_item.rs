//! FindItem (Microsoft reference, "FindItem operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::render::item::{Detail, ItemRenderer, ItemView};
use crate::testkit::exchange::request::paging::IndexedPage;
use crate::testkit::exchange::request::reference::FolderRef;
use crate::testkit::exchange::request::required;
use crate::testkit::exchange::request::restriction::Restriction;
use crate::testkit::exchange::request::shape::Shape;
use crate::testkit::exchange::request::sort::SortOrder;
use crate::testkit::exchange::store::folder::Folder;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

/// EWSFindCountLimit, and what is left of it with a restriction (Microsoft, "EWS throttling").
const PAGE_LIMIT: usize = 1000;
const PAGE_LIMIT_WITH_RESTRICTION: usize = 250;

struct FindItem {
    shallow: bool,
    shape: Shape,
    page: Option<IndexedPage>,
    restriction: Option<Restriction>,
    sort: SortOrder,
    parents: Vec<FolderRef>,
}

impl FindItem {
    fn parse(request: &Element) -> Result<Self, Failure> {
        let shallow = match request.attribute("Traversal") {
            Some("Shallow") => true,
            Some("SoftDeleted" | "Associated") => false,
            _ => return Err(Failure::schema("The 'Traversal' attribute is invalid.")),
        };
        let view = request.message("IndexedPageItemView");
        Ok(Self {
            shallow,
            shape: Shape::parse(required(request, "ItemShape")?)?,
            page: view.map(IndexedPage::parse).transpose()?,
            restriction: Restriction::parse(request.message("Restriction"))?,
            sort: SortOrder::parse(request.message("SortOrder"))?,
            parents: FolderRef::all(required(request, "ParentFolderIds")?)?,
        })
    }
}

/// Views, groupings and queries that the server does not know.
const UNSUPPORTED: [&str; 7] = [
    "FractionalPageItemView",
    "SeekToConditionPageItemView",
    "CalendarView",
    "ContactsView",
    "GroupBy",
    "DistinguishedGroupBy",
    "QueryString",
];

/// Answers a page of the items of each folder.
pub(crate) fn answer(
    context: &mut Context<'_>,
    element: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let request = FindItem::parse(element)?;
    let unsupported = UNSUPPORTED
        .iter()
        .any(|name| element.message(name).is_some());
    let batch = Batch::new("m:FindItem");
    batch.answer(
        context,
        w,
        &request.parents,
        |_| None,
        |context, parent, w| {
            if unsupported {
                return Err(Failure::new("ErrorInvalidOperation"));
            }
            page(context, &request, parent, w)
        },
    );
    Ok(())
}

fn page(
    context: &Context<'_>,
    request: &FindItem,
    parent: &FolderRef,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let renderer = ItemRenderer::new(&request.shape, Detail::Find)?;
    let folder = context.folder_anywhere(parent)?;
    if !folder.rights.read {
        return Err(Failure::new("ErrorAccessDenied"));
    }
    let found = sorted(request, matching(context, request, folder)?);
    let restricted = request.restriction.is_some();
    let limit = if restricted {
        PAGE_LIMIT_WITH_RESTRICTION
    } else {
        PAGE_LIMIT
    };
    let mut page = IndexedPage::of(request.page, found.len(), limit);
    if context.effects.endless_paging {
        page.never_end();
    }
    let copies = if context.effects.duplicate_items {
        2
    } else {
        1
    };
    let attributes = page.attributes();
    let attributes: Vec<_> = attributes
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    w.nest("m:RootFolder", &attributes, |w| {
        w.nest("t:Items", &[], |w| {
            for view in found.get(page.range).unwrap_or_default() {
                (0..copies).for_each(|_| renderer.write(w, view));
            }
        });
    });
    Ok(())
}

/// The items that are wanted; a folder looks empty from the wrong mailbox.
fn matching<'w>(
    context: &'w Context<'_>,
    request: &FindItem,
    folder: &'w Folder,
) -> Result<Vec<ItemView<'w>>, Failure> {
    let mut found = Vec::new();
    if !request.shallow || !context.is_reached(folder) {
        return Ok(found);
    }
    for item in context.world.items_in(folder) {
        let view = ItemView::new(item, folder);
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

/// Sorts as asked; without an order the newest item comes first, as on Exchange.
fn sorted<'w>(request: &FindItem, found: Vec<ItemView<'w>>) -> Vec<ItemView<'w>> {
    if request.sort.is_empty() {
        return found.into_iter().rev().collect();
    }
    let keyed = found
        .into_iter()
        .map(|view| (request.sort.key(&view), view));
    let mut keyed: Vec<_> = keyed.collect();
    if request.sort.descends() {
        // Of equal items the later arrival comes first, as it does without an order.
        keyed.reverse();
    }
    keyed.sort_by(|(left, _), (right, _)| request.sort.compare(left, right));
    keyed.into_iter().map(|(_, view)| view).collect()
}
