//! MIME first, the server's facts second.

use super::support::{addresses, codes};
use email_logging::message::{
    FactAddress, ItemClass, MailFacts, Message, MessageLimits, Sensitivity, Signal,
};

const MAIL: &str = "From: Ada <ada@a.example>\nTo: Penny <penny@b.example>\nSubject: mine\n\
    Date: Mon, 4 May 2026 14:12:15 +0000\nMessage-ID: <m@a.example>\n\nx\n";

fn read(mail: &str, change: impl FnOnce(&mut MailFacts)) -> Message {
    let mut facts = MailFacts::default();
    change(&mut facts);
    Message::read(mail.as_bytes(), &facts, &MessageLimits::default()).unwrap()
}

fn named(name: &str, address: &str) -> FactAddress {
    let mut fact = FactAddress::smtp(address);
    fact.name = Some(name.to_owned());
    fact
}

#[test]
fn what_mime_says_is_not_overruled() {
    let message = read(MAIL, |facts| {
        facts.to = vec![FactAddress::smtp("other@c.example")];
        facts.subject = Some("theirs".to_owned());
        facts.message_id = Some("<theirs@a.example>".to_owned());
    });
    assert_eq!(addresses(&message.to), "penny@b.example");
    assert_eq!(message.subject, "mine");
    assert_eq!(message.message_id.as_deref(), Some("m@a.example"));
    assert_eq!(codes!(message.flags), "");
}

#[test]
fn what_mime_leaves_out_comes_from_the_facts() {
    let message = read("X: y\n\nx\n", |facts| {
        facts.from = Some(FactAddress::smtp("Ada@a.example"));
        facts.to = vec![FactAddress::smtp("penny@b.example")];
        facts.cc = vec![FactAddress::smtp("c@b.example")];
        facts.bcc = vec![FactAddress::smtp("d@b.example")];
        facts.subject = Some("theirs\0".to_owned());
        facts.message_id = Some("<theirs@a.example>".to_owned());
        facts.sent = Some("2026-05-04T14:00:00Z".parse().unwrap());
        facts.received = Some("2026-05-04T15:00:00Z".parse().unwrap());
        facts.web_link = Some("https://mail.example/1".to_owned());
    });
    let lists = [&message.from, &message.to, &message.cc, &message.bcc];
    assert_eq!(
        lists.map(|list| addresses(list)),
        [
            "ada@a.example",
            "penny@b.example",
            "c@b.example",
            "d@b.example"
        ]
    );
    assert_eq!(message.subject, "theirs\u{fffd}");
    assert_eq!(message.message_id.as_deref(), Some("theirs@a.example"));
    assert_eq!(message.sent.unwrap().to_string(), "2026-05-04T14:00:00Z");
    assert_eq!(message.web_link.as_deref(), Some("https://mail.example/1"));
    assert_eq!(codes!(message.flags), "date-missing message-id-missing");
}

#[test]
fn an_empty_recipient_field_is_not_filled() {
    let mail = MAIL.replace("Penny <penny@b.example>", "undisclosed-recipients:;");
    let message = read(&mail, |facts| {
        facts.to = vec![FactAddress::smtp("x@y.example")];
    });
    assert_eq!(addresses(&message.to), "");
}

#[test]
fn another_sender_on_the_server_is_flagged() {
    let other = Some(FactAddress::smtp("eve@e.example"));
    let author = read(MAIL, |facts| facts.from.clone_from(&other));
    assert_eq!(addresses(&author.from), "ada@a.example");
    assert_eq!(codes!(author.flags), "sender-disagreement");
    let mail = MAIL.replace("To:", "Sender: Bob <bob@a.example>\nTo:");
    let submitter = read(&mail, |facts| facts.sender = other);
    assert_eq!(codes!(submitter.flags), "sender-disagreement");
    let same = read(MAIL, |facts| {
        facts.from = Some(FactAddress::smtp("ADA@A.example"));
    });
    assert_eq!(codes!(same.flags), "");
    let hidden = MAIL.replace("<ada@", "<=?utf-8?q?ada?=@");
    let hidden = read(&hidden, |facts| {
        facts.from = Some(FactAddress::smtp("ada@a.example"));
    });
    assert_eq!(addresses(&hidden.from), "!EncodedWord");
    assert_eq!(codes!(hidden.flags), "sender-disagreement address-unusable");
}

