//! Mails as a commit gets them: numbered, each different in everything that a key is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::decision::{
    Decision, Disposition, Exclusion, Keep, NotMatched, Outcome, Quarantine, Stage, Step, Verdict,
};
use crate::ids::{ContactNo, EntryId, MessageUid, SalespersonCode};
use crate::interaction::{InformationFlow, NewEntry};
use crate::message::{
    Authenticity, ContentIdentity, FastKey, ItemClass, OriginalDigest, Sensitivity,
};
use crate::scope::Scope;
use crate::source::{ItemRef, SightingKey};
use crate::store::{
    CommitRow, DecidedRow, Delivered, FailedAttempt, MessageRecord, MoveOutcome, MoveResult,
    Original, Participant, ParticipantRole, RowContent, Sighting,
};

/// A mail from a salesperson to contacts, to be changed as a case needs it.
#[derive(Clone)]
pub(super) struct Sample {
    pub(super) key: SightingKey,
    pub(super) item: ItemRef,
    pub(super) row: DecidedRow,
}

/// 2026-01-05 and as many minutes as the number says.
pub(super) fn minute(number: u32) -> Timestamp {
    let second = 1_767_571_200 + i64::from(number) * 60;
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A mail that is logged for these contacts, by salesperson `AH`.
pub(super) fn logged(number: u32, contacts: &[&str]) -> Sample {
    let mut sample = with_outcome(number, Outcome::Logged, Disposition::Storage);
    let entries = contacts.iter();
    sample.row.entries = entries
        .map(|no| entry(sample.row.message, number, no))
        .collect();
    sample.row.original = Original::Inline(original(number));
    sample
}

/// A mail that matches nobody.
pub(super) fn not_matched(number: u32) -> Sample {
    let outcome = Outcome::NotMatched(NotMatched::UnknownSender);
    with_outcome(number, outcome, Disposition::NotLogged)
}

/// A mail of which nothing may be kept.
pub(super) fn private(number: u32) -> Sample {
    let outcome = Outcome::Excluded(Exclusion::Private);
    let mut sample = with_outcome(number, outcome, Disposition::NotLogged);
    sample.row.record = None;
    sample.row.decision.keep = Keep::Reason;
    sample
}

/// A mail that is set aside.
pub(super) fn quarantined(number: u32) -> Sample {
    let outcome = Outcome::Quarantined(Quarantine::AttemptsExhausted);
    with_outcome(number, outcome, Disposition::Quarantine)
}

fn with_outcome(number: u32, outcome: Outcome, disposition: Disposition) -> Sample {
    let record = record(number);
    let message = MessageUid::derive(&Scope::default(), &record.identity.fast_key);
    let mut row = DecidedRow::new(message, decision(outcome, disposition));
    row.record = Some(Box::new(record));
    Sample {
        key: SightingKey::SearchKey(digest(b"key", number)[..16].to_vec()),
        item: ItemRef::new(format!("item-{number:04}")).with_change_key("change-1"),
        row,
    }
}

impl Sample {
    pub(super) fn sighting(&self) -> Sighting {
        Sighting::new(self.key.clone(), self.item.clone())
    }

    pub(super) fn row(&self) -> CommitRow {
        let decided = Arc::new(self.row.clone());
        CommitRow::new(self.sighting(), RowContent::Decided(decided))
    }

    pub(super) fn failed(&self, code: &str, next_try: Timestamp) -> CommitRow {
        let failed = FailedAttempt::new(code, next_try);
        CommitRow::new(self.sighting(), RowContent::Failed(failed))
    }

    /// Another item under the same key.
    pub(super) fn again(&self, item: &str, target: Disposition) -> CommitRow {
        let sighting = Sighting::new(self.key.clone(), ItemRef::new(item));
        CommitRow::new(sighting, RowContent::Again { target })
    }

    pub(super) fn moved(&self, outcome: MoveOutcome) -> MoveResult {
        MoveResult::new(self.key.clone(), self.item.clone(), outcome)
    }

    /// The same mail seen as another copy.
    pub(super) fn other_copy(&self, number: u32) -> Self {
        let mut copy = self.clone();
        copy.key = SightingKey::SearchKey(digest(b"copy", number)[..16].to_vec());
        copy.item = ItemRef::new(format!("copy-{number:04}"));
        copy
    }

    pub(super) fn change_record(mut self, change: impl FnOnce(&mut MessageRecord)) -> Self {
        if let Some(record) = &mut self.row.record {
            change(record);
        }
        self
    }

    pub(super) fn change_entries(mut self, change: impl FnMut(&mut NewEntry)) -> Self {
        self.row.entries.iter_mut().for_each(change);
        self
    }

    pub(super) fn with_message_id(self, id: &str) -> Self {
        self.change_record(|record| record.message_id = Some(id.to_owned()))
    }

    pub(super) fn going_to(mut self, disposition: Disposition) -> Self {
        self.row.decision.disposition = disposition;
        self
    }

    pub(super) fn uid(&self) -> MessageUid {
        self.row.message
    }

    pub(super) fn entry_ids(&self) -> Vec<EntryId> {
        self.row.entries.iter().map(|entry| entry.id).collect()
    }

    pub(super) fn delivered(&self, index: usize) -> Vec<Delivered> {
        let entries = self.row.entries.iter().skip(index).take(1);
        entries
            .map(|entry| Delivered::new(entry.id, Some(format!("host-{index}"))))
            .collect()
    }
}

/// The bytes of the mail with this number.
pub(super) fn original(number: u32) -> Vec<u8> {
    format!("Subject: Offer {number}\r\n\r\nThe body of mail {number}: \u{e9}\u{0}\r\n")
        .into_bytes()
}

fn digest(part: &[u8], number: u32) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(part);
    hasher.update(&number.to_be_bytes());
    *hasher.finalize().as_bytes()
}

