//! Codes in words, for people.

use std::collections::BTreeSet;

use email_logging::interaction::InteractionLogEntry;
use email_logging::store::DecisionRecord;

/// An outcome and its reason, in words that fit one mail and a number of mails.
pub(crate) fn reason(outcome: &str, reason: &str) -> String {
    let text = match (outcome, reason) {
        ("logged", _) => "logged",
        ("already-logged", _) => "another copy of a mail that is in the log",
        ("not-matched", "no-sender") => "no author is named",
        ("not-matched", "no-recipients") => "no recipient is named",
        ("not-matched", "unknown-sender") => "neither a salesperson nor a contact wrote it",
        ("not-matched", "no-contact") => "a salesperson wrote, but to no contact",
        ("not-matched", "no-salesperson") => "a contact wrote, but to no salesperson",
        ("not-matched", "sender-not-authentic") => {
            "it claims to be of a salesperson, and is forged"
        }
        ("excluded", "erased") => "removed before, or never to be logged again",
        ("excluded", "private") => "marked private or personal",
        ("excluded", "confidential") => "marked confidential",
        ("excluded", "internal") => "mail inside the company",
        ("excluded", "delivery-report") => "delivery report",
        ("excluded", "read-receipt") => "read receipt",
        ("excluded", "item-class") => "a kind of item that the policy leaves out",
        ("excluded", "automatic") => "automatic mail, which the policy leaves out",
        ("excluded", "bulk") => "bulk mail, which the policy leaves out",
        ("excluded", "privacy-blocked") => "the contact asked not to be processed",
        ("quarantined", "ambiguous-sender") => "several authors: a person must say who wrote it",
        ("quarantined", "limit-exceeded") => "beyond a limit: a person must look at it",
        ("quarantined", "unreadable") => "not readable: a person must look at it",
        ("quarantined", "hook-failed") => "a hook failed: a person must look at it",
        ("quarantined", "row-refused") => "the store refused it: a person must look at it",
        ("quarantined", "attempts-exhausted") => "failed too often: a person must look at it",
        ("quarantined", "found-set-aside") => {
            "found in the quarantine folder: a person must look at it"
        }
        (outcome, reason) => return format!("{outcome}: {reason}"),
    };
    text.to_owned()
}

/// What is shown in the place of a subject.
pub(crate) fn subject(record: &DecisionRecord) -> String {
    match record.subject.as_deref().map(str::trim) {
        None => "(nothing of this mail is kept)".into(),
        Some("") => "(no subject)".into(),
        Some(subject) => subject.into(),
    }
}

/// What was noted about a mail and its entries. How a pair was found is left to `show`.
pub(crate) fn notes(flags: &[String], entries: &[InteractionLogEntry]) -> String {
    let all = flags
        .iter()
        .chain(entries.iter().flat_map(|entry| &entry.entry.flags));
    let shown: BTreeSet<String> = all.filter_map(|flag| note(flag)).collect();
    shown.into_iter().collect::<Vec<_>>().join(", ")
}

fn note(flag: &str) -> Option<String> {
    let how = ["contact-by-", "salesperson-by-", "authenticity-unknown"];
    if how.iter().any(|begin| flag.starts_with(begin)) {
        return None;
    }
    let text = match flag {
        "ambiguous-contact" => "one of several contacts",
        "ambiguous-salesperson" => "one of several salespeople",
        "message-id-conflict" => "Message-ID used twice",
        "message-id-missing" => "no Message-ID",
        "date-missing" => "no date",
        "opaque-content" => "content not opened",
        other => return Some(other.replace('-', " ")),
    };
    Some(text.to_owned())
}

/// A number with its noun.
pub(crate) fn count(number: u64, one: &str, several: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {several}"),
    }
}

/// A size for people.
pub(crate) fn size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = bytes * 10 / unit;
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB", tenths(1_024)),
        _ => format!("{} MiB", tenths(1_048_576)),
    }
}

/// What a person types to run this program.
pub(crate) fn program() -> String {
    if std::env::var_os("CARGO").is_some() {
        return "cargo run -q --example email_logger --".into();
    }
    std::env::args()
        .next()
        .unwrap_or_else(|| "email_logger".into())
}

/// Flags that say where things are: who gave one has to give it again.
const PLACES: [&str; 5] = [
    "--config",
    "--store",
    "--key-file",
    "--ca-file",
    "--on-premises-range",
];

/// What a person types to run a command of this program for the same place.
pub(crate) fn command(text: &str) -> String {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    format!("{} {text}{}", program(), places(&typed))
}

/// The flags of a place that were typed, as they are typed again.
fn places(typed: &[String]) -> String {
    let mut again = String::new();
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if PLACES.contains(&flag) => (flag, Some(value)),
            None if PLACES.contains(&word.as_str()) => {
                (word.as_str(), words.next().map(String::as_str))
            }
            _ => continue,
        };
        if let Some(value) = value {
            again.extend([" ", flag, " ", &quoted(value)]);
        }
    }
    again
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_typed_is_told_again() {
        let typed = [
            "status",
            "--store",
            "my log.sqlite",
            "-q",
            "--config=a.toml",
            "x=--store",
        ];
        let typed = typed.map(str::to_owned);
        assert_eq!(places(&typed), " --store 'my log.sqlite' --config a.toml");
        assert_eq!(places(&[]), "");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
