//! The shipping logger under every interleaving, fault and crash that a seed can think of, and all that a search can.
//!
//! `SCHEDULES=10000000 SEED=1 cargo test --release --test simulation` runs as many; a failure prints the one number that
//! repeats it, with `REPLAY=<number> TRACE=1`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "simulation/book.rs"]
mod book;
#[path = "simulation/mailbox.rs"]
mod mailbox;
#[path = "simulation/mails.rs"]
mod mails;
#[path = "simulation/rng.rs"]
mod rng;
#[path = "simulation/seeded.rs"]
mod seeded;
#[path = "simulation/source.rs"]
mod source;
#[path = "simulation/stage.rs"]
mod stage;
#[path = "simulation/store.rs"]
mod store;
#[path = "simulation/world.rs"]
mod world;

use std::sync::Arc;
use std::time::Instant;

use mails::Company;
use rng::Rng;
use seeded::Tally;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn no_schedule_breaks_a_promise() {
    if let Ok(seed) = std::env::var("REPLAY") {
        let trace = std::env::var("TRACE").is_ok();
        let ended = seeded::run(seed.parse().unwrap(), &Arc::new(Company::new()), trace);
        println!("{:?}", ended.map(|tally| tally.steps));
        return;
    }
    let (schedules, seed) = (number("SCHEDULES", 2_000), number("SEED", 1));
    let threads = number("THREADS", 2);
    let began = Instant::now();
    let tally = std::thread::scope(|scope| {
        let share = |thread: u64| move || many(seed, thread, threads, schedules);
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(share(thread)))
            .collect();
        let mut all = Tally::default();
        for share in running {
            all.add(&share.join().unwrap());
        }
        all
    });
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} schedules from seed {seed}: {} steps, {} faults, {seconds:.1} s",
        tally.schedules, tally.steps, tally.faults
    );
    for ((op, column), count) in &tally.cells {
        println!("{op:?} {column:?}: {count}");
    }
}

/// Every `threads`-th schedule.
fn many(seed: u64, thread: u64, threads: u64, schedules: u64) -> Tally {
    let company = Arc::new(Company::new());
    let mut all = Tally::default();
    let mut at = thread;
    while at < schedules {
        let one = Rng::new(seed.wrapping_add(at)).next();
        match seeded::run(one, &company, false) {
            Ok(tally) => all.add(&tally),
            Err(broken) => panic!("{broken}\nreplay with REPLAY={one} TRACE=1"),
        }
        at += threads;
    }
    all
}
