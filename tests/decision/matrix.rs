//! The direction matrix: every kind of sender to every kind of recipients, in To and in Cc, under both presets.
//!
//! The expected results are written by hand, row by row.

use crate::common::{
    decided, default_policy, empty, mailbox, mailboxes, original_policy, words, world,
};
use email_logging::decision::LoggingPolicy;

const SENDERS: [(&str, Option<&str>); 5] = [
    ("salesperson", Some("s1@own.example")),
    ("contact", Some("c9@customer.example")),
    ("both", Some("d@own.example")),
    ("unknown", Some("stranger@else.example")),
    ("absent", None),
];

const RECIPIENTS: [(&str, &[&str]); 7] = [
    ("salesperson", &["s2@own.example"]),
    ("contact", &["c1@customer.example"]),
    ("both", &["b@own.example"]),
    ("unknown", &["nobody@else.example"]),
    ("none", &[]),
    (
        "several",
        &[
            "s2@own.example",
            "c1@customer.example",
            "nobody@else.example",
            "c2@customer.example",
            "b@own.example",
        ],
    ),
    (
        "repeated",
        &[
            "c1@customer.example",
            "s2@own.example",
            "C1@Customer.Example",
            "S2@own.example",
        ],
    ),
];

type Table = [[&'static str; 7]; 5];

const NO_SENDER: [&str; 7] = ["not-matched no-sender"; 7];
const NO_RECIPIENTS: &str = "not-matched no-recipients";
const NO_CONTACT: &str = "not-matched no-contact";
const NO_SALESPERSON: &str = "not-matched no-salesperson";
const UNKNOWN: &str = "not-matched unknown-sender";
const INTERNAL: &str = "excluded internal";

const DEFAULT: Table = [
    [
        INTERNAL,
        "out C1/S1",
        "out CB/S1",
        NO_CONTACT,
        NO_RECIPIENTS,
        "out C1/S1 C2/S1 CB/S1",
        "out C1/S1",
    ],
    [
        "in C9/S2",
        NO_SALESPERSON,
        "in C9/SB",
        NO_SALESPERSON,
        NO_RECIPIENTS,
        "in C9/S2 C9/SB",
        "in C9/S2",
    ],
    [
        INTERNAL,
        "out C1/SD",
        "out CB/SD",
        NO_CONTACT,
        NO_RECIPIENTS,
        "out C1/SD C2/SD CB/SD",
        "out C1/SD",
    ],
    [
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        NO_RECIPIENTS,
        UNKNOWN,
        UNKNOWN,
    ],
    NO_SENDER,
];

const BUSINESS_CENTRAL_TO: Table = [
    [
        NO_CONTACT,
        "out C1/S1",
        "out CB/S1",
        NO_CONTACT,
        NO_RECIPIENTS,
        "out C1/S1 C2/S1 CB/S1",
        "out C1/S1 C1/S1#1",
    ],
    [
        "in C9/S2",
        NO_SALESPERSON,
        "in C9/SB",
        NO_SALESPERSON,
        NO_RECIPIENTS,
        "in C9/S2 C9/SB",
        "in C9/S2 C9/S2#1",
    ],
    [
        NO_CONTACT,
        "out C1/SD",
        "out CB/SD",
        NO_CONTACT,
        NO_RECIPIENTS,
        "out C1/SD C2/SD CB/SD",
        "out C1/SD C1/SD#1",
    ],
    [
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        NO_RECIPIENTS,
        UNKNOWN,
        UNKNOWN,
    ],
    NO_SENDER,
];

/// The original reads To alone, so that a mail with Cc recipients alone has none.
const BUSINESS_CENTRAL_CC: Table = [
    [NO_RECIPIENTS; 7],
    [NO_RECIPIENTS; 7],
    [NO_RECIPIENTS; 7],
    [NO_RECIPIENTS; 7],
    NO_SENDER,
];

fn check(policy: &LoggingPolicy, in_cc: bool, expected: &Table) {
    let mut wrong = Vec::new();
    for ((sender, from), row) in SENDERS.iter().zip(expected) {
        for ((kind, recipients), expected) in RECIPIENTS.iter().zip(row) {
            let mut message = empty();
            message.from = from.iter().copied().map(mailbox).collect();
            let field = if in_cc {
                &mut message.cc
            } else {
                &mut message.to
            };
            *field = mailboxes(recipients);
            let found = words(&decided(&message, &world(), policy));
            if found != *expected {
                wrong.push(format!("{sender} to {kind}: {found}, expected {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn default_policy_with_recipients_in_to() {
    check(&default_policy(), false, &DEFAULT);
}

#[test]
fn default_policy_with_recipients_in_cc() {
    check(&default_policy(), true, &DEFAULT);
}

#[test]
fn business_central_with_recipients_in_to() {
    check(&original_policy(), false, &BUSINESS_CENTRAL_TO);
}

#[test]
fn business_central_with_recipients_in_cc() {
    check(&original_policy(), true, &BUSINESS_CENTRAL_CC);
}

#[test]
fn recipients_in_to_and_cc_are_counted_once_together() {
    let mut message = crate::common::mail("s1@own.example", &["c1@customer.example"]);
    message.cc = mailboxes(&["c1@customer.example", "c2@customer.example"]);
    let default = decided(&message, &world(), &default_policy());
    assert_eq!(words(&default), "out C1/S1 C2/S1");
    let original = decided(&message, &world(), &original_policy());
    assert_eq!(words(&original), "out C1/S1");
}

#[test]
fn blind_recipients_count_where_a_copy_names_them() {
    let mut message = crate::common::mail("s1@own.example", &["nobody@else.example"]);
    message.bcc = mailboxes(&["c2@customer.example"]);
    assert_eq!(crate::common::outcome(&message), "out C2/S1");
    let mut policy = default_policy();
    policy.bcc = false;
    assert_eq!(words(&decided(&message, &world(), &policy)), NO_CONTACT);
}
