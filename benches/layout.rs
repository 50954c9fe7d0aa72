//! Where the SQLite store keeps the original mails: every candidate layout, measured side by side.
//!
//! Owns its own schema, shaped like the store's, and the cases that decide the store's pragmas.
//! Knows nothing of the crate: it stays valid when the store changes. Each case runs in a child
//! process, so that CPU, memory and I/O counters are its own; Linux only, as they come from /proc.
//!
//! `cargo bench --bench layout` runs all groups, `-- group=knobs` one of them, and
//! `-- case page=8192 grown=200000` one case made of the keys that `layout/store.rs` and
//! `layout/writer.rs` read. Any other key is added to every case: `syncs=yes` a second, shorter
//! run under strace that counts fsync and fdatasync by file, `keys=without` other keys.
//!
//! The CPU time is the writing thread's, from the first batch to the end of a last checkpoint.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::case::{Case, GROUPS};
use crate::store::{Store, length, read_back, schema};
use crate::writer::{MARKER, Random, Writer};

#[path = "layout/case.rs"]
mod case;
#[path = "layout/store.rs"]
mod store;
#[path = "layout/writer.rs"]
mod writer;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the counters of the calling thread and its process stood at.
struct Counters {
    cpu: Duration,
    wall: Instant,
    written: u64,
}

impl Counters {
    fn read() -> Outcome<Self> {
        let cpu = fs::read_to_string("/proc/thread-self/schedstat")?;
        let cpu = cpu.split(' ').next().unwrap_or_default().parse()?;
        let written = labelled("/proc/self/io", "write_bytes:")?;
        Ok(Self {
            cpu: Duration::from_nanos(cpu),
            wall: Instant::now(),
            written,
        })
    }
}

fn labelled(file: &str, label: &str) -> Outcome<u64> {
    let text = fs::read_to_string(file)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(label))
        .unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or("0").parse()?)
}

#[allow(clippy::cast_precision_loss, reason = "printed with one digit")]
fn micros(time: Duration, count: i64) -> f64 {
    time.as_secs_f64() * 1e6 / count.max(1) as f64
}

#[allow(clippy::cast_precision_loss, reason = "printed with one digit")]
fn ratio(value: u64, count: i64) -> f64 {
    value as f64 / count.max(1) as f64
}

/// What the reader beside the writer met.
#[derive(Default)]
struct Reads {
    stop: AtomicBool,
    done: AtomicU64,
    refused: AtomicU64,
}

