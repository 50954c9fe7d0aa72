//! The envelope of one secret: how it is laid out and what it is bound to.
//!
//! A new key for every envelope, so that no two secrets share a key and a nonce. Both the secret and its wrapped key are
//! bound to the format, the scope, the name, the id of the host's key and the version that the value had: an envelope that
//! was put elsewhere does not open.

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::cipher::{self, NONCE, TAG};
use super::key_provider::{KeyProvider, RecordKey};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::store::{SealedSecret, SecretName, StoredSecret};

/// The format of the envelopes that are written.
const FORMAT: u8 = 1;

/// The first bytes of an envelope's text: the format, and the version that the value had before it was sealed anew.
const HEAD: usize = 1 + size_of::<u64>();

/// Bytes of a secret.
pub(super) const LIMIT: usize = 64 << 10;

/// Which secret an envelope is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) scope: &'a Scope,
    pub(super) name: SecretName,
}

/// Seals a secret. `kept_version` is 0 for a new value, and the value's version where it is sealed anew.
pub(super) async fn seal(
    keys: &dyn KeyProvider,
    place: Place<'_>,
    value: &[u8],
    kept_version: u64,
) -> Result<SealedSecret> {
    let key_id = keys.current_key_id().await?;
    let bound = context(place, &key_id, kept_version);
    let key = RecordKey::random("seal")?;
    let wrapped = keys.wrap_key(&key_id, &key, &bound).await?;
    let sealed = cipher::seal(key.as_bytes(), &bound, value, "seal")?;
    let head = head(kept_version);
    let text = [&head[..], &sealed.text].concat();
    Ok(SealedSecret::new(
        key_id,
        wrapped,
        sealed.nonce.to_vec(),
        text,
    ))
}

/// Opens an envelope.
pub(super) async fn open(
    keys: &dyn KeyProvider,
    place: Place<'_>,
    sealed: &SealedSecret,
) -> Result<Zeroizing<Vec<u8>>> {
    let damaged = || Error::new(&codes::SECRET_DAMAGED, "open").with_item(place.name.code());
    let (kept_version, text) = split(&sealed.ciphertext).ok_or_else(damaged)?;
    if sealed.nonce.len() != NONCE || text.len() < TAG {
        return Err(damaged());
    }
    let bound = context(place, &sealed.key_id, kept_version);
    let key = keys
        .unwrap_key(&sealed.key_id, &sealed.wrapped_key, &bound)
        .await?;
    cipher::open(key.as_bytes(), &bound, &sealed.nonce, text).ok_or_else(damaged)
}

/// The text of an opened envelope.
pub(super) fn text(value: &[u8], name: SecretName) -> Result<SecretString> {
    let damaged = |_| Error::new(&codes::SECRET_DAMAGED, "open").with_item(name.code());
    std::str::from_utf8(value)
        .map(SecretString::from)
        .map_err(damaged)
}

/// The version of the value, which sealing it anew does not change. It is authenticated when the envelope is opened.
pub(super) fn value_version(stored: &StoredSecret) -> u64 {
    match split(&stored.sealed.ciphertext) {
        Some((kept_version, _)) if kept_version > 0 => kept_version,
        _ => stored.version,
    }
}

fn head(kept_version: u64) -> [u8; HEAD] {
    let mut head = [FORMAT; HEAD];
    let version = kept_version.to_be_bytes();
    for (byte, value) in head.iter_mut().skip(1).zip(version) {
        *byte = value;
    }
    head
}

fn split(ciphertext: &[u8]) -> Option<(u64, &[u8])> {
    let (head, text) = ciphertext.split_at_checked(HEAD)?;
    let (format, version) = head.split_first()?;
    let version = version.try_into().ok()?;
    (*format == FORMAT).then_some((u64::from_be_bytes(version), text))
}

/// What an envelope is bound to. Each part has its length before it, so that no two places have the same context.
fn context(place: Place<'_>, key_id: &str, kept_version: u64) -> Vec<u8> {
    let mut context = b"email-logging secret".to_vec();
    context.extend_from_slice(&head(kept_version));
    for part in [
        place.scope.tenant(),
        place.scope.company(),
        place.name.code(),
        key_id,
    ] {
        context.extend_from_slice(&(part.len() as u64).to_be_bytes());
        context.extend_from_slice(part.as_bytes());
    }
    context
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_places_have_the_same_context() {
        let scope = |tenant, company| Scope::new(tenant, company).unwrap();
        let mut seen = BTreeSet::new();
        let mut count = 0;
        for scope in [scope("a", "bc"), scope("ab", "c"), scope("bc", "a")] {
            for name in SecretName::ALL {
                for (key_id, version) in [("k", 0), ("k", 1), ("l", 0), ("", 0)] {
                    let place = Place {
                        scope: &scope,
                        name: *name,
                    };
                    seen.insert(context(place, key_id, version));
                    count += 1;
                }
            }
        }
        assert_eq!(seen.len(), count);
    }
}
