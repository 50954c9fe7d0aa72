//! The operations that the server knows, one file each.

mod batch;
mod context;
mod convert_id;
mod copy_item;
mod create_folder;
mod create_item;
mod delete_item;
mod find_folder;
mod find_item;
mod get_events;
mod get_folder;
mod get_item;
mod get_server_time_zones;
mod mime_builder;
mod move_item;
mod resolve_names;
mod subscribe;
mod sync_folder_items;
mod unsubscribe;
mod update_item;

use super::failure::Failure;
use super::writer::XmlWriter;
use super::xml::Element;

pub(crate) use self::context::{Context, Effects, FailAt};

type Answer = fn(&mut Context<'_>, &Element, &mut XmlWriter) -> Result<(), Failure>;

/// An operation of Exchange Web Services that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Converts ids between formats; clients use it to learn the server's version.
    ConvertId,
    /// Copies items.
    CopyItem,
    /// Creates folders.
    CreateFolder,
    /// Creates items, from MIME content above all.
    CreateItem,
    /// Deletes items.
    DeleteItem,
    /// Lists folders.
    FindFolder,
    /// Lists items.
    FindItem,
    /// Reads the events of a subscription.
    GetEvents,
    /// Reads folders.
    GetFolder,
    /// Reads items.
    GetItem,
    /// Lists time zones.
    GetServerTimeZones,
    /// Moves items.
    MoveItem,
    /// Finds people in the directory.
    ResolveNames,
    /// Subscribes to the events of a mailbox folder, for them to be pulled; refused for public folders.
    Subscribe,
    /// Lists changes of a mailbox folder; refused for public folders.
    SyncFolderItems,
    /// Ends a subscription.
    Unsubscribe,
    /// Changes items.
    UpdateItem,
}

const ALL: [(Operation, &str, Answer); 17] = [
    (Operation::ConvertId, "ConvertId", convert_id::answer),
    (Operation::CopyItem, "CopyItem", copy_item::answer),
    (
        Operation::CreateFolder,
        "CreateFolder",
        create_folder::answer,
    ),
    (Operation::CreateItem, "CreateItem", create_item::answer),
    (Operation::DeleteItem, "DeleteItem", delete_item::answer),
    (Operation::FindFolder, "FindFolder", find_folder::answer),
    (Operation::FindItem, "FindItem", find_item::answer),
    (Operation::GetEvents, "GetEvents", get_events::answer),
    (Operation::GetFolder, "GetFolder", get_folder::answer),
    (Operation::GetItem, "GetItem", get_item::answer),
    (
        Operation::GetServerTimeZones,
        "GetServerTimeZones",
        get_server_time_zones::answer,
    ),
    (Operation::MoveItem, "MoveItem", move_item::answer),
    (
        Operation::ResolveNames,
        "ResolveNames",
        resolve_names::answer,
    ),
    (Operation::Subscribe, "Subscribe", subscribe::answer),
    (
        Operation::SyncFolderItems,
        "SyncFolderItems",
        sync_folder_items::answer,
    ),
    (Operation::Unsubscribe, "Unsubscribe", unsubscribe::answer),
    (Operation::UpdateItem, "UpdateItem", update_item::answer),
];

impl Operation {
    /// The name of the request element.
    pub fn name(self) -> &'static str {
        let entry = ALL.iter().find(|(operation, ..)| *operation == self);
        entry.map_or("", |(_, name, _)| name)
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        let entry = ALL.iter().find(|(_, known, _)| *known == name);
        entry.map(|(operation, ..)| *operation)
    }

    /// Performs the operation and writes its response element; a failure becomes a SOAP fault.
    pub(crate) fn answer(
        self,
        context: &mut Context<'_>,
        request: &Element,
        w: &mut XmlWriter,
    ) -> Result<(), Failure> {
        match ALL.iter().find(|(operation, ..)| *operation == self) {
            Some((_, _, answer)) => answer(context, request, w),
            None => Err(Failure::new("ErrorInvalidRequest")),
        }
    }
}
