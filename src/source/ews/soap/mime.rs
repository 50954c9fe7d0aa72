//! The original of a mail: base64 text to bytes, piece by piece, straight into the sink.

use quick_xml::events::Event;
use tokio::io::AsyncBufReadExt;

use super::reader::{XmlReader, read_error};
use super::tree::Tree;
use crate::error::{Error, Result, codes};
use crate::source::{FetchSink, Fetched};

/// Bytes of base64 that are decoded at once.
const PIECE: usize = 64 << 10;

/// The sink of one item; tells it of the item when there is something to tell.
pub(in crate::source::ews) struct ItemSink<'a> {
    sink: &'a mut dyn FetchSink,
    index: usize,
    hint: Option<u64>,
    begun: bool,
    refused: bool,
}

impl<'a> ItemSink<'a> {
    /// The sink for the item with this index in the question.
    pub(in crate::source::ews) fn new(
        sink: &'a mut dyn FetchSink,
        index: usize,
        hint: Option<u64>,
    ) -> Self {
        Self {
            sink,
            index,
            hint,
            begun: false,
            refused: false,
        }
    }

    /// Whether the sink refused bytes: its error ends the fetch.
    pub(in crate::source::ews) fn refused(&self) -> bool {
        self.refused
    }

    /// The item is asked for again: what came of it does not count.
    pub(in crate::source::ews) fn start_again(&mut self) {
        self.begun = false;
    }

    /// Ends the item.
    pub(in crate::source::ews) async fn end(&mut self, fetched: Fetched) -> Result<()> {
        self.begin();
        self.sink.end(fetched).await
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.begin();
        let taken = self.sink.chunk(bytes).await;
        self.refused |= taken.is_err();
        taken
    }

    fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            self.sink.begin(self.index, self.hint);
        }
    }
}

/// How an original ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::source::ews) struct MimeEnd {
    /// Its bytes.
    pub(in crate::source::ews) bytes: u64,
    /// Characters that are no base64 were met: the bytes cannot be trusted.
    pub(in crate::source::ews) damaged: bool,
}

impl XmlReader {
    /// Reads the content of the element that was opened last as base64.
    pub(in crate::source::ews) async fn read_mime(
        &mut self,
        tree: &mut Tree,
        sink: &mut ItemSink<'_>,
    ) -> Result<MimeEnd> {
        let mut decoder = Decoder {
            out: std::mem::take(&mut self.decoded),
            ..Decoder::default()
        };
        loop {
            self.pass_text(&mut decoder, sink).await?;
            self.buffer.clear();
            match self.reader.read_event_into_async(&mut self.buffer).await {
                Ok(Event::End(_)) => {
                    self.leave(tree);
                    let end = decoder.finish(sink).await?;
                    self.decoded = decoder.out;
                    return Ok(end);
                }
                Ok(Event::CData(text)) => decoder.push(text.as_bytes(), sink).await?,
                Ok(Event::Comment(_) | Event::PI(_)) => {}
                Ok(Event::Eof) => return Err(self.truncated()),
                Ok(_) => return Err(Error::new(&codes::EWS_XML_INVALID, self.operation)),
                Err(error) => return Err(read_error(&mut self.reader, self.operation, &error)),
            }
        }
    }

    async fn pass_text(&mut self, decoder: &mut Decoder, sink: &mut ItemSink<'_>) -> Result<()> {
        loop {
            self.reader.get_mut().start_token();
            let mut stream = self.reader.stream();
            let Ok(bytes) = stream.fill_buf().await else {
                let failure = self.reader.get_mut().take_failure();
                return Err(failure.unwrap_or_else(|| self.truncated()));
            };
            if bytes.is_empty() {
                return Err(self.truncated());
            }
            let bytes = bytes.get(..PIECE).unwrap_or(bytes);
            let found = memchr::memchr(b'<', bytes);
            let length = found.unwrap_or(bytes.len());
            decoder
                .push(bytes.get(..length).unwrap_or_default(), sink)
                .await?;
            stream.consume(length);
            if found.is_some() {
                return Ok(());
            }
        }
    }
}

/// Decodes base64 that is cut anywhere. Pure base64 goes the fast way; white space, references and wrong padding the slow.
#[derive(Debug, Default)]
struct Decoder {
    /// Up to three characters of an unfinished group.
    carry: Vec<u8>,
    out: Vec<u8>,
    end: MimeEnd,
    padded: bool,
    /// A character reference that was begun, without its `&`.
    reference: Option<Vec<u8>>,
}

impl Decoder {
    async fn push(&mut self, text: &[u8], sink: &mut ItemSink<'_>) -> Result<()> {
        self.out.clear();
        for piece in text.chunks(PIECE) {
            if !self.decode_fast(piece) {
                self.decode_slow(piece);
            }
        }
        self.hand_over(sink).await
    }

    async fn finish(&mut self, sink: &mut ItemSink<'_>) -> Result<MimeEnd> {
        self.out.clear();
        // One character is no byte: something was lost before it.
        self.end.damaged |= self.carry.len() == 1 || self.reference.is_some();
        let group = self
            .carry
            .iter()
            .fold(0_u32, |group, c| group << 6 | value(*c));
        match self.carry.len() {
            2 => self.out.extend(u8::try_from(group >> 4)),
            3 => self.out.extend((group >> 2).to_be_bytes().iter().skip(2)),
            _ => {}
        }
        self.hand_over(sink).await?;
        Ok(self.end)
    }

    async fn hand_over(&mut self, sink: &mut ItemSink<'_>) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.end.bytes += u64::try_from(self.out.len()).unwrap_or(0);
        sink.chunk(&self.out).await
    }

