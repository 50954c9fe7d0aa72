//! What the trace says in words, exactly: a person decides by them.

use crate::common::{
    address, by, contact, decided, default_policy, empty, mail, mailbox, original_policy, person,
    salesperson, seller, words, world,
};
use email_logging::decision::{ClassAction, Decision, Keep, LoggingPolicy, Step, Verdict};
use email_logging::message::{
    Authenticity, ItemClass, MailAddress, Mailbox, Message, MessageFlag, Sensitivity, Signal,
    UnusableAddress,
};
use email_logging::parties::{AddressParties, MatchedBy};

fn outbound() -> Message {
    mail("s1@own.example", &["c1@customer.example"])
}

/// The step of a rule: what it said, and in which words.
fn step<'a>(decision: &'a Decision, rule: &str) -> (Verdict, &'a str) {
    let is = |step: &&Step| step.rule == rule;
    let found = decision.steps.iter().find(is);
    let found = found.unwrap_or_else(|| panic!("no step {rule} in {decision:?}"));
    (found.verdict, &found.detail)
}

fn said(message: &Message, policy: &LoggingPolicy, rule: &str) -> (Verdict, String) {
    let decision = decided(message, &world(), policy);
    let (verdict, detail) = step(&decision, rule);
    (verdict, detail.to_owned())
}

#[test]
fn every_kind_of_item_has_its_words() {
    let rows = [
        (ItemClass::Mail, "an ordinary mail"),
        (
            ItemClass::SmimeOpaque,
            "a mail that is encrypted or signed as a whole",
        ),
        (ItemClass::SmimeSigned, "a signed mail"),
        (ItemClass::MeetingRequest, "a meeting request"),
        (ItemClass::MeetingResponse, "an answer to a meeting request"),
        (ItemClass::MeetingCancellation, "a cancelled meeting"),
        (ItemClass::DeliveryReport, "a delivery report"),
        (ItemClass::ReadReceipt, "a read receipt"),
        (ItemClass::Recall, "a request to take a mail back"),
        (
            ItemClass::RecallReport,
            "a report about a mail that was taken back",
        ),
        (ItemClass::OutOfOffice, "an out-of-office answer"),
        (ItemClass::Sharing, "an invitation to share"),
        (ItemClass::Post, "a post"),
        (ItemClass::Other, "another kind of item"),
    ];
    for (class, seen) in rows {
        let mut message = outbound();
        message.class = class;
        let mut policy = default_policy();
        policy.classes.clear();
        let expected = (Verdict::Pass, format!("It is {seen}."));
        assert_eq!(said(&message, &policy, "class.logged"), expected);
        policy.classes.insert(class, ClassAction::Flag);
        let expected = (Verdict::Note, format!("It is {seen}."));
        assert_eq!(said(&message, &policy, "class.flagged"), expected);
        policy.classes.insert(class, ClassAction::Exclude);
        let expected = format!("It is {seen}. The policy leaves those out.");
        let expected = (Verdict::Stop, expected);
        assert_eq!(said(&message, &policy, "class.excluded"), expected);
    }
}

#[test]
fn every_sensitivity_has_its_words() {
    let rows = [
        (Sensitivity::Personal, "Its author marked it personal."),
        (Sensitivity::Private, "Its author marked it private."),
        (
            Sensitivity::Confidential,
            "Its author marked it confidential.",
        ),
    ];
    let mut open = default_policy();
    open.excluded_sensitivities.clear();
    let normal = (Verdict::Pass, "Nobody called it private.".to_owned());
    assert_eq!(
        said(&outbound(), &default_policy(), "sensitivity.logged"),
        normal
    );
    for (sensitivity, seen) in rows {
        let mut message = outbound();
        message.sensitivity = sensitivity;
        let expected = (Verdict::Stop, format!("{seen} Only this reason is kept."));
        assert_eq!(
            said(&message, &default_policy(), "sensitivity.excluded"),
            expected
        );
        let expected = (Verdict::Note, seen.to_owned());
        assert_eq!(said(&message, &open, "sensitivity.logged"), expected);
    }
}

