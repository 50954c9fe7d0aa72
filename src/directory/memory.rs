//! A directory in memory: for hosts with few contacts, for demos and for tests.

/// One salesperson of a [`MemoryDirectory`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalespersonRecord {}

/// One contact of a [`MemoryDirectory`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactRecord {}

/// Contacts and salespeople in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryDirectory {}
