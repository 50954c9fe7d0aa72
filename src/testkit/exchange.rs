//! A simulated Exchange: an EWS server on the loopback address, inside the process of a test.
//!
//! It speaks real HTTP or HTTPS and real SOAP, is faithful enough for unmodified EWS clients, and
//! fails on demand. It owns what a server owns: folders, items, ids, rights, time. It knows nothing
//! of the rest of this crate, so that a test never agrees with itself.
//!
//! What differs from a real server: nothing is sent; there is one directory; everyone who signs in
//! has the rights that a folder grants; SyncFolderItems is refused everywhere; the routing header
//! fields of public folders matter only where a test asks for it.
//!
//! Protocol facts come from Microsoft's EWS reference and from the schema files `messages.xsd` and
//! `types.xsd` of Exchange Server.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use email_logging::testkit::exchange::SimulatedExchange;
//!
//! let exchange = SimulatedExchange::builder()
//!     .with_user("logger@corp.example", "secret")
//!     .with_public_folder(r"\Email Logging\Queue\")
//!     .with_public_folder(r"\Email Logging\Storage\")
//!     .start()
//!     .await?;
//! exchange.deliver(r"\Email Logging\Queue\", "Subject: Offer\r\n\r\nHello".as_bytes())?;
//! assert_eq!(exchange.items(r"\Email Logging\Queue\")?.len(), 1);
//! println!("an EWS client can talk to {}", exchange.url());
//! exchange.shutdown().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod authentication;
mod autodiscover;
mod builder;
mod failure;
mod fault;
mod handle;
mod impersonation;
mod operation;
mod recording;
pub(in crate::testkit) mod render;
pub(in crate::testkit) mod request;
mod routing;
mod service;
mod soap;
mod statistics;
pub(in crate::testkit) mod store;
mod throttle;
mod version;
mod writer;
mod xml;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::authentication::{AuthScheme, EwsBlock};
pub use self::autodiscover::{AutodiscoverCall, AutodiscoverFault};
pub use self::builder::SimulatedExchangeBuilder;
pub use self::fault::{ByHand, Fault, FaultKind, FiredFault};
pub use self::handle::{SimulatedExchange, SimulatedItem};
pub use self::operation::Operation;
pub use self::recording::RecordedCall;
pub use self::routing::RoutingRule;
pub use self::statistics::Statistics;
pub use self::store::delivery::Delivery;
pub use self::store::facts::Sensitivity;
pub use self::store::rights::FolderRights;
pub use self::version::ServerVersion;
pub use super::loopback::tls::TlsCertificate;
use super::loopback::{reply, server, tls};

/// Locks; a panic elsewhere does not make the data unusable for the tests that follow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
