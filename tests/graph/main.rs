//! The Graph source: against answers written by hand, and against the simulated Graph over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod delta;
mod end_to_end;
mod faults;
mod folders;
mod foreign;
mod hostile;
mod locate;
mod lost_places;
mod operations;
mod parts;
mod poison;
mod simulated;
mod support;
mod wire;