#[test]
fn every_signal_has_its_words() {
    let rows = [
        (
            Signal::AutomaticReply,
            "It is an automatic reply.",
            "automatic",
        ),
        (Signal::AutomaticMessage, "A machine wrote it.", "automatic"),
        (Signal::Bulk, "It is bulk mail.", "bulk"),
        (
            Signal::MailingList,
            "It came through a mailing list.",
            "bulk",
        ),
    ];
    for (signal, seen, reason) in rows {
        let mut message = outbound();
        message.signals = vec![signal];
        let rule = format!("signals.{}", signal.code());
        let mut policy = default_policy();
        let expected = (Verdict::Note, seen.to_owned());
        assert_eq!(said(&message, &policy, &rule), expected);
        (policy.automatic, policy.bulk) = (ClassAction::Log, ClassAction::Log);
        let expected = (Verdict::Pass, seen.to_owned());
        assert_eq!(said(&message, &policy, &rule), expected);
        (policy.automatic, policy.bulk) = (ClassAction::Exclude, ClassAction::Exclude);
        let expected = format!("{seen} The policy leaves those out.");
        let expected = (Verdict::Stop, expected);
        assert_eq!(said(&message, &policy, "signals.excluded"), expected);
        let decision = decided(&message, &world(), &policy);
        assert_eq!(words(&decision), format!("excluded {reason}"));
    }
    let none = "Nothing says that a machine or a list sent it.".to_owned();
    assert_eq!(
        said(&outbound(), &default_policy(), "signals.none"),
        (Verdict::Pass, none)
    );
}

#[test]
fn the_fields_that_count_are_named() {
    let rows = [
        (true, true, "To, Cc and Bcc"),
        (true, false, "To and Cc"),
        (false, true, "To and Bcc"),
        (false, false, "To"),
    ];
    for (cc, bcc, fields) in rows {
        let mut policy = default_policy();
        (policy.cc, policy.bcc) = (cc, bcc);
        let one = (
            Verdict::Pass,
            format!("One recipient counts, out of {fields}."),
        );
        assert_eq!(said(&outbound(), &policy, "recipients.counted"), one);
        let none = (Verdict::Stop, format!("No recipient stands in {fields}."));
        let unaddressed = mail("s1@own.example", &[]);
        assert_eq!(said(&unaddressed, &policy, "recipients.none"), none);
    }
    let two = mail(
        "s1@own.example",
        &["c1@customer.example", "c2@customer.example"],
    );
    let expected = "2 recipients count, out of To, Cc and Bcc.".to_owned();
    assert_eq!(
        said(&two, &default_policy(), "recipients.counted"),
        (Verdict::Pass, expected)
    );
}

#[test]
fn every_place_has_its_words() {
    let mut forged = mail("s1@own.example", &["c1@customer.example"]);
    forged.from.push(mailbox("s2@own.example"));
    let nobody = mail("s1@own.example", &["x@else.example"]);
    let rows = [
        (
            outbound(),
            default_policy(),
            "disposition.storage",
            "It goes to the storage folder.",
        ),
        (
            nobody.clone(),
            default_policy(),
            "disposition.not-logged",
            "It goes to the folder for mail that is not logged.",
        ),
        (
            forged,
            default_policy(),
            "disposition.quarantine",
            "It is set aside for a person.",
        ),
        (
            nobody,
            original_policy(),
            "disposition.delete",
            "The policy deletes mail that is not logged from the queue.",
        ),
    ];
    for (message, policy, rule, expected) in rows {
        let expected = (Verdict::Pass, expected.to_owned());
        assert_eq!(said(&message, &policy, rule), expected);
    }
}

#[test]
fn an_address_that_cannot_be_used_is_named_by_why() {
    let rows = [
        (UnusableAddress::NameOnly, "only a name"),
        (UnusableAddress::Malformed, "not well formed"),
        (
            UnusableAddress::EncodedWord,
            "encoded where that is forbidden",
        ),
        (UnusableAddress::Invisible, "with invisible characters"),
        (UnusableAddress::Domain, "with an impossible domain"),
        (UnusableAddress::TooLong, "too long"),
    ];
    let unusable = rows.map(|(reason, why)| {
        let seen = format!("an address that cannot be used ({why})");
        (MailAddress::Unusable(reason), seen)
    });
    let exchange = (
        MailAddress::Exchange("/o=x/cn=y".into()),
        "an Exchange address that could not be resolved".to_owned(),
    );
    for (address, seen) in unusable.into_iter().chain([exchange]) {
        let mut message = mail("s1@own.example", &["c1@customer.example"]);
        message.from = vec![Mailbox {
            name: None,
            address,
        }];
        message.sender = Some(mailbox("s2@own.example"));
        let expected = format!("The author, {seen}, belongs to no salesperson and no contact.");
        assert_eq!(
            said(&message, &default_policy(), "sender.unknown"),
            (Verdict::Pass, expected)
        );
        let expected = format!(
            "s2@own.example sent it on behalf of {seen}; the author counts, not who sent it."
        );
        assert_eq!(
            said(&message, &default_policy(), "sender.on-behalf"),
            (Verdict::Note, expected)
        );
    }
}

