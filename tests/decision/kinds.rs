//! Kinds of item, and signs of a machine or a list.

use crate::common::{decided, default_policy, mail, words, world};
use email_logging::decision::ClassAction;
use email_logging::message::{ItemClass, Message, MessageFlag, Signal};

fn inbound() -> Message {
    mail("c1@customer.example", &["s1@own.example"])
}

#[test]
fn the_table_of_kinds_under_the_default_policy() {
    let logged = "in C1/S1";
    let rows = [
        (ItemClass::Mail, logged),
        (ItemClass::SmimeOpaque, logged),
        (ItemClass::SmimeSigned, logged),
        (ItemClass::MeetingRequest, logged),
        (ItemClass::MeetingResponse, logged),
        (ItemClass::MeetingCancellation, logged),
        (ItemClass::DeliveryReport, "excluded delivery-report"),
        (ItemClass::ReadReceipt, "excluded read-receipt"),
        (ItemClass::Recall, logged),
        (ItemClass::RecallReport, "excluded item-class"),
        (ItemClass::OutOfOffice, logged),
        (ItemClass::Sharing, logged),
        (ItemClass::Post, logged),
        (ItemClass::Other, logged),
    ];
    assert_eq!(rows.len(), ItemClass::ALL.len());
    for (class, expected) in rows {
        let mut message = inbound();
        message.class = class;
        let decision = decided(&message, &world(), &default_policy());
        assert_eq!(words(&decision), expected, "{class:?}");
        let flagged = decision.flags == ["recall"];
        assert_eq!(flagged, class == ItemClass::Recall, "{class:?}");
    }
}

#[test]
fn a_report_is_a_report_before_anything_else() {
    let mut message = mail("stranger@else.example", &[]);
    message.class = ItemClass::DeliveryReport;
    let decision = decided(&message, &world(), &default_policy());
    assert_eq!(words(&decision), "excluded delivery-report");
}

#[test]
fn each_signal_is_logged_and_flagged_by_default() {
    for signal in Signal::ALL.iter().copied() {
        let mut message = inbound();
        message.signals = vec![signal];
        let mut policy = default_policy();
        let decision = decided(&message, &world(), &policy);
        assert_eq!(words(&decision), "in C1/S1");
        assert_eq!(decision.flags, [signal.code()]);

        policy.automatic = ClassAction::Log;
        policy.bulk = ClassAction::Log;
        assert_eq!(
            decided(&message, &world(), &policy).flags,
            Vec::<String>::new()
        );
    }
}

#[test]
fn each_signal_can_be_left_out() {
    let rows = [
        (Signal::AutomaticReply, "excluded automatic"),
        (Signal::AutomaticMessage, "excluded automatic"),
        (Signal::Bulk, "excluded bulk"),
        (Signal::MailingList, "excluded bulk"),
    ];
    let mut policy = default_policy();
    policy.automatic = ClassAction::Exclude;
    policy.bulk = ClassAction::Exclude;
    for (signal, expected) in rows {
        let mut message = inbound();
        message.signals = vec![signal];
        assert_eq!(words(&decided(&message, &world(), &policy)), expected);
    }
}

#[test]
fn oddities_are_flagged_sorted_and_once() {
    let mut message = inbound();
    message.signals = vec![Signal::MailingList];
    message.flags = vec![
        MessageFlag::MessageIdMissing,
        MessageFlag::DateMissing,
        MessageFlag::HeaderCharset,
        MessageFlag::JournalUnwrapped,
        MessageFlag::MessageIdMissing,
    ];
    let decision = decided(&message, &world(), &default_policy());
    assert_eq!(
        decision.flags,
        ["date-missing", "mailing-list", "message-id-missing"]
    );
}
