//! Stores that break one rule each fail the suite.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::interaction::InteractionLogEntry;
use email_logging::message::MessageContent;
use email_logging::setup::EmailLoggingSetup;
use email_logging::source::{ItemRef, SightingKey};
use email_logging::store::{
    Acquired, Annotation, CommitBatch, CommitReceipt, ContentIndex, Cursor, DecidedRow,
    DecisionFilter, DecisionRecord, Event, EventFeed, InteractionLog, KnownMessage, KnownSighting,
    Lease, LogFilter, LoggedMail, MailLedger, MemoryStore, OriginalPart, Page, PendingMove,
    RowContent, SetupStore, StoredSetup, Undelivered,
};
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::conformance::store::{StoreBackend, run};
use email_logging::{EntryId, MailboxKey, MessageUid, Result, Scope, StageId, WorkerId};
use jiff::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Breaks {
    Nothing,
    Fence,
    FenceOfRequeue,
    Exclusion,
    Epoch,
    Quiet,
    UniqueKey,
    Atomicity,
    Comparison,
    KnownOrder,
    Places,
    Outcome,
    Waiting,
    Redecision,
    Due,
    Wordless,
    ForgetsAnEntry,
    LogOrder,
    Filter,
    Cursor,
    Scope,
    Bytes,
    Delivery,
    Settling,
    Requeue,
    Acknowledgement,
    SetupVersion,
    Watermark,
    Cancelling,
    Panics,
}

#[derive(Debug)]
struct Broken {
    inner: MemoryStore,
    breaks: Breaks,
}

fn decided(batch: &mut CommitBatch, mut change: impl FnMut(&mut DecidedRow)) {
    for row in &mut batch.rows {
        if let RowContent::Decided(decided) = &mut row.content {
            change(Arc::make_mut(decided));
        }
    }
}

impl Broken {
    fn is(&self, breaks: Breaks) -> bool {
        self.breaks == breaks
    }

    async fn newest(&self, scope: &Scope, lease: &Lease) -> Result<Lease> {
        let (mailbox, holder) = (&lease.mailbox, &lease.holder);
        let taken = self
            .inner
            .acquire(scope, mailbox, holder, Duration::from_mins(5));
        let Acquired::Held(newest) = taken.await? else {
            return Ok(lease.clone());
        };
        Ok(newest)
    }
}

#[async_trait]
impl MailLedger for Broken {
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired> {
        let answer = self.inner.acquire(scope, mailbox, worker, ttl).await?;
        Ok(match answer {
            Acquired::Busy { until, .. } if self.is(Breaks::Exclusion) => {
                Acquired::Held(Lease::new(mailbox.clone(), worker.clone(), 99, until))
            }
            Acquired::Held(mut lease) if self.is(Breaks::Epoch) => {
                lease.epoch = 1;
                Acquired::Held(lease)
            }
            answer => answer,
        })
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.inner.renew(scope, lease, ttl).await
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        self.inner.release(scope, lease).await
    }

    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        if self.is(Breaks::Quiet) {
            return self.inner.release(scope, lease).await;
        }
        self.inner.release_quiet(scope, lease, quiet).await
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        let known = self.inner.known(scope, mailbox, keys).await?;
        if self.is(Breaks::KnownOrder) {
            return Ok(known.into_iter().rev().collect());
        }
        let known = known.into_iter().map(|known| {
            known.map(|mut known| {
                known.outcome = known.outcome.filter(|_| !self.is(Breaks::Outcome));
                if self.is(Breaks::Waiting) {
                    known.waiting.clear();
                }
                known
            })
        });
        Ok(known.collect())
    }

    async fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        let keys = self.inner.keys_of(scope, mailbox, items).await?;
        let forgets = self.is(Breaks::Places);
        Ok(keys
            .into_iter()
            .map(|key| key.filter(|_| !forgets))
            .collect())
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        self.inner.with_message_ids(scope, message_ids).await
    }

    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        self.inner.stage(scope, lease, stage, index, bytes).await
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        self.inner.staged(scope, lease, stage, limit).await
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        mut batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        let mut lease = lease.clone();
        match self.breaks {
            Breaks::Fence => lease = self.newest(scope, &lease).await?,
            Breaks::UniqueKey => {
                let mut unique = [0; 16];
                unique[..8].copy_from_slice(&self.inner.calls(COMMIT).to_be_bytes());
                decided(&mut batch, |row| {
                    for entry in &mut row.entries {
                        unique[15] += 1;
                        entry.id = EntryId::from_bytes(unique);
                    }
                });
            }
            Breaks::Comparison => {
                let uids = self.known_messages(scope).await?;
                decided(&mut batch, |row| row.compared.clone_from(&uids));
            }
            Breaks::Delivery => decided(&mut batch, |row| row.deliver = false),
            Breaks::Settling => batch.moves.clear(),
            Breaks::Redecision => self.keep_decisions(scope, &lease, &mut batch).await?,
            _ => {}
        }
        let rows = batch.rows.clone();
        let receipt = self.inner.commit(scope, &lease, batch).await?;
        if self.is(Breaks::Atomicity) {
            self.write_half(scope, &lease, &rows, &receipt).await?;
        }
        Ok(receipt)
    }

    async fn pending_moves(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        due: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingMove>> {
        let due = if self.is(Breaks::Due) {
            Timestamp::MAX
        } else {
            due
        };
        self.inner.pending_moves(scope, mailbox, due, limit).await
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        self.inner.undelivered(scope, mailbox, limit).await
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        if self.is(Breaks::Requeue) {
            return Ok(keys.len() as u64);
        }
        self.inner.requeue(scope, mailbox, keys).await
    }

    async fn requeue_held(
        &self,
        scope: &Scope,
        lease: &Lease,
        keys: &[SightingKey],
    ) -> Result<u64> {
        if self.is(Breaks::FenceOfRequeue) {
            return self.requeue(scope, &lease.mailbox, keys).await;
        }
        self.inner.requeue_held(scope, lease, keys).await
    }
}

