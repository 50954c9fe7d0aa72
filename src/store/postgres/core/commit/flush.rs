//! The changes of a batch as statements: one per table, sent without waiting for the one before.

use std::borrow::Cow;

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::super::many::{Kind, Many};
use super::super::sightings::{Found, Planned};
use super::changes::{Changes, NewMessage};
use crate::ids::ContactNo;
use crate::interaction::NewEntry;
use crate::message::CanonicalDigest;
use crate::store::MESSAGE_ID_CONFLICT;
use crate::store::postgres::core::original::PIECES;
use crate::store::postgres::core::words;
use crate::store::postgres::fault::Done;
use crate::store::postgres::options::PIECE_BYTES;
use crate::store::postgres::pool::{Tx, Value, Write};
use crate::store::postgres::values::uuid;
use crate::store::rows::{json, maybe_micros, maybe_text, message_id_hash, micros, signed, text};

/// The values of one column.
fn all<'a, R, T, F>(rows: &'a [R], value: F) -> Value<'a>
where
    T: ToSql + Sync + Send + 'a,
    F: Fn(&'a R) -> T,
{
    Box::new(rows.iter().map(value).collect::<Vec<T>>())
}

/// The same value for each row.
fn each<'a, R>(rows: &[R], value: i64) -> Value<'a> {
    Box::new(vec![value; rows.len()])
}

/// The values of a column that has to be made first.
fn made<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> Done<T>) -> Done<Value<'a>>
where
    T: ToSql + Sync + Send + 'a,
{
    Ok(Box::new(rows.iter().map(value).collect::<Done<Vec<T>>>()?))
}

