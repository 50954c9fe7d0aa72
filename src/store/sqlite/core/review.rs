//! The review queue: decisions without entries, with what a person said about them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::commit::Writer;
use super::filter::Conditions;
use super::{Core, decisions, find_mailbox, record, sightings};
use crate::error::codes;
use crate::ids::MailboxKey;
use crate::scope::Scope;
use crate::source::SightingKey;
use crate::store::rows::{Place, Question};
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{
    column, enum_column, from_json, json, key_bytes, text, timestamp, unsigned,
};
use crate::store::{
    Cursor, EventKind, Page, Resolution, ReviewCount, ReviewFilter, ReviewItem, ReviewState,
};

const JOIN: &str = "LEFT JOIN review r ON r.sighting_no = d.sighting_no";

/// The state of an item.
const STATE: &str = "coalesce(r.state, 'open')";

impl Core {
    pub(crate) fn review_items(
        &self,
        scope: &Scope,
        filter: &ReviewFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Done<Page<ReviewItem>> {
        let question = Question::new("review", scope, filter);
        let place = question.place(after)?;
        let (tx, scope) = self.read(scope)?;
        let all = conditions(scope, filter, place);
        let select = decisions::SELECT.replacen(
            "SELECT ",
            "SELECT r.version, r.state, r.resolution, r.at, ",
            1,
        );
        let mut list = tx.prepare_cached(&format!(
            "{select} {JOIN} WHERE {} ORDER BY d.decided_at DESC, d.no DESC LIMIT {}",
            all.sql(),
            u64::from(limit) + 1
        ))?;
        let rows = list.query_map(params_from_iter(all.into_values()), |row| {
            let place = Place {
                at: row.get("decided_at")?,
                no: row.get("no")?,
            };
            Ok((place, read(&tx, row)))
        })?;
        let rows = rows.map(|row| row.map_err(Into::into).and_then(|(p, i)| Ok((p, i?))));
        Ok(question.page(rows.collect::<Done<_>>()?, limit))
    }

    pub(crate) fn review_counts(&self, scope: &Scope) -> Done<Vec<ReviewCount>> {
        let (tx, scope) = self.read(scope)?;
        let mut count = tx.prepare_cached(&format!(
            "SELECT {STATE} AS state, d.outcome, d.reason, count(*) AS items
             FROM decision d {JOIN}
             WHERE d.scope = ?1 AND d.outcome NOT IN ('logged', 'already-logged')
             GROUP BY 1, 2, 3"
        ))?;
        let rows = count.query_map([scope], |row| Ok(counted(row)))?;
        let mut counts = rows.map(|row| row?).collect::<Done<Vec<_>>>()?;
        counts.sort();
        Ok(counts)
    }

    pub(crate) fn resolve(
        &mut self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
        resolution: &Resolution,
        expected_version: u64,
    ) -> Done<u64> {
        let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let (tx, scope) = self.write(scope)?;
        let mailbox = find_mailbox(&tx, scope, mailbox)?;
        let found = sightings::find(&tx, mailbox, key)?;
        let found = found.filter(|found| found.known.outcome.is_some());
        let found = found.ok_or(&codes::STORE_NOT_FOUND)?;
        if found.is_logged() {
            return Err((&codes::REVIEW_LOGGED).into());
        }
        if version(&tx, found.no)? != expected_version {
            return Err((&codes::REVIEW_VERSION).into());
        }
        let mut writer = Writer::new(&tx, scope, mailbox, &*clock, &*entropy)?;
        tx.execute(
            "INSERT INTO review (sighting_no, scope, version, state, resolution, at)
             VALUES (?1, ?2, 1, ?3, ?4, ?5)
             ON CONFLICT (sighting_no) DO UPDATE SET version = version + 1,
                 state = excluded.state, resolution = excluded.resolution, at = excluded.at",
            params![
                found.no,
                scope,
                resolution.state.code(),
                json(resolution)?,
                writer.now
            ],
        )?;
        if resolution.state == ReviewState::Assigned {
            let message = match &found.known.message {
                Some(uid) => super::identity::message_no(&tx, scope, uid)?,
                None => None,
            };
            writer.event(EventKind::Assigned, message, &[], "")?;
            writer.keep_counters()?;
        }
        tx.commit()?;
        Ok(expected_version + 1)
    }
}

fn conditions(scope: i64, filter: &ReviewFilter, place: Place) -> Conditions {
    let mut all = Conditions::default();
    let scope = all.bind(scope);
    let (at, no) = (all.bind(place.at), all.bind(place.no));
    all.hold(format!("d.scope = {scope}"));
    all.hold(format!("(d.decided_at, d.no) < ({at}, {no})"));
    all.hold("d.outcome NOT IN ('logged', 'already-logged')");
    if let Some((mailbox, key)) = &filter.sighting {
        let mailbox = all.bind(text(mailbox.as_str()).into_owned());
        let key = all.bind(key_bytes(key));
        all.hold(format!("b.key = {mailbox} AND s.key = {key}"));
    } else {
        all.with(&format!("{STATE} = ?"), filter.state.code().to_owned());
        if !filter.excluded {
            all.hold("d.outcome <> 'excluded'");
        }
    }
    if let Some(outcome) = &filter.outcome {
        all.with("d.outcome = ?", text(outcome).into_owned());
    }
    if let Some(reason) = &filter.reason {
        all.with("d.reason = ?", text(reason).into_owned());
    }
    if let Some(address) = &filter.address {
        let address = all.bind(text(address).into_owned());
        all.hold(format!(
            "d.message_no IN (SELECT message_no FROM participant
                 WHERE scope = {scope} AND address = {address})"
        ));
    }
    all
}

fn read(conn: &Connection, row: &Row<'_>) -> Done<ReviewItem> {
    let participants = match column::<Option<i64>>(row, "message_no")? {
        Some(no) => record::participants(conn, no)?,
        None => Vec::new(),
    };
    let item = ReviewItem::new(decisions::read(row)?, participants);
    let Some(said) = column::<Option<String>>(row, "resolution")? else {
        return Ok(item);
    };
    Ok(ReviewItem {
        state: enum_column(row, "state", ReviewState::from_code)?,
        version: unsigned(column(row, "version")?)?,
        resolution: Some((timestamp(column(row, "at")?)?, from_json(&said)?)),
        ..item
    })
}

fn counted(row: &Row<'_>) -> Done<ReviewCount> {
    let state = enum_column(row, "state", ReviewState::from_code)?;
    let (outcome, reason): (String, String) = (column(row, "outcome")?, column(row, "reason")?);
    let items = unsigned(column(row, "items")?)?;
    Ok(ReviewCount::new(state, outcome, reason, items))
}

/// The version of an item; 0 where nobody touched it.
fn version(conn: &Connection, sighting_no: i64) -> Done<u64> {
    let mut find = conn.prepare_cached("SELECT version FROM review WHERE sighting_no = ?1")?;
    let version = find.query_row([sighting_no], |row| row.get(0)).optional()?;
    unsigned(version.unwrap_or(0))
}
