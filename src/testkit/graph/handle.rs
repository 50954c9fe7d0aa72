//! What a test does with a running server: deliver, look, interfere, order faults, read the books.

use std::io;
use std::sync::Arc;

use super::access::user_id;
use super::builder::SimulatedGraphBuilder;
use super::fault::{FiredGraphFault, GraphFault};
use super::ids::{MessageId, changing_id, folder_id, immutable_id};
use super::lock;
use super::recording::RecordedGraphCall;
use super::request::VERSION;
use super::server::Server;
use super::service::Service;
use super::statistics::GraphStatistics;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::folder::{Folder, FolderKey};
use crate::testkit::exchange::store::item::ItemKey;
use crate::testkit::exchange::{Delivery, FolderRights, SimulatedExchange, SimulatedItem};

/// A running simulated Graph; it stops when it is dropped.
///
/// Folders are named by path, as in `anna@corp.example\Inbox`. Case does not matter. Messages are named by the ids that
/// Graph shows, and where one is answered it is the immutable id.
pub struct SimulatedGraph {
    pub(super) service: Arc<Service>,
    pub(super) server: Server,
    pub(super) root_pem: Option<String>,
}

impl std::fmt::Debug for SimulatedGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedGraph")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl SimulatedGraph {
    /// Begins to set up a server over mailboxes of its own.
    pub fn builder() -> SimulatedGraphBuilder {
        SimulatedGraphBuilder::default()
    }

    /// Begins to set up a server over the mailboxes of an Exchange: what one of them changes, the other shows.
    ///
    /// It works on after the Exchange has stopped.
    pub fn over(exchange: &SimulatedExchange) -> SimulatedGraphBuilder {
        SimulatedGraphBuilder::over(exchange)
    }

    /// The address of the service, version included, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}{VERSION}", self.origin())
    }

    pub(super) fn origin(&self) -> String {
        let scheme = if self.root_pem.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://127.0.0.1:{}", self.port())
    }

    /// The port on the loopback address.
    pub fn port(&self) -> u16 {
        self.server.address.port()
    }

    /// The certificate of the authority that signs the server's certificate; `None` with plain HTTP.
    pub fn root_pem(&self) -> Option<&str> {
        self.root_pem.as_deref()
    }

    /// Sets where links in answers begin, such as `http://127.0.0.1:4010`, for clients behind a proxy.
    pub fn set_link_base(&self, base: impl Into<String>) {
        *lock(&self.service.base) = base.into();
    }

    /// The object id of the owner of a mailbox, which stands for his address in every path.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such mailbox.
    pub fn user_id(&self, smtp: &str) -> io::Result<String> {
        let world = lock(&self.service.world);
        let mut all = world.mailboxes().iter();
        let index = all.position(|mailbox| mailbox.smtp.eq_ignore_ascii_case(smtp));
        index.map(user_id).ok_or_else(|| missing("mailbox"))
    }

    /// The id of a folder.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn folder_id(&self, path: &str) -> io::Result<String> {
        self.look(path, |_, folder| folder_id(folder.key))
    }

    /// Puts a message into a folder and answers its immutable id.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn deliver(&self, path: &str, mime: impl Into<Vec<u8>>) -> io::Result<String> {
        self.deliver_with(path, Delivery::new(mime))
    }

    /// Puts a message with special facts into a folder and answers its immutable id.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn deliver_with(&self, path: &str, delivery: Delivery) -> io::Result<String> {
        let mut world = lock(&self.service.world);
        let folder = folder_at(&world, path)?;
        let key = world.deliver(folder, delivery);
        let lineage = world.item(key).map(|item| item.lineage);
        Ok(lineage.map(immutable_id).unwrap_or_default())
    }

    /// The items of a folder, in the order in which they came, with their immutable ids.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn items(&self, path: &str) -> io::Result<Vec<SimulatedItem>> {
        self.look(path, |world, folder| {
            let items = world.items_in(folder);
            items
                .map(|item| SimulatedItem {
                    id: immutable_id(item.lineage),
                    ..SimulatedItem::of(item)
                })
                .collect()
        })
    }

    /// The ids of the messages of a folder that a move changes, in the order in which they came.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn changing_ids(&self, path: &str) -> io::Result<Vec<String>> {
        self.look(path, |_, folder| {
            folder.items.iter().map(|key| changing_id(*key)).collect()
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
    pub fn remove_item(&self, id: &str) -> io::Result<()> {
        let mut world = lock(&self.service.world);
        let key = item_key(&world, id)?;
        world.remove(key);
        Ok(())
    }

    /// Moves an item, as a person does by hand; its immutable id stays.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such item or folder.
    pub fn move_item(&self, id: &str, path: &str) -> io::Result<()> {
        let mut world = lock(&self.service.world);
        let (key, target) = (item_key(&world, id)?, folder_at(&world, path)?);
        world.move_item(key, target);
        Ok(())
    }

    /// Copies an item, as a person does by hand, and answers the immutable id of the copy.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such item or folder.
    pub fn copy_item(&self, id: &str, path: &str) -> io::Result<String> {
        let mut world = lock(&self.service.world);
        let (key, target) = (item_key(&world, id)?, folder_at(&world, path)?);
        let copied = world.copy_item(key, target).and_then(|key| world.item(key));
        let lineage = copied.map(|item| item.lineage);
        Ok(lineage.map(immutable_id).unwrap_or_default())
    }

    /// Adds a folder of a mailbox, and those above it that are missing.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when the path does not begin with a mailbox that exists.
    pub fn add_folder(&self, path: &str) -> io::Result<()> {
        let made = lock(&self.service.world).ensure_mailbox_path(path);
        made.map(|_| ()).ok_or_else(|| missing("mailbox"))
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

    /// Hides a folder from lists that do not ask for hidden folders, or shows it again.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such folder.
    pub fn set_hidden(&self, path: &str, hidden: bool) -> io::Result<()> {
        self.change(path, |world, key| {
            if let Some(folder) = world.folder_mut(key) {
                folder.hidden = hidden;
            }
        })
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

    /// Sets the most bytes that a folder may hold; what would go beyond it fails with ErrorQuotaExceeded.
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

    /// Forgets all tokens of changes: from now on they are answered with HTTP 410.
    pub fn forget_delta_tokens(&self) {
        lock(&self.service.tokens).forget();
    }

    /// Orders a fault; its calls count from now.
    pub fn inject(&self, fault: GraphFault) {
        lock(&self.service.faults).order(fault);
    }

    /// Takes back all faults that were ordered; the report of those that fired stays.
    pub fn clear_faults(&self) {
        lock(&self.service.faults).clear();
    }

    /// How many of the ordered faults have not happened as often as they should; faults that happen
    /// always do not count.
    pub fn faults_pending(&self) -> usize {
        lock(&self.service.faults).pending()
    }

    /// The faults that have happened, in their order.
    pub fn faults_fired(&self) -> Vec<FiredGraphFault> {
        lock(&self.service.faults).fired()
    }

    /// The counters.
    pub fn statistics(&self) -> GraphStatistics {
        lock(&self.service.statistics).clone()
    }

    /// The requests that were recorded, in the order in which they ended; empty without recording.
    pub fn recorded(&self) -> Vec<RecordedGraphCall> {
        self.service.recorder.calls()
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

fn folder_at(world: &World, path: &str) -> io::Result<FolderKey> {
    world.folder_at(path).ok_or_else(|| missing("folder"))
}

fn item_key(world: &World, id: &str) -> io::Result<ItemKey> {
    let item = match MessageId::parse(id) {
        Some(MessageId::Changing(key)) => world.item(key),
        Some(MessageId::Immutable(lineage)) => world.item_by_lineage(lineage),
        None => None,
    };
    item.map(|item| item.key).ok_or_else(|| missing("item"))
}

fn missing(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no such {what}"))
}
