//! The shipping logger under every interleaving, fault and crash that a seed can think of, and all that a search can.
//!
//! `SCHEDULES=10000000 SEED=1 cargo test --release --test simulation` runs as many; a failure prints the one number that
//! repeats it, with `REPLAY=<number> TRACE=1`. `STORE=sqlite` and `STORE=postgres` run the schedules on those stores instead of
//! the one in memory, some hundred times slower: `STORE=sqlite SCHEDULES=100000 cargo test --release --test simulation
//! no_schedule`. A thread ends at its first broken schedule, with `BROKEN=10` at its tenth. The searches are always over memory;
//! `SPACES=late` searches only those with this in their names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "support/postgres.rs"]
mod cluster;

#[path = "simulation/book.rs"]
mod book;
#[path = "simulation/commits.rs"]
mod commits;
#[path = "simulation/counts.rs"]
mod counts;
#[path = "simulation/database.rs"]
mod database;
#[path = "simulation/effects.rs"]
mod effects;
#[path = "simulation/host.rs"]
mod host;
#[path = "simulation/late.rs"]
mod late;
#[path = "simulation/mailbox.rs"]
mod mailbox;
#[path = "simulation/mails.rs"]
mod mails;
#[path = "simulation/oracle.rs"]
mod oracle;
#[path = "simulation/postgres.rs"]
mod postgres;
#[path = "simulation/promises.rs"]
mod promises;
#[path = "simulation/raw.rs"]
mod raw;
#[path = "simulation/rng.rs"]
mod rng;
#[path = "simulation/search.rs"]
mod search;
#[path = "simulation/seeded.rs"]
mod seeded;
#[path = "simulation/settle.rs"]
mod settle;
#[path = "simulation/source.rs"]
mod source;
#[path = "simulation/spaces.rs"]
mod spaces;
#[path = "simulation/stage.rs"]
mod stage;
#[path = "simulation/store.rs"]
mod store;
#[path = "simulation/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use mailbox::Service;
use mails::Company;
use rng::Rng;
use seeded::{Column, Replay, Tally};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// The commit that is tested, if git tells.
fn commit() -> String {
    let told = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    let text = told.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned());
    text.ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "unknown".into())
}

#[test]
fn no_schedule_breaks_a_promise() {
    if let Ok(seed) = std::env::var("REPLAY") {
        return replay(seed.parse().unwrap());
    }
    let (schedules, seed) = (number("SCHEDULES", 2_000), number("SEED", 1));
    let threads = number("THREADS", 2);
    // Asked now: a run may outlive the commit that it tests.
    let (began, commit) = (Instant::now(), commit());
    let tallies = std::thread::scope(|scope| {
        let share = |thread: u64| move || many(seed, thread, threads, schedules);
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(share(thread)))
            .collect();
        let mut all = Tallies::new();
        for share in running {
            for (service, tally) in share.join().unwrap() {
                all.entry(service).or_default().add(&tally);
            }
        }
        all
    });
    let mut tally = Tally::default();
    for it in tallies.values() {
        tally.add(it);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} schedules from seed {seed}, commit {commit}: {} steps, {} faults, {} stale effects, {seconds:.1} s",
        tally.schedules, tally.steps, tally.faults, tally.stale
    );
    for (service, tally) in &tallies {
        let (steps, faults) = (tally.steps, tally.faults);
        let schedules = tally.schedules;
        println!("{schedules} schedules over {service:?}: {steps} steps, {faults} faults");
    }
    println!("{}", tally.table());
    for (service, tally) in &tallies {
        let missed = tally.missed_over(*service);
        assert!(
            schedules < 200_000 || missed.is_empty(),
            "never hit over {service:?}: {missed:?}"
        );
    }
    let missed = tally.missed();
    assert!(
        schedules < 100_000 || missed.is_empty(),
        "never hit: {missed:?}"
    );
    assert!(
        schedules < 100_000 || tally.faults >= 3 * tally.schedules,
        "only {} faults in {} schedules",
        tally.faults,
        tally.schedules
    );
    assert!(
        schedules < 100_000 || tally.stale > 0,
        "nothing came under a lease that was lost"
    );
    let timed = std::env::var_os("EMAIL_LOGGING_TIMED").is_some();
    assert!(
        !timed || schedules < 1_000_000 || seconds <= 600.0,
        "{schedules} schedules took {seconds:.1} s"
    );
}

