//! Where mail comes from: a queue folder that is listed, fetched and emptied by moving.

mod browse;
mod folder;
mod forward;
mod hints;
mod item;
mod signal;

#[cfg(feature = "ews")]
pub mod ews;
#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "graph")]
#[cfg_attr(docsrs, doc(cfg(feature = "graph")))]
pub mod graph;
pub mod memory;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Result, codes};
use crate::message::MailFacts;

#[cfg(feature = "http")]
pub use crate::http::{AddressPolicy, NameResolver, ThrottlingGate, ThrottlingGates};
pub use browse::{DEFAULT_QUEUE_FOLDER, DEFAULT_STORAGE_FOLDER, ExpandedLevel, FolderBrowser};
#[cfg(feature = "files")]
pub use files::FileSource;
pub use folder::{Folder, FolderId, FolderPath, FolderRights, FolderRoot, FolderSelector};
pub use hints::MailHints;
pub use item::{ItemRef, ListRequest, ListedItem, Listing, SightingKey, Sought};
pub use memory::MemorySource;
pub use signal::WakeupSignal;

/// A mail system with folders that can be listed, fetched from and moved between.
///
/// The contract, which `testkit::conformance::source` checks:
///
/// * answers per item come one for each asked item, in the order of the question;
/// * a failure of one item is that item's answer; `Err` means that nothing is known about the whole call;
/// * ids are opaque, compared byte by byte, and may change on a move; [`SightingKey`]s survive it where the
///   [`SourceCapabilities`] say so;
/// * nothing is ever deleted but by [`remove`](Self::remove), or by the second half of a move that the mail system offers
///   only as copy and delete, after the copy was confirmed;
/// * waiting that the server asks for is done inside; a call returns `Throttled` only when the wait is longer than the
///   source's limit.
#[async_trait]
pub trait MailSource: Debug + Send + Sync + 'static {
    /// What this source can do. Constant over its life.
    fn capabilities(&self) -> SourceCapabilities;

    /// Whether an id of the ledger is one that this mail system gave. One that another kind gave, before the mailbox was
    /// reached this way, is never sent: the item is looked for by its key.
    fn is_own(&self, item: &ItemRef) -> bool {
        let _ = item;
        true
    }

    /// Takes no longer wait upon itself from now on than this when the server asks for one: a longer one is returned as
    /// `Throttled`, with its time. It never makes the source's own limit longer, and holds for all clones of the source.
    ///
    /// A pool asks it of the sources that it runs, so that a mailbox which has to wait gives its turn back. A source that
    /// never waits has nothing to do.
    fn wait_at_most(&self, longest: Duration) {
        let _ = longest;
    }

    /// Takes no more than this upon itself in all from now on, over every call, when the server asks for waits: what would
    /// make it more is returned as `Throttled`, with its time. What was waited before does not count, and a later call sets
    /// the sum anew; `Duration::MAX` is no limit. It holds for all clones of the source.
    ///
    /// A pool asks it for each turn. A source that never waits has nothing to do.
    fn wait_in_all_at_most(&self, sum: Duration) {
        let _ = sum;
    }

    /// How long the server still wants to be left alone, where it does now. Asks nobody.
    fn asked_to_wait(&self) -> Option<Duration> {
        None
    }

    /// Opens a folder. A folder that is selected by its id needs no request.
    ///
    /// # Errors
    ///
    /// `NotFound` (`*.folder_not_found`), `PermissionDenied`, `Config` for a path that names several folders, and what a
    /// transport raises.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder>;

    /// Lists items of a folder, oldest first.
    ///
    /// # Errors
    ///
    /// `NotFound` for the folder, and what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing>;

    /// Fetches originals and facts, handing each to the sink as it arrives.
    ///
    /// The sink sees every asked item once, in the order of the question: `begin`, any number of `chunk`s, `end`. MIME
    /// comes before facts. After an `Err`, items that the sink saw no `end` of are unknown and are asked again.
    ///
    /// # Errors
    ///
    /// An error of the sink is returned as it is; else what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// Reads only; the sink may have seen a part.
    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()>;

    /// Moves items to another folder. One answer per item, in order.
    ///
    /// # Errors
    ///
    /// `Err` means that the effect is unknown for every item: look with [`locate`](Self::locate) before moving again.
    /// `Unsupported` where the capabilities say so.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the effect is unknown after a drop.
    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>>;

    /// Finds the copies of each sighting in a folder. One list for each that is sought, in order.
    ///
    /// Where only the key is known, every copy counts. Where the id is given under which the item was last seen, a source
    /// whose ids survive a move looks the item up by its id first and answers with it alone, or with nothing where it lies
    /// in another folder; the copies under the key count only where the id means nothing, and then one is enough. Other
    /// sources pass the id over.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the capabilities say so; else what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>>;

    /// Deletes items, where a policy asks for it. One answer per item, in order.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the capabilities say so; else as [`move_to`](Self::move_to).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the effect is unknown after a drop.
    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>>;

    /// Writes a key of our own to items that have none, so that they are known again after a move. One answer per item, in
    /// order. Only where the [`SourceCapabilities`] say so; read state, content and times of the items stay as they are.
    ///
    /// An item that was stamped is listed under its stamp from then on, whether or not anything else became of it. Its id
    /// stays: a logger knows by it what it has listed. Its version may be another one (EWS: `UpdateItem` keeps the id of an
    /// `ItemId` and answers a new `ChangeKey`).
    ///
    /// # Errors
    ///
    /// `Unsupported` (`source.unsupported`) where the capabilities say so; else what a transport raises. After an `Err` some
    /// of the items may have their stamp; the next listing shows it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a stamp without a use does no harm.
    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        let _ = (from, items);
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "stamp"))
    }
}

