//! What people change in the log: comments, grades, opportunities, cancelling.

use rusqlite::{Connection, ToSql, params};

use super::{Core, links};
use crate::error::codes;
use crate::ids::EntryId;
use crate::scope::Scope;
use crate::store::Annotation;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{maybe_text, text};

impl Core {
    pub(crate) fn annotate(
        &mut self,
        scope: &Scope,
        id: &EntryId,
        annotation: &Annotation,
    ) -> Done<()> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        match annotation {
            Annotation::Comment { author, text } => comment(&tx, scope, id, author, text, now)?,
            Annotation::Evaluation(Some(grade)) if !(1..=5).contains(grade) => {
                return Err(Fault::Data("a grade is from 1 to 5"));
            }
            Annotation::Evaluation(grade) => set(&tx, scope, id, "evaluation", grade)?,
            Annotation::Opportunity(no) => {
                set(&tx, scope, id, "opportunity_no", &maybe_text(no.as_deref()))?;
            }
        }
        Ok(tx.commit()?)
    }

    pub(crate) fn cancel(&mut self, scope: &Scope, id: &EntryId, canceled: bool) -> Done<()> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        set(&tx, scope, id, "canceled", &canceled)?;
        links::hold(&tx, scope, id, now)?;
        Ok(tx.commit()?)
    }
}

fn comment(
    conn: &Connection,
    scope: i64,
    id: &EntryId,
    author: &str,
    said: &str,
    now: i64,
) -> Done<()> {
    let written = conn
        .prepare_cached(
            "INSERT INTO entry_comment (scope, entry_id, at, author, text)
             SELECT scope, id, ?3, ?4, ?5 FROM entry WHERE scope = ?1 AND id = ?2",
        )?
        .execute(params![scope, id.as_bytes(), now, text(author), text(said)])?;
    found(written)
}

/// Sets one column, whose name is ours, of one entry.
fn set(
    conn: &Connection,
    scope: i64,
    id: &EntryId,
    column: &'static str,
    value: &dyn ToSql,
) -> Done<()> {
    let sql = format!("UPDATE entry SET {column} = ?3 WHERE scope = ?1 AND id = ?2");
    let written = conn
        .prepare_cached(&sql)?
        .execute(params![scope, id.as_bytes(), value])?;
    found(written)
}

fn found(rows: usize) -> Done<()> {
    match rows {
        0 => Err((&codes::STORE_NOT_FOUND).into()),
        _ => Ok(()),
    }
}
