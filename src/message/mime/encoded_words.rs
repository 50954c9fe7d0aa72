//! Encoded-words that were cut inside a character.
//!
//! RFC 2047 5 wants whole characters in each word, and many programs cut where the line is full. The
//! MIME parser decodes word by word, so neighbours of one charset and encoding are joined before.

/// The value with neighbouring encoded-words joined.
pub(super) fn join(value: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(value.len() + 1);
    let mut rest = value;
    let mut last: Option<Word<'_>> = None;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"=?") {
        let (before, from) = rest.split_at(at);
        let Some(word) = Word::read(from) else {
            joined.extend_from_slice(before);
            joined.extend_from_slice(b"=?");
            rest = &from[2..];
            last = None;
            continue;
        };
        rest = &from[word.whole.len()..];
        let adjacent = before.iter().all(u8::is_ascii_whitespace);
        if last.is_some_and(|last| adjacent && last.goes_on_in(&word)) {
            joined.truncate(joined.len() - 2);
            joined.extend_from_slice(word.data);
            joined.extend_from_slice(b"?=");
        } else {
            joined.extend_from_slice(before);
            joined.extend_from_slice(word.whole);
        }
        last = Some(word);
    }
    joined.extend_from_slice(rest);
    joined
}

/// `=?charset?encoding?data?=`
#[derive(Clone, Copy)]
struct Word<'a> {
    whole: &'a [u8],
    charset: &'a [u8],
    encoding: u8,
    data: &'a [u8],
}

impl<'a> Word<'a> {
    fn read(from: &'a [u8]) -> Option<Self> {
        let mut pieces = from.get(2..)?.splitn(4, |b| *b == b'?');
        let charset = pieces.next().filter(|charset| !charset.is_empty())?;
        let encoding = pieces.next()?;
        let data = pieces.next()?;
        let [encoding] = encoding else { return None };
        let ended = pieces.next()?.starts_with(b"=");
        let length = 2 + charset.len() + 3 + data.len() + 2;
        ended.then_some(Self {
            whole: from.get(..length)?,
            charset,
            encoding: encoding.to_ascii_lowercase(),
            data,
        })
    }

    /// Base64 can be joined only where a word ends with whole bytes and without padding.
    fn goes_on_in(&self, next: &Self) -> bool {
        let whole = self.data.len().is_multiple_of(4) && !self.data.ends_with(b"=");
        self.encoding == next.encoding
            && self.charset.eq_ignore_ascii_case(next.charset)
            && (self.encoding == b'q' || (self.encoding == b'b' && whole))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::join;
    use proptest::prelude::*;

    #[test]
    fn neighbours_of_one_kind_are_joined() {
        let table: &[(&str, &str)] = &[
            ("=?a?q?x?= =?A?Q?y?=", "=?a?q?xy?="),
            ("=?a?q?x?=\r\n =?a?q?y?=\t=?a?q?z?= t", "=?a?q?xyz?= t"),
            ("=?a?b?eHh4?= =?a?b?eQ==?=", "=?a?b?eHh4eQ==?="),
            ("=?a?b?eA==?= =?a?b?eQ==?=", "=?a?b?eA==?= =?a?b?eQ==?="),
            ("=?a?q?x?= - =?a?q?y?=", "=?a?q?x?= - =?a?q?y?="),
            ("=?a?q?x?= =?b?q?y?=", "=?a?q?x?= =?b?q?y?="),
            ("=?a?q?x?= =?a?b?eQ==?=", "=?a?q?x?= =?a?b?eQ==?="),
            ("=?=? =?a?", "=?=? =?a?"),
            ("plain", "plain"),
            ("", ""),
        ];
        for (value, joined) in table {
            assert_eq!(join(value.as_bytes()), joined.as_bytes(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_joined_without_panic(value in "[=?aqb A\r\n]{0,60}") {
            join(value.as_bytes());
        }
    }
}
