//! Waking up by changes: a hint that is right where it can be, and starts anew where it cannot.

use std::time::Duration;

use email_logging::source::graph::GraphDelta;
use email_logging::source::{MailSource, Wakeup};
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation};

use crate::support::*;

const EVERY: Duration = Duration::from_mins(1);

/// A mail that is received after the time of the tests' clock.
fn deliver(graph: &email_logging::testkit::graph::SimulatedGraph, number: usize) {
    graph.deliver(QUEUE, mail(number, 10)).unwrap();
}

#[tokio::test]
async fn new_mail_is_news_once_and_a_move_away_is_none() {
    let graph = graph().await;
    let (source, _) = source(&graph);
    let (queue, storage) = opened(&source).await;
    let delta = GraphDelta::new(source.clone(), queue.clone(), EVERY);
    assert!(!delta.look().await.unwrap(), "the first look takes note");
    assert!(!delta.look().await.unwrap());
    deliver(&graph, 1);
    assert!(delta.look().await.unwrap());
    assert!(!delta.look().await.unwrap());
    let items = all(&source, &queue).await;
    source
        .move_to(&queue, &ids(&items), &storage)
        .await
        .unwrap();
    assert!(!delta.look().await.unwrap());
    assert_eq!(
        graph
            .statistics()
            .http_requests_of(GraphOperation::MessagesDelta),
        5
    );
}

#[tokio::test]
async fn where_the_service_has_forgotten_the_next_look_starts_anew() {
    let graph = graph().await;
    let (source, _) = source(&graph);
    let (queue, _) = opened(&source).await;
    let delta = GraphDelta::new(source, queue, EVERY);
    delta.look().await.unwrap();
    graph.forget_delta_tokens();
    assert!(delta.look().await.unwrap(), "something may have come");
    assert!(!delta.look().await.unwrap(), "it starts anew");
    deliver(&graph, 1);
    assert!(delta.look().await.unwrap());
    let gone = GraphFault::new(GraphFaultKind::SyncStateGone).on(GraphOperation::MessagesDelta);
    graph.inject(gone);
    assert!(delta.look().await.unwrap());
}

#[tokio::test]
async fn waiting_looks_at_every_interval_and_returns_with_news() {
    let graph = graph().await;
    let (source, clock) = source(&graph);
    let (queue, _) = opened(&source).await;
    let delta = GraphDelta::new(source, queue, EVERY);
    delta.look().await.unwrap();
    deliver(&graph, 1);
    delta.wait().await;
    assert_eq!(clock.waits(), [EVERY]);
}

#[tokio::test]
async fn a_look_that_fails_is_no_news_and_the_next_one_finds_the_mail() {
    let graph = graph().await;
    let (source, _) = source_at(&service(&graph), |it| it.with_repeats(0));
    let (queue, _) = opened(&source).await;
    let delta = GraphDelta::new(source, queue, EVERY);
    delta.look().await.unwrap();
    deliver(&graph, 1);
    graph.inject(GraphFault::new(GraphFaultKind::HtmlPage).on(GraphOperation::MessagesDelta));
    delta.wait().await;
    assert_eq!(graph.faults_fired().len(), 1);
}

#[tokio::test]
async fn a_missing_folder_is_an_error() {
    let graph = graph().await;
    let (source, _) = source(&graph);
    let (queue, _) = opened(&source).await;
    graph.delete_folder(QUEUE).unwrap();
    let delta = GraphDelta::new(source, queue, EVERY);
    assert_eq!(
        delta.look().await.unwrap_err().code(),
        "graph.folder_not_found"
    );
}
