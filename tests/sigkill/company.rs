//! The mails that people exchange, and what must stand in the log for each of them.

use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::parties::ContactKind;

use crate::dice::Dice;

pub(crate) const QUEUE: &str = r"\Email Logging\Queue\";
pub(crate) const STORAGE: &str = r"\Email Logging\Storage\";
pub(crate) const QUARANTINE: &str = r"\Email Logging\Quarantine\";
pub(crate) const USER: (&str, &str) = ("svc@ours.example", "correct horse");
pub(crate) const TOKEN: &str = "token of the application";

/// Originals above this are staged in the store.
pub(crate) const INLINE_BYTES: usize = 4_000;

/// By which service the mailbox is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// The folders are public ones.
    Ews,
    /// The folders are those of a mailbox.
    Graph,
}

impl Service {
    pub(crate) const ALL: [Self; 2] = [Self::Ews, Self::Graph];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ews => "ews",
            Self::Graph => "graph",
        }
    }

    /// The path of a folder as the logger is told it.
    pub(crate) fn folder(self, path: &str) -> String {
        match self {
            Self::Ews => path.to_owned(),
            Self::Graph => format!("mailbox:{path}"),
        }
    }

    /// The path of a folder as the server knows it.
    pub(crate) fn place(self, path: &str) -> String {
        match self {
            Self::Ews => path.to_owned(),
            Self::Graph => format!("{}{path}", USER.0),
        }
    }

    /// Mails of a batch that is fetched, and of one that is moved.
    pub(crate) fn batches(self) -> (u32, u32) {
        match self {
            Self::Ews => (2, 2),
            // As many as there are: what is left of a batch whose parts are half done is what counts here.
            Self::Graph => (4, 6),
        }
    }
}

/// How the logger is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Profile {
    /// The defaults, with a quarantine folder.
    Plain,
    /// With a log of the host's own.
    Host,
    /// As the original: what is not logged is deleted.
    Deleting,
    /// Mail without a search key gets a key of the logger's own, over EWS.
    Stamping,
}

impl Profile {
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::Host, Self::Deleting, Self::Stamping];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Host => "host",
            Self::Deleting => "deleting",
            Self::Stamping => "stamping",
        }
    }

    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Plain | Self::Host => &[
                Kind::Inbound,
                Kind::Outbound,
                Kind::Stranger,
                Kind::Private,
                Kind::Large,
                Kind::Copy,
                Kind::Poison,
                Kind::SameId,
            ],
            Self::Deleting => &[Kind::Inbound, Kind::Outbound, Kind::Stranger],
            // Each has a subject of its own.
            Self::Stamping => &[
                Kind::Inbound,
                Kind::Outbound,
                Kind::Stranger,
                Kind::Large,
                Kind::SameId,
            ],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inbound,
    /// To two contacts.
    Outbound,
    Stranger,
    Private,
    /// Beyond [`INLINE_BYTES`].
    Large,
    /// The mail before it once more.
    Copy,
    /// Several authors of different parties.
    Poison,
    /// Another large mail under the Message-ID of the mail before it.
    SameId,
}

/// Where a mail ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Storage,
    Quarantine,
    Deleted,
}

/// Subject, contact, salesperson and flow of an entry.
pub(crate) type Entry = [String; 4];

/// A mail of a round.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) subject: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) target: Target,
    id: String,
}

/// The mails of a round: three to six.
pub(crate) fn mails(profile: Profile, round: u64, dice: &mut Dice) -> Vec<Mail> {
    let mut mails: Vec<Mail> = Vec::new();
    for number in 0..3 + dice.below(4) {
        let kind = *dice.one_of(profile.kinds());
        let mail = mail(kind, round, number, mails.last());
        mails.push(mail);
    }
    mails
}

fn mail(kind: Kind, round: u64, number: u64, before: Option<&Mail>) -> Mail {
    match (kind, before) {
        (Kind::Copy, Some(before)) => before.clone(),
        (Kind::SameId, Some(before)) => written(kind, round, number, before.id.clone()),
        _ => written(
            kind,
            round,
            number,
            format!("{round}.{number}@ours.example"),
        ),
    }
}

fn written(kind: Kind, round: u64, number: u64, id: String) -> Mail {
    const ADA: &str = "Ada <ada@contacts.example>";
    const BEN: &str = "ben@contacts.example";
    const ANNA: &str = "ah@ours.example";
    let subject = format!("Offer {round}.{number}");
    let both = format!("{ADA}, {BEN}");
    let (from, to, extra) = match kind {
        Kind::Outbound => (ANNA, both.as_str(), ""),
        Kind::Stranger => ("nobody@else.example", ANNA, ""),
        Kind::Private => (ADA, ANNA, "Sensitivity: Private\r\n"),
        Kind::Poison => (ADA, ANNA, "From: else@else.example\r\n"),
        _ => (ADA, ANNA, ""),
    };
    let lines = match kind {
        Kind::Large | Kind::SameId => 300,
        _ => 10,
    };
    let body = format!("Line of mail {round}.{number}, which is its own.\r\n").repeat(lines);
    let bytes = format!(
        "From: {from}\r\n{extra}To: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\n\
         Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n{body}"
    )
    .into_bytes();
    Mail {
        entries: entries(kind, &subject),
        target: Target::Storage,
        bytes,
        subject,
        id,
    }
    .aimed(kind)
}

fn entries(kind: Kind, subject: &str) -> Vec<Entry> {
    let entry = |contact: &str, flow: &str| [subject, contact, "AH", flow].map(str::to_owned);
    match kind {
        Kind::Outbound => vec![entry("C1", "outbound"), entry("C2", "outbound")],
        Kind::Stranger | Kind::Private | Kind::Poison => Vec::new(),
        _ => vec![entry("C1", "inbound")],
    }
}

impl Mail {
    fn aimed(mut self, kind: Kind) -> Self {
        if kind == Kind::Poison {
            self.target = Target::Quarantine;
        }
        self
    }

    /// Where it ends under this profile.
    pub(crate) fn target(&self, profile: Profile) -> Target {
        match profile {
            Profile::Deleting if self.entries.is_empty() => Target::Deleted,
            _ => self.target,
        }
    }
}

/// Who works there, and whom they know.
pub(crate) fn people() -> MemoryDirectory {
    let contact = |no: &str, name: &str, address: &str| {
        ContactRecord::new(no, name, ContactKind::Person).with_email(address)
    };
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AH", "Anna Hill", "ah@ours.example"))
        .with_contact(contact("C1", "Ada", "ada@contacts.example"))
        .with_contact(contact("C2", "Ben", "ben@contacts.example"))
}