fn replay(seed: u64) {
    let only = std::env::var("ONLY").ok();
    let kept: Option<BTreeSet<usize>> =
        only.map(|text| text.split(',').filter_map(|it| it.parse().ok()).collect());
    let all = 0..seeded::MOST_NUMBERED;
    let replay = Replay {
        trace: std::env::var("TRACE").is_ok(),
        skipped: kept.map_or_else(BTreeSet::new, |kept| {
            all.filter(|number| !kept.contains(number)).collect()
        }),
        ..Replay::default()
    };
    let ended = seeded::run(seed, database::chosen(), &Arc::new(Company::new()), &replay);
    match ended {
        Ok(tally) => println!("{} steps, nothing broken", tally.steps),
        Err(broken) => panic!("{broken}"),
    }
}

/// What the schedules of each service met.
type Tallies = BTreeMap<Service, Tally>;

/// Every `threads`-th schedule. Panics at the end where some are broken, at once where they are as many as it should go on to.
fn many(seed: u64, thread: u64, threads: u64, schedules: u64) -> Tallies {
    let (most, mut broken) = (number("BROKEN", 1), 0);
    let (company, open) = (Arc::new(Company::new()), database::chosen());
    let replay = Replay::default();
    let mut all = Tallies::new();
    let mut at = thread;
    while at < schedules {
        let one = Rng::new(seed.wrapping_add(at)).next();
        match seeded::run(one, open, &company, &replay) {
            Ok(tally) => all.entry(seeded::service_of(one)).or_default().add(&tally),
            Err(told) => {
                broken += 1;
                eprintln!("{}", failure(one, at, &told));
            }
        }
        assert!(broken < most, "{broken} broken schedules, see above");
        at += threads;
    }
    assert_eq!(broken, 0, "broken schedules, see above");
    all
}

/// What is said of a schedule that broke a promise, with the few faults that it takes.
fn failure(seed: u64, at: u64, broken: &str) -> String {
    let kept = seeded::shrink(seed, database::chosen(), &Arc::new(Company::new()));
    let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
    format!(
        "{broken}\nschedule {at}, commit {}\nREPLAY={seed} TRACE=1 ONLY={}",
        commit(),
        kept.join(",")
    )
}

/// Schedules that found something once.
#[test]
fn what_was_found_once_stays_mended() {
    // A copy of a logged mail, whose move waited for the host's log, stayed in the queue for ever.
    const SEEDS: [u64; 3] = [
        7_454_951_168_836_738_285,
        3_616_225_228_971_510_762,
        191_796_496_751_160_228,
    ];
    let company = Arc::new(Company::new());
    let over_ews = Replay {
        service: Some(Service::Ews),
        first_worlds: true,
        ..Replay::default()
    };
    let replay = Replay {
        first_odds: true,
        ..over_ews.clone()
    };
    for seed in SEEDS {
        let ended = seeded::run(seed, database::memory, &company, &replay);
        assert!(ended.is_ok(), "{seed}: {}", ended.unwrap_err());
    }
    // Two workers moved one item at the same time, and nothing told of the second copy.
    let seed = 15_530_645_030_575_655_102;
    let ended = seeded::run(seed, database::memory, &company, &over_ews);
    assert!(ended.is_ok(), "{seed}: {}", ended.unwrap_err());
}

