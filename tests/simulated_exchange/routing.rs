//! Public folders are seen only from the mailbox that holds them.

use email_logging::testkit::exchange::SimulatedExchange;

use super::client::*;

/// A server that enforces routing, and a client that is led to the hierarchy.
async fn prepared() -> (SimulatedExchange, Client) {
    let exchange = builder()
        .with_routing_enforced("corp.example")
        .start()
        .await
        .unwrap();
    let hierarchy = exchange.hierarchy_address();
    let client = Client::of(&exchange).led_to("publicfolders@corp.example", &hierarchy);
    (exchange, client)
}

#[tokio::test]
async fn the_hierarchy_is_seen_from_its_own_mailbox() {
    let (exchange, client) = prepared().await;
    client.folder(QUEUE).await;
    let lost = Client::of(&exchange);
    let request = find_folder("Shallow", &distinguished("publicfoldersroot"), "");
    assert_eq!(lost.call(&request).await.codes(), ["ErrorFolderNotFound"]);
    let content = exchange.content_address(QUEUE).unwrap();
    let elsewhere = Client::of(&exchange).led_to(&content, &content);
    assert_eq!(
        elsewhere.call(&request).await.codes(),
        ["ErrorFolderNotFound"]
    );
}

#[tokio::test]
async fn a_folder_looks_empty_from_the_wrong_mailbox() {
    let (exchange, hierarchy) = prepared().await;
    let queue = hierarchy.folder(QUEUE).await;
    let id = exchange.deliver(QUEUE, mail(1)).unwrap();
    let right = exchange.content_address(QUEUE).unwrap();
    let wrong = exchange.content_address(ELSEWHERE).unwrap();
    assert_ne!(right, wrong);
    for (anchor, mailbox, found, code) in [
        (&right, &right, 1, "NoError"),
        (&wrong, &wrong, 0, "ErrorItemNotFound"),
        (&wrong, &right, 0, "ErrorItemNotFound"),
    ] {
        let client = Client::of(&exchange).led_to(anchor, mailbox);
        let list = client.call(find_item(&queue, (0, 10), "")).await;
        assert_eq!(
            (list.codes(), list.item_ids().len()),
            (vec!["NoError"], found)
        );
        assert_eq!(
            client.call(get_item(&[&id], "IdOnly", false)).await.codes(),
            [code]
        );
    }
}

#[tokio::test]
async fn a_move_is_led_by_its_source() {
    let (exchange, hierarchy) = prepared().await;
    let target = hierarchy.folder(ELSEWHERE).await;
    let id = exchange.deliver(QUEUE, mail(1)).unwrap();
    let request = move_item(&target, &[&id], true);
    assert_eq!(
        hierarchy.call(&request).await.codes(),
        ["ErrorItemNotFound"]
    );
    let source = exchange.content_address(QUEUE).unwrap();
    let client = Client::of(&exchange).led_to(&source, &source);
    assert_eq!(client.call(&request).await.codes(), ["NoError"]);
    assert_eq!(exchange.count(ELSEWHERE).unwrap(), 1);
}

#[tokio::test]
async fn mailboxes_need_no_route() {
    let (exchange, _) = prepared().await;
    let answer = Client::of(&exchange)
        .call(find_folder("Deep", &distinguished("root"), ""))
        .await;
    assert_eq!(answer.codes(), ["NoError"]);
    assert!(exchange.content_address(&format!(r"{USER}\Inbox")).is_err());
}
