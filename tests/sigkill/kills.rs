//! Kills without end: at every fail point and at random times, one process after the other on the same file.

use std::io::Write as _;

use crate::book::{Book, Books, Choice, Phase};
use crate::company::{Profile, Service, mails};
use crate::dice::Dice;
use crate::disk_shim::shim;
use crate::world::{Base, Ended, PARTS, World};

/// Rounds of mail on two store files, one of each service, in a short run and in a long one.
const ROUNDS: (u64, u64) = (8, 16);
/// Processes of a round that may be killed; those that follow are not.
const DEADLY: u64 = 6;
/// Processes that end by themselves until the queue must be empty.
const HEALING: u64 = 3;
/// From this many kills on the batches of Graph must have been interrupted.
const SHORT: u64 = 40;
/// From this many kills on every point must be hit for each service, and the other tests look at more.
pub(crate) const THOROUGH: u64 = 500;

/// From this many kills on the other tests look at everything.
pub(crate) const LONG: u64 = 5_000;

/// Calls that are made over EWS alone: Graph has a key for every mail.
const OVER_EWS: [&str; 2] = ["stamp", "keys_of"];

/// The fail points around calls that there are at least.
const CALLS: [&str; 21] = [
    "open_folder",
    "list",
    "fetch",
    "move_to",
    "locate",
    "remove",
    "stamp",
    "acquire",
    "renew",
    "release",
    "known",
    "keys_of",
    "with_message_ids",
    "stage",
    "staged",
    "commit",
    "pending_moves",
    "undelivered",
    "put",
    "resolve",
    "put_content",
];

pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// One round: deaths, then healing.
pub(crate) fn round(world: &mut World, book: &mut Book, dice: &mut Dice) {
    let mut killed = false;
    let mut healing = 0;
    for run in 0.. {
        let phase = match (world.settled, killed) {
            (false, _) => Phase::New,
            (true, false) => Phase::Fresh,
            (true, true) => Phase::Recovery,
        };
        let setting = (world.profile, phase);
        if killed && (run >= DEADLY || dice.percent(50)) {
            world.let_time_pass();
        }
        let choice = if run >= DEADLY || dice.percent(10) {
            Choice::none()
        } else {
            book.choose(setting, dice)
        };
        // A lease is renewed only where the clock goes fast. There it is short at any moment, too: moves are dropped, or the
        // run ends without it, and what is left the next run does.
        let renews = choice.point.starts_with("renew");
        let fast = renews || (run < DEADLY && dice.percent(25));
        let step = if fast { 10 } else { 0 };
        match world.run(&choice.end, step) {
            Ended::Killed => {
                killed = true;
                book.hit(&choice, world.check_at_rest());
            }
            Ended::ByItself {
                report,
                passed,
                took,
            } => {
                let lost = fast && report.starts_with("LeaseLost ");
                assert!(report == "ok" || lost, "{choice:?}: {report}");
                book.learn(setting, &passed, took);
                healing += u64::from(!fast);
                if world.queued() == 0 && !fast {
                    return;
                }
                assert!(healing < HEALING, "the queue is not emptied");
                world.let_time_pass();
            }
        }
    }
}

/// Says it past the capture of the test harness, so that a plain `cargo test` shows it.
pub(crate) fn say(text: &str) {
    // Nobody is left to be told where standard error cannot be written.
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn whenever_a_process_is_killed_nothing_is_lost_and_nothing_is_logged_twice() {
    let (kills, seed) = (number("KILLS", 60), number("SEED", 1));
    let root = tempfile::tempdir().unwrap();
    let Some(library) = shim(root.path()) else {
        return;
    };
    let mut books = Books::default();
    let mut dice = Dice::new(seed);
    let started = std::time::Instant::now();
    let (mut rounds, mut stores, mut delivered) = (0, 0, 0);
    say(&format!("SEED={seed} KILLS={kills}"));
    while !books.are_full(kills, kills >= THOROUGH) {
        let profile = Profile::ALL[stores / Service::ALL.len() % Profile::ALL.len()];
        stores += Service::ALL.len();
        let world = |service| World::new(service, profile, &library, Base::File);
        let mut worlds = Service::ALL.map(world);
        for _ in 0..if kills < THOROUGH { ROUNDS.0 } else { ROUNDS.1 } {
            rounds += 1;
            let (world, book) = books.next_of(&mut worlds);
            let mails = mails(profile, rounds, &mut dice);
            delivered += mails.len();
            world.deliver(mails);
            round(world, book, &mut dice);
            world.check_at_end();
        }
    }
    let took = started.elapsed().as_secs();
    say(&format!(
        "{}, {delivered} mails, {rounds} rounds, {stores} store files, {took} s, SEED={seed}\n{}",
        books.told(),
        books.listed()
    ));
    let [_, graph] = &books.0;
    if kills >= SHORT {
        assert!(graph.hits[PARTS] > 0, "no batch of moves was half done");
        assert!(
            graph.half_done > 0,
            "no log was left with half of its moves"
        );
        assert!(graph.hits["move_to.after"] > 0, "no answer was lost");
    }
    if kills >= THOROUGH {
        books.0.iter().for_each(every_point_was_hit);
    }
}

pub(crate) fn every_point_was_hit(book: &Book) {
    let missed: Vec<_> = book.hits.iter().filter(|it| *it.1 == 0).collect();
    assert!(missed.is_empty(), "never hit: {missed:?}");
    // Only Graph moves a batch part by part.
    let over_graph = book.hits.contains_key(PARTS);
    let made = |call: &&str| !over_graph || !OVER_EWS.contains(call);
    for call in CALLS.into_iter().filter(made) {
        for moment in ["before", "after"] {
            let point = format!("{call}.{moment}");
            assert!(book.hits.contains_key(&point), "{point} was never passed");
        }
    }
}
