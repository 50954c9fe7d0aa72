//! Rows for the tests and benches of stores: invented mails of an invented company.

#![allow(dead_code, clippy::unwrap_used)]

use std::time::Duration;

use email_logging::decision::{
    DecidedEntry, Decision, Exclusion, Outcome, Quarantine, Stage, Step, Verdict,
};
use email_logging::interaction::{InformationFlow, InteractionTemplate, NewEntry};
use email_logging::message::{ContentIdentity, FastKey, Message, OriginalDigest};
use email_logging::parties::{ContactKind, ContactMatch, SalespersonMatch};
use email_logging::source::{ItemRef, SightingKey};
use email_logging::store::{
    Acquired, CommitBatch, CommitReceipt, CommitRow, DecidedRow, Lease, MailLedger, MessageRecord,
    Original, Participant, ParticipantRole, RowContent, Sighting, SqliteStore,
};
use email_logging::{MailboxKey, MessageUid, Scope, WorkerId};
use jiff::Timestamp;

/// The mailbox of every test.
pub(crate) fn mailbox() -> MailboxKey {
    "queue".into()
}

/// Takes the mailbox.
pub(crate) async fn lease(store: &impl MailLedger, scope: &Scope) -> Lease {
    let worker = WorkerId::from("worker");
    let ttl = Duration::from_mins(1);
    match store
        .acquire(scope, &mailbox(), &worker, ttl)
        .await
        .unwrap()
    {
        Acquired::Held(lease) => lease,
        other => unreachable!("{other:?}"),
    }
}

/// A migrated store in a file.
pub(crate) async fn open(path: &std::path::Path) -> SqliteStore {
    let store = SqliteStore::open(path).unwrap();
    store.migrate().await.unwrap();
    store
}

/// The digest that stands for mail `n`.
pub(crate) fn digest(n: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (byte, source) in bytes.iter_mut().zip(n.to_le_bytes().iter().cycle()) {
        *byte = *source;
    }
    // Spread, as real digests are.
    let spread = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bytes[..8].copy_from_slice(&spread.to_be_bytes());
    bytes
}

pub(crate) fn uid(scope: &Scope, n: u64) -> MessageUid {
    MessageUid::derive(scope, &FastKey::from_bytes(digest(n)))
}

pub(crate) fn key(n: u64) -> SightingKey {
    SightingKey::SearchKey(digest(n)[..16].to_vec())
}

/// An item id as long as Exchange makes them.
pub(crate) fn item(n: u64) -> ItemRef {
    ItemRef::new(format!("AAMkAGI2{n:0>140}=")).with_change_key(format!("CQAAABYA{n:0>30}"))
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + i64::try_from(seconds).unwrap()).unwrap()
}

/// A mail of 30 kB whose bytes are not all the same.
pub(crate) fn bytes(n: u64, len: usize) -> Vec<u8> {
    let mut state = n | 1;
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// What is kept of mail `n`.
pub(crate) fn record(n: u64, size: usize) -> MessageRecord {
    let mut record = MessageRecord::new(ContentIdentity {
        fast_key: FastKey::from_bytes(digest(n)),
        original_digest: OriginalDigest::from_bytes(digest(n)),
        size: size as u64,
    });
    record.message_id = Some(format!("{n}.offer@cronus.example"));
    record.references = vec![format!("{n}.request@adatum.example")];
    record.subject = format!("Offer {n} for the St\u{fc}hle");
    record.participants = vec![
        Participant::new(
            ParticipantRole::From,
            "anna.holm@cronus.example",
            Some("Anna Holm".into()),
        ),
        Participant::new(
            ParticipantRole::To,
            format!("contact{}@adatum.example", n % 200),
            Some(format!("Contact {}", n % 200)),
        ),
        Participant::new(ParticipantRole::Cc, "office@cronus.example", None),
    ];
    record.sent = Some(at(n));
    record.received = Some(at(n + 1));
    record
}

/// The pair that mail `n` is logged for.
fn pair(n: u64) -> DecidedEntry {
    let contact = format!("CT{:06}", n % 200);
    let company = format!("CO{:04}", n % 20);
    DecidedEntry::new(
        InformationFlow::Outbound,
        ContactMatch::new(
            &*contact,
            format!("Contact {}", n % 200),
            ContactKind::Person,
        )
        .with_company(&*company),
        SalespersonMatch::new("AH", "Anna Holm"),
    )
}

/// The entry of mail `n`.
pub(crate) fn entry(scope: &Scope, n: u64) -> NewEntry {
    let mut message = Message::new(record(n, 0).identity);
    message.subject = record(n, 0).subject;
    message.sent = Some(at(n));
    let template = InteractionTemplate::default();
    NewEntry::from_decided(scope, uid(scope, n), &message, &pair(n), &template, at(n))
}

/// Mail `n`, logged for one pair, with an original of this size.
pub(crate) fn logged(scope: &Scope, n: u64, size: usize) -> CommitRow {
    decided(n, logged_row(scope, n, size))
}

/// What a logged mail writes.
pub(crate) fn logged_row(scope: &Scope, n: u64, size: usize) -> DecidedRow {
    let mut decision = Decision::logged(vec![pair(n)]);
    decision.steps = vec![
        Step::new(
            Stage::Sender,
            "sender.salesperson",
            Verdict::Pass,
            "AH by email",
        ),
        Step::new(
            Stage::Match,
            "match.pair",
            Verdict::Match,
            "AH and a contact by email",
        ),
    ];
    decision.policy = "default".into();
    let mut row = DecidedRow::new(uid(scope, n), decision);
    row.record = Some(Box::new(record(n, size)));
    row.original = Original::Inline(bytes(n, size));
    row.entries = vec![entry(scope, n)];
    row
}

/// Mail `n`, which could not be read.
pub(crate) fn set_aside(n: u64) -> CommitRow {
    let decision = Decision::ended(Outcome::Quarantined(Quarantine::Unreadable));
    let mut row = DecidedRow::new(uid(&Scope::default(), n), decision);
    row.record = Some(Box::new(record(n, 10)));
    decided(n, row)
}

/// A mail of which nothing may be kept.
pub(crate) fn private(scope: &Scope, n: u64) -> CommitRow {
    let decision = Decision::ended(Outcome::Excluded(Exclusion::Private));
    decided(n, DecidedRow::new(uid(scope, n), decision))
}

/// The row of sighting `n`.
pub(crate) fn decided(n: u64, row: DecidedRow) -> CommitRow {
    let sighting = Sighting::new(key(n), item(n));
    CommitRow::new(sighting, RowContent::Decided(row.into()))
}

/// Commits rows, all of which must be written.
pub(crate) async fn commit(
    store: &impl MailLedger,
    scope: &Scope,
    lease: &Lease,
    rows: Vec<CommitRow>,
) -> CommitReceipt {
    let batch = CommitBatch::of_rows(rows);
    store.commit(scope, lease, batch).await.unwrap()
}
