//! Connections that are signed in and idle.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// How long a connection may be idle. IIS closes after 120 seconds by default; a request must not meet that moment.
const LONGEST_IDLE: Duration = Duration::from_secs(90);

/// How long a connection may serve: after that the account signs in anew, so that a changed password or an account that was
/// closed is noticed.
const LONGEST_LIFE: Duration = Duration::from_hours(1);

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
            if since.elapsed() < LONGEST_IDLE && serves(&connection) {
                return Some(connection);
            }
        }
    }

    fn give(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(connection, since)| serves(connection) && since.elapsed() < LONGEST_IDLE);
        if idle.len() < self.most && serves(&connection) {
            idle.push((connection, Instant::now()));
        }
    }
}

fn serves(connection: &Connection) -> bool {
    !connection.sender.is_closed() && connection.opened.elapsed() < LONGEST_LIFE
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;

    use super::*;

    #[tokio::test]
    async fn a_connection_serves_for_an_hour_at_most() {
        for (seconds, serves) in [(0, true), (3599, true), (3600, false)] {
            // A clock may not reach back as far.
            let Some(opened) = Instant::now().checked_sub(Duration::from_secs(seconds)) else {
                continue;
            };
            let (own, _server) = tokio::io::duplex(64);
            let (sender, driver) = http1::handshake(TokioIo::new(own)).await.unwrap();
            tokio::spawn(driver);
            let connection = Connection {
                sender,
                channel: None,
                opened,
            };
            let pool = Arc::new(Pool::new(1));
            pool.idle.lock().unwrap().push((connection, Instant::now()));
            let taken = pool.take();
            assert_eq!(taken.is_some(), serves, "{seconds}");
            if let Some(connection) = taken {
                Lease::new(connection, Arc::clone(&pool)).give_back();
                assert!(pool.take().is_some());
            }
        }
    }
}
