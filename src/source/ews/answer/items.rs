//! Items: ids and the rows of a FindItem answer.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::super::soap::{Node, Ns, Tree};
use super::facts::{binary_property, sensitivity, stamp, timestamp};
use crate::message::ItemClass;
use crate::source::{ItemRef, ListedItem, Listing, SightingKey};

/// Tag of `PR_SEARCH_KEY` (MS-OXCMSG).
pub(in crate::source::ews) const SEARCH_KEY: &str = "0x300b";

/// The id of an item, if it has one.
pub(in crate::source::ews) fn item_ref(item: Node<'_>) -> Option<ItemRef> {
    let id = item.child(Ns::Types, "ItemId")?;
    let reference = ItemRef::new(id.attribute("Id").filter(|id| !id.is_empty())?);
    Some(match id.attribute("ChangeKey") {
        Some(change_key) => reference.with_change_key(change_key),
        None => reference,
    })
}

/// Reads one page of a FindItem answer: each id once, and an end that cannot be missed.
///
/// Servers were seen that say "not the last" for ever, or name one item once per category: a page without a new item is
/// the last one.
///
/// Nothing where the answer holds no page at all: that is not an empty folder.
pub(in crate::source::ews) fn read_listing(tree: &Tree, offset: u32) -> Option<Listing> {
    let folder = tree.root()?.child(Ns::Messages, "RootFolder")?;
    let rows = folder.child(Ns::Types, "Items");
    let mut seen = BTreeSet::new();
    let items = rows
        .into_iter()
        .flat_map(Node::children)
        .filter_map(read_row);
    let items: Vec<_> = items
        .filter(|row| seen.insert(row.item.id.clone()))
        .collect();
    let total = folder
        .attribute("TotalItemsInView")
        .and_then(|text| text.parse().ok());
    let last = folder.attribute("IncludesLastItemInRange") != Some("false");
    let reached = u64::from(offset) + u64::try_from(items.len()).unwrap_or(u64::MAX);
    let complete = items.is_empty() || (last && total.is_none_or(|total| reached >= total));
    Some(Listing::new(items, total, complete))
}

fn read_row(item: Node<'_>) -> Option<ListedItem> {
    let mut row = ListedItem::new(item_ref(item)?);
    // What was once known by our own key stays known by it, whatever the server adds later.
    let stamped = stamp(item).map(SightingKey::Stamp);
    row.key = stamped
        .or_else(|| binary_property(item, SEARCH_KEY).and_then(SightingKey::from_search_key));
    row.size = item
        .child_text(Ns::Types, "Size")
        .and_then(|text| text.parse().ok());
    let class = item.child_text(Ns::Types, "ItemClass");
    row.class = class.map_or(ItemClass::Mail, ItemClass::from_item_class);
    row.received = received(item);
    row.sensitivity = item
        .child_text(Ns::Types, "Sensitivity")
        .and_then(sensitivity);
    Some(row)
}

fn received(item: Node<'_>) -> Option<Timestamp> {
    item.child_text(Ns::Types, "DateTimeReceived")
        .and_then(timestamp)
}
