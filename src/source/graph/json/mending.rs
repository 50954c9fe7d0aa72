//! Text that no JSON parser takes although the services write it: halves of characters, and bytes that are no UTF-8.
//!
//! Exchange keeps text as UTF-16 and does not mind where it was cut, so that a subject may end in half a character
//! (MS-OXCDATA, 2.11.1, PtypString). Graph writes such a half as `\ud83d`.

/// The document with a replacement character (U+FFFD) where half a character stands; `None` where there is none.
pub(in super::super) fn mended(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let mut mended = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut is_sound = text.len() == bytes.len() && text.as_bytes() == bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, from) = rest.split_at(at);
        mended.extend_from_slice(before);
        let taken = match (unit(from), from.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.extend_from_slice(br"\ufffd");
                is_sound = false;
                rest = from.get(6..).unwrap_or_default();
                continue;
            }
            (Some(_), _) => 6,
            (None, _) => from.len().min(2),
        };
        let (escape, after) = from.split_at(taken);
        mended.extend_from_slice(escape);
        rest = after;
    }
    mended.extend_from_slice(rest);
    (!is_sound).then_some(mended)
}

/// The code unit of an escape at the beginning of some text.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_is_replaced_and_nothing_else_is() {
        for (text, expected) in [
            (r#"{"a":"x\ud83d"}"#, r#"{"a":"x\ufffd"}"#),
            (r#"{"a":"\uDE00y"}"#, r#"{"a":"\ufffdy"}"#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\n\u0041\\ud83d""#, r#""\ufffd\n\u0041\\ud83d""#),
            (r#""\\\ud83d"#, r#""\\\ufffd"#),
        ] {
            let mended = mended(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(mended).unwrap(), expected);
        }
        for sound in [
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\u00e4\"\/""#,
            "",
            "\\",
            r"\u12",
        ] {
            assert_eq!(mended(sound.as_bytes()), None, "{sound}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        let mended = mended(b"\"a\xffb\"").unwrap();
        assert_eq!(String::from_utf8(mended).unwrap(), "\"a\u{fffd}b\"");
    }
}