/// Searches spaces one after the other, and says how much each of them was. Answers the cells of the fault matrix that
/// were hit.
fn search_all(spaces: &[search::Space]) -> Tally {
    let (company, commit) = (Arc::new(Company::new()), commit());
    let mut all = Tally::default();
    for space in spaces {
        let began = Instant::now();
        let covered = match search::search(space, &company) {
            Ok(covered) => covered,
            Err(broken) => panic!("{broken}"),
        };
        println!(
            "{}, up to {} faults: {} schedules, {} states, {} steps, {} ends, {} stale effects, {} cells, commit {commit}, {:.1} s{}",
            space.name,
            space.faults,
            covered.schedules,
            covered.states,
            covered.steps,
            covered.ends,
            covered.stale,
            covered.cells.len(),
            began.elapsed().as_secs_f64(),
            if space.plan.process_per_run {
                ", each run a process"
            } else {
                ""
            }
        );
        for (cell, count) in covered.cells {
            *all.cells.entry(cell).or_default() += count;
        }
    }
    all
}

/// The spaces of which alone `SPACES` says that they are searched, by a part of their names; no cell has to be hit then.
fn only() -> Option<String> {
    std::env::var("SPACES").ok()
}

/// On a stack that is deep enough for the longest schedule.
fn search_deep(mut spaces: Vec<search::Space>) -> Tally {
    if let Some(part) = only() {
        spaces.retain(|space| space.name.contains(&part));
    }
    let thread = std::thread::Builder::new().stack_size(256 << 20);
    let search = thread.spawn(move || search_all(&spaces)).unwrap();
    search.join().expect("a promise was broken")
}

/// What the searches of this run have hit, by whether that is all that they can.
static SEARCHED: Mutex<BTreeMap<&str, (bool, Tally)>> = Mutex::new(BTreeMap::new());

/// Lays a search beside the others of this run, and prints which cells were hit by any of them. With all of them there, and
/// each with all its faults, no cell is left.
fn lay_together(search: &'static str, full: bool, tally: Tally) {
    let mut searched = SEARCHED.lock().unwrap();
    searched.insert(search, (full, tally));
    let mut union = Tally::default();
    for (_, tally) in searched.values() {
        union.add(tally);
    }
    let names: Vec<_> = searched.keys().copied().collect();
    let missed = union.missed();
    println!(
        "{}: {} cells were hit, {} were not: {missed:?}\n{}",
        names.join(" and "),
        union.cells.len(),
        missed.len(),
        union.table()
    );
    let full = searched.len() == 2 && searched.values().all(|(full, _)| *full) && only().is_none();
    drop(searched);
    assert!(!full || missed.is_empty(), "never hit: {missed:?}");
}

/// One mail and one worker: every fault at every point; in a release build every two of them, with `FAULTS=3` every three.
#[test]
fn no_fault_of_one_mail_breaks_a_promise() {
    let faults = number("FAULTS", if cfg!(debug_assertions) { 1 } else { 2 });
    let tally = search_deep(spaces::one_mail(usize::try_from(faults).unwrap()));
    // A call that only a fault brings about is hit by a second one. A second worker is not part of this.
    let mut missed = tally.missed();
    missed.retain(|(_, column)| *column != Column::SecondWorker);
    println!(
        "{} cells (step and fault) were hit, {} were not",
        tally.cells.len(),
        missed.len()
    );
    let is_all = faults >= 2 && only().is_none();
    assert!(!is_all || missed.is_empty(), "never hit: {missed:?}");
    lay_together("one mail", faults >= 2, tally);
}

/// Two mails and two workers: every interleaving; in a release build with every fault, or a leap of the clock, with
/// `FAULTS=2` with every two faults.
#[test]
fn no_interleaving_of_two_workers_breaks_a_promise() {
    let faults = number("FAULTS", u64::from(!cfg!(debug_assertions)));
    let faults = usize::try_from(faults.min(2)).unwrap();
    let tally = search_deep(spaces::two_mails(faults));
    // A fault of each call is tried with one mail; what runs beside another worker is tried here.
    let mut missed = tally.missed();
    missed.retain(|(_, column)| *column == Column::SecondWorker);
    println!(
        "{} cells (step and fault) were hit, {} calls never beside a second worker",
        tally.cells.len(),
        missed.len()
    );
    let is_all = faults >= 1 && only().is_none();
    assert!(!is_all || missed.is_empty(), "never hit: {missed:?}");
    lay_together("two mails", faults >= 1, tally);
}
