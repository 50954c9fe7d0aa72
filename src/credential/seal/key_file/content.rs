//! The text of a key file: a head, then one key a line, the newest last. Does no I/O.

use std::fmt::Write as _;

use secrecy::zeroize::Zeroizing;

use super::SecretText;
use crate::credential::seal::cipher::KEY;
use crate::credential::seal::key_provider::RecordKey;
use crate::credential::seal::key_ring::HeldKey;

/// The first line.
const HEAD: &str = "email-logging keys 1\n";

/// Hexadecimal digits of a key.
const DIGITS: usize = KEY * 2;

/// What stands in the place of a key that was retired.
pub(super) const RETIRED: &str = "----------------------------------------------------------------";

/// The keys of a file.
#[derive(Default)]
pub(super) struct Content {
    pub(super) lines: Vec<Line>,
    /// Bytes of the lines that are whole. What follows is left of a write that a crash ended.
    pub(super) whole: u64,
}

/// A key, and where its digits begin.
pub(super) struct Line {
    pub(super) key: HeldKey,
    pub(super) at: u64,
}

impl Content {
    /// The key that wraps.
    pub(super) fn current(&self) -> Option<&HeldKey> {
        self.keys().last()
    }

    pub(super) fn keys(&self) -> impl DoubleEndedIterator<Item = &HeldKey> {
        self.lines.iter().map(|line| &line.key)
    }
}

/// The keys of a text; `None` where it is not the text of a key file.
pub(super) fn parse(text: &[u8]) -> Option<Content> {
    let length = text.iter().rposition(|byte| *byte == b'\n');
    let length = length.map_or(0, |last| last + 1);
    let (whole, torn) = text.split_at_checked(length)?;
    if whole.is_empty() {
        let begun = torn.iter().all(|byte| *byte == 0) || HEAD.as_bytes().starts_with(torn);
        return begun.then(Content::default);
    }
    let lines = std::str::from_utf8(whole).ok()?.strip_prefix(HEAD)?;
    let mut content = Content {
        lines: Vec::new(),
        whole: length as u64,
    };
    let mut at = HEAD.len();
    for line in lines.split_inclusive('\n') {
        let (id, digits) = line.strip_suffix('\n')?.split_once(' ')?;
        if digits.len() != DIGITS {
            return None;
        }
        // Of a key that was retired, or whose retirement a crash ended, no part is of use.
        if !digits.contains('-') {
            let key = HeldKey::new(key(digits)?);
            let at = (at + id.len() + 1) as u64;
            (key.id == id).then(|| content.lines.push(Line { key, at }))?;
        }
        at += line.len();
    }
    Some(content)
}

/// The key of its digits.
fn key(digits: &str) -> Option<RecordKey> {
    let mut key = Zeroizing::new([0; KEY]);
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(RecordKey::new(&key))
}

/// The line of a key, after the head where it is the first.
pub(super) fn line(key: &HeldKey, first: bool) -> SecretText {
    let mut text = SecretText::new(String::with_capacity(HEAD.len() + DIGITS + 64));
    if first {
        text.push_str(HEAD);
    }
    text.push_str(&key.id);
    text.push(' ');
    for byte in key.as_bytes() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn file(keys: u8) -> Vec<u8> {
        let mut text = String::new();
        for n in 1..=keys {
            let key = HeldKey::new(RecordKey::new(&[n; KEY]));
            text.push_str(&line(&key, n == 1));
        }
        text.into_bytes()
    }

    fn current(text: &[u8]) -> Option<[u8; KEY]> {
        let content = parse(text).unwrap();
        content.current().map(|key| *key.as_bytes())
    }

    #[test]
    fn a_file_that_a_crash_cut_anywhere_has_the_keys_whose_lines_are_whole() {
        let (one, two) = (file(1), file(2));
        assert_eq!(current(&two), Some([2; KEY]));
        for length in 0..two.len() {
            let expected = (length >= one.len()).then_some([1; KEY]);
            assert_eq!(current(&two[..length]), expected, "{length}");
        }
        for zeros in 1..99 {
            let padded = [&one[..], &vec![0; zeros]].concat();
            assert_eq!(current(&padded), Some([1; KEY]), "{zeros}");
            assert_eq!(parse(&padded).unwrap().whole, one.len() as u64);
        }
        assert_eq!(current(&[0; 9]), None);
    }

    #[test]
    fn a_retirement_that_a_crash_ended_anywhere_leaves_the_other_key() {
        let two = file(2);
        let at = usize::try_from(parse(&two).unwrap().lines[0].at).unwrap();
        for length in 0..=DIGITS {
            // A disk may write the later sector first.
            for written in [at..at + length, at + DIGITS - length..at + DIGITS] {
                let mut text = two.clone();
                text[written].fill(b'-');
                let content = parse(&text).unwrap();
                assert_eq!(content.lines.len(), if length == 0 { 2 } else { 1 });
                assert_eq!(current(&text), Some([2; KEY]));
            }
        }
    }

    #[test]
    fn a_text_of_something_else_is_refused() {
        let one = String::from_utf8(file(1)).unwrap();
        let other_id = one.replacen("keys 1\n", "keys 1\n0", 1);
        for text in [
            "x",
            "-----BEGIN PRIVATE KEY-----\n",
            "email-logging keys 2\n",
            "\n",
            "email-logging keys 1\n\n",
            "email-logging keys 1\nid abc\n",
            &one.replace('\n', "\r\n"),
            &other_id,
            &one.to_uppercase(),
        ] {
            assert!(parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }
}
