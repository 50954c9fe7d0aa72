//! A ledger of a host that looks at no lease where mail gets another try: the contract's own default does it without.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::source::SightingKey;
use email_logging::store::{
    Acquired, CommitBatch, CommitReceipt, KnownMessage, KnownSighting, Lease, MailLedger,
    PendingMove, Undelivered,
};
use email_logging::{MailboxKey, Result, Scope, StageId, WorkerId};
use jiff::Timestamp;

/// Notes what it is to requeue, and is asked nothing else.
#[derive(Debug, Default)]
struct Fenceless(Mutex<Vec<(MailboxKey, Vec<SightingKey>)>>);

#[async_trait]
impl MailLedger for Fenceless {
    async fn acquire(
        &self,
        _: &Scope,
        _: &MailboxKey,
        _: &WorkerId,
        _: Duration,
    ) -> Result<Acquired> {
        unreachable!()
    }

    async fn renew(&self, _: &Scope, _: &Lease, _: Duration) -> Result<Lease> {
        unreachable!()
    }

    async fn release(&self, _: &Scope, _: &Lease) -> Result<()> {
        unreachable!()
    }

    async fn known(
        &self,
        _: &Scope,
        _: &MailboxKey,
        _: &[SightingKey],
    ) -> Result<Vec<Option<KnownSighting>>> {
        unreachable!()
    }

    async fn with_message_ids(&self, _: &Scope, _: &[String]) -> Result<Vec<Vec<KnownMessage>>> {
        unreachable!()
    }

    async fn stage(&self, _: &Scope, _: &Lease, _: StageId, _: u32, _: Vec<u8>) -> Result<()> {
        unreachable!()
    }

    async fn staged(&self, _: &Scope, _: &Lease, _: StageId, _: u64) -> Result<Option<Vec<u8>>> {
        unreachable!()
    }

    async fn commit(&self, _: &Scope, _: &Lease, _: CommitBatch) -> Result<CommitReceipt> {
        unreachable!()
    }

    async fn pending_moves(
        &self,
        _: &Scope,
        _: &MailboxKey,
        _: Timestamp,
        _: u32,
    ) -> Result<Vec<PendingMove>> {
        unreachable!()
    }

    async fn undelivered(&self, _: &Scope, _: &MailboxKey, _: u32) -> Result<Vec<Undelivered>> {
        unreachable!()
    }

    async fn requeue(&self, _: &Scope, mailbox: &MailboxKey, keys: &[SightingKey]) -> Result<u64> {
        let mut asked = self.0.lock().unwrap();
        asked.push((mailbox.clone(), keys.to_vec()));
        Ok(7)
    }
}

#[tokio::test]
async fn without_a_look_at_the_lease_the_mailbox_of_the_lease_is_requeued() {
    let ledger = Fenceless::default();
    let mailbox = MailboxKey::from("queue");
    let lease = Lease::new(mailbox.clone(), "worker".into(), 3, Timestamp::MAX);
    let keys = [SightingKey::SearchKey(vec![1; 16])];
    let requeued = ledger.requeue_held(&Scope::default(), &lease, &keys).await;
    assert_eq!(requeued.unwrap(), 7);
    assert_eq!(*ledger.0.lock().unwrap(), [(mailbox, keys.to_vec())]);
}
