//! Mail inside the company.

use crate::common::{
    contact, decided, default_policy, mail, mailboxes, outcome, seller, words, world,
};
use email_logging::decision::{Disposition, InternalMail, Keep};

#[test]
fn internal_mail_is_left_out_unless_a_recipient_is_a_contact() {
    assert_eq!(
        outcome(&mail("s1@own.example", &["s2@own.example"])),
        "excluded internal"
    );
    assert_eq!(
        outcome(&mail("x@own.example", &["y@own.example"])),
        "excluded internal"
    );
    assert_eq!(
        outcome(&mail("b@own.example", &["s1@own.example"])),
        "excluded internal"
    );
    assert_eq!(
        outcome(&mail("s1@own.example", &["b@own.example"])),
        "out CB/S1"
    );
}

#[test]
fn an_outsider_in_any_field_makes_it_external() {
    let mut message = mail("s1@own.example", &["s2@own.example"]);
    message.cc = mailboxes(&["nobody@else.example"]);
    assert_eq!(outcome(&message), "not-matched no-contact");
    let mut policy = default_policy();
    policy.cc = false;
    assert_eq!(
        words(&decided(&message, &world(), &policy)),
        "not-matched no-contact"
    );
}

#[test]
fn a_domain_covers_itself_alone() {
    let message = mail("s1@own.example", &["x@sub.own.example"]);
    assert_eq!(outcome(&message), "not-matched no-contact");
}

#[test]
fn a_salesperson_outside_the_own_domains_is_not_internal() {
    let parties = world().with(crate::common::address("agent@agency.example"), seller("EV"));
    let message = mail("agent@agency.example", &["s1@own.example"]);
    assert_eq!(
        words(&decided(&message, &parties, &default_policy())),
        "not-matched no-contact"
    );
}

#[test]
fn the_authors_own_copy_is_no_mail_to_the_contact_that_she_is() {
    assert_eq!(
        outcome(&mail("b@own.example", &["b@own.example"])),
        "excluded internal"
    );
    let message = mail("b@own.example", &["c1@customer.example", "b@own.example"]);
    assert_eq!(outcome(&message), "out C1/SB");

    // By another address of hers, too.
    let other = seller("SB").with_contact(crate::common::person("CB"));
    let parties = world().with(crate::common::address("b2@own.example"), other);
    let message = mail("b2@own.example", &["c1@customer.example", "b@own.example"]);
    assert_eq!(
        words(&decided(&message, &parties, &default_policy())),
        "out C1/SB"
    );

    let mut policy = default_policy();
    policy.own_copies = true;
    assert_eq!(
        words(&decided(&message, &parties, &policy)),
        "out C1/SB CB/SB"
    );
}

#[test]
fn internal_mail_can_be_matched() {
    let parties = world().with(crate::common::address("worker@own.example"), contact("CW"));
    let message = mail("worker@own.example", &["s1@own.example"]);
    let mut policy = default_policy();
    let left_out = decided(&message, &parties, &policy);
    assert_eq!(words(&left_out), "excluded internal");
    assert_eq!(
        (left_out.keep, left_out.disposition),
        (Keep::Metadata, Disposition::NotLogged)
    );
    policy.internal = InternalMail::Match;
    assert_eq!(words(&decided(&message, &parties, &policy)), "in CW/S1");
}
