//! MoveItem, CopyItem, DeleteItem: never blindly again.

use std::time::Duration;

use email_logging::source::{Disposal, ItemRef, MailSource};
use wiremock::matchers::body_string_contains;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::*;

fn moved_to(id: &str) -> String {
    fine(&format!(
        "<m:Items><t:Message><t:ItemId Id=\"{id}\" ChangeKey=\"CQ\"/></t:Message></m:Items>"
    ))
}

async fn moved(server: &MockServer, ids: &[&str]) -> Vec<String> {
    let (source, _) = source(server);
    moves(
        &source
            .move_to(&folder("Q"), &refs(ids), &folder("S"))
            .await
            .unwrap(),
    )
}

#[tokio::test]
async fn each_item_has_its_own_answer() {
    let server = MockServer::start().await;
    let messages = [
        moved_to("A2"),
        fine("<m:Items/>"),
        fine(""),
        failed("ErrorItemNotFound"),
        failed("ErrorMoveCopyFailed"),
        failed("ErrorQuotaExceeded"),
        failed("ErrorOfTomorrow"),
    ];
    answer(&server, "MoveItem", response("MoveItem", &messages), 1).await;
    assert_eq!(
        moved(&server, &["A", "B", "C", "D", "E", "F", "G"]).await,
        [
            "done A2",
            "done",
            "done",
            "gone",
            "ews.move_failed",
            "ews.quota",
            "ews.unknown_code"
        ]
    );
}

#[tokio::test]
async fn another_number_of_answers_is_an_unknown_effect() {
    for messages in [vec![moved_to("A2")], vec![], vec![moved_to("A2"); 3]] {
        let server = MockServer::start().await;
        answer(&server, "MoveItem", response("MoveItem", &messages), 1).await;
        let (source, _) = source(&server);
        let result = source
            .move_to(&folder("Q"), &refs(&["A", "B"]), &folder("S"))
            .await;
        assert_eq!(code_of(&result.unwrap_err()), "ews.answers_missing");
    }
}

#[tokio::test]
async fn a_move_with_an_unknown_effect_is_not_repeated() {
    for (template, code) in [
        (status(500, String::new()), "http.unavailable"),
        (
            status(502, "<html>bad gateway</html>".into()),
            "http.unavailable",
        ),
        (status(503, String::new()), "http.unavailable"),
        (status(504, String::new()), "http.unavailable"),
        (ok(String::new()), "http.closed"),
        (
            ok(fault("ErrorInternalServerError", None)),
            "ews.unavailable",
        ),
        (ok(fault("ErrorTimeoutExpired", None)), "ews.unavailable"),
        (
            ok(response("MoveItem", &[moved_to("B")])).set_delay(Duration::from_secs(5)),
            "http.timeout",
        ),
    ] {
        let server = MockServer::start().await;
        answer_with(&server, "MoveItem", template, 1).await;
        let (source, clock) = source_with(&server, |builder| {
            builder.with_total_timeout(Duration::from_millis(500))
        });
        let result = source
            .move_to(&folder("Q"), &refs(&["A"]), &folder("S"))
            .await;
        assert_eq!(code_of(&result.unwrap_err()), code);
        assert!(clock.waits().is_empty());
    }
}

#[tokio::test]
async fn what_moves_or_deletes_has_a_time_of_its_own() {
    let server = MockServer::start().await;
    let late = |template: ResponseTemplate| template.set_delay(Duration::from_millis(1_500));
    let moved = ok(response("MoveItem", &[moved_to("B")]));
    answer_with(&server, "MoveItem", late(moved), 1).await;
    let page = ok(response("FindItem", &[page("", 0, true)]));
    answer_with(&server, "FindItem", late(page), 1).await;
    let (source, _) = source_with(&server, |builder| {
        builder.with_change_timeout(Duration::from_millis(300))
    });
    let longest = source.capabilities().longest_change;
    assert_eq!(longest, Some(Duration::from_millis(300)));
    let moved = source
        .move_to(&folder("Q"), &refs(&["A"]), &folder("S"))
        .await;
    assert_eq!(code_of(&moved.unwrap_err()), "http.timeout");
    source.list(&folder("Q"), all()).await.unwrap();
}

