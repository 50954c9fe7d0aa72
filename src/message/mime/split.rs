//! The bytes of one mail as they arrive: header block kept, body hashed and passed on.
//!
//! Owns the border between header block and body, the hash of each, and the limits that hold while
//! bytes arrive. Knows no header but by the shape of its lines.

use blake3::{Hash, Hasher};

use crate::error::{Error, Result, codes};
use crate::message::MessageLimits;

const OPERATION: &str = "MessageReader::push";

/// Cuts a mail at its first empty line behind a header. Line ends may be CRLF or LF, also mixed;
/// empty lines in front of the first header belong to the header block. How the bytes are cut into
/// chunks makes no difference.
pub(super) struct Splitter {
    header: Vec<u8>,
    line_start: usize,
    field_start: usize,
    fields: usize,
    in_body: bool,
    body_hash: Hasher,
    size: u64,
}

/// What is known of a mail when all its bytes have come.
pub(super) struct Split {
    /// The header block, with the empty line at its end if there is one.
    pub(super) header: Vec<u8>,
    pub(super) header_hash: Hash,
    pub(super) body_hash: Hash,
    pub(super) size: u64,
}

impl Splitter {
    pub(super) fn new() -> Self {
        Self {
            header: Vec::new(),
            line_start: 0,
            field_start: 0,
            fields: 0,
            in_body: false,
            body_hash: Hasher::new(),
            size: 0,
        }
    }

    /// Takes the next bytes and says which of them are body.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8], limits: &MessageLimits) -> Result<&'a [u8]> {
        let room = limits.message_bytes.saturating_sub(self.size);
        let taken = usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len()));
        let (within, beyond) = bytes.split_at(taken);
        self.size += taken as u64;
        let body = self.take(within, limits)?;
        self.body_hash.update(body);
        if beyond.is_empty() {
            Ok(body)
        } else {
            Err(Error::new(&codes::MIME_TOO_LARGE, OPERATION))
        }
    }

    fn take<'a>(&mut self, bytes: &'a [u8], limits: &MessageLimits) -> Result<&'a [u8]> {
        let mut rest = bytes;
        while !self.in_body && !rest.is_empty() {
            let end = rest.iter().position(|b| *b == b'\n');
            let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            self.take_line(line, end.is_some(), limits)?;
            rest = after;
        }
        Ok(rest)
    }

    /// Takes a line or, where the chunk ends inside it, a piece of one.
    fn take_line(&mut self, piece: &[u8], ended: bool, limits: &MessageLimits) -> Result<()> {
        if self.header.len() + piece.len() > limits.header_block_bytes {
            return Err(Self::beyond("bytes of the header block"));
        }
        let first = self.header.len() == self.line_start;
        if first && !matches!(piece.first(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.field_start = self.line_start;
            self.fields += 1;
        }
        self.header.extend_from_slice(piece);
        if self.fields > limits.headers {
            return Err(Self::beyond("number of headers"));
        }
        if self.header.len() - self.field_start > limits.header_bytes {
            return Err(Self::beyond("bytes of one header"));
        }
        if ended {
            let empty = matches!(self.header.get(self.line_start..), Some(b"\n" | b"\r\n"));
            self.in_body = empty && self.fields > 0;
            self.line_start = self.header.len();
        }
        Ok(())
    }

    fn beyond(what: &'static str) -> Error {
        Error::new(&codes::MIME_HEADER_LIMIT, OPERATION).with_detail(what)
    }

    /// The header block so far.
    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    /// Whether the border was passed.
    pub(super) fn in_body(&self) -> bool {
        self.in_body
    }

    pub(super) fn finish(self) -> Split {
        Split {
            header_hash: blake3::hash(&self.header),
            body_hash: self.body_hash.finalize(),
            header: self.header,
            size: self.size,
        }
    }
}

