//! What becomes of mail in which nobody was found.

use crate::common::{address, decided, default_policy, mail, mailbox, seller, words, world};
use email_logging::decision::{Decision, InternalMail, Keep, LoggingPolicy, Unmatched, flags};
use email_logging::message::{Authenticity, ItemClass, Message, Signal};

fn log_against(contact: Option<&str>, salesperson: Option<&str>) -> LoggingPolicy {
    let mut policy = default_policy();
    policy.unmatched = Unmatched::LogAgainst {
        contact: contact.map(Into::into),
        salesperson: salesperson.map(Into::into),
    };
    policy
}

fn create_contact() -> LoggingPolicy {
    let mut policy = default_policy();
    policy.unmatched = Unmatched::CreateContact;
    policy
}

fn proposed(decision: &Decision) -> Vec<(&str, Option<&str>)> {
    let created = decision.create_contacts.iter();
    created
        .map(|new| (new.address.as_str(), new.name.as_deref()))
        .collect()
}

#[test]
fn it_is_kept_by_default_without_the_original() {
    let message = mail("s1@own.example", &["nobody@else.example"]);
    let mut policy = default_policy();
    let decision = decided(&message, &world(), &policy);
    assert_eq!(
        (words(&decision).as_str(), decision.keep),
        ("not-matched no-contact", Keep::Metadata)
    );
    policy.keep_unmatched_original = true;
    assert_eq!(decided(&message, &world(), &policy).keep, Keep::Everything);
}

#[test]
fn defaults_stand_in_for_the_unknown_side() {
    let contact = log_against(Some("CD0"), None);
    let salesperson = log_against(None, Some("SD0"));
    let outbound = mail(
        "s1@own.example",
        &["nobody@else.example", "other@else.example"],
    );
    let from_stranger = mail("nobody@else.example", &["s1@own.example", "s2@own.example"]);
    let to_nobody = mail("c1@customer.example", &["info@own.example"]);
    let rows: [(&Message, &LoggingPolicy, &str); 6] = [
        (&outbound, &contact, "out CD0/S1"),
        (&outbound, &salesperson, "not-matched no-contact"),
        (&from_stranger, &contact, "in CD0/S1 CD0/S2"),
        (&from_stranger, &salesperson, "not-matched unknown-sender"),
        (&to_nobody, &contact, "not-matched no-salesperson"),
        (&to_nobody, &salesperson, "in C1/SD0"),
    ];
    for (message, policy, expected) in rows {
        let decision = decided(message, &world(), policy);
        assert_eq!(words(&decision), expected);
        for entry in &decision.entries {
            let stands_in = |flag: &str| entry.flags.iter().any(|noted| noted == flag);
            assert_eq!(
                stands_in(flags::DEFAULT_CONTACT),
                entry.contact.no == "CD0".into()
            );
            let default_seller = entry.salesperson.code == "SD0".into();
            assert_eq!(stands_in(flags::DEFAULT_SALESPERSON), default_seller);
        }
    }
}

#[test]
fn defaults_stand_in_for_strangers_alone() {
    let policy = log_against(Some("CD0"), Some("SD0"));
    // A colleague outside the salespeople is no unknown contact; two strangers have no side with us.
    let colleague = mail("s1@own.example", &["info@own.example"]);
    assert_eq!(
        words(&decided(&colleague, &world(), &policy)),
        "excluded internal"
    );
    let strangers = mail("x@else.example", &["y@else.example"]);
    assert_eq!(
        words(&decided(&strangers, &world(), &policy)),
        "not-matched unknown-sender"
    );
    let mut forged = mail("s1@own.example", &["nobody@else.example"]);
    forged.authenticity = Authenticity::Failed;
    assert_eq!(
        words(&decided(&forged, &world(), &policy)),
        "not-matched sender-not-authentic"
    );
}

#[test]
fn defaults_never_stand_in_beside_a_forged_salesperson() {
    let policy = log_against(Some("CD0"), Some("SD0"));
    let mut forged = mail("b@own.example", &["nobody@else.example"]);
    assert_eq!(words(&decided(&forged, &world(), &policy)), "out CD0/SB");
    forged.authenticity = Authenticity::Failed;
    let decision = decided(&forged, &world(), &policy);
    assert_eq!(words(&decision), "not-matched sender-not-authentic");
}

