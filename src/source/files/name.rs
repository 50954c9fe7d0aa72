//! Names of files as ids: any bytes go in, printable ASCII comes out, and nothing leads out of a folder on the way back.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// A relative path as text: every byte that is not plain is `%` with two hexadecimal digits.
pub(super) fn encode(path: &Path) -> String {
    let mut text = String::new();
    for component in path.components() {
        if !text.is_empty() {
            text.push('/');
        }
        for byte in component.as_os_str().as_encoded_bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(*byte)),
                b'-' | b'_' | b'.' | b',' | b':' | b'=' | b'+' | b'@' | b'~' => {
                    text.push(char::from(*byte));
                }
                _ => text.extend(['%', digit(byte >> 4), digit(byte & 15)]),
            }
        }
    }
    text
}

fn digit(half: u8) -> char {
    let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
    digit.to_ascii_uppercase()
}

/// The path of a text, if it can only lie below where it begins.
pub(super) fn decode(text: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in text.split('/') {
        let name = os_string(unescape(part)?)?;
        if !is_one_name(&name) {
            return None;
        }
        path.push(name);
    }
    Some(path)
}

/// Whether a name is that of a file or a directory, and no way to another place.
pub(super) fn is_one_name(name: &OsStr) -> bool {
    let mut components = Path::new(name).components();
    let one = matches!(components.next(), Some(Component::Normal(only)) if only == name);
    one && components.next().is_none() && !name.as_encoded_bytes().contains(&0)
}

fn unescape(part: &str) -> Option<Vec<u8>> {
    let mut bytes = part.bytes();
    let mut name = Vec::with_capacity(part.len());
    while let Some(byte) = bytes.next() {
        name.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            byte => byte,
        });
    }
    Some(name)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // elsewhere not every name can be one
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(Into::into)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn any_name_is_text_and_comes_back() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(OsStr::from_bytes(b"a b/\xff\xfe%\n\x1b[31m.eml"));
        let text = encode(path);
        assert_eq!(text, "a%20b/%FF%FE%25%0A%1B%5B31m.eml");
        assert_eq!(decode(&text).unwrap(), path);
    }

    #[test]
    fn no_text_leads_out_of_the_folder() {
        for text in [
            "",
            "..",
            "a/../../b",
            "/etc/passwd",
            "a//b",
            ".",
            "%2E%2E/x",
            "a%2Fb",
            "%00",
            "%2",
            "%zz",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
