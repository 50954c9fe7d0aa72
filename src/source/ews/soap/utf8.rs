//! Repairs UTF-8 in the pieces of an answer before the XML reader sees them.

use bytes::Bytes;

/// Replaces invalid UTF-8 by U+FFFD, however the pieces are cut.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// The first bytes of a character whose rest is in the next piece.
    tail: Bytes,
}

impl Repair {
    /// Repairs the next piece. Valid pieces pass without a copy.
    pub(super) fn push(&mut self, piece: Bytes) -> Bytes {
        let mut bytes = self.join(piece);
        // An original is base64: most pieces are nothing but ASCII, which is the cheaper thing to know.
        if bytes.is_ascii() {
            return bytes;
        }
        match std::str::from_utf8(&bytes) {
            Ok(_) => bytes,
            Err(error) if error.error_len().is_none() => {
                self.tail = bytes.split_off(error.valid_up_to());
                bytes
            }
            Err(_) => self.replace(&bytes),
        }
    }

    /// What is left when the answer ends inside a character.
    pub(super) fn finish(&mut self) -> Bytes {
        if std::mem::take(&mut self.tail).is_empty() {
            Bytes::new()
        } else {
            Bytes::from_static("\u{fffd}".as_bytes())
        }
    }

    fn join(&mut self, piece: Bytes) -> Bytes {
        if self.tail.is_empty() {
            return piece;
        }
        let tail = std::mem::take(&mut self.tail);
        [tail, piece].concat().into()
    }

    fn replace(&mut self, bytes: &Bytes) -> Bytes {
        let mut text = String::with_capacity(bytes.len() + 16);
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let cut = chunks.peek().is_none()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if cut {
                self.tail = Bytes::copy_from_slice(invalid);
            } else if !invalid.is_empty() {
                text.push('\u{fffd}');
            }
        }
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(bytes: &[u8], size: usize) -> String {
        let mut repair = Repair::default();
        let mut out = Vec::new();
        for piece in bytes.chunks(size) {
            out.extend_from_slice(&repair.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&repair.finish());
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn every_cut_gives_what_the_whole_gives() {
        let samples: [&[u8]; 5] = [
            "plain \u{e4} \u{20ac} \u{1f600}".as_bytes(),
            b"\xff\xfe bad \xe2\x82",
            b"\xe2\x28\xa1 and \xf0\x9f\x98",
            b"\xed\xa0\x80 surrogate",
            b"",
        ];
        for sample in samples {
            let whole = String::from_utf8_lossy(sample);
            for size in 1..=sample.len().max(1) {
                assert_eq!(repaired(sample, size), whole, "{sample:?} by {size}");
            }
        }
    }
}
