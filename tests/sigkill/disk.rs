//! Disks that are full or broken from the n-th operation on, for every n, for whole runs.
//!
//! The run that meets it must say so and move nothing whose commit failed; the next one heals everything.

use std::path::Path;

use crate::company::{Profile, Service, mails};
use crate::dice::Dice;
use crate::disk_shim::shim;
use crate::kills::{LONG, THOROUGH, number, say};
use crate::world::{Base, End, Ended, World};

/// How a disk fails.
struct Failure {
    name: &'static str,
    operation: char,
    what: &'static str,
    once: bool,
    /// Whether the run must not notice it.
    harmless: bool,
}

const fn failure(name: &'static str, operation: char, what: &'static str, once: bool) -> Failure {
    Failure {
        name,
        operation,
        what,
        once,
        harmless: false,
    }
}

const FAILURES: [Failure; 10] = [
    failure("full from a write on", 'w', "full", false),
    failure("full at one write", 'w', "full", true),
    failure("broken from a write on", 'w', "eio", false),
    failure("broken at one write", 'w', "eio", true),
    failure("half a write, and broken after it", 'w', "torn", false),
    failure("no sync from one on", 's', "eio", false),
    failure("one sync fails", 's', "eio", true),
    failure("no truncation from one on", 't', "eio", false),
    failure("no removal from one on", 'u', "eio", false),
    Failure {
        name: "half a write",
        operation: 'w',
        what: "short",
        once: true,
        harmless: true,
    },
];

/// What the runs of one kind of failure answered.
#[derive(Debug, Default)]
struct Answers {
    failed: u64,
    unhurt: u64,
}

/// A run whose disk fails at the n-th operation, and the run that heals. Answers whether it came to that operation.
fn run_and_heal(world: &mut World, failure: &Failure, at: u64, answers: &mut Answers) -> bool {
    let end = End::Disk {
        operation: failure.operation,
        file: None,
        at,
        what: failure.what,
        once: failure.once,
    };
    let Ended::ByItself { report, .. } = world.run(&end, 0) else {
        panic!("{} at {at}: it was killed", failure.name);
    };
    let failures = world.failures();
    world.check_at_rest();
    if report == "ok" {
        // What failed was no commit: it is done again another time.
        answers.unhurt += u64::from(failures > 0);
        world.check_at_end();
    } else {
        answers.failed += 1;
        let told = format!("{} at {at}: {report}", failure.name);
        let unavailable = ["store.full", "store.unavailable"];
        let expected = unavailable.map(|code| format!("StoreUnavailable {code}"));
        assert!(expected.contains(&report), "{told}");
        assert!(failures > 0 && !failure.harmless, "{told}");
    }
    world.let_time_pass();
    let Ended::ByItself { report, .. } = world.run(&End::Itself, 0) else {
        panic!("{} at {at}: it was killed", failure.name);
    };
    assert_eq!(report, "ok", "after {} at {at}", failure.name);
    world.check_at_end();
    world.let_time_pass();
    failures > 0
}

/// From one n to the next: every n in the long run; else some, of the many writes fewer, and others with another seed.
fn step(failure: &Failure) -> u64 {
    match (number("KILLS", 60), failure.operation) {
        (LONG.., _) => 1,
        (THOROUGH.., 'w') => 13,
        (THOROUGH.., _) => 1,
        (_, 'w') => 61,
        (_, _) => 4,
    }
}

fn every_n(failure: &Failure, library: &Path, dice: &mut Dice, new_file: bool) -> String {
    let mut answers = Answers::default();
    let mut world = World::new(Service::Ews, Profile::Plain, library, Base::File);
    let mut round = 0;
    let mut at = 1 + number("SEED", 1) % step(failure);
    loop {
        if new_file {
            world = World::new(Service::Ews, Profile::Plain, library, Base::File);
        } else if round == 0 {
            world.run(&End::Itself, 0);
        }
        round += 1;
        world.deliver(mails(Profile::Plain, round, dice));
        if !run_and_heal(&mut world, failure, at, &mut answers) {
            break;
        }
        at += step(failure);
    }
    let Answers { failed, unhurt } = answers;
    let &Failure { name, harmless, .. } = failure;
    // Truncations and removals only tidy up.
    let must_tell = !harmless && matches!(failure.operation, 'w' | 's');
    assert!(!must_tell || failed > 0, "{name}: no run noticed it");
    format!("{name}: {failed} runs said so, {unhurt} were not hurt, up to the {at}th")
}

fn all_failures(new_file: bool) {
    let root = tempfile::tempdir().unwrap();
    let Some(library) = shim(root.path()) else {
        return;
    };
    let seed = number("SEED", 1);
    let mut dice = Dice::new(seed);
    for failure in &FAILURES {
        let told = every_n(failure, &library, &mut dice, new_file);
        let file = if new_file { "new file" } else { "used file" };
        say(&format!("{file}, {told}, SEED={seed}"));
    }
}

#[test]
fn a_disk_that_fails_at_any_operation_on_a_new_file_loses_nothing() {
    all_failures(true);
}

#[test]
fn a_disk_that_fails_at_any_operation_on_a_used_file_loses_nothing() {
    all_failures(false);
}
