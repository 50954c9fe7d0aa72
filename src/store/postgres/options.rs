//! How a PostgreSQL store is opened: every constant of it in one place.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::clock::{Clock, Entropy, SystemEntropy};

/// Connections of one store.
pub(super) const POOL_SIZE: usize = 8;
/// How long a statement may run.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the store waits for an answer at least, however short a statement may run.
const LEAST_ANSWER_TIME: Duration = Duration::from_secs(1);
/// How long a connection may take to stand, and how long a call waits for a free one.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What the server's views call the connections.
pub(super) const APPLICATION_NAME: &str = "email-logging";
/// Where the tables are.
pub(super) const SCHEMA: &str = "email_logging";
/// Bytes of a piece of an original that comes whole.
pub(super) const PIECE_BYTES: usize = 1024 * 1024;
/// Prepared statements that a connection keeps.
pub(super) const STATEMENTS: usize = 256;
/// How often a job is begun whose transaction the server undoes or whose connection ends.
pub(super) const ROUNDS: u32 = 8;
/// The pause before the second round; each further one is twice as long.
pub(super) const PAUSE: Duration = Duration::from_millis(5);

/// How a [`PostgresStore`](super::PostgresStore) is opened.
///
/// `Debug` leaves the URL and the roots out.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// Where the database is: `postgresql://user:password@host:5432/name` or `host=… user=… dbname=…`.
    pub url: SecretString,
    /// Connections at most, from 1.
    pub pool_size: usize,
    /// How long a statement may run before the server ends it, and how long a transaction may stand idle, which ends that of
    /// a process that hangs.
    ///
    /// The store waits twice as long for each answer, that to a COMMIT as well, and a second at least: a server that hangs
    /// (in a disk that does not answer, behind a pooler that has lost it) ends nothing. A connection without an answer by
    /// then is closed, and counts as lost.
    pub statement_timeout: Duration,
    /// How long a connection may take to stand, and how long a call waits for a free one.
    pub connect_timeout: Duration,
    /// What the server's views call the connections.
    pub application_name: String,
    /// The schema of the tables. It is made by `migrate` if it is not there.
    pub schema: String,
    /// Roots to trust instead of the platform's, PEM.
    pub roots: Option<String>,
    /// The keys that the server may have (SHA-256 of the public key, base64); any if there is none.
    pub pinned_keys: Vec<String>,
    /// Whether a connection without TLS may leave this machine; default false.
    pub plain: bool,
    /// Whether words are kept as `tsvector`; default true. Without it a search reads every row. It counts when the schema is
    /// made; an engine without `tsvector` is found out by itself, by what it refuses.
    pub search: bool,
    /// A clock for leases and written times instead of the database's own, for simulations and tests.
    pub clock: Option<Arc<dyn Clock>>,
    /// The randomness of event ids and of pauses.
    pub entropy: Arc<dyn Entropy>,
}

impl PostgresOptions {
    /// The usual options for the database at this URL.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            pool_size: POOL_SIZE,
            statement_timeout: STATEMENT_TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
            application_name: APPLICATION_NAME.into(),
            schema: SCHEMA.into(),
            roots: None,
            pinned_keys: Vec::new(),
            plain: false,
            search: true,
            clock: None,
            entropy: Arc::new(SystemEntropy),
        }
    }

    /// Sets how many connections the store has at most.
    #[must_use]
    pub fn with_pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections;
        self
    }

    /// How long the store waits for an answer: for longer than the server needs to say that a statement ran too long.
    pub(super) fn answer_time(&self) -> Duration {
        let twice = self.statement_timeout.saturating_mul(2);
        twice.max(LEAST_ANSWER_TIME)
    }

    /// Sets how long a statement may run. The store waits twice as long for an answer.
    #[must_use]
    pub fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Sets how long a connection may take to stand, and how long a call waits for a free one.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Names the connections.
    #[must_use]
    pub fn with_application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = name.into();
        self
    }

    /// Sets the schema of the tables.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Trusts these roots (PEM) instead of the platform's.
    #[must_use]
    pub fn with_roots(mut self, pem: impl Into<String>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Accepts a server with this key as well (SHA-256 of the public key, base64).
    #[must_use]
    pub fn with_pinned_key(mut self, key: impl Into<String>) -> Self {
        self.pinned_keys.push(key.into());
        self
    }

    /// Lets a connection without TLS leave this machine: only over a link that nobody else reads or changes.
    #[must_use]
    pub fn with_plain(mut self, plain: bool) -> Self {
        self.plain = plain;
        self
    }

    /// Sets whether words are kept as `tsvector`.
    #[must_use]
    pub fn with_search(mut self, search: bool) -> Self {
        self.search = search;
        self
    }

    /// Takes the time from a clock instead of the database.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Replaces the randomness.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("pool_size", &self.pool_size)
            .field("statement_timeout", &self.statement_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("application_name", &self.application_name)
            .field("schema", &self.schema)
            .field("own_roots", &self.roots.is_some())
            .field("pinned_keys", &self.pinned_keys.len())
            .field("plain", &self.plain)
            .field("search", &self.search)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
