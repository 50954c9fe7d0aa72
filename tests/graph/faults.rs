//! Every fault of the simulated Graph at every step of the job: nothing lost, nothing twice, everything done in the end.

use std::time::Duration;

use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation};

use crate::end_to_end::{Office, offers};

const MAILS: usize = 45;

pub(crate) fn kinds() -> Vec<GraphFaultKind> {
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
        part_error(3, 507, "ErrorQuotaExceeded"),
        part_error(1, 401, "InvalidAuthenticationToken"),
        part_error(4, 403, "ErrorAccessDenied"),
        GraphFaultKind::ClaimsChallenge,
        GraphFaultKind::Delay(Duration::from_millis(5)),
        GraphFaultKind::LoneSurrogate("Offer 00007".into()),
        GraphFaultKind::OddField("Offer 00007".into()),
    ]
}

fn part_error(index: usize, status: u16, code: &str) -> GraphFaultKind {
    GraphFaultKind::PartError {
        index,
        status,
        code: code.into(),
        retry_after: None,
    }
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
        let statistics = office.graph.statistics();
        assert_eq!(statistics.back_off_violations, 0, "{what}");
        assert!(statistics.most_concurrent_of_mailbox <= 4, "{what}");
        if (queued, office.logged().await.len()) == (0, MAILS) {
            break;
        }
        office.graph.clear_faults();
        office.later().await;
    }
    assert_eq!(office.counts(), (0, MAILS), "{what}");
    assert_eq!(office.logged().await, offers(MAILS), "{what}");
}

/// One run with a fault. Answers whether the fault happened.
async fn survives(kind: GraphFaultKind, operation: GraphOperation, call: u64) -> bool {
    let what = format!("{} at call {call} of {operation:?}", kind.name());
    let office = Office::with(|it| it).await;
    office.deliver(0..MAILS, 100);
    let fault = GraphFault::new(kind).on(operation).at_call(call);
    office.graph.inject(fault);
    until_done(&office, &what).await;
    !office.graph.faults_fired().is_empty()
}

/// At the first call, the second, and so on until there is none any more.
async fn every_kind_at_every(operation: GraphOperation) {
    for kind in kinds() {
        let mut call = 1;
        while survives(kind.clone(), operation, call).await {
            call += 1;
        }
        assert!(call > 1, "{operation:?} is never called");
    }
}

async fn every_kind_at(operation: GraphOperation, call: u64) {
    for kind in kinds() {
        assert!(
            survives(kind, operation, call).await,
            "{operation:?} {call}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_every_list_is_survived() {
    every_kind_at_every(GraphOperation::ListMessages).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_every_batch_is_survived() {
    every_kind_at_every(GraphOperation::Batch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_moved_part_is_survived() {
    for call in [7, 45] {
        every_kind_at(GraphOperation::MoveMessage, call).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_fetched_part_is_survived() {
    every_kind_at(GraphOperation::GetMime, 7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_opening_a_folder_is_survived() {
    every_kind_at_every(GraphOperation::ListChildFolders).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_while_moves_in_doubt_are_looked_up_is_survived() {
    for kind in kinds() {
        for (operation, call) in [(GraphOperation::Batch, 1), (GraphOperation::GetMessage, 7)] {
            let what = format!("{} while looking up", kind.name());
            let office = Office::with(|it| it).await;
            office.deliver(0..MAILS, 100);
            let lost = GraphFault::new(GraphFaultKind::LoseReply);
            office
                .graph
                .inject(lost.on(GraphOperation::MoveMessage).at_call(7));
            let _ = office.logger().run_once().await;
            assert_eq!(office.graph.faults_fired().len(), 1, "{what}");
            office.later().await;
            let fault = GraphFault::new(kind.clone()).on(operation);
            office.graph.inject(fault.at_call(call));
            until_done(&office, &what).await;
            assert_eq!(office.graph.faults_fired().len(), 2, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_faults_in_one_run_are_survived() {
    let kinds = [
        GraphFaultKind::LoseReply,
        GraphFaultKind::DropBefore,
        GraphFaultKind::MissingParts(3),
        GraphFaultKind::Throttled {
            retry_after: Some(Duration::from_secs(5)),
        },
        part_error(2, 401, "InvalidAuthenticationToken"),
    ];
    for first in &kinds {
        for second in &kinds {
            for (one, other) in [(2, 3), (4, 5), (4, 7)] {
                let what = format!("{} at {one}, {} at {other}", first.name(), second.name());
                let office = Office::with(|it| it).await;
                office.deliver(0..MAILS, 100);
                for (kind, call) in [(first, one), (second, other)] {
                    let fault = GraphFault::new(kind.clone()).on(GraphOperation::Batch);
                    office.graph.inject(fault.at_call(call));
                }
                until_done(&office, &what).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_leaves_the_original_ends_with_one_entry_and_a_copy_in_storage() {
    let office = Office::with(|it| it).await;
    office.deliver(0..MAILS, 100);
    let fault = GraphFault::new(GraphFaultKind::MoveLeavesOriginal);
    office
        .graph
        .inject(fault.on(GraphOperation::MoveMessage).at_call(4));
    let mut noted = 0;
    for _ in 0..4 {
        let report = office.logger().run_once().await.unwrap();
        noted += report.duplicate_copies;
        office.later().await;
    }
    assert_eq!(noted, 1, "the second copy is noted, once");
    let (queued, stored) = office.counts();
    assert_eq!((queued, stored), (0, MAILS + 1));
    assert_eq!(office.logged().await, offers(MAILS));
}
