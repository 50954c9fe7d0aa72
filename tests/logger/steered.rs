//! A ledger that notes its commits and can take its time, and a mail system whose moves take theirs.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::error::{Code, codes};
use email_logging::source::{ItemRef, MemorySource, SightingKey};
use email_logging::store::{
    Acquired, CommitBatch, CommitReceipt, CommitRow, KnownMessage, KnownSighting, Lease,
    MailLedger, MemoryStore, PendingMove, RowContent, RowResult, Undelivered,
};
use email_logging::testkit::clock::ManualClock;
use email_logging::{EmailLogger, Error, MailboxKey, Result, Scope, StageId, WorkerId};
use jiff::Timestamp;

use crate::meddled::Meddling;

/// What a commit wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    /// The subjects of its mails.
    pub(crate) mails: Vec<String>,
    /// By the server's sizes.
    pub(crate) bytes: u64,
}

/// A ledger in memory, which others go on beside.
#[derive(Debug)]
pub(crate) struct Steered {
    store: Arc<MemoryStore>,
    commits: Mutex<Vec<Noted>>,
    /// How often a commit lets others go first.
    pauses: u32,
    /// The mail whose row is refused once.
    refused: Mutex<Option<String>>,
    /// How the second commit fails: before it has an effect, or its answer is lost.
    fails: Option<(&'static Code, bool)>,
    /// Whether a renewal is never answered.
    pub(crate) silent: AtomicBool,
    /// Whether another worker takes the mailbox before anything is given another try.
    pub(crate) is_taken: AtomicBool,
    /// The logger that has a run before whoever asks next takes the mailbox.
    pub(crate) first: Mutex<Option<Arc<EmailLogger>>>,
    /// The clock that goes on by four minutes before anything is given another try, while another worker waits for the mailbox.
    pub(crate) slow: Mutex<Option<ManualClock>>,
}

impl Steered {
    pub(crate) fn new(store: &Arc<MemoryStore>, pauses: u32) -> Self {
        Self {
            store: Arc::clone(store),
            commits: Mutex::default(),
            pauses,
            refused: Mutex::default(),
            fails: None,
            silent: AtomicBool::new(false),
            is_taken: AtomicBool::new(false),
            first: Mutex::default(),
            slow: Mutex::default(),
        }
    }

    pub(crate) fn refusing(self, subject: String) -> Self {
        *self.refused.lock().unwrap() = Some(subject);
        self
    }

    pub(crate) fn failing(mut self, code: &'static Code, lost_reply: bool) -> Self {
        self.fails = Some((code, lost_reply));
        self
    }

    /// How this commit fails.
    fn failure(&self) -> Option<(Error, bool)> {
        let (code, lost_reply) = self.fails.filter(|_| self.count() == 2)?;
        Some((Error::new(code, "planned"), lost_reply))
    }

    /// The commits that had mails.
    pub(crate) fn commits(&self) -> Vec<Noted> {
        let all = self.commits.lock().unwrap();
        let with_mails = all.iter().filter(|noted| !noted.mails.is_empty());
        with_mails.cloned().collect()
    }

    /// All of them.
    pub(crate) fn count(&self) -> usize {
        self.commits.lock().unwrap().len()
    }

