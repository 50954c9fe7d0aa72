//! UpdateItem: our own key on items that have none, and nothing else.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::{Request, write_stamp_path};
use crate::source::ItemRef;

/// The set of properties that are named by text (`PS_PUBLIC_STRINGS`, MS-OXPROPS).
pub(in crate::source::ews) const STAMP_SET: &str = "PublicStrings";
/// The name of our property.
pub(in crate::source::ews) const STAMP_NAME: &str = "EmailLoggingKey";

/// Writes a key to each item.
///
/// To write the same key again changes nothing, so that the request may be repeated after an unknown effect.
#[derive(Debug)]
pub(in crate::source::ews) struct StampItem<'a> {
    pub(in crate::source::ews) items: &'a [(ItemRef, [u8; 16])],
}

impl Request for StampItem<'_> {
    fn name(&self) -> &'static str {
        "UpdateItem"
    }

    fn write(&self, xml: &mut XmlWriter, version: Version) {
        // The third is required for appointments, which a queue may hold by mistake.
        let mut attributes = vec![
            ("ConflictResolution", "AlwaysOverwrite"),
            ("MessageDisposition", "SaveOnly"),
            ("SendMeetingInvitationsOrCancellations", "SendToNone"),
        ];
        if version <= Version::Exchange2013 {
            attributes.push(("SuppressReadReceipts", "true"));
        }
        xml.within("m:UpdateItem", &attributes, |xml| {
            xml.within("m:ItemChanges", &[], |xml| {
                for (item, key) in self.items {
                    xml.within("t:ItemChange", &[], |xml| write_change(xml, item, key));
                }
            });
        });
    }
}

fn write_change(xml: &mut XmlWriter, item: &ItemRef, key: &[u8; 16]) {
    match &item.change_key {
        Some(change_key) => xml.empty("t:ItemId", &[("Id", &item.id), ("ChangeKey", change_key)]),
        None => xml.empty("t:ItemId", &[("Id", &item.id)]),
    }
    xml.within("t:Updates", &[], |xml| {
        xml.within("t:SetItemField", &[], |xml| {
            write_stamp_path(xml);
            xml.within("t:Message", &[], |xml| {
                xml.within("t:ExtendedProperty", &[], |xml| {
                    write_stamp_path(xml);
                    xml.leaf("t:Value", &base64_simd::STANDARD.encode_to_string(key));
                });
            });
        });
    });
}
