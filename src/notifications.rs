//! Change notifications of Microsoft Graph: a handler that a host mounts, and a keeper of the subscription behind it.
//!
//! They only wake the logger. What a notification says is not believed beyond that mail may have arrived; lost, doubled,
//! late and forged ones change nothing in what is logged.
//!
//! * [`NotificationReceiver`] answers what Graph sends to the host's address: it echoes the validation token, compares the
//!   client state, and tells the subscription's keeper.
//! * [`SubscriptionKeeper`] is the [`Wakeup`](crate::source::Wakeup) of one mailbox: while the logger waits it creates,
//!   renews and recreates the subscription through [`ChangeSubscriptions`].
//!
//! ```
//! use email_logging::notifications::{NotificationReceiver, NotificationRequest};
//!
//! // Once per process; clones share it.
//! let receiver = NotificationReceiver::new();
//!
//! // In the host's handler for `POST /graph`, whatever its web framework is. Graph tries the address before it
//! // subscribes:
//! let request = NotificationRequest::new("POST").with_query("validationToken=Validation%3a+Testing");
//! let response = receiver.receive(&request);
//! assert_eq!((response.status, response.body.as_slice()), (200, &b"Validation: Testing"[..]));
//! ```
//!
//! Microsoft reference: "Receive change notifications through webhooks", "Reduce missing subscriptions and change
//! notifications".

mod collection;
mod expected;
mod keeper;
mod receiver;
mod request;
mod service;
mod validation;

pub use expected::{ChangeNotice, Expected};
pub use keeper::{KeeperState, SubscriptionKeeper, SubscriptionKeeperBuilder};
pub use receiver::NotificationReceiver;
pub use request::{NotificationRequest, NotificationResponse};
pub use service::{ChangeSubscriptions, KeptSubscription, SubscriptionRequest};
