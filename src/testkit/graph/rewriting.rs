//! How Graph shows the MIME of a message.

use bytes::Bytes;

/// How the MIME of a message is rendered: servers differ, and so do EWS and Graph on one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MimeRendering {
    /// The bytes that were delivered.
    #[default]
    AsDelivered,
    /// Made anew: header fields of Exchange stand in front, the first own field goes to the end of the header, and bare line
    /// feeds become line ends.
    MadeAnew,
}

impl MimeRendering {
    pub(super) fn render(self, mime: &[u8]) -> Bytes {
        match self {
            Self::AsDelivered => Bytes::copy_from_slice(mime),
            Self::MadeAnew => made_anew(mime).into(),
        }
    }
}

fn made_anew(mime: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = mime.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let lines = lines
        .into_iter()
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut lines: Vec<_> = lines.collect();
    let end = lines
        .iter()
        .position(|line| line.is_empty())
        .unwrap_or(lines.len());
    let is_folded = |line: &&&[u8]| line.starts_with(b" ") || line.starts_with(b"\t");
    let first = 1 + lines.iter().take(end).skip(1).take_while(is_folded).count();
    if first < end {
        lines[..end].rotate_left(first);
    }
    let mut made = b"X-MS-Exchange-Organization-SCL: -1\r\n".to_vec();
    for line in lines {
        made.extend_from_slice(line);
        made.extend_from_slice(b"\r\n");
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mime_made_anew_has_other_bytes_and_the_same_content() {
        let mime = b"From: a@b.example\n more\nSubject: x\r\n\nBody\n";
        let made = MimeRendering::MadeAnew.render(mime);
        assert_eq!(
            &made[..],
            b"X-MS-Exchange-Organization-SCL: -1\r\nSubject: x\r\nFrom: a@b.example\r\n more\r\n\r\nBody\r\n"
        );
        assert_eq!(&MimeRendering::AsDelivered.render(mime)[..], mime);
    }
}
