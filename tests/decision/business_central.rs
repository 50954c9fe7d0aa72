//! `LoggingPolicy::business_central()` decides as the original does. Each test names where that is described.

use crate::common::{
    address, by, contact, decided, default_policy, mail, mailbox, mailboxes, original_policy,
    person, rules, seller, words, world,
};
use email_logging::decision::{ClassAction, Disposition, Keep, LoggingPolicy, MoveFallback};
use email_logging::message::{Authenticity, ItemClass, MessageFlag, Sensitivity, Signal};
use email_logging::parties::{AddressParties, MatchedBy};

fn original(message: &email_logging::message::Message) -> String {
    words(&decided(message, &world(), &original_policy()))
}

#[test]
fn every_sensitivity_but_normal_is_left_out() {
    // Business Central 3.3, step 2: Sensitivity not Normal is not logged.
    let rows = [
        (Sensitivity::Normal, "out C1/S1"),
        (Sensitivity::Personal, "excluded private"),
        (Sensitivity::Private, "excluded private"),
        (Sensitivity::Confidential, "excluded confidential"),
    ];
    for (sensitivity, expected) in rows {
        let mut message = mail("s1@own.example", &["c1@customer.example"]);
        message.sensitivity = sensitivity;
        assert_eq!(original(&message), expected);
    }
}

#[test]
fn to_alone_counts() {
    // Business Central 3.4: recipients are To only; Cc and Bcc are ignored.
    let mut message = mail("s1@own.example", &["nobody@else.example"]);
    message.cc = mailboxes(&["c1@customer.example"]);
    message.bcc = mailboxes(&["c2@customer.example"]);
    assert_eq!(original(&message), "not-matched no-contact");
    // Business Central 3.3, step 3: zero recipients is not logged.
    message.to.clear();
    assert_eq!(original(&message), "not-matched no-recipients");
}

#[test]
fn a_contact_named_twice_makes_two_entries() {
    // Business Central 3.4: no de-duplication of recipients; the same contact twice makes two entries.
    let parties = world().with(address("x@second.example"), person_by_alternative());
    let message = mail(
        "s1@own.example",
        &[
            "c1@customer.example",
            "x@second.example",
            "c1@customer.example",
        ],
    );
    let decision = decided(&message, &parties, &original_policy());
    assert_eq!(words(&decision), "out C1/S1 C1/S1#1 C1/S1#2");
    let fields: Vec<MatchedBy> = decision
        .entries
        .iter()
        .map(|entry| entry.contact.matched_by)
        .collect();
    let expected = [
        MatchedBy::Email,
        MatchedBy::Email,
        MatchedBy::AlternativeAddress,
    ];
    assert_eq!(fields, expected);
}

fn person_by_alternative() -> AddressParties {
    AddressParties::nobody().with_contact(person("C1").with_alt_address("SECOND"))
}

#[test]
fn only_the_whole_email_field_and_alternative_addresses_match() {
    // Business Central 3.4: Search E-Mail as a whole, then Contact Alt. Address; E-Mail 2 is not searched, and of a field
    // with several addresses no single one matches. A person who inherited the company's address holds it in the own field.
    let rows = [
        (MatchedBy::Email, "out CX/S1"),
        (MatchedBy::EmailList, "not-matched no-contact"),
        (MatchedBy::Email2, "not-matched no-contact"),
        (MatchedBy::AlternativeAddress, "out CX/S1"),
        (MatchedBy::Alias, "not-matched no-contact"),
        (MatchedBy::Inherited, "out CX/S1"),
    ];
    for (field, expected) in rows {
        let parties = world().with(address("x@customer.example"), by("CX", field));
        let message = mail("s1@own.example", &["x@customer.example"]);
        assert_eq!(
            words(&decided(&message, &parties, &original_policy())),
            expected,
            "{field:?}"
        );
    }
}

#[test]
fn addresses_of_more_than_80_characters_never_match() {
    // Business Central 3.4: longer than 80 (the length of Search E-Mail) is nobody's.
    let domain = "customer-with-a-rather-long-name.example";
    for (length, expected) in [(80, "out CX/S1"), (81, "not-matched no-contact")] {
        let text = format!("{}@{domain}", "a".repeat(length - domain.len() - 1));
        assert_eq!(text.len(), length);
        let parties = world().with(address(&text), contact("CX"));
        let message = mail("s1@own.example", &[&text]);
        assert_eq!(
            words(&decided(&message, &parties, &original_policy())),
            expected
        );
    }
}

#[test]
fn internal_mail_is_matched_like_any_other() {
    // Business Central 3.4: salesperson to salesperson is only logged if the recipient is also a contact.
    assert_eq!(
        original(&mail("s1@own.example", &["s2@own.example"])),
        "not-matched no-contact"
    );
    assert_eq!(
        original(&mail("s1@own.example", &["b@own.example"])),
        "out CB/S1"
    );
    // Business Central 3.4: a contact's mail is inbound, wherever the contact's address is.
    let parties = world().with(address("worker@own.example"), contact("CW"));
    let message = mail("worker@own.example", &["s1@own.example"]);
    assert_eq!(
        words(&decided(&message, &parties, &original_policy())),
        "in CW/S1"
    );
}

