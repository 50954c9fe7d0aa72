//! [`NotificationReceiver`]: what a host mounts at the address that Graph sends to.

use std::sync::Arc;

use secrecy::SecretString;

use super::collection::{Entry, collection};
use super::expected::{Coming, Expected, Registry};
use super::request::{NotificationRequest, NotificationResponse};
use super::validation::{Token, token};

/// Answers what comes to the host's notification address. Clones share the subscriptions that are expected.
///
/// It asks nobody and waits for nothing, so that Graph has its answer in time (3 seconds by its documentation, 10 for the
/// validation). The answers:
///
/// | request | answer |
/// |---|---|
/// | with a `validationToken` | 200 and the token as plain text; 400 for one that could be markup |
/// | a collection of notifications | 202, also where none of them was meant for a subscription here |
/// | no collection, a body over [`BODY_LIMIT`](Self::BODY_LIMIT), another content type, another method | 400, 413, 415, 405 |
///
/// A notification counts when its subscription is expected and its client state is the right one; the comparison takes
/// the same time for any. Notifications with content ("rich" ones) are never asked for and left alone.
#[derive(Debug, Clone, Default)]
pub struct NotificationReceiver {
    registry: Arc<Registry>,
}

impl NotificationReceiver {
    /// Bytes of the largest body that is read.
    pub const BODY_LIMIT: usize = 1 << 20;

    /// A receiver that expects nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the notifications of a subscription from now on, until the answer is dropped. Given again for the same id, the
    /// later one takes them. A [`SubscriptionKeeper`](super::SubscriptionKeeper) does so by itself.
    pub fn expect(&self, subscription: &str, client_state: &SecretString) -> Expected {
        Expected::new(&self.registry, subscription, client_state)
    }

    /// Keeps the notifications of a subscription that is being made, by its client state alone.
    pub(super) fn coming(&self, client_state: &SecretString) -> Coming {
        Coming::new(&self.registry, client_state)
    }

    /// Answers one request.
    pub fn receive(&self, request: &NotificationRequest<'_>) -> NotificationResponse {
        if !request.method.eq_ignore_ascii_case("POST") {
            return NotificationResponse::new(405).with_header("allow", "POST");
        }
        match request.query.map_or(Token::None, token) {
            Token::Echo(token) => return echo(token),
            Token::Refused => return NotificationResponse::new(400),
            Token::None => {}
        }
        if request.body.len() > Self::BODY_LIMIT {
            return NotificationResponse::new(413);
        }
        if !request.content_type.is_none_or(is_json) {
            return NotificationResponse::new(415);
        }
        let Some(collection) = collection(request.body) else {
            return NotificationResponse::new(400);
        };
        let mut response = NotificationResponse::new(202);
        response.ignored = collection.value.more;
        for entry in &collection.value.read {
            if self.take(entry) {
                response.accepted += 1;
            } else {
                response.ignored = response.ignored.saturating_add(1);
            }
        }
        response
    }

    fn take(&self, entry: &Entry) -> bool {
        let (Some(id), Some(state)) = (&entry.subscription_id, &entry.client_state) else {
            return false;
        };
        let notice = entry.notice();
        notice.is_some_and(|notice| self.registry.tell(id, state, notice))
    }
}

fn echo(token: Vec<u8>) -> NotificationResponse {
    let mut response = NotificationResponse::new(200)
        .with_header("content-type", "text/plain; charset=utf-8")
        .with_header("x-content-type-options", "nosniff")
        .with_header("cache-control", "no-store");
    response.body = token;
    response
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}
