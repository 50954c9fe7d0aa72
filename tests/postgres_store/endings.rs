//! Connections that end before, within and after a COMMIT: nothing is lost, written twice or told twice.

use std::time::Duration;

use email_logging::decision::Disposition;
use email_logging::setup::EmailLoggingSetup;
use email_logging::store::{
    Annotation, CommitBatch, CommitRow, EventFeed, FailedAttempt, InteractionLog, Lease,
    MailLedger, MoveOutcome, MoveResult, PostgresOptions, PostgresStore, RowContent, RowResult,
    SealedSecret, SecretName, SecretStore, SetupStore, Sighting,
};
use email_logging::{ErrorKind, StageId};

use crate::cluster::{Server, migrated, own_server, server};
use crate::proxy::{Break, Proxy};
use crate::store_rows::{at, entry, item, key, lease, logged, mailbox, set_aside};
use crate::{entry_numbers, scope};

/// A migrated store behind a link that breaks, and its options.
struct Linked {
    store: PostgresStore,
    options: PostgresOptions,
    proxy: Proxy,
    lease: Lease,
}

async fn linked() -> Option<Linked> {
    let (server, own) = own_server()?;
    let proxy = Proxy::start(own.port).await;
    let mut options = server.options();
    let url = format!(
        "host=127.0.0.1 port={} user=postgres dbname=postgres",
        proxy.port
    );
    options.url = url.into();
    let store = migrated(options.clone()).await;
    let lease = lease(&store, &scope()).await;
    Some(Linked {
        store,
        options,
        proxy,
        lease,
    })
}

const BREAKS: [(Break, u32); 4] = [
    (Break::Before, 1),
    (Break::After, 1),
    (Break::Before, 3),
    (Break::After, 2),
];

impl Linked {
    async fn commit(&self, batch: CommitBatch) -> Vec<RowResult> {
        let receipt = self.store.commit(&scope(), &self.lease, batch).await;
        receipt.unwrap().rows
    }
}

fn failed(n: u64) -> CommitRow {
    let attempt = FailedAttempt::new("ews.unavailable", at(50));
    CommitRow::new(Sighting::new(key(n), item(n)), RowContent::Failed(attempt))
}

#[tokio::test]
async fn a_commit_answers_the_same_whether_its_reply_is_lost_or_not() {
    for (at, times) in BREAKS {
        let Some(linked) = linked().await else { return };
        linked.proxy.break_next(at, times);
        let rows = vec![
            logged(&scope(), 1, 5_000),
            failed(2),
            logged(&scope(), 3, 10),
        ];
        let rows = linked.commit(CommitBatch::of_rows(rows)).await;
        assert!(linked.proxy.is_spent());
        let [
            RowResult::Written { entries: first },
            RowResult::Counted { attempts: 1 },
            RowResult::Written { entries: second },
        ] = &rows[..]
        else {
            panic!("{at:?}: {rows:?}");
        };
        assert_eq!(first[..], [(entry(&scope(), 1).id, 1)]);
        assert_eq!(second[..], [(entry(&scope(), 3).id, 2)]);
        assert_eq!(entry_numbers(&linked.store).await, [1, 2]);
        let events = linked.store.read_events(&scope(), "erp", 10).await.unwrap();
        assert!(events.iter().map(|event| event.number).eq([1, 2]));
    }
}

#[tokio::test]
async fn an_attempt_is_counted_once() {
    for (at, times) in BREAKS {
        let Some(linked) = linked().await else { return };
        linked.commit(CommitBatch::of_rows(vec![failed(1)])).await;
        linked.proxy.break_next(at, times);
        let rows = linked.commit(CommitBatch::of_rows(vec![failed(1)])).await;
        assert!(linked.proxy.is_spent());
        assert!(
            matches!(rows[..], [RowResult::Counted { attempts: 2 }]),
            "{at:?}: {rows:?}"
        );
        let known = linked.store.known(&scope(), &mailbox(), &[key(1)]).await;
        assert_eq!(known.unwrap()[0].as_ref().unwrap().attempts, 2);
        linked.proxy.break_next(at, times);
        let rows = linked.commit(CommitBatch::of_rows(vec![failed(2)])).await;
        assert!(linked.proxy.is_spent());
        assert!(
            matches!(rows[..], [RowResult::Counted { attempts: 1 }]),
            "{at:?}: the first of another mail: {rows:?}"
        );
    }
}

