//! What tests need: time that stands still, the contracts as suites, a simulated Exchange and its identity provider.
//!
//! For this crate's own tests and for hosts that implement a trait of their own. Nothing here is covered by semantic
//! versioning.

pub mod clock;
pub mod conformance;
pub mod exchange;
pub mod graph;
pub mod identity;
mod loopback;
