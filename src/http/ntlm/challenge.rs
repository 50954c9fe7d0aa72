//! CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2), read from a server that may mean harm.

use std::ops::Range;

use super::av_pairs::AvPairs;
use super::{Malformed, SIGNATURE, TARGET_INFO, UNICODE};

/// Bytes of a message; real ones have some hundred.
const LARGEST: usize = 16 << 10;
/// Where the fixed fields end.
const HEADER: usize = 48;

/// What a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// The whole message.
    pub(super) message: Vec<u8>,
    /// The features that the server agrees to.
    pub(super) flags: u32,
    /// The server's random bytes.
    pub(super) random: [u8; 8],
    /// What the server says of itself.
    pub(super) target_info: AvPairs,
}

impl Challenge {
    /// Reads a message.
    pub(super) fn parse(message: &[u8]) -> Result<Self, Malformed> {
        if message.len() > LARGEST {
            return Err(Malformed("the message is too long"));
        }
        if !message.starts_with(SIGNATURE) || number(message, 8)? != 2 {
            return Err(Malformed("the message is no challenge"));
        }
        let flags = number(message, 20)?;
        if flags & UNICODE == 0 {
            return Err(Malformed("the server does not agree to Unicode"));
        }
        let random = array(message, 24)?;
        let name = field(message, 12)?;
        let target_info = if flags & TARGET_INFO == 0 {
            AvPairs::default()
        } else {
            let info = field(message, 40)?;
            if info.start < name.end && name.start < info.end {
                return Err(Malformed("fields of the message overlap"));
            }
            AvPairs::parse(message.get(info).unwrap_or_default())?
        };
        Ok(Self {
            message: message.to_vec(),
            flags,
            random,
            target_info,
        })
    }
}

/// Where a field lies: length, allocated length, offset.
fn field(message: &[u8], at: usize) -> Result<Range<usize>, Malformed> {
    let length = usize::from(u16::from_le_bytes(array(message, at)?));
    if length == 0 {
        return Ok(0..0);
    }
    let outside = Malformed("a field lies outside of the message");
    let start = usize::try_from(number(message, at + 4)?).map_err(|_| outside)?;
    let end = start.checked_add(length).ok_or(outside)?;
    if start < HEADER || end > message.len() {
        return Err(outside);
    }
    Ok(start..end)
}

fn number(message: &[u8], at: usize) -> Result<u32, Malformed> {
    array(message, at).map(u32::from_le_bytes)
}

fn array<const N: usize>(message: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    let bytes = message.get(at..).and_then(<[u8]>::first_chunk);
    bytes.copied().ok_or(Malformed("the message is too short"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A challenge with the target name `S` and a target information that is empty.
    fn message() -> Vec<u8> {
        let mut message = SIGNATURE.to_vec();
        message.extend_from_slice(&[2, 0, 0, 0, 2, 0, 2, 0, 48, 0, 0, 0]);
        message.extend_from_slice(&(UNICODE | TARGET_INFO).to_le_bytes());
        message.extend_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
        message.extend_from_slice(&[4, 0, 4, 0, 50, 0, 0, 0]);
        message.extend_from_slice(&[b'S', 0, 0, 0, 0, 0]);
        message
    }

    #[test]
    fn a_message_is_read() {
        let challenge = Challenge::parse(&message()).unwrap();
        assert_eq!(challenge.random, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(challenge.target_info, AvPairs::default());
    }

    #[test]
    fn hostile_messages_are_refused_by_name() {
        let changed = |at: usize, bytes: &[u8]| {
            let mut message = message();
            message[at..at + bytes.len()].copy_from_slice(bytes);
            message
        };
        for (message, text) in [
            (vec![], "the message is no challenge"),
            (vec![0; LARGEST + 1], "the message is too long"),
            (changed(0, b"X"), "the message is no challenge"),
            (changed(8, &[3]), "the message is no challenge"),
            (changed(20, &[0]), "the server does not agree to Unicode"),
            (message()[..30].to_vec(), "the message is too short"),
            (
                message()[..53].to_vec(),
                "a field lies outside of the message",
            ),
            (
                changed(44, &[255; 4]),
                "a field lies outside of the message",
            ),
            (changed(44, &[0]), "a field lies outside of the message"),
            (
                changed(40, &[255, 255]),
                "a field lies outside of the message",
            ),
            (changed(16, &[51]), "fields of the message overlap"),
            (changed(50, &[2]), "target information has no end"),
        ] {
            assert_eq!(Challenge::parse(&message), Err(Malformed(text)));
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_break_the_reader(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let _read = Challenge::parse(&tail);
            let _read = Challenge::parse(&[SIGNATURE, &[2, 0, 0, 0][..], &tail].concat());
        }

        #[test]
        fn a_message_with_changed_bytes_never_breaks_the_reader(
            changes in prop::collection::vec((0_usize..54, any::<u8>()), 1..8),
            length in 0_usize..60,
        ) {
            let mut message = message();
            for (at, byte) in changes {
                message[at] = byte;
            }
            message.truncate(length);
            let _read = Challenge::parse(&message);
        }
    }
}