#[test]
fn a_salesperson_who_is_a_contact_and_writes_to_herself_is_logged() {
    // Business Central 3.4: the salesperson test comes first, and each recipient that is a contact gives one line.
    assert_eq!(
        original(&mail("b@own.example", &["b@own.example"])),
        "out CB/SB"
    );
}

#[test]
fn contact_to_contact_and_contact_to_others_is_never_logged() {
    // Business Central 3.4: contact to contact never, contact to non-salesperson never.
    let message = mail(
        "c1@customer.example",
        &["c2@customer.example", "nobody@own.example"],
    );
    assert_eq!(original(&message), "not-matched no-salesperson");
}

#[test]
fn blocked_salespeople_and_blocked_contacts_are_logged() {
    // Business Central 3.4: blocked salespeople are not excluded, privacy-blocked contacts neither.
    let inactive = crate::common::salesperson("SX").with_active(false);
    let blocked = person("CX").with_privacy_blocked(true);
    let parties = world()
        .with(
            address("x@own.example"),
            AddressParties::nobody().with_salesperson(inactive),
        )
        .with(
            address("x@customer.example"),
            AddressParties::nobody().with_contact(blocked),
        );
    let message = mail("x@own.example", &["x@customer.example"]);
    assert_eq!(
        words(&decided(&message, &parties, &original_policy())),
        "out CX/SX"
    );
}

#[test]
fn the_first_author_counts_forged_or_not() {
    // Business Central 3.4: the sender's address alone decides. Section 8: entries can be forged.
    let mut message = mail("s1@own.example", &["c1@customer.example"]);
    message.from.push(mailbox("c2@customer.example"));
    message.flags.push(MessageFlag::SeveralFromHeaders);
    message.authenticity = Authenticity::Failed;
    assert_eq!(original(&message), "out C1/S1");
}

#[test]
fn every_kind_of_item_is_matched_and_no_signal_is_flagged() {
    // Business Central 3.3: nothing looks at the kind of item or at signs of a machine.
    for class in ItemClass::ALL.iter().copied() {
        let mut message = mail("c1@customer.example", &["s1@own.example"]);
        message.class = class;
        message.signals = Signal::ALL.to_vec();
        let decision = decided(&message, &world(), &original_policy());
        assert_eq!(words(&decision), "in C1/S1", "{class:?}");
        assert_eq!(decision.flags, Vec::<String>::new());
    }
}

#[test]
fn whatever_is_not_logged_is_deleted_and_what_is_logged_is_stored() {
    // Business Central 3.3: anything not to log is deleted from the queue.
    let policy = original_policy();
    let logged = decided(
        &mail("s1@own.example", &["c1@customer.example"]),
        &world(),
        &policy,
    );
    assert_eq!(
        (logged.disposition, logged.keep),
        (Disposition::Storage, Keep::Everything)
    );
    let unmatched = decided(
        &mail("s1@own.example", &["nobody@else.example"]),
        &world(),
        &policy,
    );
    assert_eq!(
        (unmatched.disposition, unmatched.keep),
        (Disposition::Delete, Keep::Metadata)
    );
    assert_eq!(rules(&unmatched).last(), Some(&"disposition.delete"));
    let mut private = mail("s1@own.example", &["c1@customer.example"]);
    private.sensitivity = Sensitivity::Private;
    let private = decided(&private, &world(), &policy);
    assert_eq!(
        (private.disposition, private.keep),
        (Disposition::Delete, Keep::Reason)
    );
    // Business Central 3.7, step 3: what can be neither moved nor copied is deleted.
    assert_eq!(policy.move_fallback, MoveFallback::Delete);
}

#[test]
fn the_default_policy_deletes_nothing() {
    let policy = default_policy();
    assert_eq!(policy.move_fallback, MoveFallback::Leave);
    let unmatched = decided(
        &mail("s1@own.example", &["nobody@else.example"]),
        &world(),
        &policy,
    );
    assert_eq!(
        (unmatched.disposition, unmatched.keep),
        (Disposition::NotLogged, Keep::Metadata)
    );
}

#[test]
fn each_recipient_and_each_salesperson_gives_one_line() {
    // Business Central 3.4: n contacts and one salesperson, or one contact and n salespeople, make n entries.
    let out = mail(
        "s1@own.example",
        &["c1@customer.example", "c2@customer.example"],
    );
    assert_eq!(original(&out), "out C1/S1 C2/S1");
    let inbound = mail("c1@customer.example", &["s1@own.example", "s2@own.example"]);
    assert_eq!(original(&inbound), "in C1/S1 C1/S2");
    let parties = world().with(address("s1@own.example"), seller("S1"));
    assert_eq!(
        words(&decided(&out, &parties, &original_policy())),
        "out C1/S1 C2/S1"
    );
}

#[test]
fn the_preset_is_this_and_nothing_else() {
    let policy = LoggingPolicy::business_central();
    assert_eq!(
        (policy.automatic, policy.bulk),
        (ClassAction::Log, ClassAction::Log)
    );
    assert!(policy.classes.is_empty() && policy.own_domains.is_empty());
    assert!(policy.delete_not_logged && !policy.keep_unmatched_original);
    assert_eq!(policy.longest_address, 80);
    assert_eq!(policy.name, "business-central");
}
