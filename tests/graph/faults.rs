//! Every fault of the simulated Graph at every step of the job: nothing lost, nothing twice, everything done in the end.

use std::time::Duration;

use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation};

use crate::end_to_end::{Office, offers};

const MAILS: usize = 45;

fn kinds() -> Vec<GraphFaultKind> {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let error = |status, code: &str, retry_after| GraphFaultKind::Error {
        status,
        code: code.into(),
        retry_after,
    };
    let http = |status, retry_after| GraphFaultKind::Http {
        status,
        retry_after,
    };
    vec![
        GraphFaultKind::Throttled {
            retry_after: seconds(5),
        },
        GraphFaultKind::Throttled { retry_after: None },
        error(503, "serviceNotAvailable", seconds(9)),
        error(503, "serviceNotAvailable", None),
        error(500, "generalException", None),
        error(504, "UnknownError", None),
        error(500, "ErrorMailboxMoveInProgress", None),
        error(418, "ErrorOfTomorrow", None),
        http(502, None),
        http(504, None),
        http(429, seconds(3)),
        GraphFaultKind::Unauthorized,
        GraphFaultKind::LoseReply,
        GraphFaultKind::DropBefore,
        GraphFaultKind::TruncateBody(10),
        GraphFaultKind::OversizeBody(300 << 20),
        GraphFaultKind::InvalidJson,
        GraphFaultKind::WrongTypes,
        GraphFaultKind::DeepJson(100_000),
        GraphFaultKind::InvalidUtf8,
        GraphFaultKind::UnknownMembers,
        GraphFaultKind::HtmlPage,
        GraphFaultKind::RedirectTo("https://elsewhere.example/".into()),
        GraphFaultKind::MissingParts(3),
        GraphFaultKind::ReversedParts,
        GraphFaultKind::DuplicateParts,
        GraphFaultKind::DamagedBase64,
        GraphFaultKind::DuplicateItems,
        GraphFaultKind::NextLinkTo("https://elsewhere.example/v1.0/users/x/messages".into()),
        GraphFaultKind::PartError {
            index: 2,
            status: 429,
            code: "ApplicationThrottled".into(),
            retry_after: seconds(4),
        },
        GraphFaultKind::PartError {
            index: 0,
            status: 504,
            code: "UnknownError".into(),
            retry_after: None,
        },
    ]
}

/// Runs until everything is done; at most five times, with two hours between.
async fn until_done(office: &Office, what: &str) {
    let logger = office.logger();
    for _ in 0..5 {
        if let Ok(report) = logger.run_once().await {
            assert!(report.closes(), "{what}: {report:?}");
        }
        let (queued, stored) = office.counts();
        assert!(queued + stored >= MAILS, "{what}: lost");
        office.graph.clear_faults();
        office.later().await;
    }
    assert_eq!(office.counts(), (0, MAILS), "{what}");
    assert_eq!(office.logged().await, offers(MAILS), "{what}");
}

async fn every_kind_at(operation: GraphOperation, call: u64) {
    for kind in kinds() {
        let what = format!("{} at call {call} of {operation:?}", kind.name());
        let office = Office::with(|it| it).await;
        office.deliver(0..MAILS, 100);
        office
            .graph
            .inject(GraphFault::new(kind).on(operation).at_call(call));
        until_done(&office, &what).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_list_is_survived() {
    every_kind_at(GraphOperation::ListMessages, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_the_first_fetch_is_survived() {
    every_kind_at(GraphOperation::Batch, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_later_batches_is_survived() {
    for call in 2..=6 {
        every_kind_at(GraphOperation::Batch, call).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_moved_part_is_survived() {
    every_kind_at(GraphOperation::MoveMessage, 7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_fetched_part_is_survived() {
    every_kind_at(GraphOperation::GetMime, 7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_opening_a_folder_is_survived() {
    every_kind_at(GraphOperation::ListChildFolders, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_leaves_the_original_ends_with_one_entry_and_a_copy_in_storage() {
    let office = Office::with(|it| it).await;
    office.deliver(0..MAILS, 100);
    let fault = GraphFault::new(GraphFaultKind::MoveLeavesOriginal);
    office
        .graph
        .inject(fault.on(GraphOperation::MoveMessage).at_call(4));
    for _ in 0..4 {
        office.logger().run_once().await.unwrap();
        office.later().await;
    }
    let (queued, stored) = office.counts();
    assert_eq!((queued, stored >= MAILS), (0, true), "{stored}");
    assert_eq!(office.logged().await, offers(MAILS));
}