impl Changes<'_> {
    /// Writes everything.
    pub(super) async fn flush(self, tx: &Tx) -> Done<()> {
        let changed = self.changed_sightings();
        let moves = self.changed_moves();
        let gone = self.gone_moves();
        let pieces = self.pieces();
        let mut writes = Vec::new();
        self.add_messages(&mut writes)?;
        self.add_participants(&mut writes);
        self.add_originals(&mut writes, &pieces)?;
        self.add_sightings(&mut writes, &changed);
        self.add_decisions(&mut writes)?;
        self.add_moves(&mut writes, &moves, &gone);
        self.add_entries_written(&mut writes)?;
        self.add_events(&mut writes);
        writes.extend(words::write(self.kept, &self.words));
        self.add_counters(&mut writes);
        tx.pipeline(&writes).await
    }

    fn add_messages<'w>(&'w self, writes: &mut Vec<Write<'w>>) -> Done<()> {
        let rows = &self.messages;
        if !rows.is_empty() {
            let many = self.message_columns(rows)?;
            // Under the lock of the scope nobody else can have written one of these.
            writes.push(many.insert("message", ""));
        }
        for (no, canonical) in &self.canonicals {
            let sql = "UPDATE message SET canonical = $2 WHERE no = $1 AND canonical IS NULL";
            let canonical = canonical.as_bytes().as_slice();
            writes.push(Write::new(sql, vec![Box::new(*no), Box::new(canonical)]));
        }
        for (no, identity) in &self.completed {
            let sql = "UPDATE message SET index_state = 'waiting', original_digest = $2, size = $3
                WHERE no = $1 AND index_state = 'none'";
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

    fn add_participants<'w>(&'w self, writes: &mut Vec<Write<'w>>) {
        let named = self.messages.iter().flat_map(|message| {
            let first = message.no << 16;
            (first..)
                .zip(&message.record.participants)
                .map(move |(no, participant)| (no, message.no, participant))
        });
        let rows: Vec<_> = named.collect();
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
        let messages: Vec<i64> = rows.iter().map(|row| row.1).collect();
        let numbers: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let many = Many::default()
            .with("no", Kind::Number, Box::new(numbers))
            .with("scope", Kind::Number, Box::new(scope))
            .with("message_no", Kind::Number, Box::new(messages))
            .with("role", Kind::Text, Box::new(roles))
            .with("address", Kind::Text, Box::new(addresses))
            .with("name", Kind::Text, Box::new(names));
        writes.push(many.insert("participant", ""));
    }

    /// Id, offset and bytes of the pieces of the originals that come whole.
    fn pieces(&self) -> Vec<(i64, i64, &[u8])> {
        let pieces = self.originals.iter().flat_map(|original| {
            let chunks = (0_i64..).zip(original.bytes.chunks(PIECE_BYTES));
            chunks.map(|(index, piece)| {
                let bytes = i64::try_from(PIECE_BYTES).unwrap_or(i64::MAX);
                (original.no * PIECES + index, index * bytes, piece)
            })
        });
        pieces.collect()
    }

    fn add_originals<'w>(
        &'w self,
        writes: &mut Vec<Write<'w>>,
        pieces: &'w [(i64, i64, &'w [u8])],
    ) -> Done<()> {
        let rows = &self.originals;
        let count = |count: usize| -> Done<i64> { Ok(signed(count as u64)?) };
        if !rows.is_empty() {
            let many = Many::default()
                .with("no", Kind::Number, all(rows, |row| row.no))
                .with("scope", Kind::Number, each(rows, self.fenced.scope))
                .with("message_no", Kind::Number, all(rows, |row| row.message_no))
                .with(
                    "size",
                    Kind::Number,
                    made(rows, |row| count(row.bytes.len()))?,
                )
                .with(
                    "pieces",
                    Kind::Number,
                    made(rows, |row| count(row.bytes.len().div_ceil(PIECE_BYTES)))?,
                )
                .with(
                    "digest",
                    Kind::Bytes,
                    all(rows, |row| row.digest.as_bytes().as_slice()),
                );
            writes.push(many.insert("original", ""));
        }
        if !pieces.is_empty() {
            let many = Many::default()
                .with("id", Kind::Number, all(pieces, |piece| piece.0))
                .with("start", Kind::Number, all(pieces, |piece| piece.1))
                .with(
                    "size",
                    Kind::Number,
                    made(pieces, |piece| count(piece.2.len()))?,
                )
                .with("bytes", Kind::Bytes, all(pieces, |piece| piece.2));
            writes.push(many.insert("original_chunk", ""));
        }
        for (stage, message_no, digest) in &self.linked {
            let sql =
                "UPDATE original SET message_no = $3, digest = $4, stage = NULL, mailbox = NULL
                WHERE mailbox = $1 AND stage = $2";
            let values: Vec<Value<'_>> = vec![
                Box::new(self.fenced.mailbox),
                Box::new(uuid(stage.as_bytes())),
                Box::new(*message_no),
                Box::new(digest.as_bytes().as_slice()),
            ];
            writes.push(Write::new(sql, values));
        }
        Ok(())
    }

    fn changed_sightings(&self) -> Vec<(&[u8], &Found)> {
        let changed = self.state.sightings.iter();
        let changed = changed.filter(|(key, found)| self.before.get(*key) != Some(*found));
        changed
            .map(|(key, found)| (key.as_slice(), found))
            .collect()
    }

    fn add_sightings<'w>(&self, writes: &mut Vec<Write<'w>>, rows: &'w [(&'w [u8], &'w Found)]) {
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
                all(rows, |row| row.1.disposition.map(|place| place.code())),
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
    fn add_decisions<'w>(&'w self, writes: &mut Vec<Write<'w>>) -> Done<()> {
        if self.decisions.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = self.decisions.iter().collect();
        let column = |value: fn(&'w super::changes::NewDecision<'w>) -> Cow<'w, str>| {
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
    fn changed_moves(&self) -> Vec<(i64, &str, &Planned)> {
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

    fn gone_moves(&self) -> Vec<(i64, &str)> {
        let mut gone = Vec::new();
        for (key, before) in &self.before {
            let now = self.state.sightings.get(key).map(|found| &found.moves);
            let left = |item: &&String| !now.is_some_and(|now| now.contains_key(*item));
            let items = before.moves.keys().filter(left);
            gone.extend(items.map(|item| (before.no, item.as_str())));
        }
        gone
    }

    fn add_moves<'w>(
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

    fn add_events<'w>(&'w self, writes: &mut Vec<Write<'w>>) {
        let rows = &self.events;
        if rows.is_empty() {
            return;
        }
        let many = Many::default()
            .with("scope", Kind::Number, each(rows, self.fenced.scope))
            .with("number", Kind::Number, all(rows, |row| row.number))
            .with("id", Kind::Id, all(rows, |row| uuid(&row.id)))
            .with("at", Kind::Number, each(rows, self.fenced.now))
            .with("mailbox", Kind::Number, each(rows, self.fenced.mailbox))
            .with("kind", Kind::Text, all(rows, |row| row.kind.code()))
            .with("message_no", Kind::Number, all(rows, |row| row.message_no))
            .with(
                "entries",
                Kind::Bytes,
                all(rows, |row| row.entries.as_slice()),
            )
            .with("reason", Kind::Text, all(rows, |row| text(&row.reason)));
        writes.push(many.insert("event", ""));
    }

    fn add_counters(&self, writes: &mut Vec<Write<'_>>) {
        if !self.delivered.is_empty() {
            let ids: Vec<Uuid> = self
                .delivered
                .iter()
                .map(|d| uuid(d.entry.as_bytes()))
                .collect();
            let said = self.delivered.iter().map(|d| d.reference.as_deref());
            let said: Vec<_> = said
                .map(|said| maybe_text(said).map(Cow::into_owned))
                .collect();
            let many = Many::default()
                .with(
                    "owner",
                    Kind::Number,
                    each(&self.delivered, self.fenced.scope),
                )
                .with("entry_id", Kind::Id, Box::new(ids))
                .with("reference", Kind::Text, Box::new(said));
            let set = "entry SET delivery = 'done',
                host_reference = coalesce(r.reference, host_reference)";
            writes.push(many.update(set, "scope = r.owner AND id = r.entry_id"));
        }
        if !self.entries.is_empty() || !self.events.is_empty() {
            let sql = "UPDATE scope SET last_entry_no = $2, last_event_no = $3 WHERE id = $1";
            let values: Vec<Value<'_>> = vec![
                Box::new(self.fenced.scope),
                Box::new(self.state.entry_no),
                Box::new(self.state.event_no),
            ];
            writes.push(Write::new(sql, values));
        }
    }

    fn add_entries_written<'w>(&'w self, writes: &mut Vec<Write<'w>>) -> Done<()> {
        let rows = &self.entries;
        if rows.is_empty() {
            return Ok(());
        }
        let many = Many::default()
            .with("scope", Kind::Number, each(rows, self.fenced.scope))
            .with("entry_no", Kind::Number, all(rows, |row| row.entry_no))
            .with("message_no", Kind::Number, all(rows, |row| row.message_no))
            .with("delivery", Kind::Text, all(rows, |row| row.delivery))
            .with("logged_at", Kind::Number, each(rows, self.fenced.now));
        let entries: Vec<_> = rows.iter().map(|row| row.entry).collect();
        let many = entry_parties(many, &entries);
        let many = entry_facts(many, &entries)?;
        writes.push(many.insert("entry", ""));
        Ok(())
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

