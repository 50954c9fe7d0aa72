//! A message of the server's facts alone, for mail whose MIME the server cannot render.

use blake3::Hasher;

use super::mime::{finish, update_prefixed};
use super::{
    ContentIdentity, FactAddress, FastKey, ItemClass, MailAddress, MailFacts, Mailbox, Message,
    MessageFlag, OriginalDigest, Signal,
};

impl Mailbox {
    /// The participant that a server names; none where it names nobody.
    pub(super) fn of_fact(fact: &FactAddress) -> Option<Self> {
        let text = |field: &Option<String>| {
            let text = field.as_deref().unwrap_or_default().trim();
            text.replace('\0', "\u{fffd}")
        };
        let (name, address) = (text(&fact.name), text(&fact.address));
        if name.is_empty() && address.is_empty() {
            return None;
        }
        let address = if fact.exchange && !address.is_empty() {
            MailAddress::Exchange(address)
        } else {
            MailAddress::read(&address)
        };
        Some(Self {
            name: (!name.is_empty()).then_some(name),
            address,
        })
    }
}

impl Message {
    /// The message that the server's facts describe, flagged [`MessageFlag::OriginalMissing`].
    ///
    /// There are no bytes to hash: its identity is made of the facts and of `key_material`, which
    /// must be what the server keeps equal for all copies of this mail and for no other mail (the
    /// search key). Its size is 0.
    pub fn from_facts(facts: &MailFacts, key_material: &[u8]) -> Self {
        let mut message = Self::new(identity(facts, key_material));
        let one = |fact: &Option<FactAddress>| fact.as_ref().and_then(Mailbox::of_fact);
        let all = |list: &[FactAddress]| list.iter().filter_map(Mailbox::of_fact).collect();
        message.from = one(&facts.from).into_iter().collect();
        message.sender = one(&facts.sender).filter(|sender| {
            message
                .from
                .iter()
                .all(|from| from.address != sender.address)
        });
        message.to = all(&facts.to);
        message.cc = all(&facts.cc);
        message.bcc = all(&facts.bcc);
        message.message_id = facts.message_id.as_deref().and_then(usable_id);
        let subject = facts.subject.as_deref().unwrap_or_default();
        message.subject = subject.replace('\0', "\u{fffd}");
        message.sent = facts.sent.or(facts.received);
        message.received = facts.received;
        message.sensitivity = facts.sensitivity.unwrap_or_default();
        message.class = facts.class.unwrap_or(ItemClass::Mail);
        message.web_link.clone_from(&facts.web_link);
        message.flags.push(MessageFlag::OriginalMissing);
        if message.message_id.is_none() {
            message.flags.push(MessageFlag::MessageIdMissing);
        }
        match message.class {
            ItemClass::OutOfOffice => message.signals.push(Signal::AutomaticReply),
            ItemClass::SmimeOpaque => message.flags.push(MessageFlag::OpaqueContent),
            _ => {}
        }
        finish(&mut message);
        message
    }
}

fn usable_id(text: &str) -> Option<String> {
    let id = text.trim().trim_start_matches('<').trim_end_matches('>');
    let usable = !id.is_empty() && id.len() <= 998;
    usable.then(|| id.replace('\0', "\u{fffd}"))
}

fn identity(facts: &MailFacts, key_material: &[u8]) -> ContentIdentity {
    let digest = |kind: &[u8]| {
        let mut hasher = Hasher::new();
        update_prefixed(&mut hasher, kind);
        update_prefixed(&mut hasher, key_material);
        for text in [&facts.message_id, &facts.subject] {
            update_prefixed(&mut hasher, text.as_deref().unwrap_or_default().as_bytes());
        }
        let sent = facts.sent.map(jiff::Timestamp::as_microsecond);
        hasher.update(&sent.unwrap_or(i64::MIN).to_le_bytes());
        let author: Vec<_> = facts.from.iter().cloned().collect();
        for list in [&author, &facts.to, &facts.cc] {
            hasher.update(&(list.len() as u64).to_le_bytes());
            for fact in list {
                update_prefixed(
                    &mut hasher,
                    fact.address.as_deref().unwrap_or_default().as_bytes(),
                );
            }
        }
        *hasher.finalize().as_bytes()
    };
    ContentIdentity {
        fast_key: FastKey::from_bytes(digest(b"facts: fast key")),
        original_digest: OriginalDigest::from_bytes(digest(b"facts: original digest")),
        size: 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn facts() -> MailFacts {
        MailFacts {
            from: Some(FactAddress::smtp("Ada@Example.org")),
            sender: Some(FactAddress::smtp("ada@example.org")),
            to: vec![
                FactAddress {
                    name: Some("B\0".to_owned()),
                    address: Some("/O=A/CN=b".to_owned()),
                    exchange: true,
                },
                FactAddress::default(),
            ],
            message_id: Some("<a@b>".to_owned()),
            subject: Some("x\0y".to_owned()),
            received: Some("2026-04-27T10:00:00Z".parse().unwrap()),
            class: Some(ItemClass::OutOfOffice),
            ..MailFacts::default()
        }
    }

    #[test]
    fn facts_alone_make_a_message() {
        let message = Message::from_facts(&facts(), b"key");
        assert_eq!(
            message.from,
            [Mailbox::smtp("ada@example.org".parse().unwrap())]
        );
        assert_eq!(message.sender, None);
        assert_eq!(
            message.to,
            [Mailbox {
                name: Some("B\u{fffd}".to_owned()),
                address: MailAddress::Exchange("/O=A/CN=b".to_owned())
            }]
        );
        assert_eq!(message.message_id.as_deref(), Some("a@b"));
        assert_eq!(message.subject, "x\u{fffd}y");
        assert_eq!(message.sent, message.received);
        assert_eq!(message.signals, [Signal::AutomaticReply]);
        assert_eq!(
            message.flags,
            [
                MessageFlag::ExchangeAddressUnresolved,
                MessageFlag::OriginalMissing
            ]
        );
        assert_eq!(message.identity.size, 0);
    }

    #[test]
    fn the_identity_of_facts_hangs_on_the_key_and_the_facts() {
        let base = Message::from_facts(&facts(), b"key").identity;
        assert_eq!(Message::from_facts(&facts(), b"key").identity, base);
        assert_ne!(Message::from_facts(&facts(), b"other").identity, base);
        let mut other = facts();
        other.subject = None;
        assert_ne!(Message::from_facts(&other, b"key").identity, base);
        assert_ne!(base.fast_key.as_bytes(), base.original_digest.as_bytes());
    }
}