#[test]
fn a_colleague_who_is_no_salesperson_is_no_stranger_either() {
    let mut policy = log_against(Some("CD0"), Some("SD0"));
    policy.internal = InternalMail::Match;
    let colleague = mail("info@own.example", &["s1@own.example"]);
    let decision = decided(&colleague, &world(), &policy);
    assert_eq!(words(&decision), "not-matched unknown-sender");
    let to_colleague = mail("s1@own.example", &["info@own.example"]);
    let decision = decided(&to_colleague, &world(), &policy);
    assert_eq!(words(&decision), "not-matched no-contact");
}

#[test]
fn a_pair_that_was_found_needs_no_default() {
    let policy = log_against(Some("CD0"), Some("SD0"));
    let message = mail(
        "s1@own.example",
        &["c1@customer.example", "nobody@else.example"],
    );
    assert_eq!(words(&decided(&message, &world(), &policy)), "out C1/S1");
}

#[test]
fn the_unknown_side_is_proposed_as_a_contact() {
    let policy = create_contact();
    let mut message = mail(
        "s1@own.example",
        &["zoe@else.example", "adam@else.example", "info@own.example"],
    );
    message.to.push(mailbox("Zoe@else.example"));
    message.to[0].name = Some("Zoe".into());
    message.to[3].name = Some("Zoe Zander".into());
    let decision = decided(&message, &world(), &policy);
    assert_eq!(words(&decision), "not-matched no-contact");
    let expected = [
        ("adam@else.example", None),
        ("zoe@else.example", Some("Zoe Zander")),
    ];
    assert_eq!(proposed(&decision), expected);

    let inbound = mail("zoe@else.example", &["s1@own.example"]);
    let decision = decided(&inbound, &world(), &policy);
    assert_eq!(words(&decision), "not-matched unknown-sender");
    assert_eq!(proposed(&decision), [("zoe@else.example", None)]);
}

#[test]
fn nobody_is_proposed_without_a_salesperson() {
    let policy = create_contact();
    for message in [
        mail("zoe@else.example", &["c1@customer.example"]),
        mail("zoe@else.example", &["info@own.example"]),
        mail("c1@customer.example", &["zoe@else.example"]),
        mail("info@own.example", &["zoe@else.example"]),
    ] {
        assert_eq!(proposed(&decided(&message, &world(), &policy)), []);
    }
}

#[test]
fn no_contact_is_created_from_machines_lists_reports_or_forgeries() {
    let policy = create_contact();
    let human = mail("zoe@else.example", &["s1@own.example"]);
    assert_eq!(proposed(&decided(&human, &world(), &policy)).len(), 1);
    let mut machines = Vec::new();
    for signal in Signal::ALL.iter().copied() {
        let mut message = human.clone();
        message.signals = vec![signal];
        machines.push(message);
    }
    for class in [
        ItemClass::DeliveryReport,
        ItemClass::ReadReceipt,
        ItemClass::RecallReport,
        ItemClass::OutOfOffice,
    ] {
        let mut message = human.clone();
        message.class = class;
        machines.push(message);
    }
    let mut forged = human.clone();
    forged.authenticity = Authenticity::Failed;
    machines.push(forged);
    let mut policy = policy;
    policy.classes.clear();
    for message in machines {
        assert_eq!(proposed(&decided(&message, &world(), &policy)), []);
    }
}

#[test]
fn a_created_contact_is_found_when_the_mail_is_decided_again() {
    let message = mail("zoe@else.example", &["s1@own.example"]);
    let parties = world().with(address("zoe@else.example"), crate::common::contact("CZ"));
    let decision = decided(&message, &parties, &create_contact());
    assert_eq!(words(&decision), "in CZ/S1");
    assert_eq!(proposed(&decision), []);
}

#[test]
fn a_salesperson_with_an_address_outside_is_no_unknown_contact() {
    let parties = world().with(address("s7@freelance.example"), seller("S7"));
    let message = mail("s1@own.example", &["s7@freelance.example"]);
    let mut policy = default_policy();
    policy.unmatched = Unmatched::LogAgainst {
        contact: Some("C-DEFAULT".into()),
        salesperson: None,
    };
    let decision = decided(&message, &parties, &policy);
    assert_eq!(words(&decision), "not-matched no-contact");
    policy.unmatched = Unmatched::CreateContact;
    let decision = decided(&message, &parties, &policy);
    assert_eq!(decision.create_contacts, []);
}
