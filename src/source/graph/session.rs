//! Sending requests: sign-in, waiting, repeating what may be repeated.

use std::fmt;
use std::sync::Arc;

use super::address::Addresses;
use crate::clock::{Clock, Entropy};
use crate::http::{Bearer, Gate, HttpClient};

/// The connection to one mailbox with one credential.
#[allow(dead_code)]
pub(super) struct Session {
    pub(super) http: HttpClient,
    pub(super) addresses: Addresses,
    pub(super) auth: Bearer,
    pub(super) gate: Gate,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) repeats: usize,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("repeats", &self.repeats)
            .finish_non_exhaustive()
    }
}
