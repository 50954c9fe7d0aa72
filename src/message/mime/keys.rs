//! The key that two copies of one mail share.

use blake3::{Hash, Hasher};

use super::fields::Field;
use crate::message::FastKey;

const KEY_FIELDS: [&str; 6] = ["From", "To", "Cc", "Date", "Subject", "Message-ID"];

/// The fast key: BLAKE3 over From, To, Cc, Date, Subject and Message-ID in this order, and the hash
/// of the body.
///
/// For each of the six names: how many fields have it, whatever the case of the name (u64,
/// little-endian), and for each of them in order the number of bytes (u64, little-endian) and the
/// bytes of its raw value, unfolded: without white space at both ends, each run of space, tab, CR
/// and LF inside one space. Then the 32 bytes of the BLAKE3 of the body. Values are not decoded. So
/// what transport does, adding fields and folding them anew, makes no other key.
pub(super) fn fast_key(fields: &[Field<'_>], body_hash: Hash) -> FastKey {
    let mut hasher = Hasher::new();
    for name in KEY_FIELDS {
        let found: Vec<_> = fields.iter().filter(|field| field.is(name)).collect();
        hasher.update(&(found.len() as u64).to_le_bytes());
        for field in found {
            update_prefixed(&mut hasher, &field.unfolded());
        }
    }
    hasher.update(body_hash.as_bytes());
    FastKey::from_bytes(*hasher.finalize().as_bytes())
}

/// Hashes bytes behind their number, so that two neighbours cannot be cut elsewhere.
pub(in crate::message) fn update_prefixed(hasher: &mut Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::mime::fields::fields;

    fn key(header: &[u8], body: &[u8]) -> FastKey {
        fast_key(&fields(header), blake3::hash(body))
    }

    #[test]
    fn transport_makes_no_other_key() {
        let first = key(b"From: a@b\r\nSubject: x y\r\nDate: d\r\n\r\n", b"body");
        let second = key(
            b"Received: z\nSUBJECT:  x\n\t y \nfrom:a@b\nDate: d\nX-New: 1\n\n",
            b"body",
        );
        assert_eq!(first, second);
    }

    #[test]
    fn other_content_makes_another_key() {
        let header = b"From: a@b\nTo: c@d\nSubject: x\n\n";
        let base = key(header, b"body");
        assert_ne!(base, key(header, b"body\n"));
        assert_ne!(base, key(b"From: a@b\nCc: c@d\nSubject: x\n\n", b"body"));
        assert_ne!(base, key(b"From: a@b\nTo: c@d\nSubject: X\n\n", b"body"));
        assert_ne!(
            base,
            key(b"From: a@b\nFrom: e@f\nTo: c@d\nSubject: x\n\n", b"body")
        );
        assert_ne!(
            key(b"From: ab\nTo: c\n\n", b""),
            key(b"From: a\nTo: bc\n\n", b"")
        );
    }
}
