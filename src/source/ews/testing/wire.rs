//! Hooks for what is written to the wire and read from its head: requests, waiting times, NTLM challenges.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

use super::super::request::{FindItem, FolderRef, GetItem, MoveItem, Request, ResolveNames};
use super::super::request::{Selection, Shape, envelope};
use super::super::version::Negotiated;
use crate::http;
use crate::source::{ItemRef, ListRequest};

/// Writes requests of this source with these texts in every place that takes one: what is named, in document order.
pub fn requests(folder: &str, item: &ItemRef, mailbox: &str) -> Vec<(&'static str, String)> {
    let (version, to) = (
        Negotiated::default().current(),
        FolderRef::Id(folder.to_owned()),
    );
    let items = std::slice::from_ref(item);
    let all: [&dyn Request; 4] = [
        &GetItem {
            items,
            shape: Shape::Message,
            with_mime: true,
        },
        &FindItem {
            folder: &to,
            page: ListRequest::new(0, 10),
            which: Selection::All,
            with_stamp: false,
        },
        &MoveItem { items, to: &to },
        &ResolveNames { entry: mailbox },
    ];
    let written = all
        .iter()
        .map(|request| (request.name(), envelope(*request, version, Some(mailbox))));
    written.collect()
}

/// The wait that a `Retry-After` names.
pub fn retry_after(value: &[u8], now: Timestamp) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, HeaderValue::from_bytes(value).ok()?);
    http::retry_after(&headers, now)
}

/// The target information that would answer an NTLM challenge; `None` where the challenge cannot be answered.
#[cfg(feature = "ntlm")]
pub fn ntlm_answer(challenge: &[u8]) -> Option<Vec<u8>> {
    http::ntlm_target_info(challenge)
}
