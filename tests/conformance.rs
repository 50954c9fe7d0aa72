//! The suites on the backends of this crate, and on backends that are broken on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance {
    mod broken {
        mod party;
        mod secrets;
        mod source;
        mod store;
    }
    #[cfg(feature = "ews")]
    mod ews;
    mod faults;
    #[cfg(feature = "seal")]
    mod keys;
    mod party;
    mod secrets;
    mod sink;
    mod source;
    #[cfg(feature = "sqlite")]
    mod sqlite;
    mod store;
}
