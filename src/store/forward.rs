//! The store's roles through `Arc` and `Box`.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    Acquired, Annotation, CanceledEntries, CommitBatch, CommitReceipt, ContentIndex, Conversations,
    Cursor, DecisionFilter, DecisionRecord, DeletedEntries, Deletion, Event, EventFeed, EventKind,
    HostReference, InteractionLog, InteractionReports, InteractionSink, KnownMessage,
    KnownSighting, Lease, LinkChange, LinkResult, LogCount, LogFilter, LoggedMail, MailLedger,
    NeverLogStore, OpportunityFilter, OpportunitySetup, OpportunityStore, OriginalPart, Page,
    PendingMove, Resolution, ReviewCount, ReviewFilter, ReviewItem, ReviewQueue, SealedSecret,
    SecretName, SecretPlace, SecretStore, SetupStore, SinkDelivery, StoredNeverLog,
    StoredOpportunity, StoredSecret, StoredSetup, Undelivered,
};
use super::{
    AffectedMail, Erasure, Forgotten, Mark, MarkKind, PrivacyStore, Removal, RemovedMails,
};
use crate::decision::NeverLog;
use crate::error::Result;
use crate::forward::forward;
use crate::ids::{EntryId, MailboxKey, MessageUid, OpportunityNo, StageId, WorkerId};
use crate::interaction::{
    Conversation, InteractionLogEntry, InteractionStatistics, StatisticsOptions,
};
use crate::message::MessageContent;
use crate::opportunity::{CloseCode, Creation, Opportunity, SalesCycle, StageStatistics};
use crate::privacy::{Person, Selection};
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;
use crate::source::{ItemRef, SightingKey};

forward! {
    MailLedger {
        async fn acquire(
            &self,
            scope: &Scope,
            mailbox: &MailboxKey,
            worker: &WorkerId,
            ttl: Duration,
        ) -> Result<Acquired>;
        async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease>;
        async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()>;
        async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()>;
        async fn known(
            &self,
            scope: &Scope,
            mailbox: &MailboxKey,
            keys: &[SightingKey],
        ) -> Result<Vec<Option<KnownSighting>>>;
        async fn keys_of(
            &self,
            scope: &Scope,
            mailbox: &MailboxKey,
            items: &[ItemRef],
        ) -> Result<Vec<Option<SightingKey>>>;
        async fn with_message_ids(
            &self,
            scope: &Scope,
            message_ids: &[String],
        ) -> Result<Vec<Vec<KnownMessage>>>;
        async fn stage(
            &self,
            scope: &Scope,
            lease: &Lease,
            stage: StageId,
            index: u32,
            bytes: Vec<u8>,
        ) -> Result<()>;
        async fn staged(
            &self,
            scope: &Scope,
            lease: &Lease,
            stage: StageId,
            limit: u64,
        ) -> Result<Option<Vec<u8>>>;
        async fn commit(
            &self,
            scope: &Scope,
            lease: &Lease,
            batch: CommitBatch,
        ) -> Result<CommitReceipt>;
        async fn pending_moves(
            &self,
            scope: &Scope,
            mailbox: &MailboxKey,
            due: Timestamp,
            limit: u32,
        ) -> Result<Vec<PendingMove>>;
        async fn undelivered(
            &self,
            scope: &Scope,
            mailbox: &MailboxKey,
            limit: u32,
        ) -> Result<Vec<Undelivered>>;
        async fn requeue(
            &self,
            scope: &Scope,
            mailbox: &MailboxKey,
            keys: &[SightingKey],
        ) -> Result<u64>;
        async fn requeue_held(
            &self,
            scope: &Scope,
            lease: &Lease,
            keys: &[SightingKey],
        ) -> Result<u64>;
    }
}

forward! {
    InteractionLog {
        async fn entries(
            &self,
            scope: &Scope,
            filter: &LogFilter,
            after: Option<&Cursor>,
            limit: u32,
        ) -> Result<Page<InteractionLogEntry>>;
        async fn mails(
            &self,
            scope: &Scope,
            filter: &LogFilter,
            after: Option<&Cursor>,
            limit: u32,
        ) -> Result<Page<LoggedMail>>;
        async fn entry(&self, scope: &Scope, id: &EntryId) -> Result<InteractionLogEntry>;
        async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail>;
        async fn original(
            &self,
            scope: &Scope,
            message: &MessageUid,
            range: Range<u64>,
        ) -> Result<OriginalPart>;
        async fn decisions(
            &self,
            scope: &Scope,
            filter: &DecisionFilter,
            after: Option<&Cursor>,
            limit: u32,
        ) -> Result<Page<DecisionRecord>>;
        async fn annotate(
            &self,
            scope: &Scope,
            id: &EntryId,
            annotation: Annotation,
        ) -> Result<()>;
        async fn cancel(&self, scope: &Scope, id: &EntryId, canceled: bool) -> Result<()>;
    }
}

forward! {
    ContentIndex {
        async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>>;
        async fn put_content(
            &self,
            scope: &Scope,
            contents: Vec<(MessageUid, MessageContent)>,
        ) -> Result<()>;
    }
}

forward! {
    EventFeed {
        async fn read_events(
            &self,
            scope: &Scope,
            consumer: &str,
            limit: u32,
        ) -> Result<Vec<Event>>;
        async fn acknowledge(&self, scope: &Scope, consumer: &str, number: u64) -> Result<()>;
        async fn announce(
            &self,
            scope: &Scope,
            mailbox: &MailboxKey,
            kind: EventKind,
            reason: &str,
        ) -> Result<bool>;
    }
}

