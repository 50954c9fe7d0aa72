//! Items: how a server identifies one copy, and the key that survives a move.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::error::{Error, Result, codes};
use crate::message::{ItemClass, Sensitivity};

/// A server's id of one item. Opaque, compared byte by byte; a move may change it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ItemRef {
    /// The id.
    pub id: String,
    /// The version of the item, where the server wants it back.
    pub change_key: Option<String>,
}

impl ItemRef {
    /// An item with this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            change_key: None,
        }
    }

    /// Adds the version.
    #[must_use]
    pub fn with_change_key(mut self, change_key: impl Into<String>) -> Self {
        self.change_key = Some(change_key.into());
        self
    }
}

impl fmt::Debug for ItemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemRef({})", self.id)
    }
}

/// The key of one sighting: one copy of a mail in a mailbox, stable over moves.
///
/// As text, for stores: `search-key:<hex>`, `stamp:<hex>`, `immutable-id:<id>`, `content:<hex>`, `digest:<hex>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SightingKey {
    /// `PR_SEARCH_KEY` (0x300B, MS-OXCMSG): survives moves; a copy of the item shares it.
    SearchKey(Vec<u8>),
    /// A property of our own that was written to the item ([`MailSource::stamp`](super::MailSource::stamp)): survives
    /// moves; a copy of the item shares it.
    Stamp([u8; 16]),
    /// A Graph immutable id.
    ImmutableId(String),
    /// A digest of the mail's bytes that the source knows before the mail is fetched: survives moves; a copy shares it.
    Content([u8; 32]),
    /// A digest of the original, where the source has no stable key.
    Digest([u8; 32]),
}

impl SightingKey {
    /// The longest search key that is taken for one, in bytes. Exchange makes them of 16; whoever writes one by hand may
    /// write any, and a store indexes it.
    #[cfg(any(feature = "ews", feature = "graph"))]
    const LONGEST_SEARCH_KEY: usize = 1_024;

    /// What a server says is an item's `PR_SEARCH_KEY`: none where that is empty, which many items might share, or longer
    /// than 1,024 bytes. Such an item has no key of its own.
    #[cfg(any(feature = "ews", feature = "graph"))]
    pub(crate) fn from_search_key(bytes: Vec<u8>) -> Option<Self> {
        (1..=Self::LONGEST_SEARCH_KEY)
            .contains(&bytes.len())
            .then_some(Self::SearchKey(bytes))
    }
}

impl fmt::Display for SightingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| {
            bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        };
        match self {
            Self::SearchKey(bytes) => f.write_str("search-key:").and_then(|()| hex(f, bytes)),
            Self::Stamp(bytes) => f.write_str("stamp:").and_then(|()| hex(f, bytes)),
            Self::ImmutableId(id) => write!(f, "immutable-id:{id}"),
            Self::Content(bytes) => f.write_str("content:").and_then(|()| hex(f, bytes)),
            Self::Digest(bytes) => f.write_str("digest:").and_then(|()| hex(f, bytes)),
        }
    }
}

impl FromStr for SightingKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::new(&codes::CONFIG_INVALID, "SightingKey::from_str");
        match text.split_once(':') {
            Some(("search-key", hex)) => Ok(Self::SearchKey(unhex(hex).ok_or_else(invalid)?)),
            Some(("stamp", hex)) => {
                let bytes = unhex(hex).ok_or_else(invalid)?;
                Ok(Self::Stamp(bytes.try_into().map_err(|_| invalid())?))
            }
            Some(("immutable-id", id)) => Ok(Self::ImmutableId(id.into())),
            Some(("content", hex)) => {
                let bytes = unhex(hex).ok_or_else(invalid)?;
                Ok(Self::Content(bytes.try_into().map_err(|_| invalid())?))
            }
            Some(("digest", hex)) => {
                let bytes = unhex(hex).ok_or_else(invalid)?;
                Ok(Self::Digest(bytes.try_into().map_err(|_| invalid())?))
            }
            _ => Err(invalid()),
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

/// One sighting that is looked for ([`MailSource::locate`](super::MailSource::locate)).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sought {
    /// Its key.
    pub key: SightingKey,
    /// The id under which its item was last seen, where that is one of this mail system.
    pub item: Option<ItemRef>,
}

impl Sought {
    /// A sighting of which only the key is known: every copy is meant.
    pub fn new(key: SightingKey) -> Self {
        Self { key, item: None }
    }

    /// Means one item, which was last seen under this id.
    #[must_use]
    pub fn with_item(mut self, item: ItemRef) -> Self {
        self.item = Some(item);
        self
    }
}

impl From<SightingKey> for Sought {
    fn from(key: SightingKey) -> Self {
        Self::new(key)
    }
}

/// One item of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedItem {
    /// The server's id.
    pub item: ItemRef,
    /// The key that survives a move, where the server has one.
    pub key: Option<SightingKey>,
    /// The server's size in bytes.
    pub size: Option<u64>,
    /// The kind of item.
    pub class: ItemClass,
    /// When it was received.
    pub received: Option<Timestamp>,
    /// How private it is, where the server tells it in a list.
    pub sensitivity: Option<Sensitivity>,
}

impl ListedItem {
    /// An item of which only the id is known.
    pub fn new(item: ItemRef) -> Self {
        Self {
            item,
            key: None,
            size: None,
            class: ItemClass::Mail,
            received: None,
            sensitivity: None,
        }
    }
}

/// Which part of a folder to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRequest {
    /// How many items to pass over.
    pub offset: u32,
    /// How many items to list at most.
    pub limit: u32,
}

impl ListRequest {
    /// A part of a folder.
    pub fn new(offset: u32, limit: u32) -> Self {
        Self { offset, limit }
    }
}

/// A part of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The items, oldest first, each id once.
    pub items: Vec<ListedItem>,
    /// How many items the folder holds, where the server tells it.
    pub total: Option<u64>,
    /// Whether there is none after these.
    pub complete: bool,
}

impl Listing {
    /// A part of a folder.
    pub fn new(items: Vec<ListedItem>, total: Option<u64>, complete: bool) -> Self {
        Self {
            items,
            total,
            complete,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[cfg(any(feature = "ews", feature = "graph"))]
    #[test]
    fn an_empty_or_endless_search_key_is_none() {
        let key = |length| SightingKey::from_search_key(vec![7; length]);
        let lengths = [0, 1, 1_024, 1_025];
        let some = lengths.map(|length| key(length).is_some());
        assert_eq!(some, [false, true, true, false]);
        assert_eq!(key(16), Some(SightingKey::SearchKey(vec![7; 16])));
    }

    #[test]
    fn a_sighting_key_round_trips_as_text() {
        let keys = [
            SightingKey::SearchKey(vec![0, 0xff, 0x10]),
            SightingKey::Stamp([0xa5; 16]),
            SightingKey::ImmutableId("AAk:a==".into()),
            SightingKey::Content([8; 32]),
            SightingKey::Digest([7; 32]),
        ];
        for key in keys {
            assert_eq!(key.to_string().parse::<SightingKey>().unwrap(), key);
        }
        for text in ["", "search-key:0", "digest:00", "stamp:00", "other:1"] {
            assert!(text.parse::<SightingKey>().is_err(), "{text}");
        }
    }
}