/// Holds a snapshot for 5 ms at a time, as a slow page of a log view would, and never waits.
fn reader(path: &Path, reads: &Reads) {
    let read = |db: &Connection| -> rusqlite::Result<i64> {
        db.execute_batch("BEGIN")?;
        let count = db.query_row("SELECT count(*) FROM lease", [], |row| row.get(0))?;
        std::thread::sleep(Duration::from_millis(5));
        db.execute_batch("COMMIT")?;
        Ok(count)
    };
    let Ok(db) = Connection::open(path) else {
        return;
    };
    drop(db.busy_timeout(Duration::ZERO));
    while !reads.stop.load(Ordering::Relaxed) {
        if read(&db).is_ok() {
            reads.done.fetch_add(1, Ordering::Relaxed);
        } else {
            reads.refused.fetch_add(1, Ordering::Relaxed);
            // The transaction may be open still; an error here says that it is not.
            drop(db.execute_batch("ROLLBACK"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Rows of earlier messages, without their bodies: random keys then hit different pages.
fn grow(writer: &mut Writer<'_>, count: i64) -> Outcome<()> {
    writer.store.db.execute_batch("PRAGMA synchronous=off")?;
    let batch = 5_000;
    for first in (0..count).step_by(5_000) {
        writer.commit(first - count, batch, false)?;
    }
    let db = &writer.store.db;
    db.query_row("PRAGMA wal_checkpoint(truncate)", [], |_| Ok(()))?;
    db.execute_batch("PRAGMA synchronous=full")?;
    fs::File::open(&writer.store.path)?.sync_all()?;
    Ok(())
}

/// A sync that the strace log can be cut at.
fn mark(folder: &Path, name: &str) -> Outcome<()> {
    Ok(File::create(folder.join(name))?.sync_all()?)
}

fn checkpoint(db: &Connection) {
    for schema in ["main", "blobs"] {
        // A database in another journal mode, or one not attached, has nothing to check-point.
        let sql = format!("PRAGMA {schema}.wal_checkpoint(truncate)");
        drop(db.query_row(&sql, [], |_| Ok(())));
    }
}

/// Runs one case in this process and answers its figures as `name=value` words.
fn run(case: &Case, folder: &Path) -> Outcome<String> {
    if case.number("large", 0) > 0 {
        return large(case, folder);
    }
    let store = Store::open(case, folder)?;
    store.db.execute_batch(&schema(case))?;
    let mut writer = Writer::new(case, store)?;
    grow(&mut writer, case.number("grown", 0))?;
    let reads = Arc::new(Reads::default());
    let thread = case.is("reader", "yes").then(|| {
        let (path, reads) = (writer.store.path.clone(), Arc::clone(&reads));
        std::thread::spawn(move || reader(&path, &reads))
    });
    let figures = load(case, folder, &mut writer)?;
    reads.stop.store(true, Ordering::Relaxed);
    let seen = if let Some(thread) = thread {
        drop(thread.join());
        let (done, refused) = (
            reads.done.load(Ordering::Relaxed),
            reads.refused.load(Ordering::Relaxed),
        );
        format!("reads={done} reads_refused={refused}")
    } else {
        String::new()
    };
    let store = writer.store;
    let rest = if case.is("erase", "yes") {
        erase(&store)?
    } else {
        random_reads(case, store, folder)?
    };
    Ok(format!("{figures} {seen} {rest}"))
}

fn load(case: &Case, folder: &Path, writer: &mut Writer<'_>) -> Outcome<String> {
    let (messages, batch) = (case.number("messages", 5_000), case.number("batch", 50));
    let (mut peak, mut slowest, mut refused) = (0, Duration::ZERO, 0);
    mark(folder, "begin")?;
    let before = Counters::read()?;
    for first in (1..=messages).step_by(usize::try_from(batch)?) {
        let start = Instant::now();
        refused += writer.commit(first, batch, true)?;
        slowest = slowest.max(start.elapsed());
        peak = peak.max(writer.store.side_length());
    }
    mark(folder, "end")?;
    checkpoint(&writer.store.db);
    let after = Counters::read()?;
    Ok(format!(
        "cpu_us={:.1} wall_us={:.0} slowest_ms={:.1} written_kB={:.1} side_MB={:.1} \
         file_MB={:.1} commit_refused={refused}",
        micros(after.cpu.saturating_sub(before.cpu), messages),
        micros(after.wall - before.wall, messages),
        slowest.as_secs_f64() * 1e3,
        ratio((after.written - before.written) / 1000, messages),
        ratio(peak, 1_000_000),
        ratio(writer.store.total_length(), 1_000_000),
    ))
}

fn random_reads(case: &Case, store: Store, folder: &Path) -> Outcome<String> {
    drop(store);
    let mut store = Store::open(case, folder)?;
    let (messages, size) = (case.number("messages", 5_000), case.number("size", 30_000));
    let mut random = Random(11);
    let start = Instant::now();
    for _ in 0..1_000 {
        let found = read_back(case, &mut store, 1 + random.below(messages))?;
        if i64::try_from(found)? != size {
            return Err("an original was not read back".into());
        }
    }
    let reads = micros(start.elapsed(), 1_000);
    let start = Instant::now();
    store
        .db
        .execute("VACUUM INTO ?1", [folder.join("copy.db").to_string_lossy()])?;
    let backup = start.elapsed().as_millis();
    Ok(format!("read_us={reads:.0} backup_ms={backup}"))
}

/// Removes every tenth original, then looks for its bytes in the files.
fn erase(store: &Store) -> Outcome<String> {
    let held = markers(store)?;
    let before = length(&store.path);
    let start = Instant::now();
    for first in (1..=5_000i64).step_by(500) {
        store.db.execute_batch("BEGIN IMMEDIATE")?;
        for message in (first..first + 500).step_by(10) {
            store
                .db
                .prepare_cached("DELETE FROM original WHERE message=?1")?
                .execute([message])?;
        }
        store.db.execute_batch("COMMIT")?;
    }
    checkpoint(&store.db);
    let erased = micros(start.elapsed(), 500);
    let start = Instant::now();
    let mut shrink = store.db.prepare("PRAGMA incremental_vacuum")?;
    let mut rows = shrink.query([])?;
    while rows.next()?.is_some() {}
    checkpoint(&store.db);
    let left = markers(store)?;
    Ok(format!(
        "erase_us={erased:.0} shrink_ms={} freed_MB={:.1} markers_before={held} left={left} due={}",
        start.elapsed().as_millis(),
        ratio(before - length(&store.path), 1_000_000),
        held - held / 10,
    ))
}

fn markers(store: &Store) -> Outcome<usize> {
    let mut bytes = fs::read(&store.path)?;
    bytes.extend(fs::read(store.side("-wal")).unwrap_or_default());
    Ok(bytes
        .windows(MARKER.len())
        .filter(|window| *window == MARKER)
        .count())
}

/// One mail staged as 1 MiB chunks, each in a transaction of its own, then linked.
fn large(case: &Case, folder: &Path) -> Outcome<String> {
    let store = Store::open(case, folder)?;
    store.db.execute_batch(&schema(case))?;
    let body = Random(3).text(1 << 20);
    let mut peak = 0;
    let before = Counters::read()?;
    for seq in 0..case.number("large", 150) {
        store
            .db
            .prepare_cached("INSERT INTO chunk (original, seq, bytes) VALUES (1, ?1, ?2)")?
            .execute(params![seq, body.as_bytes()])?;
        peak = peak.max(store.side_length());
    }
    checkpoint(&store.db);
    let after = Counters::read()?;
    Ok(format!(
        "cpu_ms={} wall_ms={} peak_rss_MiB={:.1} side_MB={:.1} file_MB={:.1}",
        after.cpu.saturating_sub(before.cpu).as_millis(),
        (after.wall - before.wall).as_millis(),
        ratio(labelled("/proc/self/status", "VmHWM:")?, 1024),
        ratio(peak, 1_000_000),
        ratio(store.total_length(), 1_000_000),
    ))
}

/// Runs the case under strace and answers the syncs of each kind of file per batch.
fn syncs(case: &Case) -> Outcome<String> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("strace");
    let mut short = Case::parse(&case.words());
    short.0.insert("messages".to_owned(), "2000".to_owned());
    let child = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(&log)
        .arg(std::env::current_exe()?)
        .args(["child", &short.words()])
        .output()?;
    if !child.status.success() {
        return Err("the traced case failed".into());
    }
    Ok(count_syncs(
        &fs::read_to_string(log)?,
        2_000 / case.number("batch", 50),
    ))
}

fn count_syncs(log: &str, batches: i64) -> String {
    let inside = log
        .lines()
        .skip_while(|line| !line.contains("/begin>"))
        .skip(1);
    let mut counts = BTreeMap::new();
    for line in inside.take_while(|line| !line.contains("/end>")) {
        let path = line.split(['<', '>']).nth(1).unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        let name = if name.starts_with(".tmp") {
            "folder"
        } else {
            name
        };
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    let words = counts
        .iter()
        .map(|(name, count)| format!("{name}:{:.2}", ratio(*count, batches)));
    format!("syncs_per_batch={}", words.collect::<Vec<_>>().join(","))
}

fn child(words: &str) -> Outcome<String> {
    let child = Command::new(std::env::current_exe()?)
        .args(["child", words])
        .output()?;
    let figures = String::from_utf8_lossy(&child.stdout).trim().to_owned();
    let problem = String::from_utf8_lossy(&child.stderr).trim().to_owned();
    Ok(if child.status.success() {
        figures
    } else {
        format!("failed: {problem}")
    })
}

fn report(words: &str, extra: &str) -> Outcome<()> {
    let case = Case::parse(&format!("{words} {extra}"));
    let figures = child(&case.words())?;
    let traced = case
        .is("syncs", "yes")
        .then(|| syncs(&case).unwrap_or_else(|e| e.to_string()));
    writeln!(
        io::stdout(),
        "{:<48} {figures} {}",
        if words.is_empty() { extra } else { words },
        traced.unwrap_or_default()
    )?;
    Ok(())
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, words] = args.as_slice()
        && first == "child"
    {
        let folder = tempfile::tempdir()?;
        let figures = run(&Case::parse(words), folder.path())?;
        return Ok(writeln!(io::stdout(), "{figures}")?);
    }
    // Without cargo's `--bench` this is a test run: every case, but short.
    let bench = args.iter().any(|arg| arg == "--bench");
    let mut asked = Case::parse(&args.join(" "));
    let group = asked.0.remove("group");
    if !bench {
        asked.0.insert("messages".to_owned(), "100".to_owned());
    }
    let extra = asked.words();
    if args.iter().any(|arg| arg == "case") {
        return report("", &extra);
    }
    let listed = GROUPS
        .iter()
        .filter(|(name, _)| group.as_ref().is_none_or(|asked| asked == name));
    for (name, cases) in listed {
        writeln!(io::stdout(), "group {name} {extra}")?;
        for words in *cases {
            report(words, &extra)?;
        }
    }
    Ok(())
}
