//! The NTLMv2 computations (MS-NLMP 3.3.2 and 3.1.5.1.2).

use hmac::{Hmac, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::identity::{Identity, uppercase};
use super::utf16;

/// A key that is erased when dropped.
pub(super) type Key = Zeroizing<[u8; 16]>;

/// A response to a challenge with the key of its session.
pub(super) struct Proof {
    /// The proof and what it proves: NTLMv2_RESPONSE.
    pub(super) response: Vec<u8>,
    /// The session's key. Without a key exchange it is the exported one.
    pub(super) session_key: Key,
}

/// The key of an account: NTOWFv2.
pub(super) fn response_key(identity: &Identity) -> Key {
    let password = Zeroizing::new(utf16(identity.password.expose_secret()));
    let hash: Key = Zeroizing::new(Md4::digest(&*password).into());
    let name = [uppercase(&identity.user), identity.domain.clone()].concat();
    mac(&hash, &[&utf16(&name)])
}

/// Proves that the key is known.
pub(super) fn prove(
    key: &Key,
    server: [u8; 8],
    client: [u8; 8],
    time: [u8; 8],
    target_info: &[u8],
) -> Proof {
    let proved = [
        &[1, 1, 0, 0, 0, 0, 0, 0][..],
        &time,
        &client,
        &[0; 4],
        target_info,
        &[0; 4],
    ];
    let proved = proved.concat();
    let proof = mac(key, &[&server, &proved]);
    Proof {
        session_key: mac(key, &[&*proof]),
        response: [&proof[..], &proved].concat(),
    }
}

/// The integrity code over all three messages.
pub(super) fn integrity_code(key: &Key, messages: &[&[u8]; 3]) -> [u8; 16] {
    *mac(key, messages)
}

fn mac(key: &[u8; 16], parts: &[&[u8]]) -> Key {
    // HMAC fills a key up to the block with zeros (RFC 2104); a whole block cannot have a wrong length.
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Md5>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity::new(r"Domain\User", "Password".into())
    }

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _written = write!(text, "{byte:02x}");
            text
        })
    }

    #[test]
    fn the_numbers_are_those_of_the_specification() {
        // MS-NLMP 4.2.4: user "User", domain "Domain", password "Password", time 0.
        let key = response_key(&identity());
        assert_eq!(hex(&*key), "0c868a403bfd7a93a3001ef22ef02e3f");
        let info = [
            &[2, 0, 12, 0][..],
            &utf16("Domain"),
            &[1, 0, 12, 0],
            &utf16("Server"),
            &[0; 4],
        ];
        let server = 0x0123_4567_89ab_cdef_u64.to_be_bytes();
        let proof = prove(&key, server, [0xaa; 8], [0; 8], &info.concat());
        assert_eq!(
            hex(&proof.response[..16]),
            "68cd0ab851e51c96aabc927bebef6a1c"
        );
        assert_eq!(hex(&*proof.session_key), "8de40ccadbc14a82f15cb0ad0de95ca3");
    }
}
