//! What a listing told of messages, kept until they are fetched, so that a fetch asks for originals only.
//!
//! Owns the bound. What was dropped is asked for again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::message::{FactAddress, MailFacts};

/// Bytes that are kept at most, counted roughly.
const MOST: usize = 16 << 20;

/// Facts by the id of their message.
#[derive(Default)]
pub(super) struct KnownFacts(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    facts: BTreeMap<String, Entry>,
    /// The ids by age.
    ages: BTreeMap<u64, String>,
    next: u64,
    bytes: usize,
}

struct Entry {
    facts: MailFacts,
    age: u64,
    bytes: usize,
}

impl fmt::Debug for KnownFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownFacts")
            .field("messages", &self.kept().facts.len())
            .finish_non_exhaustive()
    }
}

impl KnownFacts {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the facts of a message; the oldest make room.
    pub(super) fn keep(&self, id: &str, facts: MailFacts) {
        let bytes = weight(id, &facts);
        let mut kept = self.kept();
        kept.take(id);
        if bytes > MOST / 16 {
            return;
        }
        kept.bytes += bytes;
        while kept.bytes > MOST
            && let Some((_, oldest)) = kept.ages.pop_first()
        {
            if let Some(dropped) = kept.facts.remove(&oldest) {
                kept.bytes = kept.bytes.saturating_sub(dropped.bytes);
            }
        }
        let age = kept.next;
        kept.next += 1;
        kept.ages.insert(age, id.to_owned());
        kept.facts
            .insert(id.to_owned(), Entry { facts, age, bytes });
    }

    /// Takes the facts of a message out: the next fetch of it asks anew.
    pub(super) fn take(&self, id: &str) -> Option<MailFacts> {
        self.kept().take(id)
    }
}

impl Kept {
    fn take(&mut self, id: &str) -> Option<MailFacts> {
        let entry = self.facts.remove(id)?;
        self.ages.remove(&entry.age);
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        Some(entry.facts)
    }
}

fn weight(id: &str, facts: &MailFacts) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let address = |address: &FactAddress| 64 + text(&address.name) + text(&address.address);
    let single = facts.from.iter().chain(&facts.sender);
    let all = single.chain(&facts.to).chain(&facts.cc).chain(&facts.bcc);
    let texts = text(&facts.subject) + text(&facts.message_id) + text(&facts.web_link);
    512 + 2 * id.len() + texts + all.map(address).sum::<usize>()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn with_subject(length: usize) -> MailFacts {
        MailFacts {
            subject: Some("s".repeat(length)),
            ..MailFacts::default()
        }
    }

    #[test]
    fn facts_are_taken_once_and_replaced_by_newer_ones() {
        let known = KnownFacts::default();
        known.keep("a", with_subject(1));
        known.keep("a", with_subject(2));
        assert_eq!(known.take("a").unwrap().subject.as_deref(), Some("ss"));
        assert!(known.take("a").is_none());
        let kept = known.kept();
        assert_eq!((kept.bytes, kept.facts.len(), kept.ages.len()), (0, 0, 0));
    }

    #[test]
    fn the_oldest_make_room_and_no_message_takes_all_of_it() {
        let known = KnownFacts::default();
        for number in 0..40 {
            known.keep(&number.to_string(), with_subject(900 << 10));
        }
        assert!(known.kept().bytes <= MOST);
        assert!(known.take("0").is_none());
        assert!(known.take("39").is_some());
        known.keep("large", with_subject(2 << 20));
        assert!(known.take("large").is_none());
    }

    #[test]
    fn known_facts_show_how_many_they_are_and_no_mail() {
        let known = KnownFacts::default();
        known.keep("a", with_subject(1));
        known.keep("b", with_subject(2));
        assert_eq!(format!("{known:?}"), "KnownFacts { messages: 2, .. }");
    }
}
