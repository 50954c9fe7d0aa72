//! The mails of the soak, and what must be logged of them.

use std::collections::BTreeMap;

use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::interaction::NewEntry;
use email_logging::parties::ContactKind;

const CONTACTS: u64 = 50;
const SALESPEOPLE: u64 = 7;

/// Of a hundred mails two are second copies: one of a mail that is logged, one of a mail that is not.
fn content_of(number: u64) -> u64 {
    match number % 100 {
        8 | 99 => number - 1,
        _ => number,
    }
}

/// What a mail is to the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Between a salesperson and a contact.
    Sale,
    /// From a salesperson to two contacts: two entries.
    Round,
    /// From somebody whom nobody knows.
    Foreign,
    /// Between two salespeople.
    Colleagues,
    /// Between a salesperson and a contact, but private.
    Private,
}

impl Kind {
    fn of(content: u64) -> Self {
        match content % 20 {
            3 => Self::Round,
            7 => Self::Foreign,
            12 => Self::Colleagues,
            16 => Self::Private,
            _ => Self::Sale,
        }
    }

    /// The outcome and the reason in the decision, where the mail is not logged.
    fn left_out(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Sale | Self::Round => None,
            Self::Foreign => Some(("not-matched", "unknown-sender")),
            Self::Colleagues => Some(("not-matched", "no-contact")),
            Self::Private => Some(("excluded", "private")),
        }
    }
}

fn salesperson(number: u64) -> String {
    format!("s{}@ours.example", number % SALESPEOPLE)
}

fn contact(number: u64) -> String {
    format!("c{}@contacts.example", number % CONTACTS)
}

/// Sender and recipients.
fn between(number: u64) -> (String, String) {
    let (ours, theirs) = (salesperson(number), contact(number));
    match Kind::of(number) {
        Kind::Round => (ours, format!("{theirs}, {}", contact(number + 1))),
        Kind::Foreign => ("somebody@elsewhere.example".to_owned(), ours),
        Kind::Colleagues => (ours, salesperson(number + 1)),
        Kind::Sale | Kind::Private if number.is_multiple_of(2) => (theirs, ours),
        Kind::Sale | Kind::Private => (ours, theirs),
    }
}

/// Mail `number`. One in a thousand is large.
pub(crate) fn bytes(number: u64) -> Vec<u8> {
    let number = content_of(number);
    let (from, to) = between(number);
    let sensitivity = match Kind::of(number) {
        Kind::Private => "Sensitivity: Private\r\n",
        _ => "",
    };
    let lines = if number % 1_000 == 500 {
        20_000
    } else {
        20 + number % 30
    };
    let body: Vec<String> = (0..lines)
        .map(|line| format!("Line {line} of mail {number}.\r\n"))
        .collect();
    let body = body.concat();
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: Offer {number}\r\n{sensitivity}\
         Message-ID: <n{number}@ours.example>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n{body}"
    )
    .into_bytes()
}

/// An entry as far as it says what was logged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expected {
    subject: String,
    contact: String,
    salesperson: String,
    flow: String,
}

impl Expected {
    /// The entries of mail `number`, or of the mail that it is a copy of.
    pub(crate) fn of_mail(number: u64) -> Vec<Self> {
        let number = content_of(number);
        let (contacts, inbound) = match Kind::of(number) {
            Kind::Sale => (vec![number], number.is_multiple_of(2)),
            Kind::Round => (vec![number, number + 1], false),
            Kind::Foreign | Kind::Colleagues | Kind::Private => return Vec::new(),
        };
        let entry = |contact: u64| Self {
            subject: format!("Offer {number}"),
            contact: format!("C{}", contact % CONTACTS),
            salesperson: format!("S{}", number % SALESPEOPLE),
            flow: if inbound { "inbound" } else { "outbound" }.to_owned(),
        };
        contacts.into_iter().map(entry).collect()
    }

    /// A row of the database: description, contact, salesperson and flow.
    pub(crate) fn of_row(row: &tokio_postgres::Row) -> Self {
        Self {
            subject: row.get(0),
            contact: row.get(1),
            salesperson: row.get(2),
            flow: row.get(3),
        }
    }

    pub(crate) fn of(entry: &NewEntry) -> Self {
        Self {
            subject: entry.description.clone(),
            contact: entry.contact_no.as_str().to_owned(),
            salesperson: entry.salesperson_code.as_str().to_owned(),
            flow: entry.information_flow.code().to_owned(),
        }
    }
}

/// The entries of this many mails, with the number of the mail. Known from how the mails are made, not from the crate.
pub(crate) fn expected(messages: u64) -> BTreeMap<Expected, u64> {
    let entries_of = |number| {
        Expected::of_mail(number)
            .into_iter()
            .map(move |it| (it, number))
    };
    (0..messages).map(content_of).flat_map(entries_of).collect()
}

/// How many mails were decided, and of how many a row was written: by outcome and reason, of what is logged by outcome alone.
/// A copy has the row of the mail, a private mail has none.
pub(crate) fn decided(messages: u64) -> BTreeMap<(&'static str, &'static str), (i64, i64)> {
    let mut counts = BTreeMap::new();
    for number in 0..messages {
        let kind = Kind::of(content_of(number));
        let (all, written) = counts
            .entry(kind.left_out().unwrap_or(("logged", "")))
            .or_insert((0, 0));
        *all += 1;
        *written += i64::from(content_of(number) == number && kind != Kind::Private);
    }
    counts
}

/// Everybody whom the mails name.
pub(crate) fn people() -> MemoryDirectory {
    let mut directory = MemoryDirectory::new();
    for number in 0..SALESPEOPLE {
        directory = directory.with_salesperson(SalespersonRecord::new(
            &*format!("S{number}"),
            format!("Salesperson {number}"),
            format!("s{number}@ours.example"),
        ));
    }
    for number in 0..CONTACTS {
        let name = format!("Contact {number}");
        let record = ContactRecord::new(&*format!("C{number}"), name, ContactKind::Person);
        directory =
            directory.with_contact(record.with_email(format!("c{number}@contacts.example")));
    }
    directory
}