#[test]
fn a_sender_that_is_the_author_is_no_other_person() {
    let mail = MAIL.replace("To:", "Sender: ADA@a.example\nTo:");
    assert_eq!(read(&mail, |_| {}).sender, None);
    let mail = MAIL.replace("To:", "Sender: bob@a.example\nTo:");
    let sender = read(&mail, |_| {}).sender.unwrap();
    assert_eq!(addresses(&[sender]), "bob@a.example");
}

#[test]
fn exchange_addresses_take_what_the_server_resolved() {
    let mail = MAIL
        .replace("<ada@a.example>", "<IMCEAEX-_O=T_CN=ada@t.example>")
        .replace(
            "Penny <penny@b.example>",
            "Bo </O=T/CN=bo>, Cy <IMCEAEX-_O=T_CN=cy@t.example>",
        );
    let alone = read(&mail, |_| {});
    assert_eq!(addresses(&alone.from), "EX:/O=T/CN=ada");
    assert_eq!(addresses(&alone.to), "EX:/O=T/CN=bo, EX:/O=T/CN=cy");
    assert_eq!(codes!(alone.flags), "exchange-address-unresolved");
    let by_name = read(&mail, |facts| {
        facts.from = Some(FactAddress::smtp("ada@t.example"));
        facts.to = vec![named("Cy", "cy@t.example"), named("Bo", "bo@t.example")];
    });
    assert_eq!(addresses(&by_name.from), "ada@t.example");
    assert_eq!(addresses(&by_name.to), "bo@t.example, cy@t.example");
    assert_eq!(codes!(by_name.flags), "");
    let by_position = read(&mail, |facts| {
        let mut unresolved = FactAddress::smtp("/O=T/CN=cy");
        unresolved.exchange = true;
        facts.to = vec![FactAddress::smtp("bo@t.example"), unresolved];
    });
    assert_eq!(addresses(&by_position.to), "bo@t.example, EX:/O=T/CN=cy");
    let other_length = read(&mail, |facts| {
        facts.to = vec![FactAddress::smtp("bo@t.example")];
    });
    assert_eq!(addresses(&other_length.to), "EX:/O=T/CN=bo, EX:/O=T/CN=cy");
}

#[test]
fn the_more_private_word_wins() {
    let mail = MAIL.replace("To:", "Sensitivity: Personal\nTo:");
    let private = read(&mail, |facts| {
        facts.sensitivity = Some(Sensitivity::Private);
    });
    assert_eq!(private.sensitivity, Sensitivity::Private);
    let personal = read(&mail, |facts| facts.sensitivity = Some(Sensitivity::Normal));
    assert_eq!(personal.sensitivity, Sensitivity::Personal);
}

#[test]
fn the_item_class_counts_unless_it_says_only_mail() {
    let report = MAIL.replace(
        "To:",
        "Content-Type: multipart/report; report-type=delivery-status\nTo:",
    );
    let class = |mail: &str, class| read(mail, |facts| facts.class = class).class;
    assert_eq!(class(&report, None), ItemClass::DeliveryReport);
    assert_eq!(
        class(&report, Some(ItemClass::Mail)),
        ItemClass::DeliveryReport
    );
    assert_eq!(
        class(MAIL, Some(ItemClass::MeetingRequest)),
        ItemClass::MeetingRequest
    );
    let away = read(MAIL, |facts| facts.class = Some(ItemClass::OutOfOffice));
    assert_eq!(away.signals, [Signal::AutomaticReply]);
}

#[test]
fn meeting_mail_takes_its_method_from_the_calendar_part() {
    let meeting = |method: &str| {
        let mail = format!(
            "From: a@b.example\nContent-Class: urn:content-classes:calendarmessage\n\
             Content-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b\n\
             Content-Type: text/calendar;\n method={method}\n\nBEGIN:VCALENDAR\n--b--\n"
        );
        read(&mail, |_| {}).class
    };
    assert_eq!(meeting("REQUEST"), ItemClass::MeetingRequest);
    assert_eq!(meeting("REPLY"), ItemClass::MeetingResponse);
    assert_eq!(meeting("CANCEL"), ItemClass::MeetingCancellation);
}

#[test]
fn a_date_long_after_receipt_is_not_believed() {
    let message = read(MAIL, |facts| {
        facts.received = Some("2026-05-03T14:12:00Z".parse().unwrap());
    });
    assert_eq!(message.sent, message.received);
    assert_eq!(codes!(message.flags), "date-implausible");
}
