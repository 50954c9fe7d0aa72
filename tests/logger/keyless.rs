//! Mail without a key that survives a move: known by its content once it was read, and by where it lies before that.

use std::sync::Arc;
use std::time::Duration;

use email_logging::decision::LoggingPolicy;
use email_logging::error::codes;
use email_logging::logger::RunSettings;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{ItemRef, MailSource, MemorySource, SourceCapabilities};
use email_logging::store::{DecisionFilter, InteractionLog as _};
use email_logging::{Error, Scope};

use crate::bench::{Bench, mail, queue, storage};
use crate::meddled::{BeforeMove, Meddled};

/// A queue in which no item has a key, and that is listed by `page` items at a time.
pub(crate) fn keyless(page: u32) -> Bench {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.locate) = (false, false);
    capabilities.list_page = page;
    Bench::new().with_source(|source| source.with_capabilities(capabilities))
}

fn full() -> Error {
    Error::new(&codes::EWS_QUOTA, "planned")
}

async fn outcomes(bench: &Bench) -> Vec<String> {
    let filter = DecisionFilter::default();
    let page = bench
        .store
        .decisions(&Scope::default(), &filter, None, 100)
        .await;
    page.unwrap()
        .rows
        .into_iter()
        .map(|row| row.outcome)
        .collect()
}

#[tokio::test]
async fn what_could_not_be_moved_waits_for_its_next_attempt_and_is_not_read_again() {
    let bench = keyless(100);
    bench.deliver_numbers(0..2);
    let fault = SourceFault::ItemFailed(0, full());
    bench.source.fail_next(SourceOperation::MoveTo, fault);
    let report = bench.run().await.unwrap();
    assert_eq!((report.moved, report.moves_pending), (1, 1), "{report:?}");
    let read = bench.source.count(SourceOperation::Fetch);
    let moved = bench.source.count(SourceOperation::MoveTo);
    let report = bench.run().await.unwrap();
    assert_eq!((report.listed, report.deferred), (1, 1), "{report:?}");
    assert_eq!(bench.source.count(SourceOperation::Fetch), read);
    assert_eq!(bench.source.count(SourceOperation::MoveTo), moved);
    bench.clock.advance(Duration::from_hours(1));
    let report = bench.run().await.unwrap();
    assert_eq!((report.recovered, report.moved), (1, 1), "{report:?}");
    bench.assert_all_stored_and_logged_once(2).await;
    assert_eq!(outcomes(&bench).await, ["logged", "logged"]);
}

/// Every move of the source fails for each item by itself.
fn stuck(bench: &Bench) -> Arc<dyn MailSource> {
    let each_fails = |source: &MemorySource, items: &[ItemRef]| {
        assert_eq!(items.len(), 1, "by the size of a batch of moves");
        source.fail_next(SourceOperation::MoveTo, SourceFault::ItemFailed(0, full()));
        Ok(())
    };
    Arc::new(Meddled {
        source: bench.source.clone(),
        meddling: BeforeMove(each_fails),
    })
}

#[tokio::test]
async fn a_long_queue_that_nothing_leaves_is_read_once() {
    let bench = keyless(2);
    bench.deliver_numbers(0..30);
    let mut settings = RunSettings::default();
    (settings.move_batch, settings.fetch_batch) = (1, 2);
    let logger = bench.builder().with_source(stuck(&bench));
    let logger = logger.with_settings(settings).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!(
        (report.logged, report.moves_pending),
        (30, 30),
        "{report:?}"
    );
    assert_eq!(bench.source.count(SourceOperation::Fetch), 15);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.deferred, report.fetched), (30, 0), "{report:?}");
    assert_eq!(bench.source.count(SourceOperation::Fetch), 15);
}

#[tokio::test]
async fn what_stays_in_the_queue_takes_no_room_from_what_comes_behind_it() {
    let bench = keyless(100);
    for number in 0..3 {
        // Two authors: for a person, and without a folder for such mail it stays.
        let from = "ada@contacts.example, bob@contacts.example";
        let id = format!("two{number}@x.example");
        bench.deliver(mail(from, "ah@ours.example", "Whose?", &id));
    }
    bench.deliver_numbers(0..1);
    let mut settings = RunSettings::default();
    settings.batch_size = 3;
    let logger = bench.builder().with_settings(settings).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.quarantined, report.logged), (3, 0), "{report:?}");
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.deferred, report.logged), (3, 1), "{report:?}");
    assert_eq!((bench.queued(), bench.stored()), (3, 1));
}

#[tokio::test]
async fn an_attempt_that_failed_and_the_decision_are_of_one_sighting() {
    let bench = keyless(100);
    bench.deliver_numbers(0..1);
    let passing = SourceFault::ItemFailed(0, Error::new(&codes::EWS_UNAVAILABLE, "planned"));
    bench.source.fail_next(SourceOperation::Fetch, passing);
    let report = bench.run().await.unwrap();
    assert_eq!(report.pending, 1, "{report:?}");
    bench.clock.advance(Duration::from_hours(1));
    let moves = SourceFault::ItemFailed(0, full());
    bench.source.fail_next(SourceOperation::MoveTo, moves);
    let report = bench.run().await.unwrap();
    assert_eq!((report.logged, report.moves_pending), (1, 1), "{report:?}");
    // Not a sighting of its own, whose next attempt would be due by now.
    bench.clock.advance(Duration::from_secs(1));
    let report = bench.run().await.unwrap();
    assert_eq!((report.deferred, report.fetched), (1, 0), "{report:?}");
}

#[tokio::test]
async fn two_alike_that_wait_for_their_moves_are_both_known() {
    let bench = keyless(100);
    bench.deliver_numbers(0..1);
    bench.deliver_numbers(0..1);
    for nth in 1..=2 {
        let fault = SourceFault::ItemFailed(0, full());
        bench.source.fail_call(SourceOperation::MoveTo, nth, fault);
    }
    let mut settings = RunSettings::default();
    settings.move_batch = 1;
    let report = bench.run_with(settings).await.unwrap();
    assert_eq!((report.logged, report.already_logged), (1, 1), "{report:?}");
    assert_eq!(report.moves_pending, 2, "{report:?}");
    let report = bench.run().await.unwrap();
    assert_eq!((report.deferred, report.fetched), (2, 0), "{report:?}");
    bench.clock.advance(Duration::from_hours(1));
    let report = bench.run().await.unwrap();
    assert_eq!((report.recovered, bench.stored()), (2, 2), "{report:?}");
}

#[tokio::test]
async fn a_logged_mail_that_comes_back_is_not_deleted_though_its_contact_is_gone() {
    let bench = keyless(100);
    let policy = LoggingPolicy::business_central();
    assert!(policy.delete_not_logged);
    bench.deliver_numbers(0..1);
    let logger = bench.builder().with_policy(policy).build().unwrap();
    assert_eq!(logger.run_once().await.unwrap().logged, 1);
    bench.company.forget("ada@contacts.example");
    let [item] = bench.source.items(&storage()).try_into().unwrap();
    bench.source.move_by_hand(&item.item, &queue()).unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!(
        (report.already_logged, report.deleted),
        (1, 0),
        "{report:?}"
    );
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.recovered, report.deleted), (1, 0), "{report:?}");
    bench.assert_all_stored_and_logged_once(1).await;
    assert_eq!(outcomes(&bench).await, ["logged"], "the decision stays");
}
