//! The contract of a host's own log: every entry is taken, and putting it again under its id changes nothing.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::Report;
use super::harness::{self, Case, Checked, cases, check, equal};
use crate::decision::DecidedEntry;
use crate::ids::{EntryId, MessageUid};
use crate::interaction::{InformationFlow, InteractionLogEntry, InteractionTemplate, NewEntry};
use crate::message::{ContentIdentity, FastKey, Message, OriginalDigest};
use crate::parties::{ContactKind, ContactMatch, SalespersonMatch};
use crate::scope::Scope;
use crate::store::{InteractionSink, MessageRecord, SinkDelivery};

/// A sink, and how many entries it holds.
pub struct SinkBackend {
    sink: Arc<dyn InteractionSink>,
    rows: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl SinkBackend {
    /// An empty sink; `rows` counts the entries that it holds.
    pub fn new(sink: impl InteractionSink, rows: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            sink: Arc::new(sink),
            rows: Box::new(rows),
        }
    }
}

impl fmt::Debug for SinkBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkBackend").finish_non_exhaustive()
    }
}

/// Checks a sink. `make` answers a fresh, empty one for every case.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = SinkBackend>,
{
    harness::run("interaction sink", list(), make).await
}

fn list() -> Vec<Case<SinkBackend>> {
    cases! {
        self::{
            every_entry_of_a_mail_is_taken,
            entries_that_are_put_again_add_nothing_and_keep_their_reference,
            a_delivery_that_is_known_in_part_adds_the_rest,
            mails_are_kept_apart,
            odd_texts_are_taken,
        }
    }
}

/// One mail with an entry for each contact.
struct Mail {
    uid: MessageUid,
    record: MessageRecord,
    entries: Vec<InteractionLogEntry>,
}

fn mail(number: u8, subject: &str, contacts: &[&str]) -> Mail {
    let identity = ContentIdentity {
        fast_key: FastKey::from_bytes([number; 32]),
        original_digest: OriginalDigest::from_bytes([number; 32]),
        size: 1,
    };
    let uid = MessageUid::derive(&Scope::default(), &identity.fast_key);
    let mut message = Message::new(identity);
    subject.clone_into(&mut message.subject);
    let entry = |no: &&str| {
        let contact = ContactMatch::new(*no, format!("Contact {no}"), ContactKind::Person);
        let salesperson = SalespersonMatch::new("AH", "Anna Hill");
        let pair = DecidedEntry::new(InformationFlow::Outbound, contact, salesperson);
        let template = InteractionTemplate::default();
        let at = Timestamp::UNIX_EPOCH;
        NewEntry::from_decided(&Scope::default(), uid, &message, &pair, &template, at)
    };
    let entries = (1..).zip(contacts.iter().map(entry));
    let entries =
        entries.map(|(no, entry)| InteractionLogEntry::written(no, entry, Timestamp::UNIX_EPOCH));
    let mut record = MessageRecord::new(identity);
    subject.clone_into(&mut record.subject);
    Mail {
        uid,
        record,
        entries: entries.collect(),
    }
}

/// Puts entries of a mail, and answers the references by entry.
async fn put(
    backend: &SinkBackend,
    mail: &Mail,
    entries: &[InteractionLogEntry],
) -> Checked<Vec<(EntryId, String)>> {
    let delivery = SinkDelivery::new(&mail.uid, &mail.record, entries);
    let answer = backend.sink.put(&Scope::default(), delivery).await?;
    let mut references: Vec<_> = answer
        .into_iter()
        .map(|it| (it.entry, it.reference))
        .collect();
    for (entry, _) in &references {
        let asked = entries.iter().any(|known| known.entry.id == *entry);
        check!(asked, "a reference for an entry that was not put: {entry}");
    }
    references.sort();
    Ok(references)
}

async fn every_entry_of_a_mail_is_taken(backend: &SinkBackend) -> Checked {
    let mail = mail(1, "Offer", &["C1", "C2", "C3"]);
    put(backend, &mail, &mail.entries).await?;
    equal("entries", (backend.rows)(), 3)
}

async fn entries_that_are_put_again_add_nothing_and_keep_their_reference(
    backend: &SinkBackend,
) -> Checked {
    let mail = mail(1, "Offer", &["C1", "C2"]);
    let first = put(backend, &mail, &mail.entries).await?;
    let again = put(backend, &mail, &mail.entries).await?;
    equal("references", again, first)?;
    equal("entries", (backend.rows)(), 2)
}

async fn a_delivery_that_is_known_in_part_adds_the_rest(backend: &SinkBackend) -> Checked {
    let mail = mail(1, "Offer", &["C1", "C2", "C3"]);
    put(backend, &mail, &mail.entries[..2]).await?;
    put(backend, &mail, &mail.entries[1..]).await?;
    equal("entries", (backend.rows)(), 3)
}

async fn mails_are_kept_apart(backend: &SinkBackend) -> Checked {
    for number in 1..=2 {
        let mail = mail(number, "Offer", &["C1"]);
        put(backend, &mail, &mail.entries).await?;
    }
    equal("entries of two mails to one contact", (backend.rows)(), 2)
}

async fn odd_texts_are_taken(backend: &SinkBackend) -> Checked {
    let long = "\u{1f4e7} long ".repeat(5_000);
    let texts = ["", "'); DROP TABLE log;--", "a\0b\r\n\u{202e}", &long];
    for (number, text) in (1..).zip(texts) {
        let mail = mail(number, text, &["C1"]);
        put(backend, &mail, &mail.entries).await?;
    }
    equal("entries", (backend.rows)(), 4)
}
