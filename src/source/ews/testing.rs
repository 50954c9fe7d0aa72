//! Hooks for this crate's own tests; no part of the public interface.
