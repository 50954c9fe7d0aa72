//! Pages of entries and of mails, newest first, by the place of the last row and never by an offset.

use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::content::{attachments_of, not_indexed};
use super::filter::{
    Beginning, Conditions, conversation_condition, entry_conditions, is_rare, text_condition,
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
        let select = (entries::SELECT, entries::SELECT_FOUND);
        self.page(
            (question, select),
            scope,
            filter,
            (after, limit),
            entries::read,
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
        let select = (PLACES, PLACES_FOUND);
        self.page(
            (question, select),
            scope,
            filter,
            (after, limit),
            |tx, row| logged_mail(tx, row.get("message_no")?),
        )
    }

    fn page<T>(
        &self,
        (question, select): (Question, (&str, &str)),
        scope: &Scope,
        filter: &LogFilter,
        (after, limit): (Option<&Cursor>, u32),
        read: impl Fn(&Connection, &Row<'_>) -> Done<T>,
    ) -> Done<Page<T>> {
        let place = question.place(after)?;
        let (tx, scope) = self.read(scope)?;
        let asked = Asked {
            scope,
            filter,
            place,
            limit,
            select,
            once: select == (PLACES, PLACES_FOUND),
        };
        let walked = match Beginning::of(filter) {
            Some(beginning) => asked.walk(&tx, &beginning, &read)?,
            None => None,
        };
        let rows = match walked {
            Some(rows) => rows,
            None => asked.rows(&tx, &read)?,
        };
        finish(&tx, scope, filter, question, rows, limit)
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

/// Entries of which the words are read for each row of a page. A beginning with which these do not fill it stands in less than
/// one mail of three: FTS5 has few places of it to gather.
const LOOKS: u64 = 3;

/// What a page is asked for.
struct Asked<'a> {
    scope: i64,
    filter: &'a LogFilter,
    place: Place,
    limit: u32,
    /// The statement that begins with entries, and the one that begins with messages.
    select: (&'a str, &'a str),
    /// Whether a mail stands on the page once, by its newest entry that fits.
    once: bool,
}

impl Asked<'_> {
    /// The rows of the page and one more, to know whether there is a next one.
    fn rows<T>(
        &self,
        conn: &Connection,
        read: impl Fn(&Connection, &Row<'_>) -> Done<T>,
    ) -> Done<Vec<(Place, T)>> {
        let all = self.conditions(conn, |all| text_condition(all, self.filter))?;
        let sql = self.sql(&all, is_rare(conn, self.filter)?, self.most());
        let mut list = conn.prepare_cached(&sql)?;
        let mut found = list.query(params_from_iter(all.into_values()))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push((place_of(row)?, read(conn, row)?));
        }
        Ok(rows)
    }

    /// The same, by the words of the mails from the newest on. `None` where too few of them fit to find a page soon.
    fn walk<T>(
        &self,
        conn: &Connection,
        beginning: &Beginning,
        read: impl Fn(&Connection, &Row<'_>) -> Done<T>,
    ) -> Done<Option<Vec<(Place, T)>>> {
        let all = self.conditions(conn, |all| beginning.condition(all))?;
        let is_rare = beginning.is_rare(conn, self.filter)?;
        let most = self.most().saturating_mul(LOOKS);
        let sql = self.sql(&all, is_rare, most);
        let mut list = conn.prepare_cached(&sql)?;
        let mut found = list.query(params_from_iter(all.into_values()))?;
        let (mut rows, mut looks) = (Vec::new(), 0);
        let mut known = None;
        while let Some(row) = found.next()? {
            looks += 1;
            let message_no: i64 = row.get("message_no")?;
            let fits = match known {
                Some((same, fits)) if same == message_no => fits,
                _ => beginning.fits(conn, message_no)?,
            };
            known = Some((message_no, fits));
            if fits {
                rows.push((place_of(row)?, read(conn, row)?));
                if rows.len() as u64 >= self.most() {
                    return Ok(Some(rows));
                }
            }
        }
        Ok((looks < most).then_some(rows))
    }

    fn most(&self) -> u64 {
        u64::from(self.limit) + 1
    }

    fn sql(&self, all: &Conditions, is_rare: bool, most: u64) -> String {
        let select = if is_rare {
            self.select.1
        } else {
            self.select.0
        };
        let all = all.sql();
        format!("{select} WHERE {all} ORDER BY e.date DESC, e.entry_no DESC LIMIT {most}")
    }

    /// What must hold of an entry `e` to stand on the page.
    fn conditions(
        &self,
        conn: &Connection,
        text: impl FnOnce(&mut Conditions),
    ) -> Done<Conditions> {
        let mut all = Conditions::default();
        all.with("e.scope = ?", self.scope);
        let (at, no) = (all.bind(self.place.at), all.bind(self.place.no));
        all.hold(format!("(e.date, e.entry_no) < ({at}, {no})"));
        entry_conditions(&mut all, self.filter, "e");
        text(&mut all);
        conversation_condition(&mut all, conn, self.scope, self.filter)?;
        if self.once {
            let newer = all.nested(|newer| {
                newer.hold("n.message_no = e.message_no");
                newer.hold("(n.date, n.entry_no) > (e.date, e.entry_no)");
                entry_conditions(newer, self.filter, "n");
            });
            all.hold(format!("NOT EXISTS (SELECT 1 FROM entry n WHERE {newer})"));
        }
        Ok(all)
    }
}

fn place_of(row: &Row<'_>) -> Done<Place> {
    Ok(Place {
        at: row.get("date")?,
        no: row.get("entry_no")?,
    })
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