forward! {
    ReviewQueue {
        async fn review_items(
            &self,
            scope: &Scope,
            filter: &ReviewFilter,
            after: Option<&Cursor>,
            limit: u32,
        ) -> Result<Page<ReviewItem>>;
        async fn review_counts(&self, scope: &Scope) -> Result<Vec<ReviewCount>>;
        async fn resolve(
            &self,
            scope: &Scope,
            mailbox: &MailboxKey,
            key: &SightingKey,
            resolution: &Resolution,
            expected_version: u64,
        ) -> Result<u64>;
        async fn mails_naming(
            &self,
            scope: &Scope,
            addresses: Option<&[String]>,
            after: Option<&Cursor>,
            limit: u32,
        ) -> Result<Page<LoggedMail>>;
        async fn relink(
            &self,
            scope: &Scope,
            lease: &Lease,
            links: &LinkChange,
        ) -> Result<LinkResult>;
    }
}

forward! {
    NeverLogStore {
        async fn load_never_log(&self, scope: &Scope) -> Result<StoredNeverLog>;
        async fn save_never_log(
            &self,
            scope: &Scope,
            lists: &NeverLog,
            expected_version: u64,
        ) -> Result<u64>;
    }
}

forward! {
    SetupStore {
        async fn load_setup(&self, scope: &Scope) -> Result<Option<StoredSetup>>;
        async fn save_setup(
            &self,
            scope: &Scope,
            setup: &EmailLoggingSetup,
            expected_version: u64,
        ) -> Result<u64>;
    }
}

forward! {
    SecretStore {
        async fn load_secret(
            &self,
            scope: &Scope,
            name: SecretName,
        ) -> Result<Option<StoredSecret>>;
        async fn save_secret(
            &self,
            scope: &Scope,
            name: SecretName,
            sealed: &SealedSecret,
            expected_version: u64,
        ) -> Result<u64>;
        async fn erase_secrets(&self, scope: &Scope, names: &[SecretName]) -> Result<()>;
        async fn list_secrets(&self) -> Result<Vec<SecretPlace>>;
    }
}

forward! {
    OpportunityStore {
        async fn create_opportunity(
            &self,
            scope: &Scope,
            entry: &EntryId,
            creation: &Creation,
        ) -> Result<StoredOpportunity>;
        async fn load_opportunity(
            &self,
            scope: &Scope,
            no: &OpportunityNo,
        ) -> Result<StoredOpportunity>;
        async fn save_opportunity(
            &self,
            scope: &Scope,
            opportunity: &Opportunity,
            expected_version: u64,
        ) -> Result<u64>;
        async fn delete_opportunity(
            &self,
            scope: &Scope,
            no: &OpportunityNo,
            expected_version: u64,
        ) -> Result<()>;
        async fn opportunities(
            &self,
            scope: &Scope,
            filter: &OpportunityFilter,
            after: Option<&Cursor>,
            limit: u32,
        ) -> Result<Page<StoredOpportunity>>;
        async fn count_interactions(&self, scope: &Scope, no: &OpportunityNo) -> Result<u64>;
        async fn stage_statistics(
            &self,
            scope: &Scope,
            sales_cycle: Option<&str>,
        ) -> Result<Vec<StageStatistics>>;
        async fn sales_cycles(&self, scope: &Scope) -> Result<Vec<SalesCycle>>;
        async fn put_sales_cycle(&self, scope: &Scope, cycle: &SalesCycle) -> Result<()>;
        async fn close_codes(&self, scope: &Scope) -> Result<Vec<CloseCode>>;
        async fn put_close_code(&self, scope: &Scope, code: &CloseCode) -> Result<()>;
        async fn opportunity_setup(&self, scope: &Scope) -> Result<OpportunitySetup>;
        async fn put_opportunity_setup(&self, scope: &Scope, setup: &OpportunitySetup) -> Result<()>;
    }
}

forward! {
    InteractionSink {
        async fn put(
            &self,
            scope: &Scope,
            delivery: SinkDelivery<'_>,
        ) -> Result<Vec<HostReference>>;
    }
}

forward! {
    InteractionReports {
        async fn count(&self, scope: &Scope, filter: &LogFilter) -> Result<LogCount>;
        async fn statistics(
            &self,
            scope: &Scope,
            filter: &LogFilter,
            options: &StatisticsOptions,
        ) -> Result<InteractionStatistics>;
    }
}

forward! {
    Conversations {
        async fn conversation(&self, scope: &Scope, message: &MessageUid) -> Result<Conversation>;
    }
}

forward! {
    CanceledEntries {
        async fn delete_canceled(
            &self,
            scope: &Scope,
            filter: &LogFilter,
            deletion: Deletion,
        ) -> Result<DeletedEntries>;
    }
}

forward! {
    PrivacyStore {
        async fn affected(
            &self,
            scope: &Scope,
            selection: &Selection,
            after: Option<&Cursor>,
            limit: u32,
        ) -> Result<Page<AffectedMail>>;
        async fn remove_mails(
            &self,
            scope: &Scope,
            messages: &[MessageUid],
            removal: &Removal,
        ) -> Result<RemovedMails>;
        async fn forget_person(
            &self,
            scope: &Scope,
            person: &Person,
            erasure: Erasure,
            deletion: Deletion,
        ) -> Result<Forgotten>;
        async fn mark_mail(
            &self,
            scope: &Scope,
            message: &MessageUid,
            kind: MarkKind,
            mark: &Mark,
        ) -> Result<()>;
        async fn unmark_mail(
            &self,
            scope: &Scope,
            message: &MessageUid,
            kind: MarkKind,
        ) -> Result<bool>;
        async fn marks(&self, scope: &Scope, message: &MessageUid) -> Result<Vec<(MarkKind, Mark)>>;
        async fn shred(&self) -> Result<()>;
    }
}
