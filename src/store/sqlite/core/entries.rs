//! Entries as rows: written by a commit, read back with what people added.

use rusqlite::{Connection, Row, params};

use crate::ids::{ContactNo, EntryId, MessageUid, SalespersonCode};
use crate::interaction::{Comment, InformationFlow, InitiatedBy, InteractionLogEntry, NewEntry};
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{
    column, enum_column, from_json, json, maybe_text, micros, text, timestamp, unsigned,
};

/// What a query must select and join so that [`read`] can read an entry.
pub(super) const SELECT: &str =
    "SELECT e.*, m.uid AS message FROM entry e JOIN message m ON m.no = e.message_no";

/// The same, beginning with the messages that a search found.
pub(super) const SELECT_FOUND: &str = "SELECT e.*, m.uid AS message
    FROM entry e INDEXED BY entry_once JOIN message m ON m.no = e.message_no";

/// Where an entry is written.
pub(super) struct Place {
    pub(super) scope: i64,
    pub(super) message_no: i64,
    pub(super) entry_no: i64,
    pub(super) delivery: &'static str,
    pub(super) now: i64,
}

/// Writes an entry, unless it is there. Answers whether it is new.
pub(super) fn insert(conn: &Connection, entry: &NewEntry, place: &Place) -> Done<bool> {
    let alt_address = entry.contact_alt_address_code.as_deref();
    let language = entry.interaction_language_code.as_deref();
    let company = entry.contact_company_no.as_ref().map(ContactNo::as_str);
    let written = conn
        .prepare_cached(
            "INSERT INTO entry (scope, id, entry_no, message_no, contact_no, contact_company_no,
                 contact_alt_address_code, contact_name, salesperson_code, salesperson_name,
                 information_flow, initiated_by, date, description, interaction_template_code,
                 interaction_group_code, interaction_language_code, cost, duration_min,
                 campaign_no, occurrence, flags, fields, logged_at, delivery)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            place.scope,
            entry.id.as_bytes(),
            place.entry_no,
            place.message_no,
            text(entry.contact_no.as_str()),
            maybe_text(company),
            maybe_text(alt_address),
            text(&entry.contact_name),
            text(entry.salesperson_code.as_str()),
            text(&entry.salesperson_name),
            entry.information_flow.code(),
            entry.initiated_by.code(),
            micros(entry.date),
            text(&entry.description),
            text(&entry.interaction_template_code),
            text(&entry.interaction_group_code),
            maybe_text(language),
            entry.cost,
            entry.duration_min,
            maybe_text(entry.campaign_no.as_deref()),
            entry.occurrence,
            json(&entry.flags)?,
            json(&entry.fields)?,
            place.now,
            place.delivery
        ])?;
    if written == 0 && !is_same(conn, entry, place)? {
        return Err(Fault::Data("the entry's id belongs to another entry"));
    }
    Ok(written > 0)
}

/// Whether the entry that stands in the way is this entry.
fn is_same(conn: &Connection, entry: &NewEntry, place: &Place) -> Done<bool> {
    let mut find = conn.prepare_cached(
        "SELECT 1 FROM entry WHERE message_no = ?1 AND contact_no = ?2 AND salesperson_code = ?3
         AND information_flow = ?4 AND occurrence = ?5",
    )?;
    Ok(find.exists(params![
        place.message_no,
        text(entry.contact_no.as_str()),
        text(entry.salesperson_code.as_str()),
        entry.information_flow.code(),
        entry.occurrence
    ])?)
}

/// The entries of a message by number; all, or those that wait for the host's own log.
pub(super) fn entries_of(
    conn: &Connection,
    message_no: i64,
    waiting: bool,
) -> Done<Vec<InteractionLogEntry>> {
    let mut list = conn.prepare_cached(&format!(
        "{SELECT} WHERE e.message_no = ?1
         AND (NOT ?2 OR e.delivery = 'waiting') ORDER BY e.entry_no"
    ))?;
    let rows = list.query_map(params![message_no, waiting], |row| Ok(read(conn, row)))?;
    rows.map(|row| row?).collect()
}

/// One entry with its comments.
pub(super) fn read(conn: &Connection, row: &Row<'_>) -> Done<InteractionLogEntry> {
    let entry = new_entry(row)?;
    let scope: i64 = column(row, "scope")?;
    let comments = comments(conn, scope, &entry.id)?;
    let entry_no = unsigned(column(row, "entry_no")?)?;
    let logged_at = timestamp(column(row, "logged_at")?)?;
    Ok(InteractionLogEntry {
        canceled: column(row, "canceled")?,
        evaluation: column(row, "evaluation")?,
        opportunity_no: column(row, "opportunity_no")?,
        host_reference: column(row, "host_reference")?,
        comments,
        ..InteractionLogEntry::written(entry_no, entry, logged_at)
    })
}

fn new_entry(row: &Row<'_>) -> Done<NewEntry> {
    let company: Option<String> = column(row, "contact_company_no")?;
    Ok(NewEntry {
        id: EntryId::from_bytes(column(row, "id")?),
        message: MessageUid::from_bytes(column(row, "message")?),
        contact_no: ContactNo::new(column::<String>(row, "contact_no")?),
        contact_company_no: company.map(ContactNo::new),
        contact_alt_address_code: column(row, "contact_alt_address_code")?,
        salesperson_code: SalespersonCode::new(column::<String>(row, "salesperson_code")?),
        contact_name: column(row, "contact_name")?,
        salesperson_name: column(row, "salesperson_name")?,
        information_flow: enum_column(row, "information_flow", InformationFlow::from_code)?,
        initiated_by: enum_column(row, "initiated_by", InitiatedBy::from_code)?,
        date: timestamp(column(row, "date")?)?,
        description: column(row, "description")?,
        interaction_template_code: column(row, "interaction_template_code")?,
        interaction_group_code: column(row, "interaction_group_code")?,
        interaction_language_code: column(row, "interaction_language_code")?,
        cost: column(row, "cost")?,
        duration_min: column(row, "duration_min")?,
        campaign_no: column(row, "campaign_no")?,
        occurrence: column(row, "occurrence")?,
        flags: from_json(&column::<String>(row, "flags")?)?,
        fields: from_json(&column::<String>(row, "fields")?)?,
    })
}

fn comments(conn: &Connection, scope: i64, entry: &EntryId) -> Done<Vec<Comment>> {
    let mut list = conn.prepare_cached(
        "SELECT at, author, text FROM entry_comment WHERE scope = ?1 AND entry_id = ?2 ORDER BY no",
    )?;
    let rows = list.query_map(params![scope, entry.as_bytes()], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    rows.map(|row| {
        let (at, author, said): (i64, String, String) = row?;
        Ok(Comment::new(timestamp(at)?, author, said))
    })
    .collect()
}
