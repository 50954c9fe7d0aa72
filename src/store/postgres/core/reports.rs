//! Counts and statistics of the log.

use tokio_postgres::Row;

use super::filter::{Conditions, conversation_condition, entry_conditions, text_condition};
use super::find_scope;
use crate::interaction::{
    InformationFlow, InteractionStatistics, StatisticsOptions, TalliedEntry, Tally,
};
use crate::scope::Scope;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::migrate::Words as Kept;
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, enum_column};
use crate::store::rows::{timestamp, unsigned};
use crate::store::{LogCount, LogFilter};

/// Entries that are read at a time.
const PAGE: i64 = 10_000;

pub(crate) async fn count(
    tx: &Tx,
    scope: &Scope,
    filter: &LogFilter,
    kept: Kept,
) -> Done<LogCount> {
    let scope = find_scope(tx, scope).await?;
    let all = conditions(tx, scope, filter, kept).await?;
    let sql = format!(
        "SELECT count(*) AS entries, count(DISTINCT e.message_no) AS mails FROM entry e WHERE {}",
        all.sql()
    );
    let row = tx.row(&sql, &all.values()).await?;
    let row = row.ok_or(Fault::Damaged("a count"))?;
    let entries = unsigned(column(&row, "entries")?)?;
    Ok(LogCount::new(entries, unsigned(column(&row, "mails")?)?))
}

pub(crate) async fn statistics(
    tx: &Tx,
    scope: &Scope,
    filter: &LogFilter,
    options: &StatisticsOptions,
    kept: Kept,
) -> Done<InteractionStatistics> {
    let scope = find_scope(tx, scope).await?;
    let mut tally = Tally::new(options);
    let mut after = (i64::MIN, i64::MIN);
    loop {
        let mut all = conditions(tx, scope, filter, kept).await?;
        let (date, no) = (all.bind(after.0), all.bind(after.1));
        all.hold(format!("(e.date, e.entry_no) > ({date}, {no})"));
        let sql = format!(
            "SELECT e.contact_no, e.contact_name, e.salesperson_code, e.salesperson_name,
                 e.information_flow, e.date, e.entry_no, e.message_no
             FROM entry e WHERE {} ORDER BY e.date, e.entry_no LIMIT {PAGE}",
            all.sql()
        );
        let rows = tx.rows(&sql, &all.values()).await?;
        for row in &rows {
            tally.add(&tallied(row)?, column::<i64>(row, "message_no")?);
            after = (column(row, "date")?, column(row, "entry_no")?);
        }
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) < PAGE {
            return Ok(tally.finish());
        }
    }
}

/// What must hold of an entry `e`.
pub(super) async fn conditions(
    tx: &Tx,
    scope: i64,
    filter: &LogFilter,
    kept: Kept,
) -> Done<Conditions> {
    let mut all = Conditions::default();
    all.with("e.scope = ?", scope);
    entry_conditions(&mut all, filter, "e");
    text_condition(&mut all, filter, kept);
    conversation_condition(&mut all, tx, scope, filter).await?;
    Ok(all)
}

fn tallied(row: &Row) -> Done<TalliedEntry<'_>> {
    Ok(TalliedEntry {
        contact_no: column(row, "contact_no")?,
        contact_name: column(row, "contact_name")?,
        salesperson_code: column(row, "salesperson_code")?,
        salesperson_name: column(row, "salesperson_name")?,
        flow: enum_column(row, "information_flow", InformationFlow::from_code)?,
        date: timestamp(column(row, "date")?)?,
    })
}
