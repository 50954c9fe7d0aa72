//! A request to the handler and its response, free of any web framework.

/// What came to the host's address.
///
/// The host has to bound the body while it reads it: [`BODY_LIMIT`](super::NotificationReceiver::BODY_LIMIT).
#[derive(Clone, Copy, Default)]
pub struct NotificationRequest<'a> {
    pub(super) method: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) content_type: Option<&'a str>,
    pub(super) body: &'a [u8],
}

impl<'a> NotificationRequest<'a> {
    /// A request with this method, as `POST`.
    pub fn new(method: &'a str) -> Self {
        Self {
            method,
            ..Self::default()
        }
    }

    /// What follows the question mark of the address, as it came.
    #[must_use]
    pub fn with_query(mut self, query: &'a str) -> Self {
        self.query = Some(query);
        self
    }

    /// A header. Only the content type is looked at, so that all may be given.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &'a str) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            self.content_type = Some(value);
        }
        self
    }

    /// The body.
    #[must_use]
    pub fn with_body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }
}

impl std::fmt::Debug for NotificationRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotificationRequest")
            .field("method", &self.method)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What the host answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotificationResponse {
    /// The HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body.
    pub body: Vec<u8>,
    /// Notifications that were meant for a subscription which is expected here, with its client state.
    pub accepted: u32,
    /// Notifications that were left alone: unknown subscriptions, wrong client states, kinds that were not asked for.
    pub ignored: u32,
}

impl NotificationResponse {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            accepted: 0,
            ignored: 0,
        }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}
