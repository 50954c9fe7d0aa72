//! The review queue: decisions without entries, with what a person said about them.

use tokio_postgres::Row;

use super::filter::Conditions;
use super::log::Asked;
use super::{decisions, events, find_mailbox, find_scope, make_scope, record, take_turn};
use crate::clock::Entropy;
use crate::error::codes;
use crate::ids::MailboxKey;
use crate::scope::Scope;
use crate::source::SightingKey;
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::{Round, Tx};
use crate::store::postgres::values::{column, enum_column};
use crate::store::rows::{Place, Question, from_json, json, key_bytes, text, timestamp, unsigned};
use crate::store::{
    EventKind, Page, Resolution, ReviewCount, ReviewFilter, ReviewItem, ReviewState,
};

const JOIN: &str = "LEFT JOIN review r ON r.sighting_no = d.sighting_no";

/// The state of an item.
const STATE: &str = "coalesce(r.state, 'open')";

pub(crate) async fn items(tx: &Tx, asked: &Asked<'_, ReviewFilter>) -> Done<Page<ReviewItem>> {
    let question = Question::new("review", asked.scope, asked.filter);
    let place = question.place(asked.after)?;
    let scope = find_scope(tx, asked.scope).await?;
    let all = conditions(scope, asked.filter, place);
    let select = decisions::SELECT.replacen(
        "SELECT ",
        "SELECT r.version, r.state, r.resolution, r.at, ",
        1,
    );
    let list = format!(
        "{select} {JOIN} WHERE {} ORDER BY d.decided_at DESC, d.no DESC LIMIT {}",
        all.sql(),
        u64::from(asked.limit) + 1
    );
    let rows = tx.rows(&list, &all.values()).await?;
    let messages = rows
        .iter()
        .map(|row| column::<Option<i64>>(row, "message_no"));
    let messages: Vec<i64> = messages
        .collect::<Done<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    let named = record::participants(tx, &messages).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let no: Option<i64> = column(row, "message_no")?;
        let participants = no.and_then(|no| named.get(&no)).cloned();
        let (place, decision) = decisions::placed(row)?;
        let item = ReviewItem::new(decision, participants.unwrap_or_default());
        found.push((place, resolved(row, item)?));
    }
    Ok(question.page(found, asked.limit))
}

pub(crate) async fn counts(tx: &Tx, scope: &Scope) -> Done<Vec<ReviewCount>> {
    let scope = find_scope(tx, scope).await?;
    let count = format!(
        "SELECT {STATE} AS state, d.outcome, d.reason, count(*) AS items
         FROM decision d {JOIN}
         WHERE d.scope = $1 AND d.outcome NOT IN ('logged', 'already-logged')
         GROUP BY 1, 2, 3"
    );
    let rows = tx.rows(&count, &[&scope]).await?;
    let mut counts = rows.iter().map(counted).collect::<Done<Vec<_>>>()?;
    counts.sort();
    Ok(counts)
}

/// What a person says about which sighting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) mailbox: &'a MailboxKey,
    pub(crate) key: &'a SightingKey,
    pub(crate) resolution: &'a Resolution,
    pub(crate) expected_version: u64,
}

/// It waits for the turn of its scope, so that of two resolutions the second sees the first.
pub(crate) async fn resolve(
    tx: &Tx,
    scope: &Scope,
    said: Said<'_>,
    (time, entropy): (Option<i64>, &dyn Entropy),
    round: Round,
) -> Done<u64> {
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let mailbox = find_mailbox(tx, scope, said.mailbox).await?;
    let find = "SELECT s.no, s.message_no, d.outcome, r.version, r.resolution
        FROM sighting s JOIN decision d ON d.sighting_no = s.no
        LEFT JOIN review r ON r.sighting_no = s.no
        WHERE s.mailbox = $1 AND s.key = $2 AND s.state <> 'pending'";
    let row = tx.row(find, &[&mailbox, &key_bytes(said.key)]).await?;
    let row = row.ok_or(&codes::STORE_NOT_FOUND)?;
    let outcome: String = column(&row, "outcome")?;
    if matches!(outcome.as_str(), super::LOGGED | super::ALREADY_LOGGED) {
        return Err((&codes::REVIEW_LOGGED).into());
    }
    let version = unsigned(column::<Option<i64>>(&row, "version")?.unwrap_or(0))?;
    let written = json(said.resolution)?;
    let stored: Option<String> = column(&row, "resolution")?;
    let done = version == said.expected_version + 1 && stored.as_ref() == Some(&written);
    if round.unknown && done {
        return Ok(version);
    }
    if version != said.expected_version {
        return Err((&codes::REVIEW_VERSION).into());
    }
    let no: i64 = column(&row, "no")?;
    let now = super::now(tx, time).await?;
    let write = "INSERT INTO review (sighting_no, scope, version, state, resolution, at)
        VALUES ($1, $2, 1, $3, $4, $5)
        ON CONFLICT (sighting_no) DO UPDATE SET version = review.version + 1,
            state = excluded.state, resolution = excluded.resolution, at = excluded.at";
    let state = said.resolution.state;
    tx.run(write, &[&no, &scope, &state.code(), &written, &now])
        .await?;
    if state == ReviewState::Assigned {
        let event = events::New {
            mailbox,
            kind: EventKind::Assigned,
            message_no: column(&row, "message_no")?,
            entries: &[],
            reason: "",
        };
        events::write(tx, scope, &event, now, entropy).await?;
    }
    Ok(said.expected_version + 1)
}

fn conditions(scope: i64, filter: &ReviewFilter, place: Place) -> Conditions {
    let own = |value: &str| text(value).into_owned();
    let mut all = Conditions::default();
    let scope = all.bind(scope);
    let (at, no) = (all.bind(place.at), all.bind(place.no));
    all.hold(format!("d.scope = {scope}"));
    all.hold(format!("(d.decided_at, d.no) < ({at}, {no})"));
    all.hold("d.outcome NOT IN ('logged', 'already-logged')");
    if let Some((mailbox, key)) = &filter.sighting {
        let mailbox = all.bind(own(mailbox.as_str()));
        let key = all.bind(key_bytes(key));
        all.hold(format!("b.key = {mailbox} AND s.key = {key}"));
    } else {
        all.with(&format!("{STATE} = ?"), filter.state.code().to_owned());
        if !filter.excluded {
            all.hold("d.outcome <> 'excluded'");
        }
    }
    if let Some(outcome) = &filter.outcome {
        all.with("d.outcome = ?", own(outcome));
    }
    if let Some(reason) = &filter.reason {
        all.with("d.reason = ?", own(reason));
    }
    if let Some(address) = &filter.address {
        let address = all.bind(own(address));
        all.hold(format!(
            "d.message_no IN (SELECT message_no FROM participant
                 WHERE scope = {scope} AND address = {address})"
        ));
    }
    all
}

fn resolved(row: &Row, item: ReviewItem) -> Done<ReviewItem> {
    let Some(said) = column::<Option<&str>>(row, "resolution")? else {
        return Ok(item);
    };
    Ok(ReviewItem {
        state: enum_column(row, "state", ReviewState::from_code)?,
        version: unsigned(column(row, "version")?)?,
        resolution: Some((timestamp(column(row, "at")?)?, from_json(said)?)),
        ..item
    })
}

fn counted(row: &Row) -> Done<ReviewCount> {
    let state = enum_column(row, "state", ReviewState::from_code)?;
    let (outcome, reason): (String, String) = (column(row, "outcome")?, column(row, "reason")?);
    let items = unsigned(column(row, "items")?)?;
    Ok(ReviewCount::new(state, outcome, reason, items))
}
