//! Where entries, originals, decisions and the ledger live.
//!
//! Small roles; a store implements what it owns, and a host can replace each alone. Every call takes the
//! [`Scope`](crate::Scope) first: rows of another scope are never seen or touched.

mod commit;
mod feed;
mod forward;
mod ledger;
mod log;
mod memory;
mod never_log;
mod opportunity;
#[cfg(feature = "postgres")]
pub mod postgres;
mod privacy;
mod reports;
mod review;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod rows;
mod secret;
mod setup;
mod sink;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod typed;
mod visible;
mod words;

pub use commit::{
    CommitBatch, CommitReceipt, CommitRow, DecidedRow, Delivered, FailedAttempt,
    MESSAGE_ID_CONFLICT, MessageRecord, MoveOutcome, MoveResult, Original, Participant,
    ParticipantRole, RowContent, RowResult, Sighting,
};
pub use feed::{Event, EventFeed, EventKind, WORKING};
pub use ledger::{
    Acquired, KnownMessage, KnownSighting, Lease, MailLedger, PendingMove, SightingState,
    Undelivered,
};
pub use log::{
    Annotation, ContentIndex, Cursor, DecisionFilter, DecisionRecord, InteractionLog, LogFilter,
    LoggedMail, OriginalPart, Page,
};
pub use memory::{MemoryStore, StoreOperation};
pub use never_log::{NeverLogStore, StoredNeverLog};
pub use opportunity::{OpportunityFilter, OpportunitySetup, OpportunityStore, StoredOpportunity};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
pub use privacy::{
    AffectedMail, Erased, Erasure, Forgotten, Mark, MarkKind, PrivacyDesk, PrivacyStore, Removal,
    RemovalReason, Removed, RemovedMails, Retained, SubjectExport, SubjectMail, SubjectRecords,
    SubjectStore,
};
pub use reports::{
    CanceledEntries, Conversations, DeletedEntries, Deletion, InteractionReports, LogCount,
    ReportingStore,
};
pub use review::{
    Assignment, LinkChange, LinkResult, Resolution, ReviewCount, ReviewFilter, ReviewItem,
    ReviewQueue, ReviewState,
};
pub use secret::{SealedSecret, SecretName, SecretPlace, SecretStore, StoredSecret};
pub use setup::{SetupStore, StoredSetup};
pub use sink::{HostReference, InteractionSink, SinkDelivery};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};
pub use typed::TypedEvent;
pub use visible::{VisibleLog, VisibleOpportunities, VisibleOpportunity, VisibleReview};

/// A store that has the roles of reviewing: the queue, and who is never logged.
pub trait ReviewStore: ReviewQueue + NeverLogStore {}

impl<T: ReviewQueue + NeverLogStore> ReviewStore for T {}

/// A store that has every role but the host's own log.
pub trait InteractionStore:
    MailLedger + InteractionLog + ContentIndex + EventFeed + SetupStore
{
}

impl<T: MailLedger + InteractionLog + ContentIndex + EventFeed + SetupStore> InteractionStore
    for T
{
}
