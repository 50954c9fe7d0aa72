//! The simulated Graph behind a validator that nobody here wrote: the npm package `@stoplight/prism-cli`, with the shapes
//! that Microsoft's metadata gives.
//!
//! Batches are no part of those shapes: a relay takes them apart, so that every part passes the validator alone, and compares
//! the parts that only read with what the server answers to the batch itself. The envelopes of batches and everything about
//! subscriptions are judged by a schema, with the npm package `ajv`.
#![cfg(feature = "graph")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "graph_contract/checked.rs"]
mod checked;
#[path = "graph_contract/envelopes.rs"]
mod envelopes;
#[path = "graph_contract/judge.rs"]
mod judge;
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
#[path = "graph_contract/tap.rs"]
mod tap;
#[path = "graph_contract/validation.rs"]
mod validation;
#[path = "graph_contract/whole_way.rs"]
mod whole_way;
