//! Only a failed verdict keeps a salesperson's From from counting.

use crate::common::{decided, default_policy, mail, words, world};
use email_logging::decision::flags;
use email_logging::message::Authenticity;

#[test]
fn only_a_failed_verdict_keeps_a_salesperson_from_counting() {
    let rows = [
        (
            Authenticity::Unknown,
            "out C1/S1",
            Some(flags::AUTHENTICITY_UNKNOWN),
        ),
        (Authenticity::Internal, "out C1/S1", None),
        (Authenticity::Passed, "out C1/S1", None),
        (
            Authenticity::Failed,
            "not-matched sender-not-authentic",
            None,
        ),
    ];
    for (authenticity, expected, flag) in rows {
        let mut message = mail("s1@own.example", &["c1@customer.example"]);
        message.authenticity = authenticity;
        let decision = decided(&message, &world(), &default_policy());
        assert_eq!(words(&decision), expected);
        let noted = decision
            .entries
            .iter()
            .flat_map(|entry| &entry.flags)
            .map(String::as_str);
        assert_eq!(
            noted.collect::<Vec<_>>(),
            flag.into_iter().collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_contact_with_a_failed_verdict_is_logged_and_flagged() {
    let mut message = mail("c1@customer.example", &["s1@own.example"]);
    message.authenticity = Authenticity::Failed;
    let decision = decided(&message, &world(), &default_policy());
    assert_eq!(words(&decision), "in C1/S1");
    assert_eq!(decision.flags, [flags::AUTHENTICITY_FAILED]);
}

#[test]
fn a_forged_salesperson_who_is_a_contact_too_can_only_be_inbound() {
    let mut message = mail("b@own.example", &["c1@customer.example", "s1@own.example"]);
    message.authenticity = Authenticity::Failed;
    assert_eq!(
        words(&decided(&message, &world(), &default_policy())),
        "in CB/S1"
    );
    let mut message = mail("b@own.example", &["c1@customer.example"]);
    message.authenticity = Authenticity::Failed;
    let decision = decided(&message, &world(), &default_policy());
    assert_eq!(words(&decision), "not-matched sender-not-authentic");
}

#[test]
fn the_policy_can_let_forged_senders_count() {
    let mut message = mail("s1@own.example", &["c1@customer.example"]);
    message.authenticity = Authenticity::Failed;
    let mut policy = default_policy();
    policy.failed_senders_count = true;
    let decision = decided(&message, &world(), &policy);
    assert_eq!(words(&decision), "out C1/S1");
    assert_eq!(decision.flags, [flags::AUTHENTICITY_FAILED]);
}
