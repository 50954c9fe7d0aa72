//! What a test does with a running server: deliver, look, interfere, order faults, read the books.

mod routes;

use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::authentication::EwsBlock;
use super::builder::SimulatedExchangeBuilder;
use super::fault::{Fault, FiredFault};
use super::lock;
use super::recording::{self, RecordedCall};
use super::server::Server;
use super::service::{PATH, Service};
use super::statistics::Statistics;
use super::store::World;
use super::store::delivery::Delivery;
use super::store::directory::DirectoryEntry;
use super::store::folder::{Folder, FolderKey, Home};
use super::store::item::{Item, ItemKey};
use super::store::rights::FolderRights;

/// A running simulated Exchange; it stops when it is dropped.
///
/// Folders are named by path: `\Email Logging\Queue\` is a public folder,
/// `anna@corp.example\Inbox` a folder of a mailbox. Case does not matter.
pub struct SimulatedExchange {
    pub(crate) service: Arc<Service>,
    pub(crate) server: Server,
    pub(crate) ca_pem: Option<String>,
}

/// An item as it lies in a folder.
///
/// Its debug form holds no content of the mail.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulatedItem {
    /// The item id, which a move changes. Case matters.
    pub id: String,
    /// The change key.
    pub change_key: String,
    /// PR_SEARCH_KEY, which moves and copies keep.
    pub search_key: Option<[u8; 16]>,
    /// The subject.
    pub subject: String,
    /// The item class.
    pub item_class: String,
    /// The Message-ID with its angle brackets.
    pub internet_message_id: Option<String>,
    /// When it was received.
    pub received: Timestamp,
    /// Whether it is marked as read.
    pub is_read: bool,
    /// The bytes of the message, as they were delivered.
    pub mime: Arc<[u8]>,
}

impl std::fmt::Debug for SimulatedExchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedExchange")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SimulatedItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedItem")
            .field("id", &self.id)
            .field("item_class", &self.item_class)
            .field("received", &self.received)
            .field("bytes", &self.mime.len())
            .finish_non_exhaustive()
    }
}

impl SimulatedExchange {
    /// Begins to set up a server.
    pub fn builder() -> SimulatedExchangeBuilder {
        SimulatedExchangeBuilder::default()
    }

    /// The address of the EWS service.
    pub fn url(&self) -> String {
        let scheme = if self.ca_pem.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://127.0.0.1:{}{PATH}", self.server.address.port())
    }

    /// The port on the loopback address.
    pub fn port(&self) -> u16 {
        self.server.address.port()
    }

    /// The certificate of the authority that signs the server's certificate; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Answers every token as a tenant does that has switched EWS off; `None` switches it on again.
    ///
    /// Without effect where no tokens are known.
    pub fn set_ews_block(&self, block: Option<EwsBlock>) {
        if let Some(bearer) = self.service.authentication.bearer() {
            bearer.set_block(block);
        }
    }

