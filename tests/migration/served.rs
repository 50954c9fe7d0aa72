//! The same over both protocols: one mailbox of a simulated Exchange, read by EWS and then by Microsoft Graph.

use std::sync::Arc;
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::clock::Clock as _;
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::{Fault, FaultKind, Operation};
use email_logging::testkit::graph::{GraphFault, GraphFaultKind};

use crate::held::{Before, Held};
use crate::kinds::Kind;
use crate::office::{Office, archive, inbox};

fn with_key(_: u32) -> bool {
    false
}

fn every_fifth(number: u32) -> bool {
    number.is_multiple_of(5)
}

impl Office {
    async fn run(&self, kind: Kind) {
        let report = self.logger(kind, "worker-1").run_once().await.unwrap();
        assert!(report.closes() && report.skipped.is_none(), "{report:?}");
    }

    /// A run of EWS whose first moves happen, and whose answer is lost; the others never reach the server.
    async fn lose_an_answer(&self) {
        let lost = Fault::new(FaultKind::LoseReply).on(Operation::MoveItem);
        self.exchange.inject(lost);
        let run = self.logger(Kind::Ews, "worker-1").run_once().await;
        run.unwrap_err();
    }

    /// A person moves the first mails of a folder to another one.
    fn move_by_hand(&self, from: &str, to: &str, most: usize) {
        for item in self.exchange.items(from).unwrap().iter().take(most) {
            self.exchange.move_item(&item.id, to).unwrap();
        }
    }
}

#[tokio::test]
async fn graph_goes_on_over_the_wire_where_ews_was_cut_off() {
    let office = Office::open(60, 5, false).await;
    let mut all = office.deliver(&inbox(), 0..20, with_key);
    office.run(Kind::Ews).await;
    all += office.deliver(&inbox(), 20..40, with_key);
    office.lose_an_answer().await;
    let waiting = office.waiting().await;
    assert!(waiting.len() >= 5, "{}", waiting.len());
    // More mail, and mail that is known, delivered once more.
    all += office.deliver(&inbox(), 35..60, with_key);
    all += office.deliver(&inbox(), 0..5, with_key);
    office.go_on_with_graph("worker-1").await;
    office.assert_as_if_nothing_had_changed(all).await;
    office.assert_never_sent(&waiting);
}

#[tokio::test]
async fn a_ledger_of_ten_thousand_mails_goes_on_over_the_wire_and_writes_nothing_twice() {
    const MAILS: u32 = 10_000;
    let office = Office::open(MAILS + 300, 0, false).await;
    let mut all = office.deliver(&inbox(), 0..MAILS - 200, with_key);
    office.run(Kind::Ews).await;
    all += office.deliver(&inbox(), MAILS - 200..MAILS, with_key);
    office.lose_an_answer().await;
    let waiting = office.waiting().await;
    // The batch whose answer was lost; how many more were committed by then is a matter of time.
    assert!(waiting.len() >= 20, "{}", waiting.len());
    // A person puts a fifth of it back, mail comes once more, and new mail comes.
    office.move_by_hand(&archive(), &inbox(), 2_000);
    all += office.deliver(&inbox(), 3_000..3_200, with_key);
    all += office.deliver(&inbox(), MAILS..MAILS + 300, with_key);
    office.go_on_with_graph("worker-1").await;
    office.assert_as_if_nothing_had_changed(all).await;
    office.assert_never_sent(&waiting);
}

