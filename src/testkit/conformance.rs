//! The contracts of the traits as suites that any implementation can run.
//!
//! A suite is a list of named cases. Each runs on a fresh backend that the caller makes, all run even if one fails or
//! panics, and a [`Report`] tells of them together. What a backend says it cannot do is skipped, with the reason.
//!
//! The suites are outside semantic versioning: a new case may find a mistake that was always there. They need no
//! particular runtime.
//!
//! ```
//! use std::sync::Arc;
//!
//! use email_logging::store::MemoryStore;
//! use email_logging::testkit::clock::ManualClock;
//! use email_logging::testkit::conformance::store::{self, StoreBackend};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let report = store::run(|| async {
//!     let clock = ManualClock::default();
//!     let store = MemoryStore::new().with_clock(Arc::new(clock.clone()));
//!     StoreBackend::new(store).with_clock(clock)
//! })
//! .await;
//! report.assert_passed();
//! # }
//! ```

pub mod credential;
pub mod directory;
mod harness;
#[cfg(feature = "seal")]
#[cfg_attr(docsrs, doc(cfg(feature = "seal")))]
pub mod keys;
mod report;
pub mod secrets;
pub mod sink;
pub mod source;
pub mod store;

pub use report::{CaseOutcome, CaseReport, Report};
