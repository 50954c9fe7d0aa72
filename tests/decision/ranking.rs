//! Which of several candidates is taken, and that the choice is noted.

use crate::common::{
    address, company, contact, decided, default_policy, mail, original_policy, person, salesperson,
    seller, words, world,
};
use email_logging::decision::{Decision, LoggingPolicy, flags};
use email_logging::parties::{AddressParties, ContactMatch, MatchedBy, SalespersonMatch};

fn to_contacts(policy: &LoggingPolicy, candidates: &[ContactMatch]) -> Decision {
    let found = candidates
        .iter()
        .cloned()
        .fold(AddressParties::nobody(), AddressParties::with_contact);
    let parties = world().with(address("x@customer.example"), found);
    decided(
        &mail("s1@own.example", &["x@customer.example"]),
        &parties,
        policy,
    )
}

fn to_salespeople(policy: &LoggingPolicy, candidates: &[SalespersonMatch]) -> Decision {
    let start = AddressParties::nobody();
    let found = candidates
        .iter()
        .cloned()
        .fold(start, AddressParties::with_salesperson);
    let parties = world().with(address("x@own.example"), found);
    decided(
        &mail("c1@customer.example", &["x@own.example"]),
        &parties,
        policy,
    )
}

/// The candidates in both orders give the same choice.
fn chosen_contact(policy: &LoggingPolicy, candidates: &[ContactMatch]) -> String {
    let mut turned = candidates.to_vec();
    turned.reverse();
    let decision = to_contacts(policy, candidates);
    assert_eq!(decision.entries, to_contacts(policy, &turned).entries);
    let ambiguous = flags::AMBIGUOUS_CONTACT.to_owned();
    assert!(decision.entries[0].flags.contains(&ambiguous));
    assert!(decision.flags.contains(&ambiguous));
    decision.entries[0].contact.no.to_string()
}

fn chosen_salesperson(policy: &LoggingPolicy, candidates: &[SalespersonMatch]) -> String {
    let mut turned = candidates.to_vec();
    turned.reverse();
    let decision = to_salespeople(policy, candidates);
    assert_eq!(decision.entries, to_salespeople(policy, &turned).entries);
    assert!(
        decision
            .flags
            .contains(&flags::AMBIGUOUS_SALESPERSON.to_owned())
    );
    decision.entries[0].salesperson.code.to_string()
}

#[test]
fn contacts_a_person_then_the_better_field_then_the_lowest_number() {
    let policy = default_policy();
    let inherited = |no| person(no).with_matched_by(MatchedBy::Inherited);
    let rows: [(&[ContactMatch], &str); 4] = [
        (&[company("C1"), inherited("C3"), inherited("C2")], "C2"),
        (&[person("C2"), person("C1")], "C1"),
        (
            &[
                person("C2"),
                person("C1").with_matched_by(MatchedBy::Email2),
            ],
            "C2",
        ),
        (&[company("C2"), company("C1")], "C1"),
    ];
    for (candidates, expected) in rows {
        assert_eq!(chosen_contact(&policy, candidates), expected);
    }
}

#[test]
fn salespeople_an_active_one_then_the_better_field_then_the_lowest_code() {
    let policy = default_policy();
    let alias = |code| salesperson(code).with_matched_by(MatchedBy::Alias);
    let rows: [(&[SalespersonMatch], &str); 3] = [
        (&[salesperson("S1").with_active(false), alias("S2")], "S2"),
        (&[alias("S1"), salesperson("S2")], "S2"),
        (&[salesperson("S2"), salesperson("S1")], "S1"),
    ];
    for (candidates, expected) in rows {
        assert_eq!(chosen_salesperson(&policy, candidates), expected);
    }
}

#[test]
fn the_original_takes_the_lowest_number() {
    let policy = original_policy();
    let alternative = |no| person(no).with_alt_address("HOME");
    let inherited = |no| person(no).with_matched_by(MatchedBy::Inherited);
    // Business Central 3.4: the first contact by number, often the company card; an alternative address comes after every
    // contact whose e-mail it is.
    let rows: [(&[ContactMatch], &str); 4] = [
        (&[person("C2"), company("C1")], "C1"),
        (&[company("C2"), inherited("C1")], "C1"),
        (&[alternative("C1"), person("C2")], "C2"),
        (&[alternative("C2"), alternative("C1")], "C1"),
    ];
    for (candidates, expected) in rows {
        assert_eq!(chosen_contact(&policy, candidates), expected);
    }
    // Business Central 3.4: the first salesperson by key, blocked or not.
    let blocked = salesperson("S1").with_active(false);
    assert_eq!(
        chosen_salesperson(&policy, &[salesperson("S2"), blocked]),
        "S1"
    );
}

#[test]
fn one_contact_found_by_two_fields_is_no_ambiguity() {
    let twice = [
        person("C1").with_matched_by(MatchedBy::Email2),
        person("C1"),
    ];
    let decision = to_contacts(&default_policy(), &twice);
    assert_eq!(words(&decision), "out C1/S1");
    assert_eq!(decision.entries[0].contact.matched_by, MatchedBy::Email);
    assert_eq!(decision.flags, Vec::<String>::new());
}

#[test]
fn an_inherited_address_is_noted_with_the_pair_alone() {
    let inherited = [person("C1").with_matched_by(MatchedBy::Inherited)];
    let decision = to_contacts(&default_policy(), &inherited);
    assert!(
        decision.entries[0]
            .flags
            .contains(&flags::INHERITED_ADDRESS.to_owned())
    );
    assert_eq!(decision.flags, Vec::<String>::new());
}

#[test]
fn of_a_repetition_the_sure_salesperson_counts_whatever_the_order() {
    let several = seller("S7").with_salesperson(salesperson("S8"));
    let parties = world()
        .with(address("shared@own.example"), several)
        .with(address("s7@own.example"), seller("S7"));
    for to in [
        ["shared@own.example", "s7@own.example"],
        ["s7@own.example", "shared@own.example"],
    ] {
        let message = mail("c1@customer.example", &to);
        let decision = decided(&message, &parties, &default_policy());
        assert_eq!(words(&decision), "in C1/S7", "{to:?}");
        let unsure = flags::AMBIGUOUS_SALESPERSON.to_owned();
        assert!(!decision.entries[0].flags.contains(&unsure), "{to:?}");
    }
}

#[test]
fn of_a_repetition_the_sure_contact_counts_whatever_the_order() {
    let several = contact("C7").with_contact(person("C8"));
    let parties = world()
        .with(address("shared@customer.example"), several)
        .with(address("c7@customer.example"), contact("C7"));
    for to in [
        ["shared@customer.example", "c7@customer.example"],
        ["c7@customer.example", "shared@customer.example"],
    ] {
        let message = mail("s1@own.example", &to);
        let decision = decided(&message, &parties, &default_policy());
        assert_eq!(words(&decision), "out C7/S1", "{to:?}");
        let unsure = flags::AMBIGUOUS_CONTACT.to_owned();
        assert!(!decision.entries[0].flags.contains(&unsure), "{to:?}");
    }
}
