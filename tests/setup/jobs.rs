//! The job is the original's: every 10 minutes, 3 attempts, from 60 seconds after now.

use std::time::Duration;

use email_logging::Scope;
use email_logging::clock::Clock as _;
use email_logging::logger::Schedule;
use email_logging::setup::{JobDescriptor, JobQueue as _, JobState, MemoryJobQueue};
use email_logging::testkit::clock::ManualClock;

#[test]
fn the_job_is_the_originals_and_the_loggers_schedule() {
    let clock = ManualClock::default();
    let job = JobDescriptor::enabled_at(clock.now());
    assert_eq!(job.every, Duration::from_mins(10));
    assert_eq!(job.maximum_attempts, 3);
    assert_eq!(job.earliest_start, clock.now_plus(Duration::from_mins(1)));
    let schedule = Schedule::default();
    assert_eq!(
        (schedule.every, schedule.attempts),
        (job.every, job.maximum_attempts)
    );
    assert_eq!(schedule.first_after, Duration::from_mins(1));
}

#[test]
fn a_job_is_overdue_after_three_intervals_without_success() {
    let clock = ManualClock::default();
    let state = JobState::new(JobDescriptor::enabled_at(clock.now()));
    let at = |minutes| clock.now_plus(Duration::from_mins(minutes));
    assert!(!state.is_overdue(at(31)), "it starts after a minute");
    assert!(state.is_overdue(at(32)));
    let ran = state.with_success(at(20));
    assert!(!ran.is_overdue(at(50)));
    assert!(ran.is_overdue(at(51)));
}

#[tokio::test]
async fn a_job_that_is_told_remembers_how_it_ended() {
    let clock = ManualClock::default();
    let (scope, jobs) = (Scope::default(), MemoryJobQueue::new());
    jobs.succeeded(&scope, clock.now());
    assert_eq!(jobs.state(&scope).await.unwrap(), None);
    let job = JobDescriptor::enabled_at(clock.now());
    jobs.enqueue(&scope, &job).await.unwrap();
    jobs.failed(&scope, clock.now(), "http.connect");
    let state = jobs.state(&scope).await.unwrap().unwrap();
    assert!(state.is_failing());
    assert_eq!(state.last_failure.unwrap().code, "http.connect");
    jobs.succeeded(&scope, clock.now_plus(Duration::from_mins(10)));
    assert!(!jobs.state(&scope).await.unwrap().unwrap().is_failing());
    jobs.remove(&scope).await.unwrap();
    assert_eq!(jobs.state(&scope).await.unwrap(), None);
}
