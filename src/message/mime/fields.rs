//! The fields of one header block (RFC 5322 2.2), found but not read.
//!
//! Owns names, raw values and their unfolding. What a value means is for others.

/// One header field as it stands in the block.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    /// The name as written, without white space.
    pub(super) name: &'a [u8],
    /// The raw value with its folding, without the line end behind it.
    pub(super) value: &'a [u8],
}

impl Field<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line: folding and other runs of white space become one space.
    pub(super) fn unfolded(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(self.value.len());
        for word in words(self.value) {
            if !line.is_empty() {
                line.push(b' ');
            }
            line.extend_from_slice(word);
        }
        line
    }

    /// The unfolded value as text, without comments, in lower case: for keywords.
    pub(super) fn keyword(&self) -> String {
        without_comments(&String::from_utf8_lossy(&self.unfolded()))
            .trim()
            .to_ascii_lowercase()
    }
}

/// The words between white space.
pub(super) fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
        .filter(|word| !word.is_empty())
}

/// Some programs write one in front of a mail that they save.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of a header block in order. Lines that are no field are passed over, with what is
/// folded to them.
pub(super) fn fields(block: &[u8]) -> Vec<Field<'_>> {
    let block = block.strip_prefix(BYTE_ORDER_MARK).unwrap_or(block);
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in block.split_inclusive(|b| *b == b'\n') {
        if at > start && !matches!(line.first(), Some(b' ' | b'\t')) {
            found.extend(field(&block[start..at]));
            start = at;
        }
        at += line.len();
    }
    found.extend(field(&block[start..at]));
    found
}

fn field(lines: &[u8]) -> Option<Field<'_>> {
    let colon = lines.iter().position(|b| *b == b':')?;
    let (name, value) = lines.split_at(colon);
    let name = name.trim_ascii_end();
    let named = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    named.then(|| Field {
        name,
        value: trim_line_end(&value[1..]),
    })
}

fn trim_line_end(value: &[u8]) -> &[u8] {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    value.strip_suffix(b"\r").unwrap_or(value)
}

/// Leaves out comments in parentheses (RFC 5322 3.2.2), nested ones too.
fn without_comments(text: &str) -> String {
    let mut depth = 0_usize;
    let mut escaped = false;
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if depth > 0 => escaped = true,
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Text for people and stores: U+0000 replaced, white space at both ends taken off.
pub(super) fn clean(text: &str) -> String {
    text.trim().replace('\0', "\u{fffd}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_folded_values() {
        let block = b"\xef\xbb\xbfFirst: y\nFrom ada Mon Jan 1\r\nSubject : a\r\n  b\t c \r\nX:\nno field\n folded to it\n: x\nTo: d\r\n\r\n";
        let read: Vec<(String, String)> = fields(block)
            .iter()
            .map(|f| {
                (
                    String::from_utf8_lossy(f.name).into_owned(),
                    String::from_utf8_lossy(&f.unfolded()).into_owned(),
                )
            })
            .collect();
        let expected = [("First", "y"), ("Subject", "a b c"), ("X", ""), ("To", "d")];
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn keywords_lose_comments_and_case() {
        let value = b" Auto-Replied (va(ca)tion \\) ) ; x=Y";
        let field = Field { name: b"A", value };
        assert_eq!(field.keyword(), "auto-replied  ; x=y");
    }
}
