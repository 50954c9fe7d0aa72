//! Decisions, newest first: why each mail was logged or not.

use tokio_postgres::Row;

use super::filter::Conditions;
use super::log::Asked;
use super::{ALREADY_LOGGED, LOGGED, find_scope};
use crate::decision::Disposition;
use crate::ids::{MailboxKey, MessageUid};
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, enum_column, maybe_id, uuid};
use crate::store::rows::{Place, Question, from_json, key_bytes, sighting_key, text, timestamp};
use crate::store::{DecisionFilter, DecisionRecord, Page};

pub(super) const SELECT: &str =
    "SELECT d.*, d.steps::text AS step_list, d.flags::text AS flag_list, s.key,
        b.key AS mailbox, m.uid, m.subject, (
            SELECT p.address FROM participant p
            WHERE p.no >= d.message_no * 65536 AND p.no < (d.message_no + 1) * 65536
            AND p.role IN ('from', 'sender') ORDER BY p.role, p.no LIMIT 1
        ) AS sender
    FROM decision d JOIN sighting s ON s.no = d.sighting_no JOIN mailbox b ON b.id = s.mailbox
    LEFT JOIN message m ON m.no = d.message_no";

pub(crate) async fn decisions(
    tx: &Tx,
    asked: &Asked<'_, DecisionFilter>,
) -> Done<Page<DecisionRecord>> {
    let question = Question::new("decisions", asked.scope, asked.filter);
    let place = question.place(asked.after)?;
    let scope = find_scope(tx, asked.scope).await?;
    let all = conditions(scope, asked.filter, place);
    let list = format!(
        "{SELECT} WHERE {} ORDER BY d.decided_at DESC, d.no DESC LIMIT {}",
        all.sql(),
        u64::from(asked.limit) + 1
    );
    let rows = tx.rows(&list, &all.values()).await?;
    let found: Done<Vec<_>> = rows.iter().map(placed).collect();
    Ok(question.page(found?, asked.limit))
}

fn conditions(scope: i64, filter: &DecisionFilter, place: Place) -> Conditions {
    let mut all = Conditions::default();
    let scope = all.bind(scope);
    let (at, no) = (all.bind(place.at), all.bind(place.no));
    all.hold(format!("d.scope = {scope}"));
    all.hold(format!("(d.decided_at, d.no) < ({at}, {no})"));
    if let Some((mailbox, key)) = &filter.sighting {
        let mailbox = all.bind(text(mailbox.as_str()).into_owned());
        let key = all.bind(key_bytes(key));
        all.hold(format!(
            "d.sighting_no = (SELECT s.no FROM sighting s JOIN mailbox b ON b.id = s.mailbox
                 WHERE b.scope = {scope} AND b.key = {mailbox} AND s.key = {key})"
        ));
    }
    if let Some(message) = &filter.message {
        let uid = all.bind(uuid(message.as_bytes()));
        all.hold(format!(
            "d.message_no = (SELECT no FROM message WHERE scope = {scope} AND uid = {uid})"
        ));
    }
    if let Some(outcome) = &filter.outcome {
        all.with("d.outcome = ?", text(outcome).into_owned());
    }
    if filter.not_logged {
        all.hold(format!("d.outcome NOT IN ('{LOGGED}', '{ALREADY_LOGGED}')"));
    }
    all
}

pub(super) fn placed(row: &Row) -> Done<(Place, DecisionRecord)> {
    let place = Place {
        at: column(row, "decided_at")?,
        no: column(row, "no")?,
    };
    Ok((place, read(row)?))
}

fn read(row: &Row) -> Done<DecisionRecord> {
    let key = sighting_key(column(row, "key")?)?;
    let mailbox = MailboxKey::new(column::<String>(row, "mailbox")?);
    let outcome: String = column(row, "outcome")?;
    let disposition = enum_column(row, "disposition", Disposition::from_code)?;
    let decided_at = timestamp(column(row, "decided_at")?)?;
    Ok(DecisionRecord {
        message: maybe_id(row, "uid")?.map(MessageUid::from_bytes),
        reason: column(row, "reason")?,
        steps: from_json(column(row, "step_list")?)?,
        flags: from_json(column(row, "flag_list")?)?,
        policy: column(row, "policy")?,
        subject: column(row, "subject")?,
        sender: column(row, "sender")?,
        ..DecisionRecord::new(mailbox, key, outcome, disposition, decided_at)
    })
}
