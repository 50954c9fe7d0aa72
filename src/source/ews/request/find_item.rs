//! FindItem: ids, sizes, classes and keys; everything else is GetItem's to say.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::{FolderRef, Request, write_constant, write_field, write_property, write_stamp_path};
use crate::source::ListRequest;

/// Tag of `PR_SEARCH_KEY`.
const SEARCH_KEY: &str = "0x300B";

/// Lists items of a folder, oldest first but where the newest is asked for.
#[derive(Debug)]
pub(in crate::source::ews) struct FindItem<'a> {
    pub(in crate::source::ews) folder: &'a FolderRef,
    pub(in crate::source::ews) page: ListRequest,
    pub(in crate::source::ews) which: Selection<'a>,
    /// Whether our own key is asked for.
    pub(in crate::source::ews) with_stamp: bool,
}

/// Which items are listed.
#[derive(Debug, Clone, Copy)]
pub(in crate::source::ews) enum Selection<'a> {
    /// All of them.
    All,
    /// The newest first.
    Newest,
    /// Those with one of these search keys.
    SearchKeys(&'a [&'a [u8]]),
    /// Those with one of these keys of our own.
    Stamps(&'a [&'a [u8]]),
}

impl Request for FindItem<'_> {
    fn name(&self) -> &'static str {
        "FindItem"
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:FindItem", &[("Traversal", "Shallow")], |xml| {
            write_shape(xml, self.with_stamp);
            write_page(xml, self.page);
            if let Selection::SearchKeys(keys) | Selection::Stamps(keys) = self.which {
                let path = match self.which {
                    Selection::Stamps(_) => write_stamp_path,
                    _ => write_search_key_path,
                };
                xml.within("m:Restriction", &[], |xml| write_keys(xml, path, keys));
            }
            write_order(xml, self.which);
            xml.within("m:ParentFolderIds", &[], |xml| self.folder.write(xml));
        });
    }
}

fn write_shape(xml: &mut XmlWriter, with_stamp: bool) {
    xml.within("m:ItemShape", &[], |xml| {
        xml.leaf("t:BaseShape", "IdOnly");
        xml.within("t:AdditionalProperties", &[], |xml| {
            write_field(xml, "item:ItemClass");
            write_field(xml, "item:Sensitivity");
            write_field(xml, "item:DateTimeReceived");
            write_field(xml, "item:Size");
            write_search_key_path(xml);
            if with_stamp {
                write_stamp_path(xml);
            }
        });
    });
}

fn write_search_key_path(xml: &mut XmlWriter) {
    write_property(xml, SEARCH_KEY, "Binary");
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

fn write_keys(xml: &mut XmlWriter, path: fn(&mut XmlWriter), keys: &[&[u8]]) {
    match keys {
        [key] => write_key(xml, path, key),
        keys => xml.within("t:Or", &[], |xml| {
            for key in keys {
                write_key(xml, path, key);
            }
        }),
    }
}

fn write_key(xml: &mut XmlWriter, path: fn(&mut XmlWriter), key: &[u8]) {
    xml.within("t:IsEqualTo", &[], |xml| {
        path(xml);
        write_constant(xml, &base64_simd::STANDARD.encode_to_string(key));
    });
}

fn write_order(xml: &mut XmlWriter, which: Selection<'_>) {
    let order = match which {
        Selection::Newest => "Descending",
        Selection::All | Selection::SearchKeys(_) | Selection::Stamps(_) => "Ascending",
    };
    xml.within("m:SortOrder", &[], |xml| {
        xml.within("t:FieldOrder", &[("Order", order)], |xml| {
            write_field(xml, "item:DateTimeReceived");
        });
    });
}
