//! Who counts as the author.

use crate::common::{
    decided, default_policy, empty, mail, mailbox, mailboxes, outcome, rules, seller, words, world,
};
use email_logging::message::{MailAddress, Mailbox, MessageFlag, UnusableAddress};

#[test]
fn from_counts_and_sender_does_not() {
    let mut message = mail("s1@own.example", &["c1@customer.example"]);
    message.sender = Some(mailbox("assistant@own.example"));
    let decision = decided(&message, &world(), &default_policy());
    assert_eq!(words(&decision), "out C1/S1");
    assert!(rules(&decision).contains(&"sender.on-behalf"));

    let mut message = mail("assistant@own.example", &["c1@customer.example"]);
    message.sender = Some(mailbox("s1@own.example"));
    assert_eq!(outcome(&message), "not-matched unknown-sender");
}

#[test]
fn a_mail_with_sender_alone_has_no_author() {
    let mut message = empty();
    message.sender = Some(mailbox("s1@own.example"));
    message.to = mailboxes(&["c1@customer.example"]);
    assert_eq!(outcome(&message), "not-matched no-sender");
}

#[test]
fn reply_to_never_counts() {
    let mut message = mail("stranger@else.example", &["s1@own.example"]);
    message.reply_to = mailboxes(&["c1@customer.example"]);
    assert_eq!(outcome(&message), "not-matched unknown-sender");
}

#[test]
fn several_authors_wait_for_a_person() {
    let mut message = mail("s1@own.example", &["c1@customer.example"]);
    message.from.push(mailbox("s2@own.example"));
    assert_eq!(outcome(&message), "quarantined ambiguous-sender");

    let mut strangers = mail("x@else.example", &["s1@own.example"]);
    strangers.from.push(mailbox("y@else.example"));
    assert_eq!(outcome(&strangers), "quarantined ambiguous-sender");

    let mut policy = default_policy();
    policy.ambiguous_sender_quarantined = false;
    assert_eq!(words(&decided(&message, &world(), &policy)), "out C1/S1");
}

#[test]
fn several_from_headers_wait_for_a_person_even_when_they_agree() {
    let mut message = mail("s1@own.example", &["c1@customer.example"]);
    message.from.push(mailbox("s1@own.example"));
    assert_eq!(outcome(&message), "out C1/S1");
    message.flags.push(MessageFlag::SeveralFromHeaders);
    assert_eq!(outcome(&message), "quarantined ambiguous-sender");
}

#[test]
fn two_addresses_of_one_salesperson_are_one_author() {
    let mut message = mail("s1@own.example", &["c1@customer.example"]);
    message.from.push(mailbox("sales@own.example"));
    assert_eq!(outcome(&message), "quarantined ambiguous-sender");
    let parties = world().with(crate::common::address("sales@own.example"), seller("S1"));
    assert_eq!(
        words(&decided(&message, &parties, &default_policy())),
        "out C1/S1"
    );
}

#[test]
fn an_author_without_usable_address_is_unknown_not_absent() {
    let mut message = mail("s1@own.example", &["s2@own.example"]);
    message.from = vec![Mailbox {
        name: Some("S1 <s1@own.example>".into()),
        address: MailAddress::Unusable(UnusableAddress::EncodedWord),
    }];
    assert_eq!(outcome(&message), "not-matched unknown-sender");
}

#[test]
fn recipients_without_usable_address_are_recipients_all_the_same() {
    let mut message = mail("s1@own.example", &[]);
    message.to = vec![Mailbox {
        name: None,
        address: MailAddress::Exchange("/o=Own/cn=somebody".into()),
    }];
    assert_eq!(outcome(&message), "not-matched no-contact");
}