    /// Puts a message into a folder and answers its item id.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn deliver(&self, path: &str, mime: impl Into<Vec<u8>>) -> io::Result<String> {
        self.deliver_with(path, Delivery::new(mime))
    }

    /// Puts a message with special facts into a folder and answers its item id.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn deliver_with(&self, path: &str, delivery: Delivery) -> io::Result<String> {
        let mut world = lock(&self.service.world);
        let folder = folder_at(&world, path)?;
        let key = world.deliver(folder, delivery);
        Ok(world
            .item(key)
            .map(|item| item.id.clone())
            .unwrap_or_default())
    }

    /// Loses every subscription, as a server does that starts anew.
    pub fn lose_subscriptions(&self) {
        lock(&self.service.world).subscriptions.lose();
    }

    /// How many subscriptions there are.
    pub fn subscriptions(&self) -> usize {
        lock(&self.service.world).subscriptions.count()
    }

    /// The items of a folder, in the order in which they came.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn items(&self, path: &str) -> io::Result<Vec<SimulatedItem>> {
        self.look(path, |world, folder| {
            world.items_in(folder).map(SimulatedItem::of).collect()
        })
    }

    /// The number of items in a folder.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn count(&self, path: &str) -> io::Result<usize> {
        self.look(path, |_, folder| folder.items.len())
    }

    /// Removes an item, as a person does by hand.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such item.
    pub fn remove_item(&self, item_id: &str) -> io::Result<()> {
        let mut world = lock(&self.service.world);
        let key = item_key(&world, item_id)?;
        world.remove(key);
        Ok(())
    }

    /// Moves an item, as a person does by hand, and answers its new id.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such item or folder.
    pub fn move_item(&self, item_id: &str, path: &str) -> io::Result<String> {
        let mut world = lock(&self.service.world);
        let (key, target) = (item_key(&world, item_id)?, folder_at(&world, path)?);
        let moved = world.move_item(key, target).and_then(|key| world.item(key));
        Ok(moved.map(|item| item.id.clone()).unwrap_or_default())
    }

    /// Copies an item, as a person does by hand, and answers the id of the copy.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such item or folder.
    pub fn copy_item(&self, item_id: &str, path: &str) -> io::Result<String> {
        let mut world = lock(&self.service.world);
        let (key, target) = (item_key(&world, item_id)?, folder_at(&world, path)?);
        let copied = world.copy_item(key, target).and_then(|key| world.item(key));
        Ok(copied.map(|item| item.id.clone()).unwrap_or_default())
    }

    /// Adds a public folder, or a folder of a mailbox, and those above it that are missing.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when the path begins with a mailbox that does not exist.
    pub fn add_folder(&self, path: &str) -> io::Result<()> {
        let mut world = lock(&self.service.world);
        if path.starts_with('\\') {
            world.ensure_public_path(path, 1);
            return Ok(());
        }
        world
            .ensure_mailbox_path(path)
            .map(|_| ())
            .ok_or_else(|| missing("mailbox"))
    }

    /// Gives a folder another display name; its id stays.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn rename_folder(&self, path: &str, name: &str) -> io::Result<()> {
        self.change(path, |world, key| world.rename(key, name))
    }

    /// Removes a folder with all items and folders in it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn delete_folder(&self, path: &str) -> io::Result<()> {
        self.change(path, World::delete_folder)
    }

    /// Sets what people may do in a folder.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn set_rights(&self, path: &str, rights: FolderRights) -> io::Result<()> {
        self.change(path, |world, key| {
            if let Some(folder) = world.folder_mut(key) {
                folder.rights = rights;
            }
        })
    }

    /// Sets the most bytes that a folder may hold; `None` takes the limit away.
    ///
    /// What would go beyond it fails with ErrorQuotaExceeded. Deliveries by the test are let in. GetFolder tells both
    /// numbers, of a public folder itself and of the others at the root of their mailbox.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn set_quota(&self, path: &str, bytes: Option<u64>) -> io::Result<()> {
        self.change(path, |world, key| {
            if let Some(folder) = world.folder_mut(key) {
                folder.quota = bytes;
            }
        })
    }

    /// The address of the mailbox that holds the hierarchy of public folders.
    pub fn hierarchy_address(&self) -> String {
        self.service.routing.hierarchy_address()
    }

    /// The address of the mailbox that holds the content of a public folder.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such public folder.
    pub fn content_address(&self, path: &str) -> io::Result<String> {
        match self.look(path, |_, folder| folder.home)? {
            Home::Public { content_mailbox } => Ok(self.service.routing.address(content_mailbox)),
            Home::Mailbox(_) => Err(missing("public folder")),
        }
    }

    /// Adds a person to the directory that ResolveNames searches.
    pub fn add_directory_entry(&self, legacy_dn: Option<&str>, smtp: &str, name: &str) {
        let (legacy_dn, smtp) = (legacy_dn.map(str::to_owned), smtp.to_owned());
        let entry = DirectoryEntry {
            legacy_dn,
            smtp,
            name: name.to_owned(),
        };
        lock(&self.service.world).directory.add(entry);
    }

    /// Orders a fault; its calls count from now.
    pub fn inject(&self, fault: Fault) {
        lock(&self.service.faults).order(fault);
    }

    /// Takes back all faults that were ordered; the report of those that fired stays.
    pub fn clear_faults(&self) {
        lock(&self.service.faults).clear();
    }

    /// How many of the ordered faults have not happened as often as they should; faults that happen
    /// always do not count.
    ///
    /// A test that asserts 0 at its end knows that its faults were met.
    pub fn faults_pending(&self) -> usize {
        lock(&self.service.faults).pending()
    }

    /// The faults that have happened, in their order.
    pub fn faults_fired(&self) -> Vec<FiredFault> {
        lock(&self.service.faults).fired()
    }

    /// The counters.
    pub fn statistics(&self) -> Statistics {
        lock(&self.service.statistics).clone()
    }

    /// The calls that were recorded, in the order in which they ended; empty without recording.
    pub fn recorded(&self) -> Vec<RecordedCall> {
        self.service.recorder.calls()
    }

    /// Writes the recorded calls into a directory, two files for each:
    /// `0001-GetItem-request.xml` and `0001-GetItem-answer.xml`.
    ///
    /// # Errors
    ///
    /// What creating the directory or writing a file says.
    pub fn write_recorded(&self, directory: impl AsRef<Path>) -> io::Result<()> {
        recording::write_to(&self.recorded(), directory.as_ref())
    }

    /// Stops the server and waits until its connections are closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the server too, without waiting.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }

    fn look<T>(&self, path: &str, look: impl FnOnce(&World, &Folder) -> T) -> io::Result<T> {
        let world = lock(&self.service.world);
        let key = folder_at(&world, path)?;
        let folder = world.folder(key).ok_or_else(|| missing("folder"))?;
        Ok(look(&world, folder))
    }

    fn change(&self, path: &str, change: impl FnOnce(&mut World, FolderKey)) -> io::Result<()> {
        let mut world = lock(&self.service.world);
        let key = folder_at(&world, path)?;
        change(&mut world, key);
        Ok(())
    }
}

impl SimulatedItem {
    pub(in crate::testkit) fn of(item: &Item) -> Self {
        Self {
            id: item.id.clone(),
            change_key: item.change_key.clone(),
            search_key: item.search_key,
            subject: item.subject.to_string(),
            item_class: item.item_class.clone(),
            internet_message_id: item.facts.message_id.clone(),
            received: item.received,
            is_read: item.is_read,
            mime: Arc::clone(&item.mime),
        }
    }
}

fn folder_at(world: &World, path: &str) -> io::Result<FolderKey> {
    world.folder_at(path).ok_or_else(|| missing("folder"))
}

fn item_key(world: &World, id: &str) -> io::Result<ItemKey> {
    world
        .item_by_id(id)
        .map(|item| item.key)
        .ok_or_else(|| missing("item"))
}

fn missing(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no such {what}"))
}
