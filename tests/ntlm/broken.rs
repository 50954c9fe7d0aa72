//! Servers that break a sign-in or send challenges that mean harm.

use std::time::Duration;

use crate::offers::unauthorized;
use crate::parts::{Counted, PASSWORD, QUEUE, USER, open, source_to};
use crate::scripted::Scripted;
use crate::support::code_of;

/// A challenge with flags for Unicode, and no fields.
fn challenge() -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
    message.extend([0, 0, 0, 0, 48, 0, 0, 0, 1, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    message.extend([0; 16]);
    message
}

fn offered(message: &[u8]) -> String {
    let token = base64_simd::STANDARD.encode_to_string(message);
    unauthorized(&[&format!("NTLM {token}")])
}

/// A head for this many bytes, with these header lines.
fn fine(length: usize, lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n{lines}\r\n")
}

/// The code of opening a folder at a server with this script, how many requests it saw, and how often the credentials
/// were asked for.
async fn outcome(script: Vec<Option<String>>) -> (&'static str, usize, usize) {
    let server = Scripted::start(script).await;
    let account = Counted::new(USER, PASSWORD);
    let source = source_to(&server.url(), &account, |builder| {
        builder
            .with_first_byte_timeout(Duration::from_millis(500))
            .with_idle_timeout(Duration::from_millis(200))
            .with_answer_limit(1000)
    });
    let error = open(&source, QUEUE).await.unwrap_err();
    (code_of(&error), server.requests().len(), account.asked())
}

#[tokio::test]
async fn a_connection_that_ends_before_the_request_was_sent_counts_as_none() {
    let script = vec![Some(unauthorized(&["NTLM"])), None];
    assert_eq!(outcome(script).await, ("http.connect", 2, 0));
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_leaves_its_effect_open() {
    let script = vec![
        Some(unauthorized(&["NTLM"])),
        Some(offered(&challenge())),
        None,
    ];
    assert_eq!(outcome(script).await, ("http.closed", 3, 1));
}

#[tokio::test]
async fn a_page_of_a_challenge_that_does_not_end_counts_as_no_connection() {
    let endless = offered(&challenge()).replace("Content-Length: 0", "Content-Length: 99999999");
    let endless = endless + &"x".repeat(100_000);
    let script = vec![Some(unauthorized(&["NTLM"])), Some(endless)];
    assert_eq!(outcome(script).await, ("http.connect", 2, 0));
}

#[tokio::test]
async fn a_challenge_that_cannot_be_answered_gets_no_answer() {
    let changed = |at: usize, byte: u8| {
        let mut message = challenge();
        message[at] = byte;
        offered(&message)
    };
    for answer in [
        unauthorized(&["NTLM !"]),
        offered(&challenge()[..20]),
        offered(&vec![0; 20_000]),
        changed(8, 1),
        changed(12, 255),
        changed(20, 0),
        changed(22, 0x80),
    ] {
        let script = vec![Some(unauthorized(&["NTLM"])), Some(answer.clone())];
        let expected = ("http.ntlm_challenge", 2, 0);
        assert_eq!(outcome(script).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_its_offer_is_asked_no_further() {
    let script = vec![
        Some(unauthorized(&["NTLM"])),
        Some(unauthorized(&["NTLM"])),
        Some(unauthorized(&["NTLM"])),
    ];
    assert_eq!(outcome(script).await, ("http.unauthorized", 2, 0));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let silent = Some(String::new());
    let script = vec![Some(unauthorized(&["NTLM"])), silent.clone()];
    assert_eq!(outcome(script).await, ("http.connect", 2, 0));
    let script = vec![
        Some(unauthorized(&["NTLM"])),
        Some(offered(&challenge())),
        silent,
    ];
    assert_eq!(outcome(script).await, ("http.timeout", 3, 1));
}

#[tokio::test]
async fn an_answer_keeps_to_the_limits_of_every_other_client() {
    for (answer, code) in [
        (fine(10, "") + "  ", "http.timeout"),
        (
            fine(2000, "") + &" ".repeat(2000),
            "http.response_too_large",
        ),
        (fine(0, "Content-Encoding: gzip\r\n"), "http.encoding"),
        (fine(0, ""), "http.closed"),
    ] {
        let script = vec![
            Some(unauthorized(&["NTLM"])),
            Some(offered(&challenge())),
            Some(answer),
        ];
        assert_eq!(outcome(script).await, (code, 3, 1));
    }
}
