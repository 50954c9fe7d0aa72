//! FindItem: pages, ids, keys.

use email_logging::message::{ItemClass, Sensitivity};
use email_logging::source::{ListRequest, MailSource, SightingKey, Sought};
use wiremock::MockServer;

use super::support::*;

#[tokio::test]
async fn a_page_has_ids_keys_sizes_classes_and_times() {
    let server = MockServer::start().await;
    let rows = format!(
        "{}{}",
        row("A", b"k1").replace(
            "<t:DateTime",
            "<t:Sensitivity>Private</t:Sensitivity><t:DateTime"
        ),
        row("B", b"k2").replace("IPM.Note", "IPM.Post")
    );
    answer(
        &server,
        "FindItem",
        response("FindItem", &[page(&rows, 2, true)]),
        1,
    )
    .await;
    let (source, _) = source(&server);
    let listing = source
        .list(&folder("Q"), ListRequest::new(0, 5000))
        .await
        .unwrap();
    let ids: Vec<_> = listing
        .items
        .iter()
        .map(|row| row.item.id.as_str())
        .collect();
    assert_eq!(ids, ["A", "B"]);
    let first = &listing.items[0];
    assert_eq!(first.item.change_key.as_deref(), Some("CQ"));
    assert_eq!(first.key, Some(SightingKey::SearchKey(b"k1".to_vec())));
    assert_eq!(first.size, Some(1234));
    assert_eq!(first.received, "2026-11-01T10:00:00Z".parse().ok());
    assert_eq!(
        (first.class, listing.items[1].class),
        (ItemClass::Mail, ItemClass::Post)
    );
    assert_eq!(
        (first.sensitivity, listing.items[1].sensitivity),
        (Some(Sensitivity::Private), None)
    );
    assert_eq!((listing.total, listing.complete), (Some(2), true));
    let sent = server.received_requests().await.unwrap();
    let body = String::from_utf8_lossy(&sent[0].body).into_owned();
    assert!(
        body.contains("MaxEntriesReturned=\"1000\" Offset=\"0\""),
        "{body}"
    );
}

#[tokio::test]
async fn contradictory_pages_come_to_an_end() {
    let (a, b) = (row("A", b"k"), row("B", b"l"));
    for (rows, total, last, offset, ids, complete) in [
        (format!("{a}{a}{b}"), 3, false, 0, vec!["A", "B"], false),
        (String::new(), 5, false, 0, vec![], true),
        (String::new(), 0, false, 0, vec![], true),
        (a.clone(), 10, true, 0, vec!["A"], false),
        (a.clone(), 10, true, 9, vec!["A"], true),
        (a.clone(), 1, false, 0, vec!["A"], false),
    ] {
        let server = MockServer::start().await;
        answer(
            &server,
            "FindItem",
            response("FindItem", &[page(&rows, total, last)]),
            1,
        )
        .await;
        let (source, _) = source(&server);
        let listing = source
            .list(&folder("Q"), ListRequest::new(offset, 10))
            .await
            .unwrap();
        let found: Vec<_> = listing
            .items
            .iter()
            .map(|row| row.item.id.as_str())
            .collect();
        assert_eq!(
            (found, listing.complete),
            (ids, complete),
            "{total} {last} {offset}"
        );
    }
}

