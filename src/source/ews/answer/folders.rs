//! Folders of GetFolder, FindFolder and CreateFolder answers.

use super::super::routes::replica;
use super::super::soap::{Node, Ns, Tree};
use super::facts::binary_property;
use crate::source::{Folder, FolderId, FolderRights};

/// Tag of `PR_REPLICA_LIST` (MS-OXPROPS, PidTagReplicaList).
const REPLICA_LIST: &str = "0x6698";

/// One folder of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source::ews) struct FolderRow {
    /// The folder.
    pub(in crate::source::ews) folder: Folder,
    /// The display name as the server writes it.
    pub(in crate::source::ews) name: String,
    /// The mailbox that holds its content, where it is a public folder.
    pub(in crate::source::ews) replica: Option<String>,
}

/// Reads the folders of an answer, and whether there are none after them.
pub(in crate::source::ews) fn read_folders(tree: &Tree) -> (Vec<FolderRow>, bool) {
    let Some(root) = tree.root() else {
        return (Vec::new(), true);
    };
    let (list, complete) = match root.child(Ns::Messages, "RootFolder") {
        Some(found) => (
            found.child(Ns::Types, "Folders"),
            found.attribute("IncludesLastItemInRange") != Some("false"),
        ),
        None => (root.child(Ns::Messages, "Folders"), true),
    };
    let rows: Vec<_> = list
        .into_iter()
        .flat_map(Node::children)
        .filter_map(read_row)
        .collect();
    let complete = complete || rows.is_empty();
    (rows, complete)
}

fn read_row(node: Node<'_>) -> Option<FolderRow> {
    let id = node.child(Ns::Types, "FolderId")?.attribute("Id")?;
    let mut folder = Folder::new(FolderId::new(id));
    let name = node.child(Ns::Types, "DisplayName").map(Node::text);
    folder.name = name.map(str::to_owned);
    folder.rights = node.child(Ns::Types, "EffectiveRights").map(read_rights);
    folder.child_folders = node
        .child_text(Ns::Types, "ChildFolderCount")
        .and_then(|count| count.parse().ok());
    folder.class = node
        .child(Ns::Types, "FolderClass")
        .map(|class| class.text().to_owned());
    Some(FolderRow {
        folder,
        name: name.unwrap_or_default().to_owned(),
        replica: binary_property(node, REPLICA_LIST).and_then(|bytes| replica(&bytes)),
    })
}

fn read_rights(node: Node<'_>) -> FolderRights {
    let may = |name| matches!(node.child_text(Ns::Types, name), Some("true" | "1"));
    FolderRights {
        create_contents: may("CreateContents"),
        create_hierarchy: may("CreateHierarchy"),
        delete: may("Delete"),
        modify: may("Modify"),
        read: may("Read"),
    }
}
