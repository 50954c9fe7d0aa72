//! The simulated Graph, asked over HTTP as a client asks it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "simulated_graph/access.rs"]
mod access;
#[path = "simulated_graph/batches.rs"]
mod batches;
#[path = "simulated_graph/changes.rs"]
mod changes;
#[path = "simulated_graph/client.rs"]
mod client;
#[path = "simulated_graph/faults.rs"]
mod faults;
#[path = "simulated_graph/folders.rs"]
mod folders;
#[path = "simulated_graph/messages.rs"]
mod messages;
#[path = "simulated_graph/subscriptions.rs"]
mod subscriptions;
#[path = "simulated_graph/transfers.rs"]
mod transfers;
