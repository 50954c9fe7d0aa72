//! The reader: one pass over the original, then the headers.

use std::fmt;

use blake3::{Hash, Hasher};

use super::fields::{Field, fields};
use super::journal::{self, Claim, PEEK_BYTES, Unwrapped};
use super::split::{Split, Splitter};
use super::{calendar, headers, keys, merge, signals};
use crate::error::Result;
use crate::message::{
    ContentIdentity, ItemClass, MailFacts, Message, MessageFlag, MessageLimits, OriginalDigest,
    Sensitivity,
};

/// Where the calendar part of a meeting mail has begun.
const CALENDAR_BYTES: usize = 64 << 10;

/// Reads one original as it arrives: keeps the header block, hashes everything once.
///
/// Only of a journal report ([`MessageLimits::journal_bytes`]), of the first 4 KiB of a
/// `multipart/mixed` and of the first 64 KiB of a meeting mail is the body kept as well. How the
/// bytes are cut into chunks makes no difference.
pub struct MessageReader {
    limits: MessageLimits,
    splitter: Splitter,
    watch: Watch,
    body: Vec<u8>,
}

/// Why the body is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Watch {
    Undecided,
    Nothing,
    Journal(Claim),
    Calendar,
    /// A journal report beyond its limit.
    Lost,
}

impl MessageReader {
    /// A reader for one mail.
    pub fn new(limits: MessageLimits) -> Self {
        Self {
            limits,
            splitter: Splitter::new(),
            watch: Watch::Undecided,
            body: Vec::new(),
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` (`mime.too_large`) when the mail is larger than the limit; the reader is then used up.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let body = self.splitter.push(bytes, &self.limits)?;
        if self.watch == Watch::Undecided && self.splitter.in_body() {
            self.watch = watch(&fields(self.splitter.header()));
        }
        match self.watch {
            Watch::Journal(claim) => self.keep_report(body, claim),
            Watch::Calendar => {
                self.keep(body, CALENDAR_BYTES);
            }
            Watch::Undecided | Watch::Nothing | Watch::Lost => {}
        }
        Ok(())
    }

    /// How private the headers call the mail, as far as they have come.
    pub fn sensitivity(&self) -> Sensitivity {
        let fields = fields(self.splitter.header());
        let named = fields.iter().filter(|field| field.is("Sensitivity"));
        named.map(signals::sensitivity).max().unwrap_or_default()
    }

    /// Keeps a report; of what may be one first only as much as tells.
    fn keep_report(&mut self, body: &[u8], claim: Claim) {
        let possible = claim == Claim::Possible;
        let mut rest = body;
        if possible && self.body.len() < PEEK_BYTES {
            rest = self.keep(rest, PEEK_BYTES);
            if self.body.len() == PEEK_BYTES && !begins_like_envelope(&self.body) {
                self.watch = Watch::Nothing;
                self.body = Vec::new();
                return;
            }
        }
        let beyond = self.keep(rest, self.limits.journal_bytes);
        if !beyond.is_empty() || self.body.len() > self.limits.journal_bytes {
            self.watch = if possible {
                Watch::Nothing
            } else {
                Watch::Lost
            };
            self.body = Vec::new();
        }
    }

    /// Keeps bytes up to this number in all, and hands back the rest.
    fn keep<'a>(&mut self, body: &'a [u8], limit: usize) -> &'a [u8] {
        let room = limit.saturating_sub(self.body.len()).min(body.len());
        let (kept, rest) = body.split_at(room);
        self.body.extend_from_slice(kept);
        rest
    }

    /// Ends the original and reads the message, with the server's facts beside it.
    ///
    /// Of a journal report the mail inside is read, and of the facts only what is not about the
    /// report: when it was received, how private it is, its link.
    ///
    /// Whatever the bytes are, there is a message: what could not be read is flagged
    /// ([`MessageFlag::HeaderMissing`], [`MessageFlag::HeaderLimit`], [`MessageFlag::TooManyAddresses`]).
    pub fn finish(self, facts: &MailFacts) -> Message {
        let Self {
            limits,
            splitter,
            watch,
            body,
        } = self;
        let split = splitter.finish();
        let fields = fields(&split.header);
        let identity = identity(&fields, &split);
        let mut headers = headers::read(&fields, &limits);
        if split.header_limit {
            headers.flags.push(MessageFlag::HeaderLimit);
        } else if fields.is_empty() {
            headers.flags.push(MessageFlag::HeaderMissing);
        }
        match watch {
            Watch::Journal(Claim::Possible) if !begins_like_envelope(&body) => {}
            Watch::Journal(claim) => match journal::unwrap(&whole(&split, &body), claim, &limits) {
                Some(inside) => return unwrapped(inside, &headers, facts, identity, &limits),
                None if claim == Claim::Named => headers.flags.push(MessageFlag::JournalUnreadable),
                None => {}
            },
            Watch::Lost => headers.flags.push(MessageFlag::JournalUnreadable),
            Watch::Calendar if headers.class.is_none_or(|class| class == ItemClass::Mail) => {
                headers.class = Some(calendar::class(&whole(&split, &body), &limits));
            }
            Watch::Undecided | Watch::Nothing | Watch::Calendar => {}
        }
        merge::message(headers, facts, identity, &limits)
    }
}

impl fmt::Debug for MessageReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageReader")
            .field("limits", &self.limits)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

fn begins_like_envelope(body: &[u8]) -> bool {
    journal::begins_like_envelope(body.get(..PEEK_BYTES).unwrap_or(body))
}

fn watch(fields: &[Field<'_>]) -> Watch {
    match journal::claim(fields) {
        Claim::None if calendar::is_meeting(fields) => Watch::Calendar,
        Claim::None => Watch::Nothing,
        claim => Watch::Journal(claim),
    }
}

fn whole(split: &Split, body: &[u8]) -> Vec<u8> {
    [&split.header, body].concat()
}

fn identity(fields: &[Field<'_>], split: &Split) -> ContentIdentity {
    ContentIdentity {
        fast_key: keys::fast_key(fields, split.body_hash),
        original_digest: original_digest(split.header_hash, split.body_hash),
        size: split.size,
    }
}

fn original_digest(header: Hash, body: Hash) -> OriginalDigest {
    let mut hasher = Hasher::new();
    hasher.update(header.as_bytes());
    hasher.update(body.as_bytes());
    OriginalDigest::from_bytes(*hasher.finalize().as_bytes())
}

/// The message of the mail in a report; the original and its digest stay those of the report.
fn unwrapped(
    inside: Unwrapped,
    report: &headers::Headers,
    facts: &MailFacts,
    identity: ContentIdentity,
    limits: &MessageLimits,
) -> Message {
    let Unwrapped {
        mut headers,
        fast_key,
    } = inside;
    headers.sensitivity = headers.sensitivity.max(report.sensitivity);
    if report.flags.contains(&MessageFlag::LoopSuspected) {
        headers.flags.push(MessageFlag::LoopSuspected);
    }
    let facts = MailFacts {
        received: facts.received,
        sensitivity: facts.sensitivity,
        web_link: facts.web_link.clone(),
        damaged: facts.damaged,
        ..MailFacts::default()
    };
    let identity = ContentIdentity {
        fast_key,
        ..identity
    };
    merge::message(headers, &facts, identity, limits)
}