#[tokio::test]
async fn a_move_that_was_refused_before_it_began_is_repeated() {
    let server = MockServer::start().await;
    answer(&server, "MoveItem", fault("ErrorServerBusy", Some(2000)), 1).await;
    let throttled = ResponseTemplate::new(429).insert_header("retry-after", "3");
    answer_with(&server, "MoveItem", throttled, 1).await;
    answer(
        &server,
        "MoveItem",
        response("MoveItem", &[moved_to("A2")]),
        1,
    )
    .await;
    let (source, clock) = source(&server);
    let result = source
        .move_to(&folder("Q"), &refs(&["A"]), &folder("S"))
        .await
        .unwrap();
    assert_eq!(moves(&result), ["done A2"]);
    assert_eq!(
        clock.waits(),
        [Duration::from_secs(2), Duration::from_secs(3)]
    );
}

#[tokio::test]
async fn items_that_the_server_did_not_touch_are_asked_for_again() {
    let server = MockServer::start().await;
    let busy = failed_with(
        "ErrorServerBusy",
        "<m:MessageXml><t:Value Name=\"BackOffMilliseconds\">7000</t:Value></m:MessageXml>",
    );
    let first = [moved_to("A2"), busy, stopped()];
    answer(&server, "MoveItem", response("MoveItem", &first), 1).await;
    let second = [moved_to("B2"), moved_to("C2")];
    answer(&server, "MoveItem", response("MoveItem", &second), 1).await;
    let (source, clock) = source(&server);
    let result = source
        .move_to(&folder("Q"), &refs(&["A", "B", "C"]), &folder("S"))
        .await;
    assert_eq!(moves(&result.unwrap()), ["done A2", "done B2", "done C2"]);
    assert_eq!(clock.waits(), [Duration::from_secs(7)]);
    let sent = server.received_requests().await.unwrap();
    let second = String::from_utf8_lossy(&sent[1].body).into_owned();
    assert!(
        !second.contains("Id=\"A\"") && second.contains("Id=\"B\""),
        "{second}"
    );
}

#[tokio::test]
async fn an_unknown_effect_of_the_second_attempt_is_not_taken_for_no_effect() {
    let server = MockServer::start().await;
    let first = [moved_to("A2"), stopped()];
    answer(&server, "MoveItem", response("MoveItem", &first), 1).await;
    answer_with(&server, "MoveItem", status(502, String::new()), 1).await;
    let (source, _) = source(&server);
    let result = source
        .move_to(&folder("Q"), &refs(&["A", "B"]), &folder("S"))
        .await;
    assert_eq!(code_of(&result.unwrap_err()), "http.unavailable");
}

#[tokio::test]
async fn where_exchange_does_not_move_it_copies_and_deletes_what_was_copied() {
    let server = MockServer::start().await;
    let refused = failed("ErrorCrossMailboxMoveCopy");
    let first = [refused.clone(), refused.clone(), refused];
    answer(&server, "MoveItem", response("MoveItem", &first), 1).await;
    answer(
        &server,
        "CopyItem",
        response("CopyItem", &[moved_to("A2")]),
        1,
    )
    .await;
    answer(
        &server,
        "CopyItem",
        response("CopyItem", &[failed("ErrorQuotaExceeded")]),
        1,
    )
    .await;
    answer(
        &server,
        "CopyItem",
        response("CopyItem", &[failed("ErrorItemNotFound")]),
        1,
    )
    .await;
    answer(
        &server,
        "DeleteItem",
        response("DeleteItem", &[fine("")]),
        1,
    )
    .await;
    assert_eq!(
        moved(&server, &["A", "B", "C"]).await,
        ["done A2", "ews.quota", "gone"]
    );
    let sent = server.received_requests().await.unwrap();
    let deleted: Vec<_> = sent
        .iter()
        .map(|sent| String::from_utf8_lossy(&sent.body).into_owned())
        .filter(|body| body.contains("<m:DeleteItem"))
        .collect();
    assert!(deleted[0].contains("Id=\"A\"") && deleted[0].contains("DeleteType=\"SoftDelete\""));
}

#[tokio::test]
async fn nothing_is_deleted_after_a_copy_that_is_not_certain() {
    let server = MockServer::start().await;
    let refused = [failed("ErrorCrossMailboxMoveCopy")];
    answer(&server, "MoveItem", response("MoveItem", &refused), 1).await;
    answer_with(&server, "CopyItem", status(502, String::new()), 1).await;
    answer(
        &server,
        "DeleteItem",
        response("DeleteItem", &[fine("")]),
        0,
    )
    .await;
    let (source, _) = source(&server);
    let result = source
        .move_to(&folder("Q"), &refs(&["A"]), &folder("S"))
        .await;
    assert_eq!(code_of(&result.unwrap_err()), "http.unavailable");
}

