//! GetFolder, FindFolder, CreateFolder.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::{FolderRef, Request, write_constant, write_field, write_fields, write_property};
use crate::source::ListRequest;

/// Tag of `PR_REPLICA_LIST`, which names the mailbox that holds a public folder's content.
const REPLICA_LIST: &str = "0x6698";

/// Tag of `PidTagMessageSizeExtended`, in bytes (MS-OXPROPS).
pub(in crate::source::ews) const SIZE: &str = "0x0E08";
/// Tags of `PidTagProhibitReceiveQuota` and `PidTagProhibitSendQuota`, in kilobytes (MS-OXPROPS).
pub(in crate::source::ews) const RECEIVE_QUOTA: &str = "0x666A";
pub(in crate::source::ews) const SEND_QUOTA: &str = "0x666E";

const FIELDS: &[&str] = &[
    "folder:FolderClass",
    "folder:DisplayName",
    "folder:ChildFolderCount",
    "folder:EffectiveRights",
];

/// Reads one folder.
#[derive(Debug)]
pub(in crate::source::ews) struct GetFolder<'a> {
    pub(in crate::source::ews) folder: &'a FolderRef,
}

/// Asks how full a folder or a mailbox is.
#[derive(Debug)]
pub(in crate::source::ews) struct GetRoom<'a> {
    pub(in crate::source::ews) folder: &'a FolderRef,
}

/// Lists folders right below another one.
#[derive(Debug)]
pub(in crate::source::ews) struct FindFolder<'a> {
    pub(in crate::source::ews) parent: &'a FolderRef,
    pub(in crate::source::ews) which: Named<'a>,
}

/// Which folders are listed.
#[derive(Debug)]
pub(in crate::source::ews) enum Named<'a> {
    /// Those with this display name.
    Exactly(&'a str),
    /// Any, a page of them.
    Any(ListRequest),
}

/// Creates a mail folder.
#[derive(Debug)]
pub(in crate::source::ews) struct CreateFolder<'a> {
    pub(in crate::source::ews) parent: &'a FolderRef,
    pub(in crate::source::ews) name: &'a str,
}

impl Request for GetFolder<'_> {
    fn name(&self) -> &'static str {
        "GetFolder"
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:GetFolder", &[], |xml| {
            write_shape(xml);
            xml.within("m:FolderIds", &[], |xml| self.folder.write(xml));
        });
    }
}

impl Request for GetRoom<'_> {
    fn name(&self) -> &'static str {
        "GetFolder"
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:GetFolder", &[], |xml| {
            xml.within("m:FolderShape", &[], |xml| {
                xml.leaf("t:BaseShape", "IdOnly");
                xml.within("t:AdditionalProperties", &[], |xml| {
                    write_property(xml, SIZE, "Long");
                    write_property(xml, RECEIVE_QUOTA, "Integer");
                    write_property(xml, SEND_QUOTA, "Integer");
                });
            });
            xml.within("m:FolderIds", &[], |xml| self.folder.write(xml));
        });
    }
}

impl Request for FindFolder<'_> {
    fn name(&self) -> &'static str {
        "FindFolder"
    }

    fn is_about_hierarchy(&self) -> bool {
        true
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:FindFolder", &[("Traversal", "Shallow")], |xml| {
            write_shape(xml);
            match self.which {
                Named::Exactly(name) => write_name_restriction(xml, name),
                Named::Any(page) => write_page(xml, page),
            }
            xml.within("m:ParentFolderIds", &[], |xml| self.parent.write(xml));
        });
    }
}

impl Request for CreateFolder<'_> {
    fn name(&self) -> &'static str {
        "CreateFolder"
    }

    fn is_about_hierarchy(&self) -> bool {
        true
    }

    fn changes(&self) -> bool {
        true
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:CreateFolder", &[], |xml| {
            xml.within("m:ParentFolderId", &[], |xml| self.parent.write(xml));
            xml.within("m:Folders", &[], |xml| {
                xml.within("t:Folder", &[], |xml| {
                    xml.leaf("t:FolderClass", "IPF.Note");
                    xml.leaf("t:DisplayName", self.name);
                });
            });
        });
    }
}

fn write_shape(xml: &mut XmlWriter) {
    xml.within("m:FolderShape", &[], |xml| {
        xml.leaf("t:BaseShape", "IdOnly");
        xml.within("t:AdditionalProperties", &[], |xml| {
            write_fields(xml, FIELDS);
            write_property(xml, REPLICA_LIST, "Binary");
        });
    });
}

fn write_page(xml: &mut XmlWriter, page: ListRequest) {
    let (limit, offset) = (page.limit.max(1).to_string(), page.offset.to_string());
    xml.empty(
        "m:IndexedPageFolderView",
        &[
            ("MaxEntriesReturned", &limit),
            ("Offset", &offset),
            ("BasePoint", "Beginning"),
        ],
    );
}

fn write_name_restriction(xml: &mut XmlWriter, name: &str) {
    xml.within("m:Restriction", &[], |xml| {
        xml.within("t:IsEqualTo", &[], |xml| {
            write_field(xml, "folder:DisplayName");
            write_constant(xml, name);
        });
    });
}
