//! MIME first, the server's facts second: one [`Message`] of both.

use super::dates::{self, Date};
use super::headers::{Headers, MAX_ID_BYTES};
use crate::message::{
    ContentIdentity, FactAddress, ItemClass, MailAddress, MailFacts, Mailbox, Message, MessageFlag,
    MessageLimits, Signal,
};

/// Makes the message.
pub(super) fn message(
    headers: Headers,
    facts: &MailFacts,
    identity: ContentIdentity,
    limits: &MessageLimits,
) -> Message {
    let mut message = Message::new(identity);
    message.flags = headers.flags;
    message.stamps = headers.stamps;
    let author: Vec<_> = facts.from.iter().cloned().collect();
    let submitter: Vec<_> = facts.sender.iter().cloned().collect();
    message.from = resolve(none_if_empty(headers.from), &author);
    message.sender = resolve(headers.sender.map(|s| vec![s]), &submitter)
        .into_iter()
        .next();
    message.reply_to = headers.reply_to;
    message.to = resolve(headers.to, &facts.to);
    message.cc = resolve(headers.cc, &facts.cc);
    message.bcc = resolve(none_if_empty(headers.bcc.unwrap_or_default()), &facts.bcc);
    message.in_reply_to = headers.in_reply_to;
    message.references = headers.references;
    let subject = headers.subject.or_else(|| facts.subject.clone());
    message.subject = subject.unwrap_or_default().replace('\0', "\u{fffd}");
    message.received = facts.received;
    message.sensitivity = headers
        .sensitivity
        .max(facts.sensitivity.unwrap_or_default());
    message.signals = headers.signals;
    message.web_link.clone_from(&facts.web_link);
    take_message_id(&mut message, headers.message_id, facts);
    take_date(&mut message, headers.date.unwrap_or(Date::Missing), facts);
    take_class(&mut message, headers.class, facts);
    compare_senders(&mut message, facts);
    if facts.damaged {
        message.flags.push(MessageFlag::DamagedContent);
    }
    limit_addresses(&mut message, limits);
    finish(&mut message);
    message
}

fn none_if_empty(list: Vec<Mailbox>) -> Option<Vec<Mailbox>> {
    (!list.is_empty()).then_some(list)
}

/// The mailboxes of a field, Exchange addresses among them replaced by what the server resolved;
/// all of the server's where MIME has no such field.
fn resolve(from_mime: Option<Vec<Mailbox>>, facts: &[FactAddress]) -> Vec<Mailbox> {
    let known = || facts.iter().filter_map(Mailbox::of_fact);
    let Some(mut list) = from_mime else {
        return known().collect();
    };
    let same_length = list.len() == facts.len();
    for (position, mailbox) in list.iter_mut().enumerate() {
        if !matches!(mailbox.address, MailAddress::Exchange(_)) {
            continue;
        }
        let at_position = || facts.get(position).filter(|_| same_length);
        let fact = named(facts, mailbox.name.as_deref()).or_else(at_position);
        if let Some(address) = fact.and_then(Mailbox::of_fact).map(|found| found.address)
            && address.smtp().is_some()
        {
            mailbox.address = address;
        }
    }
    list
}

/// The one fact with this display name.
fn named<'a>(facts: &'a [FactAddress], name: Option<&str>) -> Option<&'a FactAddress> {
    let name = name?;
    let mut same = facts
        .iter()
        .filter(|fact| fact.name.as_deref() == Some(name));
    same.next().filter(|_| same.next().is_none())
}

fn take_message_id(message: &mut Message, from_mime: Option<String>, facts: &MailFacts) {
    if from_mime.is_none() {
        message.flags.push(MessageFlag::MessageIdMissing);
    }
    let from_facts = || super::ids::read_one(facts.message_id.as_deref()?.as_bytes());
    match from_mime.or_else(from_facts) {
        Some(id) if id.len() > MAX_ID_BYTES => message.flags.push(MessageFlag::MessageIdUnusable),
        id => message.message_id = id,
    }
}

