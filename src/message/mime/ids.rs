//! Message-IDs (RFC 5322 3.6.4), however they are written.

use super::fields::words;

/// The ids of a field in order, without brackets. Without any bracket each word that looks like an
/// id is one.
pub(super) fn read(value: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(open) = rest.iter().position(|b| *b == b'<') {
        let inside = &rest[open + 1..];
        let Some(close) = inside.iter().position(|b| *b == b'>') else {
            break;
        };
        let (id, after) = inside.split_at(close);
        let id = id.rsplit(|b| *b == b'<').next().unwrap_or(id);
        found.extend(text(id));
        rest = after;
    }
    if found.is_empty() {
        found.extend(words(value).filter(|w| w.contains(&b'@')).filter_map(text));
    }
    found
}

/// One id, whatever it looks like: a Message-ID without an `@` is one all the same.
pub(super) fn read_one(value: &[u8]) -> Option<String> {
    read(value).into_iter().next().or_else(|| text(value))
}

fn text(id: &[u8]) -> Option<String> {
    let joined: Vec<u8> = words(id).flatten().copied().collect();
    let text = String::from_utf8_lossy(&joined).replace('\0', "\u{fffd}");
    let text = text.trim_matches(['<', '>']);
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_among_garbage() {
        let table: &[(&[u8], &[&str])] = &[
            (b" <a@b>", &["a@b"]),
            (b" <a@b>\r\n <c@d><e@f>", &["a@b", "c@d", "e@f"]),
            (b" <a\r\n @b>, x <c@d", &["a@b"]),
            (b" Your mail of <a@b> (x)", &["a@b"]),
            (b" a@b c@d", &["a@b", "c@d"]),
            (b" <<a@b>>", &["a@b"]),
            (b" <>", &[]),
            (b" a\0@\xff", &["a\u{fffd}@\u{fffd}"]),
            (b" nothing here", &[]),
        ];
        for (value, ids) in table {
            assert_eq!(read(value), *ids, "{value:?}");
        }
        assert_eq!(read_one(b" no at sign"), Some("noatsign".to_owned()));
        assert_eq!(read_one(b" <a@b> <c@d>"), Some("a@b".to_owned()));
        assert_eq!(read_one(b" "), None);
        assert_eq!(read_one(b" <>"), None);
    }
}
