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

/// Up to here a table has no room for its columns, and each mail is told in lines of its own.
const NARROW: usize = 60;

/// The gap between two columns.
const GAP: u16 = 2;

/// The part of a gap that a cell has; the rest is the table's own line between columns, which is blank.
const PADDING: u16 = 1;

impl Output {
    /// The table of these mails, without a newline at its end.
    pub(crate) fn mails(&self, mails: &[LoggedMail]) -> String {
        if self.columns() < NARROW {
            let stacked = mails.iter().map(|mail| stacked(mail, self.columns()));
            return stacked.collect::<Vec<_>>().join("\n");
        }
        let wide = self.columns() >= WIDE;
        let rows: Vec<Line> = mails.iter().map(|mail| Line::of(mail, wide)).collect();
        let header = Line::header(wide);
        let widths = widths(&header, &rows, self.columns());
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_style(TableComponent::HeaderLines, '─')
            .set_style(TableComponent::MiddleHeaderIntersections, '─')
            .set_content_arrangement(ContentArrangement::Disabled)
            .force_no_tty();
        table.set_header(header.cells(&widths));
        for row in &rows {
            table.add_row(row.cells(&widths));
        }
        let last = table.column_count().saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            let gap = if index == last { 0 } else { PADDING };
            column.set_padding((0, gap));
        }
        if let Some(column) = table.column_mut(0) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.trim_fmt()
    }
}

/// A mail in lines of its own: number, date, direction and salespeople, then the contacts, then the subject.
fn stacked(mail: &LoggedMail, columns: usize) -> String {
    let (no, date, arrow) = mail.entries.first().map_or_else(Default::default, |entry| {
        let flow = arrow(entry.entry.information_flow);
        (entry.entry_no.to_string(), day(entry.entry.date), flow)
    });
    let who = salespeople(&mail.entries, false).join(", ");
    let mut lines = vec![safe::fit(&format!("{no}  {date}  {arrow}  {who}"), columns)];
    let contacts = contacts(&mail.entries);
    let subject = subject(&mail.record.subject);
    for text in contacts.iter().chain([&subject]) {
        lines.push(format!("    {}", safe::fit(text, columns - 4)));
    }
    lines.join("\n")
}

/// One line of the table: number, date, direction, salespeople, contacts, subject, notes. Several contacts are one text
/// where there is room, else one below the other: none is left out.
struct Line([Vec<String>; 7]);

/// Which of the cells holds the contacts.
const CONTACTS: usize = 4;

impl Line {
    fn header(wide: bool) -> Self {
        let (who, notes) = if wide {
            ("Salesperson", "Notes")
        } else {
            ("Who", "")
        };
        let texts = ["No", "Date (UTC)", "", who, "Contact", "Subject", notes];
        Self(texts.map(|text| vec![text.to_owned()]))
    }

    fn of(mail: &LoggedMail, wide: bool) -> Self {
        let first = mail.entries.first();
        let text =
            |of: &dyn Fn(&InteractionLogEntry) -> String| vec![first.map_or_else(String::new, of)];
        let date = |entry: &InteractionLogEntry| {
            let date = minute(entry.entry.date);
            if wide { date } else { day(entry.entry.date) }
        };
        let notes = if wide {
            words::notes(&mail.record.flags, &mail.entries)
        } else {
            String::new()
        };
        Self([
            text(&|entry| entry.entry_no.to_string()),
            text(&date),
            text(&|entry| arrow(entry.entry.information_flow).to_owned()),
            vec![salespeople(&mail.entries, wide).join(", ")],
            contacts(&mail.entries),
            vec![subject(&mail.record.subject)],
            vec![notes],
        ])
    }

    fn cells(&self, widths: &[usize; 7]) -> Vec<String> {
        let cells = self.0.iter().zip(widths).filter(|(_, width)| **width > 0);
        cells.map(|(texts, width)| cell(texts, *width)).collect()
    }

    fn width(&self, index: usize) -> usize {
        let texts = self.0.get(index).map_or(&[][..], Vec::as_slice);
        safe::width(&safe::text(&texts.join(", ")))
    }

    fn widest_contact(&self) -> usize {
        let texts = self.0.get(CONTACTS).map_or(&[][..], Vec::as_slice);
        let widths = texts.iter().map(|text| safe::width(&safe::text(text)) + 1);
        widths.max().unwrap_or(0)
    }
}

fn cell(texts: &[String], width: usize) -> String {
    let joined = safe::text(&texts.join(", "));
    if texts.len() < 2 || safe::width(&joined) <= width {
        return safe::fit(&joined, width);
    }
    let last = texts.len() - 1;
    let lines = texts.iter().enumerate().map(|(index, text)| {
        let comma = if index == last { "" } else { "," };
        format!("{}{comma}", safe::fit(text, width - comma.len()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Numbers, dates and codes as wide as they are; contacts and subject share the rest.
fn widths(header: &Line, rows: &[Line], columns: usize) -> [usize; 7] {
    let lines = || std::iter::once(header).chain(rows);
    let widest = |index| lines().map(|line| line.width(index)).max().unwrap_or(0);
    let [no, date, arrow, who, contact, subject, notes] = [0, 1, 2, 3, 4, 5, 6].map(widest);
    let one = lines().map(Line::widest_contact).max().unwrap_or(0);
    let (who, notes) = (who.min(columns / 5), notes.min(columns / 5));
    let gaps = usize::from(GAP) * if notes > 0 { 6 } else { 5 };
    let rest = columns.saturating_sub(no + date + arrow + who + notes + gaps);
    let spare = rest.saturating_sub(subject);
    let contact = contact.min(spare.max(one.min(rest * 2 / 5)).max(8));
    [
        no,
        date,
        arrow,
        who,
        contact,
        subject.min(rest.saturating_sub(contact)).max(8),
        notes,
    ]
}

/// A time to the minute, in UTC.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
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

fn salespeople(entries: &[InteractionLogEntry], names: bool) -> Vec<String> {
    let text = |entry: &InteractionLogEntry| {
        if names && !entry.entry.salesperson_name.is_empty() {
            entry.entry.salesperson_name.clone()
        } else {
            entry.entry.salesperson_code.to_string()
        }
    };
    each_once(entries.iter().map(text))
}

fn contacts(entries: &[InteractionLogEntry]) -> Vec<String> {
    each_once(entries.iter().map(|entry| {
        if entry.entry.contact_name.is_empty() {
            entry.entry.contact_no.to_string()
        } else {
            entry.entry.contact_name.clone()
        }
    }))
}

fn each_once(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
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
