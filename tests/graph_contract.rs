//! The simulated Graph behind a validator that nobody here wrote: the npm package `@stoplight/prism-cli`, with the shapes
//! that Microsoft's metadata gives.
//!
//! Batches are no part of those shapes: a relay takes them apart, so that every part passes the validator alone.
#![cfg(feature = "graph")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "graph_contract/checked.rs"]
mod checked;
#[path = "graph_contract/mistakes.rs"]
mod mistakes;
#[path = "graph_contract/prism.rs"]
mod prism;
#[path = "graph_contract/relay.rs"]
mod relay;
#[path = "graph_contract/requests.rs"]
mod requests;
#[path = "graph_contract/source.rs"]
mod source;
#[path = "graph_contract/whole_way.rs"]
mod whole_way;
