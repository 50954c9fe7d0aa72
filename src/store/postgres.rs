//! A store for many workers on many mailboxes: PostgreSQL, or an engine that speaks its protocol.
//!
//! [`PostgresStore`] is a pool of connections around a core of statements. The core (`core` and below) knows SQL and one
//! transaction; the shell (`connect`, `pool`, `roles`) knows connections, TLS, time-outs and rounds. Nothing here knows mail
//! servers, directories or the decision's rules.

mod connect;
mod core;
mod fault;
mod migrate;
mod opportunity;
mod options;
mod pool;
mod privacy_role;
mod review_roles;
mod roles;
mod values;

use std::fmt;
use std::sync::{Arc, OnceLock};

use secrecy::SecretString;

use self::fault::Done;
use self::migrate::Words;
pub use self::options::PostgresOptions;
use self::pool::Pool;
use crate::clock::{Clock, Entropy};
use crate::error::Result;

/// Every role of the store in one schema of a PostgreSQL database.
///
/// [`open`](Self::open) checks what it is given and connects to nothing; [`migrate`](Self::migrate) makes or updates the
/// tables. Until then every call answers `Config` (`store.schema_missing`). Each call is polled inside a tokio runtime, which
/// also drives the connections.
///
/// # Connections
///
/// A connection that leaves this machine uses TLS 1.2 or newer with a checked certificate: by the platform's roots, by given
/// ones, or by a pinned key. `sslmode=disable` in the URL is refused (`config.insecure`) unless
/// [`PostgresOptions::with_plain`] lets it through; `prefer` counts as `require`. A socket file or a loopback address is used
/// without TLS, unless the URL says `require`. Behind a pooler, the pooler must keep a session per connection.
///
/// # Durability and retries
///
/// A write that returned is committed with the durability that the server was set to; a session in which
/// `synchronous_commit` is off turns it on. A transaction that the server undoes (serialization failure, deadlock) or whose
/// connection ends before its COMMIT wrote nothing, and is done again as a whole, eight times at most within a second.
/// Where the reply to a COMMIT is lost, the next round takes the lease's row again, which ends the lost transaction one way
/// or the other, and looks for what only that commit can have written; so nothing is written twice and nothing is told twice.
///
/// A server that hangs keeps its connections alive: an answer is waited for no longer than
/// [`PostgresOptions::statement_timeout`] says, and its connection then counts as one that ended. No further round begins
/// for want of an answer or of a connection once a call has taken twice that bound.
///
/// A full disk (`store.full`), a standby or a database that was set to read only (`store.read_only`), no connection in time
/// (`store.connections`), no trusted TLS (`store.tls`), a statement that ran too long (`store.timeout`), damaged pages
/// (`store.corrupt`) and everything else that the server cannot do (`store.unavailable`) is `StoreUnavailable`; nothing of
/// that write is there then, unless its COMMIT was sent and what became of it could not be found out in time: repeat it.
///
/// # Workers
///
/// The first statement of every transaction with a lease updates the lease's row under its epoch and so holds it: while it
/// writes, nobody takes the mailbox, and a stale holder writes nothing. Leases end by the clock of the database. Commits of one
/// scope take turns at the scope's row: entries and events are numbered without a gap, and a reader of events never meets a
/// number whose predecessor is not committed. Commits of different scopes do not meet.
///
/// # Engines
///
/// Tested against PostgreSQL 15. What the store needs is small, so that engines which speak the same protocol can run it:
/// transactions, unique keys, `ON CONFLICT`, `FOR UPDATE`, sequences, `jsonb`, arrays with `UNNEST`, and `information_schema`.
/// It uses no advisory lock, no `LISTEN`, no trigger, no function of its own, no extension, no temporary table and no
/// `SKIP LOCKED`: a lease has one row that exactly one worker wants, and who finds it taken waits or is told so.
///
/// | engine | expected to work | why |
/// |---|---|---|
/// | PostgreSQL 13 and newer, and its hosted forms | yes | it is what the store is made for |
/// | Amazon Aurora PostgreSQL, Google AlloyDB, Azure Database, Neon | yes | the same engine over another storage; a failover ends connections, which is retried |
/// | YugabyteDB | yes | the same SQL layer; conflicts come as 40001 or 40P01, which is retried. A migration is not one transaction there: run it alone |
/// | CockroachDB 23.1 and newer | likely | every transaction is serializable and told to begin again by 40001, an unclear COMMIT by 40003; both are handled. Without `array_to_tsvector` the words are kept as text |
/// | Amazon Aurora DSQL | no | it has no foreign keys and no sequences |
/// | Amazon Redshift, Greenplum | no | unique keys are not enforced everywhere |
///
/// An engine without `tsvector` (or with [`PostgresOptions::with_search`] off) keeps the words as text: a search finds the
/// same and reads every row. On an engine that is distributed, set a statement time-out that covers its slowest commit.
///
/// # Roles without DDL
///
/// `migrate` needs a role that may create in the schema. The rest needs no more than this, and `migrate` itself changes
/// nothing where the schema is up to date:
///
/// ```sql
/// GRANT USAGE ON SCHEMA email_logging TO worker;
/// GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA email_logging TO worker;
/// GRANT USAGE ON ALL SEQUENCES IN SCHEMA email_logging TO worker;
/// ```
///
/// # Backup
///
/// Any backup that is one snapshot will do: `pg_dump`, a base backup with its journal, the provider's snapshots. After a
/// restore, mail that was logged since lies in the storage folder without entries:
/// [`EmailLogger::reconcile`](crate::EmailLogger::reconcile) logs it again under the same ids. An erased secret is overwritten in its row; dead rows, the journal and older backups are the administrator's to remove.
///
/// # What is removed
///
/// A mail that is removed ([`PrivacyStore`](crate::store::PrivacyStore)) loses its rows as in the SQLite store. What
/// PostgreSQL itself keeps is the administrator's: dead rows until `VACUUM`, the journal until it is recycled, replicas that
/// lag, older backups.
///
/// # The tables
///
/// The same tables and columns as the SQLite store has, with ids as `uuid`, digests and keys as `bytea`, lists as `jsonb`,
/// and times as microseconds since 1970-01-01 UTC in `bigint`. A host may read and join every table; it must not write one.
/// Every column has its comment in `src/store/schema/postgres`.
///
/// # Search
///
/// Words are what is between white space and punctuation, without regard to case and diacritics. Subject and participants are
/// found from the commit on, the body once the second stage has read it. Of a mail with very many different words the first
/// 512 KiB are kept.
pub struct PostgresStore {
    pool: Pool,
    schema: String,
    search: bool,
    clock: Option<Arc<dyn Clock>>,
    entropy: Arc<dyn Entropy>,
    /// How the schema keeps words, once it was found to be ours.
    kept: OnceLock<Words>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.schema)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// A store in the database at this URL, with the usual options.
    ///
    /// # Errors
    ///
    /// `Config`: a URL or a name that cannot be read (`config.invalid`), or a connection that would leave this machine
    /// without TLS (`config.insecure`).
    pub fn open(url: SecretString) -> Result<Self> {
        Self::open_with(PostgresOptions::new(url))
    }

    /// A store with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); also `config.invalid` for roots or keys that cannot be read.
    // Options are taken by value, as every builder of this crate takes them.
    #[allow(clippy::needless_pass_by_value)]
    pub fn open_with(options: PostgresOptions) -> Result<Self> {
        Ok(Self {
            pool: Pool::new(&options)?,
            schema: options.schema.clone(),
            search: options.search,
            clock: options.clock.clone(),
            entropy: Arc::clone(&options.entropy),
            kept: OnceLock::new(),
        })
    }

    /// Makes the tables or brings them up to date. A store that is up to date is not changed.
    ///
    /// # Errors
    ///
    /// `Config`: `store.schema_newer` where a newer version of this crate wrote it, `store.schema_changed` where an applied
    /// migration differs from the one in this version. `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: repeat it. Each migration is applied whole or not at all.
    pub async fn migrate(&self) -> Result<()> {
        let done = migrate::migrate(&self.pool, &self.schema, self.search, self.time()).await;
        let kept = done.map_err(|fault| fault.into_error("migrate"))?;
        self.kept.get_or_init(|| kept);
        Ok(())
    }

    /// Closes the connections that are idle, and the others when their calls end; every later call answers `store.closed`.
    /// Dropping the store does the same.
    pub fn close(&self) {
        self.pool.close();
    }

    /// The time of the injected clock, if there is one.
    fn time(&self) -> Option<i64> {
        values::time_of(self.clock.as_deref())
    }

    /// How the schema keeps words. The first call finds out whether the schema is ours.
    async fn kept(&self) -> Done<Words> {
        if let Some(kept) = self.kept.get() {
            return Ok(*kept);
        }
        let kept = migrate::check(&self.pool).await?;
        Ok(*self.kept.get_or_init(|| kept))
    }
}