const COMMIT: email_logging::store::StoreOperation = email_logging::store::StoreOperation::Commit;

impl Broken {
    async fn known_messages(&self, scope: &Scope) -> Result<Vec<MessageUid>> {
        let ids = ["same@example".to_owned()];
        let known = self.inner.with_message_ids(scope, &ids).await?;
        Ok(known.into_iter().flatten().map(|known| known.uid).collect())
    }

    /// Treats a mail that is decided as one that only has to be moved.
    async fn keep_decisions(
        &self,
        scope: &Scope,
        lease: &Lease,
        batch: &mut CommitBatch,
    ) -> Result<()> {
        let keys: Vec<_> = batch
            .rows
            .iter()
            .map(|row| row.sighting.key.clone())
            .collect();
        let known = self.inner.known(scope, &lease.mailbox, &keys).await?;
        for (row, known) in batch.rows.iter_mut().zip(known) {
            let target = known.and_then(|known| known.disposition);
            if let (RowContent::Decided(_), Some(target)) = (&row.content, target) {
                row.content = RowContent::Again { target };
            }
        }
        Ok(())
    }

    /// Writes a refused row without what it was refused for.
    async fn write_half(
        &self,
        scope: &Scope,
        lease: &Lease,
        rows: &[email_logging::store::CommitRow],
        receipt: &CommitReceipt,
    ) -> Result<()> {
        let refused = rows
            .iter()
            .zip(&receipt.rows)
            .filter(|(_, result)| matches!(result, email_logging::store::RowResult::Rejected(_)));
        let mut half = CommitBatch::of_rows(refused.map(|(row, _)| row.clone()).collect());
        decided(&mut half, |row| {
            row.original = email_logging::store::Original::NotKept;
        });
        self.inner.commit(scope, lease, half).await?;
        Ok(())
    }
}

#[async_trait]
impl InteractionLog for Broken {
    async fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<InteractionLogEntry>> {
        assert!(!self.is(Breaks::Panics), "broken on purpose");
        let everybody = Scope::default();
        let scope = if self.is(Breaks::Scope) {
            &everybody
        } else {
            scope
        };
        let mut filter = filter.clone();
        if self.is(Breaks::Filter) {
            filter.until = None;
        }
        if self.is(Breaks::Wordless) {
            let word = |text: &String| text.chars().any(char::is_alphanumeric);
            filter.text = filter.text.filter(word);
        }
        let after = after.filter(|_| !self.is(Breaks::Cursor));
        let mut page = self.inner.entries(scope, &filter, after, limit).await?;
        match self.breaks {
            Breaks::ForgetsAnEntry => drop(page.rows.pop()),
            Breaks::LogOrder => page.rows.reverse(),
            Breaks::Watermark => page.not_indexed = 0,
            _ => {}
        }
        Ok(page)
    }

    async fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        self.inner.mails(scope, filter, after, limit).await
    }

    async fn entry(&self, scope: &Scope, id: &EntryId) -> Result<InteractionLogEntry> {
        self.inner.entry(scope, id).await
    }

    async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail> {
        self.inner.mail(scope, message).await
    }

    async fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: Range<u64>,
    ) -> Result<OriginalPart> {
        let mut part = self.inner.original(scope, message, range).await?;
        if self.is(Breaks::Bytes) {
            part.bytes = String::from_utf8_lossy(&part.bytes)
                .into_owned()
                .into_bytes();
        }
        Ok(part)
    }

    async fn decisions(
        &self,
        scope: &Scope,
        filter: &DecisionFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<DecisionRecord>> {
        self.inner.decisions(scope, filter, after, limit).await
    }

    async fn annotate(&self, scope: &Scope, id: &EntryId, annotation: Annotation) -> Result<()> {
        self.inner.annotate(scope, id, annotation).await
    }

    async fn cancel(&self, scope: &Scope, id: &EntryId, canceled: bool) -> Result<()> {
        let canceled = canceled || self.is(Breaks::Cancelling);
        self.inner.cancel(scope, id, canceled).await
    }
}

