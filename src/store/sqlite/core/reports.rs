//! Counts and statistics of the log.

use rusqlite::{Connection, Row, params_from_iter};

use super::Core;
use super::filter::{
    Conditions, conversation_condition, entry_conditions, is_rare, text_condition,
};
use crate::interaction::{
    InformationFlow, InteractionStatistics, StatisticsOptions, TalliedEntry, Tally,
};
use crate::scope::Scope;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{timestamp, unsigned};
use crate::store::{LogCount, LogFilter};

impl Core {
    pub(crate) fn count(&self, scope: &Scope, filter: &LogFilter) -> Done<LogCount> {
        let (tx, scope) = self.read(scope)?;
        let all = conditions(&tx, scope, filter)?;
        let from = from(&tx, filter)?;
        let sql = format!(
            "SELECT count(*), count(DISTINCT e.message_no) {from} WHERE {}",
            all.sql()
        );
        let mut count = tx.prepare_cached(&sql)?;
        let (entries, mails): (i64, i64) = count
            .query_row(params_from_iter(all.into_values()), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(LogCount::new(unsigned(entries)?, unsigned(mails)?))
    }

    pub(crate) fn statistics(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        options: &StatisticsOptions,
    ) -> Done<InteractionStatistics> {
        let (tx, scope) = self.read(scope)?;
        let all = conditions(&tx, scope, filter)?;
        let from = from(&tx, filter)?;
        let sql = format!(
            "SELECT e.contact_no, e.contact_name, e.salesperson_code, e.salesperson_name,
                 e.information_flow, e.date, e.message_no
             {from} WHERE {} ORDER BY e.date, e.entry_no",
            all.sql()
        );
        let mut list = tx.prepare_cached(&sql)?;
        let mut rows = list.query(params_from_iter(all.into_values()))?;
        let mut tally = Tally::new(options);
        while let Some(row) = rows.next()? {
            tally.add(&tallied(row)?, row.get::<_, i64>(6)?);
        }
        Ok(tally.finish())
    }
}

/// What must hold of an entry `e`.
pub(super) fn conditions(conn: &Connection, scope: i64, filter: &LogFilter) -> Done<Conditions> {
    let mut all = Conditions::default();
    all.with("e.scope = ?", scope);
    entry_conditions(&mut all, filter, "e");
    text_condition(&mut all, filter);
    conversation_condition(&mut all, conn, scope, filter)?;
    Ok(all)
}

/// Where reading begins: with messages where a filter names few, else with entries.
pub(super) fn from(conn: &Connection, filter: &LogFilter) -> Done<&'static str> {
    Ok(if is_rare(conn, filter)? {
        "FROM entry e INDEXED BY entry_once"
    } else {
        "FROM entry e"
    })
}

fn tallied<'a>(row: &'a Row<'_>) -> Done<TalliedEntry<'a>> {
    let text = |column| {
        let text = row.get_ref(column)?.as_str();
        text.map_err(|_| Fault::Damaged("a text"))
    };
    let flow = InformationFlow::from_code(text(4)?);
    Ok(TalliedEntry {
        contact_no: text(0)?,
        contact_name: text(1)?,
        salesperson_code: text(2)?,
        salesperson_name: text(3)?,
        flow: flow.ok_or(Fault::Damaged("an unknown code"))?,
        date: timestamp(row.get(5)?)?,
    })
}
