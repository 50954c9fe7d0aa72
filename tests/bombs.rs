//! Bombs are linear: twice the input takes no more than 2.1 times the memory in all, whatever the family, and what is held
//! at a time is bounded by the input and by the limits.
//!
//! Bytes are counted and not time, so that the result is the same on every machine; `benches/bombs.rs` measures the time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "bombs/families.rs"]
mod families;
#[path = "ews/support.rs"]
mod support;

use allocation_counter::{AllocationInfo, measure};
use email_logging::source::MailSource;
use families::{FAMILIES, Family};
use support::*;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// What the limits let be held at a time, such as 200,000 elements of one part of an answer.
const LIMITS: u64 = 40 << 20;

/// Reads an input of this size: how it ended, how large the input was, what was allocated.
fn count(family: &Family, size: usize) -> (String, u64, AllocationInfo) {
    let input = (family.make)(size);
    let mut outcome = String::new();
    let counted = measure(|| outcome = (family.read)(&input));
    (outcome, input.len() as u64, counted)
}

#[test]
fn twice_the_input_takes_at_most_2_1_times_the_memory() {
    let mut wrong = Vec::new();
    for family in FAMILIES {
        // What is made once, such as tables, is made here.
        count(family, family.size);
        let (outcome, length, once) = count(family, family.size);
        let (again, _, twice) = count(family, 2 * family.size);
        let (once, twice, peak) = (once.bytes_total, twice.bytes_total, once.bytes_max);
        let line = format!(
            "{}: {length} bytes of input, {once} and {twice} bytes allocated, {peak} at a time, \
             ended with {outcome:?} and {again:?}",
            family.name
        );
        eprintln!("{line}");
        let linear = twice * 10 <= once * 21;
        let bounded = peak <= 16 * length + LIMITS;
        let typed = outcome == family.outcome && again == family.outcome;
        if !(linear && bounded && typed) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What asking a server comes to that answers compressed, and how much it takes.
fn refused(compressed: usize) -> (&'static str, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(MockServer::start());
    let mut body = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    body.resize(compressed, 0);
    let answer = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_raw(body, "text/xml");
    runtime.block_on(Mock::given(any()).respond_with(answer).mount(&server));
    let (source, _) = source(&server);
    let mut outcome = "";
    let counted = measure(|| {
        let listed = runtime.block_on(source.list(&folder("Q"), all()));
        outcome = code_of(&listed.unwrap_err());
    });
    (outcome, counted.bytes_total)
}

#[test]
fn a_compressed_answer_is_refused_before_it_is_read() {
    refused(1 << 10);
    for size in [1 << 20, 2 << 20, 8 << 20] {
        let (outcome, allocated) = refused(size);
        assert_eq!(outcome, "http.encoding");
        assert!(
            allocated < 512 << 10,
            "{allocated} bytes for {size} that are not read"
        );
    }
}