#[async_trait]
impl ContentIndex for Broken {
    async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>> {
        self.inner.unindexed(scope, limit).await
    }

    async fn put_content(
        &self,
        scope: &Scope,
        contents: Vec<(MessageUid, MessageContent)>,
    ) -> Result<()> {
        self.inner.put_content(scope, contents).await
    }
}

#[async_trait]
impl EventFeed for Broken {
    async fn read_events(&self, scope: &Scope, consumer: &str, limit: u32) -> Result<Vec<Event>> {
        let all = if self.is(Breaks::Acknowledgement) {
            "one for all"
        } else {
            consumer
        };
        self.inner.read_events(scope, all, limit).await
    }

    async fn acknowledge(&self, scope: &Scope, consumer: &str, number: u64) -> Result<()> {
        let all = if self.is(Breaks::Acknowledgement) {
            "one for all"
        } else {
            consumer
        };
        self.inner.acknowledge(scope, all, number).await
    }
}

#[async_trait]
impl SetupStore for Broken {
    async fn load_setup(&self, scope: &Scope) -> Result<Option<StoredSetup>> {
        self.inner.load_setup(scope).await
    }

    async fn save_setup(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        expected_version: u64,
    ) -> Result<u64> {
        let stored = self.inner.load_setup(scope).await?;
        let stored = stored.map_or(0, |stored| stored.version);
        let wins = self.is(Breaks::SetupVersion);
        let expected = if wins { stored } else { expected_version };
        self.inner.save_setup(scope, setup, expected).await
    }
}

async fn failures(breaks: Breaks) -> Vec<&'static str> {
    let make = || async move {
        let clock = ManualClock::default();
        let inner = MemoryStore::new().with_clock(Arc::new(clock.clone()));
        StoreBackend::new(Broken { inner, breaks }).with_clock(clock)
    };
    run(make).await.failures()
}

/// Each broken rule, with the case that names it.
#[rustfmt::skip] // a table
const EXPECTED: &[(Breaks, &str)] = &[
    (Breaks::Fence, "a_stale_lease_commits_nothing"),
    (Breaks::FenceOfRequeue, "a_stale_lease_gives_nothing_another_try"),
    (Breaks::Exclusion, "a_lease_is_exclusive"),
    (Breaks::Epoch, "taking_a_lease_raises_its_epoch"),
    (Breaks::Quiet, "a_quiet_mailbox_is_nobodys_until_the_wish_is_over"),
    (Breaks::UniqueKey, "a_second_sighting_adds_no_entry"),
    (Breaks::Atomicity, "a_refused_row_leaves_no_trace_and_the_others_are_written"),
    (Breaks::Comparison, "an_unknown_message_with_the_same_message_id_is_to_be_compared"),
    (Breaks::KnownOrder, "sightings_are_known_in_the_order_of_the_question"),
    (Breaks::Places, "an_item_without_a_key_is_known_by_its_place"),
    (Breaks::Outcome, "a_sighting_tells_its_outcome_and_the_items_that_wait"),
    (Breaks::Waiting, "a_sighting_tells_its_outcome_and_the_items_that_wait"),
    (Breaks::Redecision, "a_mail_without_entries_that_was_put_back_is_decided_again"),
    (Breaks::Due, "only_moves_that_are_due_are_pending"),
    (Breaks::Wordless, "a_text_without_a_word_finds_nothing"),
    (Breaks::ForgetsAnEntry, "a_commit_is_read_back"),
    (Breaks::LogOrder, "entries_are_newest_first_then_by_falling_number"),
    (Breaks::Filter, "entries_are_filtered_by_time"),
    (Breaks::Cursor, "pages_are_bounded_and_miss_nothing"),
    (Breaks::Scope, "another_scope_reads_nothing"),
    (Breaks::Bytes, "an_original_is_read_in_ranges"),
    (Breaks::Delivery, "a_mail_waits_until_the_hosts_log_has_all_its_entries"),
    (Breaks::Settling, "a_done_move_is_settled_and_its_place_known"),
    (Breaks::Requeue, "a_quarantined_mail_is_requeued"),
    (Breaks::Acknowledgement, "each_consumer_has_its_own_place"),
    (Breaks::SetupVersion, "a_setup_is_stored_only_over_the_version_that_was_read"),
    (Breaks::Watermark, "a_search_tells_how_much_it_does_not_cover"),
    (Breaks::Cancelling, "a_cancelled_entry_is_hidden_until_it_is_asked_for"),
    (Breaks::Panics, "entries_are_filtered_by_flag"),
];

#[tokio::test]
async fn a_store_that_breaks_a_rule_fails() {
    assert_eq!(failures(Breaks::Nothing).await, Vec::<&str>::new());
    for (breaks, case) in EXPECTED {
        let failed = failures(*breaks).await;
        assert!(failed.contains(case), "{breaks:?}: {failed:?}");
    }
}
