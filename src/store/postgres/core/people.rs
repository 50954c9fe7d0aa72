//! What people change in the log: comments, grades, opportunities, cancelling.

use tokio_postgres::types::ToSql;

use super::{links, make_scope};
use crate::error::codes;
use crate::ids::EntryId;
use crate::scope::Scope;
use crate::store::Annotation;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::{Round, Tx};
use crate::store::postgres::values::uuid;
use crate::store::rows::{maybe_text, text};

pub(crate) async fn annotate(
    tx: &Tx,
    scope: &Scope,
    id: &EntryId,
    annotation: &Annotation,
    at: i64,
    round: Round,
) -> Done<()> {
    let scope = make_scope(tx, scope).await?;
    match annotation {
        Annotation::Comment { author, text } => {
            let comment = Comment {
                scope,
                id,
                at,
                author,
                said: text,
            };
            comment.write(tx, round).await
        }
        Annotation::Evaluation(Some(grade)) if !(1..=5).contains(grade) => {
            Err(Fault::Data("a grade is from 1 to 5"))
        }
        Annotation::Evaluation(grade) => {
            set(tx, scope, id, "evaluation", &grade.map(i16::from)).await
        }
        Annotation::Opportunity(no) => {
            set(tx, scope, id, "opportunity_no", &maybe_text(no.as_deref())).await
        }
    }
}

pub(crate) async fn cancel(
    tx: &Tx,
    scope: &Scope,
    id: &EntryId,
    canceled: bool,
    time: Option<i64>,
) -> Done<()> {
    let scope = make_scope(tx, scope).await?;
    set(tx, scope, id, "canceled", &canceled).await?;
    let now = super::now(tx, time).await?;
    links::hold(tx, scope, id, now).await
}

/// The time of a comment, taken once for all rounds: by it a comment is found whose commit lost its reply.
pub(crate) async fn time(tx: &Tx, time: Option<i64>) -> Done<i64> {
    super::now(tx, time).await
}

struct Comment<'a> {
    scope: i64,
    id: &'a EntryId,
    at: i64,
    author: &'a str,
    said: &'a str,
}

impl Comment<'_> {
    async fn write(&self, tx: &Tx, round: Round) -> Done<()> {
        let (id, author, said) = (uuid(self.id.as_bytes()), text(self.author), text(self.said));
        // Whoever comments holds the entry until the end, so a transaction whose reply was lost has ended before this looks.
        let lock = "SELECT 1 FROM entry WHERE scope = $1 AND id = $2 FOR NO KEY UPDATE";
        tx.row(lock, &[&self.scope, &id]).await?;
        let values: [&(dyn ToSql + Sync); 5] = [&self.scope, &id, &self.at, &author, &said];
        let find = "SELECT 1 FROM entry_comment WHERE scope = $1 AND entry_id = $2 AND at = $3
            AND author = $4 AND text = $5";
        if round.unknown && tx.row(find, &values).await?.is_some() {
            return Ok(());
        }
        let write = "INSERT INTO entry_comment (scope, entry_id, at, author, text)
            SELECT scope, id, $3, $4, $5 FROM entry WHERE scope = $1 AND id = $2";
        found(tx.run(write, &values).await?)
    }
}

/// Sets one column, whose name is ours, of one entry.
async fn set(
    tx: &Tx,
    scope: i64,
    id: &EntryId,
    column: &'static str,
    value: &(dyn ToSql + Sync),
) -> Done<()> {
    let sql = format!("UPDATE entry SET {column} = $3 WHERE scope = $1 AND id = $2");
    let id = uuid(id.as_bytes());
    found(tx.run(&sql, &[&scope, &id, value]).await?)
}

fn found(rows: u64) -> Done<()> {
    match rows {
        0 => Err((&codes::STORE_NOT_FOUND).into()),
        _ => Ok(()),
    }
}
