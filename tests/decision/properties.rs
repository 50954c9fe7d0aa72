//! What holds for every mail, whoever is in it.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::common::{address, empty, mailbox};
use email_logging::decision::{
    ClassAction, DecidedEntry, Decision, InternalMail, Keep, LoggingPolicy, Outcome, Unmatched,
    decide,
};
use email_logging::message::{
    Authenticity, ItemClass, MailAddress, Mailbox, Message, MessageFlag, Sensitivity, Signal,
    UnusableAddress,
};
use email_logging::parties::{
    AddressParties, ContactKind, ContactMatch, MatchedBy, Parties, SalespersonMatch,
};

fn any_mailbox() -> impl Strategy<Value = Mailbox> {
    let smtp = (0_usize..12, any::<bool>()).prop_map(|(number, own)| {
        mailbox(&format!(
            "p{number}@{}.example",
            if own { "own" } else { "else" }
        ))
    });
    let other = select(vec![
        MailAddress::Exchange("/o=x/cn=y".into()),
        MailAddress::Unusable(UnusableAddress::Malformed),
    ]);
    let other = other.prop_map(|address| Mailbox {
        name: None,
        address,
    });
    prop_oneof![9 => smtp, 1 => other]
}

/// What a record says of itself does not depend on the address that it is found by.
fn any_answer() -> impl Strategy<Value = AddressParties> {
    let salesperson = (0_usize..4, select(MatchedBy::ALL)).prop_map(|(code, by)| {
        SalespersonMatch::new(&*format!("S{code}"), "S")
            .with_matched_by(by)
            .with_active(code != 1)
    });
    let contact = (0_usize..6, select(MatchedBy::ALL)).prop_map(|(no, by)| {
        let kind = ContactKind::ALL[no % 2];
        ContactMatch::new(&*format!("C{no}"), "C", kind)
            .with_matched_by(by)
            .with_privacy_blocked(no == 2)
    });
    (vec(salesperson, 0..3), vec(contact, 0..4)).prop_map(|(salespeople, contacts)| {
        let found = salespeople
            .into_iter()
            .fold(AddressParties::nobody(), AddressParties::with_salesperson);
        contacts
            .into_iter()
            .fold(found, AddressParties::with_contact)
    })
}

fn any_parties() -> impl Strategy<Value = Vec<AddressParties>> {
    vec(any_answer(), 24)
}

fn parties(answers: &[AddressParties]) -> Parties {
    let mut parties = Parties::default();
    for (number, answer) in answers.iter().enumerate() {
        let domain = if number % 2 == 0 { "own" } else { "else" };
        let text = format!("p{}@{domain}.example", number / 2);
        parties = parties.with(address(&text), answer.clone());
    }
    parties
}

fn any_message() -> impl Strategy<Value = Message> {
    let people = (
        vec(any_mailbox(), 0..3),
        proptest::option::of(any_mailbox()),
        vec(any_mailbox(), 0..6),
        vec(any_mailbox(), 0..4),
        vec(any_mailbox(), 0..2),
    );
    let facts = (
        prop_oneof![6 => Just(Sensitivity::Normal), 1 => select(Sensitivity::ALL)],
        prop_oneof![6 => Just(ItemClass::Mail), 1 => select(ItemClass::ALL)],
        subsequence(Signal::ALL.to_vec(), 0..=2),
        subsequence(MessageFlag::ALL.to_vec(), 0..=2),
        select(Authenticity::ALL),
        ".{0,40}",
    );
    (people, facts).prop_map(|(people, facts)| {
        let mut message = empty();
        (
            message.from,
            message.sender,
            message.to,
            message.cc,
            message.bcc,
        ) = people;
        (
            message.sensitivity,
            message.class,
            message.signals,
            message.flags,
            message.authenticity,
            message.subject,
        ) = facts;
        message
    })
}

fn any_policy() -> impl Strategy<Value = LoggingPolicy> {
    let unmatched = vec![
        Unmatched::Keep,
        Unmatched::CreateContact,
        Unmatched::LogAgainst {
            contact: Some("C0".into()),
            salesperson: Some("S0".into()),
        },
    ];
    let actions = vec![ClassAction::Log, ClassAction::Flag, ClassAction::Exclude];
    let rules = (any::<[bool; 8]>(), select(unmatched), select(actions));
    rules.prop_map(|(switches, unmatched, action)| {
        let [
            original,
            cc,
            blocked,
            inactive,
            internal,
            ambiguous,
            failed,
            copies,
        ] = switches;
        let mut policy = if original {
            LoggingPolicy::business_central()
        } else {
            LoggingPolicy::default()
        };
        policy.own_domains.insert("own.example".into());
        policy.cc = cc;
        policy.privacy_blocked_contacts = blocked;
        policy.inactive_salespeople = inactive;
        policy.internal = if internal {
            InternalMail::Match
        } else {
            InternalMail::Exclude
        };
        policy.ambiguous_sender_quarantined = ambiguous;
        policy.failed_senders_count = failed;
        policy.own_copies = copies;
        policy.unmatched = unmatched;
        policy.automatic = action;
        policy
    })
}

fn sound(decision: &Decision) {
    assert_eq!(
        decision.outcome == Outcome::Logged,
        !decision.entries.is_empty()
    );
    let keys: BTreeSet<_> = decision
        .entries
        .iter()
        .map(|entry| (entry.pair(), entry.flow, entry.occurrence))
        .collect();
    assert_eq!(keys.len(), decision.entries.len());
    let notes = decision.entries.iter().map(|entry| &entry.flags);
    for flags in notes.chain([&decision.flags]) {
        assert!(flags.is_sorted_by(|one, next| one < next));
    }
    if decision.keep == Keep::Reason {
        assert!(decision.steps.iter().all(|step| !step.detail.contains('@')));
    }
    assert!(decision.create_contacts.is_empty() || decision.entries.is_empty());
}

fn sorted(mut entries: Vec<DecidedEntry>) -> Vec<DecidedEntry> {
    entries.sort_by_key(|entry| {
        let (contact, salesperson) = entry.pair();
        (contact.clone(), salesperson.clone(), entry.occurrence)
    });
    entries
}

fn turned(message: &Message) -> Message {
    let mut turned = message.clone();
    turned.to.reverse();
    turned.cc.reverse();
    turned.bcc.reverse();
    turned
}

fn turned_answers(answers: &[AddressParties]) -> Vec<AddressParties> {
    let turn = |answer: &AddressParties| {
        let mut answer = answer.clone();
        answer.salespeople.reverse();
        answer.contacts.reverse();
        answer
    };
    answers.iter().map(turn).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_is_sound(message in any_message(), answers in any_parties(), policy in any_policy()) {
        let decision = decide(&message, &parties(&answers), &policy, &[]);
        sound(&decision);
        prop_assert_eq!(&decision, &decide(&message, &parties(&answers), &policy, &[]));
    }

    #[test]
    fn the_order_of_recipients_and_candidates_decides_nothing(
        message in any_message(),
        answers in any_parties(),
        policy in any_policy(),
    ) {
        let one = decide(&message, &parties(&answers), &policy, &[]);
        let other = decide(&turned(&message), &parties(&turned_answers(&answers)), &policy, &[]);
        prop_assert_eq!(one.outcome, other.outcome);
        prop_assert_eq!(one.flags, other.flags);
        prop_assert_eq!(one.create_contacts, other.create_contacts);
        prop_assert_eq!(sorted(one.entries), sorted(other.entries));
    }
}