async fn deleted_ids(server: &MockServer) -> Vec<String> {
    let sent = server.received_requests().await.unwrap();
    let bodies = sent.iter().map(|sent| String::from_utf8_lossy(&sent.body));
    let deleted = bodies.filter(|body| body.contains("<m:DeleteItem"));
    deleted
        .map(|body| {
            let id = body.split("<t:ItemId Id=\"").nth(1).unwrap();
            id.split('"').next().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_copy_whose_original_stays_is_taken_back_in_every_round() {
    let server = MockServer::start().await;
    let refused = [failed("ErrorCrossMailboxMoveCopy")];
    answer(&server, "MoveItem", response("MoveItem", &refused), 2).await;
    for copy in ["A2", "A3"] {
        let copied = response("CopyItem", &[moved_to(copy)]);
        answer(&server, "CopyItem", copied, 1).await;
        for message in [failed("ErrorAccessDenied"), fine("")] {
            let deleted = response("DeleteItem", &[message]);
            answer(&server, "DeleteItem", deleted, 1).await;
        }
    }
    for _ in 0..2 {
        assert_eq!(moved(&server, &["A"]).await, ["ews.access_denied"]);
    }
    assert_eq!(deleted_ids(&server).await, ["A", "A2", "A", "A3"]);
}

#[tokio::test]
async fn a_copy_that_may_be_the_only_one_is_not_taken_back() {
    let outage = response("DeleteItem", &[failed("ErrorTimeoutExpired")]);
    for (copied, template) in [
        (moved_to("A2"), ok(outage)),
        (moved_to("A2"), status(502, String::new())),
        (
            fine("<m:Items/>"),
            ok(response("DeleteItem", &[failed("ErrorAccessDenied")])),
        ),
    ] {
        let server = MockServer::start().await;
        let refused = [failed("ErrorCrossMailboxMoveCopy")];
        answer(&server, "MoveItem", response("MoveItem", &refused), 1).await;
        answer(&server, "CopyItem", response("CopyItem", &[copied]), 1).await;
        answer_with(&server, "DeleteItem", template, 1).await;
        let (source, _) = source(&server);
        let result = source
            .move_to(&folder("Q"), &refs(&["A"]), &folder("S"))
            .await;
        assert!(result.is_err() || moves(&result.unwrap())[0].starts_with("ews."));
        assert_eq!(deleted_ids(&server).await, ["A"]);
    }
}

#[tokio::test]
async fn deletion_goes_where_the_folder_allows() {
    for (public, disposal, how) in [
        (false, Disposal::DeletedItems, "MoveToDeletedItems"),
        (false, Disposal::Recoverable, "SoftDelete"),
        (true, Disposal::DeletedItems, "SoftDelete"),
        (true, Disposal::Recoverable, "SoftDelete"),
    ] {
        let server = MockServer::start().await;
        let messages = [
            fine(""),
            failed("ErrorItemNotFound"),
            failed("ErrorAccessDenied"),
        ];
        answer(&server, "DeleteItem", response("DeleteItem", &messages), 1).await;
        let (source, _) = source(&server);
        let mut from = folder("Q");
        from.public = public;
        let removed = source
            .remove(&from, &refs(&["A", "B", "C"]), disposal)
            .await
            .unwrap();
        assert_eq!(removals(&removed), ["done", "gone", "ews.access_denied"]);
        let sent = server.received_requests().await.unwrap();
        let body = String::from_utf8_lossy(&sent[0].body).into_owned();
        assert!(body.contains(&format!("DeleteType=\"{how}\"")), "{body}");
        assert!(!body.contains("HardDelete"));
        assert!(body.contains("SuppressReadReceipts=\"true\""), "{body}");
    }
}

#[tokio::test]
async fn an_item_moves_whatever_became_of_it_since_its_move_was_planned() {
    let server = MockServer::start().await;
    let stale = response("MoveItem", &[failed("ErrorStaleObject")]);
    let with_key = Mock::given(body_string_contains("ChangeKey"));
    with_key
        .respond_with(ok(stale))
        .with_priority(1)
        .mount(&server)
        .await;
    answer(
        &server,
        "MoveItem",
        response("MoveItem", &[moved_to("A2")]),
        1,
    )
    .await;
    let (source, _) = source(&server);
    let item = ItemRef::new("A").with_change_key("older");
    let moved = source.move_to(&folder("Q"), &[item], &folder("S")).await;
    assert_eq!(moves(&moved.unwrap()), ["done A2"]);
}
