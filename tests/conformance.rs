//! The suites on the backends of this crate, and on backends that are broken on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(all(unix, feature = "postgres"))]
#[path = "support/postgres.rs"]
mod postgres_support;

mod conformance {
    mod broken {
        mod party;
        mod secrets;
        mod source;
        mod store;
    }
    mod copies;
    #[cfg(feature = "ews")]
    mod ews;
    mod faults;
    mod fenceless;
    #[cfg(feature = "seal")]
    mod keys;
    mod leases;
    mod opportunity;
    mod party;
    #[cfg(all(unix, feature = "postgres"))]
    mod postgres;
    mod secrets;
    mod sink;
    mod source;
    #[cfg(feature = "sqlite")]
    mod sqlite;
    mod store;
    mod tries;
}
