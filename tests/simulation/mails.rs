//! The mails of a schedule, and what the log must hold of each: worked out by hand, not by the code under test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use email_logging::Scope;
use email_logging::directory::ContactDirectory;
use email_logging::error::{Error, Result, codes};
use email_logging::message::Address;
use email_logging::parties::{AddressParties, ContactKind, ContactMatch, SalespersonMatch};

use crate::book::Book;
use crate::mailbox::{Item, Mailbox};
use crate::rng::Rng;
use crate::stage::{Op, Phase, Stage};

/// `(subject, contact, salesperson)` of an entry.
pub(crate) type Entry = (String, &'static str, &'static str);

/// The kinds of mail that a schedule may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From a contact to a salesperson.
    Plain,
    /// From a salesperson to two contacts.
    TwoContacts,
    /// Nobody knows the sender.
    Stranger,
    /// Marked as private.
    Private,
    /// Larger than what is handed on in one piece.
    Large,
    /// The same Message-ID as the mail before, and another content.
    SameMessageId,
    /// The mail before once more, in another rendering.
    Rendering,
    /// Its original cannot be read, until somebody mends it.
    Poison,
}

impl Kind {
    /// Whether the log keeps what it says, and not only why it is not there.
    pub(crate) fn is_kept(self) -> bool {
        !matches!(self, Self::Private | Self::Poison)
    }
}

/// One mail.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) kind: Kind,
    pub(crate) original: Arc<[u8]>,
    pub(crate) entries: Vec<Entry>,
}

/// The mails of a schedule, by number.
#[derive(Debug)]
pub(crate) struct Mails {
    pub(crate) all: Vec<Mail>,
    /// The contact that is in the directory at some times and not at others.
    pub(crate) comes_and_goes: Option<&'static str>,
}

impl Mails {
    pub(crate) fn of(kinds: &[Kind], comes_and_goes: Option<&'static str>) -> Self {
        Self {
            all: (0..kinds.len()).map(|at| mail(at, kinds[at])).collect(),
            comes_and_goes,
        }
    }

    /// The mail that this one is a rendering of, or itself.
    pub(crate) fn base(&self, mail: usize) -> usize {
        let rendering = self.all[mail].kind == Kind::Rendering;
        if rendering { mail - 1 } else { mail }
    }

    /// Whether these are the bytes of a mail, in one of its renderings.
    pub(crate) fn is_original(&self, mail: usize, bytes: &[u8]) -> bool {
        let next = self.all.get(mail + 1);
        let rendered = next.is_some_and(|it| it.kind == Kind::Rendering && *it.original == *bytes);
        rendered || *self.all[mail].original == *bytes
    }

    pub(crate) fn is_poison(&self, mail: usize) -> bool {
        self.all[mail].kind == Kind::Poison
    }

    /// The entries of a mail that is read, with that contact in the directory or without it.
    pub(crate) fn entries(&self, mail: usize, is_away: bool) -> impl Iterator<Item = &Entry> {
        let away = self.comes_and_goes.filter(|_| is_away);
        let all = self.all[mail].entries.iter();
        all.filter(move |(_, contact, _)| Some(*contact) != away)
    }

    /// What may become of an item, with the contact in the directory (the first) and without it (the second).
    pub(crate) fn outcomes(
        &self,
        mailbox: &Mailbox,
        item: &Item,
        [here, away]: [bool; 2],
    ) -> BTreeSet<&'static str> {
        if mailbox.is_unreadable(self, item) {
            return BTreeSet::from(["quarantined"]);
        }
        let mut outcomes = BTreeSet::new();
        if here || self.comes_and_goes.is_none() {
            outcomes.insert(self.outcome(item.mail, false));
        }
        if away && self.comes_and_goes.is_some() {
            outcomes.insert(self.outcome(item.mail, true));
        }
        outcomes
    }

    /// What becomes of a mail that is read.
    pub(crate) fn outcome(&self, mail: usize, is_away: bool) -> &'static str {
        match self.all[mail].kind {
            Kind::Private => "excluded",
            _ if self.entries(mail, is_away).next().is_none() => "not-matched",
            _ => "logged",
        }
    }
}

/// Kinds as a seed chooses them.
pub(crate) fn kinds(rng: &mut Rng, count: usize) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(count);
    for _ in 0..count {
        let plain = kinds.last() == Some(&Kind::Plain);
        kinds.push(match rng.below(16) {
            0..6 => Kind::Plain,
            6 | 7 => Kind::TwoContacts,
            8 | 9 => Kind::Stranger,
            10 => Kind::Private,
            11 => Kind::Large,
            12 | 13 if plain => Kind::Rendering,
            12..15 => Kind::SameMessageId,
            _ => Kind::Poison,
        });
    }
    kinds
}

