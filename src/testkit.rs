//! Servers and suites for tests, also those of hosts.

pub mod exchange;
