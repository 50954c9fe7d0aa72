//! Looks for a secret in whatever came out of the library, in every form that it could have been written in.

#![allow(dead_code)] // each test needs its part

use std::fmt::Debug;
use std::path::Path;

/// A secret, and the forms to look for.
pub(crate) struct Canary {
    forms: Vec<(String, Vec<u8>)>,
}

impl Canary {
    /// A secret of at least eight bytes: in shorter ones base64 would find too much.
    pub(crate) fn new(secret: impl AsRef<[u8]>) -> Self {
        let secret = secret.as_ref();
        assert!(secret.len() >= 8, "a canary has at least eight bytes");
        let mut forms = vec![
            ("raw".to_owned(), secret.to_vec()),
            ("debug of bytes".to_owned(), listed(secret)),
        ];
        for upper in [false, true] {
            let case = if upper { "upper" } else { "lower" };
            forms.push((format!("hex, {case}"), digits(secret, "", upper)));
            forms.push((format!("percent, {case}"), digits(secret, "%", upper)));
            forms.push((
                format!("percent where needed, {case}"),
                escaped(secret, upper),
            ));
        }
        for url in [false, true] {
            let alphabet = if url { "url" } else { "standard" };
            for before in 0..3 {
                let form = format!("base64, {alphabet}, after {before}");
                forms.push((form, base64(secret, before, url)));
            }
        }
        forms.extend(utf_16(secret));
        forms.retain(|(_, form)| !form.is_empty());
        Self { forms }
    }

    /// The form in which the secret is in these bytes.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<&str> {
        let found = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
        let mut forms = self.forms.iter();
        forms
            .find(|(_, form)| found(form))
            .map(|(name, _)| name.as_str())
    }

    /// Fails where the secret is in these bytes.
    pub(crate) fn assert_absent(&self, what: &str, bytes: impl AsRef<[u8]>) {
        let found = self.find(bytes.as_ref());
        assert!(found.is_none(), "{what} shows the secret: {found:?}");
    }

    /// Fails where `Debug` of a value shows the secret, plain or indented.
    pub(crate) fn assert_debug<T: Debug>(&self, value: &T) {
        let what = format!("Debug of {}", std::any::type_name::<T>());
        self.assert_absent(&what, format!("{value:?} {value:#?}"));
    }

    /// Fails where the secret is in an error or in one of its causes.
    pub(crate) fn assert_error(&self, error: &(dyn std::error::Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.assert_absent("an error", format!("{error} {error:?} {error:#?}"));
            next = error.source();
        }
    }

    /// Fails where the secret is in a file of this folder, or in a folder below it; answers how many files there were.
    pub(crate) fn assert_folder(&self, folder: &Path) -> usize {
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += self.assert_folder(&path);
            } else {
                self.assert_absent(&path.display().to_string(), std::fs::read(&path).unwrap());
                files += 1;
            }
        }
        files
    }
}

fn listed(bytes: &[u8]) -> Vec<u8> {
    let text = format!("{bytes:?}");
    text.trim_matches(['[', ']']).as_bytes().to_vec()
}

fn digits(bytes: &[u8], before: &str, upper: bool) -> Vec<u8> {
    let digits = |byte: &u8| format!("{before}{byte:02x}");
    let text: String = bytes.iter().map(digits).collect();
    if upper {
        text.to_uppercase().into_bytes()
    } else {
        text.into_bytes()
    }
}

/// As a form or a URL has it: what is unreserved stays (RFC 3986, 2.3).
fn escaped(bytes: &[u8], upper: bool) -> Vec<u8> {
    let stays = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    bytes
        .iter()
        .flat_map(|byte| {
            if stays(byte) {
                vec![*byte]
            } else {
                digits(&[*byte], "%", upper)
            }
        })
        .collect()
}

/// The characters that belong to the secret alone where `before` bytes come before it in its group of three.
fn base64(bytes: &[u8], before: usize, url: bool) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let last: &[u8] = if url { b"-_" } else { b"+/" };
    let alphabet = [ALPHABET, last].concat();
    let bits: Vec<u8> = std::iter::repeat_n(0, before)
        .chain(bytes.iter().copied())
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let characters = bits.chunks_exact(6).skip((before * 8).div_ceil(6));
    characters
        .map(|bits| bits.iter().fold(0, |sum, bit| sum << 1 | usize::from(*bit)))
        .map(|value| alphabet[value])
        .collect()
}

fn utf_16(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Vec::new();
    };
    let little = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    vec![
        ("UTF-16, little endian".to_owned(), little),
        ("UTF-16, big endian".to_owned(), big),
    ]
}
