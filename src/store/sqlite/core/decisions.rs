//! Decisions, newest first: why each mail was logged or not.

use rusqlite::{Row, params_from_iter};

use super::Core;
use super::decided::ALREADY_LOGGED;
use super::filter::Conditions;
use crate::decision::Disposition;
use crate::ids::{MailboxKey, MessageUid};
use crate::scope::Scope;
use crate::store::rows::{Place, Question};
use crate::store::sqlite::fault::Done;
use crate::store::sqlite::values::{
    column, enum_column, from_json, key_bytes, sighting_key, text, timestamp,
};
use crate::store::{Cursor, DecisionFilter, DecisionRecord, Page};

pub(super) const SELECT: &str = "SELECT d.*, s.key, b.key AS mailbox, m.uid, m.subject, (
        SELECT p.address FROM participant p
        WHERE p.no >= d.message_no * 65536 AND p.no < (d.message_no + 1) * 65536
        AND p.role IN ('from', 'sender') ORDER BY p.role, p.no LIMIT 1
    ) AS sender
    FROM decision d JOIN sighting s ON s.no = d.sighting_no JOIN mailbox b ON b.id = s.mailbox
    LEFT JOIN message m ON m.no = d.message_no";

impl Core {
    pub(crate) fn decisions(
        &self,
        scope: &Scope,
        filter: &DecisionFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Done<Page<DecisionRecord>> {
        let question = Question::new("decisions", scope, filter);
        let place = question.place(after)?;
        let (tx, scope) = self.read(scope)?;
        let all = conditions(scope, filter, place);
        let mut list = tx.prepare_cached(&format!(
            "{SELECT} WHERE {} ORDER BY d.decided_at DESC, d.no DESC LIMIT {}",
            all.sql(),
            u64::from(limit) + 1
        ))?;
        let rows = list.query_map(params_from_iter(all.into_values()), |row| {
            let place = Place {
                at: row.get("decided_at")?,
                no: row.get("no")?,
            };
            Ok((place, read(row)))
        })?;
        let rows = rows.map(|row| row.map_err(Into::into).and_then(|(p, d)| Ok((p, d?))));
        Ok(question.page(rows.collect::<Done<_>>()?, limit))
    }
}

fn conditions(scope: i64, filter: &DecisionFilter, place: Place) -> Conditions {
    let mut all = Conditions::default();
    let scope = all.bind(scope);
    let (at, no) = (all.bind(place.at), all.bind(place.no));
    // One mail has few decisions: a plus keeps SQLite from walking the index by date for them.
    let plus = if filter.message.is_some() { "+" } else { "" };
    all.hold(format!("{plus}d.scope = {scope}"));
    all.hold(format!("({plus}d.decided_at, d.no) < ({at}, {no})"));
    if let Some((mailbox, key)) = &filter.sighting {
        let mailbox = all.bind(text(mailbox.as_str()).into_owned());
        let key = all.bind(key_bytes(key));
        all.hold(format!(
            "d.sighting_no = (SELECT s.no FROM sighting s JOIN mailbox b ON b.id = s.mailbox
                 WHERE b.scope = {scope} AND b.key = {mailbox} AND s.key = {key})"
        ));
    }
    if let Some(message) = &filter.message {
        let uid = all.bind(message.as_bytes().to_vec());
        all.hold(format!(
            "d.message_no = (SELECT no FROM message WHERE scope = {scope} AND uid = {uid})"
        ));
    }
    if let Some(outcome) = &filter.outcome {
        all.with("d.outcome = ?", text(outcome).into_owned());
    }
    if filter.not_logged {
        all.hold(format!("d.outcome NOT IN ('logged', '{ALREADY_LOGGED}')"));
    }
    all
}

pub(super) fn read(row: &Row<'_>) -> Done<DecisionRecord> {
    let key = sighting_key(&column::<Vec<u8>>(row, "key")?)?;
    let mailbox = MailboxKey::new(column::<String>(row, "mailbox")?);
    let outcome: String = column(row, "outcome")?;
    let disposition = enum_column(row, "disposition", Disposition::from_code)?;
    let decided_at = timestamp(column(row, "decided_at")?)?;
    Ok(DecisionRecord {
        message: column::<Option<_>>(row, "uid")?.map(MessageUid::from_bytes),
        reason: column(row, "reason")?,
        steps: from_json(&column::<String>(row, "steps")?)?,
        flags: from_json(&column::<String>(row, "flags")?)?,
        policy: column(row, "policy")?,
        subject: column(row, "subject")?,
        sender: column(row, "sender")?,
        ..DecisionRecord::new(mailbox, key, outcome, disposition, decided_at)
    })
}
