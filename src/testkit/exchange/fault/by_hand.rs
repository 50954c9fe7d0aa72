//! What people do to folders while a client works.

use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::delivery::Delivery;

/// What a person does by hand. What is not there is silently left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ByHand {
    /// A new message arrives.
    Deliver {
        /// The folder.
        path: String,
        /// The bytes of the message.
        mime: Vec<u8>,
    },
    /// An item is deleted.
    RemoveItem {
        /// Its id.
        item_id: String,
    },
    /// An item is moved.
    MoveItem {
        /// Its id.
        item_id: String,
        /// The folder to which it goes.
        path: String,
    },
    /// A folder is renamed.
    RenameFolder {
        /// The folder.
        path: String,
        /// Its new name.
        name: String,
    },
    /// The content of a public folder goes to another content mailbox.
    MoveContent {
        /// The folder.
        path: String,
        /// The number of that mailbox.
        content_mailbox: u32,
    },
    /// A folder is deleted with all that is in it.
    DeleteFolder {
        /// The folder.
        path: String,
    },
}

impl ByHand {
    pub(crate) fn apply(&self, world: &mut World) {
        // What is missing has been dealt with by somebody else, as among people.
        let _done = self.try_apply(world);
    }

    fn try_apply(&self, world: &mut World) -> Option<()> {
        match self {
            Self::MoveContent {
                path,
                content_mailbox,
            } => {
                let key = world.folder_at(path)?;
                world.move_content(key, *content_mailbox);
            }
            Self::Deliver { path, mime } => {
                let folder = world.folder_at(path)?;
                world.deliver(folder, Delivery::new(mime.clone()));
            }
            Self::RemoveItem { item_id } => {
                let key = world.item_by_id(item_id)?.key;
                world.remove(key);
            }
            Self::MoveItem { item_id, path } => {
                let (key, target) = (world.item_by_id(item_id)?.key, world.folder_at(path)?);
                world.move_item(key, target);
            }
            Self::RenameFolder { path, name } => {
                let folder = world.folder_at(path)?;
                world.rename(folder, name);
            }
            Self::DeleteFolder { path } => {
                let folder = world.folder_at(path)?;
                world.delete_folder(folder);
            }
        }
        Some(())
    }
}
