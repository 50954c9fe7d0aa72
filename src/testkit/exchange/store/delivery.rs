//! A message on its way into a folder, with what the sender of the test wants to be different.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Mime;
use super::facts::{MimeFacts, Sensitivity};
use super::folder::FolderKey;
use super::item::{Item, ItemKey};
use crate::testkit::exchange::request::property::ExtendedPath;

/// A message to deliver and the facts that shall not come from its MIME.
///
/// What is not set is read from the MIME: addresses, subject, dates, Message-ID, sensitivity and
/// the item class. The debug form holds no content of the mail.
#[derive(Clone, Default)]
pub struct Delivery {
    mime: Mime,
    received: Option<Timestamp>,
    item_class: Option<String>,
    sensitivity: Option<Sensitivity>,
    ex_addresses: Vec<(String, String)>,
    subject: Option<String>,
    is_read: bool,
    lacks_search_key: bool,
    mime_failure: Option<String>,
    extended: BTreeMap<ExtendedPath, Vec<String>>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("bytes", &self.mime.len())
            .field("received", &self.received)
            .field("item_class", &self.item_class)
            .finish_non_exhaustive()
    }
}

impl Delivery {
    /// A message of these bytes, which the server gives back bit for bit.
    pub fn new(mime: impl Into<Vec<u8>>) -> Self {
        Self {
            mime: Mime::from(mime.into()),
            ..Self::default()
        }
    }

    /// Sets DateTimeReceived; without it the server's clock tells.
    #[must_use]
    pub fn with_received(mut self, received: Timestamp) -> Self {
        self.received = Some(received);
        self
    }

    /// Sets the item class, such as `IPM.Outlook.Recall`.
    #[must_use]
    pub fn with_item_class(mut self, item_class: impl Into<String>) -> Self {
        self.item_class = Some(item_class.into());
        self
    }

    /// Sets the sensitivity.
    #[must_use]
    pub fn with_sensitivity(mut self, sensitivity: Sensitivity) -> Self {
        self.sensitivity = Some(sensitivity);
        self
    }

    /// Shows an SMTP address of the message as an `EX` address with this legacyExchangeDN.
    ///
    /// So Exchange shows people of its own organisation. Add a directory entry for the name, so
    /// that ResolveNames finds the SMTP address.
    #[must_use]
    pub fn with_ex_address(mut self, smtp: &str, legacy_dn: &str) -> Self {
        self.ex_addresses
            .push((smtp.to_lowercase(), legacy_dn.to_owned()));
        self
    }

    /// Gives the item no PR_SEARCH_KEY.
    #[must_use]
    pub fn without_search_key(mut self) -> Self {
        self.lacks_search_key = true;
        self
    }

    /// Lets GetItem with MIME content fail for this item with the given response code, such as
    /// `ErrorMimeContentConversionFailed` or `ErrorItemCorrupt`.
    #[must_use]
    pub fn with_mime_failure(mut self, code: impl Into<String>) -> Self {
        self.mime_failure = Some(code.into());
        self
    }

    pub(crate) fn with_subject(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    pub(crate) fn with_is_read(mut self, is_read: bool) -> Self {
        self.is_read = is_read;
        self
    }

    pub(crate) fn with_extended(mut self, path: ExtendedPath, values: Vec<String>) -> Self {
        self.extended.insert(path, values);
        self
    }

    /// The item; its id, change key and search key are still to be made.
    pub(crate) fn into_item(self, key: ItemKey, folder: FolderKey, now: Timestamp) -> Item {
        let mut facts = MimeFacts::of(&self.mime);
        for (smtp, legacy_dn) in &self.ex_addresses {
            facts.route_by_ex(smtp, legacy_dn);
        }
        let subject = self
            .subject
            .map_or_else(|| Arc::clone(&facts.subject), Into::into);
        Item {
            key,
            id: String::new(),
            change_key: String::new(),
            lineage: key.0,
            folder,
            mime: self.mime,
            subject,
            item_class: self
                .item_class
                .unwrap_or_else(|| facts.item_class.to_owned()),
            sensitivity: self.sensitivity.unwrap_or(facts.sensitivity),
            received: self.received.unwrap_or(now),
            created: now,
            modified: now,
            is_read: self.is_read,
            search_key: None,
            lacks_search_key: self.lacks_search_key,
            mime_failure: self.mime_failure,
            extended: self.extended,
            facts: Arc::new(facts),
        }
    }
}