#[tokio::test]
async fn an_attempt_at_a_move_is_counted_once_and_a_done_move_is_closed_once() {
    for (broken, times) in BREAKS {
        let Some(linked) = linked().await else { return };
        let rows = vec![logged(&scope(), 1, 10), logged(&scope(), 2, 10)];
        linked.commit(CommitBatch::of_rows(rows)).await;
        linked.proxy.break_next(broken, times);
        let retry = MoveOutcome::Retry {
            code: "ews.move_failed".into(),
            next_try: at(10),
        };
        let mut batch = CommitBatch::default();
        batch.moves.push(MoveResult::new(key(1), item(1), retry));
        batch
            .moves
            .push(MoveResult::new(key(2), item(2), MoveOutcome::Done(None)));
        linked.commit(batch).await;
        assert!(linked.proxy.is_spent());
        let moves = linked
            .store
            .pending_moves(&scope(), &mailbox(), at(1_000), 10)
            .await
            .unwrap();
        assert_eq!(moves.len(), 1, "{broken:?}");
        assert_eq!((&moves[0].key, moves[0].attempts), (&key(1), 1));
    }
}

#[tokio::test]
async fn a_vanished_mail_is_told_once() {
    for (broken, times) in BREAKS {
        let Some(linked) = linked().await else { return };
        linked
            .commit(CommitBatch::of_rows(vec![logged(&scope(), 1, 10)]))
            .await;
        linked.proxy.break_next(broken, times);
        let mut batch = CommitBatch::default();
        batch
            .moves
            .push(MoveResult::new(key(1), item(1), MoveOutcome::Vanished));
        linked.commit(batch).await;
        assert!(linked.proxy.is_spent());
        let events = linked.store.read_events(&scope(), "erp", 10).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| event.kind.code()).collect();
        assert_eq!(kinds, ["logged", "vanished"], "{broken:?}");
    }
}

#[tokio::test]
async fn pieces_comments_and_setups_are_written_once() {
    for (broken, times) in BREAKS {
        let Some(linked) = linked().await else { return };
        let store = &linked.store;
        linked
            .commit(CommitBatch::of_rows(vec![logged(&scope(), 1, 10)]))
            .await;
        let break_next = || linked.proxy.break_next(broken, times);
        let stage = StageId::from_bytes([7; 16]);
        for index in 0..2 {
            break_next();
            let piece = vec![u8::try_from(index).unwrap(); 100];
            store
                .stage(&scope(), &linked.lease, stage, index, piece)
                .await
                .unwrap();
        }
        let staged = store.staged(&scope(), &linked.lease, stage, 1_000).await;
        assert_eq!(staged.unwrap(), Some([[0; 100], [1; 100]].concat()));
        let id = entry(&scope(), 1).id;
        // The time of a comment is read before it is written.
        linked.proxy.break_after(1, broken, times);
        let comment = Annotation::Comment {
            author: "anna".into(),
            text: "called".into(),
        };
        store.annotate(&scope(), &id, comment).await.unwrap();
        let read = store.entry(&scope(), &id).await.unwrap();
        assert!(linked.proxy.is_spent());
        assert_eq!(read.comments.len(), 1, "{broken:?}");
        let mut setup = EmailLoggingSetup::default();
        setup.email_batch_size = 7;
        break_next();
        assert_eq!(store.save_setup(&scope(), &setup, 0).await.unwrap(), 1);
        let error = store.save_setup(&scope(), &setup, 0).await.unwrap_err();
        assert_eq!(error.code(), "setup.version");
        let sealed = SealedSecret::new("key", vec![1], vec![2], vec![3]);
        break_next();
        let name = SecretName::RefreshToken;
        let version = store.save_secret(&scope(), name, &sealed, 0).await;
        assert_eq!(version.unwrap(), 1, "{broken:?}");
    }
}

#[tokio::test]
async fn sightings_that_are_requeued_are_counted_though_the_reply_is_lost() {
    for (broken, times) in BREAKS {
        let Some(linked) = linked().await else { return };
        let rows = vec![set_aside(1), set_aside(2)];
        linked.commit(CommitBatch::of_rows(rows)).await;
        linked.proxy.break_next(broken, times);
        let keys = [key(1), key(3)];
        let requeued = linked.store.requeue(&scope(), &mailbox(), &keys).await;
        assert_eq!(requeued.unwrap(), 1, "{broken:?}");
        linked.proxy.break_next(broken, times);
        let (lease, keys) = (&linked.lease, [key(2), key(3)]);
        let requeued = linked.store.requeue_held(&scope(), lease, &keys).await;
        assert_eq!(requeued.unwrap(), 1, "{broken:?} under the lease");
        assert!(linked.proxy.is_spent());
    }
}

#[tokio::test]
async fn the_move_of_a_copy_is_planned_though_the_commit_is_lost() {
    for (broken, times) in BREAKS {
        let Some(linked) = linked().await else { return };
        let row = logged(&scope(), 1, 10);
        linked.commit(CommitBatch::of_rows(vec![row])).await;
        linked.proxy.break_next(broken, times);
        // It tells nobody anything, and counts nothing.
        let target = Disposition::Storage;
        let copy = Sighting::new(key(1), item(2));
        let copy = CommitRow::new(copy, RowContent::Again { target });
        linked.commit(CommitBatch::of_rows(vec![copy])).await;
        assert!(linked.proxy.is_spent());
        let (store, mailbox) = (&linked.store, mailbox());
        let moves = store.pending_moves(&scope(), &mailbox, at(1_000), 9).await;
        let mut items: Vec<_> = moves.unwrap().into_iter().map(|it| it.item.id).collect();
        items.sort();
        assert_eq!(items, [item(1).id, item(2).id], "{broken:?}");
    }
}

