//! The whole way on the simulated Graph: bytes, counts of requests, immutable ids, how many are open at once.

use std::sync::Arc;

use email_logging::message::{ItemClass, Sensitivity};
use email_logging::source::{Disposal, ListRequest, MailSource, SightingKey, Sought};
use email_logging::testkit::exchange::Delivery;
use email_logging::testkit::graph::GraphOperation;

use crate::support::*;

#[tokio::test]
async fn mail_goes_the_whole_way_with_every_byte() {
    let graph = graph_with(|builder| builder.with_chunk_size(1000)).await;
    let sizes = [0, 1, 2, 3, 5_000, 900_000, 1_100_000, 3_000_000];
    for (number, size) in sizes.into_iter().enumerate() {
        graph.deliver(QUEUE, mail(number, size)).unwrap();
    }
    let (source, _) = source(&graph);
    let (queue, storage) = opened(&source).await;
    let items = all(&source, &queue).await;
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    for (number, size) in sizes.into_iter().enumerate() {
        let whole = sink.got[number] == Got::Complete(mail(number, size));
        assert!(whole, "mail {number}");
        let facts = sink.facts[number].as_ref().unwrap();
        let id = format!("<{number}@example.com>");
        assert_eq!(facts.message_id.as_deref(), Some(&*id));
        assert_eq!(facts.subject, Some(format!("Mail {number}")));
        let from = facts.from.as_ref().unwrap();
        assert_eq!(from.address.as_deref(), Some("a@example.com"));
        assert_eq!(facts.class, Some(ItemClass::Mail));
    }
    assert!(sink.largest <= 256 << 10, "{}", sink.largest);
    let moved = source
        .move_to(&queue, &ids(&items), &storage)
        .await
        .unwrap();
    let same = items.iter().map(|row| format!("done {}", row.item.id));
    assert_eq!(moves(&moved), same.collect::<Vec<_>>(), "ids are immutable");
    let sought: Vec<Sought> = items
        .iter()
        .map(|row| row.key.clone().unwrap().into())
        .collect();
    let found = source.locate(&storage, &sought).await.unwrap();
    for (row, copies) in items.iter().zip(&found) {
        assert_eq!(copies, std::slice::from_ref(&row.item));
    }
    let counts = (graph.count(QUEUE).unwrap(), graph.count(STORAGE).unwrap());
    assert_eq!(counts, (0, sizes.len()));
}

#[tokio::test]
async fn a_thousand_mails_take_1_list_and_50_batches_to_fetch_and_50_to_move() {
    let graph = graph().await;
    for number in 0..1000 {
        graph.deliver(QUEUE, mail(number, 100)).unwrap();
    }
    let (source, clock) = source(&graph);
    let (queue, storage) = opened(&source).await;
    let before = graph.statistics();
    let items = all(&source, &queue).await;
    assert_eq!(items.len(), 1000);
    for items in items.chunks(20) {
        let mut sink = Collect::default();
        source.fetch(&queue, items, &mut sink).await.unwrap();
        assert!(sink.got.iter().all(|got| matches!(got, Got::Complete(_))));
        source.move_to(&queue, &ids(items), &storage).await.unwrap();
    }
    let after = graph.statistics();
    assert_eq!(after.requests - before.requests, 101);
    assert_eq!(after.http_requests_of(GraphOperation::Batch), 100);
    assert_eq!(after.http_requests_of(GraphOperation::ListMessages), 1);
    assert_eq!(after.calls(GraphOperation::GetMime), 1000);
    assert_eq!(after.calls(GraphOperation::MoveMessage), 1000);
    assert_eq!(after.calls(GraphOperation::GetMessage), 0);
    assert_eq!(after.largest_batch, 20);
    assert_eq!(graph.count(STORAGE).unwrap(), 1000);
    assert!(clock.waits().is_empty());
}

