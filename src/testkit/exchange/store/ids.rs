//! Ids that look and behave like those of Exchange.
//!
//! They are base64, case-sensitive and made from a counter, so that two runs give equal ids. Every
//! second item id differs from the one before it only in the case of one letter: a client that
//! compares ids without regard to case fails at once.

use base64_simd::STANDARD;

use super::folder::FolderKey;
use super::item::ItemKey;

const ITEM_BYTES: usize = 112;
const FOLDER_BYTES: usize = 88;
const MAILBOX_PREFIX: [u8; 4] = [0x00, 0x03, 0x24, 0x00];
const PUBLIC_PREFIX: [u8; 4] = [0x00, 0x01, 0x2e, 0x00];

/// Makes ids, change keys and search keys.
#[derive(Default)]
pub(crate) struct IdMaker {
    items: u64,
    folders: u32,
    changes: u64,
}

impl IdMaker {
    pub(crate) fn next_item(&mut self) -> ItemKey {
        self.items += 1;
        ItemKey(self.items)
    }

    pub(crate) fn latest_item(&self) -> ItemKey {
        ItemKey(self.items)
    }

    pub(crate) fn next_folder(&mut self) -> FolderKey {
        self.folders += 1;
        FolderKey(self.folders)
    }

    pub(crate) fn change_key(&mut self) -> String {
        self.changes += 1;
        let mut bytes = [0_u8; 30];
        fill(&mut bytes, "change key", self.changes);
        bytes[..8].copy_from_slice(&[9, 0, 0, 0, 22, 0, 0, 0]);
        STANDARD.encode_to_string(bytes)
    }
}

pub(crate) fn item_id(key: ItemKey, public: bool) -> String {
    let id = encode::<ITEM_BYTES>("item", key.0 / 2, public);
    if key.0 % 2 == 1 {
        with_one_letter_in_other_case(&id)
    } else {
        id
    }
}

pub(crate) fn folder_id(key: FolderKey, public: bool) -> String {
    encode::<FOLDER_BYTES>("folder", u64::from(key.0), public)
}

pub(crate) fn search_key(key: ItemKey) -> [u8; 16] {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes, "search key", key.0);
    bytes
}

/// What the length and the first bytes of an id tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdKind {
    Item,
    Folder,
    Malformed,
}

/// Tells ids that could be ours from text that is no id at all.
pub(crate) fn kind_of(id: &str) -> IdKind {
    let Ok(bytes) = STANDARD.decode_to_vec(id) else {
        return IdKind::Malformed;
    };
    let known = bytes.starts_with(&MAILBOX_PREFIX) || bytes.starts_with(&PUBLIC_PREFIX);
    match bytes.len() {
        ITEM_BYTES if known => IdKind::Item,
        FOLDER_BYTES if known => IdKind::Folder,
        _ => IdKind::Malformed,
    }
}

/// A GUID in text form for a content mailbox.
pub(crate) fn mailbox_guid(number: u32) -> String {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes, "mailbox", u64::from(number));
    let hex: String = bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(digit)
        .collect();
    let group = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [
        group(0, 8),
        group(8, 12),
        group(12, 16),
        group(16, 20),
        group(20, 32),
    ]
    .join("-")
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

fn encode<const LENGTH: usize>(kind: &str, number: u64, public: bool) -> String {
    let mut bytes = [0_u8; LENGTH];
    fill(&mut bytes, kind, number);
    bytes[..4].copy_from_slice(if public {
        &PUBLIC_PREFIX
    } else {
        &MAILBOX_PREFIX
    });
    bytes[4..40].copy_from_slice(mailbox_guid(u32::from(public)).as_bytes());
    STANDARD.encode_to_string(bytes)
}

fn fill(bytes: &mut [u8], kind: &str, number: u64) {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.finalize_xof().fill(bytes);
}

/// Swaps the case of the last letter before the final characters, which hold padding.
fn with_one_letter_in_other_case(id: &str) -> String {
    let mut bytes = id.as_bytes().to_vec();
    let end = bytes.len().saturating_sub(4);
    let mut letters = bytes.iter_mut().take(end).rev();
    if let Some(letter) = letters.find(|byte| byte.is_ascii_alphabetic()) {
        *letter ^= 0x20;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_differ_only_in_case() {
        let (even, odd) = (item_id(ItemKey(2), true), item_id(ItemKey(3), true));
        assert_ne!(even, odd);
        assert!(even.eq_ignore_ascii_case(&odd));
        assert_eq!(
            (even.len(), kind_of(&even), kind_of(&odd)),
            (152, IdKind::Item, IdKind::Item)
        );
    }

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(kind_of(&folder_id(FolderKey(1), false)), IdKind::Folder);
        assert_eq!(kind_of("DUMMY"), IdKind::Malformed);
        assert_eq!(kind_of("AAAA"), IdKind::Malformed);
    }

    #[test]
    fn a_mailbox_guid_has_the_form_of_one() {
        let guid = mailbox_guid(7);
        let lengths: Vec<_> = guid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
