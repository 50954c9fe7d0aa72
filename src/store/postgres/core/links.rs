//! Links that a later match changes, and the lists of those who are never logged.

use std::collections::BTreeSet;

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::commit::entries_as_rows;
use super::lease::{Fenced, fence};
use super::{events, find_scope, make_scope, privacy, record, take_turn};
use crate::clock::Entropy;
use crate::decision::NeverLog;
use crate::error::codes;
use crate::ids::EntryId;
use crate::interaction::NewEntry;
use crate::scope::Scope;
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::{Round, Tx};
use crate::store::postgres::values::{column, uuid};
use crate::store::rows::people::UNTOUCHED;
use crate::store::rows::{Place, Question, from_json, json, text, unsigned};
use crate::store::{
    Cursor, EventKind, Lease, LinkChange, LinkResult, LoggedMail, Page, StoredNeverLog,
};

pub(crate) async fn mails_naming(
    tx: &Tx,
    scope: &Scope,
    addresses: Option<&[String]>,
    (after, limit): (Option<&Cursor>, u32),
) -> Done<Page<LoggedMail>> {
    let question = Question::new("naming", scope, &addresses);
    let place = question.place(after)?;
    let scope = find_scope(tx, scope).await?;
    let most = i64::from(limit) + 1;
    let list = "SELECT m.no FROM message m WHERE m.scope = $1 AND m.no < $2
        AND ($4::text[] IS NULL OR m.no IN (
            SELECT p.message_no FROM participant p WHERE p.scope = $1 AND p.address = ANY($4)))
        ORDER BY m.no DESC LIMIT $3";
    let rows = tx
        .rows(list, &[&scope, &place.no, &most, &addresses])
        .await?;
    let numbers: Vec<i64> = rows
        .iter()
        .map(|row| column(row, "no"))
        .collect::<Done<_>>()?;
    let mails = record::mails(tx, &numbers).await?;
    let placed = numbers.into_iter().map(|no| Place { at: no, no });
    Ok(question.page(placed.zip(mails).collect(), limit))
}

pub(crate) async fn relink(
    tx: &Tx,
    scope: &Scope,
    (lease, links): (&Lease, &LinkChange),
    (time, entropy): (Option<i64>, &dyn Entropy),
) -> Done<LinkResult> {
    let fenced = fence(tx, scope, lease, time).await?;
    take_turn(tx, fenced.scope).await?;
    let find = "SELECT no FROM message WHERE scope = $1 AND uid = $2";
    let uid = uuid(links.message.as_bytes());
    let message = tx.row(find, &[&fenced.scope, &uid]).await?;
    let message_no = column(&message.ok_or(&codes::STORE_NOT_FOUND)?, "no")?;
    let change = Change {
        tx,
        fenced,
        message_no,
        links,
    };
    let mut result = LinkResult::default();
    change.add(&mut result).await?;
    privacy::carry_marks(tx, &[message_no]).await?;
    for id in &links.withdraw {
        if change.withdraw(id).await? {
            result.withdrawn.push(*id);
        }
    }
    if !result.is_empty() {
        let event = events::New {
            mailbox: fenced.mailbox,
            kind: EventKind::Rematched,
            message_no: Some(message_no),
            entries: &result.changed(),
            reason: &links.reason,
        };
        events::write(tx, fenced.scope, &event, fenced.now, entropy).await?;
    }
    Ok(result)
}

/// Notes that a person decided about an entry: from now on nothing automatic touches it.
pub(super) async fn hold(tx: &Tx, scope: i64, id: &EntryId, now: i64) -> Done<()> {
    let hold =
        "INSERT INTO entry_link (scope, entry_id, held, changed_at) VALUES ($1, $2, true, $3)
        ON CONFLICT (scope, entry_id)
        DO UPDATE SET held = true, changed_at = excluded.changed_at";
    tx.run(hold, &[&scope, &uuid(id.as_bytes()), &now]).await?;
    Ok(())
}

struct Change<'a> {
    tx: &'a Tx,
    fenced: Fenced,
    message_no: i64,
    links: &'a LinkChange,
}

