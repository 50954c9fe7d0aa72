//! Request ids out of the crate's own randomness.

use crate::clock::Entropy;

/// A random UUID (version 4, RFC 9562) as text.
pub(crate) fn new_guid(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}
