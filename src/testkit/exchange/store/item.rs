//! One item.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Mime;
use super::facts::{MimeFacts, Sensitivity};
use super::folder::FolderKey;
use crate::testkit::exchange::request::property::ExtendedPath;

/// An item inside the server; a higher number came later. Never shown to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ItemKey(pub(crate) u64);

/// An item: the bytes of the mail, what was read from them, and what the server adds.
#[derive(Clone)]
#[expect(
    clippy::struct_field_names,
    reason = "the field has the name of the EWS element"
)]
pub(crate) struct Item {
    pub(crate) key: ItemKey,
    pub(crate) id: String,
    pub(crate) change_key: String,
    /// Stays through moves, as the immutable id of Graph; a copy gets a new one.
    pub(crate) lineage: u64,
    pub(crate) folder: FolderKey,
    pub(crate) mime: Mime,
    pub(crate) facts: Arc<MimeFacts>,
    pub(crate) subject: Arc<str>,
    pub(crate) item_class: String,
    pub(crate) sensitivity: Sensitivity,
    pub(crate) received: Timestamp,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) is_read: bool,
    /// PidTagSearchKey (MS-OXCMSG 2.2.1.9): equal for all copies of one message.
    pub(crate) search_key: Option<[u8; 16]>,
    pub(crate) lacks_search_key: bool,
    /// The code with which GetItem refuses to give the MIME content.
    pub(crate) mime_failure: Option<String>,
    pub(crate) extended: BTreeMap<ExtendedPath, Vec<String>>,
}

impl Item {
    pub(crate) fn size(&self) -> u64 {
        self.mime.len() as u64
    }

    /// The element that stands for an item of this class (types.xsd, ArrayOfRealItemsType).
    pub(crate) fn element(&self) -> &'static str {
        let class = self.item_class.as_str();
        if class.starts_with("IPM.Schedule.Meeting.Request") {
            "t:MeetingRequest"
        } else if class.starts_with("IPM.Schedule.Meeting.Canceled") {
            "t:MeetingCancellation"
        } else if class.starts_with("IPM.Schedule.Meeting.Resp") {
            "t:MeetingResponse"
        } else {
            "t:Message"
        }
    }
}
