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
    /// Once the header block went beyond a limit: what is left of it is hashed and not kept.
    beyond: Option<Beyond>,
    line_start: usize,
    field_start: usize,
    fields: usize,
    in_body: bool,
    body_hash: Hasher,
    size: u64,
}

/// The rest of a header block that is beyond a limit.
struct Beyond {
    hash: Hasher,
    /// Bytes of the present line, and whether they may be an empty line.
    line_bytes: usize,
    line_empty: bool,
    /// Whether a header has begun: an empty line in front of the first one is no border.
    any_field: bool,
}

/// What is known of a mail when all its bytes have come.
pub(super) struct Split {
    /// The header block, with the empty line at its end if there is one; up to the header that is beyond a limit.
    pub(super) header: Vec<u8>,
    /// Whether a part of the header block was not kept.
    pub(super) header_limit: bool,
    pub(super) header_hash: Hash,
    pub(super) body_hash: Hash,
    pub(super) size: u64,
}

impl Splitter {
    pub(super) fn new() -> Self {
        Self {
            header: Vec::new(),
            beyond: None,
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
        let body = self.take(within, limits);
        self.body_hash.update(body);
        if beyond.is_empty() {
            Ok(body)
        } else {
            Err(Error::new(&codes::MIME_TOO_LARGE, OPERATION))
        }
    }

    fn take<'a>(&mut self, bytes: &'a [u8], limits: &MessageLimits) -> &'a [u8] {
        let mut rest = bytes;
        while !self.in_body && !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest);
            let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            match &mut self.beyond {
                None => self.take_line(line, end.is_some(), limits),
                Some(beyond) => self.in_body = beyond.pass(line, end.is_some()),
            }
            rest = after;
        }
        rest
    }

    /// Takes a line or, where the chunk ends inside it, a piece of one.
    fn take_line(&mut self, piece: &[u8], ended: bool, limits: &MessageLimits) {
        let first = self.header.len() == self.line_start;
        if first && !matches!(piece.first(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.field_start = self.line_start;
            self.fields += 1;
        }
        self.header.extend_from_slice(piece);
        let line = self.header.get(self.line_start..).unwrap_or_default();
        let empty = matches!(line, b"\n" | b"\r\n");
        if line == b"\r" {
            return; // It may become the empty line.
        }
        let beyond = self.header.len() > limits.header_block_bytes
            || self.fields > limits.headers
            || self.header.len() - self.field_start > limits.header_bytes;
        // The empty line that ends the block belongs to no header.
        if ended && empty && self.fields > 0 {
            self.in_body = true;
        } else if beyond {
            return self.stop_keeping(ended);
        }
        if ended {
            self.line_start = self.header.len();
        }
    }

    /// Goes on without keeping: the header that is beyond the limit is dropped, and what follows is only hashed.
    fn stop_keeping(&mut self, line_ended: bool) {
        let mut hash = Hasher::new();
        hash.update(&self.header);
        let line = if line_ended {
            self.header.len()
        } else {
            self.line_start
        };
        let line_bytes = self.header.len() - line;
        self.beyond = Some(Beyond {
            hash,
            line_bytes,
            line_empty: is_blank(self.header.get(line..).unwrap_or_default()),
            any_field: self.fields > 0,
        });
        self.header.truncate(self.field_start);
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
            header_limit: self.beyond.is_some(),
            header_hash: match self.beyond {
                None => blake3::hash(&self.header),
                Some(beyond) => beyond.hash.finalize(),
            },
            body_hash: self.body_hash.finalize(),
            header: self.header,
            size: self.size,
        }
    }
}

fn is_blank(piece: &[u8]) -> bool {
    piece.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

impl Beyond {
    /// Passes a line or a piece of one; answers whether it was the empty line that ends the block.
    fn pass(&mut self, piece: &[u8], ended: bool) -> bool {
        self.hash.update(piece);
        let blank = matches!(piece.first(), Some(b' ' | b'\t' | b'\r' | b'\n'));
        self.any_field |= self.line_bytes == 0 && !blank;
        self.line_bytes += piece.len();
        self.line_empty &= is_blank(piece);
        let border = ended && self.any_field && self.line_empty && self.line_bytes <= 2;
        if ended {
            (self.line_bytes, self.line_empty) = (0, true);
        }
        border
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
        let table: &[(&[u8], Option<&[u8]>)] = &[
            (b"A: b\n\n0123456789012345678901234567890123456789", None),
            (b"A: 012345678901234567\n\nbody", Some(b"")),
            (
                b"A: b\nB: 012345678901234567\nC: d\n\nbody",
                Some(b"A: b\n"),
            ),
            (b"A: 0123456789\n 0123456789\r\n\r\nbody", Some(b"")),
            (
                b"A: b\nC: d\nE: f\nG: h\n\nbody",
                Some(b"A: b\nC: d\nE: f\n"),
            ),
            (
                b"A: 01234567890\nB: 01234567890\nC: 01234567890\n\nbody",
                Some(b"A: 01234567890\nB: 01234567890\n"),
            ),
        ];
        for (mail, kept) in table {
            for size in 1..=mail.len() {
                let (body, split) = in_chunks(mail, size, &limits).unwrap();
                assert_eq!(split.header_limit, kept.is_some(), "{mail:?} by {size}");
                if let Some(kept) = kept {
                    assert_eq!(split.header, *kept, "{mail:?} by {size}");
                    assert_eq!(body, b"body", "{mail:?} by {size}");
                    let block = &mail[..mail.len() - body.len()];
                    assert_eq!(split.header_hash, blake3::hash(block), "{mail:?} by {size}");
                }
            }
        }
        let large = b"A: b\n\n0123456789012345678901234567890123456789012345678901234567";
        for size in 1..=large.len() {
            let error = in_chunks(large, size, &limits).err().map(|e| e.code());
            assert_eq!(error, Some("mime.too_large"));
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
                    prop_assert_eq!(split.header_hash, split_cut.header_hash);
                    prop_assert_eq!(split.header_limit, split_cut.header_limit);
                    prop_assert_eq!(super::split(mail).1, &body[..]);
                }
                (whole, cut) => prop_assert_eq!(whole.err(), cut.err()),
            }
        }
    }
}
