//! The log as a table: one line per mail, whoever it was to.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};
use email_logging::interaction::{InformationFlow, InteractionLogEntry};
use email_logging::store::LoggedMail;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Output, safe};
use crate::words;

/// From here on there is room for names of salespeople and for notes.
const WIDE: usize = 110;

/// The gap between two columns.
const GAP: usize = 2;

impl Output {
    /// The table of these mails, without a newline at its end.
    pub(crate) fn mails(&self, mails: &[LoggedMail]) -> String {
        let rows: Vec<Line> = mails
            .iter()
            .map(|mail| Line::of(mail, self.columns()))
            .collect();
        let header = Line::header(self.columns());
        let widths = widths(&header, &rows, self.columns());
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_style(TableComponent::HeaderLines, '─')
            .set_style(TableComponent::MiddleHeaderIntersections, '─')
            .set_content_arrangement(ContentArrangement::Disabled)
            .force_no_tty();
        table.set_header(header.cells(&widths));
        rows.iter().for_each(|row| {
            table.add_row(row.cells(&widths));
        });
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        if let Some(column) = table.column_mut(0) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.trim_fmt()
    }
}

/// One line of the table: number, date, direction, salespeople, contacts, subject, notes.
struct Line([String; 7]);

impl Line {
    fn header(columns: usize) -> Self {
        let who = if columns < WIDE { "Who" } else { "Salesperson" };
        let notes = if columns < WIDE { "" } else { "Notes" };
        Self(["No", "Date (UTC)", " ", who, "Contact", "Subject", notes].map(str::to_owned))
    }

    fn of(mail: &LoggedMail, columns: usize) -> Self {
        let first = mail.entries.first();
        let notes = if columns < WIDE {
            String::new()
        } else {
            words::notes(&mail.record.flags, &mail.entries)
        };
        Self([
            first.map_or_else(String::new, |entry| entry.entry_no.to_string()),
            first.map_or_else(String::new, |entry| minute(entry.entry.date)),
            first.map_or_else(String::new, |entry| {
                arrow(entry.entry.information_flow).to_owned()
            }),
            salespeople(&mail.entries, columns >= WIDE),
            contacts(&mail.entries),
            subject(&mail.record.subject),
            notes,
        ])
    }

    fn cells(&self, widths: &[usize; 7]) -> Vec<String> {
        let cells = self.0.iter().zip(widths).filter(|(_, width)| **width > 0);
        cells.map(|(text, width)| safe::fit(text, *width)).collect()
    }
}

/// Numbers, dates and codes as wide as they are; contacts and subject share the rest.
fn widths(header: &Line, rows: &[Line], columns: usize) -> [usize; 7] {
    let mut widest = [0; 7];
    for line in std::iter::once(header).chain(rows) {
        for (width, text) in widest.iter_mut().zip(&line.0) {
            *width = safe::width(&safe::text(text)).max(*width);
        }
    }
    let [no, date, arrow, who, contact, subject, notes] = widest;
    let who = who.min(columns / 6);
    let notes = notes.min(columns / 5);
    let gaps = GAP * if notes > 0 { 6 } else { 5 };
    let rest = columns.saturating_sub(no + date + arrow + who + notes + gaps);
    let contact = contact.min(rest.saturating_sub(subject).max(rest * 2 / 5));
    let subject = subject.min(rest.saturating_sub(contact)).max(7);
    [no, date, arrow, who, contact, subject, notes]
}

/// A time to the minute, in UTC.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Out to a contact, or in from one.
pub(crate) fn arrow(flow: InformationFlow) -> &'static str {
    match flow {
        InformationFlow::Outbound => "→",
        InformationFlow::Inbound => "←",
    }
}

fn subject(text: &str) -> String {
    if text.trim().is_empty() {
        "(no subject)".into()
    } else {
        text.into()
    }
}

fn salespeople(entries: &[InteractionLogEntry], names: bool) -> String {
    let text = |entry: &InteractionLogEntry| {
        if names && !entry.entry.salesperson_name.is_empty() {
            entry.entry.salesperson_name.clone()
        } else {
            entry.entry.salesperson_code.to_string()
        }
    };
    each_once(entries.iter().map(text))
}

fn contacts(entries: &[InteractionLogEntry]) -> String {
    each_once(entries.iter().map(|entry| {
        if entry.entry.contact_name.is_empty() {
            entry.entry.contact_no.to_string()
        } else {
            entry.entry.contact_name.clone()
        }
    }))
}

fn each_once(texts: impl Iterator<Item = String>) -> String {
    let mut seen: Vec<String> = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.join(", ")
}

/// A mail for programs.
pub(crate) fn value(mail: &LoggedMail) -> Value {
    let record = &mail.record;
    let attachments: Vec<Value> = mail
        .attachments
        .iter()
        .map(|attachment| json!({ "name": attachment.name, "size": attachment.size }))
        .collect();
    json!({
        "message": mail.message,
        "message-id": record.message_id,
        "subject": record.subject,
        "sent": record.sent,
        "received": record.received,
        "sensitivity": record.sensitivity,
        "class": record.class,
        "authenticity": record.authenticity,
        "flags": record.flags,
        "participants": record.participants,
        "entries": mail.entries,
        "indexed": mail.indexed,
        "attachments": attachments,
    })
}
