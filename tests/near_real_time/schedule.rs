//! A logger on its schedule, with hints.

use std::future::pending;
use std::sync::Arc;

use async_trait::async_trait;
use email_logging::error::codes;
use email_logging::logger::Schedule;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::store::{HostReference, InteractionSink, SinkDelivery};
use email_logging::testkit::clock::ManualClock;
use email_logging::{Result, Scope};

use crate::desk::{Desk, Flood, pass, settle};
use crate::office::error;

fn schedule() -> Schedule {
    let mut schedule = Schedule::default();
    schedule.attempts = 1;
    schedule
}

fn desk() -> Desk {
    Desk::new("queue", &ManualClock::default())
}

#[test]
fn a_hint_brings_the_next_run_forward_and_a_lost_one_costs_only_the_schedule() {
    let (desk, schedule) = (desk(), schedule());
    let logger = desk.hinted();
    let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
    pass(&desk.clock, &mut run, 60);
    assert_eq!(desk.ran(), [(60, Ok(0))]);
    desk.deliver(1);
    pass(&desk.clock, &mut run, 40);
    assert_eq!(desk.ran(), []);
    desk.signal.wake();
    pass(&desk.clock, &mut run, 0);
    assert_eq!(desk.ran(), [(100, Ok(1))]);
    // This one nobody hints at.
    desk.deliver(1);
    pass(&desk.clock, &mut run, 600);
    assert_eq!(desk.ran(), [(700, Ok(1))]);
    assert_eq!(desk.places(), [0, 2]);
}

#[test]
fn a_hint_right_after_a_run_waits_for_the_pause_and_many_are_one() {
    let (desk, schedule) = (desk(), schedule());
    let logger = desk.hinted();
    let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
    pass(&desk.clock, &mut run, 60);
    for _ in 0..5 {
        desk.signal.wake();
        pass(&desk.clock, &mut run, 1);
    }
    pass(&desk.clock, &mut run, 5);
    assert_eq!(desk.ran(), [(60, Ok(0)), (70, Ok(0))]);
    pass(&desk.clock, &mut run, 599);
    assert_eq!(desk.ran(), []);
}

#[test]
fn hints_without_an_end_make_one_run_for_each_pause() {
    let (desk, schedule) = (desk(), schedule());
    let logger = desk.logger(vec![Arc::new(Flood), Arc::new(Flood)]);
    let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
    pass(&desk.clock, &mut run, 60 + 35);
    let times: Vec<_> = desk.ran().into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [60, 70, 80, 90]);
}

#[test]
fn the_first_run_keeps_its_time_and_a_hint_before_it_is_used_up_by_it() {
    let (desk, schedule) = (desk(), schedule());
    let logger = desk.hinted();
    let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
    desk.signal.wake();
    pass(&desk.clock, &mut run, 59);
    assert_eq!(desk.ran(), []);
    pass(&desk.clock, &mut run, 30);
    assert_eq!(desk.ran(), [(60, Ok(0))]);
}

#[test]
fn no_hint_hastens_the_run_after_a_failed_one() {
    let (desk, schedule) = (desk(), schedule());
    let logger = desk.hinted();
    let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
    let fault = SourceFault::Error(error(&codes::EWS_THROTTLED));
    desk.source.fail_next(SourceOperation::OpenFolder, fault);
    pass(&desk.clock, &mut run, 60);
    desk.signal.wake();
    pass(&desk.clock, &mut run, 599);
    assert_eq!(desk.ran(), [(60, Err("ews.throttled"))]);
    pass(&desk.clock, &mut run, 1);
    assert_eq!(desk.ran(), [(660, Ok(0))]);
    // From then on they do again.
    desk.signal.wake();
    pass(&desk.clock, &mut run, 10);
    assert_eq!(desk.ran(), [(670, Ok(0))]);
}

/// A host's log that takes nothing.
#[derive(Debug)]
struct Refusing;

#[async_trait]
impl InteractionSink for Refusing {
    async fn put(&self, _: &Scope, _: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        Err(error(&codes::SINK_FAILED))
    }
}

#[test]
fn a_mail_that_is_refused_by_itself_keeps_no_hint_from_hastening() {
    let (desk, schedule) = (desk(), schedule());
    let builder = desk.builder().with_sink(Arc::new(Refusing));
    let logger = builder.with_wakeup(Arc::new(desk.signal.clone()));
    let logger = logger.build().unwrap();
    let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
    desk.deliver(1);
    pass(&desk.clock, &mut run, 60);
    desk.signal.wake();
    pass(&desk.clock, &mut run, 10);
    let refused = Err("sink.failed");
    assert_eq!(desk.ran(), [(60, refused), (70, refused)]);
}

#[test]
fn a_hint_during_a_run_leads_to_another_one_after_the_pause() {
    let (desk, schedule) = (desk(), schedule());
    let logger = desk.hinted();
    let (signal, mut note, ended) = (desk.signal.clone(), desk.note(), Arc::clone(&desk.ran));
    let mut run = Box::pin(logger.run(&schedule, pending(), move |result| {
        // The run has listed and is not over yet.
        if ended.lock().unwrap().is_empty() {
            signal.wake();
        }
        note(result);
    }));
    pass(&desk.clock, &mut run, 100);
    assert_eq!(desk.ran(), [(60, Ok(0)), (70, Ok(0))]);
}

#[test]
fn a_schedule_that_is_dropped_in_its_wait_begins_anew_without_a_loss() {
    let (desk, schedule) = (desk(), schedule());
    let logger = desk.hinted();
    {
        let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
        pass(&desk.clock, &mut run, 65);
        desk.deliver(2);
        desk.signal.wake();
    }
    let mut run = Box::pin(logger.run(&schedule, pending(), desk.note()));
    assert!(settle(&mut run).is_none());
    pass(&desk.clock, &mut run, 60);
    assert_eq!(desk.ran(), [(60, Ok(0)), (125, Ok(2))]);
    assert_eq!(desk.logged().len(), 2);
}
