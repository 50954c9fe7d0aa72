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
