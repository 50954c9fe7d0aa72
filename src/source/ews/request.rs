//! The requests that this source can send, each written in the element order of Exchange's schema.

mod acting_for;
mod envelope;
mod find_item;
mod folders;
mod get_item;
mod notifications;
mod resolve_names;
mod routed;
mod transfer;
mod update_item;

use reqwest::header::HeaderMap;

use super::soap::XmlWriter;
use super::version::Version;
use crate::source::ItemRef;

pub(super) use acting_for::ActingFor;
pub(super) use envelope::envelope;
pub(super) use find_item::{FindItem, Selection};
pub(super) use folders::{CreateFolder, FindFolder, GetFolder, GetRoom, Named};
pub(super) use folders::{RECEIVE_QUOTA, SEND_QUOTA, SIZE};
pub(super) use get_item::{GetItem, Shape};
pub(super) use notifications::{GetEvents, Subscribe, Unsubscribe};
pub(super) use resolve_names::ResolveNames;
pub(super) use routed::Routed;
pub(super) use transfer::{CopyItem, DeleteItem, DeleteType, MoveItem};
pub(super) use update_item::{STAMP_NAME, STAMP_SET, StampItem};

/// One request.
pub(super) trait Request: Sync {
    /// The operation, which is the name of the element too.
    fn name(&self) -> &'static str;

    /// Whether it changes something, so that it must not be repeated after an unknown effect.
    fn changes(&self) -> bool {
        false
    }

    /// Whether it is about the tree of folders, which public folders keep in another mailbox than their content. To
    /// Exchange GetFolder is about content.
    fn is_about_hierarchy(&self) -> bool {
        false
    }

    /// Routing of its own, in the place of the connection's.
    fn routing(&self) -> Option<&HeaderMap> {
        None
    }

    /// Whether its sender knows another way if it comes to the wrong mailbox.
    fn has_other_ways(&self) -> bool {
        false
    }

    /// The mailbox whose owner it acts as, in the place of the connection's.
    fn acts_for(&self) -> Option<&str> {
        None
    }

    /// Writes the element below the body.
    fn write(&self, xml: &mut XmlWriter, version: Version);
}

/// Which folder is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FolderRef {
    /// By its id.
    Id(String),
    /// By the name that every mailbox has for it, in another mailbox if one is given.
    Distinguished(&'static str, Option<String>),
}

impl FolderRef {
    fn write(&self, xml: &mut XmlWriter) {
        match self {
            Self::Id(id) => xml.empty("t:FolderId", &[("Id", id)]),
            Self::Distinguished(name, None) => {
                xml.empty("t:DistinguishedFolderId", &[("Id", name)]);
            }
            Self::Distinguished(name, Some(mailbox)) => {
                xml.within("t:DistinguishedFolderId", &[("Id", name)], |xml| {
                    xml.within("t:Mailbox", &[], |xml| xml.leaf("t:EmailAddress", mailbox));
                });
            }
        }
    }
}

fn write_item_ids(xml: &mut XmlWriter, items: &[ItemRef]) {
    xml.within("m:ItemIds", &[], |xml| {
        for item in items {
            match &item.change_key {
                Some(key) => xml.empty("t:ItemId", &[("Id", &item.id), ("ChangeKey", key)]),
                None => xml.empty("t:ItemId", &[("Id", &item.id)]),
            }
        }
    });
}

fn write_field(xml: &mut XmlWriter, uri: &str) {
    xml.empty("t:FieldURI", &[("FieldURI", uri)]);
}

fn write_fields(xml: &mut XmlWriter, uris: &[&str]) {
    for uri in uris {
        write_field(xml, uri);
    }
}

fn write_property(xml: &mut XmlWriter, tag: &str, kind: &str) {
    xml.empty(
        "t:ExtendedFieldURI",
        &[("PropertyTag", tag), ("PropertyType", kind)],
    );
}

/// The property that holds a key of our own.
fn write_stamp_path(xml: &mut XmlWriter) {
    xml.empty(
        "t:ExtendedFieldURI",
        &[
            ("DistinguishedPropertySetId", STAMP_SET),
            ("PropertyName", STAMP_NAME),
            ("PropertyType", "Binary"),
        ],
    );
}

fn write_constant(xml: &mut XmlWriter, value: &str) {
    xml.within("t:FieldURIOrConstant", &[], |xml| {
        xml.empty("t:Constant", &[("Value", value)]);
    });
}
