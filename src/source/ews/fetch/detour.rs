//! The way of one fetch to its folder, and other ways where items are lost on it.

use reqwest::header::HeaderMap;

use super::super::EwsSource;
use super::super::request::{Request, Routed};
use super::super::routes::{DETOURS, Place, is_misrouted};
use crate::error::Error;
use crate::source::Folder;

/// The way to the folder that holds the items.
pub(super) struct Detour<'a> {
    place: Place<'a>,
    way: Option<HeaderMap>,
    taken: usize,
    patient: bool,
}

impl<'a> Detour<'a> {
    /// No way yet.
    pub(super) fn new(from: &'a Folder) -> Self {
        Self {
            place: Place::Content(from),
            way: None,
            taken: 0,
            patient: false,
        }
    }

    /// Takes the way that is known to be right.
    pub(super) async fn start(&mut self, source: &EwsSource) {
        self.way = source.way(self.place).await;
    }

    /// The routing of requests; none where the connection's own is right.
    pub(super) fn way(&self) -> Option<&HeaderMap> {
        self.way.as_ref()
    }

    /// An item was lost: says whether there is another way on which to ask again, within bounds.
    pub(super) async fn take(&mut self, source: &EwsSource) -> bool {
        if self.way.is_none() || self.taken >= DETOURS {
            return false;
        }
        self.taken += 1;
        source.reroute(self.place, self.way.as_ref()).await
    }

    /// The whole request was lost: says whether to ask again, on another way or patiently on the one there is.
    pub(super) async fn take_or_wait(&mut self, source: &EwsSource, error: &Error) -> bool {
        if self.take(source).await {
            return true;
        }
        let wait = self.way.is_some() && !self.patient && is_misrouted(error);
        self.patient |= wait;
        wait
    }

    /// The request on the way.
    pub(super) fn routed<'r>(&'r self, request: &'r dyn Request) -> Routed<'r> {
        if self.patient {
            Routed::patient(request, self.way())
        } else {
            Routed::new(request, self.way())
        }
    }

    /// An item was shown on this way.
    pub(super) fn note_shown(&self, source: &EwsSource) {
        source
            .inner
            .routes
            .note_answer(self.place, self.way(), true);
    }
}
