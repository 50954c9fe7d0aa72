//! The same on PostgreSQL: workers that are killed, and a server whose processes are.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Pid;

use crate::book::Books;
use crate::company::{Profile, Service, mails};
use crate::dice::Dice;
use crate::disk_shim::shim;
use crate::kills::{every_point_was_hit, number, round, say};
use crate::postgres::{self, Server, fresh_schema, own_server};
use crate::world::{Base, End, Ended, World};

/// Rounds of mail in two schemas, one of each service.
const ROUNDS: u64 = 10;
/// From this many kills on every point must be hit for each service. There are fewer than on files: none is the disk's.
const THOROUGH: u64 = 300;
/// Processes that run until the queue must be empty.
const HEALING: u64 = 6;

/// One test at a time: one of them crashes the server of all.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often: a tenth of the kills on files, unless it is told.
fn kills() -> u64 {
    number("POSTGRES_KILLS", number("KILLS", 60).div_ceil(10).max(10))
}

fn base(server: &Server) -> Base {
    Base::Database {
        url: server.url.clone(),
        schema: fresh_schema(),
    }
}

#[test]
fn whenever_a_worker_on_postgresql_is_killed_nothing_is_lost_and_nothing_is_logged_twice() {
    let _alone = alone();
    let Some(server) = postgres::server() else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let Some(library) = shim(root.path()) else {
        return;
    };
    let (kills, seed) = (kills(), number("SEED", 1));
    let (mut books, mut dice) = (Books::default(), Dice::new(seed));
    let mut delivered = 0;
    let started = std::time::Instant::now();
    for profile in Profile::ALL.into_iter().cycle() {
        if books.are_full(kills, kills >= THOROUGH) {
            break;
        }
        let world = |service| World::new(service, profile, &library, base(server));
        let mut worlds = Service::ALL.map(world);
        for number in 0..ROUNDS {
            let (world, book) = books.next_of(&mut worlds);
            let mails = mails(profile, number, &mut dice);
            delivered += mails.len();
            world.deliver(mails);
            round(world, book, &mut dice);
            world.check_at_end();
        }
    }
    say(&format!(
        "PostgreSQL: {} of workers, {delivered} mails, {} s, SEED={seed}\n{}",
        books.told(),
        started.elapsed().as_secs(),
        books.listed()
    ));
    if kills >= THOROUGH {
        books.0.iter().for_each(every_point_was_hit);
    }
}

/// The server's process that writes its log. When it is killed, the server ends all its processes and recovers, as it does
/// after a crash of any of them.
async fn log_writer(url: &str) -> Option<Pid> {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.ok()?;
    let connection = tokio::spawn(connection);
    let question = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
    let row = client.query_one(question, &[]).await;
    connection.abort();
    Pid::from_raw(row.ok()?.get(0))
}

/// The same, once the server has recovered. A server whose process was killed takes questions until it notices.
fn recovered(world: &World, server: &Server, killed: Option<Pid>) -> Pid {
    for _ in 0..2_400 {
        let pid = world.block_on(log_writer(&server.url));
        if let Some(pid) = pid.filter(|pid| Some(*pid) != killed) {
            return pid;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the server does not come back:\n{}", server.last_words());
}

/// A worker whose server crashes under it, and those that follow until the queue is empty. Answers whether the first one
/// told of the crash.
fn crash_and_heal(world: &mut World, server: &Server, after: Duration) -> bool {
    let killed = recovered(world, server, None);
    let crash = End::Other(killed, after);
    let mut told = false;
    for run in 0..HEALING {
        let end = if run == 0 { &crash } else { &End::Itself };
        let Ended::ByItself { report, .. } = world.run(end, 0) else {
            panic!("nobody killed the worker");
        };
        recovered(world, server, Some(killed));
        world.check_at_rest();
        let unavailable = report.starts_with("StoreUnavailable ");
        assert!(
            report == "ok" || (run == 0 && unavailable),
            "run {run}: {report}"
        );
        told |= unavailable;
        if report == "ok" && world.queued() == 0 {
            return told;
        }
        world.let_time_pass();
    }
    panic!("the queue is not emptied");
}

#[test]
fn whenever_postgresql_crashes_under_a_worker_nothing_is_lost_and_nothing_is_logged_twice() {
    let _alone = alone();
    let Some((server, _)) = own_server() else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let Some(library) = shim(root.path()) else {
        return;
    };
    // The server needs a while to come back.
    let (crashes, seed) = (kills().div_ceil(5), number("SEED", 1));
    let mut dice = Dice::new(seed);
    let mut world = World::new(Service::Ews, Profile::Plain, &library, base(server));
    let Ended::ByItself { took, .. } = world.run(&End::Itself, 0) else {
        panic!("nobody killed the worker");
    };
    let most = u64::try_from(took.as_micros()).unwrap();
    let mut told = 0;
    for number in 0..crashes {
        world.deliver(mails(Profile::Plain, number, &mut dice));
        let after = Duration::from_micros(dice.below(most));
        told += u64::from(crash_and_heal(&mut world, server, after));
        world.check_at_end();
        world.let_time_pass();
    }
    say(&format!(
        "PostgreSQL: {crashes} crashes of the server, {told} workers had to give up, SEED={seed}"
    ));
}