fn record(number: u32) -> MessageRecord {
    MessageRecord {
        identity: ContentIdentity {
            fast_key: FastKey::from_bytes(digest(b"fast", number)),
            original_digest: OriginalDigest::from_bytes(digest(b"original", number)),
            size: original(number).len() as u64,
        },
        canonical: None,
        message_id: Some(format!("mail-{number}@example.com")),
        references: vec!["first@example.com".into(), "second@example.com".into()],
        subject: format!("Offer {number}"),
        participants: vec![
            participant(
                ParticipantRole::From,
                "anna.hall@cronus.example",
                "Anna Hall",
            )
            .with_own(true),
            participant(ParticipantRole::To, "bob@contoso.example", "Bob B\u{f6}hm"),
        ],
        sent: Some(minute(number)),
        received: Some(minute(number)),
        sensitivity: Sensitivity::Normal,
        class: ItemClass::Mail,
        authenticity: Authenticity::Passed,
        flags: vec!["bulk".into(), "mailing-list".into()],
        web_link: Some(format!("https://mail.example/{number}")),
    }
}

fn participant(role: ParticipantRole, address: &str, name: &str) -> Participant {
    Participant::new(role, address, Some(name.to_owned()))
}

fn decision(outcome: Outcome, disposition: Disposition) -> Decision {
    Decision {
        outcome,
        entries: Vec::new(),
        steps: vec![
            Step::new(
                Stage::Sender,
                "sender.salesperson",
                Verdict::Pass,
                "Anna \u{2192} AH",
            ),
            Step::new(Stage::Disposition, "disposition.done", Verdict::Stop, ""),
        ],
        flags: vec!["ambiguous-contact".into()],
        disposition,
        keep: Keep::Everything,
        create_contacts: Vec::new(),
        policy: "default".into(),
    }
}

/// An entry with every field set, outbound, at the minute of its mail.
pub(super) fn entry(message: MessageUid, number: u32, contact: &str) -> NewEntry {
    let (contact, salesperson) = (ContactNo::new(contact), SalespersonCode::new("AH"));
    let flow = InformationFlow::Outbound;
    NewEntry {
        id: EntryId::derive(&Scope::default(), &message, &contact, &salesperson, flow, 0),
        message,
        contact_company_no: Some(ContactNo::new(format!("{contact}-COMPANY"))),
        contact_alt_address_code: Some("HOME".into()),
        contact_name: format!("Contact {contact}"),
        contact_no: contact,
        salesperson_code: salesperson,
        salesperson_name: "Anna Hall".into(),
        information_flow: flow,
        initiated_by: flow.initiated_by(),
        date: minute(number),
        description: format!("Offer {number}"),
        interaction_template_code: "EMAIL".into(),
        interaction_group_code: "SYSTEM".into(),
        interaction_language_code: Some("ENU".into()),
        cost: 8.25,
        duration_min: 1.5,
        campaign_no: Some("CP1001".into()),
        occurrence: 0,
        flags: vec!["alternative-address".into()],
        fields: BTreeMap::from([("project".to_owned(), "P-1".to_owned())]),
    }
}
