//! Sightings, decisions and planned moves of a commit as statements.

use std::borrow::Cow;

use super::super::changes::{Changes, NewDecision};
use super::{all, each};
use crate::decision::Disposition;
use crate::store::postgres::core::many::{Kind, Many};
use crate::store::postgres::core::sightings::{Found, Planned};
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::Write;
use crate::store::rows::{json, text};

impl Changes<'_> {
    pub(super) fn changed_sightings(&self) -> Vec<(&[u8], &Found)> {
        let changed = self.state.sightings.iter();
        let changed = changed.filter(|(key, found)| self.before.get(*key) != Some(*found));
        changed
            .map(|(key, found)| (key.as_slice(), found))
            .collect()
    }

    pub(super) fn add_sightings<'w>(
        &self,
        writes: &mut Vec<Write<'w>>,
        rows: &'w [(&'w [u8], &'w Found)],
    ) {
        if rows.is_empty() {
            return;
        }
        let many = Many::default()
            .with("no", Kind::Number, all(rows, |row| row.1.no))
            .with("scope", Kind::Number, each(rows, self.fenced.scope))
            .with("mailbox", Kind::Number, each(rows, self.fenced.mailbox))
            .with("key", Kind::Bytes, all(rows, |row| row.0))
            .with("state", Kind::Text, all(rows, |row| row.1.state.code()))
            .with(
                "item_id",
                Kind::Text,
                all(rows, |row| row.1.item_id.as_str()),
            )
            .with(
                "change_key",
                Kind::Text,
                all(rows, |row| row.1.change_key.as_deref()),
            )
            .with("received", Kind::Number, all(rows, |row| row.1.received))
            .with("size", Kind::Number, all(rows, |row| row.1.size))
            .with(
                "message_no",
                Kind::Number,
                all(rows, |row| row.1.message_no),
            )
            .with(
                "disposition",
                Kind::Text,
                all(rows, |row| row.1.disposition.map(Disposition::code)),
            )
            .with("attempts", Kind::Number, all(rows, |row| row.1.attempts))
            .with("next_try", Kind::Number, all(rows, |row| row.1.next_try))
            .with("code", Kind::Text, all(rows, |row| row.1.code.as_deref()))
            .with("seen_at", Kind::Number, all(rows, |row| row.1.seen_at));
        let tail = "ON CONFLICT (mailbox, key) DO UPDATE SET state = excluded.state,
            item_id = excluded.item_id, change_key = excluded.change_key,
            received = excluded.received, size = excluded.size,
            message_no = excluded.message_no, disposition = excluded.disposition,
            attempts = excluded.attempts, next_try = excluded.next_try, code = excluded.code";
        writes.push(many.insert("sighting", tail));
    }

    /// Decisions; one that was made again takes the place of the old one, as the newest.
    pub(super) fn add_decisions<'w>(&'w self, writes: &mut Vec<Write<'w>>) -> Done<()> {
        if self.decisions.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = self.decisions.iter().collect();
        let column = |value: fn(&'w NewDecision<'w>) -> Cow<'w, str>| {
            Box::new(rows.iter().map(|row| value(row.1)).collect::<Vec<_>>())
        };
        let numbers: Vec<i64> = rows.iter().map(|row| *row.0).collect();
        let messages: Vec<_> = rows.iter().map(|row| row.1.message_no).collect();
        let steps: Done<Vec<_>> = rows
            .iter()
            .map(|row| Ok(json(&row.1.decision.steps)?))
            .collect();
        let flags: Done<Vec<_>> = rows
            .iter()
            .map(|row| Ok(json(&row.1.decision.flags)?))
            .collect();
        let drop = "DELETE FROM decision WHERE sighting_no = ANY($1)";
        let many = Many::default()
            .with("scope", Kind::Number, each(&rows, self.fenced.scope))
            .with("sighting_no", Kind::Number, Box::new(numbers.clone()))
            .with("message_no", Kind::Number, Box::new(messages))
            .with("outcome", Kind::Text, column(|row| row.outcome.into()))
            .with("reason", Kind::Text, column(|row| text(row.reason)))
            .with(
                "disposition",
                Kind::Text,
                column(|row| row.decision.disposition.code().into()),
            )
            .with("steps", Kind::Json, Box::new(steps?))
            .with("flags", Kind::Json, Box::new(flags?))
            .with(
                "policy",
                Kind::Text,
                column(|row| text(&row.decision.policy)),
            )
            .with("decided_at", Kind::Number, each(&rows, self.fenced.now));
        writes.push(Write::new(drop, vec![Box::new(numbers)]));
        writes.push(many.insert("decision", ""));
        Ok(())
    }

    /// Moves that are new or differ from what is stored, with the number of their sighting.
    pub(super) fn changed_moves(&self) -> Vec<(i64, &str, &Planned)> {
        let mut changed = Vec::new();
        for (key, found) in &self.state.sightings {
            let before = self.before.get(key).map(|before| &before.moves);
            for (item, planned) in &found.moves {
                if before.and_then(|before| before.get(item)) != Some(planned) {
                    changed.push((found.no, item.as_str(), planned));
                }
            }
        }
        changed
    }

    pub(super) fn gone_moves(&self) -> Vec<(i64, &str)> {
        let mut gone = Vec::new();
        for (key, before) in &self.before {
            let now = self.state.sightings.get(key).map(|found| &found.moves);
            let left = |item: &&String| !now.is_some_and(|now| now.contains_key(*item));
            let items = before.moves.keys().filter(left);
            gone.extend(items.map(|item| (before.no, item.as_str())));
        }
        gone
    }

    pub(super) fn add_moves<'w>(
        &self,
        writes: &mut Vec<Write<'w>>,
        rows: &'w [(i64, &'w str, &'w Planned)],
        gone: &'w [(i64, &'w str)],
    ) {
        if !gone.is_empty() {
            let sql = "DELETE FROM pending_move p
                USING UNNEST($1::bigint[], $2::text[]) AS r (sighting_no, item_id)
                WHERE p.sighting_no = r.sighting_no AND p.item_id = r.item_id";
            let values = vec![all(gone, |row| row.0), all(gone, |row| row.1)];
            writes.push(Write::new(sql, values));
        }
        if rows.is_empty() {
            return;
        }
        let many = Many::default()
            .with("scope", Kind::Number, each(rows, self.fenced.scope))
            .with("mailbox", Kind::Number, each(rows, self.fenced.mailbox))
            .with("sighting_no", Kind::Number, all(rows, |row| row.0))
            .with("item_id", Kind::Text, all(rows, |row| row.1))
            .with(
                "change_key",
                Kind::Text,
                all(rows, |row| row.2.change_key.as_deref()),
            )
            .with("target", Kind::Text, all(rows, |row| row.2.target.as_str()))
            .with("attempts", Kind::Number, all(rows, |row| row.2.attempts))
            .with("next_try", Kind::Number, all(rows, |row| row.2.next_try))
            .with("code", Kind::Text, all(rows, |row| row.2.code.as_deref()))
            .with(
                "planned_at",
                Kind::Number,
                all(rows, |row| row.2.planned_at),
            );
        let tail = "ON CONFLICT (sighting_no, item_id) DO UPDATE SET target = excluded.target,
            attempts = excluded.attempts, next_try = excluded.next_try, code = excluded.code";
        writes.push(many.insert("pending_move", tail));
    }
}