#[tokio::test]
async fn a_link_that_never_holds_is_unavailable_and_heals() {
    let Some(linked) = linked().await else { return };
    linked.proxy.break_next(Break::Before, 1_000);
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 10)]);
    let lost = linked
        .store
        .commit(&scope(), &linked.lease, batch.clone())
        .await;
    let error = lost.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::StoreUnavailable, "store.unavailable")
    );
    linked.proxy.break_next(Break::Before, 0);
    linked.commit(batch).await;
    assert_eq!(entry_numbers(&linked.store).await, [1]);
}

/// Ends the one connection of this schema's store that is in this state.
async fn terminate(server: &Server, name: &str, condition: &str) {
    let raw = server.raw().await;
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = $1 AND {condition}"
    );
    while raw.query(&end, &[&name]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_connection_that_the_server_ends_before_the_commit_is_replaced() {
    let Some(server) = server() else { return };
    let options = server.options();
    let name = options.schema.clone();
    let store = migrated(options.clone().with_application_name(&*name)).await;
    let lease = lease(&store, &scope()).await;
    let mut raw = server.raw().await;
    let lock = raw.transaction().await.unwrap();
    let sql = format!("SELECT 1 FROM {}.scope FOR UPDATE", options.schema);
    lock.query(&sql, &[]).await.unwrap();
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 10)]);
    let scope = scope();
    let (committed, ()) = tokio::join!(store.commit(&scope, &lease, batch), async {
        terminate(server, &name, "wait_event_type = 'Lock'").await;
        lock.rollback().await.unwrap();
    });
    let rows = committed.unwrap().rows;
    assert!(matches!(rows[..], [RowResult::Written { .. }]), "{rows:?}");
    assert_eq!(entry_numbers(&store).await, [1]);
}

#[tokio::test]
async fn a_connection_that_the_server_ends_within_the_commit_is_looked_after() {
    let Some(server) = server() else { return };
    let options = server.options();
    let name = options.schema.clone();
    let store = migrated(options.clone().with_application_name(&*name)).await;
    // A check at the COMMIT itself, which takes long the first time.
    let slow = format!(
        "SET search_path TO {name};
         CREATE SEQUENCE commits;
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('{name}.commits') = 1 THEN PERFORM pg_sleep(600); END IF;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION slow()"
    );
    server.raw().await.batch_execute(&slow).await.unwrap();
    let lease = lease(&store, &scope()).await;
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 10)]);
    let scope = scope();
    let (committed, ()) = tokio::join!(
        store.commit(&scope, &lease, batch),
        terminate(server, &name, "wait_event = 'PgSleep' AND query = 'COMMIT'")
    );
    let rows = committed.unwrap().rows;
    assert!(matches!(rows[..], [RowResult::Written { .. }]), "{rows:?}");
    assert_eq!(entry_numbers(&store).await, [1]);
}

#[tokio::test]
async fn a_commit_whose_future_is_dropped_is_whole_or_absent() {
    let Some(server) = server() else { return };
    let store = server.store().await;
    let lease = lease(&store, &scope()).await;
    for n in 0..40 {
        let rows = vec![
            logged(&scope(), 2 * n, 2_000),
            logged(&scope(), 2 * n + 1, 10),
        ];
        let batch = CommitBatch::of_rows(rows);
        let scope = scope();
        let commit = store.commit(&scope, &lease, batch);
        let _ = tokio::time::timeout(Duration::from_micros(n * 400), commit).await;
    }
    // The fence of this one waits for what is still under way.
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1_000, 10)]);
    store.commit(&scope(), &lease, batch).await.unwrap();
    let numbers = entry_numbers(&store).await;
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
    assert_eq!(numbers.len() % 2, 1);
    for n in 0..40 {
        let keys = [key(2 * n), key(2 * n + 1)];
        let known = store.known(&scope(), &mailbox(), &keys).await.unwrap();
        assert_eq!(known[0].is_some(), known[1].is_some(), "{n}");
    }
    let events = store.read_events(&scope(), "erp", 1_000).await.unwrap();
    assert_eq!(events.len(), numbers.len());
}

#[tokio::test]
async fn options_of_a_broken_link_are_not_told() {
    let Some(linked) = linked().await else { return };
    let text = format!("{:?} {:?}", linked.options, linked.store);
    assert!(!text.contains("127.0.0.1"), "{text}");
}
