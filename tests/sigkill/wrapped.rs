//! Every role of a logger, with a fail point before and after each call.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::directory::ContactDirectory;
use email_logging::interaction::InteractionLogEntry;
use email_logging::message::{Address, MessageContent};
use email_logging::parties::AddressParties;
use email_logging::setup::EmailLoggingSetup;
use email_logging::source::{
    Disposal, FetchSink, Fetched, Folder, FolderSelector, ItemRef, ListRequest, ListedItem,
    Listing, MailSource, Moved, Removed, SightingKey, Sought, SourceCapabilities, Stamped,
};
use email_logging::store::{
    Acquired, Annotation, CommitBatch, CommitReceipt, ContentIndex, Cursor, DecisionFilter,
    DecisionRecord, HostReference, InteractionLog, InteractionSink, KnownMessage, KnownSighting,
    Lease, LogFilter, LoggedMail, MailLedger, OriginalPart, Page, PendingMove, SetupStore,
    SinkDelivery, StoredSetup, Undelivered,
};
use email_logging::{EntryId, MailboxKey, MessageUid, Result, Scope, StageId, WorkerId};
use jiff::Timestamp;

use crate::points::Points;

/// Something whose calls may be the end.
#[derive(Debug)]
pub(crate) struct Deadly<T> {
    pub(crate) inner: T,
    pub(crate) points: Arc<Points>,
}

macro_rules! deadly {
    ($trait:ident { $($plain:item)* } {
        $($name:ident($($arg:ident: $ty:ty),*) -> $answer:ty;)*
    } via { $($via:ident($($via_arg:ident: $via_ty:ty),*) -> $via_answer:ty;)* }) => {
        #[async_trait]
        impl<T: $trait> $trait for Deadly<T> {
            $($plain)*
            $(
                async fn $name(&self $(, $arg: $ty)*) -> Result<$answer> {
                    self.points.pass(stringify!($name), "before");
                    let answer = self.inner.$name($($arg),*).await;
                    self.points.pass(stringify!($name), "after");
                    answer
                }
            )*
            $(
                async fn $via(&self $(, $via_arg: $via_ty)*) -> Result<$via_answer> {
                    self.inner.$via($($via_arg),*).await
                }
            )*
        }
    };
}

deadly! { MailSource {
    fn capabilities(&self) -> SourceCapabilities {
        self.inner.capabilities()
    }

    fn is_own(&self, item: &ItemRef) -> bool {
        self.inner.is_own(item)
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        self.inner.asked_to_wait()
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        self.points.pass("fetch", "before");
        let points = Arc::clone(&self.points);
        let answer = self.inner.fetch(from, items, &mut DeadlySink { sink, points }).await;
        self.points.pass("fetch", "after");
        answer
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.points.leave(items);
        self.points.pass("move_to", "before");
        let answer = self.inner.move_to(from, items, to).await;
        self.points.pass("move_to", "after");
        answer
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        self.points.leave(items);
        self.points.pass("remove", "before");
        let answer = self.inner.remove(from, items, disposal).await;
        self.points.pass("remove", "after");
        answer
    }
} {
    open_folder(folder: &FolderSelector) -> Folder;
    list(folder: &Folder, request: ListRequest) -> Listing;
    locate(folder: &Folder, sought: &[Sought]) -> Vec<Vec<ItemRef>>;
    stamp(from: &Folder, items: &[ItemRef]) -> Vec<Stamped>;
} via {} }

/// Between the pieces of a mail.
struct DeadlySink<'a> {
    sink: &'a mut dyn FetchSink,
    points: Arc<Points>,
}

#[async_trait]
impl FetchSink for DeadlySink<'_> {
    fn begin(&mut self, index: usize, size_hint: Option<u64>) {
        self.sink.begin(index, size_hint);
        self.points.pass("fetch.begin", "after");
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        let answer = self.sink.chunk(bytes).await;
        self.points.pass("fetch.chunk", "after");
        answer
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        let answer = self.sink.end(fetched).await;
        self.points.pass("fetch.end", "after");
        answer
    }
}

deadly! { MailLedger {
    // Seldom called: its points are those of any other way to give a lease back.
    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        self.points.pass("release", "before");
        let answer = self.inner.release_quiet(scope, lease, quiet).await;
        self.points.pass("release", "after");
        answer
    }
} {
    acquire(scope: &Scope, mailbox: &MailboxKey, worker: &WorkerId, ttl: Duration) -> Acquired;
    renew(scope: &Scope, lease: &Lease, ttl: Duration) -> Lease;
    release(scope: &Scope, lease: &Lease) -> ();
    known(scope: &Scope, mailbox: &MailboxKey, keys: &[SightingKey]) -> Vec<Option<KnownSighting>>;
    keys_of(scope: &Scope, mailbox: &MailboxKey, items: &[ItemRef]) -> Vec<Option<SightingKey>>;
    with_message_ids(scope: &Scope, message_ids: &[String]) -> Vec<Vec<KnownMessage>>;
    stage(scope: &Scope, lease: &Lease, stage: StageId, index: u32, bytes: Vec<u8>) -> ();
    staged(scope: &Scope, lease: &Lease, stage: StageId, limit: u64) -> Option<Vec<u8>>;
    commit(scope: &Scope, lease: &Lease, batch: CommitBatch) -> CommitReceipt;
    pending_moves(scope: &Scope, mailbox: &MailboxKey, due: Timestamp, limit: u32) -> Vec<PendingMove>;
    undelivered(scope: &Scope, mailbox: &MailboxKey, limit: u32) -> Vec<Undelivered>;
} via {
    requeue(scope: &Scope, mailbox: &MailboxKey, keys: &[SightingKey]) -> u64;
} }

deadly! { InteractionLog {} {
    original(scope: &Scope, message: &MessageUid, range: Range<u64>) -> OriginalPart;
} via {
    entries(scope: &Scope, filter: &LogFilter, after: Option<&Cursor>, limit: u32) -> Page<InteractionLogEntry>;
    mails(scope: &Scope, filter: &LogFilter, after: Option<&Cursor>, limit: u32) -> Page<LoggedMail>;
    entry(scope: &Scope, id: &EntryId) -> InteractionLogEntry;
    mail(scope: &Scope, message: &MessageUid) -> LoggedMail;
    decisions(scope: &Scope, filter: &DecisionFilter, after: Option<&Cursor>, limit: u32) -> Page<DecisionRecord>;
    annotate(scope: &Scope, id: &EntryId, annotation: Annotation) -> ();
    cancel(scope: &Scope, id: &EntryId, canceled: bool) -> ();
} }

deadly! { ContentIndex {} {
    unindexed(scope: &Scope, limit: u32) -> Vec<MessageUid>;
    put_content(scope: &Scope, contents: Vec<(MessageUid, MessageContent)>) -> ();
} via {} }

deadly! { SetupStore {} {
    load_setup(scope: &Scope) -> Option<StoredSetup>;
} via {
    save_setup(scope: &Scope, setup: &EmailLoggingSetup, expected_version: u64) -> u64;
} }

deadly! { ContactDirectory {} {
    resolve(scope: &Scope, addresses: &[Address]) -> Vec<AddressParties>;
} via {} }

deadly! { InteractionSink {} {
    put(scope: &Scope, delivery: SinkDelivery<'_>) -> Vec<HostReference>;
} via {} }