#[tokio::test]
async fn a_queue_in_the_public_folders_goes_on_in_the_mailbox() {
    let office = Office::open(300, 5, true).await;
    let queue = office.queue();
    office.deliver(&queue, 0..150, every_fifth);
    office.run(Kind::Ews).await;
    office.deliver(&queue, 150..200, every_fifth);
    office.lose_an_answer().await;
    let waiting = office.waiting().await;
    assert!(waiting.len() >= 5, "{}", waiting.len());
    office.deliver(&queue, 200..240, every_fifth);
    // What is left is moved in Outlook; from now on the rules copy to the mailbox, some mail once more.
    let left = office.exchange.count(&queue).unwrap();
    assert!(left > 40, "{left}");
    office.move_by_hand(&queue, &inbox(), left);
    let known = office.deliver(&inbox(), 0..40, every_fifth);
    let new = office.deliver(&inbox(), 240..300, every_fifth);
    office.go_on_with_graph("worker-1").await;
    office
        .assert_as_if_nothing_had_changed(left + known + new)
        .await;
    office.assert_never_sent(&waiting);
}

/// A mailbox that EWS was cut off from, with mail that waits, and what must lie in its archive in the end.
async fn cut_off() -> (Office, usize) {
    let office = Office::open(40, 5, false).await;
    let mut all = office.deliver(&inbox(), 0..12, every_fifth);
    office.run(Kind::Ews).await;
    all += office.deliver(&inbox(), 12..26, every_fifth);
    office.lose_an_answer().await;
    all += office.deliver(&inbox(), 26..40, every_fifth);
    all += office.deliver(&inbox(), 0..3, every_fifth);
    office.clock.advance(Duration::from_hours(48));
    (office, all)
}

/// A run of Graph that ends where it stands as soon as the server has come to its n-th request. Answers whether it did.
async fn ends_at(office: &Office, request: u64) -> bool {
    let delay = GraphFault::new(GraphFaultKind::Delay(Duration::from_hours(24)));
    office.graph.inject(delay.at_call(request));
    let logger = office.logger(Kind::Graph, "worker-2");
    let stands = async {
        while office.graph.faults_fired().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let ended = tokio::select! {
        report = logger.run_once() => {
            report.unwrap();
            false
        }
        () = stands => true,
    };
    office.graph.clear_faults();
    ended
}

#[tokio::test]
async fn a_first_run_of_graph_that_ends_at_any_request_writes_nothing_twice() {
    let mut request = 0;
    loop {
        request += 1;
        let (office, all) = cut_off().await;
        let ended = ends_at(&office, request).await;
        office.go_on_with_graph("worker-3").await;
        office.assert_as_if_nothing_had_changed(all).await;
        if !ended {
            break;
        }
    }
    assert!(request > 10, "a run has only {request} requests");
}

/// A worker that still has EWS stands before a call while its lease ends and another one goes on with Graph.
async fn overtaken(before: Before) {
    let (office, all) = cut_off().await;
    let source = Held::new(office.source(Kind::Ews), before);
    // Its clock stands as it does, so that it renews no lease.
    let clock = ManualClock::at(office.clock.now());
    let held = Arc::<Held>::clone(&source);
    let old = office.logger_of(held, Kind::Ews, ("worker-1", &clock));
    let old = tokio::spawn(async move { old.run_once().await });
    source.stands.notified().await;
    // As long as the lease lasts, nobody else goes on.
    let new = office.logger(Kind::Graph, "worker-2");
    let report = new.run_once().await.unwrap();
    assert!(report.skipped.is_some(), "{before:?}: {report:?}");
    office.go_on_with_graph("worker-2").await;
    source.goes_on.notify_one();
    match old.await.unwrap() {
        // There was nothing left in the queue.
        Ok(report) => assert_eq!((before, report.fetched), (Before::List, 0)),
        Err(refused) => assert_eq!(refused.error.kind(), ErrorKind::LeaseLost, "{before:?}"),
    }
    office.assert_as_if_nothing_had_changed(all).await;
    // And so it is after the next runs of both.
    office.clock.advance(Duration::from_hours(48));
    office.run(Kind::Ews).await;
    office.go_on_with_graph("worker-2").await;
    office.assert_as_if_nothing_had_changed(all).await;
}

#[tokio::test]
async fn a_worker_that_still_has_ews_writes_nothing_twice_beside_one_with_graph() {
    for before in [Before::List, Before::Fetch, Before::Move] {
        overtaken(before).await;
    }
}
