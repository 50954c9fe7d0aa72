//! Journal reports: taken off once, their envelope's recipients kept.

use super::support::{addresses, codes, content, read, read_in_chunks};
use email_logging::message::{
    CanonicalDigest, FactAddress, MailFacts, Message, MessageLimits, Sensitivity,
};

const INNER: &str = "From: Ada <ada@a.example>\r\nTo: penny@b.example\r\nSubject: Offer\r\n\
    Date: Mon, 4 May 2026 14:12:15 +0000\r\nMessage-ID: <offer@a.example>\r\n\r\nHi Penny\r\n";

const ENVELOPE: &str = "Sender: ada@a.example\r\nSubject: Offer\r\nMessage-Id: <offer@a.example>\r\n\
    To: penny@b.example\r\nTo: carl@c.example, Expanded: team@c.example\r\n\
    Bcc: dora@d.example\r\nRecipient: dora@d.example, Forwarded: x@y.example\r\n\
    Recipient: ADA@A.example\r\nRecipient: not an address\r\n";

fn report(header: &str, envelope: &str, inner: &str) -> String {
    format!(
        "From: journal@a.example\r\nTo: queue@a.example\r\nSubject: Offer\r\n\
         Message-ID: <j1@a.example>\r\n{header}Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\n{envelope}--b\r\n\
         Content-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
    )
}

const NAMED: &str = "x-ms-journal-report:\r\n";

#[test]
fn the_mail_inside_counts_and_blind_recipients_come_from_the_envelope() {
    let report = report(NAMED, ENVELOPE, INNER);
    let message = read(&report);
    assert_eq!(addresses(&message.from), "ada@a.example");
    assert_eq!(addresses(&message.to), "penny@b.example");
    assert_eq!(addresses(&message.bcc), "carl@c.example, dora@d.example");
    assert_eq!(message.message_id.as_deref(), Some("offer@a.example"));
    assert_eq!(codes!(message.flags), "journal-unwrapped");
    let plain = read(INNER);
    assert_eq!(message.identity.fast_key, plain.identity.fast_key);
    assert_ne!(
        message.identity.original_digest,
        plain.identity.original_digest
    );
    assert_eq!(message.identity.size, report.len() as u64);
    let digest = |mail: &str| CanonicalDigest::of(mail.as_bytes(), &MessageLimits::default());
    assert_eq!(digest(&report), digest(INNER));
    assert_eq!(content(&report).text.as_deref(), Some("Hi Penny"));
}

#[test]
fn chunks_make_no_difference_to_a_report() {
    let report = report(NAMED, ENVELOPE, INNER);
    let unnamed = self::report("", ENVELOPE, &format!("{INNER}{}", "x\r\n".repeat(3_000)));
    for mail in [report, unnamed] {
        let whole = read_in_chunks(mail.as_bytes(), mail.len());
        assert!(whole.is_ok());
        for size in [1, 5, 100, 4_095, 4_096, 4_097] {
            assert_eq!(read_in_chunks(mail.as_bytes(), size), whole);
        }
    }
}

#[test]
fn a_report_that_is_not_named_one_must_name_the_mail_inside() {
    let unwrapped = read(report("", ENVELOPE, INNER));
    assert_eq!(codes!(unwrapped.flags), "journal-unwrapped");
    let other = INNER.replace("<offer@", "<other@");
    for (envelope, inner) in [
        (ENVELOPE, &*other),
        ("Sender: ada@a.example\r\n", INNER),
        ("Message-Id: <offer@a.example>\r\n", INNER),
        ("See the mail below.\r\n", INNER),
    ] {
        let message = read(report("", envelope, inner));
        assert_eq!(addresses(&message.from), "journal@a.example");
        assert_eq!(codes!(message.flags), "date-missing");
    }
}

#[test]
fn a_report_is_taken_off_once() {
    let inside = report(NAMED, ENVELOPE, INNER)
        .replace("=\"b\"", "=c")
        .replace("--b", "--c");
    let outer = read(report(NAMED, "Sender: x@y.example\r\n", &inside));
    assert_eq!(outer.message_id.as_deref(), Some("j1@a.example"));
    assert_eq!(addresses(&outer.from), "journal@a.example");
}

#[test]
fn what_cannot_be_taken_off_is_flagged() {
    let no_mail = format!("From: a@b.example\r\n{NAMED}\r\nSender: a@b.example\r\n");
    let message = read(no_mail);
    assert_eq!(addresses(&message.from), "a@b.example");
    assert_eq!(
        codes!(message.flags),
        "date-missing message-id-missing journal-unreadable"
    );
    let mut limits = MessageLimits::default();
    limits.journal_bytes = 100;
    let report = report(NAMED, ENVELOPE, INNER);
    let message = Message::read(report.as_bytes(), &MailFacts::default(), &limits).unwrap();
    assert_eq!(addresses(&message.from), "journal@a.example");
    assert_eq!(codes!(message.flags), "date-missing journal-unreadable");
}

#[test]
fn facts_about_the_report_say_nothing_of_the_mail_inside() {
    let mut facts = MailFacts::default();
    facts.from = Some(FactAddress::smtp("journal@a.example"));
    facts.cc = vec![FactAddress::smtp("queue@a.example")];
    facts.sensitivity = Some(Sensitivity::Private);
    facts.received = Some("2026-05-05T00:00:00Z".parse().unwrap());
    let report = report(NAMED, ENVELOPE, INNER);
    let message = Message::read(report.as_bytes(), &facts, &MessageLimits::default()).unwrap();
    assert_eq!(addresses(&message.cc), "");
    assert_eq!(codes!(message.flags), "journal-unwrapped");
    assert_eq!(message.sensitivity, Sensitivity::Private);
    assert_eq!(message.received, facts.received);
}
