//! The reader of answers: whatever the bytes and however they are cut, no panic and one result.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ews/support.rs"]
mod support;

use email_logging::source::ews::testing::{AnswerSummary, read_answer};
use proptest::prelude::*;
use support::*;

type Read = Result<AnswerSummary, &'static str>;

fn read(bytes: &[u8], sizes: &[usize]) -> Read {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*size).clamp(1, rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    runtime
        .block_on(read_answer(pieces))
        .map_err(|error| error.code())
}

fn samples() -> Vec<Vec<u8>> {
    let facts = "<t:Subject>\u{e4}&#228;&#0;<![CDATA[<x>]]></t:Subject><t:Size>7</t:Size>\
        <t:ToRecipients><t:Mailbox><t:EmailAddress>a@example.com</t:EmailAddress></t:Mailbox>\
        </t:ToRecipients>";
    let get = [
        item("A", Some("mail \u{1f600}"), facts),
        failed("ErrorItemNotFound"),
        stopped(),
    ];
    let find = page(&format!("{}{}", row("A", b"k"), row("B", b"l")), 2, true);
    vec![
        response("GetItem", &get).into_bytes(),
        response("FindItem", &[find]).into_bytes(),
        response("FindFolder", &[folders(&[("Q", "Queue")])]).into_bytes(),
        fault("ErrorServerBusy", Some(1000)).into_bytes(),
        b"<!DOCTYPE html><html><body>no</body></html>".to_vec(),
    ]
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..6);
    let parts = (
        0..samples().len(),
        changes,
        any::<prop::sample::Index>(),
        any::<bool>(),
    );
    parts.prop_map(|(at, changes, cut, truncates)| {
        let mut bytes = samples().swap_remove(at);
        for (place, byte, kind) in changes {
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => drop(bytes.remove(place)),
                _ => bytes.insert(place, b"<>&;\"'="[usize::from(byte) % 7]),
            }
        }
        if truncates {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_cut_gives_one_result(
        bytes in mutated(),
        sizes in prop::collection::vec(1..40_usize, 1..8),
    ) {
        let whole = read(&bytes, &[usize::MAX]);
        prop_assert_eq!(&read(&bytes, &sizes), &whole);
        prop_assert_eq!(&read(&bytes, &[1]), &whole);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &[7]);
    }
}
