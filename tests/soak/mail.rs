//! The mails of the soak, and what must be logged of them.

use std::collections::BTreeMap;

use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::interaction::NewEntry;
use email_logging::parties::ContactKind;

const CONTACTS: u64 = 50;
const SALESPEOPLE: u64 = 7;

/// Every hundredth mail is a second copy of the one before.
fn content_of(number: u64) -> u64 {
    if number % 100 == 99 {
        number - 1
    } else {
        number
    }
}

/// Mail `number`. One in a thousand is large.
pub(crate) fn bytes(number: u64) -> Vec<u8> {
    let number = content_of(number);
    let (contact, salesperson) = (number % CONTACTS, number % SALESPEOPLE);
    let ours = format!("s{salesperson}@ours.example");
    let theirs = format!("c{contact}@contacts.example");
    let (from, to) = if number.is_multiple_of(2) {
        (theirs, ours)
    } else {
        (ours, theirs)
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
        "From: {from}\r\nTo: {to}\r\nSubject: Offer {number}\r\n\
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
    /// The entry of mail `number`, or of the mail that it is a copy of.
    pub(crate) fn of_mail(number: u64) -> Self {
        let number = content_of(number);
        let inbound = number.is_multiple_of(2);
        Self {
            subject: format!("Offer {number}"),
            contact: format!("C{}", number % CONTACTS),
            salesperson: format!("S{}", number % SALESPEOPLE),
            flow: if inbound { "inbound" } else { "outbound" }.to_owned(),
        }
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
    let numbers = (0..messages).map(content_of);
    numbers.map(|it| (Expected::of_mail(it), it)).collect()
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
