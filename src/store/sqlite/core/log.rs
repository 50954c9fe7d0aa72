//! Pages of entries and of mails, newest first, by the place of the last row and never by an offset.

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::content::{attachments_of, not_indexed};
use super::filter::{
    Conditions, conversation_condition, entry_conditions, is_rare, text_condition,
};
use super::{Core, entries, identity, record};
use crate::error::codes;
use crate::ids::{EntryId, MessageUid};
use crate::interaction::InteractionLogEntry;
use crate::scope::Scope;
use crate::store::rows::{Place, Question};
use crate::store::sqlite::fault::Done;
use crate::store::{Cursor, LogFilter, LoggedMail, Page};

impl Core {
    pub(crate) fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Done<Page<InteractionLogEntry>> {
        let question = Question::new("entries", scope, filter);
        let place = question.place(after)?;
        let (tx, scope) = self.read(scope)?;
        let all = conditions(&tx, scope, filter, place, false)?;
        let select = if is_rare(&tx, filter)? {
            entries::SELECT_FOUND
        } else {
            entries::SELECT
        };
        let sql = page_sql(select, &all, limit);
        let mut list = tx.prepare_cached(&sql)?;
        let rows = list.query_map(params_from_iter(all.into_values()), |row| {
            let place = Place {
                at: row.get("date")?,
                no: row.get("entry_no")?,
            };
            Ok((place, entries::read(&tx, row)))
        })?;
        let rows = rows.map(|row| row.map_err(Into::into).and_then(|(p, e)| Ok((p, e?))));
        finish(
            &tx,
            scope,
            filter,
            question,
            rows.collect::<Done<_>>()?,
            limit,
        )
    }

    pub(crate) fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Done<Page<LoggedMail>> {
        let question = Question::new("mails", scope, filter);
        let place = question.place(after)?;
        let (tx, scope) = self.read(scope)?;
        let all = conditions(&tx, scope, filter, place, true)?;
        let select = if is_rare(&tx, filter)? {
            PLACES_FOUND
        } else {
            PLACES
        };
        let sql = page_sql(select, &all, limit);
        let mut list = tx.prepare_cached(&sql)?;
        let rows = list.query_map(params_from_iter(all.into_values()), |row| {
            let (at, no) = (row.get(0)?, row.get(1)?);
            Ok((Place { at, no }, row.get(2)?))
        })?;
        let rows = rows.map(|row| {
            let (place, message_no) = row?;
            Ok((place, logged_mail(&tx, message_no)?))
        });
        finish(
            &tx,
            scope,
            filter,
            question,
            rows.collect::<Done<_>>()?,
            limit,
        )
    }

    pub(crate) fn entry(&self, scope: &Scope, id: &EntryId) -> Done<InteractionLogEntry> {
        let (tx, scope) = self.read(scope)?;
        let sql = format!("{} WHERE e.scope = ?1 AND e.id = ?2", entries::SELECT);
        let mut find = tx.prepare_cached(&sql)?;
        let entry = find.query_row(params![scope, id.as_bytes()], |row| {
            Ok(entries::read(&tx, row))
        });
        entry.optional()?.ok_or(&codes::STORE_NOT_FOUND)?
    }

    pub(crate) fn mail(&self, scope: &Scope, message: &MessageUid) -> Done<LoggedMail> {
        let (tx, scope) = self.read(scope)?;
        let no = identity::message_no(&tx, scope, message)?;
        logged_mail(&tx, no.ok_or(&codes::STORE_NOT_FOUND)?)
    }
}

/// Where entries stand, and their messages.
const PLACES: &str = "SELECT e.date, e.entry_no, e.message_no FROM entry e";

/// The same, beginning with the messages that a search found.
const PLACES_FOUND: &str =
    "SELECT e.date, e.entry_no, e.message_no FROM entry e INDEXED BY entry_once";

/// What must hold of an entry `e` to stand on the page; with `first`, that it is the newest such entry of its mail.
fn conditions(
    conn: &Connection,
    scope: i64,
    filter: &LogFilter,
    place: Place,
    first: bool,
) -> Done<Conditions> {
    let mut all = Conditions::default();
    all.with("e.scope = ?", scope);
    let (at, no) = (all.bind(place.at), all.bind(place.no));
    all.hold(format!("(e.date, e.entry_no) < ({at}, {no})"));
    entry_conditions(&mut all, filter, "e");
    text_condition(&mut all, filter);
    conversation_condition(&mut all, conn, scope, filter)?;
    if first {
        let newer = all.nested(|newer| {
            newer.hold("n.message_no = e.message_no");
            newer.hold("(n.date, n.entry_no) > (e.date, e.entry_no)");
            entry_conditions(newer, filter, "n");
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

fn finish<T>(
    conn: &Connection,
    scope: i64,
    filter: &LogFilter,
    question: Question,
    rows: Vec<(Place, T)>,
    limit: u32,
) -> Done<Page<T>> {
    let mut page = question.page(rows, limit);
    if filter.text.is_some() {
        page.not_indexed = not_indexed(conn, scope)?;
    }
    Ok(page)
}

fn logged_mail(conn: &Connection, message_no: i64) -> Done<LoggedMail> {
    let stored = record::read(conn, message_no)?;
    let entries = entries::entries_of(conn, message_no, false)?;
    Ok(LoggedMail {
        attachments: attachments_of(conn, message_no)?,
        indexed: stored.indexed,
        ..LoggedMail::new(stored.uid, stored.record, entries)
    })
}
