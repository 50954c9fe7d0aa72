//! The target information: a list of attributes (MS-NLMP 2.2.2.1).

use super::{Malformed, utf16};

const END: u16 = 0;
const FLAGS: u16 = 6;
const TIMESTAMP: u16 = 7;
const TARGET_NAME: u16 = 9;
const CHANNEL_BINDINGS: u16 = 10;

/// In MsvAvFlags: the client's message carries an integrity code.
const HAS_INTEGRITY_CODE: u32 = 2;

/// Attributes in their order, each at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AvPairs(Vec<(u16, Vec<u8>)>);

impl AvPairs {
    /// Reads a list, which has to have an end; what stands after the end is left out.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, Malformed> {
        let mut pairs = Self::default();
        loop {
            let (id, rest) = split_u16(bytes)?;
            let (length, rest) = split_u16(rest)?;
            let value = rest.split_at_checked(usize::from(length));
            let (value, rest) = value.ok_or(Malformed("target information has no end"))?;
            if id == END {
                return Ok(pairs);
            }
            if pairs.value(id).is_some() {
                return Err(Malformed("target information repeats an attribute"));
            }
            pairs.0.push((id, value.to_vec()));
            bytes = rest;
        }
    }

    /// The server's time, as a Windows file time.
    pub(super) fn timestamp(&self) -> Result<Option<[u8; 8]>, Malformed> {
        let Some(value) = self.value(TIMESTAMP) else {
            return Ok(None);
        };
        let time = value.try_into();
        time.map(Some)
            .map_err(|_| Malformed("target information has a time of a wrong length"))
    }

    /// The list that goes back: with the integrity code announced, the channel bound and the service named.
    pub(super) fn answered(
        mut self,
        channel: Option<[u8; 16]>,
        service: &str,
    ) -> Result<Self, Malformed> {
        let flags = match self.value(FLAGS) {
            Some(value) => u32::from_le_bytes(
                value
                    .try_into()
                    .map_err(|_| Malformed("target information has flags of a wrong length"))?,
            ),
            None => 0,
        };
        let own = [FLAGS, TARGET_NAME, CHANNEL_BINDINGS];
        self.0.retain(|(id, _)| !own.contains(id));
        let flags = flags | HAS_INTEGRITY_CODE;
        self.0.push((FLAGS, flags.to_le_bytes().to_vec()));
        // Zeros say that the client binds no channel (MS-NLMP 3.1.5.1.2).
        let channel = channel.unwrap_or_default();
        self.0.push((CHANNEL_BINDINGS, channel.to_vec()));
        self.0.push((TARGET_NAME, utf16(service)));
        Ok(self)
    }

    /// The list in bytes, with its end.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        let mut bytes = Vec::new();
        for (id, value) in &self.0 {
            let length = u16::try_from(value.len());
            let length = length.map_err(|_| Malformed("an attribute is too long"))?;
            bytes.extend_from_slice(&id.to_le_bytes());
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(value);
        }
        bytes.extend_from_slice(&[0; 4]);
        Ok(bytes)
    }

    fn value(&self, id: u16) -> Option<&[u8]> {
        let found = self.0.iter().find(|(of, _)| *of == id);
        found.map(|(_, value)| value.as_slice())
    }
}

fn split_u16(bytes: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    let split = bytes.split_first_chunk::<2>();
    let (number, rest) = split.ok_or(Malformed("target information has no end"))?;
    Ok((u16::from_le_bytes(*number), rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_keeps_what_the_server_said_and_adds_three_attributes() {
        let server = [
            (2, utf16("D")),
            (FLAGS, vec![1, 0, 0, 0]),
            (TIMESTAMP, vec![9; 8]),
            (CHANNEL_BINDINGS, vec![7; 16]),
            (TARGET_NAME, utf16("x")),
        ];
        let pairs = AvPairs(server.to_vec());
        let again = AvPairs::parse(&pairs.to_bytes().unwrap()).unwrap();
        assert_eq!(again, pairs);
        assert_eq!(again.timestamp(), Ok(Some([9; 8])));
        let expected = [
            (2, utf16("D")),
            (TIMESTAMP, vec![9; 8]),
            (FLAGS, vec![3, 0, 0, 0]),
            (CHANNEL_BINDINGS, vec![5; 16]),
            (TARGET_NAME, utf16("HTTP/h")),
        ];
        let answered = again.answered(Some([5; 16]), "HTTP/h").unwrap();
        assert_eq!(answered.0, expected);
    }

    #[test]
    fn a_list_that_does_not_end_or_repeats_is_refused() {
        let no_end = Malformed("target information has no end");
        for bytes in [&[][..], &[0], &[0; 3], &[2, 0, 0, 0], &[2, 0, 255, 255, 1]] {
            assert_eq!(AvPairs::parse(bytes), Err(no_end), "{bytes:?}");
        }
        let twice = [2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        let repeated = Malformed("target information repeats an attribute");
        assert_eq!(AvPairs::parse(&twice), Err(repeated));
        let short = AvPairs(vec![(TIMESTAMP, vec![1]), (FLAGS, vec![1])]);
        assert!(short.timestamp().is_err() && short.answered(None, "").is_err());
    }
}
