//! Channel bindings of the kind tls-server-end-point (RFC 5929, section 4).

use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};

const PREFIX: &[u8] = b"tls-server-end-point:";

const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;

/// Object identifiers without their last number: PKCS #1 and ECDSA with SHA-2 as signatures, SHA-2 alone as hashes.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4];
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];

/// The value of MsvAvChannelBindings for a server's certificate (DER).
///
/// None where the certificate's signature has no single hash function: RFC 5929 defines no binding for it.
pub(super) fn channel_binding(certificate: &[u8]) -> Option<[u8; 16]> {
    let hash = end_point(certificate)?;
    let length = u32::try_from(PREFIX.len() + hash.len()).ok()?;
    // gss_channel_bindings_struct: no addresses, then the application's data (RFC 2744, 3.11; MS-NLMP 3.1.5.1.2).
    let mut bindings = vec![0; 16];
    bindings.extend_from_slice(&length.to_le_bytes());
    bindings.extend_from_slice(PREFIX);
    bindings.extend_from_slice(&hash);
    Some(Md5::digest(bindings).into())
}

/// The certificate's hash, by the hash function of its signature; SHA-256 in place of MD5 and SHA-1.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(match signature_hash(certificate)? {
        Hash::Sha224 => Sha224::digest(certificate).to_vec(),
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue } (RFC 5280, 4.1).
fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let (fields, _) = expect(SEQUENCE, certificate)?;
    let (_, after_tbs) = expect(SEQUENCE, fields)?;
    let (algorithm, _) = expect(SEQUENCE, after_tbs)?;
    let (id, parameters) = expect(OBJECT_ID, algorithm)?;
    let (last, family) = id.split_last()?;
    match (family, last) {
        (RSA, 10) => pss_hash(parameters),
        (RSA, 4 | 5 | 11) | (ECDSA, 1) | (ECDSA_SHA2, 2) => Some(Hash::Sha256),
        (RSA, 12) | (ECDSA_SHA2, 3) => Some(Hash::Sha384),
        (RSA, 13) | (ECDSA_SHA2, 4) => Some(Hash::Sha512),
        (RSA, 14) | (ECDSA_SHA2, 1) => Some(Hash::Sha224),
        _ => None,
    }
}

/// RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1, … } (RFC 4055, 3.1).
fn pss_hash(parameters: &[u8]) -> Option<Hash> {
    const HASH_ALGORITHM: u8 = 0xa0;
    const SHA1: (&u8, &[u8]) = (&0x1a, &[0x2b, 0x0e, 3, 2]);
    let (fields, _) = expect(SEQUENCE, parameters)?;
    let Some((tagged, _)) = expect(HASH_ALGORITHM, fields) else {
        return Some(Hash::Sha256);
    };
    let (algorithm, _) = expect(SEQUENCE, tagged)?;
    let (id, _) = expect(OBJECT_ID, algorithm)?;
    match id.split_last()? {
        (1, SHA2) | SHA1 => Some(Hash::Sha256),
        (2, SHA2) => Some(Hash::Sha384),
        (3, SHA2) => Some(Hash::Sha512),
        (4, SHA2) => Some(Hash::Sha224),
        _ => None,
    }
}

/// The content of a DER element that has to have this tag, and what follows it.
fn expect(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        let length = digits
            .iter()
            .fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
        (usize::try_from(length).ok()?, rest)
    };
    (*found == tag).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};

    use super::*;

    fn certificate(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    /// A certificate with nothing but a signature algorithm.
    fn bare(algorithm: &[u8]) -> Vec<u8> {
        let length = u8::try_from(algorithm.len()).unwrap();
        let fields = [&[0x30, 0, 0x30, length], algorithm].concat();
        [&[0x30, length + 4], &fields[..]].concat()
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        for (algorithm, hash) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Some(Hash::Sha256)),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Some(Hash::Sha384)),
            (&rcgen::PKCS_ED25519, None),
        ] {
            assert_eq!(signature_hash(&certificate(algorithm)), hash);
        }
        for (last, hash) in [
            (4, Some(Hash::Sha256)),
            (5, Some(Hash::Sha256)),
            (11, Some(Hash::Sha256)),
            (12, Some(Hash::Sha384)),
            (13, Some(Hash::Sha512)),
            (14, Some(Hash::Sha224)),
            (1, None),
        ] {
            let algorithm = [&[6, 9], RSA, &[last, 5, 0]].concat();
            assert_eq!(signature_hash(&bare(&algorithm)), hash, "{last}");
        }
    }

    #[test]
    fn a_pss_signature_names_its_hash_in_its_parameters() {
        let pss = |parameters: &[u8]| bare(&[&[6, 9], RSA, &[10], parameters].concat());
        let named = |last| {
            let id = [&[6, 9], SHA2, &[last]].concat();
            pss(&[&[0x30, 15, 0xa0, 13, 0x30, 11], &id[..]].concat())
        };
        for (certificate, hash) in [
            (pss(&[0x30, 0]), Some(Hash::Sha256)),
            (named(1), Some(Hash::Sha256)),
            (named(2), Some(Hash::Sha384)),
            (named(3), Some(Hash::Sha512)),
            (named(9), None),
            (pss(&[]), None),
        ] {
            assert_eq!(signature_hash(&certificate), hash);
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _binding = channel_binding(&bytes);
            let _binding = channel_binding(&bare(&bytes[..bytes.len().min(60)]));
        }
    }
}
