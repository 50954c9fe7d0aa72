//! Rows of another scope are never seen or touched.

use jiff::Timestamp;

use super::bench::{Bench, TTL};
use super::sample::{self, Sample};
use crate::error::{Error, ErrorKind};
use crate::ids::WorkerId;
use crate::message::MessageContent;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;
use crate::store::{Acquired, Annotation, CommitBatch, DecisionFilter, LogFilter, MoveOutcome};
use crate::testkit::conformance::harness::{Checked, Stop, check, equal, fails};

/// Another company of the same tenant, and the same company of another tenant.
fn others() -> Result<[Scope; 2], Error> {
    Ok([
        Scope::new("default", "other")?,
        Scope::new("other", "default")?,
    ])
}

/// A logged mail that waits for delivery, and a quarantined one.
async fn fill(bench: &Bench) -> Checked<[Sample; 2]> {
    let mut sample = sample::logged(1, &["C1"]);
    sample.row.deliver = true;
    let samples = [sample, sample::quarantined(2)];
    bench.put_all(&samples).await?;
    let setup = EmailLoggingSetup::default();
    bench.store.save_setup(&bench.scope, &setup, 0).await?;
    Ok(samples)
}

pub(super) async fn another_scope_reads_nothing(bench: &Bench) -> Checked {
    let [logged, _] = fill(bench).await?;
    let (store, mailbox) = (&bench.store, &bench.mailbox);
    for scope in &others()? {
        let keys = [logged.key.clone()];
        equal(
            "known",
            store.known(scope, mailbox, &keys).await?,
            vec![None],
        )?;
        let ids = ["mail-1@example.com".to_owned()];
        let messages = store.with_message_ids(scope, &ids).await?;
        equal("by Message-ID", messages, vec![vec![]])?;
        equal(
            "moves",
            store
                .pending_moves(scope, mailbox, Timestamp::MAX, 9)
                .await?
                .len(),
            0,
        )?;
        equal(
            "undelivered",
            store.undelivered(scope, mailbox, 9).await?.len(),
            0,
        )?;
        equal("unindexed", store.unindexed(scope, 9).await?.len(), 0)?;
        equal("events", store.read_events(scope, "c", 9).await?.len(), 0)?;
        equal("set-up", store.load_setup(scope).await?, None)?;
        let (log, by) = (LogFilter::default(), DecisionFilter::default());
        equal(
            "entries",
            store.entries(scope, &log, None, 9).await?.rows.len(),
            0,
        )?;
        equal(
            "mails",
            store.mails(scope, &log, None, 9).await?.rows.len(),
            0,
        )?;
        equal(
            "decisions",
            store.decisions(scope, &by, None, 9).await?.rows.len(),
            0,
        )?;
        let (uid, id) = (logged.uid(), logged.entry_ids()[0]);
        fails(
            "an entry",
            store.entry(scope, &id).await,
            ErrorKind::NotFound,
        )?;
        fails("a mail", store.mail(scope, &uid).await, ErrorKind::NotFound)?;
        let original = store.original(scope, &uid, 0..1).await;
        fails("an original", original, ErrorKind::NotFound)?;
    }
    Ok(())
}

pub(super) async fn another_scope_changes_nothing(bench: &Bench) -> Checked {
    let [logged, quarantined] = fill(bench).await?;
    let (store, mailbox) = (&bench.store, &bench.mailbox);
    let before = bench.counts().await?;
    let id = logged.entry_ids()[0];
    for scope in &others()? {
        let keys = [quarantined.key.clone()];
        equal("requeued", store.requeue(scope, mailbox, &keys).await?, 0)?;
        fails(
            "to cancel",
            store.cancel(scope, &id, true).await,
            ErrorKind::NotFound,
        )?;
        let grade = Annotation::Evaluation(Some(1));
        fails(
            "to annotate",
            store.annotate(scope, &id, grade).await,
            ErrorKind::NotFound,
        )?;
        let contents = vec![(logged.uid(), MessageContent::default())];
        store.put_content(scope, contents).await?;
        store
            .acknowledge(scope, "nobody", u64::from(u32::MAX))
            .await?;
        equal(
            "a set-up of its own",
            store
                .save_setup(scope, &EmailLoggingSetup::default(), 0)
                .await?,
            1,
        )?;
        let batch = CommitBatch {
            moves: vec![quarantined.moved(MoveOutcome::Deleted)],
            deliveries: logged.delivered(0),
            ..CommitBatch::default()
        };
        let lease = held(bench, scope).await?;
        store.commit(scope, &lease, batch).await?;
    }
    equal("rows", bench.counts().await?, before)?;
    let known = bench.known_item(&quarantined.key).await?;
    equal("the state", known.state.code(), "quarantined")?;
    let unindexed = store.unindexed(&bench.scope, 9).await?;
    check!(unindexed.contains(&logged.uid()), "the mail counts as read");
    let waiting = store.undelivered(&bench.scope, mailbox, 9).await?;
    equal("undelivered", waiting.len(), 1)?;
    let stored = store.load_setup(&bench.scope).await?;
    equal(
        "the set-up's version",
        stored.map(|stored| stored.version),
        Some(1),
    )
}

async fn held(bench: &Bench, scope: &Scope) -> Checked<crate::store::Lease> {
    let worker = WorkerId::new("worker of another scope");
    match bench
        .store
        .acquire(scope, &bench.mailbox, &worker, TTL)
        .await?
    {
        Acquired::Held(lease) => Ok(lease),
        _ => Err(Stop::Failed("a lease of another scope blocks".into())),
    }
}

pub(super) async fn leases_of_two_scopes_are_independent(bench: &Bench) -> Checked {
    let lease = bench.lease().await?;
    for scope in &others()? {
        let other = held(bench, scope).await?;
        held(bench, scope).await?;
        let row = sample::logged(1, &["C1"]).row();
        let answer = bench
            .store
            .commit(scope, &other, CommitBatch::of_rows(vec![row]))
            .await;
        fails(
            "a stale lease of another scope",
            answer,
            ErrorKind::LeaseLost,
        )?;
    }
    bench.store.renew(&bench.scope, &lease, TTL).await?;
    bench
        .commit(&lease, vec![sample::logged(1, &["C1"]).row()])
        .await?;
    equal("rows", bench.counts().await?, [1, 1, 1, 1])
}
