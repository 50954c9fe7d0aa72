//! Whatever becomes of the hints, everything is logged exactly once, and runs keep their distance.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;

use email_logging::logger::{LoggerPool, PoolSettings, Schedule};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use proptest::prelude::*;

use crate::desk::{Desk, Ran, pass};

/// What becomes of the hint about a delivery.
#[derive(Debug, Clone, Copy)]
enum Hint {
    Lost,
    Once,
    Often,
    /// So many seconds later.
    Late(u32),
}

#[derive(Debug, Clone)]
struct Step {
    mails: u32,
    hint: Hint,
    /// Seconds until the next step.
    wait: u32,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let hint = prop_oneof![
        Just(Hint::Lost),
        Just(Hint::Once),
        Just(Hint::Often),
        (1_u32..90).prop_map(Hint::Late),
    ];
    let step = (0_u32..3, hint, 0_u32..60);
    let step = step.prop_map(|(mails, hint, wait)| Step { mails, hint, wait });
    prop::collection::vec(step, 1..16)
}

/// Delivers and hints as planned; answers the seconds that it took.
fn play(desk: &Desk, steps: &[Step], mut second: impl FnMut()) -> u32 {
    let (mut late, mut time) = (Vec::new(), 0);
    for step in steps {
        desk.deliver(step.mails);
        match step.hint {
            Hint::Lost => {}
            Hint::Once => desk.signal.wake(),
            Hint::Often => (0..7).for_each(|_| desk.signal.wake()),
            Hint::Late(by) => late.push(time + by),
        }
        for _ in 0..step.wait {
            second();
            time += 1;
            late.iter()
                .filter(|at| **at == time)
                .for_each(|_| desk.signal.wake());
        }
    }
    time
}

fn judge(desk: &Desk, ran: &[Ran], pause: i64) -> Result<(), TestCaseError> {
    prop_assert_eq!(desk.places(), [0, desk.delivered()]);
    let logged = desk.logged();
    let distinct: BTreeSet<_> = logged.iter().collect();
    prop_assert_eq!(
        (logged.len(), distinct.len()),
        (desk.delivered(), desk.delivered())
    );
    let sum: u64 = ran.iter().map(|(_, result)| result.unwrap()).sum();
    prop_assert_eq!(sum, desk.delivered() as u64);
    for pair in ran.windows(2) {
        prop_assert!(pair[1].0 - pair[0].0 >= pause, "{:?}", ran);
        prop_assert!(pair[1].0 - pair[0].0 <= 600, "{:?}", ran);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_a_schedule_everything_is_logged_once(steps in steps()) {
        let desk = Desk::new("queue", &ManualClock::default());
        let schedule = Schedule::default();
        let logger = desk.hinted();
        let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
        play(&desk, &steps, || pass(&desk.clock, &mut run, 1));
        pass(&desk.clock, &mut run, 660);
        judge(&desk, &desk.ran(), 10)?;
    }

    #[test]
    fn in_a_pool_everything_is_logged_once(first in steps(), second in steps()) {
        let clock = ManualClock::default();
        let desks = [Desk::new("first", &clock), Desk::new("second", &clock)];
        let pool = LoggerPool::new(PoolSettings::default())
            .with_clock(Arc::new(clock.clone()), Arc::new(SeededEntropy::new(9)));
        for desk in &desks {
            pool.add(desk.hinted()).unwrap();
        }
        let mut notes = desks.each_ref().map(|desk| (desk.name, desk.note()));
        let mut run = Box::pin(pool.run(pending(), move |mailbox, result| {
            let mut notes = notes.iter_mut();
            let name = mailbox.mailbox.to_string();
            notes.find(|(known, _)| *known == name).unwrap().1(result);
        }));
        play(&desks[0], &first, || pass(&clock, &mut run, 1));
        play(&desks[1], &second, || pass(&clock, &mut run, 1));
        pass(&clock, &mut run, 600);
        for desk in &desks {
            judge(desk, &desk.ran(), 10)?;
        }
    }
}
