//! Newtypes for what is identified, and how derived ids are made.
//!
//! [`MessageUid`] and [`EntryId`] are derived from what they name (UUIDv8, RFC 9562), so that writing the same thing
//! again is a no-op in any store. All other ids are made by whoever owns the thing.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, codes};
use crate::interaction::InformationFlow;
use crate::message::FastKey;
use crate::scope::Scope;

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id with these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes, as they stand in a store.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                uuid::Uuid::from_bytes(self.0).as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let uuid = uuid::Uuid::try_parse(text).map_err(|_| {
                    Error::new(&codes::CONFIG_INVALID, concat!(stringify!($name), "::from_str"))
                })?;
                Ok(Self(uuid.into_bytes()))
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub struct $name(String);

        impl $name {
            /// The id with this text, taken as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
    };
}

uuid_newtype! {
    /// One message: one content, however many copies were seen. Derived from scope and content.
    MessageUid
}
uuid_newtype! {
    /// One interaction log entry. Derived from scope, message, contact, salesperson, information flow and occurrence.
    EntryId
}
uuid_newtype! {
    /// One original that is being staged in pieces before its commit.
    StageId
}
uuid_newtype! {
    /// One event of the feed (UUIDv7 of the clock that was injected).
    EventId
}

text_newtype! {
    /// The number of a contact in the host's directory, such as `CT000012`.
    ContactNo
}
text_newtype! {
    /// The code of a salesperson or purchaser in the host's directory, such as `AH`.
    SalespersonCode
}
text_newtype! {
    /// The number of an opportunity, such as `OP000012`.
    OpportunityNo
}
text_newtype! {
    /// The host's name for a mailbox or public-folder queue. It does not hold the kind of source, so that a move
    /// from EWS to Graph keeps the ledger.
    MailboxKey
}
text_newtype! {
    /// Who holds a lease: a name that is unique per worker process.
    WorkerId
}

impl MessageUid {
    /// The id of the message with this content in this scope.
    pub fn derive(scope: &Scope, content: &FastKey) -> Self {
        Self(uuid_v8(&[
            b"message",
            scope.tenant().as_bytes(),
            scope.company().as_bytes(),
            content.as_bytes(),
        ]))
    }
}

impl EntryId {
    /// The id of the entry that links a message to one contact and one salesperson in one direction.
    ///
    /// `occurrence` is 0, except where a policy counts a repeated recipient again.
    pub fn derive(
        scope: &Scope,
        message: &MessageUid,
        contact: &ContactNo,
        salesperson: &SalespersonCode,
        flow: InformationFlow,
        occurrence: u32,
    ) -> Self {
        Self(uuid_v8(&[
            b"entry",
            scope.tenant().as_bytes(),
            scope.company().as_bytes(),
            message.as_bytes(),
            contact.as_str().as_bytes(),
            salesperson.as_str().as_bytes(),
            flow.code().as_bytes(),
            &occurrence.to_be_bytes(),
        ]))
    }
}

/// Hashes length-prefixed parts, so that no two lists of parts can meet by concatenation.
fn uuid_v8(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    uuid::Uuid::new_v8(bytes).into_bytes()
}

/// A UUIDv7 (RFC 9562) from an injected time and injected randomness.
pub(crate) fn uuid_v7(
    clock: &dyn crate::clock::Clock,
    entropy: &dyn crate::clock::Entropy,
) -> [u8; 16] {
    uuid_v7_at(clock.now(), entropy)
}

/// A UUIDv7 (RFC 9562) of a time and of injected randomness.
pub(crate) fn uuid_v7_at(now: jiff::Timestamp, entropy: &dyn crate::clock::Entropy) -> [u8; 16] {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(contact: &str, salesperson: &str, flow: InformationFlow, occurrence: u32) -> EntryId {
        let scope = Scope::default();
        let message = MessageUid::derive(&scope, &FastKey::from_bytes([7; 32]));
        EntryId::derive(
            &scope,
            &message,
            &contact.into(),
            &salesperson.into(),
            flow,
            occurrence,
        )
    }

    #[test]
    fn a_derived_id_depends_on_every_part_and_on_nothing_else() {
        let base = entry("C1", "AH", InformationFlow::Outbound, 0);
        assert_eq!(base, entry("C1", "AH", InformationFlow::Outbound, 0));
        let others = [
            entry("C2", "AH", InformationFlow::Outbound, 0),
            entry("C1", "BH", InformationFlow::Outbound, 0),
            entry("C1", "AH", InformationFlow::Inbound, 0),
            entry("C1", "AH", InformationFlow::Outbound, 1),
            entry("C1A", "H", InformationFlow::Outbound, 0),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    #[test]
    fn derived_ids_are_uuid_version_8_and_round_trip_as_text() {
        let id = entry("C1", "AH", InformationFlow::Outbound, 0);
        let uuid = uuid::Uuid::from_bytes(*id.as_bytes());
        assert_eq!(uuid.get_version_num(), 8);
        assert_eq!(id.to_string().parse::<EntryId>().unwrap(), id);
    }

    /// A clock that stands.
    #[derive(Debug)]
    struct Stands(jiff::Timestamp);

    #[async_trait::async_trait]
    impl crate::clock::Clock for Stands {
        fn now(&self) -> jiff::Timestamp {
            self.0
        }

        async fn sleep(&self, _: std::time::Duration) {}
    }

    #[test]
    fn a_made_id_is_uuid_version_7_of_its_time_and_no_two_are_alike() {
        let millis = 1_790_000_000_123;
        let at = jiff::Timestamp::from_millisecond(millis).unwrap();
        let made = [
            uuid_v7_at(at, &crate::clock::SystemEntropy),
            uuid_v7(&Stands(at), &crate::clock::SystemEntropy),
        ];
        for id in made.map(uuid::Uuid::from_bytes) {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.as_u128() >> 80, u128::try_from(millis).unwrap());
        }
        assert_ne!(made[0], made[1]);
    }
}