#[tokio::test]
async fn a_page_of_nothing_needs_no_request() {
    let server = MockServer::start().await;
    let (source, _) = source(&server);
    source
        .list(&folder("Q"), ListRequest::new(0, 0))
        .await
        .unwrap();
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn every_copy_of_each_key_is_found() {
    let server = MockServer::start().await;
    let rows = format!("{}{}{}", row("A", b"k1"), row("B", b"k3"), row("C", b"k1"));
    answer(
        &server,
        "FindItem",
        response("FindItem", &[page(&rows, 3, true)]),
        1,
    )
    .await;
    let (source, _) = source(&server);
    let keys = [b"k1", b"k2", b"k3"].map(|key| SightingKey::SearchKey(key.to_vec()));
    let found = source.locate(&folder("S"), &sought(&keys)).await.unwrap();
    let ids: Vec<Vec<_>> = found
        .iter()
        .map(|items| items.iter().map(|item| item.id.as_str()).collect())
        .collect();
    assert_eq!(ids, [vec!["A", "C"], vec![], vec!["B"]]);
}

#[tokio::test]
async fn many_keys_go_in_bounded_restrictions() {
    let server = MockServer::start().await;
    answer(
        &server,
        "FindItem",
        response("FindItem", &[page("", 0, true)]),
        3,
    )
    .await;
    let (source, _) = source(&server);
    let keys: Vec<_> = (0..41_u8)
        .map(|key| SightingKey::SearchKey(vec![key; 16]))
        .collect();
    let found = source.locate(&folder("S"), &sought(&keys)).await.unwrap();
    assert_eq!(found, vec![Vec::new(); 41]);
}

#[tokio::test]
async fn a_key_of_another_kind_is_unsupported() {
    let server = MockServer::start().await;
    let (source, _) = source(&server);
    let keys = [SightingKey::Digest([0; 32])];
    let error = source
        .locate(&folder("S"), &sought(&keys))
        .await
        .unwrap_err();
    assert_eq!(code_of(&error), "source.unsupported");
}

#[tokio::test]
async fn a_missing_folder_is_told_from_a_missing_item() {
    for code in ["ErrorItemNotFound", "ErrorFolderNotFound"] {
        let server = MockServer::start().await;
        answer(
            &server,
            "FindItem",
            response("FindItem", &[failed(code)]),
            1,
        )
        .await;
        let (source, _) = source(&server);
        let error = source
            .list(&folder("Q"), ListRequest::new(0, 10))
            .await
            .unwrap_err();
        assert_eq!(code_of(&error), "ews.folder_not_found");
    }
}

#[tokio::test]
async fn an_answer_without_a_page_is_no_empty_folder() {
    for (message, code) in [
        (fine(""), "ews.not_soap"),
        (fine("<m:Other/>"), "ews.not_soap"),
        (
            page("", 0, true).replace("\"Success\"", "\"Error\""),
            "ews.unknown_code",
        ),
    ] {
        let server = MockServer::start().await;
        answer(&server, "FindItem", response("FindItem", &[message]), 1).await;
        let (source, _) = source_with(&server, |builder| builder.with_repeats(0));
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(code_of(&error), code);
        assert_eq!(error.server().unwrap().status, Some(200));
    }
}

#[tokio::test]
async fn an_item_without_the_key_that_it_was_found_by_is_an_error() {
    let server = MockServer::start().await;
    let rows = format!(
        "{}<t:Message><t:ItemId Id=\"B\"/></t:Message>",
        row("A", b"k1")
    );
    let xml = response("FindItem", &[page(&rows, 2, true)]);
    answer(&server, "FindItem", xml, 1).await;
    let (source, _) = source(&server);
    let keys = [SightingKey::SearchKey(b"k1".to_vec())];
    let error = source
        .locate(&folder("S"), &sought(&keys))
        .await
        .unwrap_err();
    assert_eq!(code_of(&error), "ews.not_soap");
    assert!(error.server().unwrap().client_request_id.is_some());
}

#[tokio::test]
async fn an_answer_to_another_operation_is_none() {
    let good = response("FindItem", &[page(&row("A", b"k"), 1, true)]);
    for (from, to, code) in [
        ("FindItemResponse ", "FindFolderResponse ", "ews.not_soap"),
        (
            "FindItemResponseMessage",
            "GetItemResponseMessage",
            "ews.not_soap",
        ),
        ("m:ResponseMessages", "m:Messages", "ews.answers_missing"),
        (
            "m:ResponseMessages",
            "t:ResponseMessages",
            "ews.answers_missing",
        ),
    ] {
        let server = MockServer::start().await;
        let xml = good
            .replace(from, to)
            .replace("/m:FindItemResponse>", "/m:X>");
        let name = xml.split("<s:Body><m:").nth(1).unwrap();
        let name = name.split(' ').next().unwrap().to_owned();
        let xml = xml.replace("/m:X>", &format!("/m:{name}>"));
        answer(&server, "FindItem", xml, 1).await;
        let (source, _) = source(&server);
        let error = source.list(&folder("Q"), all()).await.unwrap_err();
        assert_eq!(code_of(&error), code, "{to}");
    }
}

fn sought(keys: &[SightingKey]) -> Vec<Sought> {
    keys.iter().cloned().map(Sought::new).collect()
}