fn take_date(message: &mut Message, date: Date, facts: &MailFacts) {
    let sent = match dates::against(date, facts.received) {
        Date::At(sent) => Some(sent),
        Date::Missing => {
            message.flags.push(MessageFlag::DateMissing);
            facts.received
        }
        Date::Implausible => {
            message.flags.push(MessageFlag::DateImplausible);
            facts.received
        }
    };
    message.sent = facts.sent.or(sent);
}

/// The server knows more kinds than MIME can say; where it calls it a mail, MIME may know better.
fn take_class(message: &mut Message, from_mime: Option<ItemClass>, facts: &MailFacts) {
    let from_facts = facts.class.filter(|class| *class != ItemClass::Mail);
    message.class = from_facts.or(from_mime).unwrap_or(ItemClass::Mail);
    match message.class {
        ItemClass::OutOfOffice => message.signals.push(Signal::AutomaticReply),
        ItemClass::SmimeOpaque => message.flags.push(MessageFlag::OpaqueContent),
        _ => {}
    }
}

/// Flags another author or submitter on the server's side, and drops a submitter who is the author.
fn compare_senders(message: &mut Message, facts: &MailFacts) {
    let disagree = |mime: &[Mailbox], fact: &Option<FactAddress>| {
        let fact = fact.as_ref().and_then(Mailbox::of_fact);
        fact.is_some_and(|fact| {
            fact.address.smtp().is_some()
                && !mime.is_empty()
                && mime.iter().all(|mailbox| mailbox.address != fact.address)
        })
    };
    let submitter = message.sender.as_slice();
    if disagree(&message.from, &facts.from) || disagree(submitter, &facts.sender) {
        message.flags.push(MessageFlag::SenderDisagreement);
    }
    let author = message.from.first().filter(|_| message.from.len() == 1);
    if author.map(|author| &author.address) == message.sender.as_ref().map(|s| &s.address) {
        message.sender = None;
    }
}

/// Flags unusable addresses, and puts signals and flags in order.
pub(in crate::message) fn finish(message: &mut Message) {
    let lists = [&message.from, &message.to, &message.cc, &message.bcc];
    let mailboxes = lists.into_iter().flatten().chain(&message.sender);
    let mut flags = Vec::new();
    for mailbox in mailboxes {
        match mailbox.address {
            MailAddress::Smtp(_) => {}
            MailAddress::Exchange(_) => flags.push(MessageFlag::ExchangeAddressUnresolved),
            MailAddress::Unusable(_) => flags.push(MessageFlag::AddressUnusable),
        }
    }
    message.flags.append(&mut flags);
    message.flags.sort();
    message.flags.dedup();
    message.signals.sort();
    message.signals.dedup();
}

/// Leaves addresses beyond the limit out of the match.
fn limit_addresses(message: &mut Message, limits: &MessageLimits) {
    let lists = [&message.from, &message.to, &message.cc, &message.bcc];
    let named: usize = lists.into_iter().map(Vec::len).sum();
    if named <= limits.addresses || message.addresses().len() <= limits.addresses {
        return;
    }
    let mut room = limits.addresses;
    let lists = [
        &mut message.from,
        &mut message.to,
        &mut message.cc,
        &mut message.bcc,
    ];
    for list in lists {
        list.truncate(room);
        room -= list.len();
    }
    message.flags.push(MessageFlag::TooManyAddresses);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_original_that_came_damaged_is_flagged() {
        let original = b"From: a@example.com\r\nTo: b@example.com\r\n\r\nhello";
        for damaged in [false, true] {
            let facts = MailFacts {
                damaged,
                ..MailFacts::default()
            };
            let message = Message::read(original, &facts, &MessageLimits::default()).unwrap();
            let flagged = message.flags.contains(&MessageFlag::DamagedContent);
            assert_eq!(flagged, damaged);
        }
    }
}
