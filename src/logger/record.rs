//! What is kept of a message besides its original.

use crate::decision::LoggingPolicy;
use crate::message::{MailAddress, Mailbox, Message};
use crate::store::{MessageRecord, Participant, ParticipantRole};

/// References that are kept: the last ones, as threads beyond that are noise.
const REFERENCES: usize = 32;

pub(super) fn of(message: &Message, policy: &LoggingPolicy) -> MessageRecord {
    MessageRecord {
        identity: message.identity,
        canonical: None,
        message_id: message.message_id.clone(),
        references: references(message),
        subject: message.subject.clone(),
        participants: participants(message),
        sent: message.sent,
        received: message.received,
        sensitivity: message.sensitivity,
        class: message.class,
        authenticity: policy.trust_verdict(message).authenticity,
        flags: flags(message),
        web_link: message.web_link.clone(),
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

fn participants(message: &Message) -> Vec<Participant> {
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
                .map(move |mailbox| participant(role, mailbox))
        })
        .collect()
}

fn participant(role: ParticipantRole, mailbox: &Mailbox) -> Participant {
    let address = match &mailbox.address {
        MailAddress::Smtp(address) => address.as_str(),
        MailAddress::Exchange(text) => text,
        MailAddress::Unusable(_) => "",
    };
    Participant::new(role, address, mailbox.name.clone())
}
