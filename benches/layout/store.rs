//! A store of one layout: its schema, its pragmas, and how an original is read back.
//! Does not know what is measured.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};

use crate::Outcome;
use crate::case::Case;

pub(crate) fn schema(case: &Case) -> String {
    let ids = case.text("keys", "timed");
    let keys = if ids == "without" {
        "WITHOUT ROWID"
    } else {
        ""
    };
    let digest = if ids == "timed" {
        "sent, digest"
    } else {
        "digest"
    };
    let salesperson = if case.is("salesperson", "no") {
        ""
    } else {
        "CREATE INDEX entry_by_salesperson ON entry (scope, salesperson, sent);"
    };
    let body = if case.is("place", "row") {
        ", bytes BLOB"
    } else {
        ""
    };
    let blobs = if case.is("place", "attached") {
        "blobs."
    } else {
        ""
    };
    format!(
        "CREATE TABLE lease (mailbox BLOB PRIMARY KEY, epoch INTEGER, until INTEGER) {keys};
         INSERT INTO lease VALUES (x'00', 1, 0);
         CREATE TABLE sighting (scope INTEGER, mailbox BLOB, stable_key TEXT, message INTEGER,
             seen INTEGER, PRIMARY KEY (scope, mailbox, stable_key)) {keys};
         CREATE TABLE message (no INTEGER PRIMARY KEY, scope INTEGER, id BLOB, digest BLOB,
             id_hash BLOB, sent INTEGER, sender TEXT, subject TEXT{body},
             UNIQUE (scope, {digest}));
         CREATE INDEX message_by_id_hash ON message (scope, id_hash);
         CREATE TABLE entry (id BLOB PRIMARY KEY, scope INTEGER, message INTEGER, contact TEXT,
             salesperson TEXT, flow TEXT, sent INTEGER, subject TEXT) {keys};
         CREATE INDEX entry_by_contact ON entry (scope, contact, sent);
         {salesperson}
         CREATE TABLE decision (message INTEGER PRIMARY KEY, outcome TEXT, steps TEXT);
         CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, scope INTEGER, kind TEXT,
             message INTEGER, at INTEGER);
         CREATE TABLE pending_move (scope INTEGER, message INTEGER, item TEXT, attempts INTEGER,
             PRIMARY KEY (scope, message)) {keys};
         CREATE TABLE segment (message INTEGER PRIMARY KEY, at INTEGER, length INTEGER);
         CREATE TABLE {blobs}original (message INTEGER PRIMARY KEY, bytes BLOB);
         CREATE TABLE {blobs}chunk (no INTEGER PRIMARY KEY, original INTEGER, seq INTEGER,
             bytes BLOB, UNIQUE (original, seq));"
    )
}

pub(crate) fn pragmas(case: &Case, schema: &str, page: i64) -> String {
    let mode = case.text("mode", "wal");
    let secure = case.text("secure", "on");
    let vacuum = case.text("vacuum", "incremental");
    let limit = case.number("wal_mib", 32) << 20;
    let checkpoint = limit / page;
    let cache = case.number("cache_mib", 8) << 10;
    let mmap = case.number("mmap_mib", 0) << 20;
    let locking = if case.is("exclusive", "yes") {
        "exclusive"
    } else {
        "normal"
    };
    format!(
        "PRAGMA {schema}.page_size={page}; PRAGMA {schema}.auto_vacuum={vacuum};
         PRAGMA {schema}.locking_mode={locking}; PRAGMA {schema}.journal_mode={mode};
         PRAGMA {schema}.synchronous=full; PRAGMA wal_autocheckpoint={checkpoint};
         PRAGMA {schema}.journal_size_limit={limit}; PRAGMA {schema}.cache_size=-{cache};
         PRAGMA {schema}.secure_delete={secure}; PRAGMA {schema}.mmap_size={mmap};
         PRAGMA temp_store=memory;"
    )
}

/// The store under test: one connection and, for one layout, an append-only file.
pub(crate) struct Store {
    pub(crate) db: Connection,
    pub(crate) path: PathBuf,
    pub(crate) segment: Option<(File, i64)>,
}

impl Store {
    pub(crate) fn open(case: &Case, folder: &Path) -> Outcome<Self> {
        let path = folder.join("log.db");
        let db = Connection::open(&path)?;
        if case.is("reader", "yes") {
            db.busy_timeout(Duration::ZERO)?;
        }
        let statements = if case.is("cached", "no") { 0 } else { 32 };
        db.set_prepared_statement_cache_capacity(statements);
        db.execute_batch(&pragmas(case, "main", case.number("page", 16384)))?;
        if case.is("place", "attached") {
            db.execute(
                "ATTACH ?1 AS blobs",
                [folder.join("blobs.db").to_string_lossy()],
            )?;
            db.execute_batch(&pragmas(case, "blobs", case.number("blob_page", 65536)))?;
        }
        let segment = if case.is("place", "segment") {
            let options = File::options().read(true).append(true).create(true).clone();
            let file = options.open(folder.join("log.segment"))?;
            let at = i64::try_from(file.metadata()?.len())?;
            Some((file, at))
        } else {
            None
        };
        Ok(Self { db, path, segment })
    }

    pub(crate) fn side(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    pub(crate) fn side_length(&self) -> u64 {
        length(&self.side("-wal")).max(length(&self.side("-journal")))
    }

    pub(crate) fn total_length(&self) -> u64 {
        let blobs = length(&self.path.with_file_name("blobs.db"));
        length(&self.path) + blobs + length(&self.path.with_extension("segment"))
    }
}

pub(crate) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Reads one original back and answers its length.
pub(crate) fn read_back(case: &Case, store: &mut Store, message: i64) -> Outcome<usize> {
    let sql = match case.text("place", "table") {
        "segment" => return read_segment(store, message),
        "row" => "SELECT bytes FROM message WHERE no=?1",
        "chunk" => "SELECT bytes FROM chunk WHERE original=?1 AND seq=0",
        "packed" => "SELECT bytes FROM original WHERE message=?1<<12",
        "attached" => "SELECT bytes FROM blobs.original WHERE message=?1",
        _ => "SELECT bytes FROM original WHERE message=?1",
    };
    let body = store
        .db
        .prepare_cached(sql)?
        .query_row([message], |row| row.get::<_, Vec<u8>>(0))
        .optional()?
        .unwrap_or_default();
    let right = body.starts_with(&message.to_le_bytes());
    Ok(if right { body.len() } else { 0 })
}

pub(crate) fn read_segment(store: &mut Store, message: i64) -> Outcome<usize> {
    let found = store
        .db
        .prepare_cached("SELECT at, length FROM segment WHERE message=?1")?
        .query_row([message], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let (Some((at, length)), Some((file, _))) = (found, &mut store.segment) else {
        return Ok(0);
    };
    let mut body = vec![0; usize::try_from(length)?];
    file.seek(SeekFrom::Start(at.try_into()?))?;
    file.read_exact(&mut body)?;
    let right = body.starts_with(&message.to_le_bytes());
    Ok(if right { body.len() } else { 0 })
}
