//! What is left of a mail that was removed: keyed hashes, by which it is known again and which tell nothing without the key.
//!
//! The key is made of randomness once per scope and lies in the store. It must not know a store.

use jiff::Timestamp;

use crate::ids::MessageUid;
use crate::store::{MessageRecord, Participant, ParticipantRole};

/// A keyed hash.
pub(crate) type Tombstone = [u8; 32];

/// The key of a scope's tombstones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TombstoneKey([u8; 32]);

impl std::fmt::Debug for TombstoneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TombstoneKey")
    }
}

impl TombstoneKey {
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// All hashes under which a mail is known again: of its content, and of what its author gave it, for a copy that was
    /// written in another way.
    pub(crate) fn of_mail(&self, uid: &MessageUid, mail: &Known<'_>) -> Vec<Tombstone> {
        let content = self.hash(&[b"content", uid.as_bytes()]);
        std::iter::once(content).chain(self.origin(mail)).collect()
    }

    /// The hash of an address in its normalised form.
    pub(crate) fn of_address(&self, address: &str) -> Tombstone {
        self.hash(&[b"address", address.as_bytes()])
    }

    /// A Message-ID alone can be anybody's choice; with the date and the author it is this mail's.
    fn origin(&self, mail: &Known<'_>) -> Option<Tombstone> {
        let (id, sent, author) = (mail.message_id?, mail.sent?, mail.author?);
        let sent = sent.as_second().to_be_bytes();
        // As stores keep a text.
        let (id, author) = (
            id.replace('\0', "\u{FFFD}"),
            author.replace('\0', "\u{FFFD}"),
        );
        Some(self.hash(&[b"origin", id.as_bytes(), &sent, author.as_bytes()]))
    }

    /// Hashes length-prefixed parts, so that no two lists of parts can meet by concatenation.
    fn hash(&self, parts: &[&[u8]]) -> Tombstone {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

/// What of a mail is hashed besides its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) message_id: Option<&'a str>,
    pub(crate) sent: Option<Timestamp>,
    pub(crate) author: Option<&'a str>,
}

impl<'a> Known<'a> {
    /// Of a record that is to be written or was.
    pub(crate) fn of(record: &'a MessageRecord) -> Self {
        let author = |named: &&Participant| named.role == ParticipantRole::From;
        let author = record.participants.iter().find(author);
        Self {
            message_id: record.message_id.as_deref(),
            sent: record.sent,
            author: author.map(|named| named.address.as_str()),
        }
    }
}

/// Every hash under which the mail of a record could be barred: its own, and those of the addresses that it names.
pub(crate) fn bars(key: &TombstoneKey, uid: &MessageUid, record: &MessageRecord) -> Vec<Tombstone> {
    let mut bars = key.of_mail(uid, &Known::of(record));
    let people = record.participants.iter();
    bars.extend(people.map(|named| key.of_address(&named.address)));
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> TombstoneKey {
        TombstoneKey::from_bytes([byte; 32])
    }

    fn known(id: Option<&'static str>, second: i64) -> Known<'static> {
        Known {
            message_id: id,
            sent: Timestamp::from_second(second).ok(),
            author: Some("anna@cronus.example"),
        }
    }

    #[test]
    fn a_mail_is_known_again_by_its_content_or_by_id_date_and_author() {
        let (one, other) = (
            MessageUid::from_bytes([1; 16]),
            MessageUid::from_bytes([2; 16]),
        );
        let first = key(7).of_mail(&one, &known(Some("a@x"), 9));
        assert_eq!(first.len(), 2);
        let rewritten = key(7).of_mail(&other, &known(Some("a@x"), 9));
        assert_eq!(
            (first[0] == rewritten[0], first[1] == rewritten[1]),
            (false, true)
        );
        let later = key(7).of_mail(&other, &known(Some("a@x"), 10));
        assert!(later.iter().all(|bar| !first.contains(bar)));
        assert_eq!(key(7).of_mail(&one, &known(None, 9)), first[..1]);
    }

    #[test]
    fn another_key_makes_other_hashes() {
        let address = "anna@cronus.example";
        assert_ne!(key(7).of_address(address), key(8).of_address(address));
        assert_eq!(key(7).of_address(address), key(7).of_address(address));
        assert_eq!(format!("{:?}", key(7)), "TombstoneKey");
    }
}
