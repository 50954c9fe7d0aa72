//! Ids as Graph shows them: opaque, case-sensitive, base64 for URLs.
//!
//! They carry the number of what they name, so that no index is needed. Of the changing ids every second one differs from
//! the one before it only in the case of one letter.

use base64_simd::URL_SAFE;

use crate::testkit::exchange::store::folder::FolderKey;
use crate::testkit::exchange::store::item::ItemKey;

const CHANGING: Form = Form {
    prefix: [0x00, 0x03, 0x24, 0x00],
    kind: "message",
    length: 112,
};
const IMMUTABLE: Form = Form {
    prefix: [0x00, 0x0b, 0x20, 0x00],
    kind: "immutable message",
    length: 68,
};
const FOLDER: Form = Form {
    prefix: [0x00, 0x03, 0x24, 0x01],
    kind: "folder",
    length: 88,
};
/// Where the number stands, masked by the bytes before it.
const NUMBER: std::ops::Range<usize> = 40..48;

struct Form {
    prefix: [u8; 4],
    kind: &'static str,
    length: usize,
}

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageId {
    /// The id of an item as long as it stays in its folder.
    Changing(ItemKey),
    /// The id that moves keep.
    Immutable(u64),
}

impl MessageId {
    /// Reads an id; `None` for text that cannot be one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE.decode_to_vec(text).ok()?;
        if let Some(number) = IMMUTABLE.number(&bytes) {
            return (IMMUTABLE.text(number) == text).then_some(Self::Immutable(number));
        }
        let half = CHANGING.number(&bytes)?;
        let mut candidates = [half * 2, half * 2 + 1].into_iter().map(ItemKey);
        candidates
            .find(|key| changing_id(*key) == text)
            .map(Self::Changing)
    }
}

/// The id of an item that a move changes.
pub(super) fn changing_id(key: ItemKey) -> String {
    let id = CHANGING.text(key.0 / 2);
    if key.0 % 2 == 1 {
        with_one_letter_in_other_case(id)
    } else {
        id
    }
}

/// The id of an item that a move keeps.
pub(super) fn immutable_id(lineage: u64) -> String {
    IMMUTABLE.text(lineage)
}

/// The id of a folder, which never changes.
pub(super) fn folder_id(key: FolderKey) -> String {
    FOLDER.text(u64::from(key.0))
}

/// Reads the id of a folder.
pub(super) fn folder_key(text: &str) -> Option<FolderKey> {
    let bytes = URL_SAFE.decode_to_vec(text).ok()?;
    let key = FolderKey(u32::try_from(FOLDER.number(&bytes)?).ok()?);
    (folder_id(key) == text).then_some(key)
}

impl Form {
    fn text(&self, number: u64) -> String {
        let mut bytes = vec![0_u8; self.length];
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.kind.as_bytes());
        hasher.update(&number.to_le_bytes());
        hasher.finalize_xof().fill(&mut bytes);
        bytes[..4].copy_from_slice(&self.prefix);
        let masked = number ^ self.mask();
        bytes[NUMBER].copy_from_slice(&masked.to_le_bytes());
        // The letters before the end of every id are equal, so that a case can be changed.
        URL_SAFE.encode_to_string(bytes)
    }

    fn number(&self, bytes: &[u8]) -> Option<u64> {
        if bytes.len() != self.length || !bytes.starts_with(&self.prefix) {
            return None;
        }
        let masked = bytes.get(NUMBER)?.try_into().ok()?;
        Some(u64::from_le_bytes(masked) ^ self.mask()).filter(|number| *number < u64::MAX / 4)
    }

    fn mask(&self) -> u64 {
        let digest = blake3::hash(self.kind.as_bytes());
        digest
            .as_bytes()
            .iter()
            .take(8)
            .fold(0, |mask, byte| (mask << 8) | u64::from(*byte))
    }
}

/// Swaps the case of the last letter before the final characters, behind the number.
fn with_one_letter_in_other_case(id: String) -> String {
    let mut bytes = id.into_bytes();
    let end = bytes.len().saturating_sub(4);
    let mut letters = bytes.iter_mut().take(end).rev();
    if let Some(letter) = letters.find(|byte| byte.is_ascii_alphabetic()) {
        *letter ^= 0x20;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_lead_back_to_what_they_name() {
        for number in [1, 2, 3, 1_000, 70_001] {
            let key = ItemKey(number);
            let changing = MessageId::parse(&changing_id(key)).unwrap();
            assert_eq!(changing, MessageId::Changing(key));
            let immutable = MessageId::parse(&immutable_id(number)).unwrap();
            assert_eq!(immutable, MessageId::Immutable(number));
        }
        assert_eq!(folder_key(&folder_id(FolderKey(7))), Some(FolderKey(7)));
    }

    #[test]
    fn another_case_is_another_id() {
        let (even, odd) = (changing_id(ItemKey(2)), changing_id(ItemKey(3)));
        assert!(even != odd && even.eq_ignore_ascii_case(&odd));
        assert_eq!(MessageId::parse(&even.to_lowercase()), None);
        assert_eq!(MessageId::parse(&folder_id(FolderKey(1))), None);
        assert_eq!(folder_key(&even), None);
    }

    #[test]
    fn ids_are_those_of_urls() {
        let all: String = (0..200).map(immutable_id).collect();
        assert!(all.contains('-') && all.contains('_'));
        assert!(!all.contains('+') && !all.contains('/'));
    }
}
