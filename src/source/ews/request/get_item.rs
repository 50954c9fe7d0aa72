//! GetItem: originals and facts.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::{Request, write_fields, write_item_ids, write_property};
use crate::source::ItemRef;

/// Reads items.
#[derive(Debug)]
pub(in crate::source::ews) struct GetItem<'a> {
    pub(in crate::source::ews) items: &'a [ItemRef],
    pub(in crate::source::ews) shape: Shape,
    pub(in crate::source::ews) with_mime: bool,
}

/// Which facts are asked for. Exchange refuses `message:*` for items that are no messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::ews) enum Shape {
    /// Those of any item.
    Item,
    /// Those of a message.
    Message,
}

const ITEM_FIELDS: &[&str] = &[
    "item:ItemClass",
    "item:Subject",
    "item:Sensitivity",
    "item:DateTimeReceived",
    "item:Size",
    "item:DateTimeSent",
];

const MESSAGE_FIELDS: &[&str] = &[
    "message:Sender",
    "message:ToRecipients",
    "message:CcRecipients",
    "message:BccRecipients",
    "message:From",
    "message:InternetMessageId",
];

/// `PR_SENDER_SMTP_ADDRESS` and `PR_SENT_REPRESENTING_SMTP_ADDRESS` (MS-OXPROPS): the sender of a mail from inside the
/// organisation, which has an Exchange address only.
const SMTP_PROPERTIES: &[&str] = &["0x5D01", "0x5D02"];

impl Request for GetItem<'_> {
    fn name(&self) -> &'static str {
        "GetItem"
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:GetItem", &[], |xml| {
            xml.within("m:ItemShape", &[], |xml| self.write_shape(xml));
            write_item_ids(xml, self.items);
        });
    }
}

impl GetItem<'_> {
    fn write_shape(&self, xml: &mut XmlWriter) {
        xml.leaf("t:BaseShape", "IdOnly");
        if self.with_mime {
            xml.leaf("t:IncludeMimeContent", "true");
        }
        xml.within("t:AdditionalProperties", &[], |xml| {
            write_fields(xml, ITEM_FIELDS);
            if self.shape == Shape::Message {
                write_fields(xml, MESSAGE_FIELDS);
                for tag in SMTP_PROPERTIES {
                    write_property(xml, tag, "String");
                }
            }
        });
    }
}
