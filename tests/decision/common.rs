//! A small world of salespeople and contacts, and words for decisions.

use std::fmt::Write as _;

use email_logging::decision::{Decision, LoggingPolicy, decide};
use email_logging::message::{Address, ContentIdentity, FastKey, Mailbox, Message, OriginalDigest};
use email_logging::parties::{
    AddressParties, ContactKind, ContactMatch, MatchedBy, Parties, SalespersonMatch,
};

/// The company's own domain.
pub(crate) const OWN: &str = "own.example";

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason:?}"))
}

pub(crate) fn mailbox(text: &str) -> Mailbox {
    Mailbox::smtp(address(text))
}

pub(crate) fn mailboxes(list: &[&str]) -> Vec<Mailbox> {
    list.iter().copied().map(mailbox).collect()
}

pub(crate) fn empty() -> Message {
    Message::new(ContentIdentity {
        fast_key: FastKey::from_bytes([1; 32]),
        original_digest: OriginalDigest::from_bytes([2; 32]),
        size: 100,
    })
}

/// A mail from one author to primary recipients.
pub(crate) fn mail(from: &str, to: &[&str]) -> Message {
    let mut message = empty();
    message.from = vec![mailbox(from)];
    message.to = mailboxes(to);
    message
}

pub(crate) fn person(no: &str) -> ContactMatch {
    ContactMatch::new(no, format!("Name of {no}"), ContactKind::Person)
}

pub(crate) fn company(no: &str) -> ContactMatch {
    ContactMatch::new(no, format!("Name of {no}"), ContactKind::Company)
}

pub(crate) fn salesperson(code: &str) -> SalespersonMatch {
    SalespersonMatch::new(code, format!("Name of {code}"))
}

pub(crate) fn contact(no: &str) -> AddressParties {
    AddressParties::nobody().with_contact(person(no))
}

pub(crate) fn seller(code: &str) -> AddressParties {
    AddressParties::nobody().with_salesperson(salesperson(code))
}

/// Salespeople S1 and S2, contacts C1, C2 and C9, and two people who are both: SB with CB, and SD with CD.
pub(crate) fn world() -> Parties {
    let both = |code, no| seller(code).with_contact(person(no));
    Parties::default()
        .with(address("s1@own.example"), seller("S1"))
        .with(address("s2@own.example"), seller("S2"))
        .with(address("b@own.example"), both("SB", "CB"))
        .with(address("d@own.example"), both("SD", "CD"))
        .with(address("c1@customer.example"), contact("C1"))
        .with(address("c2@customer.example"), contact("C2"))
        .with(address("c9@customer.example"), contact("C9"))
}

pub(crate) fn default_policy() -> LoggingPolicy {
    let mut policy = LoggingPolicy::default();
    policy.own_domains.insert(OWN.to_owned());
    policy
}

pub(crate) fn original_policy() -> LoggingPolicy {
    let mut policy = LoggingPolicy::business_central();
    policy.own_domains.insert(OWN.to_owned());
    policy
}

/// Decides without hooks.
pub(crate) fn decided(message: &Message, parties: &Parties, policy: &LoggingPolicy) -> Decision {
    decide(message, parties, policy, &[])
}

/// `out C1/S1 C2/S1#1`, or the outcome's code with its reason.
pub(crate) fn words(decision: &Decision) -> String {
    if decision.entries.is_empty() {
        return format!("{} {}", decision.outcome.code(), decision.outcome.reason());
    }
    let mut flow = "";
    let mut words = String::new();
    for entry in &decision.entries {
        if entry.flow.code() != flow {
            flow = entry.flow.code();
            words.push_str(flow.trim_end_matches("bound"));
        }
        let (contact, salesperson) = entry.pair();
        write!(words, " {contact}/{salesperson}").unwrap();
        if entry.occurrence > 0 {
            write!(words, "#{}", entry.occurrence).unwrap();
        }
    }
    words
}

/// Decides under the default policy and puts it into words.
pub(crate) fn outcome(message: &Message) -> String {
    words(&decided(message, &world(), &default_policy()))
}

/// The rules of the trace, in order.
pub(crate) fn rules(decision: &Decision) -> Vec<&str> {
    decision.steps.iter().map(|step| &*step.rule).collect()
}

/// A contact found by this field.
pub(crate) fn by(no: &str, field: MatchedBy) -> AddressParties {
    AddressParties::nobody().with_contact(person(no).with_matched_by(field))
}