/// Cuts a whole mail that is in memory, without limits and hashes.
pub(super) fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    let mut fields = false;
    for line in mail.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        match line {
            b"\n" | b"\r\n" if fields => break,
            [b' ' | b'\t' | b'\r' | b'\n', ..] => {}
            _ => fields = true,
        }
    }
    mail.split_at(at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn in_chunks(mail: &[u8], size: usize, limits: &MessageLimits) -> Result<(Vec<u8>, Split)> {
        let mut splitter = Splitter::new();
        let mut body = Vec::new();
        for chunk in mail.chunks(size.max(1)) {
            body.extend_from_slice(splitter.push(chunk, limits)?);
        }
        Ok((body, splitter.finish()))
    }

    #[test]
    fn the_border_is_the_first_empty_line_behind_a_header() {
        let table: &[(&[u8], &[u8], &[u8])] = &[
            (b"A: b\r\n\r\nbody", b"A: b\r\n\r\n", b"body"),
            (b"A: b\n\nbody", b"A: b\n\n", b"body"),
            (b"A: b\r\n\nbody", b"A: b\r\n\n", b"body"),
            (b"A: b\n\r\nbody", b"A: b\n\r\n", b"body"),
            (b"A: b\n\n", b"A: b\n\n", b""),
            (b"A: b\n", b"A: b\n", b""),
            (b"A: b", b"A: b", b""),
            (b"\r\n\nA: b\n\nbody", b"\r\n\nA: b\n\n", b"body"),
            (b"A: b\n \n\nbody", b"A: b\n \n\n", b"body"),
            (b"A: b\r\rbody\n\nmore", b"A: b\r\rbody\n\n", b"more"),
            (b"", b"", b""),
            (b"\n\n\n", b"\n\n\n", b""),
            (b"only text\n\nmore", b"only text\n\n", b"more"),
        ];
        for (mail, header, body) in table {
            for size in 1..=mail.len().max(1) {
                let (read, split) = in_chunks(mail, size, &MessageLimits::default()).unwrap();
                assert_eq!(split.header, *header, "{mail:?}");
                assert_eq!(read, *body, "{mail:?}");
                assert_eq!(split.header_hash, blake3::hash(header));
                assert_eq!(split.body_hash, blake3::hash(body));
                assert_eq!(split.size, mail.len() as u64);
            }
            assert_eq!(super::split(mail), (*header, *body));
        }
    }

    #[test]
    fn limits_hold_wherever_the_chunks_end() {
        let limits = MessageLimits {
            message_bytes: 60,
            header_block_bytes: 40,
            header_bytes: 20,
            headers: 3,
            ..MessageLimits::default()
        };
        let table: &[(&[u8], Option<&str>)] = &[
            (b"A: b\n\n0123456789012345678901234567890123456789", None),
            (b"A: 012345678901234567\n\nb", Some("mime.header_limit")),
            (
                b"A: 0123456789\n 0123456789\n\nb",
                Some("mime.header_limit"),
            ),
            (b"A: b\nC: d\nE: f\nG: h\n\nb", Some("mime.header_limit")),
            (
                b"A: 01234567890\nB: 01234567890\nC: 01234567890\n\n",
                Some("mime.header_limit"),
            ),
            (
                b"A: b\n\n0123456789012345678901234567890123456789012345678901234567",
                Some("mime.too_large"),
            ),
        ];
        for (mail, code) in table {
            for size in 1..=mail.len() {
                let code_read = in_chunks(mail, size, &limits).err().map(|e| e.code());
                assert_eq!(code_read, *code, "{mail:?} by {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(mail in "[AB:\r\n \t]{0,60}", size in 1usize..20) {
            let limits = MessageLimits { message_bytes: 50, headers: 6, header_bytes: 12,
                header_block_bytes: 40, ..MessageLimits::default() };
            let mail = mail.as_bytes();
            let whole = in_chunks(mail, mail.len(), &limits).map_err(|e| e.code());
            let cut = in_chunks(mail, size, &limits).map_err(|e| e.code());
            match (whole, cut) {
                (Ok((body, split)), Ok((body_cut, split_cut))) => {
                    prop_assert_eq!(&body, &body_cut);
                    prop_assert_eq!(&split.header, &split_cut.header);
                    prop_assert_eq!(split.body_hash, split_cut.body_hash);
                    prop_assert_eq!(super::split(mail).1, &body[..]);
                }
                (whole, cut) => prop_assert_eq!(whole.err(), cut.err()),
            }
        }
    }
}
