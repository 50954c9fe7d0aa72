//! One folder as an element.

use super::item_fields::extended_property;
use crate::testkit::exchange::request::property::{ExtendedPath, PropertyPath};
use crate::testkit::exchange::request::shape::{BaseShape, Shape};
use crate::testkit::exchange::request::value::{Properties, Value};
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::folder::{Folder, Home};
use crate::testkit::exchange::store::ids;
use crate::testkit::exchange::writer::XmlWriter;

/// PidTagReplicaList (MS-OXPROPS): where the content of a public folder lives.
const REPLICA_LIST: u16 = 0x6698;

/// PidTagMessageSizeExtended in bytes, PidTagProhibitReceiveQuota and PidTagProhibitSendQuota in kilobytes (MS-OXPROPS).
const MESSAGE_SIZE: u16 = 0x0E08;
const QUOTAS: [u16; 2] = [0x666A, 0x666E];

/// A folder together with the world that it is in.
pub(crate) struct FolderView<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) world: &'a World,
}

type Write = fn(&mut XmlWriter, &FolderView<'_>);

/// Fields by the order of BaseFolderType and FolderType.
const FIELDS: &[(&str, BaseShape, Write)] = &[
    ("folder:FolderId", BaseShape::IdOnly, |w, v| {
        id(w, "t:FolderId", v.folder);
    }),
    ("folder:ParentFolderId", BaseShape::AllProperties, |w, v| {
        if let Some(parent) = v.folder.parent.and_then(|key| v.world.folder(key)) {
            id(w, "t:ParentFolderId", parent);
        }
    }),
    ("folder:FolderClass", BaseShape::AllProperties, |w, v| {
        if !v.folder.class.is_empty() {
            w.text("t:FolderClass", v.folder.class);
        }
    }),
    ("folder:DisplayName", BaseShape::Default, |w, v| {
        w.text("t:DisplayName", &v.folder.name);
    }),
    ("folder:TotalCount", BaseShape::Default, |w, v| {
        w.number("t:TotalCount", v.folder.items.len());
    }),
    ("folder:ChildFolderCount", BaseShape::Default, |w, v| {
        w.number("t:ChildFolderCount", v.folder.children.len());
    }),
    ("", BaseShape::IdOnly, |_, _| {}),
    (
        "folder:EffectiveRights",
        BaseShape::AllProperties,
        |w, v| {
            super::effective_rights(w, v.folder.rights);
        },
    ),
    (
        "folder:DistinguishedFolderId",
        BaseShape::AllProperties,
        |w, v| {
            if let Some(id) = v.folder.distinguished {
                w.text("t:DistinguishedFolderId", id);
            }
        },
    ),
    ("folder:UnreadCount", BaseShape::Default, |w, v| {
        let unread = v.world.items_in(v.folder).filter(|item| !item.is_read);
        w.number("t:UnreadCount", unread.count());
    }),
];

/// Counts that FindFolder does not give for public folders unless they are named.
const COUNTS: [&str; 2] = ["folder:TotalCount", "folder:UnreadCount"];

/// Writes a folder; `finding` says that FindFolder asks.
pub(crate) fn write(w: &mut XmlWriter, view: &FolderView<'_>, shape: &Shape, finding: bool) {
    let sparse = finding && view.folder.home.is_public();
    w.nest("t:Folder", &[], |w| {
        for (uri, since, write) in FIELDS {
            let in_base = *since <= shape.base && !(sparse && COUNTS.contains(uri));
            if uri.is_empty() {
                extended(w, view, shape);
            } else if in_base || shape.wants(uri) {
                write(w, view);
            }
        }
    });
}

/// Writes a folder as its id alone.
pub(crate) fn write_id_only(w: &mut XmlWriter, folder: &Folder) {
    w.nest("t:Folder", &[], |w| id(w, "t:FolderId", folder));
}

fn id(w: &mut XmlWriter, name: &str, folder: &Folder) {
    w.empty(
        name,
        &[("Id", &folder.id), ("ChangeKey", &folder.change_key)],
    );
}

fn extended(w: &mut XmlWriter, view: &FolderView<'_>, shape: &Shape) {
    for path in &shape.extended {
        if let Some(value) = extended_value(view, path) {
            extended_property(w, path, &[value.text()]);
        }
    }
}

impl Properties for FolderView<'_> {
    fn value(&self, path: &PropertyPath) -> Option<Value> {
        match path {
            PropertyPath::Field(uri) => field_value(self.folder, uri),
            PropertyPath::Indexed { .. } => None,
            PropertyPath::Extended(path) => extended_value(self, path),
        }
    }
}

fn field_value(folder: &Folder, uri: &str) -> Option<Value> {
    Some(match uri {
        "folder:DisplayName" => Value::Text(folder.name.clone()),
        "folder:FolderClass" => Value::Text(folder.class.to_owned()),
        "folder:FolderId" => Value::Text(folder.id.clone()),
        "folder:ChildFolderCount" => count(folder.children.len()),
        "folder:TotalCount" => count(folder.items.len()),
        _ => return None,
    })
}

fn count(number: usize) -> Value {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

fn extended_value(view: &FolderView<'_>, path: &ExtendedPath) -> Option<Value> {
    let is = |tag, kind| *path == ExtendedPath::by_tag(tag, kind);
    if is(MESSAGE_SIZE, "Long") {
        return Some(bytes(measured(view).bytes));
    }
    if QUOTAS.iter().any(|tag| is(*tag, "Integer")) {
        return measured(view).quota.map(|quota| bytes(quota / 1024));
    }
    replica_list(view, path)
}

fn bytes(number: u64) -> Value {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The folder whose numbers are told: a folder's own; at the root of a mailbox, those of the folder that a test has given a
/// quota, as quotas are the mailbox's on Exchange.
fn measured<'a>(view: &FolderView<'a>) -> &'a Folder {
    if view.folder.distinguished != Some("root") {
        return view.folder;
    }
    let mut below = view.world.descendants(view.folder.key).into_iter();
    let limited = below.find_map(|key| {
        let folder = view.world.folder(key)?;
        folder.quota.map(|_| folder)
    });
    limited.unwrap_or(view.folder)
}

/// The replica list is text: a GUID of 36 characters and a NUL byte.
fn replica_list(view: &FolderView<'_>, path: &ExtendedPath) -> Option<Value> {
    let Home::Public { content_mailbox } = view.folder.home else {
        return None;
    };
    (*path == ExtendedPath::by_tag(REPLICA_LIST, "Binary")).then(|| {
        let mut bytes = ids::mailbox_guid(content_mailbox).into_bytes();
        bytes.push(0);
        Value::Binary(bytes)
    })
}