    /// Takes the row out that is refused, if it is there.
    fn refuse(&self, batch: &mut CommitBatch) -> Option<usize> {
        let mut refused = self.refused.lock().unwrap();
        let subject = refused.clone()?;
        let at = batch.rows.iter().position(|row| is_of(row, &subject))?;
        *refused = None;
        batch.rows.remove(at);
        Some(at)
    }
}

fn subject(row: &CommitRow) -> Option<&str> {
    match &row.content {
        RowContent::Decided(decided) => Some(&decided.record.as_ref()?.subject),
        _ => None,
    }
}

fn is_of(row: &CommitRow, of: &str) -> bool {
    subject(row) == Some(of)
}

fn note(batch: &CommitBatch) -> Noted {
    let subjects = batch.rows.iter().map(|row| subject(row).unwrap_or("?"));
    Noted {
        mails: subjects.map(str::to_owned).collect(),
        bytes: batch.rows.iter().filter_map(|row| row.sighting.size).sum(),
    }
}

#[async_trait]
impl MailLedger for Steered {
    async fn acquire(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<Acquired> {
        let first = self.first.lock().unwrap().take();
        if let Some(logger) = first {
            Box::pin(logger.run_once()).await.unwrap();
        }
        self.store.acquire(scope, mailbox, worker, ttl).await
    }

    async fn renew(&self, scope: &Scope, lease: &Lease, ttl: Duration) -> Result<Lease> {
        if self.silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.store.renew(scope, lease, ttl).await
    }

    async fn release(&self, scope: &Scope, lease: &Lease) -> Result<()> {
        self.store.release(scope, lease).await
    }

    async fn release_quiet(&self, scope: &Scope, lease: &Lease, quiet: Duration) -> Result<()> {
        self.store.release_quiet(scope, lease, quiet).await
    }

    async fn known(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        self.store.known(scope, mailbox, keys).await
    }

    async fn keys_of(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        items: &[ItemRef],
    ) -> Result<Vec<Option<SightingKey>>> {
        self.store.keys_of(scope, mailbox, items).await
    }

    async fn with_message_ids(
        &self,
        scope: &Scope,
        message_ids: &[String],
    ) -> Result<Vec<Vec<KnownMessage>>> {
        self.store.with_message_ids(scope, message_ids).await
    }

    async fn stage(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        index: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        self.store.stage(scope, lease, stage, index, bytes).await
    }

    async fn staged(
        &self,
        scope: &Scope,
        lease: &Lease,
        stage: StageId,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        self.store.staged(scope, lease, stage, limit).await
    }

    async fn commit(
        &self,
        scope: &Scope,
        lease: &Lease,
        mut batch: CommitBatch,
    ) -> Result<CommitReceipt> {
        self.commits.lock().unwrap().push(note(&batch));
        for _ in 0..self.pauses {
            tokio::task::yield_now().await;
        }
        let refused = self.refuse(&mut batch);
        if let Some((error, lost_reply)) = self.failure() {
            if lost_reply {
                self.store.commit(scope, lease, batch).await?;
            }
            return Err(error);
        }
        let mut receipt = self.store.commit(scope, lease, batch).await?;
        if let Some(at) = refused {
            let error = Error::new(&codes::STORE_DATA, "planned");
            receipt.rows.insert(at, RowResult::Rejected(error));
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
        self.store.pending_moves(scope, mailbox, due, limit).await
    }

    async fn undelivered(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        limit: u32,
    ) -> Result<Vec<Undelivered>> {
        self.store.undelivered(scope, mailbox, limit).await
    }

    async fn requeue(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        keys: &[SightingKey],
    ) -> Result<u64> {
        self.store.requeue(scope, mailbox, keys).await
    }

    async fn requeue_held(
        &self,
        scope: &Scope,
        lease: &Lease,
        keys: &[SightingKey],
    ) -> Result<u64> {
        let slow = self.slow.lock().unwrap().clone();
        let is_taken = self.is_taken.load(Ordering::Relaxed);
        if let Some(clock) = &slow {
            clock.advance(Duration::from_mins(4));
        }
        if is_taken {
            self.store.release(scope, lease).await?;
        }
        if is_taken || slow.is_some() {
            let (other, ttl) = (WorkerId::from("other"), Duration::from_mins(5));
            let acquired = self.store.acquire(scope, &lease.mailbox, &other, ttl);
            acquired.await?;
        }
        self.store.requeue_held(scope, lease, keys).await
    }
}

/// Moves wait for so long before they are sent.
pub(crate) struct SlowMoves {
    pub(crate) clock: ManualClock,
    pub(crate) wait: Duration,
    /// Moves that began to wait.
    pub(crate) begun: AtomicU32,
    /// The ledger that answers no renewal from then on.
    pub(crate) silences: Option<Arc<Steered>>,
}

#[async_trait]
impl Meddling for SlowMoves {
    async fn before_move(&self, _: &MemorySource, _: &[ItemRef]) -> Result<()> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        if let Some(ledger) = &self.silences {
            ledger.silent.store(true, Ordering::Relaxed);
        }
        self.clock.sleep(self.wait).await;
        Ok(())
    }
}
