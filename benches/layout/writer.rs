//! The writer: one batch of messages, one transaction. Does not know what is measured.

use std::io::Write as _;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, MAIN_DB, params};

use crate::Outcome;
use crate::case::Case;
use crate::store::Store;

/// Present in every body, so that a scan of the files tells whether an erased mail is gone.
pub(crate) const MARKER: &[u8] = b"erase-this-original-";
const CHUNK: usize = 256 * 1024;

const MESSAGE: &str = "INSERT INTO message (no, scope, id, digest, id_hash, sent, sender, subject)
    VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
const SIGHTING: &str = "INSERT INTO sighting VALUES (1, ?1, ?2, ?3, ?3) ON CONFLICT DO NOTHING";
const ENTRY: &str = "INSERT INTO entry VALUES (?1, 1, ?2, ?3, ?4, 'inbound', ?2, ?5)
    ON CONFLICT DO NOTHING";
const DECISION: &str = "INSERT INTO decision VALUES (?1, 'logged', ?2)";
const EVENT: &str = "INSERT INTO event (scope, kind, message, at) VALUES (1, 'logged', ?1, ?1)";
const PENDING: &str = "INSERT INTO pending_move VALUES (1, ?1, ?2, 0)";
const MOVED: &str = "DELETE FROM pending_move WHERE scope=1 AND message>=?1 AND message<?2";
const FENCE: &str = "UPDATE lease SET until=?1 WHERE mailbox=x'00' AND epoch=1";

/// SplitMix64: the same keys and bodies in every case and on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: i64) -> i64 {
        (self.next() >> 1).cast_signed() % limit.max(1)
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for part in out.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes()[..part.len()]);
        }
        out
    }

    pub(crate) fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..length)
            .map(|_| char::from(ALPHABET[(self.next() & 63) as usize]))
            .collect()
    }
}

/// Bodies made before the clock starts; each message differs in its first bytes.
pub(crate) struct Bodies(Vec<Vec<u8>>);

impl Bodies {
    pub(crate) fn new(size: usize, random: &mut Random) -> Self {
        let body = |_| {
            let mut body = random.text(size).into_bytes();
            for part in body.chunks_exact_mut(3000) {
                part[64..64 + MARKER.len()].copy_from_slice(MARKER);
            }
            body
        };
        Self((0..64).map(body).collect())
    }

    pub(crate) fn body(&mut self, message: i64) -> &[u8] {
        let slot = usize::try_from(message).unwrap_or_default() % self.0.len();
        let body = &mut self.0[slot];
        body[..8].copy_from_slice(&message.to_le_bytes());
        body
    }
}

