//! A store in memory, for tests and demonstrations.

/// Everything in memory; gone with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {}
