//! Finding items again: by their ids first, by a walk through the folder where an id says nothing.

use std::sync::Arc;

use email_logging::source::{ItemRef, MailSource, SightingKey, Sought};
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation, SimulatedGraph};

use crate::end_to_end::{Office, offers};
use crate::support::*;

const STORED: usize = 10_000;
const PENDING: usize = 20;

fn fill_storage(graph: &SimulatedGraph) {
    for number in 0..STORED {
        graph.deliver(STORAGE, mail(number, 10)).unwrap();
    }
}

/// How many requests there were, and how many of them were pages of a folder.
fn asked(graph: &SimulatedGraph) -> (u64, u64) {
    let statistics = graph.statistics();
    let pages = statistics.http_requests_of(GraphOperation::ListMessages);
    (statistics.requests, pages)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_in_doubt_cost_two_requests_however_much_is_stored() {
    let office = Office::with(|it| it).await;
    fill_storage(&office.graph);
    office.deliver(0..PENDING, 100);
    let lost = GraphFault::new(GraphFaultKind::LoseReply).on(GraphOperation::Batch);
    office.graph.inject(lost.at_call(2));
    let logger = office.logger();
    let first = logger.run_once().await;
    assert!(first.is_err() || first.is_ok_and(|report| report.moved == 0));
    assert_eq!(office.counts(), (0, STORED + PENDING));
    office.later().await;
    let before = asked(&office.graph);
    let report = logger.run_once().await.unwrap();
    let after = asked(&office.graph);
    assert_eq!(report.recovered, u64::try_from(PENDING).unwrap());
    // Twenty ids are looked up for the storage folder and for the queue; then the queue is listed.
    assert_eq!((after.0 - before.0, after.1 - before.1), (3, 1));
    assert_eq!(office.logged().await, offers(PENDING));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_another_kind_cost_one_walk_and_are_never_sent() {
    let graph = graph_with(|it| it.with_recording(true)).await;
    fill_storage(&graph);
    let (source, _) = source(&graph);
    let (_, storage) = opened(&source).await;
    let every = 500;
    let mut old = Vec::new();
    for item in graph.items(STORAGE).unwrap().into_iter().step_by(every) {
        let key = SightingKey::SearchKey(item.search_key.unwrap().to_vec());
        let of_ews = ItemRef::new(format!("AAMk-of-ews-{}", old.len())).with_change_key("CQAAAA");
        old.push(Sought::new(key).with_item(of_ews));
    }
    assert_eq!(old.len(), PENDING);
    let before = asked(&graph);
    let found = source.locate(&storage, &old).await.unwrap();
    let after = asked(&graph);
    assert!(found.iter().all(|copies| copies.len() == 1), "{found:?}");
    let pages = u64::try_from(STORED / 1000).unwrap();
    assert_eq!((after.0 - before.0, after.1 - before.1), (pages, pages));
    for call in graph.recorded() {
        assert!(!call.target.contains("of-ews"), "{call:?}");
    }
}

#[tokio::test]
async fn a_walk_ends_with_the_page_that_has_the_last_of_what_is_looked_for() {
    let graph = graph().await;
    for number in 0..2500 {
        graph.deliver(STORAGE, mail(number, 10)).unwrap();
    }
    let items = graph.items(STORAGE).unwrap();
    let (source, _) = source(&graph);
    let (_, storage) = opened(&source).await;
    let key = |at: usize| SightingKey::SearchKey(items[at].search_key.unwrap().to_vec());
    let unknown = ItemRef::new("AAkALgAAAAAAHYQDEapmEc2byACqAC");
    let named = |at| Sought::new(key(at)).with_item(unknown.clone());
    let walks = [
        ("the newest", vec![named(2499)], 1),
        ("one of the second page", vec![named(2499), named(1400)], 2),
        ("the oldest", vec![named(0)], 3),
        ("every copy", vec![Sought::new(key(2499))], 3),
    ];
    for (what, sought, pages) in walks {
        let before = asked(&graph);
        let found = source.locate(&storage, &sought).await.unwrap();
        assert!(found.iter().all(|copies| copies.len() == 1), "{what}");
        assert_eq!(asked(&graph).1 - before.1, pages, "{what}");
    }
}

#[tokio::test]
async fn an_item_that_was_moved_elsewhere_is_settled_without_a_walk() {
    let graph = graph().await;
    for number in 0..3 {
        graph.deliver(QUEUE, mail(number, 10)).unwrap();
    }
    let (source, _) = source(&graph);
    let (queue, storage) = opened(&source).await;
    let items = all(&source, &queue).await;
    let sought = items.iter().map(|row| {
        let sought = Sought::new(row.key.clone().unwrap());
        sought.with_item(row.item.clone())
    });
    let sought: Vec<Sought> = sought.collect();
    graph.move_item(&items[0].item.id, STORAGE).unwrap();
    graph
        .move_item(&items[1].item.id, r"log@corp.example\Inbox")
        .unwrap();
    // A copy that somebody made is another item.
    graph.copy_item(&items[1].item.id, STORAGE).unwrap();
    let before = asked(&graph);
    let found = source.locate(&storage, &sought).await.unwrap();
    assert_eq!(found, [vec![items[0].item.clone()], vec![], vec![]]);
    let found = source.locate(&queue, &sought).await.unwrap();
    assert_eq!(found, [vec![], vec![], vec![items[2].item.clone()]]);
    let after = asked(&graph);
    assert_eq!((after.0 - before.0, after.1 - before.1), (2, 0));
}

#[tokio::test]
async fn an_id_that_is_gone_is_looked_for_by_its_key() {
    let graph = graph().await;
    graph.deliver(QUEUE, mail(0, 10)).unwrap();
    let (source, _) = source(&graph);
    let source = Arc::new(source);
    let (queue, storage) = opened(&source).await;
    let row = all(&source, &queue).await.remove(0);
    graph.copy_item(&row.item.id, STORAGE).unwrap();
    graph.copy_item(&row.item.id, STORAGE).unwrap();
    graph.remove_item(&row.item.id).unwrap();
    let sought = Sought::new(row.key.clone().unwrap()).with_item(row.item.clone());
    let found = source.locate(&storage, &[sought]).await.unwrap();
    assert_eq!(found[0].len(), 2);
    // Without a key there is nothing left to look for.
    let by_id = Sought::new(SightingKey::ImmutableId(row.item.id.clone()));
    let found = source.locate(&storage, &[by_id]).await.unwrap();
    assert_eq!(found, [Vec::new()]);
}
