//! Addresses: one by itself, and lists of them in a header.

use email_logging::message::{Address, MailFacts, Message, MessageLimits};

use super::engine::{Target, run};
use super::mail::smtp_of;

const WORDS: &[&str] = &[
    "@",
    "@@",
    "<",
    ">",
    "\"",
    "\\",
    "(",
    ")",
    "((",
    "))",
    ":",
    ";",
    ",",
    ".",
    "..",
    " ",
    "\t",
    "a@b.example",
    "<a@b.example>",
    "\"a b\"@c.example",
    "Group: a@b.example, c@d.example;",
    "=?utf-8?q?a=40b.example?=",
    "=?utf-8?b?YUBiLmV4YW1wbGU=?=",
    "xn--bcher-kva.example",
    "b\u{fc}cher.example",
    "\u{ff20}",
    "\u{202e}",
    "\u{200b}",
    "[127.0.0.1]",
    "[IPv6:::1]",
    "mailto:",
    "/O=ORG/OU=X/CN=RECIPIENTS/CN=A",
    "\u{130}",
    "%",
    "!",
    "\0",
];

/// An address that was read is read again as itself, is short, and holds nothing that another reader would split it at.
fn check_address(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Ok(address) = Address::parse(&text) else {
        return;
    };
    assert_eq!(
        Address::parse(address.as_str()),
        Ok(address.clone()),
        "not the same when read again"
    );
    let written = address.as_str();
    assert!(
        written.len() <= 3 * text.len() + 16,
        "{} out of {}",
        written.len(),
        text.len()
    );
    let (local, domain) = written.rsplit_once('@').expect("no @");
    assert_eq!(domain, address.domain());
    assert!(!local.is_empty() && !domain.is_empty());
    assert!(
        domain.is_ascii() && !domain.contains(|c: char| c.is_ascii_uppercase()),
        "{domain}"
    );
    let splits = |c: char| c.is_control() || "<>,;()\\ \"".contains(c);
    assert!(!domain.contains(splits), "{domain:?}");
    assert!(
        local.starts_with('"') || !local.contains(splits),
        "{local:?}"
    );
}

#[test]
fn address() {
    run(Target {
        name: "address",
        words: WORDS,
        made: Vec::new,
        check: check_address,
    });
}

/// A header value without its line ends, so that it stays one header.
fn one_line(input: &[u8]) -> Vec<u8> {
    input
        .iter()
        .copied()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect()
}

/// A list holds no more addresses than it has `@`, no address that is not written in it, and the same ones when it is read
/// in another header.
fn check_list(input: &[u8]) {
    let value = one_line(input);
    let mail = |name: &str| [name.as_bytes(), b": ", &value, b"\r\nSubject: s\r\n\r\nx"].concat();
    let read = |name| {
        let read = Message::read(
            &mail(name),
            &MailFacts::default(),
            &MessageLimits::default(),
        );
        read.ok()
    };
    let (Some(to), Some(cc)) = (read("To"), read("Cc")) else {
        return;
    };
    assert_eq!(to.to, cc.cc);
    let found = smtp_of(&to);
    let at_signs = value.split(|byte| *byte == b'@').count() - 1;
    assert!(
        found.len() <= at_signs,
        "{} addresses of {at_signs}",
        found.len()
    );
    for address in found {
        super::mail::assert_written(&address, &value);
        assert!(Address::parse(&address).is_ok(), "{address}");
    }
}

#[test]
fn address_lists() {
    run(Target {
        name: "address_lists",
        words: WORDS,
        made: Vec::new,
        check: check_list,
    });
}
