//! A directory that remembers answers of another one for a while.

/// A cache before a slower directory.
#[derive(Debug)]
pub struct CachedDirectory {}
