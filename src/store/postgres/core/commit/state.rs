//! What is stored of everything that a batch touches, read under the lock of its scope.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio_postgres::Row;

use super::super::lease::Fenced;
use super::super::sightings::{self, Found};
use crate::ids::{EntryId, MessageUid, StageId};
use crate::interaction::NewEntry;
use crate::privacy::tombstone::{Tombstone, TombstoneKey, bars};
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, digest, id, maybe_digest, uuid};
use crate::store::rows::{key_bytes, message_id_hash, text};
use crate::store::{CommitRow, DecidedRow, MessageRecord, MoveResult, Original, RowContent};

/// What is there, kept up to date while the rows are worked out.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) sightings: BTreeMap<Vec<u8>, Found>,
    pub(super) messages: BTreeMap<MessageUid, StoredMessage>,
    /// The messages with a Message-ID, oldest first.
    pub(super) by_message_id: BTreeMap<String, Vec<MessageUid>>,
    pub(super) entry_ids: BTreeSet<EntryId>,
    /// Entries of these messages that a person deleted.
    pub(super) deleted: BTreeSet<EntryId>,
    pub(super) entries: BTreeSet<EntryKey>,
    pub(super) stages: BTreeMap<StageId, i64>,
    pub(super) entry_no: i64,
    pub(super) event_no: i64,
    /// The key of the scope's tombstones, if it has any.
    key: Option<TombstoneKey>,
    /// The tombstones that rows could be barred by.
    tombstones: BTreeSet<Tombstone>,
    /// The messages that a person marked private.
    pub(super) private: BTreeSet<i64>,
    free: Numbers,
}

/// A message as far as a commit needs it.
#[derive(Debug, Clone)]
pub(super) struct StoredMessage {
    pub(super) no: i64,
    pub(super) canonical: bool,
    pub(super) has_original: bool,
}