/// Bytes from which a mail is large in a schedule.
pub(crate) const INLINE: usize = 700;

fn mail(number: usize, kind: Kind) -> Mail {
    let is_rendering = kind == Kind::Rendering;
    // Every other one came another way; the rest have another encoding of the same text.
    let trace = if is_rendering && number.is_multiple_of(2) {
        "Received: from a.example by b.example; Thu, 1 Jan 2026 10:00:01 +0000\r\n"
    } else {
        ""
    };
    let (encoding, hello) = if is_rendering && !number.is_multiple_of(2) {
        (
            "Content-Transfer-Encoding: quoted-printable\r\n",
            "Hello=2E",
        )
    } else {
        ("", "Hello.")
    };
    let number = number - usize::from(is_rendering);
    let subject = format!("S{number}");
    let (ada, bob) = ("ada@contacts.example", "bob@contacts.example");
    let us = "ah@ours.example";
    let both = format!("{ada}, {bob}");
    let (from, to): (&str, &str) = match kind {
        Kind::TwoContacts => (us, &both),
        Kind::Stranger => ("nobody@elsewhere.example", us),
        _ => (ada, us),
    };
    let private = if kind == Kind::Private {
        "Sensitivity: Private\r\n"
    } else {
        ""
    };
    let id = if kind == Kind::SameMessageId {
        number.saturating_sub(1)
    } else {
        number
    };
    // Every other mail with a repeated Message-ID is large: its staged bytes are compared.
    let repeats_at_length = kind == Kind::SameMessageId && !number.is_multiple_of(2);
    let body = if kind == Kind::Large || repeats_at_length {
        "Offer. ".repeat(300)
    } else {
        hello.into()
    };
    let original = format!(
        "{trace}From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <m{id}@x.example>\r\n\
         Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n{private}{encoding}\r\n{body} {number}\r\n"
    );
    let entries = match kind {
        Kind::Plain | Kind::Large | Kind::SameMessageId | Kind::Rendering | Kind::Poison => {
            vec![(subject, "C1", "AH")]
        }
        Kind::TwoContacts => vec![(subject.clone(), "C1", "AH"), (subject, "C2", "AH")],
        Kind::Stranger | Kind::Private => Vec::new(),
    };
    Mail {
        kind,
        original: original.into_bytes().into(),
        entries,
    }
}

/// The contacts and salespeople; the same for all schedules.
#[derive(Debug)]
pub(crate) struct Company {
    people: BTreeMap<Address, AddressParties>,
}

impl Company {
    pub(crate) fn new() -> Self {
        let salesperson =
            AddressParties::nobody().with_salesperson(SalespersonMatch::new("AH", "A"));
        let contact = |no: &str| {
            let found = ContactMatch::new(no, no, ContactKind::Person);
            AddressParties::nobody().with_contact(found)
        };
        let people = [
            ("ah@ours.example", salesperson),
            ("ada@contacts.example", contact("C1")),
            ("bob@contacts.example", contact("C2")),
        ];
        let people = people
            .into_iter()
            .map(|(text, found)| (text.parse().unwrap(), found));
        Self {
            people: people.collect(),
        }
    }
}

/// One worker's way to the directory.
#[derive(Debug)]
pub(crate) struct SimDirectory {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
    pub(crate) company: Arc<Company>,
    pub(crate) book: Arc<Book>,
    pub(crate) comes_and_goes: Option<&'static str>,
}

impl SimDirectory {
    fn find(&self, address: &Address) -> AddressParties {
        let people = &self.company.people;
        let found = people.get(address).cloned().unwrap_or_default();
        let away = self.comes_and_goes.filter(|_| self.book.pages().is_away);
        let is_away = found.contacts.iter().any(|it| Some(it.no.as_str()) == away);
        if is_away {
            AddressParties::nobody()
        } else {
            found
        }
    }
}

#[async_trait]
impl ContactDirectory for SimDirectory {
    async fn resolve(&self, _: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let outage = || Error::new(&codes::DIRECTORY_UNAVAILABLE, "resolve");
        for phase in [Phase::Before, Phase::After] {
            if self
                .stage
                .wait(self.worker, Op::Resolve, phase)
                .await
                .is_some()
            {
                return Err(outage());
            }
        }
        let is_away = self.book.pages().is_away;
        self.stage.sees(self.worker, &("resolved", is_away));
        Ok(addresses.iter().map(|it| self.find(it)).collect())
    }
}