pub(crate) struct Writer<'a> {
    pub(crate) case: &'a Case,
    pub(crate) store: Store,
    pub(crate) random: Random,
    pub(crate) bodies: Bodies,
    pub(crate) filler: String,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(case: &'a Case, store: Store) -> Outcome<Self> {
        let mut random = Random(7);
        let size = usize::try_from(case.number("size", 30_000))?;
        let bodies = Bodies::new(size, &mut random);
        let filler = random.text(1024);
        Ok(Self {
            case,
            store,
            random,
            bodies,
            filler,
        })
    }

    /// One batch, one transaction, ending durable. `bodies` is false while the store is grown.
    pub(crate) fn commit(&mut self, first: i64, count: i64, bodies: bool) -> Outcome<u64> {
        self.store.db.execute_batch("BEGIN IMMEDIATE")?;
        self.store.db.prepare_cached(FENCE)?.execute([first])?;
        self.store
            .db
            .prepare_cached(MOVED)?
            .execute([first - count, first])?;
        for message in first..first + count {
            self.rows(message, bodies)?;
            if bodies {
                self.original(message)?;
            }
        }
        if let Some((file, _)) = &self.store.segment {
            file.sync_data()?;
        }
        self.finish()
    }

    /// Commits, waiting for readers as a busy handler would; answers how often it was refused.
    pub(crate) fn finish(&self) -> Outcome<u64> {
        let mut refused = 0;
        loop {
            match self.store.db.execute_batch("COMMIT") {
                Ok(()) => return Ok(refused),
                Err(rusqlite::Error::SqliteFailure(failure, _))
                    if failure.code == ErrorCode::DatabaseBusy =>
                {
                    refused += 1;
                    std::thread::sleep(Duration::from_micros(200));
                }
                Err(other) => return Err(other.into()),
            }
        }
    }

    pub(crate) fn rows(&mut self, message: i64, pending: bool) -> Outcome<()> {
        let timed = self.case.text("keys", "timed") == "timed";
        let (db, random) = (&self.store.db, &mut self.random);
        let (subject, sender) = (&self.filler[..220], &self.filler[300..380]);
        let (id, digest, id_hash) = (
            random.bytes::<16>(),
            random.bytes::<32>(),
            random.bytes::<8>(),
        );
        db.prepare_cached(MESSAGE)?.execute(params![
            message, id, digest, id_hash, message, sender, subject
        ])?;
        let key = random.bytes::<16>();
        let mut sighting = db.prepare_cached(SIGHTING)?;
        if timed {
            sighting.execute(params![1, key, message])?;
        } else {
            let text = format!("{:032x}", u128::from_le_bytes(key));
            sighting.execute(params![[1u8; 16], text, message])?;
        }
        for _ in 0..=usize::from(random.below(10) < 3) {
            let mut id = random.bytes::<16>();
            if timed {
                id[..8].copy_from_slice(&(message + (1 << 40)).to_be_bytes());
            }
            let contact = format!("CT{:06}", random.below(10_000));
            let salesperson = format!("SP{:03}", random.below(200));
            db.prepare_cached(ENTRY)?.execute(params![
                id,
                message,
                contact,
                salesperson,
                &subject[..50]
            ])?;
        }
        db.prepare_cached(DECISION)?
            .execute(params![message, &self.filler[400..800]])?;
        db.prepare_cached(EVENT)?.execute([message])?;
        if pending {
            db.prepare_cached(PENDING)?
                .execute(params![message, &self.filler[..150]])?;
        }
        Ok(())
    }

    pub(crate) fn original(&mut self, message: i64) -> Outcome<()> {
        let body = self.bodies.body(message);
        let db = &self.store.db;
        match self.case.text("place", "table") {
            "segment" => return self.append(message),
            "row" => db
                .prepare_cached("UPDATE message SET bytes=?2 WHERE no=?1")?
                .execute(params![message, body])?,
            "chunk" => chunks(db, message, body)?,
            "packed" => packed(db, message, body)?,
            "attached" => db
                .prepare_cached("INSERT INTO blobs.original VALUES (?1, ?2)")?
                .execute(params![message, body])?,
            _ if self.case.is("write", "blob") => incremental(db, message, body)?,
            _ => db
                .prepare_cached("INSERT INTO original VALUES (?1, ?2)")?
                .execute(params![message, body])?,
        };
        Ok(())
    }

    /// A frame: length, BLAKE3, bytes. The row is the index into the file.
    pub(crate) fn append(&mut self, message: i64) -> Outcome<()> {
        let body = self.bodies.body(message);
        let Some((file, at)) = &mut self.store.segment else {
            return Ok(());
        };
        let mut head = body.len().to_le_bytes().to_vec();
        head.extend_from_slice(blake3::hash(body).as_bytes());
        file.write_all(&head)?;
        file.write_all(body)?;
        self.store
            .db
            .prepare_cached("INSERT INTO segment VALUES (?1, ?2, ?3)")?
            .execute([
                message,
                *at + i64::try_from(head.len())?,
                i64::try_from(body.len())?,
            ])?;
        *at += i64::try_from(head.len() + body.len())?;
        Ok(())
    }
}

pub(crate) fn chunks(db: &Connection, message: i64, body: &[u8]) -> Outcome<usize> {
    for (seq, part) in body.chunks(CHUNK).enumerate() {
        db.prepare_cached("INSERT INTO chunk (original, seq, bytes) VALUES (?1, ?2, ?3)")?
            .execute(params![message, i64::try_from(seq)?, part])?;
    }
    Ok(1)
}

/// The chunk's number holds the message's, so that no second index is needed.
pub(crate) fn packed(db: &Connection, message: i64, body: &[u8]) -> Outcome<usize> {
    for (seq, part) in body.chunks(CHUNK).enumerate() {
        db.prepare_cached("INSERT INTO original VALUES (?1, ?2)")?
            .execute(params![(message << 12) | i64::try_from(seq)?, part])?;
    }
    Ok(1)
}

/// Reserves the row and writes into its pages: two copies of the body fewer than binding it.
pub(crate) fn incremental(db: &Connection, message: i64, body: &[u8]) -> Outcome<usize> {
    db.prepare_cached("INSERT INTO original VALUES (?1, zeroblob(?2))")?
        .execute(params![message, i64::try_from(body.len())?])?;
    let mut blob = db.blob_open(MAIN_DB, "original", "bytes", message, false)?;
    blob.write_all(body)?;
    Ok(1)
}
