//! The fields by which an address is found.

use crate::common::{
    address, by, decided, default_policy, mail, person, salesperson, words, world,
};
use email_logging::decision::flags;
use email_logging::parties::{AddressParties, ContactMatch, MatchedBy};

#[test]
fn a_contact_is_found_by_every_field_that_the_policy_names() {
    for field in MatchedBy::ALL.iter().copied() {
        let parties = world().with(address("x@customer.example"), by("CX", field));
        let message = mail("s1@own.example", &["x@customer.example"]);
        let mut policy = default_policy();
        let decision = decided(&message, &parties, &policy);
        assert_eq!(words(&decision), "out CX/S1", "{field:?}");
        assert_eq!(decision.entries[0].contact.matched_by, field);

        policy.match_fields.remove(&field);
        let decision = decided(&message, &parties, &policy);
        // The author is found by e-mail.
        let expected = match field {
            MatchedBy::Email => "not-matched unknown-sender",
            _ => "not-matched no-contact",
        };
        assert_eq!(words(&decision), expected, "{field:?}");
    }
}

#[test]
fn a_salesperson_is_found_by_every_field_that_the_policy_names() {
    for field in MatchedBy::ALL.iter().copied() {
        let found =
            AddressParties::nobody().with_salesperson(salesperson("SX").with_matched_by(field));
        let parties = world().with(address("x@own.example"), found);
        let message = mail("c1@customer.example", &["x@own.example"]);
        let mut policy = default_policy();
        assert_eq!(
            words(&decided(&message, &parties, &policy)),
            "in C1/SX",
            "{field:?}"
        );
        policy.match_fields.remove(&field);
        let decision = decided(&message, &parties, &policy);
        let expected = match field {
            MatchedBy::Email => "not-matched unknown-sender",
            _ => "not-matched no-salesperson",
        };
        assert_eq!(words(&decision), expected, "{field:?}");
    }
}

#[test]
fn the_alternative_address_and_the_company_stand_in_the_entry() {
    let found: ContactMatch = person("CX").with_company("CO").with_alt_address("HOME");
    let found = AddressParties::nobody().with_contact(found);
    let parties = world().with(address("x@home.example"), found);
    let decision = decided(
        &mail("x@home.example", &["s1@own.example"]),
        &parties,
        &default_policy(),
    );
    let contact = &decision.entries[0].contact;
    assert_eq!(contact.alt_address_code.as_deref(), Some("HOME"));
    assert_eq!(contact.company_no, Some("CO".into()));
}

#[test]
fn an_address_beyond_the_limit_never_matches() {
    let local = "a".repeat(64);
    let long = format!("{local}@customer.example");
    let parties = world().with(address(&long), crate::common::contact("CX"));
    let message = mail("s1@own.example", &[&long]);
    let mut policy = default_policy();
    policy.longest_address = long.len();
    assert_eq!(words(&decided(&message, &parties, &policy)), "out CX/S1");
    policy.longest_address = long.len() - 1;
    assert_eq!(
        words(&decided(&message, &parties, &policy)),
        "not-matched no-contact"
    );
}

#[test]
fn two_addresses_of_one_contact_make_one_entry_by_the_better_field() {
    let parties = world()
        .with(address("x@second.example"), by("CX", MatchedBy::Email2))
        .with(address("x@first.example"), by("CX", MatchedBy::Email));
    let message = mail("s1@own.example", &["x@second.example", "x@first.example"]);
    let decision = decided(&message, &parties, &default_policy());
    assert_eq!(words(&decision), "out CX/S1");
    assert_eq!(decision.entries[0].contact.matched_by, MatchedBy::Email);
}

#[test]
fn inactive_salespeople_count_and_are_noted_unless_the_policy_leaves_them_out() {
    let found = AddressParties::nobody().with_salesperson(salesperson("SX").with_active(false));
    let parties = world().with(address("x@own.example"), found);
    let message = mail("c1@customer.example", &["x@own.example"]);
    let mut policy = default_policy();
    let decision = decided(&message, &parties, &policy);
    assert_eq!(words(&decision), "in C1/SX");
    assert!(
        decision
            .flags
            .contains(&flags::INACTIVE_SALESPERSON.to_owned())
    );
    policy.inactive_salespeople = false;
    assert_eq!(
        words(&decided(&message, &parties, &policy)),
        "not-matched no-salesperson"
    );
}

#[test]
fn blocked_contacts_count_and_are_noted_unless_the_policy_honours_it() {
    let blocked = AddressParties::nobody().with_contact(person("CX").with_privacy_blocked(true));
    let parties = world().with(address("x@customer.example"), blocked);
    let mut policy = default_policy();
    let both = mail(
        "s1@own.example",
        &["x@customer.example", "c1@customer.example"],
    );
    let decision = decided(&both, &parties, &policy);
    assert_eq!(words(&decision), "out CX/S1 C1/S1");
    assert!(
        decision.entries[0]
            .flags
            .contains(&flags::PRIVACY_BLOCKED.to_owned())
    );
    assert_eq!(decision.flags, Vec::<String>::new());

    policy.privacy_blocked_contacts = false;
    assert_eq!(words(&decided(&both, &parties, &policy)), "out C1/S1");
    for message in [
        mail("s1@own.example", &["x@customer.example"]),
        mail("x@customer.example", &["s1@own.example"]),
    ] {
        let decision = decided(&message, &parties, &policy);
        assert_eq!(words(&decision), "excluded privacy-blocked");
        assert!(
            decision
                .steps
                .iter()
                .all(|step| !step.detail.contains("x@customer"))
        );
        assert!(
            decision
                .steps
                .iter()
                .all(|step| !step.detail.contains("CX"))
        );
    }
}
