//! The sample mails against the table of what the default policy must make of them, mail by mail.
//!
//! Copies and conflicts are seen by the ledger, not by the decision: of copies only the outcome is compared, and the flag
//! of a conflict is left out. Flags of the content come from the second look.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use email_logging::decision::{Decision, LoggingPolicy, decide};
use email_logging::directory::{DirectoryRecords, MemoryDirectory};
use email_logging::message::{MailFacts, Message, MessageContent, MessageFlag, MessageLimits};
use email_logging::parties::Parties;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Table {
    mail: Vec<Expected>,
}

#[derive(Debug, Deserialize)]
struct Expected {
    file: String,
    outcome: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    flags: BTreeSet<String>,
    #[serde(default)]
    entry: BTreeSet<Pair>,
    why: String,
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    direction: String,
    contact: String,
    salesperson: String,
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/email_logger/samples")
}

fn toml<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(samples().join(name)).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn directory() -> MemoryDirectory {
    let records: DirectoryRecords = toml("directory.toml");
    let directory = MemoryDirectory::from_records(records);
    assert_eq!(directory.problems(), []);
    directory
}

fn facts() -> MailFacts {
    let mut facts = MailFacts::default();
    facts.received = Some("2026-06-01T12:00:00Z".parse().unwrap());
    facts
}

fn original(file: &str) -> Vec<u8> {
    std::fs::read(samples().join(file)).unwrap()
}

fn decided(file: &str, directory: &MemoryDirectory, policy: &LoggingPolicy) -> Decision {
    let original = original(file);
    let message = Message::read(&original, &facts(), &MessageLimits::default())
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    let addresses = message.addresses();
    let answers = addresses
        .iter()
        .map(|address| directory.parties(address))
        .collect();
    decide(
        &message,
        &Parties::from_answers(&addresses, answers),
        policy,
        &[],
    )
}

fn pairs(decision: &Decision) -> BTreeSet<Pair> {
    let entries = decision.entries.iter();
    let pairs = entries.map(|entry| Pair {
        direction: entry.flow.code().to_owned(),
        contact: entry.contact.no.to_string(),
        salesperson: entry.salesperson.code.to_string(),
    });
    pairs.collect()
}

/// What differs from the table, in words.
fn difference(expected: &Expected, decision: &Decision) -> Option<String> {
    let found = (decision.outcome.code(), decision.outcome.reason());
    if expected.outcome == "already-logged" {
        return (found.0 != "logged").then(|| format!("{found:?}"));
    }
    if found != (&*expected.outcome, &*expected.reason) {
        return Some(format!("{found:?}"));
    }
    if pairs(decision) != expected.entry {
        return Some(format!("{:?}", pairs(decision)));
    }
    let mut flags = expected.flags.clone();
    flags.remove("message-id-conflict");
    let content = MessageContent::read(&original(&expected.file), &MessageLimits::default());
    // The table knows no other flag of the second look.
    let opaque = content
        .flags
        .iter()
        .filter(|flag| **flag == MessageFlag::OpaqueContent);
    let of_content = opaque.map(|flag| flag.code().to_owned());
    let noted: BTreeSet<String> = decision.flags.iter().cloned().chain(of_content).collect();
    (found.0 == "logged" && noted != flags).then(|| format!("flags {noted:?}"))
}

#[test]
fn every_sample_is_decided_as_the_table_says() {
    let (table, directory): (Table, _) = (toml("expected.toml"), directory());
    let mut policy = LoggingPolicy::default();
    policy.own_domains = directory.own_domains();
    let mut wrong = Vec::new();
    for expected in &table.mail {
        let decision = decided(&expected.file, &directory, &policy);
        if let Some(found) = difference(expected, &decision) {
            wrong.push(format!(
                "{}: {found}; the table says: {}",
                expected.file, expected.why
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(table.mail.len(), 90);
}

#[test]
fn a_private_sample_leaves_none_of_its_words() {
    let directory = directory();
    for file in [
        "54-sensitivity-private.eml",
        "55-sensitivity-company-confidential.eml",
    ] {
        let decision = decided(file, &directory, &LoggingPolicy::default());
        let text = format!("{:?} {:?}", decision.steps, decision.flags);
        assert_eq!(decision.outcome.code(), "excluded");
        assert!(!text.contains('@') && !text.contains(".example"), "{text}");
    }
}