/// What a [`MailSource`] can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools)] // independent abilities
pub struct SourceCapabilities {
    /// Listed items carry a key that survives a move.
    pub stable_keys: bool,
    /// Copies of a sighting can be found by [`MailSource::locate`].
    pub locate: bool,
    /// Items without a key can be given one that survives a move ([`MailSource::stamp`]). Off by default.
    pub stamps: bool,
    /// Items can be deleted.
    pub remove: bool,
    /// Items can be moved. Where they cannot, a mail is done with its commit, and stays where it lies.
    pub moves: bool,
    /// The largest page of a listing.
    pub list_page: u32,
    /// The most items of one fetch.
    pub fetch_batch: u32,
    /// The most items of one move.
    pub move_batch: u32,
    /// The most calls at a time that the mail system allows.
    pub connections: u32,
    /// The longest time from sending a request that moves or deletes to the end of its answer; `None` where the source sets
    /// no such limit. A logger moves only under a lease that lasts longer.
    pub longest_change: Option<Duration>,
}

impl Default for SourceCapabilities {
    fn default() -> Self {
        Self {
            stable_keys: true,
            locate: true,
            stamps: false,
            remove: true,
            moves: true,
            list_page: 1000,
            fetch_batch: 100,
            move_batch: 100,
            connections: 1,
            longest_change: None,
        }
    }
}

/// Takes what [`MailSource::fetch`] reads. One item at a time: `begin`, `chunk`s, `end`.
#[async_trait]
pub trait FetchSink: Send {
    /// The next item starts: its index in the question and the bytes that are expected, if known. An item whose answer
    /// broke off may begin once more; what came of it before does not count.
    ///
    /// The same index again before its end means that the answer broke off: the item starts anew, and the bytes that
    /// came do not count.
    fn begin(&mut self, index: usize, size_hint: Option<u64>);

    /// The next bytes of its original.
    ///
    /// # Errors
    ///
    /// Ends the fetch; the source returns the error as it is.
    async fn chunk(&mut self, bytes: &[u8]) -> Result<()>;

    /// The item ends.
    ///
    /// # Errors
    ///
    /// Ends the fetch; the source returns the error as it is.
    async fn end(&mut self, fetched: Fetched) -> Result<()>;
}

/// How the fetch of one item ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fetched {
    /// The original is complete, and these are the server's facts.
    Complete(Box<MailFacts>),
    /// The server cannot render the original; these are its facts, and the error says why.
    WithoutOriginal(Box<MailFacts>, Error),
    /// The item is no longer there.
    Gone,
    /// The item failed. A transient error is worth another attempt.
    Failed(Error),
}

/// How the move of one item ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Moved {
    /// It is in the target; the new id is known where the server tells it.
    Done(Option<ItemRef>),
    /// It is no longer where it was: look for it in the target.
    Gone,
    /// It did not move.
    Failed(Error),
}

/// How the removal of one item ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Removed {
    /// It is deleted.
    Done,
    /// It was not there.
    Gone,
    /// It is still there.
    Failed(Error),
}

/// How the stamping of one item ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stamped {
    /// It has this key, and this version under the id that it had.
    Done(SightingKey, ItemRef),
    /// It is no longer there.
    Gone,
    /// It has no stamp: what is done with it cannot be recognized by a key of its own.
    Failed(Error),
}

/// Where a deleted item goes. There is no way to delete past recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposal {
    /// To the mailbox's Deleted Items.
    DeletedItems,
    /// To the recoverable items, as public folders do.
    Recoverable,
}

/// Looking around and creating folders, for set-up. Optional.
#[async_trait]
pub trait MailFolders: Debug + Send + Sync + 'static {
    /// The mail folders right below a folder, a page at a time, in a stable order.
    ///
    /// # Errors
    ///
    /// `NotFound` for the parent, `PermissionDenied`, and what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn children(&self, parent: &FolderSelector, request: ListRequest) -> Result<FolderPage>;

    /// Creates the folder of this path, with its parents, or opens it where it exists.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, and what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// A part of the path may exist after a drop; calling again goes on from there.
    async fn create(&self, path: &FolderPath) -> Result<Folder>;
}

/// One page of folders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FolderPage {
    /// The folders.
    pub folders: Vec<Folder>,
    /// Whether there is none after these.
    pub complete: bool,
    /// How many folders the server listed, those included that are no mail folders: the next page starts after them.
    pub listed: u32,
}

impl FolderPage {
    /// A page of everything that was listed.
    pub fn new(folders: Vec<Folder>, complete: bool) -> Self {
        let listed = u32::try_from(folders.len()).unwrap_or(u32::MAX);
        Self {
            folders,
            complete,
            listed,
        }
    }

    /// Tells that more folders were listed than are on the page.
    #[must_use]
    pub fn with_listed(mut self, listed: u32) -> Self {
        self.listed = listed;
        self
    }
}

/// A hint that new mail may have arrived. Optional; correctness never depends on it.
///
/// Given to a logger ([`with_wakeup`](crate::logger::EmailLoggerBuilder::with_wakeup)) it brings the next run forward.
/// While it is waited for it may keep up what it needs, as a subscription: nothing else drives it.
#[async_trait]
pub trait Wakeup: Debug + Send + Sync + 'static {
    /// Returns when mail may have arrived.
    ///
    /// # Cancel safety
    ///
    /// A hint may be lost by a drop; the schedule finds the mail.
    async fn wait(&self);
}
