//! The contract of a credential provider.
