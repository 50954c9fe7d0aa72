//! Worker processes over one PostgreSQL, with faults on every hundredth call: eight loggers on one mailbox, and pools on the
//! same mailboxes, one of which is killed.
//!
//! `SOAK_MESSAGES` (default 2,000 for the one mailbox, 600 for those of the pools), `SOAK_WORKERS` (8 loggers, 3 pools),
//! `SOAK_MAILBOXES` (of the pools, 6), `SOAK_FAULTS` (every how many calls one fails, 100) and `SEED` are read from the
//! environment. The long runs, each on an idle machine:
//!
//! ```sh
//! SOAK_MESSAGES=100000 cargo test --release --test soak one_mailbox -- --nocapture
//! SOAK_MAILBOXES=20 SOAK_WORKERS=4 SOAK_MESSAGES=20000 cargo test --release --test soak pools -- --nocapture
//! ```
//!
//! The parent is the simulated Exchange, the database and the judge; each worker is this binary again. A worker's link to
//! the database breaks at every hundredth COMMIT, before or after it was done; not where `EMAIL_LOGGING_POSTGRES_URL` names a
//! server, which is reached without anything between.

#![cfg(all(unix, feature = "postgres", feature = "ews"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/postgres.rs"]
mod cluster;
#[path = "support/postgres_proxy.rs"]
mod proxy;

mod soak {
    pub(crate) mod mail;
    pub(crate) mod pool;
    pub(crate) mod queue;
    mod sharing;
    pub(crate) mod worker;
}

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use email_logging::Scope;
use email_logging::store::{InteractionLog, LogFilter, PostgresStore};
use tokio::sync::{Mutex, MutexGuard};

use cluster::{Server, migrated, server};
use soak::mail::{self, Expected};
use soak::queue::Queues;
use soak::worker;

/// One test at a time: each has more processes than a machine has processors.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// A number of the environment.
fn number(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(default, |text| text.parse().expect(name))
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "soak: {text}");
}

/// Works as one of several processes; nothing where it is not told to be one.
#[test]
fn the_worker() {
    if let Some(job) = worker::Job::from_environment() {
        worker::run(&job);
    }
}

/// Starts a worker: a logger on mailbox 0, or a pool of so many mailboxes.
fn spawn(
    number: u64,
    server: &Server,
    schema: &str,
    queues: &Queues,
    mailboxes: Option<u64>,
) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "the_worker", "--nocapture"])
        .env(worker::NUMBER, number.to_string())
        .env(worker::DATABASE, &server.url)
        .env(worker::SCHEMA, schema)
        .env(worker::EXCHANGE, queues.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(own) = &server.own {
        command.env(worker::PORT, own.port.to_string());
    }
    if let Some(mailboxes) = mailboxes {
        command.env(worker::MAILBOXES, mailboxes.to_string());
    }
    command.spawn().unwrap()
}

