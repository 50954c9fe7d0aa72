//! Counters.

use std::collections::BTreeMap;

use super::operation::GraphOperation;

/// What the server has counted since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphStatistics {
    /// TCP connections that were accepted.
    pub connections: u64,
    /// HTTP requests; a batch is one.
    pub requests: u64,
    /// Requests that were answered with 401.
    pub unauthorized: u64,
    /// Calls by operation, those that met a fault or were parts of a batch included.
    pub operations: BTreeMap<GraphOperation, u64>,
    /// HTTP requests by operation; parts of batches do not count.
    pub http_requests: BTreeMap<GraphOperation, u64>,
    /// Parts of batches.
    pub parts: u64,
    /// The most parts of one batch.
    pub largest_batch: usize,
    /// The most parts that were worked on at once.
    pub most_concurrent_parts: usize,
    /// Calls that wished immutable ids, parts of batches included.
    pub immutable_calls: u64,
    /// Bytes of request bodies.
    pub bytes_received: u64,
    /// Bytes of answer bodies.
    pub bytes_sent: u64,
    /// The most HTTP requests that were open at once.
    pub most_concurrent: usize,
    /// The most that was open at once for one mailbox: requests, and running parts of batches.
    pub most_concurrent_of_mailbox: usize,
    /// Requests, and parts of batches, that were refused because too many were open for a mailbox.
    pub refused: u64,
    /// Requests that came while a Retry-After was running that the server had announced.
    pub back_off_violations: u64,
}

impl GraphStatistics {
    /// The number of calls of one operation, parts of batches included.
    pub fn calls(&self, operation: GraphOperation) -> u64 {
        self.operations.get(&operation).copied().unwrap_or_default()
    }

    /// The number of HTTP requests of one operation.
    pub fn http_requests_of(&self, operation: GraphOperation) -> u64 {
        self.http_requests
            .get(&operation)
            .copied()
            .unwrap_or_default()
    }

    /// Counts a call and answers its number, from 1.
    pub(super) fn count(&mut self, operation: GraphOperation, part: bool, immutable: bool) -> u64 {
        if part {
            self.parts += 1;
        } else {
            *self.http_requests.entry(operation).or_default() += 1;
        }
        self.immutable_calls += u64::from(immutable);
        let calls = self.operations.entry(operation).or_default();
        *calls += 1;
        *calls
    }
}
