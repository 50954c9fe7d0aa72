//! Secrets at rest: each sealed under a key of its own, and that key wrapped by a key of the host's.
//!
//! Owns the envelope, the host's keys and the way between a secret and a store that never sees one. Knows no store of its
//! own and nothing of what a secret is for.

mod cipher;
mod credentials;
mod envelope;
mod key_file;
mod key_provider;
mod key_ring;
mod memory_keys;
mod refresh_tokens;
mod rotation;
mod secrets;

pub use credentials::SealedCredentials;
pub use key_file::KeyFile;
pub use key_provider::{KeyProvider, RecordKey};
pub use memory_keys::MemoryKeys;
pub use refresh_tokens::SealedRefreshTokens;
pub use rotation::{Rotation, UnreadableSecret};
pub use secrets::{OpenedSecret, SealedSecrets};
