//! Changes of a folder: delta.

use email_logging::testkit::graph::{GraphFault, GraphFaultKind};
use serde_json::json;

use super::client::{ARCHIVE, INBOX, get_immutable, mail, started};

const DELTA: &str = "/mailFolders/inbox/messages/delta?$select=subject&$top=2";

#[tokio::test]
async fn a_round_tells_all_and_the_next_one_only_what_has_changed() {
    let graph = started().await;
    let ids: Vec<_> = (1..=3)
        .map(|number| graph.deliver(INBOX, mail(number)).unwrap())
        .collect();
    let first = get_immutable(&graph, DELTA).await;
    assert_eq!(first.each("subject"), ["Offer 1", "Offer 2"]);
    let next = first.json["@odata.nextLink"].as_str().unwrap();
    let second = get_immutable(&graph, next).await;
    assert_eq!(second.each("subject"), ["Offer 3"]);
    let link = second.json["@odata.deltaLink"].as_str().unwrap();
    let nothing = get_immutable(&graph, link).await;
    assert_eq!(nothing.json["value"], json!([]));
    let link = nothing.json["@odata.deltaLink"].as_str().unwrap();
    graph.move_item(&ids[0], ARCHIVE).unwrap();
    let new = graph.deliver(INBOX, mail(4)).unwrap();
    let changed = get_immutable(&graph, link).await.json;
    assert_eq!(changed["value"][0]["id"], json!(new));
    assert_eq!(changed["value"][0]["subject"], json!("Offer 4"));
    assert_eq!(
        changed["value"][1],
        json!({"id": ids[0], "@removed": {"reason": "deleted"}})
    );
}

#[tokio::test]
async fn a_forgotten_token_is_gone_and_a_foreign_one_invalid() {
    let graph = started().await;
    let first = get_immutable(&graph, DELTA).await;
    let link = first.json["@odata.deltaLink"].as_str().unwrap();
    graph.forget_delta_tokens();
    let gone = get_immutable(&graph, link).await;
    assert_eq!((gone.status, gone.code()), (410, "SyncStateNotFound"));
    let nonsense = "/mailFolders/inbox/messages/delta?$deltatoken=nonsense";
    let nonsense = get_immutable(&graph, nonsense).await;
    assert_eq!(
        (nonsense.status, nonsense.code()),
        (400, "InvalidDeltaToken")
    );
    let fresh = get_immutable(&graph, DELTA).await;
    let link = fresh.json["@odata.deltaLink"].as_str().unwrap();
    graph.inject(GraphFault::new(GraphFaultKind::SyncStateGone));
    assert_eq!(get_immutable(&graph, link).await.status, 410);
    assert_eq!(get_immutable(&graph, link).await.status, 200);
}