#[tokio::test]
async fn every_call_wishes_immutable_ids_the_parts_of_batches_too() {
    let graph = graph_with(|builder| builder.with_recording(true)).await;
    for number in 0..3 {
        graph.deliver(QUEUE, mail(number, 100)).unwrap();
    }
    graph.deliver(QUEUE, mail(4, 2 << 20)).unwrap();
    let (source, _) = source(&graph);
    let (queue, storage) = opened(&source).await;
    let items = all(&source, &queue).await;
    source
        .fetch(&queue, &items, &mut Collect::default())
        .await
        .unwrap();
    source
        .move_to(&queue, &ids(&items), &storage)
        .await
        .unwrap();
    let sought: Vec<Sought> = items
        .iter()
        .map(|row| row.key.clone().unwrap().into())
        .collect();
    source.locate(&storage, &sought).await.unwrap();
    let removed = source
        .remove(&storage, &ids(&items), Disposal::Recoverable)
        .await;
    assert_eq!(removals(&removed.unwrap()), ["done"; 4]);
    for call in graph.recorded() {
        let prefer = call.headers.get("prefer").map(String::as_str);
        assert_eq!(prefer, Some("IdType=\"ImmutableId\""), "{call:?}");
        if call.operation == Some(GraphOperation::Batch) {
            let body: serde_json::Value = serde_json::from_slice(&call.request).unwrap();
            for part in body["requests"].as_array().unwrap() {
                assert_eq!(part["headers"]["Prefer"], "IdType=\"ImmutableId\"");
            }
        }
    }
    let statistics = graph.statistics();
    assert_eq!(
        statistics.immutable_calls,
        statistics.operations.values().sum::<u64>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_than_4_requests_are_open_at_once() {
    let graph = graph().await;
    for number in 0..400 {
        graph.deliver(QUEUE, mail(number, 2000)).unwrap();
    }
    let (source, _) = source_at(&service(&graph), |builder| builder.with_connections(40));
    assert_eq!(source.capabilities().connections, 4);
    let source = Arc::new(source);
    let (queue, _) = opened(&source).await;
    let items = all(&source, &queue).await;
    let mut running = Vec::new();
    for some in items.chunks(20) {
        let (source, queue, some) = (Arc::clone(&source), queue.clone(), some.to_vec());
        running.push(tokio::spawn(async move {
            let mut sink = Collect::default();
            source.fetch(&queue, &some, &mut sink).await.unwrap();
            assert_eq!(sink.got.len(), 20);
        }));
    }
    for one in running {
        one.await.unwrap();
    }
    let statistics = graph.statistics();
    assert!(statistics.most_concurrent_of_mailbox <= 4, "{statistics:?}");
    assert!(statistics.most_concurrent_of_mailbox >= 2, "{statistics:?}");
    assert_eq!(statistics.refused, 0);
}

#[tokio::test]
async fn facts_that_no_listing_told_are_asked_for_in_a_batch_of_their_own() {
    let graph = graph().await;
    for number in 0..3 {
        graph.deliver(QUEUE, mail(number, 100)).unwrap();
    }
    let (first, _) = source(&graph);
    let (queue, _) = opened(&first).await;
    let items = all(&first, &queue).await;
    let (second, _) = source(&graph);
    let before = graph.statistics().requests;
    let mut sink = Collect::default();
    second.fetch(&queue, &items, &mut sink).await.unwrap();
    assert_eq!(graph.statistics().requests - before, 2);
    let subject = sink.facts[2].as_ref().unwrap().subject.as_deref();
    assert_eq!(subject, Some("Mail 2"));
}

#[tokio::test]
async fn items_over_a_mebibyte_come_alone_and_the_others_in_batches_of_few_bytes() {
    let graph = graph().await;
    for (number, size) in [(0, 100), (1, 2 << 20), (2, 100)] {
        graph.deliver(QUEUE, mail(number, size)).unwrap();
    }
    for number in 3..23 {
        graph.deliver(QUEUE, mail(number, 900 << 10)).unwrap();
    }
    let (source, _) = source(&graph);
    let (queue, _) = opened(&source).await;
    let items = all(&source, &queue).await;
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    assert!(sink.got.iter().all(|got| matches!(got, Got::Complete(_))));
    let statistics = graph.statistics();
    assert_eq!(statistics.http_requests_of(GraphOperation::GetMime), 1);
    // One small; then with the other small one nine of 900 KiB, as 8 MiB hold; then nine; then two.
    assert_eq!(statistics.http_requests_of(GraphOperation::Batch), 4);
}

#[tokio::test]
async fn an_item_beyond_the_limit_is_not_asked_for() {
    let graph = graph().await;
    graph.deliver(QUEUE, mail(0, 100)).unwrap();
    graph.deliver(QUEUE, mail(1, 2 << 20)).unwrap();
    let (source, _) = source_at(&service(&graph), |it| it.with_largest_item(1 << 20));
    let (queue, _) = opened(&source).await;
    let items = all(&source, &queue).await;
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    assert_eq!(sink.got[1], Got::Failed("graph.item_too_large"));
    assert_eq!(sink.errors[0].item(), Some(&*items[1].item.id));
    let asked = graph.statistics().http_requests_of(GraphOperation::GetMime);
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn a_listing_tells_key_size_class_and_sensitivity_oldest_first_and_the_total() {
    let graph = graph().await;
    for number in 0..30 {
        graph.deliver(QUEUE, mail(number, 10 * number)).unwrap();
    }
    let private = [b"Sensitivity: Private\r\n".as_slice(), &mail(30, 10)].concat();
    graph.deliver_with(QUEUE, Delivery::new(private)).unwrap();
    let (source, _) = source(&graph);
    let (queue, _) = opened(&source).await;
    let first = source.list(&queue, ListRequest::new(0, 20)).await.unwrap();
    assert_eq!(
        (first.items.len(), first.total, first.complete),
        (20, Some(31), false)
    );
    let rest = source
        .list(&queue, ListRequest::new(20, 1000))
        .await
        .unwrap();
    assert_eq!((rest.items.len(), rest.complete), (11, true));
    let items = [first.items, rest.items].concat();
    for pair in items.windows(2) {
        assert!(pair[0].received <= pair[1].received);
    }
    for item in &items {
        assert!(
            matches!(item.key, Some(SightingKey::SearchKey(_))),
            "{item:?}"
        );
        assert!(item.size.is_some_and(|size| size > 0));
    }
    assert_eq!(items[30].sensitivity, Some(Sensitivity::Private));
}

#[tokio::test]
async fn what_is_removed_is_in_deleted_items_or_recoverable() {
    let graph = graph().await;
    for number in 0..2 {
        graph.deliver(QUEUE, mail(number, 10)).unwrap();
    }
    let (source, _) = source(&graph);
    let (queue, _) = opened(&source).await;
    let items = ids(&all(&source, &queue).await);
    for (item, disposal) in [(0, Disposal::DeletedItems), (1, Disposal::Recoverable)] {
        let one = &items[item..=item];
        let removed = source.remove(&queue, one, disposal).await.unwrap();
        assert_eq!(removals(&removed), ["done"]);
        let again = source.remove(&queue, one, disposal).await.unwrap();
        assert_eq!(removals(&again), ["gone"]);
    }
    let deleted = graph.count(r"log@corp.example\Deleted Items").unwrap();
    assert!(deleted >= 1);
    assert_eq!(graph.statistics().calls(GraphOperation::PermanentDelete), 0);
}

#[tokio::test]
async fn an_item_that_is_in_another_folder_by_now_is_gone_although_its_id_lives() {
    let graph = graph().await;
    graph.deliver(QUEUE, mail(0, 10)).unwrap();
    let (source, _) = source(&graph);
    let (queue, storage) = opened(&source).await;
    let items = all(&source, &queue).await;
    graph
        .move_item(&items[0].item.id, r"log@corp.example\Inbox")
        .unwrap();
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    assert_eq!(sink.got, [Got::Gone]);
    let moved = source
        .move_to(&queue, &ids(&items), &storage)
        .await
        .unwrap();
    assert_eq!(moves(&moved), ["gone"]);
    assert_eq!(graph.count(r"log@corp.example\Inbox").unwrap(), 1);
}

#[tokio::test]
async fn copies_are_found_by_key_and_a_message_by_its_id() {
    let graph = graph().await;
    for number in 0..5 {
        graph.deliver(QUEUE, mail(number, 10)).unwrap();
    }
    let (source, _) = source(&graph);
    let (queue, storage) = opened(&source).await;
    let items = all(&source, &queue).await;
    graph.copy_item(&items[2].item.id, STORAGE).unwrap();
    graph.copy_item(&items[2].item.id, STORAGE).unwrap();
    source
        .move_to(&queue, &ids(&items[..1]), &storage)
        .await
        .unwrap();
    let keys = [
        items[2].key.clone().unwrap(),
        SightingKey::ImmutableId(items[0].item.id.clone()),
        SightingKey::ImmutableId(items[1].item.id.clone()),
        items[3].key.clone().unwrap(),
        items[2].key.clone().unwrap(),
    ];
    let sought = keys.map(Sought::new);
    let found = source.locate(&storage, &sought).await.unwrap();
    let counts: Vec<_> = found.iter().map(Vec::len).collect();
    assert_eq!(counts, [2, 1, 0, 0, 2]);
    assert_eq!(found[1], [items[0].item.clone()]);
    let digest = SightingKey::Digest([1; 32]);
    let error = source.locate(&storage, &[digest.into()]).await.unwrap_err();
    assert_eq!(error.code(), "source.unsupported");
    // A ledger from before Graph may have stamps of EWS; they must not hold up its other moves.
    let stamp = SightingKey::Stamp([1; 16]);
    let found = source.locate(&storage, &[stamp.into()]).await.unwrap();
    assert_eq!(found, [Vec::new()]);
}
