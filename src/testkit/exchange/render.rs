//! Items and folders as elements, in the order of the schema.

pub(crate) mod address;
pub(crate) mod folder;
pub(crate) mod item;
pub(crate) mod item_fields;
pub(crate) mod item_values;

use super::store::rights::FolderRights;
use super::writer::XmlWriter;

/// Writes EffectiveRights.
pub(crate) fn effective_rights(w: &mut XmlWriter, rights: FolderRights) {
    w.nest("t:EffectiveRights", &[], |w| {
        w.boolean("t:CreateAssociated", rights.create_contents);
        w.boolean("t:CreateContents", rights.create_contents);
        w.boolean("t:CreateHierarchy", rights.create_hierarchy);
        w.boolean("t:Delete", rights.delete);
        w.boolean("t:Modify", rights.modify);
        w.boolean("t:Read", rights.read);
    });
}
