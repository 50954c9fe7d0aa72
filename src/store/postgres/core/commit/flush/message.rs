//! Messages and participants of a commit as statements.

use super::super::changes::{Changes, NewMessage};
use super::{all, each, made};
use crate::message::CanonicalDigest;
use crate::store::MESSAGE_ID_CONFLICT;
use crate::store::postgres::core::conversation;
use crate::store::postgres::core::many::{Kind, Many};
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::Write;
use crate::store::postgres::values::uuid;
use crate::store::rows::{json, maybe_micros, maybe_text, message_id_hash, signed, text};

impl Changes<'_> {
    pub(super) fn add_messages<'w>(&'w self, writes: &mut Vec<Write<'w>>) -> Done<()> {
        let rows = &self.messages;
        if !rows.is_empty() {
            let many = self.message_columns(rows)?;
            // Under the lock of the scope nobody else can have written one of these.
            writes.push(many.insert("message", ""));
            // What keeps no original has no second stage.
            let without = rows.iter().filter(|row| row.index_state == "none");
            let with_entry = |no: &i64| self.entries.iter().any(|entry| entry.message_no == *no);
            let without: Vec<i64> = without.map(|row| row.no).filter(with_entry).collect();
            if !without.is_empty() {
                writes.push(conversation::refer(without));
            }
        }
        for (no, canonical) in &self.canonicals {
            let sql = "UPDATE message SET canonical = $2 WHERE no = $1 AND canonical IS NULL";
            let canonical = canonical.as_bytes().as_slice();
            writes.push(Write::new(sql, vec![Box::new(*no), Box::new(canonical)]));
        }
        for (no, identity) in &self.completed {
            let sql = "UPDATE message SET index_state = 'waiting', original_digest = $2, size = $3
                WHERE no = $1 AND index_state IN ('none', 'gone')";
            let digest = identity.original_digest.as_bytes().as_slice();
            let size = signed(identity.size)?;
            writes.push(Write::new(
                sql,
                vec![Box::new(*no), Box::new(digest), Box::new(size)],
            ));
        }
        for id in &self.conflicts {
            let sql = "UPDATE message SET message_id_conflict = true,
                    flags = flags || to_jsonb($4::text)
                WHERE scope = $1 AND message_id_hash = $2 AND message_id = $3
                AND NOT message_id_conflict";
            let id = text(id);
            let hash = message_id_hash(&id);
            let scope = self.fenced.scope;
            writes.push(Write::new(
                sql,
                vec![
                    Box::new(scope),
                    Box::new(hash),
                    Box::new(id),
                    Box::new(MESSAGE_ID_CONFLICT),
                ],
            ));
        }
        Ok(())
    }

    fn message_columns<'w>(&self, rows: &'w [NewMessage<'_>]) -> Done<Many<'w>> {
        let id = |row: &'w NewMessage<'_>| maybe_text(row.record.message_id.as_deref());
        let many = Many::default()
            .with("no", Kind::Number, all(rows, |row| row.no))
            .with("scope", Kind::Number, each(rows, self.fenced.scope))
            .with("uid", Kind::Id, all(rows, |row| uuid(row.uid.as_bytes())))
            .with(
                "fast_key",
                Kind::Bytes,
                all(rows, |row| {
                    row.record.identity.fast_key.as_bytes().as_slice()
                }),
            )
            .with(
                "original_digest",
                Kind::Bytes,
                all(rows, |row| {
                    row.record.identity.original_digest.as_bytes().as_slice()
                }),
            )
            .with(
                "canonical",
                Kind::Bytes,
                all(rows, |row| {
                    let canonical = row.record.canonical.as_ref();
                    canonical.map(|c| CanonicalDigest::as_bytes(c).as_slice())
                }),
            )
            .with(
                "size",
                Kind::Number,
                made(rows, |row| Ok(signed(row.record.identity.size)?))?,
            )
            .with("message_id", Kind::Text, all(rows, id))
            .with(
                "message_id_hash",
                Kind::Number,
                all(rows, move |row| id(row).as_deref().map(message_id_hash)),
            );
        message_facts(many, rows, self.fenced.now)
    }

    pub(super) fn add_participants<'w>(&'w self, writes: &mut Vec<Write<'w>>) {
        let people = self.messages.iter().flat_map(|message| {
            let first = message.no << 16;
            (first..)
                .zip(&message.record.participants)
                .map(move |(no, participant)| (no, message.no, participant))
        });
        let rows: Vec<_> = people.collect();
        if rows.is_empty() {
            return;
        }
        let scope = vec![self.fenced.scope; rows.len()];
        let names: Vec<_> = rows
            .iter()
            .map(|r| maybe_text(r.2.name.as_deref()))
            .collect();
        let addresses: Vec<_> = rows.iter().map(|row| text(&row.2.address)).collect();
        let roles: Vec<_> = rows.iter().map(|row| row.2.role.code()).collect();
        let own: Vec<i64> = rows.iter().map(|row| i64::from(row.2.own)).collect();
        let messages: Vec<i64> = rows.iter().map(|row| row.1).collect();
        let numbers: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let many = Many::default()
            .with("no", Kind::Number, Box::new(numbers))
            .with("scope", Kind::Number, Box::new(scope))
            .with("message_no", Kind::Number, Box::new(messages))
            .with("role", Kind::Text, Box::new(roles))
            .with("address", Kind::Text, Box::new(addresses))
            .with("name", Kind::Text, Box::new(names))
            .with("own", Kind::Number, Box::new(own));
        writes.push(many.insert("participant", ""));
    }
}

fn message_facts<'w>(many: Many<'w>, rows: &'w [NewMessage<'_>], now: i64) -> Done<Many<'w>> {
    Ok(many
        .with(
            "\"references\"",
            Kind::Json,
            made(rows, |row| Ok(json(&row.record.references)?))?,
        )
        .with(
            "subject",
            Kind::Text,
            all(rows, |row| text(&row.record.subject)),
        )
        .with(
            "sent",
            Kind::Number,
            all(rows, |row| maybe_micros(row.record.sent)),
        )
        .with(
            "received",
            Kind::Number,
            all(rows, |row| maybe_micros(row.record.received)),
        )
        .with(
            "sensitivity",
            Kind::Text,
            all(rows, |row| row.record.sensitivity.code()),
        )
        .with(
            "class",
            Kind::Text,
            all(rows, |row| row.record.class.code()),
        )
        .with(
            "authenticity",
            Kind::Text,
            all(rows, |row| row.record.authenticity.code()),
        )
        .with(
            "flags",
            Kind::Json,
            made(rows, |row| Ok(json(&row.record.flags)?))?,
        )
        .with(
            "web_link",
            Kind::Text,
            all(rows, |row| maybe_text(row.record.web_link.as_deref())),
        )
        .with("index_state", Kind::Text, all(rows, |row| row.index_state))
        .with("logged_at", Kind::Number, each(rows, now)))
}