/// Lets a worker end, and adds what it tells.
fn ended(mut child: Child, figures: &mut BTreeMap<String, u64>) {
    drop(child.stdin.take());
    let said = BufReader::new(child.stdout.take().unwrap());
    for line in said.lines().map_while(Result::ok) {
        let Some(told) = line.strip_prefix("worker: ") else {
            continue;
        };
        for (name, count) in told.split(' ').filter_map(|pair| pair.split_once('=')) {
            *figures.entry(name.to_owned()).or_default() += count.parse::<u64>().unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_on_one_mailbox_log_every_mail_once_and_store_every_copy() {
    let Some(server) = server() else { return };
    let _alone = alone().await;
    let (messages, workers) = (number("SOAK_MESSAGES", 2_000), number("SOAK_WORKERS", 8));
    let (faults, seed) = (number("SOAK_FAULTS", 100), number("SEED", 1));
    let options = server.options();
    let schema = options.schema.clone();
    let store = migrated(options).await;
    let queues = Queues::start(1, messages, faults, seed).await;
    let began = Instant::now();
    let mut children: Vec<Child> = (0..workers)
        .map(|number| spawn(number, server, &schema, &queues, None))
        .collect();
    let tell = async |_| assert!(all_live(&mut children), "a worker has ended");
    let stored = queues.feed_until_stored(tell).await;
    let seconds = began.elapsed().as_secs_f64();
    let mut figures = BTreeMap::new();
    for child in children {
        ended(child, &mut figures);
    }
    let rate = f64::from(u32::try_from(messages).unwrap()) / seconds;
    say(&format!(
        "{messages} messages, {workers} workers, seed {seed}: {seconds:.1} s, {rate:.0}/s"
    ));
    tell_all(server, &queues, &figures);
    if !stored {
        tell_states(server, &schema).await;
    }
    assert_eq!((queues.queued(), queues.stored()), (0, messages));
    check_log(&store, messages).await;
    check_ledger(server, &schema, messages).await;
}

fn all_live(children: &mut [Child]) -> bool {
    let mut live = children.iter_mut().map(Child::try_wait);
    live.all(|ended| ended.unwrap().is_none())
}

/// Says what the workers did and met.
fn tell_all(server: &Server, queues: &Queues, figures: &BTreeMap<String, u64>) {
    say(&format!("of the workers: {figures:?}"));
    say(&format!("faults of Exchange: {:?}", queues.fired()));
    if server.own.is_none() {
        say("no COMMIT was broken: nothing stands between the workers and this server");
    }
}

/// Says where the sightings stand, where some did not come to their end.
async fn tell_states(server: &Server, schema: &str) {
    let states = format!(
        "SELECT concat_ws(' ', s.state, d.outcome, d.reason, s.code), count(*)
         FROM {schema}.sighting s LEFT JOIN {schema}.decision d ON d.sighting_no = s.no GROUP BY 1"
    );
    for row in server.raw().await.query(&states, &[]).await.unwrap() {
        let (state, count): (&str, i64) = (row.get(0), row.get(1));
        say(&format!("{state}: {count}"));
    }
}

/// The entries are those of the oracle: nothing is lost, and nothing is there twice.
async fn check_log(store: &PostgresStore, messages: u64) {
    let mut expected = mail::expected(messages);
    let (scope, all) = (Scope::default(), LogFilter::default());
    let (mut cursor, mut numbers) = (None, Vec::new());
    loop {
        let page = store.entries(&scope, &all, cursor.as_ref(), 2_000);
        let page = page.await.unwrap();
        for row in page.rows {
            numbers.push(row.entry_no);
            let seen = Expected::of(&row.entry);
            let number = expected.remove(&seen);
            let number = number.unwrap_or_else(|| panic!("unexpected or twice: {seen:?}"));
            if number.is_multiple_of(53) {
                let message = row.entry.message;
                let original = store.original(&scope, &message, 0..u64::MAX);
                assert!(original.await.unwrap().bytes == mail::bytes(number));
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(expected.is_empty(), "{} entries are lost", expected.len());
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
}

/// Every sighting has its decision, every logged mail its original, every event its number, and no move is left.
async fn check_ledger(server: &Server, schema: &str, messages: u64) {
    let raw = server.raw().await;
    let count = async |what: &str| {
        let count = format!("SELECT count(*) FROM {}", what.replace("{}", schema));
        raw.query_one(&count, &[]).await.unwrap().get::<_, i64>(0)
    };
    check_outcomes(&raw, schema, messages).await;
    let entries = i64::try_from(mail::expected(messages).len()).unwrap();
    let (_, logged) = mail::decided(messages)[&("logged", "")];
    let all = i64::try_from(messages).unwrap();
    let counts = [
        ("{}.sighting WHERE state = 'decided'", all),
        ("{}.sighting", all),
        ("{}.decision", all),
        ("{}.original WHERE stage IS NULL", logged),
        ("{}.entry", entries),
        ("{}.event WHERE kind = 'logged'", logged),
        ("{}.pending_move", 0),
        (
            "(SELECT number FROM {}.event GROUP BY scope, number HAVING count(*) > 1) twice",
            0,
        ),
    ];
    for (what, expected) in counts {
        assert_eq!(count(what).await, expected, "{what}");
    }
    let leases = format!("SELECT sum(epoch)::bigint FROM {schema}.lease");
    let row = raw.query_one(&leases, &[]).await.unwrap();
    say(&format!("leases were taken {} times", row.get::<_, i64>(0)));
}

/// Each mail was decided as it had to be, and each different one has its row.
async fn check_outcomes(raw: &tokio_postgres::Client, schema: &str, messages: u64) {
    let outcomes = format!(
        "SELECT CASE outcome WHEN 'already-logged' THEN 'logged' ELSE outcome END,
                CASE outcome WHEN 'already-logged' THEN '' ELSE reason END,
                count(*), count(DISTINCT message_no)
         FROM {schema}.decision GROUP BY 1, 2"
    );
    let mut seen = BTreeMap::new();
    for row in raw.query(&outcomes, &[]).await.unwrap() {
        let way: (String, String) = (row.get(0), row.get(1));
        seen.insert(way, (row.get::<_, i64>(2), row.get::<_, i64>(3)));
    }
    let expected = mail::decided(messages);
    say(&format!("decided: {seen:?}"));
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|((outcome, reason), counts)| ((outcome.to_owned(), reason.to_owned()), counts))
        .collect();
    assert_eq!(seen, expected);
}
