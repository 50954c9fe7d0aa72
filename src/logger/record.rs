//! What is kept of a message besides its original.

use crate::decision::LoggingPolicy;
use crate::message::{
    Address, MailAddress, Mailbox, Message, MessageFlag, Signal, UnusableAddress,
};
use crate::parties::Parties;
use crate::store::{MessageRecord, Participant, ParticipantRole};

/// References that are kept: the last ones, as threads beyond that are noise.
const REFERENCES: usize = 32;

pub(super) fn of(message: &Message, policy: &LoggingPolicy, parties: &Parties) -> MessageRecord {
    MessageRecord {
        identity: message.identity,
        canonical: None,
        message_id: message.message_id.clone(),
        references: references(message),
        subject: message.subject.clone(),
        participants: participants(message, &|address| is_own(address, policy, parties)),
        sent: message.sent,
        received: message.received,
        sensitivity: message.sensitivity,
        class: message.class,
        authenticity: policy.trust_verdict(message).authenticity,
        flags: flags(message),
        web_link: message.web_link.clone(),
    }
}

/// The message as far as its record tells it: enough to decide again.
pub(super) fn read_back(record: &MessageRecord) -> Message {
    let mut message = Message::new(record.identity);
    for participant in &record.participants {
        let mailbox = mailbox(participant);
        match participant.role {
            ParticipantRole::From => message.from.push(mailbox),
            ParticipantRole::Sender => message.sender = Some(mailbox),
            ParticipantRole::ReplyTo => message.reply_to.push(mailbox),
            ParticipantRole::To => message.to.push(mailbox),
            ParticipantRole::Cc => message.cc.push(mailbox),
            ParticipantRole::Bcc => message.bcc.push(mailbox),
        }
    }
    message.message_id.clone_from(&record.message_id);
    message.references.clone_from(&record.references);
    message.subject.clone_from(&record.subject);
    (message.sent, message.received) = (record.sent, record.received);
    (message.sensitivity, message.class) = (record.sensitivity, record.class);
    message.authenticity = record.authenticity;
    let codes = record.flags.iter();
    message.signals = codes.clone().filter_map(|c| Signal::from_code(c)).collect();
    message.flags = codes.filter_map(|c| MessageFlag::from_code(c)).collect();
    message.web_link.clone_from(&record.web_link);
    message
}

fn mailbox(participant: &Participant) -> Mailbox {
    let text = participant.address.as_str();
    let address = match Address::parse(text) {
        Ok(address) => MailAddress::Smtp(address),
        Err(_) if text.is_empty() => MailAddress::Unusable(UnusableAddress::NameOnly),
        Err(_) => MailAddress::Exchange(text.to_owned()),
    };
    Mailbox {
        address,
        name: participant.name.clone(),
    }
}

fn references(message: &Message) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in message.references.iter().chain(&message.in_reply_to) {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids.split_off(ids.len().saturating_sub(REFERENCES))
}

