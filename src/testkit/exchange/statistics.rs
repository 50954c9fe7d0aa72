//! Counters.

use std::collections::BTreeMap;

use super::operation::Operation;

/// What the server has counted since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// TCP connections that were accepted.
    pub connections: u64,
    /// HTTP requests, those without credentials included.
    pub requests: u64,
    /// Requests that were answered with 401.
    pub unauthorized: u64,
    /// Calls by operation, those that met a fault included.
    pub operations: BTreeMap<Operation, u64>,
    /// Bytes of request bodies.
    pub bytes_received: u64,
    /// Bytes of answer bodies.
    pub bytes_sent: u64,
    /// The most requests that were open at once.
    pub most_concurrent: usize,
    /// Requests that were refused because too many were open.
    pub refused: u64,
    /// Requests that came while a back-off was running that the server had announced.
    pub back_off_violations: u64,
}

impl Statistics {
    /// The number of calls of one operation.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.operations.get(&operation).copied().unwrap_or_default()
    }

    /// Counts a call and answers its number, from 1.
    pub(crate) fn count(&mut self, operation: Operation) -> u64 {
        let calls = self.operations.entry(operation).or_default();
        *calls += 1;
        *calls
    }
}
