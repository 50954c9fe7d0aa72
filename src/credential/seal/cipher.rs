//! AES-256-GCM-SIV (RFC 8452) over keys that overwrite themselves. Knows no envelope.
//!
//! With this mode a nonce that came twice tells only whether the same text was sealed twice.

use aes_gcm_siv::aead::AeadInOut as _;
use aes_gcm_siv::{Aes256GcmSiv, KeyInit as _, Nonce};
use secrecy::zeroize::Zeroizing;

use crate::clock::fill_secret;
use crate::error::{Error, Result, codes};

/// Bytes of a key.
pub(super) const KEY: usize = 32;
/// Bytes of a nonce.
pub(super) const NONCE: usize = 12;
/// Bytes that sealing adds.
pub(super) const TAG: usize = 16;

/// A text that was sealed, and its nonce.
pub(super) struct Sealed {
    pub(super) nonce: [u8; NONCE],
    pub(super) text: Vec<u8>,
}

/// Seals a text and binds it to its context, under a nonce that was just drawn.
pub(super) fn seal(
    key: &[u8; KEY],
    context: &[u8],
    text: &[u8],
    operation: &'static str,
) -> Result<Sealed> {
    let mut nonce = [0; NONCE];
    fill(&mut nonce, operation)?;
    // Room for the tag, so that the buffer never moves and leaves the text behind.
    let mut buffer = Zeroizing::new(Vec::with_capacity(text.len() + TAG));
    buffer.extend_from_slice(text);
    let cipher = Aes256GcmSiv::new(key.into());
    let done = cipher.encrypt_in_place(&Nonce::from(nonce), context, &mut *buffer);
    done.map_err(|_| Error::new(&codes::INTERNAL, operation).with_detail("sealing failed"))?;
    let text = std::mem::take(&mut *buffer);
    Ok(Sealed { nonce, text })
}

/// Opens a text; `None` where the key, the context, the nonce or a byte is not the one it was sealed with.
pub(super) fn open(
    key: &[u8; KEY],
    context: &[u8],
    nonce: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let cipher = Aes256GcmSiv::new(key.into());
    cipher
        .decrypt_in_place(&Nonce::from(nonce), context, &mut *buffer)
        .ok()?;
    Some(buffer)
}

/// Fills a key or a nonce.
pub(super) fn fill(bytes: &mut [u8], operation: &'static str) -> Result<()> {
    let none = |_| {
        Error::new(&codes::SECRET_KEY_PROVIDER, operation)
            .with_detail("the system has no randomness")
    };
    fill_secret(bytes).map_err(none)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    /// RFC 8452, appendix C.2: AES-256 with 8 bytes of text and 1 byte of context.
    #[test]
    fn the_test_vector_of_rfc_8452_opens() {
        let mut key = [0; KEY];
        key[0] = 1;
        let nonce = bytes("030000000000000000000000");
        let sealed = bytes("1de22967237a813291213f267e3b452f02d01ae33e4ec854");
        let text = open(&key, &[1], &nonce, &sealed).unwrap();
        assert_eq!(*text, bytes("0200000000000000"));
        assert!(open(&key, &[2], &nonce, &sealed).is_none());
    }

    /// A million by default, and as many as `EMAIL_LOGGING_NONCES` says.
    #[test]
    fn no_nonce_comes_twice() {
        let asked = std::env::var("EMAIL_LOGGING_NONCES").ok();
        let count = asked.map_or(1_000_000, |count| count.parse().unwrap());
        let nonce = |_| seal(&[7; KEY], b"", b"", "test").unwrap().nonce;
        let mut all: Vec<_> = (0..count).map(nonce).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn what_was_sealed_opens_and_every_changed_bit_does_not() {
        let key = [7; KEY];
        let sealed = seal(&key, b"context", b"secret", "test").unwrap();
        assert_eq!(sealed.text.len(), b"secret".len() + TAG);
        let opened = open(&key, b"context", &sealed.nonce, &sealed.text).unwrap();
        assert_eq!(*opened, b"secret");
        for bit in 0..sealed.text.len() * 8 {
            let mut text = sealed.text.clone();
            text[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, b"context", &sealed.nonce, &text).is_none());
        }
        for bit in 0..NONCE * 8 {
            let mut nonce = sealed.nonce;
            nonce[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, b"context", &nonce, &sealed.text).is_none());
        }
        for (key, context, nonce) in [
            ([8; KEY], &b"context"[..], &sealed.nonce[..]),
            (key, b"contexT", &sealed.nonce),
            (key, b"", &sealed.nonce),
            (key, b"context", &[]),
            (key, b"context", &[0; 13]),
        ] {
            assert!(open(&key, context, nonce, &sealed.text).is_none());
        }
        assert!(open(&key, b"context", &sealed.nonce, b"short").is_none());
    }
}
