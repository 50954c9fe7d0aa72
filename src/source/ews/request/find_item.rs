//! FindItem: ids, sizes, classes and keys; everything else is GetItem's to say.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::{FolderRef, Request, write_constant, write_field, write_property};
use crate::source::ListRequest;

/// Tag of `PR_SEARCH_KEY`.
const SEARCH_KEY: &str = "0x300B";

/// Lists items of a folder, oldest first.
#[derive(Debug)]
pub(in crate::source::ews) struct FindItem<'a> {
    pub(in crate::source::ews) folder: &'a FolderRef,
    pub(in crate::source::ews) page: ListRequest,
    pub(in crate::source::ews) which: Selection<'a>,
}

/// Which items are listed.
#[derive(Debug, Clone, Copy)]
pub(in crate::source::ews) enum Selection<'a> {
    /// All of them.
    All,
    /// Those with one of these search keys.
    SearchKeys(&'a [&'a [u8]]),
}

impl Request for FindItem<'_> {
    fn name(&self) -> &'static str {
        "FindItem"
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:FindItem", &[("Traversal", "Shallow")], |xml| {
            write_shape(xml);
            write_page(xml, self.page);
            if let Selection::SearchKeys(keys) = self.which {
                xml.within("m:Restriction", &[], |xml| write_keys(xml, keys));
            }
            write_order(xml);
            xml.within("m:ParentFolderIds", &[], |xml| self.folder.write(xml));
        });
    }
}

fn write_shape(xml: &mut XmlWriter) {
    xml.within("m:ItemShape", &[], |xml| {
        xml.leaf("t:BaseShape", "IdOnly");
        xml.within("t:AdditionalProperties", &[], |xml| {
            write_field(xml, "item:ItemClass");
            write_field(xml, "item:Sensitivity");
            write_field(xml, "item:DateTimeReceived");
            write_field(xml, "item:Size");
            write_property(xml, SEARCH_KEY, "Binary");
        });
    });
}

fn write_page(xml: &mut XmlWriter, page: ListRequest) {
    let (limit, offset) = (page.limit.max(1).to_string(), page.offset.to_string());
    xml.empty(
        "m:IndexedPageItemView",
        &[
            ("MaxEntriesReturned", &limit),
            ("Offset", &offset),
            ("BasePoint", "Beginning"),
        ],
    );
}

fn write_keys(xml: &mut XmlWriter, keys: &[&[u8]]) {
    match keys {
        [key] => write_key(xml, key),
        keys => xml.within("t:Or", &[], |xml| {
            for key in keys {
                write_key(xml, key);
            }
        }),
    }
}

fn write_key(xml: &mut XmlWriter, key: &[u8]) {
    xml.within("t:IsEqualTo", &[], |xml| {
        write_property(xml, SEARCH_KEY, "Binary");
        write_constant(xml, &base64_simd::STANDARD.encode_to_string(key));
    });
}

fn write_order(xml: &mut XmlWriter) {
    xml.within("m:SortOrder", &[], |xml| {
        xml.within("t:FieldOrder", &[("Order", "Ascending")], |xml| {
            write_field(xml, "item:DateTimeReceived");
        });
    });
}
