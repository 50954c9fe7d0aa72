//! A mail source in memory, for tests.

/// Folders with mail in memory.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {}