/// What makes an entry one of its kind.
pub(super) type EntryKey = (i64, String, String, &'static str, i64);

/// The key of an entry of a message.
pub(super) fn entry_key(message_no: i64, entry: &NewEntry) -> EntryKey {
    (
        message_no,
        text(entry.contact_no.as_str()).into_owned(),
        text(entry.salesperson_code.as_str()).into_owned(),
        entry.information_flow.code(),
        i64::from(entry.occurrence),
    )
}

/// Numbers that nobody has yet; each is given once.
#[derive(Debug, Default)]
struct Numbers {
    messages: VecDeque<i64>,
    originals: VecDeque<i64>,
    sightings: VecDeque<i64>,
}

const NO_NUMBER: Fault = Fault::Damaged("the numbers of a batch");

impl State {
    /// What the results of moves touch.
    pub(super) async fn of_moves(tx: &Tx, fenced: Fenced, moves: &[MoveResult]) -> Done<Self> {
        let mut state = Self::default();
        state.count(tx, fenced).await?;
        let keys: BTreeSet<Vec<u8>> = moves.iter().map(|moved| key_bytes(&moved.key)).collect();
        let keys: Vec<Vec<u8>> = keys.into_iter().collect();
        state.sightings = sightings::load(tx, fenced.mailbox, &keys).await?;
        Ok(state)
    }

    /// What rows touch.
    pub(super) async fn of_rows(tx: &Tx, fenced: Fenced, rows: &[&CommitRow]) -> Done<Self> {
        let mut state = Self::default();
        state.count(tx, fenced).await?;
        state.free = numbers(tx, rows.len()).await?;
        let keys: BTreeSet<Vec<u8>> = rows
            .iter()
            .map(|row| key_bytes(&row.sighting.key))
            .collect();
        let keys: Vec<Vec<u8>> = keys.into_iter().collect();
        state.sightings = sightings::load(tx, fenced.mailbox, &keys).await?;
        let decided: Vec<&DecidedRow> = rows.iter().filter_map(|row| decided(row)).collect();
        state.load_messages(tx, fenced.scope, &decided).await?;
        state.load_tombstones(tx, fenced.scope, &decided).await?;
        state.load_entries(tx, fenced.scope, &decided).await?;
        state.load_stages(tx, fenced.mailbox, &decided).await?;
        Ok(state)
    }

    pub(super) fn next_message(&mut self) -> Done<i64> {
        self.free.messages.pop_front().ok_or(NO_NUMBER)
    }

    pub(super) fn next_original(&mut self) -> Done<i64> {
        self.free.originals.pop_front().ok_or(NO_NUMBER)
    }

    pub(super) fn next_sighting(&mut self) -> Done<i64> {
        self.free.sightings.pop_front().ok_or(NO_NUMBER)
    }

    async fn count(&mut self, tx: &Tx, fenced: Fenced) -> Done<()> {
        let find = "SELECT last_entry_no, last_event_no, tombstone_key FROM scope WHERE id = $1";
        let row = tx.row(find, &[&fenced.scope]).await?;
        let row = row.ok_or(Fault::Damaged("a scope"))?;
        self.entry_no = column(&row, "last_entry_no")?;
        self.event_no = column(&row, "last_event_no")?;
        self.key = maybe_digest(&row, "tombstone_key")?.map(TombstoneKey::from_bytes);
        Ok(())
    }

    async fn load_messages(&mut self, tx: &Tx, scope: i64, rows: &[&DecidedRow]) -> Done<()> {
        let uids: Vec<_> = rows
            .iter()
            .map(|row| uuid(row.message.as_bytes()))
            .collect();
        let ids = rows
            .iter()
            .filter_map(|row| row.record.as_ref()?.message_id.as_deref());
        let ids: Vec<_> = ids.map(text).collect();
        let hashes: Vec<i64> = ids.iter().map(|id| message_id_hash(id)).collect();
        let list = "SELECT m.no, m.uid, m.message_id, m.canonical IS NOT NULL AS canonical,
                o.no IS NOT NULL AS has_original
            FROM message m LEFT JOIN original o ON o.scope = m.scope AND o.message_no = m.no
            WHERE m.scope = $1 AND m.no IN (
                SELECT no FROM message WHERE scope = $1 AND uid = ANY($2)
                UNION SELECT no FROM message WHERE scope = $1 AND message_id_hash = ANY($3)
                    AND message_id = ANY($4))
            ORDER BY m.no";
        for row in &tx.rows(list, &[&scope, &uids, &hashes, &ids]).await? {
            let uid = MessageUid::from_bytes(id(row, "uid")?);
            if let Some(id) = column(row, "message_id")? {
                self.by_message_id.entry(id).or_default().push(uid);
            }
            self.messages.insert(uid, stored(row)?);
        }
        Ok(())
    }

    /// Whether a tombstone bars the mail of a row.
    pub(super) fn is_barred(&self, row: &DecidedRow, record: &MessageRecord) -> bool {
        let bars = self.key.map(|key| bars(&key, &row.message, record));
        let mut bars = bars.into_iter().flatten();
        bars.any(|bar| self.tombstones.contains(&bar))
    }

    /// A scope without tombstones has no key, so nothing is looked up.
    async fn load_tombstones(&mut self, tx: &Tx, scope: i64, rows: &[&DecidedRow]) -> Done<()> {
        let Some(key) = self.key else {
            return Ok(());
        };
        let kept = rows
            .iter()
            .filter_map(|row| Some((row, row.record.as_ref()?)));
        let asked: BTreeSet<Tombstone> = kept
            .flat_map(|(row, record)| bars(&key, &row.message, record))
            .collect();
        let asked: Vec<Vec<u8>> = asked.iter().map(|bar| bar.to_vec()).collect();
        let list = "SELECT hash FROM tombstone WHERE scope = $1 AND hash = ANY($2)";
        for row in &tx.rows(list, &[&scope, &asked]).await? {
            self.tombstones.insert(digest(row, "hash")?);
        }
        Ok(())
    }

    async fn load_entries(&mut self, tx: &Tx, scope: i64, rows: &[&DecidedRow]) -> Done<()> {
        let entries = rows.iter().flat_map(|row| &row.entries);
        let ids: Vec<_> = entries.map(|entry| uuid(entry.id.as_bytes())).collect();
        let numbers = self.messages.values().map(|message| message.no);
        let numbers: Vec<i64> = numbers.collect();
        let list =
            "SELECT id, message_no, contact_no, salesperson_code, information_flow, occurrence
            FROM entry WHERE scope = $1 AND id = ANY($2)
            UNION SELECT id, message_no, contact_no, salesperson_code, information_flow, occurrence
            FROM entry WHERE message_no = ANY($3)";
        for row in &tx.rows(list, &[&scope, &ids, &numbers]).await? {
            self.entry_ids.insert(EntryId::from_bytes(id(row, "id")?));
            self.entries.insert(key_of(row)?);
        }
        if numbers.is_empty() {
            return Ok(());
        }
        let marked = "SELECT message_no FROM mail_mark
            WHERE message_no = ANY($1) AND kind = 'private'";
        for row in &tx.rows(marked, &[&numbers]).await? {
            self.private.insert(column(row, "message_no")?);
        }
        let gone = "SELECT id FROM deleted_entry WHERE message_no = ANY($1)";
        for row in &tx.rows(gone, &[&numbers]).await? {
            self.deleted.insert(EntryId::from_bytes(id(row, "id")?));
        }
        Ok(())
    }

    async fn load_stages(&mut self, tx: &Tx, mailbox: i64, rows: &[&DecidedRow]) -> Done<()> {
        let staged = rows.iter().filter_map(|row| match row.original {
            Original::Staged(stage) => Some(uuid(stage.as_bytes())),
            _ => None,
        });
        let staged: Vec<_> = staged.collect();
        if staged.is_empty() {
            return Ok(());
        }
        let list = "SELECT no, stage FROM original WHERE mailbox = $1 AND stage = ANY($2)";
        for row in &tx.rows(list, &[&mailbox, &staged]).await? {
            let stage = StageId::from_bytes(id(row, "stage")?);
            self.stages.insert(stage, column(row, "no")?);
        }
        Ok(())
    }
}

fn decided(row: &CommitRow) -> Option<&DecidedRow> {
    match &row.content {
        RowContent::Decided(decided) => Some(decided),
        _ => None,
    }
}

fn stored(row: &Row) -> Done<StoredMessage> {
    Ok(StoredMessage {
        no: column(row, "no")?,
        canonical: column(row, "canonical")?,
        has_original: column(row, "has_original")?,
    })
}

fn key_of(row: &Row) -> Done<EntryKey> {
    use crate::interaction::InformationFlow;
    let flow: &str = column(row, "information_flow")?;
    let flow = InformationFlow::from_code(flow).ok_or(Fault::Damaged("an unknown code"))?;
    Ok((
        column(row, "message_no")?,
        column(row, "contact_no")?,
        column(row, "salesperson_code")?,
        flow.code(),
        column(row, "occurrence")?,
    ))
}

/// Free numbers for this many mails.
async fn numbers(tx: &Tx, count: usize) -> Done<Numbers> {
    let take = "SELECT nextval('message_no') AS message, nextval('original_no') AS original,
            nextval('sighting_no') AS sighting
        FROM generate_series(1, $1::bigint)";
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut numbers = Numbers::default();
    for row in &tx.rows(take, &[&count]).await? {
        numbers.messages.push_back(column(row, "message")?);
        numbers.originals.push_back(column(row, "original")?);
        numbers.sightings.push_back(column(row, "sighting")?);
    }
    Ok(numbers)
}