/// The values of one column of entries.
fn of<'w, T>(entries: &[&'w NewEntry], value: impl Fn(&'w NewEntry) -> T) -> Value<'w>
where
    T: ToSql + Sync + Send + 'w,
{
    Box::new(entries.iter().map(|entry| value(entry)).collect::<Vec<T>>())
}

fn entry_parties<'w>(many: Many<'w>, entries: &[&'w NewEntry]) -> Many<'w> {
    let company = |e: &'w NewEntry| e.contact_company_no.as_ref().map(ContactNo::as_str);
    many.with("id", Kind::Id, of(entries, |e| uuid(e.id.as_bytes())))
        .with(
            "contact_no",
            Kind::Text,
            of(entries, |e| text(e.contact_no.as_str())),
        )
        .with(
            "contact_company_no",
            Kind::Text,
            of(entries, |e| maybe_text(company(e))),
        )
        .with(
            "contact_alt_address_code",
            Kind::Text,
            of(entries, |e| {
                maybe_text(e.contact_alt_address_code.as_deref())
            }),
        )
        .with(
            "contact_name",
            Kind::Text,
            of(entries, |e| text(&e.contact_name)),
        )
        .with(
            "salesperson_code",
            Kind::Text,
            of(entries, |e| text(e.salesperson_code.as_str())),
        )
        .with(
            "salesperson_name",
            Kind::Text,
            of(entries, |e| text(&e.salesperson_name)),
        )
}

fn entry_facts<'w>(many: Many<'w>, entries: &[&'w NewEntry]) -> Done<Many<'w>> {
    let flags: Done<Vec<_>> = entries.iter().map(|e| Ok(json(&e.flags)?)).collect();
    let fields: Done<Vec<_>> = entries.iter().map(|e| Ok(json(&e.fields)?)).collect();
    Ok(many
        .with(
            "information_flow",
            Kind::Text,
            of(entries, |e| e.information_flow.code()),
        )
        .with(
            "initiated_by",
            Kind::Text,
            of(entries, |e| e.initiated_by.code()),
        )
        .with("date", Kind::Number, of(entries, |e| micros(e.date)))
        .with(
            "description",
            Kind::Text,
            of(entries, |e| text(&e.description)),
        )
        .with(
            "interaction_template_code",
            Kind::Text,
            of(entries, |e| text(&e.interaction_template_code)),
        )
        .with(
            "interaction_group_code",
            Kind::Text,
            of(entries, |e| text(&e.interaction_group_code)),
        )
        .with(
            "interaction_language_code",
            Kind::Text,
            of(entries, |e| {
                maybe_text(e.interaction_language_code.as_deref())
            }),
        )
        .with("cost", Kind::Float, of(entries, |e| e.cost))
        .with("duration_min", Kind::Float, of(entries, |e| e.duration_min))
        .with(
            "campaign_no",
            Kind::Text,
            of(entries, |e| maybe_text(e.campaign_no.as_deref())),
        )
        .with(
            "occurrence",
            Kind::Number,
            of(entries, |e| i64::from(e.occurrence)),
        )
        .with("flags", Kind::Json, Box::new(flags?))
        .with("fields", Kind::Json, Box::new(fields?)))
}
