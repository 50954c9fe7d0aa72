//! The canary finds a secret in every form, or the tests that rely on it prove nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/canary.rs"]
mod canary;

use std::panic::AssertUnwindSafe;

use canary::Canary;

const SECRET: &str = "c4n4ry/Secret~?=";

#[test]
fn a_secret_is_found_in_every_form() {
    // Each form was written by another program: base64(1), xxd(1), iconv(1) and a browser's encodeURIComponent.
    let forms: [(&str, &[u8]); 12] = [
        ("raw", b"x c4n4ry/Secret~?= y"),
        ("base64, standard, after 0", b"YzRuNHJ5L1NlY3JldH4/PQ=="),
        ("base64, standard, after 1", b"YWM0bjRyeS9TZWNyZXR+Pz0="),
        ("base64, standard, after 2", b"YWFjNG40cnkvU2VjcmV0fj89"),
        ("base64, url, after 0", b"YzRuNHJ5L1NlY3JldH4_PQ"),
        ("hex, lower", b"0063346e3472792f5365637265747e3f3d00"),
        ("hex, upper", b"0063346E3472792F5365637265747E3F3D00"),
        (
            "percent where needed, upper",
            b"secret=c4n4ry%2FSecret~%3F%3D&",
        ),
        (
            "percent where needed, lower",
            b"secret=c4n4ry%2fSecret~%3f%3d&",
        ),
        (
            "percent, lower",
            b"%63%34%6e%34%72%79%2f%53%65%63%72%65%74%7e%3f%3d",
        ),
        (
            "UTF-16, little endian",
            b"c\x004\x00n\x004\x00r\x00y\x00/\x00S\x00e\x00c\x00r\x00e\x00t\x00~\x00?\x00=\x00",
        ),
        (
            "UTF-16, big endian",
            b"\x00c\x004\x00n\x004\x00r\x00y\x00/\x00S\x00e\x00c\x00r\x00e\x00t\x00~\x00?\x00=",
        ),
    ];
    let canary = Canary::new(SECRET);
    for (form, bytes) in forms {
        assert_eq!(canary.find(bytes), Some(form));
    }
    assert_eq!(
        canary.find(format!("{:?}", SECRET.as_bytes()).as_bytes()),
        Some("debug of bytes")
    );
}

#[test]
fn another_text_is_not_taken_for_the_secret() {
    let canary = Canary::new(SECRET);
    for text in ["", "c4n4ry", "C4N4RY/SECRET~?=", "YzRuNHJ5L1NlY3JldA=="] {
        assert_eq!(canary.find(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_folder_is_searched_to_its_depth() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    std::fs::write(folder.path().join("a"), "nothing").unwrap();
    std::fs::write(folder.path().join("deep/b"), "nothing").unwrap();
    let canary = Canary::new(SECRET);
    assert_eq!(canary.assert_folder(folder.path()), 2);
    std::fs::write(folder.path().join("deep/b"), SECRET).unwrap();
    let searched = std::panic::catch_unwind(|| canary.assert_folder(folder.path()));
    assert!(searched.is_err());
}

#[test]
fn the_causes_of_an_error_are_searched() {
    use email_logging::error::{Error, codes};
    let canary = Canary::new(SECRET);
    let clean = Error::new(&codes::CREDENTIAL_PROVIDER, "test");
    canary.assert_error(&clean);
    canary.assert_debug(&clean);
    let leaking = clean.with_source(std::io::Error::other(SECRET));
    let searched = AssertUnwindSafe(|| canary.assert_error(&leaking));
    assert!(std::panic::catch_unwind(searched).is_err());
}
