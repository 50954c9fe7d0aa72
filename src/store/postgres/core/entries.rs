//! Entries as rows, read with what people added.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use uuid::Uuid;

use crate::ids::{ContactNo, EntryId, MessageUid, SalespersonCode};
use crate::interaction::{Comment, InformationFlow, InitiatedBy, InteractionLogEntry, NewEntry};
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, enum_column, id, small};
use crate::store::rows::{from_json, timestamp, unsigned};

/// What a query must select and join so that [`read`] can read entries.
pub(super) const SELECT: &str =
    "SELECT e.*, e.flags::text AS flag_list, e.fields::text AS field_list,
        m.uid AS message
    FROM entry e JOIN message m ON m.no = e.message_no";

/// Entries with their comments, in the order of the rows.
pub(super) async fn read(tx: &Tx, rows: &[Row]) -> Done<Vec<InteractionLogEntry>> {
    let mut comments = comments(tx, rows).await?;
    rows.iter()
        .map(|row| {
            let said = comments.remove(&column::<Uuid>(row, "id")?);
            Ok(InteractionLogEntry {
                comments: said.unwrap_or_default(),
                ..entry(row)?
            })
        })
        .collect()
}

/// The entries of messages by number; all, or those that wait for the host's own log.
pub(super) async fn entries_of(
    tx: &Tx,
    messages: &[i64],
    waiting: bool,
) -> Done<BTreeMap<i64, Vec<InteractionLogEntry>>> {
    let list = format!(
        "{SELECT} WHERE e.message_no = ANY($1)
         AND (NOT $2 OR e.delivery = 'waiting') ORDER BY e.entry_no"
    );
    let rows = tx.rows(&list, &[&messages, &waiting]).await?;
    let mut by_message: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for (row, entry) in rows.iter().zip(read(tx, &rows).await?) {
        let entries = by_message.entry(column(row, "message_no")?);
        entries.or_default().push(entry);
    }
    Ok(by_message)
}

async fn comments(tx: &Tx, rows: &[Row]) -> Done<BTreeMap<Uuid, Vec<Comment>>> {
    let ids: Done<Vec<Uuid>> = rows.iter().map(|row| column(row, "id")).collect();
    let mut by_entry: BTreeMap<Uuid, Vec<Comment>> = BTreeMap::new();
    let Some(first) = rows.first() else {
        return Ok(by_entry);
    };
    let scope: i64 = column(first, "scope")?;
    let list = "SELECT entry_id, at, author, text FROM entry_comment
        WHERE scope = $1 AND entry_id = ANY($2) ORDER BY no";
    for row in &tx.rows(list, &[&scope, &ids?]).await? {
        let at = timestamp(column(row, "at")?)?;
        let (author, said): (String, String) = (column(row, "author")?, column(row, "text")?);
        let entry = by_entry.entry(column(row, "entry_id")?);
        entry.or_default().push(Comment::new(at, author, said));
    }
    Ok(by_entry)
}

fn entry(row: &Row) -> Done<InteractionLogEntry> {
    let entry_no = unsigned(column(row, "entry_no")?)?;
    let logged_at = timestamp(column(row, "logged_at")?)?;
    let grade: Option<i16> = column(row, "evaluation")?;
    let grade = grade.map(u8::try_from).transpose();
    Ok(InteractionLogEntry {
        canceled: column(row, "canceled")?,
        evaluation: grade.map_err(|_| Fault::Damaged("a grade"))?,
        opportunity_no: column(row, "opportunity_no")?,
        host_reference: column(row, "host_reference")?,
        ..InteractionLogEntry::written(entry_no, new_entry(row)?, logged_at)
    })
}

fn new_entry(row: &Row) -> Done<NewEntry> {
    let company: Option<String> = column(row, "contact_company_no")?;
    Ok(NewEntry {
        id: EntryId::from_bytes(id(row, "id")?),
        message: MessageUid::from_bytes(id(row, "message")?),
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
        occurrence: small(row, "occurrence")?,
        flags: from_json(column(row, "flag_list")?)?,
        fields: from_json(column(row, "field_list")?)?,
    })
}
