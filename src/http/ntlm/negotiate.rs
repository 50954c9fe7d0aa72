//! NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1): always the same, since it names nobody.

use super::{REQUESTED, SIGNATURE, VERSION_BYTES};

/// The message; domain and workstation are left out.
pub(super) fn negotiate() -> Vec<u8> {
    let mut message = Vec::with_capacity(40);
    message.extend_from_slice(SIGNATURE);
    message.extend_from_slice(&1_u32.to_le_bytes());
    message.extend_from_slice(&REQUESTED.to_le_bytes());
    message.extend_from_slice(&[0; 16]);
    message.extend_from_slice(&VERSION_BYTES);
    message
}

#[cfg(test)]
mod tests {
    use super::negotiate;

    #[test]
    fn the_message_asks_for_unicode_and_ntlm_and_names_nobody() {
        let message = negotiate();
        assert_eq!(message.len(), 40);
        assert_eq!(message[..12], *b"NTLMSSP\0\x01\0\0\0");
        assert_eq!(message[12..16], 0xa288_8205_u32.to_le_bytes());
        assert_eq!(message[16..32], [0; 16]);
    }
}