#[test]
fn who_sent_it_is_only_named_where_it_is_not_the_author() {
    let mut message = outbound();
    message.sender = Some(mailbox("s1@own.example"));
    let decision = decided(&message, &world(), &default_policy());
    assert!(
        decision
            .steps
            .iter()
            .all(|step| step.rule != "sender.on-behalf")
    );
}

#[test]
fn the_author_is_described() {
    let rows = [
        (
            "b@own.example",
            "sender.both",
            "belongs to a salesperson who is also a contact",
        ),
        (
            "s1@own.example",
            "sender.salesperson",
            "belongs to a salesperson",
        ),
        (
            "c1@customer.example",
            "sender.contact",
            "belongs to a contact",
        ),
        (
            "x@else.example",
            "sender.unknown",
            "belongs to no salesperson and no contact",
        ),
    ];
    for (from, rule, who) in rows {
        let message = mail(from, &["c2@customer.example"]);
        let expected = (Verdict::Pass, format!("The author, {from}, {who}."));
        assert_eq!(said(&message, &default_policy(), rule), expected);
    }
}

#[test]
fn every_field_of_a_match_is_named() {
    let rows = [
        (MatchedBy::Email, "e-mail"),
        (
            MatchedBy::EmailList,
            "one of several addresses in the e-mail field",
        ),
        (MatchedBy::Email2, "second e-mail"),
        (MatchedBy::AlternativeAddress, "alternative address"),
        (MatchedBy::Alias, "alias"),
        (MatchedBy::Inherited, "the company's address"),
    ];
    for (field, how) in rows {
        let found = by("CX", field)
            .with_contact(person("CY").with_matched_by(MatchedBy::Inherited))
            .with_contact(person("CZ").with_matched_by(MatchedBy::Inherited));
        let parties = world().with(address("x@customer.example"), found);
        let message = mail("s1@own.example", &["x@customer.example"]);
        let decision = decided(&message, &parties, &default_policy());
        let expected = format!(
            "x@customer.example is contact CX (Name of CX), found by {how}, chosen among 3 with this address."
        );
        assert_eq!(
            step(&decision, "match.contact"),
            (Verdict::Match, &*expected)
        );

        let found =
            AddressParties::nobody().with_salesperson(salesperson("SX").with_matched_by(field));
        let parties = world().with(address("x@own.example"), found);
        let message = mail("c1@customer.example", &["x@own.example"]);
        let decision = decided(&message, &parties, &default_policy());
        let expected = format!("x@own.example is salesperson SX (Name of SX), found by {how}.");
        assert_eq!(
            step(&decision, "match.salesperson"),
            (Verdict::Match, &*expected)
        );
    }
}

#[test]
fn the_direction_says_among_how_many_the_author_was_chosen() {
    let two = seller("S7").with_salesperson(salesperson("S8"));
    let parties = world().with(address("x@own.example"), two);
    let decision = decided(
        &mail("x@own.example", &["c1@customer.example"]),
        &parties,
        &default_policy(),
    );
    let expected = "Outbound: salesperson S7 wrote it, chosen among 2 with this address.";
    assert_eq!(
        step(&decision, "direction.outbound"),
        (Verdict::Pass, expected)
    );
    let two = contact("C7").with_contact(person("C8"));
    let parties = world().with(address("x@customer.example"), two);
    let decision = decided(
        &mail("x@customer.example", &["s1@own.example"]),
        &parties,
        &default_policy(),
    );
    let expected = "Inbound: contact C7 wrote it, chosen among 2 with this address.";
    assert_eq!(
        step(&decision, "direction.inbound"),
        (Verdict::Pass, expected)
    );
}

#[test]
fn nobody_is_found_for_a_reason_that_is_said() {
    let mut forged = mail("b@own.example", &["c1@customer.example"]);
    forged.authenticity = Authenticity::Failed;
    let rows = [
        (
            mail("s1@own.example", &["x@else.example"]),
            "No recipient is a contact.",
        ),
        (
            mail("c1@customer.example", &["x@else.example"]),
            "No recipient is a salesperson.",
        ),
        (
            forged,
            "The salesperson's address was forged, and no recipient is a salesperson.",
        ),
    ];
    for (message, expected) in rows {
        let expected = (Verdict::Note, expected.to_owned());
        assert_eq!(said(&message, &default_policy(), "match.nobody"), expected);
    }
}

