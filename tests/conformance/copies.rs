//! What every store keeps of a message that comes again: the first original, and flags of those alone whom they concern.

use std::time::Duration;

use email_logging::decision::{Decision, NotMatched, Outcome};
use email_logging::message::{ContentIdentity, FastKey, OriginalDigest};
use email_logging::source::{ItemRef, SightingKey};
use email_logging::store::{
    Acquired, CommitBatch, CommitRow, DecidedRow, InteractionLog, InteractionStore, MemoryStore,
    MessageRecord, Original, RowContent, RowResult, Sighting,
};
use email_logging::{MessageUid, Scope};

fn uid(number: u8) -> MessageUid {
    MessageUid::derive(&Scope::default(), &FastKey::from_bytes([number; 32]))
}

fn digest(original: &[u8]) -> OriginalDigest {
    OriginalDigest::from_bytes([original[0]; 32])
}

/// A mail of this message that no contact wrote, with this Message-ID and these bytes.
fn row(number: u8, message_id: &str, original: &[u8], keeps: bool) -> DecidedRow {
    let decision = Decision::ended(Outcome::NotMatched(NotMatched::NoContact));
    let mut record = MessageRecord::new(ContentIdentity {
        fast_key: FastKey::from_bytes([number; 32]),
        original_digest: digest(original),
        size: original.len() as u64,
    });
    record.message_id = Some(message_id.to_owned());
    let mut row = DecidedRow::new(uid(number), decision);
    row.record = Some(Box::new(record));
    if keeps {
        row.original = Original::Inline(original.to_vec());
    }
    row
}

/// Commits rows, each as another item under another key.
async fn put(store: &impl InteractionStore, rows: Vec<DecidedRow>) {
    let scope = Scope::default();
    let (mailbox, worker) = ("queue".into(), "worker".into());
    let taken = store.acquire(&scope, &mailbox, &worker, Duration::from_mins(1));
    let Ok(Acquired::Held(lease)) = taken.await else {
        panic!("the mailbox is free")
    };
    for (number, row) in rows.into_iter().enumerate() {
        let name = format!("{number} of {}", row.message);
        let key = SightingKey::SearchKey(name.clone().into_bytes());
        let sighting = Sighting::new(key, ItemRef::new(name));
        let row = CommitRow::new(sighting, RowContent::Decided(row.into()));
        let batch = CommitBatch::of_rows(vec![row]);
        let receipt = store.commit(&scope, &lease, batch).await.unwrap();
        let written = matches!(&receipt.rows[..], [RowResult::Written { .. }]);
        assert!(written, "{receipt:?}");
    }
}

async fn identity(store: &impl InteractionLog, number: u8) -> (OriginalDigest, u64) {
    let mail = store.mail(&Scope::default(), &uid(number)).await.unwrap();
    let identity = mail.record.identity;
    (identity.original_digest, identity.size)
}

async fn the_first_original_stays(store: &impl InteractionStore) {
    let copies = [(&b"first"[..], true), (b"a second", true), (b"none", false)];
    let rows = copies.map(|(original, keeps)| row(1, "1@x", original, keeps));
    put(store, rows.into()).await;
    assert_eq!(identity(store, 1).await, (digest(b"first"), 5));
    let (scope, uid) = (Scope::default(), uid(1));
    let original = store.original(&scope, &uid, 0..99).await.unwrap();
    assert_eq!(original.bytes, b"first");
}

async fn without_an_original_the_first_copy_tells_what_it_was(store: &impl InteractionStore) {
    // The first that is kept tells of itself.
    for (number, keeps, expected) in [(2, false, &b"first"[..]), (6, true, b"a second")] {
        let copies = [(&b"first"[..], false), (b"a second", keeps)];
        let rows =
            copies.map(|(original, keeps)| row(number, &format!("{number}@x"), original, keeps));
        put(store, rows.into()).await;
        let size = expected.len() as u64;
        assert_eq!(identity(store, number).await, (digest(expected), size));
    }
}

async fn a_conflict_of_message_ids_is_of_those_that_share_one(store: &impl InteractionStore) {
    let rows = vec![row(3, "same@x", b"3", true), row(4, "other@x", b"4", true)];
    put(store, rows).await;
    let mut late = row(5, "same@x", b"5", true);
    (late.message_id_conflict, late.compared) = (true, vec![uid(3), uid(4)]);
    put(store, vec![late]).await;
    let mut flags = Vec::new();
    for number in [3, 4, 5] {
        let mail = store.mail(&Scope::default(), &uid(number)).await.unwrap();
        flags.push(mail.record.flags.len());
    }
    assert_eq!(flags, [1, 0, 1]);
}

async fn keeps_copies_apart(store: &impl InteractionStore) {
    the_first_original_stays(store).await;
    without_an_original_the_first_copy_tells_what_it_was(store).await;
    a_conflict_of_message_ids_is_of_those_that_share_one(store).await;
}

#[tokio::test]
async fn the_store_in_memory_keeps_copies_apart() {
    keeps_copies_apart(&MemoryStore::new()).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_sqlite_store_keeps_copies_apart() {
    let store = email_logging::store::SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    keeps_copies_apart(&store).await;
}

#[cfg(all(unix, feature = "postgres"))]
#[tokio::test]
async fn the_postgres_store_keeps_copies_apart() {
    let Some(server) = crate::postgres_support::server() else {
        return;
    };
    keeps_copies_apart(&server.store().await).await;
}
