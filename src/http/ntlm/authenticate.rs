//! AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3): the answer to a challenge.

use super::challenge::Challenge;
use super::identity::Identity;
use super::proof::{integrity_code, prove, response_key};
use super::{Malformed, REQUESTED, SIGNATURE, VERSION, VERSION_BYTES, utf16};

/// Where the integrity code lies, and where the fixed fields end.
const INTEGRITY_CODE: usize = 72;
const HEADER: usize = 88;

/// What an answer is made of besides the messages.
pub(super) struct Circumstances<'a> {
    /// Who signs in.
    pub(super) identity: &'a Identity,
    /// The service, such as `HTTP/mail.example.com`.
    pub(super) service: &'a str,
    /// The hash of the channel's bindings; none where the channel has none.
    pub(super) channel: Option<[u8; 16]>,
    /// The client's random bytes.
    pub(super) random: [u8; 8],
    /// The time as a Windows file time, for a server that tells none.
    pub(super) now: [u8; 8],
}

/// Answers a challenge that came in reply to this first message.
pub(super) fn authenticate(
    negotiate: &[u8],
    challenge: Challenge,
    circumstances: &Circumstances<'_>,
) -> Result<Vec<u8>, Malformed> {
    let info = challenge.target_info;
    let time = info.timestamp()?.unwrap_or(circumstances.now);
    let info = info.answered(circumstances.channel, circumstances.service)?;
    let key = response_key(circumstances.identity);
    let proof = prove(
        &key,
        challenge.random,
        circumstances.random,
        time,
        &info.to_bytes()?,
    );
    let mut message = message(
        circumstances.identity,
        &proof.response,
        challenge.flags & REQUESTED,
    )?;
    let code = integrity_code(
        &proof.session_key,
        &[negotiate, &challenge.message, &message],
    );
    if let Some(place) = message.get_mut(INTEGRITY_CODE..HEADER) {
        place.copy_from_slice(&code);
    }
    Ok(message)
}

/// The message with zeros for its integrity code.
fn message(identity: &Identity, response: &[u8], flags: u32) -> Result<Vec<u8>, Malformed> {
    let (domain, user) = (utf16(&identity.domain), utf16(&identity.user));
    // In the order of the header: LM response, NT response, domain, user, workstation, session key. The LM response of
    // NTLMv2 is zeros, so that no LM hash leaves.
    let fields: [&[u8]; 6] = [&[0; 24], response, &domain, &user, &[], &[]];
    let mut header = [SIGNATURE, &3_u32.to_le_bytes()[..]].concat();
    let mut offset = HEADER;
    for field in fields {
        let long = |_| Malformed("a field of the answer is too long");
        let length = u16::try_from(field.len()).map_err(long)?.to_le_bytes();
        let start = u32::try_from(offset).map_err(long)?.to_le_bytes();
        header.extend_from_slice(&[length, length].concat());
        header.extend_from_slice(&start);
        offset += field.len();
    }
    header.extend_from_slice(&flags.to_le_bytes());
    let version = if flags & VERSION == 0 {
        [0; 8]
    } else {
        VERSION_BYTES
    };
    header.extend_from_slice(&version);
    header.extend_from_slice(&[0; HEADER - INTEGRITY_CODE]);
    Ok([&header[..], &fields.concat()].concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::ntlm::negotiate::negotiate;
    use crate::http::ntlm::{TARGET_INFO, UNICODE};

    fn challenge(info: &[u8]) -> Vec<u8> {
        let length = u16::try_from(info.len()).unwrap().to_le_bytes();
        let flags = (UNICODE | TARGET_INFO | 0x4000_0000).to_le_bytes();
        let head = [
            SIGNATURE,
            &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &flags,
            &[7; 8],
            &[0; 8],
            &length,
            &length,
            &[48, 0, 0, 0],
        ];
        [&head.concat(), info].concat()
    }

    fn answer(name: &str, challenge: &[u8]) -> Result<Vec<u8>, Malformed> {
        let circumstances = Circumstances {
            identity: &Identity::new(name, "pässword".into()),
            service: "HTTP/h",
            channel: Some([5; 16]),
            random: [6; 8],
            now: [1; 8],
        };
        authenticate(&negotiate(), Challenge::parse(challenge)?, &circumstances)
    }

    fn field(message: &[u8], at: usize) -> Vec<u8> {
        let number = |at: usize| usize::from(u16::from_le_bytes([message[at], message[at + 1]]));
        message[number(at + 4)..number(at + 4) + number(at)].to_vec()
    }

    #[test]
    fn an_answer_holds_no_lm_hash_no_key_and_an_integrity_code() {
        let challenge = challenge(&[2, 0, 2, 0, b'D', 0, 0, 0, 0, 0]);
        let message = answer(r"CORP\änna", &challenge).unwrap();
        assert_eq!(field(&message, 12), [0; 24]);
        assert_eq!(field(&message, 28), utf16("CORP"));
        assert_eq!(field(&message, 36), utf16("änna"));
        assert_eq!(field(&message, 44), [0; 0]);
        assert_eq!(field(&message, 52), [0; 0]);
        let flags = (UNICODE | TARGET_INFO).to_le_bytes();
        assert_eq!(message[60..64], flags, "only what both agreed to");
        assert_eq!(
            message[64..72],
            [0; 8],
            "no version where none was agreed to"
        );
        assert_ne!(message[72..88], [0; 16]);
        let response = field(&message, 20);
        assert_eq!(response[16..24], [1, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            (&response[24..32], &response[32..40]),
            (&[1; 8][..], &[6; 8][..])
        );
        let channel = [&[10, 0, 16, 0][..], &[5; 16]].concat();
        assert!(response.windows(20).any(|window| window == channel));
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        let challenge = challenge(&[0; 4]);
        let long = "x".repeat(40_000);
        assert_eq!(
            answer(&long, &challenge),
            Err(Malformed("a field of the answer is too long"))
        );
    }

    proptest! {
        #[test]
        fn any_target_information_is_answered_or_refused(
            info in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            let _answer = answer("user", &challenge(&info));
            let ended = [&info[..], &[0; 4]].concat();
            let _answer = answer("user", &challenge(&ended));
        }
    }
}
