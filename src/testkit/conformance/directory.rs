//! The contract of a directory.