impl Change<'_> {
    async fn add(&self, result: &mut LinkResult) -> Done<()> {
        let list = "SELECT id FROM entry WHERE message_no = $1";
        let rows = self.tx.rows(list, &[&self.message_no]).await?;
        let there: BTreeSet<Uuid> = rows
            .iter()
            .map(|row| column(row, "id"))
            .collect::<Done<_>>()?;
        let mut new: Vec<&NewEntry> = Vec::new();
        for entry in &self.links.add {
            if !there.contains(&uuid(entry.id.as_bytes())) {
                if new.iter().all(|other| other.id != entry.id) {
                    new.push(entry);
                }
            } else if self.restore(&entry.id).await? {
                result.restored.push(entry.id);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let first = self.take_numbers(new.len()).await?;
        for (number, entry) in (first..).zip(&new) {
            result.added.push((entry.id, unsigned(number)?));
        }
        let delivery = if self.links.deliver {
            "waiting"
        } else {
            "none"
        };
        let place = (self.fenced, self.message_no, first, delivery);
        self.tx.pipeline(&[entries_as_rows(place, &new)?]).await
    }

    /// The first of as many entry numbers as are needed.
    async fn take_numbers(&self, count: usize) -> Done<i64> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let take = "UPDATE scope SET last_entry_no = last_entry_no + $2 WHERE id = $1
            RETURNING last_entry_no";
        let row = self.tx.row(take, &[&self.fenced.scope, &count]).await?;
        let row = row.ok_or(&codes::STORE_NOT_FOUND)?;
        Ok(column::<i64>(&row, "last_entry_no")? - count + 1)
    }

    /// Takes a withdrawal back, unless a person decided about the entry.
    async fn restore(&self, id: &EntryId) -> Done<bool> {
        let (scope, id) = (self.fenced.scope, uuid(id.as_bytes()));
        let take = "UPDATE entry_link SET withdrawn = NULL, changed_at = $3
            WHERE scope = $1 AND entry_id = $2 AND NOT held AND withdrawn IS NOT NULL";
        let taken = self.tx.run(take, &[&scope, &id, &self.fenced.now]).await?;
        if taken > 0 {
            let hold = "UPDATE entry SET canceled = false WHERE scope = $1 AND id = $2";
            self.tx.run(hold, &[&scope, &id]).await?;
        }
        Ok(taken > 0)
    }

    /// Withdraws an entry of the message, unless it is cancelled or a person decided about it or worked with it.
    async fn withdraw(&self, id: &EntryId) -> Done<bool> {
        let (scope, id) = (self.fenced.scope, uuid(id.as_bytes()));
        // Whoever comments on it or takes its cancelling back has ended by now, or waits.
        let lock = "SELECT 1 FROM entry WHERE scope = $1 AND id = $2 FOR UPDATE";
        self.tx.row(lock, &[&scope, &id]).await?;
        let cancel = format!(
            "UPDATE entry SET canceled = true
             WHERE scope = $1 AND id = $2 AND message_no = $3 AND NOT canceled AND NOT EXISTS (
                 SELECT 1 FROM entry_link WHERE scope = $1 AND entry_id = $2 AND held)
             AND {UNTOUCHED}"
        );
        let values: [&(dyn ToSql + Sync); 3] = [&scope, &id, &self.message_no];
        let canceled = self.tx.run(&cancel, &values).await?;
        if canceled > 0 {
            let note = "INSERT INTO entry_link (scope, entry_id, held, withdrawn, changed_at)
                VALUES ($1, $2, false, $3, $4) ON CONFLICT (scope, entry_id) DO UPDATE
                SET withdrawn = excluded.withdrawn, changed_at = excluded.changed_at";
            let reason = text(&self.links.reason);
            self.tx
                .run(note, &[&scope, &id, &reason, &self.fenced.now])
                .await?;
        }
        Ok(canceled > 0)
    }
}

pub(crate) async fn load_never_log(tx: &Tx, scope: &Scope) -> Done<StoredNeverLog> {
    let scope = find_scope(tx, scope).await?;
    let find = "SELECT version, rules FROM never_log WHERE scope = $1";
    let Some(row) = tx.row(find, &[&scope]).await? else {
        return Ok(StoredNeverLog::default());
    };
    let lists = from_json(column(&row, "rules")?)?;
    Ok(StoredNeverLog::new(
        lists,
        unsigned(column(&row, "version")?)?,
    ))
}

pub(crate) async fn save_never_log(
    tx: &Tx,
    scope: &Scope,
    (lists, expected_version): (&NeverLog, u64),
    time: Option<i64>,
    round: Round,
) -> Done<u64> {
    let id = make_scope(tx, scope).await?;
    take_turn(tx, id).await?;
    let stored = load_never_log(tx, scope).await?;
    if round.unknown && stored == StoredNeverLog::new(lists.clone(), expected_version + 1) {
        return Ok(stored.version);
    }
    if stored.version != expected_version {
        return Err((&codes::REVIEW_VERSION).into());
    }
    let now = super::now(tx, time).await?;
    put_never_log(tx, id, lists, now).await?;
    Ok(expected_version + 1)
}

/// Writes the lists as their next version.
pub(super) async fn put_never_log(tx: &Tx, scope: i64, lists: &NeverLog, now: i64) -> Done<()> {
    let write = "INSERT INTO never_log (scope, version, rules, changed_at) VALUES ($1, 1, $2, $3)
        ON CONFLICT (scope) DO UPDATE SET version = never_log.version + 1,
            rules = excluded.rules, changed_at = excluded.changed_at";
    tx.run(write, &[&scope, &json(lists)?, &now]).await?;
    Ok(())
}
