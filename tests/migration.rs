//! One mailbox, read first by one kind of mail system and then by another one that gives other ids and renders the same
//! mail in other bytes: nothing is logged twice, nothing is lost, and no id of the one kind is sent to the other.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::format_push_string,
    clippy::similar_names,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::field_reassign_with_default
)]

#[cfg(all(unix, feature = "postgres"))]
#[path = "support/postgres.rs"]
mod cluster;

#[cfg(all(feature = "ews", feature = "graph"))]
#[path = "migration/held.rs"]
mod held;
#[path = "migration/kinds.rs"]
mod kinds;
#[path = "migration/mails.rs"]
mod mails;
#[cfg(all(feature = "ews", feature = "graph"))]
#[path = "migration/office.rs"]
mod office;
#[cfg(all(feature = "ews", feature = "graph"))]
#[path = "migration/served.rs"]
mod served;
#[path = "migration/story.rs"]
mod story;

use std::sync::Arc;

use email_logging::source::SourceCapabilities;
use email_logging::store::{MemoryStore, SqliteOptions, SqliteStore};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};

use kinds::Kind;
use story::Story;

fn in_memory(clock: &ManualClock) -> Arc<MemoryStore> {
    let store = MemoryStore::new().with_clock(Arc::new(clock.clone()));
    Arc::new(store.with_entropy(Arc::new(SeededEntropy::new(7))))
}

#[tokio::test]
async fn a_ledger_of_ten_thousand_ews_mails_goes_on_with_graph_and_writes_nothing_twice() {
    let clock = ManualClock::default();
    let home = tempfile::tempdir().unwrap();
    let options = SqliteOptions::default().with_clock(Arc::new(clock.clone()));
    let store = SqliteStore::open_with(home.path().join("log.sqlite"), options).unwrap();
    store.migrate().await.unwrap();
    let story = Story::new(clock, Arc::new(store), 10_000);
    story.begin(Kind::Ews).await;
    story.wait();
    story.go_on(Kind::Graph).await;
    story.assert_as_if_nothing_had_changed().await;
    assert_eq!(story.foreign_ids(), 0, "no id of EWS was sent to Graph");
}

#[cfg(all(unix, feature = "postgres"))]
#[tokio::test]
async fn a_ledger_in_postgresql_goes_on_with_graph_and_writes_nothing_twice() {
    let Some(server) = cluster::server() else {
        return;
    };
    let store = Arc::new(server.store().await);
    // The times of the plans come from the database's clock.
    let clock = ManualClock::default();
    clock.set(email_logging::clock::Clock::now(
        &email_logging::clock::SystemClock,
    ));
    let story = Story::new(clock, store, 1_000);
    story.begin(Kind::Ews).await;
    story.go_on(Kind::Graph).await;
    story.assert_as_if_nothing_had_changed().await;
    assert_eq!(story.foreign_ids(), 0, "no id of EWS was sent to Graph");
}

#[tokio::test]
async fn the_way_back_from_graph_to_ews_writes_nothing_twice_either() {
    let clock = ManualClock::default();
    let story = Story::new(clock.clone(), in_memory(&clock), 400);
    story.begin(Kind::Graph).await;
    story.wait();
    story.go_on(Kind::Ews).await;
    story.assert_as_if_nothing_had_changed().await;
    assert_eq!(story.foreign_ids(), 0, "no id of Graph was sent to EWS");
}

#[tokio::test]
async fn without_a_change_of_kind_every_id_of_the_ledger_is_used_as_it_is() {
    let clock = ManualClock::default();
    let story = Story::new(clock.clone(), in_memory(&clock), 400);
    story.begin(Kind::Ews).await;
    story.go_on(Kind::Ews).await;
    story.assert_as_if_nothing_had_changed().await;
}

#[tokio::test]
async fn a_source_that_takes_every_id_for_its_own_is_sent_those_of_the_other_kind() {
    let clock = ManualClock::default();
    let story = Story::new(clock.clone(), in_memory(&clock), 400).with_every_id_taken_for_own();
    story.begin(Kind::Ews).await;
    story.wait();
    story.go_on(Kind::Graph).await;
    assert!(
        story.foreign_ids() > 0,
        "the look at the ids is no idle one"
    );
    story.assert_as_if_nothing_had_changed().await;
}

#[tokio::test]
async fn mail_without_a_search_key_is_recognised_by_its_message_id_and_its_decoded_parts() {
    let clock = ManualClock::default();
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.locate) = (false, false);
    let story = Story::new(clock.clone(), in_memory(&clock), 400)
        .with_capabilities(capabilities)
        .with_message_ids_everywhere();
    story.begin(Kind::Ews).await;
    story.wait();
    story.go_on(Kind::Graph).await;
    story.assert_as_if_nothing_had_changed().await;
    assert_eq!(story.foreign_ids(), 0, "no id of EWS was sent to Graph");
}

#[tokio::test]
async fn a_walk_over_the_folders_after_the_change_finds_nothing_missing() {
    let clock = ManualClock::default();
    let story = Story::new(clock.clone(), in_memory(&clock), 400);
    story.begin(Kind::Ews).await;
    story.reconcile(Kind::Graph).await;
    story.go_on(Kind::Graph).await;
    story.assert_as_if_nothing_had_changed().await;
    assert_eq!(story.foreign_ids(), 0, "no id of EWS was sent to Graph");
}

#[test]
fn both_kinds_render_every_mail_in_other_bytes() {
    for number in 0..40 {
        let ews = mails::render(number, Kind::Ews, 100, false);
        let graph = mails::render(number, Kind::Graph, 100, false);
        assert_ne!(ews, graph, "{number}");
        assert_eq!(mails::number_of(&graph), number);
    }
}
