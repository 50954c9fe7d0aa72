//! Decoders of the MIME parser, each behind a signature of our own: encoded-words, transfer
//! encodings, charsets.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};

use super::encoded_words;
use super::fields::{Field, clean};

/// Text with its encoded-words (RFC 2047) decoded.
pub(super) fn words(text: &str) -> Cow<'_, str> {
    if text.contains("=?") {
        Cow::Owned(unstructured(text.as_bytes()))
    } else {
        Cow::Borrowed(text)
    }
}

/// An unstructured field such as Subject: unfolded, decoded, at any length. Raw bytes that are no
/// UTF-8 become U+FFFD.
pub(super) fn text(field: &Field<'_>) -> String {
    clean(&unstructured(field.value))
}

fn unstructured(value: &[u8]) -> String {
    let mut line = encoded_words::join(value);
    line.push(b'\n');
    match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    }
}

/// A Content-Type or Content-Disposition with its parameters (RFC 2045, RFC 2231).
pub(super) fn content_type(field: &Field<'_>) -> Option<ContentType<'static>> {
    let mut line = Vec::with_capacity(field.value.len() + 1);
    line.extend_from_slice(field.value);
    line.push(b'\n');
    match MessageStream::new(&line).parse_content_type().into_owned() {
        HeaderValue::ContentType(content_type) => Some(content_type),
        _ => None,
    }
}

/// A body after its transfer encoding, and whether it was damaged.
pub(super) fn transfer<'a>(body: &'a [u8], encoding: &str) -> (Cow<'a, [u8]>, bool) {
    match encoding {
        "base64" => base64(body),
        "quoted-printable" => {
            let (end, bytes) = MessageStream::new(body).decode_quoted_printable_mime(b"");
            if end == usize::MAX {
                (Cow::Borrowed(body), true)
            } else {
                (bytes, false)
            }
        }
        _ => (Cow::Borrowed(body), false),
    }
}

/// Characters outside the alphabet are passed over, as RFC 2045 6.8 asks; they are damage all the
/// same.
fn base64(body: &[u8]) -> (Cow<'_, [u8]>, bool) {
    let (end, bytes) = MessageStream::new(body).decode_base64_mime(b"");
    if end != usize::MAX {
        return (bytes, false);
    }
    let alphabet = |b: &u8| b.is_ascii_alphanumeric() || b"+/=".contains(b);
    let kept: Vec<u8> = body.iter().copied().filter(alphabet).collect();
    let (end, bytes) = MessageStream::new(&kept).decode_base64_mime(b"");
    if end == usize::MAX {
        (Cow::Borrowed(body), true)
    } else {
        (Cow::Owned(bytes.into_owned()), true)
    }
}

/// Text in its charset, and whether bytes of it could not be decoded. An unknown charset is read as
/// UTF-8.
pub(super) fn charset(bytes: &[u8], charset: Option<&str>) -> (String, bool) {
    let text = match charset.and_then(|name| charset_decoder(name.as_bytes())) {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    };
    let damaged = text.contains('\u{fffd}');
    (text, damaged)
}

/// HTML without its markup.
pub(super) fn html_to_text(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(value: &[u8]) -> Field<'_> {
        Field { name: b"X", value }
    }

    #[test]
    fn subjects_are_unfolded_and_decoded() {
        let table: &[(&[u8], &str)] = &[
            (b" plain  text", "plain  text"),
            (b" a\r\n b", "a b"),
            (
                b" =?utf-8?q?L=C3=BA?=\r\n =?iso-8859-1?q?cia_?= x",
                "L\u{fa}cia  x",
            ),
            (b" =?utf-8?q?L=C3?= =?utf-8?q?=BAcia?=", "L\u{fa}cia"),
            (b" a\0b", "a\u{fffd}b"),
            (b" caf\xe9", "caf\u{fffd}"),
            (b"", ""),
        ];
        for (value, text_read) in table {
            assert_eq!(text(&field(value)), *text_read, "{value:?}");
        }
    }

    #[test]
    fn damaged_transfer_encodings_are_read_as_far_as_they_go() {
        assert_eq!(
            transfer(b"aGFsbG8=", "base64"),
            (b"hallo"[..].into(), false)
        );
        assert_eq!(
            transfer(b"aG!Fs*bG8=", "base64"),
            (b"hallo"[..].into(), true)
        );
        assert_eq!(
            transfer(b"a=3Db", "quoted-printable"),
            (b"a=b"[..].into(), false)
        );
        assert_eq!(
            transfer(b"a==b", "quoted-printable"),
            (b"a==b"[..].into(), true)
        );
        assert_eq!(transfer(b"a=3Db", "8bit"), (b"a=3Db"[..].into(), false));
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            text(&field(&bytes));
            content_type(&field(&bytes));
            transfer(&bytes, "base64");
            transfer(&bytes, "quoted-printable");
            for name in ["utf-7", "utf-16", "iso-2022-jp", "gb18030", "big5", "nonsense"] {
                html_to_text(&charset(&bytes, Some(name)).0);
            }
        }

        #[test]
        fn any_markup_is_read_without_panic(html in "[<>!a-c&;#x0-9 /\"=\u{fc}\n-]{0,60}") {
            html_to_text(&html);
        }

        #[test]
        fn any_parameters_are_read_without_panic(
            value in "[a-c/;=\"\\\\*0-2'% \r\n?utf8\u{fc}-]{0,60}"
        ) {
            content_type(&field(value.as_bytes()));
        }
    }
}
