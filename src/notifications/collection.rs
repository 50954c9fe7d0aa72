//! The body of a notification: a changeNotificationCollection, read within bounds.

use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::expected::ChangeNotice;

/// Notifications of one body that are looked at; the rest is counted and left alone.
pub(super) const ENTRIES: usize = 1000;

/// A changeNotificationCollection.
#[derive(Debug, Deserialize)]
pub(super) struct Collection {
    pub(super) value: Entries,
}

/// The entries that are looked at, and how many there are more.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) read: Vec<Entry>,
    pub(super) more: u32,
}

/// A changeNotification, as far as it matters. What it says of the resource is not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) subscription_id: Option<String>,
    #[serde(default)]
    pub(super) client_state: Option<String>,
    #[serde(default)]
    change_type: Option<String>,
    #[serde(default)]
    lifecycle_event: Option<String>,
    #[serde(default)]
    encrypted_content: Option<IgnoredAny>,
}

impl Entry {
    /// What it means; none for what nobody here asks for, as content of mails.
    pub(super) fn notice(&self) -> Option<ChangeNotice> {
        if self.encrypted_content.is_some() {
            return None;
        }
        match (self.lifecycle_event.as_deref(), self.change_type.as_deref()) {
            (Some("subscriptionRemoved"), _) => Some(ChangeNotice::SubscriptionRemoved),
            (Some("reauthorizationRequired"), _) => Some(ChangeNotice::ReauthorizationRequired),
            (Some("missed"), _) => Some(ChangeNotice::Missed),
            (None, Some("created" | "updated")) => Some(ChangeNotice::MailArrived),
            _ => None,
        }
    }
}

/// Reads a body; none where it is no collection.
pub(super) fn collection(body: &[u8]) -> Option<Collection> {
    serde_json::from_slice(body).ok()
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Bounded)
    }
}

struct Bounded;

impl<'de> Visitor<'de> for Bounded {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("change notifications")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Entries, A::Error> {
        let mut read = Vec::new();
        while read.len() < ENTRIES {
            match entries.next_element()? {
                Some(entry) => read.push(entry),
                None => return Ok(Entries { read, more: 0 }),
            }
        }
        let mut more = 0_u32;
        while entries.next_element::<IgnoredAny>()?.is_some() {
            more = more.saturating_add(1);
        }
        Ok(Entries { read, more })
    }
}
