//! How a SQLite store is opened, and the layout of its file: every constant of it in one place.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};

/// Bytes of a page of a new file: originals of 30 kB lie on two of these.
pub(super) const PAGE_SIZE: u32 = 16 * 1024;
/// The journal: readers never wait for the writer, and a commit is one sync.
pub(super) const JOURNAL_MODE: &str = "WAL";
/// A commit that returned survives a loss of power. Beside `FULL` this syncs the directory of a rollback journal once that is
/// deleted, where a file system has no write-ahead log; with one it does the same.
pub(super) const SYNCHRONOUS: &str = "EXTRA";
/// A piece that was staged may be lost with the power, as long as its commit is not there. With a write-ahead log only: a
/// rollback journal that is not synced can damage the whole file.
pub(super) const SYNCHRONOUS_OF_STAGES: &str = "NORMAL";
/// Bytes of the write-ahead log after which it is copied into the database.
pub(super) const CHECKPOINT_BYTES: u32 = 32 * 1024 * 1024;
/// Bytes that the write-ahead log keeps on disk after a large transaction.
pub(super) const JOURNAL_LIMIT_BYTES: u32 = CHECKPOINT_BYTES;
/// Freed pages can be given back to the disk without rewriting the file.
pub(super) const AUTO_VACUUM: &str = "INCREMENTAL";
/// What is erased is overwritten; `fast` would leave it on free pages.
pub(super) const SECURE_DELETE: bool = true;
/// Bytes of pages that a connection keeps in memory.
pub(super) const CACHE_BYTES: u32 = 2 * 1024 * 1024;
/// How long a call waits for another process.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps.
pub(super) const STATEMENTS: usize = 160;
/// Bytes of a piece of an original that comes whole.
pub(super) const PIECE_BYTES: usize = 1024 * 1024;
/// Jobs that wait for a thread before callers wait.
pub(super) const QUEUE: usize = 64;

/// How a [`SqliteStore`](super::SqliteStore) is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// Bytes of a page, a power of two from 512 to 65536. It counts for a new file only.
    pub page_size: u32,
    /// Bytes that the database file may have at most; `None` is SQLite's own limit.
    pub max_bytes: Option<u64>,
    /// Bytes of pages that the writing connection keeps in memory, and each of the two reading ones half of it; default
    /// 2 MiB. With 8 MiB a writer to 100,000 mails took 12 % less time (`cargo bench --bench layout -- case cache_mib=8
    /// grown=100000` against `cache_mib=2`, whose schema is smaller than the store's).
    pub cache_bytes: u32,
    /// How long a write waits for another process before it fails.
    pub busy_timeout: Duration,
    /// The clock of leases and of all times that are written.
    pub clock: Arc<dyn Clock>,
    /// Whether every call is done by its caller instead of the store's threads; default false. It blocks the caller, so it
    /// is for simulations and tests, where the order of all effects must be the order of the calls.
    pub inline: bool,
    /// The randomness of event ids.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            page_size: PAGE_SIZE,
            max_bytes: None,
            cache_bytes: CACHE_BYTES,
            busy_timeout: BUSY_TIMEOUT,
            inline: false,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

impl SqliteOptions {
    /// Sets the page size of a new file.
    #[must_use]
    pub fn with_page_size(mut self, bytes: u32) -> Self {
        self.page_size = bytes;
        self
    }

    /// Bounds the database file. A write beyond it fails with `store.full`.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Sets the memory for pages; SQLite takes what it needs for a statement even if that is more.
    #[must_use]
    pub fn with_cache_bytes(mut self, bytes: u32) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Sets how long a write waits for another process.
    #[must_use]
    pub fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Has every call done by its caller, without threads.
    #[must_use]
    pub fn with_inline(mut self, inline: bool) -> Self {
        self.inline = inline;
        self
    }

    /// Replaces the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Replaces the randomness.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }
}
