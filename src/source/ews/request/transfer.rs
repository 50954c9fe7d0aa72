//! MoveItem, CopyItem, DeleteItem.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::{FolderRef, Request, write_item_ids};
use crate::source::ItemRef;

/// Moves items.
#[derive(Debug)]
pub(in crate::source::ews) struct MoveItem<'a> {
    pub(in crate::source::ews) items: &'a [ItemRef],
    pub(in crate::source::ews) to: &'a FolderRef,
}

/// Copies items.
#[derive(Debug)]
pub(in crate::source::ews) struct CopyItem<'a> {
    pub(in crate::source::ews) items: &'a [ItemRef],
    pub(in crate::source::ews) to: &'a FolderRef,
}

/// Deletes items.
#[derive(Debug)]
pub(in crate::source::ews) struct DeleteItem<'a> {
    pub(in crate::source::ews) items: &'a [ItemRef],
    pub(in crate::source::ews) how: DeleteType,
}

/// Where a deleted item goes. The way that cannot be undone is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::ews) enum DeleteType {
    /// To Deleted Items.
    MoveToDeletedItems,
    /// To the recoverable items.
    SoftDelete,
}

impl Request for MoveItem<'_> {
    fn name(&self) -> &'static str {
        "MoveItem"
    }

    fn changes(&self) -> bool {
        true
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        write_transfer(xml, "m:MoveItem", self.items, self.to);
    }
}

impl Request for CopyItem<'_> {
    fn name(&self) -> &'static str {
        "CopyItem"
    }

    fn changes(&self) -> bool {
        true
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        write_transfer(xml, "m:CopyItem", self.items, self.to);
    }
}

impl Request for DeleteItem<'_> {
    fn name(&self) -> &'static str {
        "DeleteItem"
    }

    fn changes(&self) -> bool {
        true
    }

    fn write(&self, xml: &mut XmlWriter, version: Version) {
        let how = match self.how {
            DeleteType::MoveToDeletedItems => "MoveToDeletedItems",
            DeleteType::SoftDelete => "SoftDelete",
        };
        // The last two are required for appointments and tasks, which a queue may hold by mistake.
        let mut attributes = vec![
            ("DeleteType", how),
            ("SendMeetingCancellations", "SendToNone"),
            ("AffectedTaskOccurrences", "SpecifiedOccurrenceOnly"),
        ];
        if version <= Version::Exchange2013 {
            attributes.push(("SuppressReadReceipts", "true"));
        }
        xml.within("m:DeleteItem", &attributes, |xml| {
            write_item_ids(xml, self.items);
        });
    }
}

/// Items go without their change keys: a plan may be older than the last change of its item, and what was changed leaves all
/// the same. `ReturnNewItemIds` must follow the ids; a server that gets it elsewhere refuses the request.
fn write_transfer(xml: &mut XmlWriter, name: &str, items: &[ItemRef], to: &FolderRef) {
    xml.within(name, &[], |xml| {
        xml.within("m:ToFolderId", &[], |xml| to.write(xml));
        xml.within("m:ItemIds", &[], |xml| {
            for item in items {
                xml.empty("t:ItemId", &[("Id", &item.id)]);
            }
        });
        xml.leaf("m:ReturnNewItemIds", "true");
    });
}
