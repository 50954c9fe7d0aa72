//! A simulated Microsoft Graph: the mail part of v1.0 on the loopback address, inside the process of a test.
//!
//! It speaks real HTTP or HTTPS and real OData over the mailboxes of a [`SimulatedExchange`](super::exchange::SimulatedExchange) or over
//! mailboxes of its own, and fails on demand. One mailbox can so be read by EWS and by Graph at once: the ids differ, the
//! search keys do not. It owns paths, query options, ids, batches, tokens of changes and subscriptions; folders and items
//! are the store's. It knows nothing of the client in this crate, so that a test never agrees with itself.
//!
//! | Path below `/v1.0/me` or `/v1.0/users/{address or id}` | Methods |
//! |---|---|
//! | `/mailFolders`, `/mailFolders/{id}/childFolders` | GET, POST |
//! | `/mailFolders/{id}` | GET |
//! | `/mailFolders/{id}/messages`, `/messages` | GET |
//! | `/mailFolders/{id}/messages/delta` | GET |
//! | `/messages/{id}`, also below a folder | GET, PATCH (`isRead`), DELETE |
//! | `/messages/{id}/$value` | GET |
//! | `/messages/{id}/attachments` | GET |
//! | `/messages/{id}/move`, `/copy`, `/permanentDelete` | POST |
//!
//! Beside them stand `/v1.0/$batch` and `/v1.0/subscriptions`. A query option or a property that Graph does not know is
//! HTTP 400, so that a mistake of a client shows.
//!
//! What differs from the real one: no `$search`, no public folders (nor has Graph), nothing is sent, the error texts are
//! not Microsoft's word for word.
//!
//! Protocol facts come from Microsoft's Graph reference v1.0 ("Use the Microsoft Graph API", "List messages", "Get immutable
//! identifiers for Outlook resources", "Combine multiple HTTP requests using JSON batching", "Microsoft Graph throttling guidance",
//! "Receive change notifications through webhooks", "message: delta").
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use email_logging::testkit::graph::SimulatedGraph;
//!
//! let graph = SimulatedGraph::builder()
//!     .with_mailbox("log@corp.example")
//!     .with_app_token("token of an application")
//!     .start()
//!     .await?;
//! graph.deliver(r"log@corp.example\Inbox", "Subject: Offer\r\n\r\nHello".as_bytes())?;
//! println!("a Graph client can talk to {}", graph.url());
//! graph.shutdown().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod access;
mod answer;
mod batch;
mod builder;
mod delta;
mod extended;
mod fault;
mod filter;
mod folders;
mod handle;
mod ids;
mod links;
mod mailbox;
mod messages;
mod operation;
mod problem;
mod query;
mod recording;
mod render;
mod request;
mod rewriting;
mod service;
mod statistics;
mod transfer;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::builder::SimulatedGraphBuilder;
pub use self::fault::{FiredGraphFault, GraphFault, GraphFaultKind};
pub use self::handle::SimulatedGraph;
pub use self::operation::GraphOperation;
pub use self::recording::RecordedGraphCall;
pub use self::rewriting::MimeRendering;
pub use self::statistics::GraphStatistics;
use super::loopback::{reply, server, tls};

/// Locks; a panic elsewhere does not make the data unusable for the tests that follow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
