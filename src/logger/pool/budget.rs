//! A bound on the calls to mail systems, for each mailbox and in all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::mailbox::PoolMailbox;
use crate::error::Result;
use crate::source::{
    Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
    MailSource, Moved, Removed, Sought, SourceCapabilities, Stamped,
};

/// How many calls to mail systems may be under way. Clones share it, also between pools.
///
/// Calls that wait are served in the order in which they came. A wait that the server asks for is part of its call; in a pool
/// it is a short one ([`PoolSettings::longest_wait`](super::PoolSettings::longest_wait)).
#[derive(Debug, Clone)]
pub struct ConnectionBudget {
    all: Arc<Semaphore>,
    total: u32,
    per_mailbox: u32,
    /// The shares of mailboxes that somebody has bound.
    shares: Arc<Mutex<BTreeMap<PoolMailbox, Weak<Semaphore>>>>,
}

impl ConnectionBudget {
    /// A budget of so many calls in all, and for each mailbox; both at least 1.
    pub fn new(total: u32, per_mailbox: u32) -> Self {
        let total = total.max(1);
        Self {
            all: Arc::new(Semaphore::new(total as usize)),
            total,
            per_mailbox: per_mailbox.max(1),
            shares: Arc::default(),
        }
    }

    /// Calls that are under way.
    pub fn in_use(&self) -> u32 {
        let free = u32::try_from(self.all.available_permits()).unwrap_or(u32::MAX);
        self.total.saturating_sub(free)
    }

    /// A source whose calls count, with a share of its own, as the only source of a mailbox has.
    pub fn bound(&self, source: Arc<dyn MailSource>) -> impl MailSource + use<> {
        self.with_share(source, self.share())
    }

    /// A source of this mailbox whose calls count. All sources of the mailbox have one share, whichever pools they are in.
    pub fn bound_to(
        &self,
        mailbox: &PoolMailbox,
        source: Arc<dyn MailSource>,
    ) -> impl MailSource + use<> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| share.strong_count() > 0);
        let known = shares.get(mailbox).and_then(Weak::upgrade);
        let share = known.unwrap_or_else(|| {
            let share = self.share();
            shares.insert(mailbox.clone(), Arc::downgrade(&share));
            share
        });
        drop(shares);
        self.with_share(source, share)
    }

    fn share(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(self.per_mailbox as usize))
    }

    fn with_share(&self, source: Arc<dyn MailSource>, own: Arc<Semaphore>) -> BoundedSource {
        BoundedSource {
            source,
            own,
            budget: self.clone(),
        }
    }
}

#[derive(Debug)]
struct BoundedSource {
    source: Arc<dyn MailSource>,
    own: Arc<Semaphore>,
    budget: ConnectionBudget,
}

impl BoundedSource {
    /// Waits for a place: first among the calls of the mailbox, so that one mailbox has no more than its share in the
    /// common line. The semaphores are never closed.
    async fn place(&self) -> (Option<SemaphorePermit<'_>>, Option<SemaphorePermit<'_>>) {
        let own = self.own.acquire().await.ok();
        let common = self.budget.all.acquire().await.ok();
        (own, common)
    }
}

#[async_trait]
impl MailSource for BoundedSource {
    fn capabilities(&self) -> SourceCapabilities {
        self.source.capabilities()
    }

    fn is_own(&self, item: &ItemRef) -> bool {
        self.source.is_own(item)
    }

    fn wait_at_most(&self, longest: Duration) {
        self.source.wait_at_most(longest);
    }

    fn wait_in_all_at_most(&self, sum: Duration) {
        self.source.wait_in_all_at_most(sum);
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        self.source.asked_to_wait()
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        let _place = self.place().await;
        self.source.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let _place = self.place().await;
        self.source.list(folder, request).await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let _place = self.place().await;
        self.source.fetch(from, items, sink).await
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        let _place = self.place().await;
        self.source.move_to(from, items, to).await
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        let _place = self.place().await;
        self.source.locate(folder, sought).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        let _place = self.place().await;
        self.source.remove(from, items, disposal).await
    }

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        let _place = self.place().await;
        self.source.stamp(from, items).await
    }
}
