//! Every fault of the calls that a run makes seldom: what is told of an item is so, and asking again ends well.

use std::time::Duration;

use email_logging::source::graph::{GraphDelta, GraphSource};
use email_logging::source::{Disposal, Folder, MailFolders, MailSource, Removed};
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation, SimulatedGraph};

use crate::faults::kinds;
use crate::support::*;

const MAILS: usize = 5;

struct Room {
    graph: SimulatedGraph,
    source: GraphSource,
    queue: Folder,
}

impl Room {
    async fn new() -> Self {
        let graph = graph().await;
        for number in 0..MAILS {
            graph.deliver(QUEUE, mail(number, 100)).unwrap();
        }
        let (source, _) = source(&graph);
        let (queue, _) = opened(&source).await;
        Self {
            graph,
            source,
            queue,
        }
    }

    fn inject(&self, kind: &GraphFaultKind, operation: GraphOperation, call: u64) -> String {
        let fault = GraphFault::new(kind.clone()).on(operation).at_call(call);
        self.graph.inject(fault);
        format!("{} at call {call} of {operation:?}", kind.name())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_to_be_removed_is_and_what_failed_can_be_removed_later() {
    for kind in kinds() {
        for (disposal, operation) in [
            (Disposal::DeletedItems, GraphOperation::MoveMessage),
            (Disposal::Recoverable, GraphOperation::DeleteMessage),
        ] {
            let room = Room::new().await;
            let items = ids(&all(&room.source, &room.queue).await);
            let what = room.inject(&kind, operation, 3);
            let removed = room.source.remove(&room.queue, &items, disposal).await;
            let left: Vec<String> = room
                .graph
                .items(QUEUE)
                .unwrap()
                .into_iter()
                .map(|it| it.id)
                .collect();
            for (item, answer) in items.iter().zip(removed.unwrap_or_default()) {
                if matches!(answer, Removed::Done | Removed::Gone) {
                    assert!(!left.contains(&item.id), "{what}");
                }
            }
            room.graph.clear_faults();
            let again = room.source.remove(&room.queue, &items, disposal).await;
            let failed = |answer: &Removed| matches!(answer, Removed::Failed(_));
            assert!(!again.unwrap().iter().any(failed), "{what}");
            assert_eq!(room.graph.count(QUEUE).unwrap(), 0, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_made_once_whatever_goes_wrong() {
    for kind in kinds() {
        for (operation, call) in [
            (GraphOperation::CreateChildFolder, 1),
            (GraphOperation::ListChildFolders, 1),
            (GraphOperation::ListChildFolders, 2),
        ] {
            let room = Room::new().await;
            let before = room.graph.statistics().calls(operation);
            let what = room.inject(&kind, operation, call);
            let path = path(r"mailbox:\Email Logging\Set aside");
            let first = room.source.create(&path).await;
            let again = room.source.create(&path).await.unwrap();
            if let Ok(first) = first {
                assert_eq!(first.id, again.id, "{what}");
            }
            let opened = room.source.open_folder(&path.clone().into()).await.unwrap();
            assert_eq!(opened.id, again.id, "{what}");
            assert!(room.graph.statistics().calls(operation) > before, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_that_are_asked_for_are_right_or_fail_with_their_item() {
    for kind in kinds() {
        for (operation, call) in [(GraphOperation::GetMessage, 3), (GraphOperation::Batch, 1)] {
            let room = Room::new().await;
            let items = all(&room.source, &room.queue).await;
            let (other, _) = source(&room.graph);
            let what = room.inject(&kind, operation, call);
            let mut sink = Collect::default();
            if other.fetch(&room.queue, &items, &mut sink).await.is_ok() {
                assert_eq!(sink.got.len(), MAILS, "{what}");
            }
            for (number, (got, facts)) in sink.got.iter().zip(&sink.facts).enumerate() {
                match (got, facts) {
                    (Got::Complete(bytes), Some(facts)) => {
                        assert_eq!(*bytes, mail(number, 100), "{what}");
                        let subject = facts.subject.as_deref();
                        assert_eq!(subject, Some(&*format!("Mail {number}")), "{what}");
                    }
                    (Got::Failed(_), None) => {}
                    (got, _) => panic!("{what}: {got:?}"),
                }
            }
            room.graph.clear_faults();
            let mut sink = Collect::default();
            other.fetch(&room.queue, &items, &mut sink).await.unwrap();
            assert!(
                sink.got.iter().all(|got| matches!(got, Got::Complete(_))),
                "{what}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_changes_that_fails_loses_no_news() {
    for kind in kinds() {
        let room = Room::new().await;
        let every = Duration::from_mins(1);
        let delta = GraphDelta::new(room.source.clone(), room.queue.clone(), every);
        assert!(!delta.look().await.unwrap());
        room.graph.deliver(QUEUE, mail(9, 10)).unwrap();
        let what = room.inject(&kind, GraphOperation::MessagesDelta, 1);
        let mut told = delta.look().await.unwrap_or(false);
        room.graph.clear_faults();
        told |= delta.look().await.unwrap_or(true);
        assert!(told, "{what}");
    }
}
