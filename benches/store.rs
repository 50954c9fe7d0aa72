//! The SQLite store: commits of whole batches, a page of the log, a search, the second stage.
//!
//! `cargo bench --bench store`. Times are per mail where a group has a throughput in elements. The file lies in the
//! directory for temporary files; set `TMPDIR` to measure another disk. On Linux, `store/commit, CPU` measures the time
//! that a processor worked on a commit, whatever else the machine did meanwhile.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../tests/support/store_rows.rs"]
mod store_rows;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use email_logging::Scope;
use email_logging::message::MessageContent;
use email_logging::store::{
    CommitBatch, ContentIndex, InteractionLog, Lease, LogFilter, MailLedger, SqliteOptions,
    SqliteStore,
};
use store_rows::{lease, logged, uid};
use tokio::runtime::Runtime;

/// Mails in the store that is read.
const STORED: u64 = 20_000;

struct Bench {
    runtime: Runtime,
    store: SqliteStore,
    lease: Lease,
    scope: Scope,
    next: u64,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with(SqliteOptions::default())
    }

    fn with(options: SqliteOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let scope = Scope::default();
        let store = SqliteStore::open_with(dir.path().join("log.sqlite"), options).unwrap();
        runtime.block_on(store.migrate()).unwrap();
        let lease = runtime.block_on(lease(&store, &scope));
        Self {
            runtime,
            store,
            lease,
            scope,
            next: 0,
            _dir: dir,
        }
    }

    /// Commits new mails; answers the first and the time without the making of the rows.
    fn commit(&mut self, rows: u64, size: usize) -> (u64, Duration) {
        let begun = Instant::now();
        self.commit_by(rows, size, || begun.elapsed())
    }

    /// Commits new mails; answers the first and the time by this clock.
    fn commit_by(
        &mut self,
        rows: u64,
        size: usize,
        clock: impl Fn() -> Duration,
    ) -> (u64, Duration) {
        let first = self.next;
        self.next += rows;
        let batch = (first..self.next).map(|n| logged(&self.scope, n, size));
        let batch = CommitBatch::of_rows(batch.collect());
        let begun = clock();
        let commit = self.store.commit(&self.scope, &self.lease, batch);
        black_box(self.runtime.block_on(commit).unwrap());
        (first, clock().saturating_sub(begun))
    }

    /// Gives mails a body of some 3 kB each; answers the time without the making of the bodies.
    fn index(&self, first: u64, rows: u64) -> Duration {
        let contents = (first..first + rows).map(|n| (uid(&self.scope, n), content(n)));
        let contents = contents.collect();
        let begun = Instant::now();
        let put = self.store.put_content(&self.scope, contents);
        self.runtime.block_on(put).unwrap();
        begun.elapsed()
    }
}

/// 450 words out of 5,000, the frequent ones more often.
fn content(n: u64) -> MessageContent {
    let mut content = MessageContent::default();
    let words = (0..450_u64).map(|at| {
        let spread = (n * 450 + at).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        format!("word{}", (spread % 5_000) * (spread / 5_000 % 100) / 100)
    });
    content.text = Some(words.collect::<Vec<_>>().join(" "));
    content
}

fn commit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store/commit");
    group.sample_size(20);
    for rows in [50, 100] {
        group.throughput(Throughput::Elements(rows));
        let mut bench = Bench::new();
        group.bench_function(format!("{rows} x 30 kB"), |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| bench.commit(rows, 30_000).1).sum());
        });
    }
    group.finish();
}

/// The time that a processor worked on this thread.
#[cfg(target_os = "linux")]
fn worked() -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos = times.split_whitespace().next().unwrap();
    Duration::from_nanos(nanos.parse().unwrap())
}

#[cfg(target_os = "linux")]
fn commit_cpu(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store/commit, CPU");
    group.sample_size(20).throughput(Throughput::Elements(50));
    let mut bench = Bench::with(SqliteOptions::default().with_inline(true));
    group.bench_function("50 x 30 kB", |bencher| {
        bencher.iter_custom(|times| {
            let mut one = || bench.commit_by(50, 30_000, worked).1;
            (0..times).map(|_| one()).sum()
        });
    });
    group.finish();
}

#[cfg(not(target_os = "linux"))]
fn commit_cpu(_: &mut Criterion) {}

fn index(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store/index");
    group.sample_size(20).throughput(Throughput::Elements(50));
    let mut bench = Bench::new();
    group.bench_function("50 x 3 kB of text", |bencher| {
        bencher.iter_custom(|times| {
            let mut one = || {
                let (first, _) = bench.commit(50, 1_000);
                bench.index(first, 50)
            };
            (0..times).map(|_| one()).sum()
        });
    });
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let mut bench = Bench::new();
    while bench.next < STORED {
        let (first, _) = bench.commit(500, 500);
        bench.index(first, 500);
    }
    let mut group = criterion.benchmark_group("store/page of 50");
    let mut filter = |name: &str, fill: &dyn Fn(&mut LogFilter)| {
        let mut filter = LogFilter::default();
        fill(&mut filter);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let page = bench.store.mails(&bench.scope, &filter, None, 50);
                black_box(bench.runtime.block_on(page).unwrap())
            });
        });
    };
    filter("all", &|_| {});
    filter("contact", &|filter| {
        filter.contact = Some("CT000007".into());
    });
    filter("salesperson", &|filter| {
        filter.salesperson = Some("AH".into());
    });
    filter("two words", &|filter| {
        filter.text = Some("word4321 offer".into());
    });
    filter("rare beginning", &|filter| {
        filter.text = Some("1234".into());
    });
    filter("word of all", &|filter| {
        filter.text = Some("offer".into());
    });
    group.finish();
}

criterion_group!(benches, commit, commit_cpu, index, read);
criterion_main!(benches);