fn flags(message: &Message) -> Vec<String> {
    let signals = message.signals.iter().map(|signal| signal.code());
    let flags = message.flags.iter().map(|flag| flag.code());
    let mut codes: Vec<String> = signals.chain(flags).map(str::to_owned).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// Whether an address is a salesperson's or in one of the company's domains.
fn is_own(address: &Address, policy: &LoggingPolicy, parties: &Parties) -> bool {
    let known = parties.of(address);
    known.is_some_and(|known| !known.salespeople.is_empty())
        || policy.own_domains.contains(address.domain())
}

fn participants(message: &Message, is_own: &dyn Fn(&Address) -> bool) -> Vec<Participant> {
    let roles: [(ParticipantRole, &[Mailbox]); 6] = [
        (ParticipantRole::From, &message.from),
        (ParticipantRole::Sender, message.sender.as_slice()),
        (ParticipantRole::ReplyTo, &message.reply_to),
        (ParticipantRole::To, &message.to),
        (ParticipantRole::Cc, &message.cc),
        (ParticipantRole::Bcc, &message.bcc),
    ];
    roles
        .into_iter()
        .flat_map(|(role, mailboxes)| {
            mailboxes
                .iter()
                .map(move |mailbox| participant(role, mailbox, is_own))
        })
        .collect()
}

fn participant(
    role: ParticipantRole,
    mailbox: &Mailbox,
    is_own: &dyn Fn(&Address) -> bool,
) -> Participant {
    let (address, own) = match &mailbox.address {
        MailAddress::Smtp(address) => (address.as_str(), is_own(address)),
        MailAddress::Exchange(text) => (text.as_str(), false),
        MailAddress::Unusable(_) => ("", false),
    };
    Participant::new(role, address, mailbox.name.clone()).with_own(own)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::message::{ContentIdentity, FastKey, ItemClass, OriginalDigest, Sensitivity};

    fn empty() -> Message {
        Message::new(ContentIdentity {
            fast_key: FastKey::from_bytes([1; 32]),
            original_digest: OriginalDigest::from_bytes([2; 32]),
            size: 3,
        })
    }

    fn kept(message: &Message) -> MessageRecord {
        of(message, &LoggingPolicy::default(), &Parties::default())
    }

    fn smtp(address: &str) -> Mailbox {
        Mailbox {
            address: MailAddress::Smtp(address.parse().unwrap()),
            name: Some(format!("Name of {address}")),
        }
    }

    fn other(address: MailAddress) -> Mailbox {
        let name = Some("No address".to_owned());
        Mailbox { name, address }
    }

    fn full() -> Message {
        let mut message = empty();
        message.from = vec![smtp("from@x.example")];
        message.sender = Some(smtp("sender@x.example"));
        message.reply_to = vec![smtp("reply@x.example")];
        let nobody = MailAddress::Unusable(UnusableAddress::NameOnly);
        message.to = vec![smtp("to@x.example"), other(nobody)];
        let old = MailAddress::Exchange("/o=Org/cn=Someone".to_owned());
        message.cc = vec![other(old)];
        message.bcc = vec![smtp("bcc@x.example")];
        message.message_id = Some("m@x.example".to_owned());
        message.references = vec!["a@x.example".to_owned(), "b@x.example".to_owned()];
        message.subject = "Offer".to_owned();
        message.sent = Some("2026-01-01T10:00:00Z".parse().unwrap());
        message.received = Some("2026-01-01T10:00:05Z".parse().unwrap());
        message.sensitivity = Sensitivity::Personal;
        message.class = ItemClass::Other;
        message.flags = vec![MessageFlag::OriginalMissing];
        message.web_link = Some("https://mail.example/1".to_owned());
        message
    }

    #[test]
    fn a_record_tells_all_that_decides() {
        let message = full();
        let record = kept(&message);
        let read = read_back(&record);
        assert_eq!(read.authenticity, record.authenticity);
        let authenticity = message.authenticity;
        assert_eq!(
            Message {
                authenticity,
                ..read
            },
            message
        );
    }

    #[test]
    fn people_stand_in_the_order_of_the_message() {
        let record = kept(&full());
        let people = record.participants.iter();
        let people: Vec<_> = people.map(|it| (it.role, it.address.as_str())).collect();
        assert_eq!(
            people,
            [
                (ParticipantRole::From, "from@x.example"),
                (ParticipantRole::Sender, "sender@x.example"),
                (ParticipantRole::ReplyTo, "reply@x.example"),
                (ParticipantRole::To, "to@x.example"),
                (ParticipantRole::To, ""),
                (ParticipantRole::Cc, "/o=Org/cn=Someone"),
                (ParticipantRole::Bcc, "bcc@x.example"),
            ]
        );
    }

    #[test]
    fn references_are_kept_once_each_and_the_last_32_of_them() {
        let mut message = empty();
        let id = |number: usize| format!("{number}@x.example");
        message.references = (0..40).chain(35..38).map(id).collect();
        message.in_reply_to = vec![id(39), id(40)];
        assert_eq!(
            kept(&message).references,
            (9..41).map(id).collect::<Vec<_>>()
        );
        message.references = vec![id(1)];
        message.in_reply_to = vec![id(1)];
        assert_eq!(kept(&message).references, [id(1)]);
    }
}
