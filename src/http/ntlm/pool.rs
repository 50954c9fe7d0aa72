//! Connections that are signed in and idle.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// How long a connection may be idle. IIS closes after 120 seconds by default; a request must not meet that moment.
const LONGEST_IDLE: Duration = Duration::from_secs(90);

/// Keeps at most a number of connections. How many are in use at a time is for the caller to limit.
pub(super) struct Pool {
    most: usize,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

/// A connection that goes back to its pool once its answer was read to the end; dropped before, it closes.
pub(super) struct Lease {
    connection: Connection,
    pool: Arc<Pool>,
}

impl Pool {
    /// An empty pool.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            idle: Mutex::default(),
        }
    }

    /// The connection that was used last and still stands.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (connection, since) = idle.pop()?;
            if since.elapsed() < LONGEST_IDLE && !connection.sender.is_closed() {
                return Some(connection);
            }
        }
    }

    fn give(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(connection, since)| {
            !connection.sender.is_closed() && since.elapsed() < LONGEST_IDLE
        });
        if idle.len() < self.most && !connection.sender.is_closed() {
            idle.push((connection, Instant::now()));
        }
    }
}

impl Lease {
    /// Takes a connection into use.
    pub(super) fn new(connection: Connection, pool: Arc<Pool>) -> Self {
        Self { connection, pool }
    }

    /// The answer was read to its end.
    pub(super) fn give_back(self) {
        self.pool.give(self.connection);
    }
}
