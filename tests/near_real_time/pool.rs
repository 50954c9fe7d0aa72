//! A pool with hints.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;

use email_logging::error::codes;
use email_logging::logger::{LoggerPool, PoolSettings};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};

use crate::desk::{Desk, Flood, pass};
use crate::office::error;

fn pool(clock: &ManualClock) -> LoggerPool {
    let settings = PoolSettings::default();
    LoggerPool::new(settings).with_clock(Arc::new(clock.clone()), Arc::new(SeededEntropy::new(9)))
}

/// Runs the pool, and notes the turns of each desk.
fn running<'a>(pool: &'a LoggerPool, desks: &[&Desk]) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    let mut notes: Vec<_> = desks.iter().map(|desk| (desk.name, desk.note())).collect();
    Box::pin(pool.run(pending(), move |mailbox, result| {
        let mut notes = notes.iter_mut();
        let note = notes.find(|(name, _)| *name == mailbox.mailbox.to_string());
        note.unwrap().1(result);
    }))
}

#[test]
fn a_hint_is_of_its_mailbox_alone() {
    let clock = ManualClock::default();
    let (first, second) = (Desk::new("first", &clock), Desk::new("second", &clock));
    let pool = pool(&clock);
    pool.add(first.hinted()).unwrap();
    pool.add(second.hinted()).unwrap();
    let mut run = running(&pool, &[&first, &second]);
    pass(&clock, &mut run, 30);
    assert_eq!(
        (first.ran(), second.ran()),
        (vec![(0, Ok(0))], vec![(0, Ok(0))])
    );
    first.deliver(1);
    second.deliver(1);
    first.signal.wake();
    pass(&clock, &mut run, 569);
    assert_eq!((first.ran(), second.ran()), (vec![(30, Ok(1))], vec![]));
    pass(&clock, &mut run, 1);
    assert_eq!(second.ran(), [(600, Ok(1))]);
}

#[test]
fn hints_without_an_end_make_one_turn_for_each_pause_and_delay_no_other() {
    let clock = ManualClock::default();
    let (loud, quiet) = (Desk::new("loud", &clock), Desk::new("quiet", &clock));
    let pool = pool(&clock);
    pool.add(loud.logger(vec![Arc::new(Flood)])).unwrap();
    pool.add(quiet.logger(Vec::new())).unwrap();
    let mut run = running(&pool, &[&loud, &quiet]);
    pass(&clock, &mut run, 35);
    let times: Vec<_> = loud.ran().into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [0, 10, 20, 30]);
    pass(&clock, &mut run, 570);
    let times: Vec<_> = quiet.ran().into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [0, 600]);
}

#[test]
fn a_hint_ends_no_back_off() {
    let clock = ManualClock::default();
    let desk = Desk::new("queue", &clock);
    let pool = pool(&clock);
    pool.add(desk.hinted()).unwrap();
    let fault = SourceFault::Error(error(&codes::EWS_THROTTLED));
    desk.source.fail_next(SourceOperation::OpenFolder, fault);
    let mut run = running(&pool, &[&desk]);
    pass(&clock, &mut run, 5);
    desk.signal.wake();
    pass(&clock, &mut run, 54);
    assert_eq!(desk.ran(), [(0, Err("ews.throttled"))]);
    // A minute, and up to a quarter more.
    pass(&clock, &mut run, 16);
    assert!(matches!(desk.ran()[..], [(60..=75, Ok(0))]));
}

#[test]
fn a_mailbox_that_leaves_is_not_listened_to_and_comes_back_with_its_hints() {
    let clock = ManualClock::default();
    let desk = Desk::new("queue", &clock);
    let pool = pool(&clock);
    let mailbox = pool.add(desk.hinted()).unwrap();
    let mut run = running(&pool, &[&desk]);
    pass(&clock, &mut run, 20);
    assert!(pool.remove(&mailbox));
    desk.signal.wake();
    pass(&clock, &mut run, 20);
    assert_eq!(desk.ran(), [(0, Ok(0))]);
    pool.add(desk.hinted()).unwrap();
    pass(&clock, &mut run, 20);
    // The hint that nobody heard is used up by the turn that is due at once.
    assert_eq!(desk.ran(), [(40, Ok(0))]);
    desk.signal.wake();
    pass(&clock, &mut run, 0);
    assert_eq!(desk.ran(), [(60, Ok(0))]);
}

#[test]
fn a_pool_that_is_dropped_and_run_again_listens_again() {
    let clock = ManualClock::default();
    let desk = Desk::new("queue", &clock);
    let pool = pool(&clock);
    pool.add(desk.hinted()).unwrap();
    {
        let mut run = running(&pool, &[&desk]);
        pass(&clock, &mut run, 20);
    }
    desk.deliver(1);
    desk.signal.wake();
    let mut run = running(&pool, &[&desk]);
    pass(&clock, &mut run, 0);
    assert_eq!(desk.ran(), [(0, Ok(0)), (20, Ok(1))]);
}