#[test]
fn a_forged_author_is_told_by_whether_it_was_to_count() {
    let noted = "The mail system found the sender forged; that is noted.";
    let not_counted =
        "The mail system found the sender forged; the author does not count as a salesperson.";
    let mut counting = default_policy();
    counting.failed_senders_count = true;
    let rows = [
        ("s1@own.example", default_policy(), not_counted),
        ("s1@own.example", counting.clone(), noted),
        ("x@else.example", default_policy(), noted),
        ("x@else.example", counting, noted),
    ];
    for (from, policy, expected) in rows {
        let mut message = mail(from, &["c1@customer.example"]);
        message.authenticity = Authenticity::Failed;
        let expected = (Verdict::Note, expected.to_owned());
        assert_eq!(said(&message, &policy, "authenticity.failed"), expected);
    }
}

#[test]
fn a_forged_stranger_is_unknown_and_not_a_forged_salesperson() {
    let mut message = mail("x@else.example", &["s1@own.example"]);
    message.authenticity = Authenticity::Failed;
    let decision = decided(&message, &world(), &default_policy());
    assert_eq!(words(&decision), "not-matched unknown-sender");
    let expected = "Neither way: the author is no salesperson and no contact.";
    assert_eq!(
        step(&decision, "direction.unknown-sender"),
        (Verdict::Note, expected)
    );
}

#[test]
fn of_mail_that_nobody_could_read_whole_only_the_reason_is_kept() {
    let rows = [
        (MessageFlag::HeaderMissing, "quarantined unreadable"),
        (MessageFlag::HeaderLimit, "quarantined limit-exceeded"),
        (MessageFlag::TooManyAddresses, "quarantined limit-exceeded"),
    ];
    for (flag, expected) in rows {
        let mut message = empty();
        message.flags = vec![flag];
        let decision = decided(&message, &world(), &default_policy());
        assert_eq!(words(&decision), expected);
        assert_eq!(decision.keep, Keep::Reason, "{flag:?}");
        assert_eq!(step(&decision, "readable.no").0, Verdict::Stop);
    }
}

#[test]
fn matches_beyond_fifty_are_counted_and_not_named() {
    for (count, more) in [(50, None), (51, Some("1 more matches are not named here."))] {
        let (mut message, mut parties) = (mail("s1@own.example", &[]), world());
        for number in 0..count {
            let text = format!("x{number}@customer.example");
            parties = parties.with(address(&text), contact(&format!("X{number}")));
            message.to.push(mailbox(&text));
        }
        let decision = decided(&message, &parties, &default_policy());
        let of = |rule: &str| {
            let steps = decision.steps.iter().filter(|step| step.rule == rule);
            steps.map(|step| &*step.detail).collect::<Vec<_>>()
        };
        assert_eq!(of("match.contact").len(), 50);
        assert_eq!(of("match.more"), more.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn salespeople_beyond_fifty_are_counted_and_not_named() {
    let (mut message, mut parties) = (mail("c1@customer.example", &[]), world());
    for number in 0..51 {
        let text = format!("x{number}@own.example");
        parties = parties.with(address(&text), seller(&format!("X{number}")));
        message.to.push(mailbox(&text));
    }
    let decision = decided(&message, &parties, &default_policy());
    let named = decision.steps.iter();
    let named = named.filter(|step| step.rule == "match.salesperson");
    assert_eq!(named.count(), 50);
    let more = "1 more matches are not named here.";
    assert_eq!(step(&decision, "match.more"), (Verdict::Match, more));
}

#[test]
fn a_contact_who_is_left_out_is_told_of_only_where_there_is_one() {
    let blocked = AddressParties::nobody().with_contact(person("CX").with_privacy_blocked(true));
    let parties = world().with(address("x@customer.example"), blocked);
    let mut policy = default_policy();
    policy.privacy_blocked_contacts = false;
    let rows: [(&[&str], Option<Verdict>); 3] = [
        (&["c1@customer.example"], None),
        (
            &["c1@customer.example", "x@customer.example"],
            Some(Verdict::Note),
        ),
        (&["x@customer.example"], Some(Verdict::Stop)),
    ];
    for (to, expected) in rows {
        let decision = decided(&mail("s1@own.example", to), &parties, &policy);
        let mut told = decision.steps.iter();
        let told = told.find(|step| step.rule == "match.privacy-blocked");
        assert_eq!(told.map(|step| step.verdict), expected, "{to:?}");
    }
}
