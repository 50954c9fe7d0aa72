//! Every fault does what it says, once, and is reported.

use std::time::Duration;

use email_logging::testkit::exchange::{ByHand, Fault, FaultKind, Operation, SimulatedExchange};

use super::client::*;

const BACK_OFF: Duration = Duration::from_mins(5);

/// A server with three messages in the queue.
async fn prepared() -> (SimulatedExchange, Client, Vec<String>, String) {
    let exchange = builder().start().await.unwrap();
    let ids = (1..=3)
        .map(|number| exchange.deliver(QUEUE, mail(number)).unwrap())
        .collect();
    let client = Client::of(&exchange);
    let storage = client.folder(STORAGE).await;
    (exchange, client, ids, storage)
}

#[tokio::test]
async fn answers_instead_of_the_operation_have_no_effect() {
    for (kind, status, text) in [
        (
            FaultKind::ServerBusy { back_off: BACK_OFF },
            500,
            "Name=\"BackOffMilliseconds\">300000<",
        ),
        (
            FaultKind::SoapFault {
                code: "ErrorMailboxMoveInProgress".into(),
            },
            500,
            "a:ErrorMailboxMoveInProgress",
        ),
        (
            FaultKind::Http {
                status: 503,
                retry_after: None,
            },
            503,
            "",
        ),
        (FaultKind::HtmlPage, 200, "<html>"),
        (
            FaultKind::RedirectTo("https://127.0.0.1:1/".into()),
            302,
            "",
        ),
        (FaultKind::Unauthorized, 401, ""),
        (
            FaultKind::ServerBusyInside { back_off: BACK_OFF },
            200,
            "InnerErrorResponseCode\">ErrorServerBusy<",
        ),
    ] {
        let (exchange, client, ids, storage) = prepared().await;
        exchange.inject(Fault::new(kind.clone()).on(Operation::MoveItem));
        let answer = client.call(move_item(&storage, &ids, true)).await;
        assert_eq!(answer.status, status, "{kind:?}");
        assert!(answer.text.contains(text), "{kind:?}: {}", answer.text);
        assert_eq!(exchange.count(QUEUE).unwrap(), 3, "{kind:?}");
        assert_eq!(exchange.faults_pending(), 0, "{kind:?}");
        let fired = exchange.faults_fired();
        assert_eq!((fired.len(), &fired[0].kind, fired[0].call), (1, &kind, 1));
        assert_eq!(
            client.call(move_item(&storage, &ids, true)).await.status,
            200,
            "{kind:?}"
        );
        assert_eq!(exchange.count(QUEUE).unwrap(), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn retry_after_and_redirects_are_header_fields() {
    let (exchange, client, ..) = prepared().await;
    exchange.inject(Fault::new(FaultKind::Http {
        status: 429,
        retry_after: Some(BACK_OFF),
    }));
    exchange.inject(Fault::new(FaultKind::RedirectTo("https://127.0.0.1:1/".into())).at_call(2));
    let busy = client.call(get_folder(&distinguished("root"))).await;
    assert_eq!(
        (busy.status, &busy.headers["retry-after"]),
        (429, &"300".parse().unwrap())
    );
    let moved = client.call(get_folder(&distinguished("root"))).await;
    assert_eq!(moved.headers["location"], "https://127.0.0.1:1/");
}

#[tokio::test]
async fn a_connection_closes_before_or_after_the_effect() {
    for (kind, left) in [(FaultKind::DropBefore, 3), (FaultKind::LoseReply, 0)] {
        let (exchange, client, ids, storage) = prepared().await;
        exchange.inject(Fault::new(kind.clone()).on(Operation::MoveItem));
        assert!(
            client
                .try_call(move_item(&storage, &ids, true))
                .await
                .is_err(),
            "{kind:?}"
        );
        assert_eq!(exchange.count(QUEUE).unwrap(), left, "{kind:?}");
    }
}

#[tokio::test]
async fn an_answer_is_cut_short() {
    for chunk in [None, Some(1000)] {
        let mut builder = builder();
        if let Some(chunk) = chunk {
            builder = builder.with_chunk_size(chunk);
        }
        let fault = Fault::new(FaultKind::TruncateBody(200)).on(Operation::GetItem);
        let exchange = builder.with_fault(fault).start().await.unwrap();
        let id = exchange.deliver(QUEUE, mail(1)).unwrap();
        let client = Client::of(&exchange);
        assert!(
            client
                .try_call(get_item(&[&id], "IdOnly", true))
                .await
                .is_err()
        );
        assert_eq!(
            client.call(get_item(&[&id], "IdOnly", true)).await.codes(),
            ["NoError"]
        );
    }
}

#[tokio::test]
async fn answers_are_spoiled_after_the_effect() {
    for (kind, expected) in [
        (FaultKind::WrongNamespace, "http://schemas.example/exchange"),
        (FaultKind::DoctypeBody, "?><!DOCTYPE s:Envelope"),
        (FaultKind::NestedElements(100_000), "<t:Nested><t:Nested>"),
        (FaultKind::IllegalCharacterReference, "&#x0;"),
        (
            FaultKind::TextAfterEnvelope,
            "</s:Envelope>\r\n<!DOCTYPE html>",
        ),
    ] {
        let (exchange, client, ids, storage) = prepared().await;
        exchange.inject(Fault::new(kind.clone()).on(Operation::MoveItem));
        let answer = client.call(move_item(&storage, &ids, true)).await;
        assert!(answer.text.contains(expected), "{kind:?}");
        assert_eq!(exchange.count(QUEUE).unwrap(), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn an_answer_grows_beyond_all_limits() {
    let (exchange, client, ids, _) = prepared().await;
    exchange.inject(Fault::new(FaultKind::OversizeBody(5_000_000)).on(Operation::GetItem));
    let answer = client.call(get_item(&ids, "IdOnly", false)).await;
    assert!(answer.text.len() > 5_000_000 && answer.text.ends_with("</s:Body></s:Envelope>"));
}

#[tokio::test]
async fn a_subject_holds_a_forbidden_reference() {
    let (exchange, client, ids, _) = prepared().await;
    exchange.inject(Fault::new(FaultKind::IllegalCharacterReference).on(Operation::GetItem));
    let answer = client.call(get_item(&ids, "IdOnly", false)).await;
    assert_eq!(answer.subjects(), ["&#x0;Offer 1", "Offer 2", "Offer 3"]);
}

#[tokio::test]
async fn parts_of_a_batch_fail() {
    let error = |index| FaultKind::ItemError {
        index,
        code: "ErrorItemCorrupt".into(),
    };
    let stopped = "ErrorBatchProcessingStopped";
    for (kind, codes, left) in [
        (error(1), vec!["NoError", "ErrorItemCorrupt", "NoError"], 1),
        (
            FaultKind::BatchStopped { after: 1 },
            vec!["NoError", stopped, stopped],
            2,
        ),
        (FaultKind::MissingAnswers(1), vec!["NoError", "NoError"], 1),
        (FaultKind::MissingAnswers(3), vec![], 3),
        (FaultKind::MoveLeavesOriginal, vec!["NoError"; 3], 3),
        (FaultKind::MoveWithoutNewId, vec!["NoError"; 3], 0),
    ] {
        let (exchange, client, ids, storage) = prepared().await;
        exchange.inject(Fault::new(kind.clone()).on(Operation::MoveItem));
        let answer = client.call(move_item(&storage, &ids, true)).await;
        assert_eq!(answer.codes(), codes, "{kind:?}");
        assert_eq!(exchange.count(QUEUE).unwrap(), left, "{kind:?}");
    }
}

#[tokio::test]
async fn a_half_done_move_leaves_two_items_with_one_search_key() {
    let (exchange, client, ids, storage) = prepared().await;
    exchange.inject(Fault::new(FaultKind::MoveLeavesOriginal));
    let answer = client.call(move_item(&storage, &ids[..1], true)).await;
    let (original, copy) = (
        &exchange.items(QUEUE).unwrap()[0],
        &exchange.items(STORAGE).unwrap()[0],
    );
    assert_eq!(answer.item_ids(), [copy.id.as_str()]);
    assert_eq!(
        (&original.id, original.search_key),
        (&ids[0], copy.search_key)
    );
}

#[tokio::test]
async fn a_fault_follows_one_item_through_the_batches() {
    let (exchange, client, ids, _) = prepared().await;
    let kind = FaultKind::ItemError {
        index: 0,
        code: "ErrorItemCorrupt".into(),
    };
    exchange.inject(
        Fault::new(kind)
            .on(Operation::GetItem)
            .for_item(&ids[1])
            .always(),
    );
    let first = client.call(get_item(&ids[..1], "IdOnly", false)).await;
    assert_eq!(first.codes(), ["NoError"]);
    for _ in 0..2 {
        let answer = client.call(get_item(&ids, "IdOnly", false)).await;
        assert_eq!(answer.codes(), ["NoError", "ErrorItemCorrupt", "NoError"]);
    }
    assert_eq!(exchange.faults_fired().len(), 2);
    exchange.clear_faults();
    assert_eq!(
        client.call(get_item(&ids, "IdOnly", false)).await.codes(),
        ["NoError"; 3]
    );
}

#[tokio::test]
async fn a_request_during_a_back_off_is_a_violation() {
    let (exchange, client, ..) = prepared().await;
    let request = get_folder(&distinguished("root"));
    assert_eq!(exchange.statistics().back_off_violations, 0);
    exchange.inject(Fault::new(FaultKind::ServerBusy { back_off: BACK_OFF }));
    client.call(&request).await;
    assert_eq!(exchange.statistics().back_off_violations, 0);
    client.call(&request).await;
    assert_eq!(exchange.statistics().back_off_violations, 1);
}

#[tokio::test]
async fn too_many_open_requests_are_refused_until_one_is_gone() {
    let endless = Fault::new(FaultKind::Delay(Duration::from_hours(1)));
    let exchange = builder()
        .with_connection_limit(1)
        .with_fault(endless)
        .start()
        .await
        .unwrap();
    let (first, client) = (Client::of(&exchange), Client::of(&exchange));
    let request = get_folder(&distinguished("root"));
    let hanging = tokio::spawn({
        let request = request.clone();
        async move { first.try_call(request).await.map(|answer| answer.status) }
    });
    while exchange.statistics().calls(Operation::GetFolder) == 0 {
        tokio::task::yield_now().await;
    }
    let refused = client.call(&request).await;
    assert_eq!(refused.codes(), ["ErrorExceededConnectionCount"]);
    assert_eq!(exchange.statistics().most_concurrent, 2);
    hanging.abort();
    while client.call(&request).await.codes() != ["NoError"] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn answers_are_unusual_and_still_right() {
    let cases = [
        (
            FaultKind::UnknownElements,
            200,
            "<t:FromTheFuture Kind=\"New\">",
        ),
        (
            FaultKind::OtherPrefixes,
            200,
            "<ns2:Subject>Offer 1</ns2:Subject>",
        ),
        (
            FaultKind::MissingHeader,
            200,
            "services/2006/types\"><s:Body>",
        ),
        (
            FaultKind::Status(500),
            500,
            "<t:Subject>Offer 1</t:Subject>",
        ),
    ];
    for (kind, status, expected) in cases {
        let (exchange, client, ids, _) = prepared().await;
        exchange.inject(Fault::new(kind.clone()).on(Operation::GetItem));
        let answer = client.call(get_item(&ids, "IdOnly", false)).await;
        assert_eq!(answer.status, status, "{kind:?}");
        assert!(answer.text.contains(expected), "{kind:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_soap_fault_may_come_with_status_200() {
    let (exchange, client, ids, _) = prepared().await;
    exchange.inject(Fault::new(FaultKind::ServerBusy { back_off: BACK_OFF }));
    exchange.inject(Fault::new(FaultKind::Status(200)));
    let answer = client.call(get_item(&ids, "IdOnly", false)).await;
    assert_eq!(
        (answer.status, answer.codes()),
        (200, vec!["ErrorServerBusy"])
    );
}

#[tokio::test]
async fn texts_and_mime_contents_are_damaged() {
    let (exchange, client, ids, _) = prepared().await;
    exchange.inject(Fault::new(FaultKind::InvalidUtf8).on(Operation::GetItem));
    let answer = client.call(get_item(&ids, "IdOnly", false)).await;
    assert_eq!(answer.subjects()[0], "\u{fffd}\u{fffd}Offer 1");
    let length = |answer: &Answer| all(&answer.text, "CharacterSet=\"UTF-8\">", "</")[0].len();
    exchange.inject(Fault::new(FaultKind::DamagedBase64).on(Operation::GetItem));
    let damaged = client.call(get_item(&ids, "IdOnly", true)).await;
    let whole = client.call(get_item(&ids, "IdOnly", true)).await;
    assert_eq!(length(&damaged) + 1, length(&whole));
}

#[tokio::test]
async fn pages_repeat_themselves() {
    let (exchange, client, ..) = prepared().await;
    let queue = client.folder(QUEUE).await;
    exchange.inject(Fault::new(FaultKind::DuplicateItems).on(Operation::FindItem));
    let answer = client.call(find_item(&queue, (0, 2), "")).await;
    assert_eq!(
        answer.subjects(),
        ["Offer 1", "Offer 1", "Offer 2", "Offer 2"]
    );
    exchange.inject(Fault::new(FaultKind::EndlessPaging).on(Operation::FindItem));
    let answer = client.call(find_item(&queue, (2, 5), "")).await;
    assert!(
        answer.text.contains("IndexedPagingOffset=\"2\""),
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("IncludesLastItemInRange=\"false\""),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_person_interferes_between_two_calls() {
    let (exchange, client, ids, storage) = prepared().await;
    let item_id = |at: usize| ids[at].clone();
    let (path, mime) = (QUEUE.to_owned(), mail(4).into_bytes());
    for deed in [
        ByHand::RemoveItem {
            item_id: item_id(0),
        },
        ByHand::MoveItem {
            item_id: item_id(1),
            path: ELSEWHERE.into(),
        },
        ByHand::Deliver { path, mime },
        ByHand::RenameFolder {
            path: STORAGE.into(),
            name: "Store".into(),
        },
        ByHand::DeleteFolder {
            path: r"\Nowhere".into(),
        },
    ] {
        exchange.inject(Fault::new(FaultKind::ByHand(deed)).on(Operation::MoveItem));
    }
    let answer = client.call(move_item(&storage, &ids, true)).await;
    assert_eq!(
        answer.codes(),
        ["ErrorItemNotFound", "ErrorItemNotFound", "NoError"]
    );
    assert_eq!(exchange.items(QUEUE).unwrap()[0].subject, "Offer 4");
    assert_eq!(exchange.count(r"\Email Logging\Store").unwrap(), 1);
    assert_eq!(exchange.count(ELSEWHERE).unwrap(), 1);
}
