//! A run of the logger behind the validator: what a host's requests look like.

use std::sync::Arc;
use std::time::Duration;

use email_logging::EmailLogger;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::parties::ContactKind;
use email_logging::source::graph::GraphDelta;
use email_logging::source::{FolderPath, MailSource as _};
use email_logging::store::MemoryStore;
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::Delivery;
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation};

use super::checked::{CheckedGraph, INBOX, MAILBOX};
use super::source::source;

const MAILS: usize = 45;
/// More than a mail may have to be fetched in a batch.
const LARGE: usize = 1_500_000;

pub(crate) fn mail(number: usize) -> String {
    let lines = if number == 7 { LARGE / 64 } else { 1 };
    format!(
        "From: Ada <ada@contacts.example>\r\nTo: ah@ours.example\r\nSubject: Offer {number}\r\n\
         Message-ID: <{number}@contacts.example>\r\n\r\n{}",
        format!("{}\r\n", "x".repeat(62)).repeat(lines)
    )
}

pub(crate) fn people() -> MemoryDirectory {
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AH", "Anna Hill", "ah@ours.example"))
        .with_contact(
            ContactRecord::new("C1", "Ada", ContactKind::Person).with_email("ada@contacts.example"),
        )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_the_logger_fits_the_metadata() {
    let Some(checked) = CheckedGraph::start().await else {
        return;
    };
    let source = source(&checked, MAILBOX);
    let queue: FolderPath = r"mailbox:\Inbox\".parse().unwrap();
    let folder = source.open_folder(&queue.clone().into()).await.unwrap();
    let delta = GraphDelta::new(source.clone(), folder, Duration::from_mins(1));
    delta.look().await.unwrap();
    for number in 0..MAILS {
        // Changes are asked for from now on, and the store's own clock is behind.
        let now = Delivery::new(mail(number)).with_received(jiff::Timestamp::now());
        checked.graph.deliver_with(INBOX, now).unwrap();
    }
    assert!(delta.look().await.unwrap());
    let logger = EmailLogger::builder()
        .with_source(Arc::new(source))
        .with_directory(Arc::new(people()))
        .with_store(Arc::new(MemoryStore::new()))
        .with_queue_folder(queue)
        .with_storage_folder(r"mailbox:\Archive\".parse::<FolderPath>().unwrap())
        .build()
        .unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (45, 45), "{report:?}");
    let books = checked.graph.statistics();
    assert_eq!(books.calls(GraphOperation::MoveMessage), 45);
    checked.assert_clean_and_compared(90, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_with_faults_are_met_by_the_source_and_fit_the_metadata() {
    let Some(checked) = CheckedGraph::start().await else {
        return;
    };
    // The comparison asks twice, which would use faults up.
    checked.relay.compare_batches(false);
    let second = Some(Duration::from_secs(1));
    let error = |status, code: &str| GraphFaultKind::Error {
        status,
        code: code.to_owned(),
        retry_after: second,
    };
    let throttled = GraphFaultKind::Throttled {
        retry_after: second,
    };
    let faults = [
        (throttled.clone(), GraphOperation::ListMessages),
        (error(503, "serviceNotAvailable"), GraphOperation::GetMime),
        (throttled, GraphOperation::GetMime),
        (error(500, "generalException"), GraphOperation::MoveMessage),
        (error(404, "ErrorItemNotFound"), GraphOperation::MoveMessage),
        (error(504, "gatewayTimeout"), GraphOperation::ListMessages),
        (GraphFaultKind::Unauthorized, GraphOperation::ListMessages),
    ];
    for (at, (kind, operation)) in faults.iter().enumerate() {
        let fault = GraphFault::new(kind.clone()).on(*operation);
        checked.graph.inject(fault.at_call(at as u64 / 3 + 1));
    }
    for number in 0..25 {
        checked.graph.deliver(INBOX, mail(number)).unwrap();
    }
    // What failed is tried again when it is due.
    let clock = ManualClock::at(jiff::Timestamp::now());
    let logger = EmailLogger::builder()
        .with_clock(Arc::new(clock.clone()))
        .with_source(Arc::new(source(&checked, MAILBOX)))
        .with_directory(Arc::new(people()))
        .with_store(Arc::new(
            MemoryStore::new().with_clock(Arc::new(clock.clone())),
        ))
        .with_queue_folder(r"mailbox:\Inbox\".parse::<FolderPath>().unwrap())
        .with_storage_folder(r"mailbox:\Archive\".parse::<FolderPath>().unwrap())
        .build()
        .unwrap();
    let (mut entries, mut runs) = (0, 0);
    while checked.graph.count(INBOX).unwrap() > 0 && runs < 6 {
        let report = match logger.run_once().await {
            Ok(report) => report,
            Err(failed) => *failed.report,
        };
        entries += report.entries;
        runs += 1;
        clock.advance(Duration::from_hours(1));
    }
    assert_eq!((entries, checked.graph.count(INBOX).unwrap()), (25, 0));
    assert!(checked.graph.faults_fired().len() >= 5);
    checked.assert_clean(60);
}