    /// Decodes a piece of nothing but base64; changes nothing and says no where it is something else.
    fn decode_fast(&mut self, piece: &[u8]) -> bool {
        if self.padded || self.reference.is_some() {
            return piece.is_empty();
        }
        let missing = (4 - self.carry.len()) % 4;
        let Some((head, rest)) = piece.split_at_checked(missing) else {
            return false;
        };
        let (groups, tail) = rest.split_at(rest.len() / 4 * 4);
        if tail.iter().any(|c| !is_base64(*c)) {
            return false;
        }
        let start = self.out.len();
        let group = [self.carry.as_slice(), head].concat();
        let decoded = base64_simd::STANDARD
            .decode_append(&group, &mut self.out)
            .and_then(|()| base64_simd::STANDARD.decode_append(groups, &mut self.out));
        let group_padded = group.last() == Some(&b'=');
        if decoded.is_err() || (group_padded && !rest.is_empty()) {
            self.out.truncate(start);
            return false;
        }
        self.padded = group_padded || groups.last() == Some(&b'=');
        self.end.damaged |= self.padded && !tail.is_empty();
        self.carry.clear();
        if !self.padded {
            self.carry.extend_from_slice(tail);
        }
        true
    }

    /// White space may be written as a reference; any other one, and one that does not end, is damage.
    fn continue_reference(&mut self, c: u8) {
        let Some(mut reference) = self.reference.take() else {
            return;
        };
        if c == b';' {
            self.end.damaged |= !is_space(&reference);
        } else if reference.len() < REFERENCE && (c.is_ascii_alphanumeric() || c == b'#') {
            reference.push(c);
            self.reference = Some(reference);
        } else {
            self.end.damaged = true;
        }
    }

    fn decode_slow(&mut self, piece: &[u8]) {
        let mut text = std::mem::take(&mut self.carry);
        for c in piece {
            match c {
                _ if self.reference.is_some() => self.continue_reference(*c),
                b'&' => self.reference = Some(Vec::new()),
                b'=' => self.padded = true,
                c if c.is_ascii_whitespace() => {}
                c if is_base64(*c) && !self.padded => text.push(*c),
                _ => self.end.damaged = true,
            }
        }
        self.carry = text.split_off(text.len() / 4 * 4);
        let decoded = base64_simd::STANDARD.decode_append(&text, &mut self.out);
        self.end.damaged |= decoded.is_err();
    }
}

/// The longest reference to white space, with leading zeros.
const REFERENCE: usize = 12;

/// Whether the reference stands for white space (XML 1.0, 2.3).
fn is_space(reference: &[u8]) -> bool {
    let digits = std::str::from_utf8(reference)
        .ok()
        .and_then(|text| text.strip_prefix('#'));
    let number = digits.map(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    });
    matches!(number, Some(Ok(0x9 | 0xA | 0xD | 0x20)))
}

fn is_base64(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/')
}

fn value(c: u8) -> u32 {
    match c {
        b'A'..=b'Z' => u32::from(c - b'A'),
        b'a'..=b'z' => u32::from(c - b'a') + 26,
        b'0'..=b'9' => u32::from(c - b'0') + 52,
        b'+' => 62,
        _ => 63,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use async_trait::async_trait;

    #[derive(Default)]
    struct Bytes(Vec<u8>);

    #[async_trait]
    impl FetchSink for Bytes {
        fn begin(&mut self, _: usize, _: Option<u64>) {}

        async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }

        async fn end(&mut self, _: Fetched) -> Result<()> {
            Ok(())
        }
    }

    async fn decode(text: &[u8], size: usize) -> (Vec<u8>, bool) {
        let mut bytes = Bytes::default();
        let mut sink = ItemSink::new(&mut bytes, 0, None);
        let mut decoder = Decoder::default();
        for piece in text.chunks(size) {
            decoder.push(piece, &mut sink).await.unwrap();
        }
        let end = decoder.finish(&mut sink).await.unwrap();
        assert_eq!(end.bytes, bytes.0.len() as u64);
        (bytes.0, end.damaged)
    }

    #[tokio::test]
    async fn every_cut_gives_the_same_bytes() {
        for (text, bytes, damaged) in [
            ("SGVsbG8gV29ybGQh", "Hello World!", false),
            ("SGVsbG8gV29ybGQ=", "Hello World", false),
            ("SGVsbG8gV29ybA==", "Hello Worl", false),
            ("SGVsbG8gV29ybGQ", "Hello World", false),
            ("SGVsbG8gV29ybA", "Hello Worl", false),
            ("SGVsbG8gV29ybGQhQ", "Hello World!", true),
            ("SGVs&#x41;bG8gV29ybGQh", "Hello World!", true),
            ("SGVs&amp;bG8gV29ybGQh", "Hello World!", true),
            ("SGVsbG8h&#xD", "Hello!", true),
            ("SGVs&", "Hel", true),
            ("SGVs&-bG8h", "Hello!", true),
            ("SGVs\r\nbG8gV2\t9ybGQ h\n", "Hello World!", false),
            ("SGVs&#xD;&#10;bG8gV29ybGQh", "Hello World!", false),
            ("SGVsbG8gV29ybGQ=\n", "Hello World", false),
            ("SGVsbG8*gV29ybGQh", "Hello World!", true),
            ("SGVsbG8=V29ybGQh", "Hello", true),
            ("", "", false),
        ] {
            for size in 1..=text.len().max(1) {
                let decoded = decode(text.as_bytes(), size).await;
                assert_eq!(decoded, (bytes.into(), damaged), "{text:?} by {size}");
            }
        }
    }
}
