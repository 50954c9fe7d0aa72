//! Pages of entries and of mails, newest first, by the place of the last row and never by an offset.

use tokio_postgres::Row;

use super::content::not_indexed;
use super::filter::{Conditions, conversation_condition, entry_conditions, text_condition};
use super::{entries, find_scope, record};
use crate::error::codes;
use crate::ids::{EntryId, MessageUid};
use crate::interaction::InteractionLogEntry;
use crate::scope::Scope;
use crate::store::postgres::fault::Done;
use crate::store::postgres::migrate::Words as Kept;
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, uuid};
use crate::store::rows::{Place, Question};
use crate::store::{Cursor, LogFilter, LoggedMail, Page};

/// What a page is asked with.
pub(crate) struct Asked<'a, Filter> {
    pub(crate) scope: &'a Scope,
    pub(crate) filter: &'a Filter,
    pub(crate) after: Option<&'a Cursor>,
    pub(crate) limit: u32,
    /// How the schema keeps words.
    pub(crate) kept: Kept,
}

pub(crate) async fn entries(
    tx: &Tx,
    asked: &Asked<'_, LogFilter>,
) -> Done<Page<InteractionLogEntry>> {
    let question = Question::new("entries", asked.scope, asked.filter);
    let place = question.place(asked.after)?;
    let scope = find_scope(tx, asked.scope).await?;
    let all = conditions(tx, scope, asked, place, false).await?;
    let sql = page_sql(entries::SELECT, &all, asked.limit);
    let rows = tx.rows(&sql, &all.values()).await?;
    let places = places(&rows)?;
    let found = entries::read(tx, &rows).await?;
    finish(tx, scope, asked, question, places.into_iter().zip(found)).await
}

pub(crate) async fn mails(tx: &Tx, asked: &Asked<'_, LogFilter>) -> Done<Page<LoggedMail>> {
    let question = Question::new("mails", asked.scope, asked.filter);
    let place = question.place(asked.after)?;
    let scope = find_scope(tx, asked.scope).await?;
    let all = conditions(tx, scope, asked, place, true).await?;
    let sql = page_sql(PLACES, &all, asked.limit);
    let rows = tx.rows(&sql, &all.values()).await?;
    let places = places(&rows)?;
    let numbers: Done<Vec<i64>> = rows.iter().map(|row| column(row, "message_no")).collect();
    let found = record::mails(tx, &numbers?).await?;
    finish(tx, scope, asked, question, places.into_iter().zip(found)).await
}

pub(crate) async fn entry(tx: &Tx, scope: &Scope, id: &EntryId) -> Done<InteractionLogEntry> {
    let scope = find_scope(tx, scope).await?;
    let sql = format!("{} WHERE e.scope = $1 AND e.id = $2", entries::SELECT);
    let rows = tx.rows(&sql, &[&scope, &uuid(id.as_bytes())]).await?;
    let entry = entries::read(tx, &rows).await?.into_iter().next();
    Ok(entry.ok_or(&codes::STORE_NOT_FOUND)?)
}

pub(crate) async fn mail(tx: &Tx, scope: &Scope, message: &MessageUid) -> Done<LoggedMail> {
    let scope = find_scope(tx, scope).await?;
    let find = "SELECT no FROM message WHERE scope = $1 AND uid = $2";
    let row = tx.row(find, &[&scope, &uuid(message.as_bytes())]).await?;
    let row = row.ok_or(&codes::STORE_NOT_FOUND)?;
    let mail = record::mails(tx, &[column(&row, "no")?]).await?;
    Ok(mail.into_iter().next().ok_or(&codes::STORE_NOT_FOUND)?)
}

/// Where entries stand, and their messages.
const PLACES: &str = "SELECT e.date, e.entry_no, e.message_no FROM entry e";

/// What must hold of an entry `e` to stand on the page; with `first`, that it is the newest such entry of its mail.
async fn conditions(
    tx: &Tx,
    scope: i64,
    asked: &Asked<'_, LogFilter>,
    place: Place,
    first: bool,
) -> Done<Conditions> {
    let mut all = Conditions::default();
    all.with("e.scope = ?", scope);
    let (at, no) = (all.bind(place.at), all.bind(place.no));
    all.hold(format!("(e.date, e.entry_no) < ({at}, {no})"));
    entry_conditions(&mut all, asked.filter, "e");
    text_condition(&mut all, asked.filter, asked.kept);
    conversation_condition(&mut all, tx, scope, asked.filter).await?;
    if first {
        let newer = all.nested(|newer| {
            newer.hold("n.message_no = e.message_no");
            newer.hold("(n.date, n.entry_no) > (e.date, e.entry_no)");
            entry_conditions(newer, asked.filter, "n");
        });
        all.hold(format!("NOT EXISTS (SELECT 1 FROM entry n WHERE {newer})"));
    }
    Ok(all)
}

/// One row more than the page holds, to know whether there is a next one.
fn page_sql(select: &str, all: &Conditions, limit: u32) -> String {
    format!(
        "{select} WHERE {} ORDER BY e.date DESC, e.entry_no DESC LIMIT {}",
        all.sql(),
        u64::from(limit) + 1
    )
}

fn places(rows: &[Row]) -> Done<Vec<Place>> {
    let place = |row: &Row| {
        Ok(Place {
            at: column(row, "date")?,
            no: column(row, "entry_no")?,
        })
    };
    rows.iter().map(place).collect()
}

async fn finish<T>(
    tx: &Tx,
    scope: i64,
    asked: &Asked<'_, LogFilter>,
    question: Question,
    rows: impl Iterator<Item = (Place, T)> + Send,
) -> Done<Page<T>> {
    let mut page = question.page(rows.collect(), asked.limit);
    if asked.filter.text.is_some() {
        page.not_indexed = not_indexed(tx, scope).await?;
    }
    Ok(page)
}
