//! How a decided pair becomes an interaction log entry.
//!
//! The cases follow Business Central's own tests of its e-mail logging (the segment line's update) and its description of
//! lines and entries.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use email_logging::decision::{DecidedEntry, flags};
use email_logging::interaction::{InformationFlow, InitiatedBy, InteractionTemplate, NewEntry};
use email_logging::message::{ContentIdentity, FastKey, Message, OriginalDigest};
use email_logging::parties::{ContactKind, ContactMatch, MatchedBy, SalespersonMatch};
use email_logging::{EntryId, MessageUid, Scope};
use jiff::Timestamp;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn message() -> Message {
    let mut message = Message::new(ContentIdentity {
        fast_key: FastKey::from_bytes([1; 32]),
        original_digest: OriginalDigest::from_bytes([2; 32]),
        size: 100,
    });
    message.subject = "Offer".into();
    message.sent = Some(time("2026-03-01T08:00:00Z"));
    message.received = Some(time("2026-03-01T08:00:07Z"));
    message
}

fn uid() -> MessageUid {
    MessageUid::derive(&Scope::default(), &FastKey::from_bytes([1; 32]))
}

fn decided(flow: InformationFlow) -> DecidedEntry {
    let contact = ContactMatch::new("C1", "Penny Marsh", ContactKind::Person)
        .with_company("CO")
        .with_alt_address("HOME")
        .with_language("da");
    let seller = SalespersonMatch::new("AH", "Ada Holm").with_matched_by(MatchedBy::Alias);
    DecidedEntry::new(flow, contact, seller)
}

fn template() -> InteractionTemplate {
    let mut template = InteractionTemplate::default();
    template.languages = vec!["ENU".into(), "DA".into()];
    template.campaign_no = Some("CP1001".into());
    template
}

fn entry(message: &Message, decided: &DecidedEntry) -> NewEntry {
    let fallback = time("2026-12-31T00:00:00Z");
    NewEntry::from_decided(
        &Scope::default(),
        uid(),
        message,
        decided,
        &template(),
        fallback,
    )
}

#[test]
fn the_line_takes_description_date_and_message() {
    // Business Central 3.5 and its test of UpdateSegLine: description = subject, date, attachment.
    let entry = entry(&message(), &decided(InformationFlow::Outbound));
    assert_eq!(entry.description, "Offer");
    assert_eq!(entry.date, time("2026-03-01T08:00:00Z"));
    assert_eq!(entry.message, uid());
    assert_eq!(entry.initiated_by, InitiatedBy::Us);
    assert_eq!(entry.information_flow, InformationFlow::Outbound);
}

#[test]
fn inbound_mail_has_the_time_of_receipt_and_them_as_initiator() {
    // Business Central 3.5, step 4.
    let entry = entry(&message(), &decided(InformationFlow::Inbound));
    assert_eq!(entry.date, time("2026-03-01T08:00:07Z"));
    assert_eq!(entry.initiated_by, InitiatedBy::Them);
}

#[test]
fn a_missing_time_falls_back_to_the_other_and_then_to_the_given() {
    let (sent, received) = (
        Some(time("2026-03-01T08:00:00Z")),
        Some(time("2026-03-02T08:00:00Z")),
    );
    let fallback = time("2026-12-31T00:00:00Z");
    let rows = [
        (InformationFlow::Outbound, sent, received, sent.unwrap()),
        (InformationFlow::Outbound, None, received, received.unwrap()),
        (InformationFlow::Outbound, None, None, fallback),
        (InformationFlow::Inbound, sent, received, received.unwrap()),
        (InformationFlow::Inbound, sent, None, sent.unwrap()),
        (InformationFlow::Inbound, None, None, fallback),
    ];
    for (flow, sent, received, expected) in rows {
        let mut message = message();
        (message.sent, message.received) = (sent, received);
        assert_eq!(entry(&message, &decided(flow)).date, expected);
    }
}

#[test]
fn the_description_is_the_subject_cut_to_100_characters() {
    // Business Central 3.5, step 3: the subject cut to 100 characters, not bytes.
    for (subject, length) in [
        ("é".repeat(100), 100),
        ("é".repeat(101), 100),
        (String::new(), 0),
    ] {
        let mut message = message();
        message.subject = subject.clone();
        let entry = entry(&message, &decided(InformationFlow::Inbound));
        assert_eq!(entry.description.chars().count(), length);
        assert!(subject.starts_with(&entry.description));
        assert_eq!(message.subject, subject);
    }
}

#[test]
fn the_template_gives_what_the_pair_does_not() {
    // Business Central 3.5, steps 1 and 2: group, cost, duration and campaign are the template's, the flow is the mail's.
    let entry = entry(&message(), &decided(InformationFlow::Inbound));
    assert_eq!(entry.interaction_template_code, "EMAIL");
    assert_eq!(entry.interaction_group_code, "SYSTEM");
    assert!((entry.cost - 8.0).abs() < f64::EPSILON);
    assert!((entry.duration_min - 1.0).abs() < f64::EPSILON);
    assert_eq!(entry.campaign_no.as_deref(), Some("CP1001"));
}

#[test]
fn the_language_is_the_contacts_where_the_template_has_it() {
    let rows = [(Some("da"), Some("DA")), (Some("fr"), None), (None, None)];
    for (spoken, expected) in rows {
        let mut decided = decided(InformationFlow::Inbound);
        decided.contact.language_code = spoken.map(str::to_owned);
        let entry = entry(&message(), &decided);
        assert_eq!(entry.interaction_language_code.as_deref(), expected);
    }
}

#[test]
fn the_parties_stand_in_the_entry() {
    let mut decided = decided(InformationFlow::Inbound);
    decided.fields.insert("ticket".into(), "4711".into());
    let entry = entry(&message(), &decided);
    assert_eq!(
        (entry.contact_no, entry.contact_company_no),
        ("C1".into(), Some("CO".into()))
    );
    assert_eq!(entry.contact_alt_address_code.as_deref(), Some("HOME"));
    assert_eq!(
        (entry.contact_name.as_str(), entry.salesperson_name.as_str()),
        ("Penny Marsh", "Ada Holm")
    );
    assert_eq!(entry.salesperson_code, "AH".into());
    assert_eq!(entry.fields["ticket"], "4711");
}

#[test]
fn flags_say_how_the_parties_were_found() {
    let mut decided = decided(InformationFlow::Inbound);
    decided.flags = vec![flags::AMBIGUOUS_CONTACT.into()];
    let found = entry(&message(), &decided).flags;
    assert_eq!(
        found,
        [
            "ambiguous-contact",
            "contact-by-alternative-address",
            "salesperson-by-alias"
        ]
    );

    decided.flags = vec![flags::DEFAULT_CONTACT.into()];
    let found = entry(&message(), &decided).flags;
    assert_eq!(found, ["default-contact", "salesperson-by-alias"]);
}

#[test]
fn the_id_is_derived_from_the_pair_and_its_occurrence() {
    let mut decided = decided(InformationFlow::Inbound);
    let first = entry(&message(), &decided);
    assert_eq!(first.id, entry(&message(), &decided).id);
    let expected = EntryId::derive(
        &Scope::default(),
        &uid(),
        &"C1".into(),
        &"AH".into(),
        InformationFlow::Inbound,
        0,
    );
    assert_eq!(first.id, expected);
    decided.occurrence = 1;
    let second = entry(&message(), &decided);
    assert_ne!(first.id, second.id);
    assert_eq!(second.occurrence, 1);
}
