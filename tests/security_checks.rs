//! Each check of the security list has tests that carry its number, so that none can be forgotten or renamed away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The checks, with words that the tests of a check must speak of.
const CHECKS: [(&str, &[&str]); 14] = [
    ("01", &["bad_certificate", "tls_1_2"]),
    ("02", &["plain_http", "basic_towards_exchange_online"]),
    ("03", &["redirect"]),
    ("04", &["every_spelling", "two_calls", "listed"]),
    ("05", &["above_the_domain", "redirect", "password"]),
    ("06", &["state", "mix_up", "redirect_url", "nonce"]),
    ("07", &["no_more_is_asked", "opaque_token"]),
    ("08", &["another_tenant", "audience"]),
    ("09", &["64_callers"]),
    ("10", &["invalid_grant"]),
    (
        "11",
        &[
            "nonces",
            "row_column_or_scope",
            "wrong_key",
            "crash",
            "no_value_shows",
        ],
    ),
    ("12", &["mode_0600", "any_file"]),
    ("13", &["log_lines", "certificate"]),
    ("14", &["body_or_a_token"]),
];

#[test]
fn every_check_of_the_security_list_has_its_tests() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in sources(&tests) {
        let text = std::fs::read_to_string(&file).unwrap();
        for rest in text.split("fn check_").skip(1) {
            let (number, rest) = rest.split_at(2);
            let name = rest.split('(').next().unwrap();
            names.entry(number.into()).or_default().push(name.into());
        }
    }
    for (number, words) in CHECKS {
        let of_check = names.get(number).map_or(&[][..], Vec::as_slice);
        for word in words {
            let spoken_of = of_check.iter().any(|name| name.contains(word));
            assert!(
                spoken_of,
                "check {number} has no test about {word}: {of_check:?}"
            );
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}
