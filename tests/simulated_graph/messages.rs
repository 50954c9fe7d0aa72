//! Reading messages: lists, properties, extended properties, MIME.

use email_logging::testkit::exchange::{Delivery, SimulatedExchange};
use email_logging::testkit::graph::{MimeRendering, SimulatedGraph};
use serde_json::{Value, json};

use super::client::{INBOX, MAILBOX, TOKEN, builder, get, get_immutable, mail, send, started};

fn filled(graph: &SimulatedGraph, count: usize) -> Vec<String> {
    let numbers = 1..=count;
    numbers
        .map(|number| graph.deliver(INBOX, mail(number)).unwrap())
        .collect()
}

#[tokio::test]
async fn a_list_follows_the_order_and_the_pages_that_were_asked_for() {
    let graph = started().await;
    let ids = filled(&graph, 5);
    let path = "/mailFolders/inbox/messages?$top=2&$orderby=receivedDateTime&$select=id,subject";
    let mut answer = get_immutable(&graph, path).await;
    let mut seen = answer
        .each("id")
        .iter()
        .map(|id| (*id).to_owned())
        .collect::<Vec<_>>();
    while let Some(next) = answer.json["@odata.nextLink"].as_str().map(str::to_owned) {
        assert!(next.starts_with(&graph.url()));
        answer = get_immutable(&graph, &next).await;
        seen.extend(answer.each("id").iter().map(|id| (*id).to_owned()));
    }
    assert_eq!(seen, ids);
    let usual = get(&graph, "/mailFolders/inbox/messages").await;
    assert_eq!(
        usual.each("subject"),
        ["Offer 5", "Offer 4", "Offer 3", "Offer 2", "Offer 1"]
    );
}

#[tokio::test]
async fn a_page_has_ten_messages_by_itself_and_a_thousand_at_most() {
    let graph = started().await;
    filled(&graph, 12);
    let usual = get(&graph, "/mailFolders/inbox/messages?$select=id&$count=true").await;
    assert_eq!(usual.each("id").len(), 10);
    assert_eq!(usual.json["@odata.count"], json!(12));
    let all = get(&graph, "/mailFolders/inbox/messages?$select=id&$top=1000").await;
    assert_eq!(all.each("id").len(), 12);
    let too_many = get(&graph, "/mailFolders/inbox/messages?$top=1001").await;
    assert_eq!(
        (too_many.status, too_many.code()),
        (400, "ErrorInvalidUrlQuery")
    );
}

#[tokio::test]
async fn pages_can_be_linked_by_tokens() {
    let graph = builder().with_skip_tokens().start().await.unwrap();
    filled(&graph, 3);
    let first = get(&graph, "/mailFolders/inbox/messages?$top=2&$select=subject").await;
    let next = first.json["@odata.nextLink"].as_str().unwrap();
    assert!(next.contains("%24skiptoken="));
    let second = get(&graph, next).await;
    assert_eq!(second.each("subject"), ["Offer 1"]);
    let bad = get(&graph, "/mailFolders/inbox/messages?$skiptoken=nonsense").await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn the_selected_properties_are_given_and_no_others() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let path = format!("/messages/{id}?$select=subject,from,internetMessageId");
    let one = get_immutable(&graph, &path).await.json;
    let names: Vec<_> = one
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "@odata.context",
            "@odata.etag",
            "from",
            "id",
            "internetMessageId",
            "subject"
        ]
    );
    assert_eq!(
        one["from"]["emailAddress"],
        json!({"name": "Ann", "address": "ann@customer.example"})
    );
    let whole = get_immutable(&graph, &format!("/messages/{id}")).await.json;
    assert!(whole.get("internetMessageHeaders").is_none());
    assert_eq!(whole["body"]["content"], json!("Hello 1\r\n"));
    let headers = format!("/messages/{id}?$select=internetMessageHeaders");
    let headers = get_immutable(&graph, &headers).await.json;
    assert_eq!(
        headers["internetMessageHeaders"][0],
        json!({"name": "From", "value": "Ann <ann@customer.example>"})
    );
}

#[tokio::test]
async fn what_no_message_has_is_refused() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    for path in [
        format!("/messages/{id}?$select=mime"),
        format!("/messages/{id}?$top=1"),
        format!("/messages/{id}/$value?$select=id"),
        format!("/messages/{id}/values"),
        "/mailFolders/inbox/messages?$orderby=size".to_owned(),
        "/mailFolders/inbox/messages?$filter=size gt 5".to_owned(),
        "/mailFolders/inbox/messages?$expand=extensions".to_owned(),
        "/mailFolders/inbox/mails".to_owned(),
    ] {
        assert_eq!(get(&graph, &path).await.status, 400, "{path}");
    }
    let path = format!("/users/{MAILBOX}/messages/{id}");
    let wrong_method = send(&graph, "PUT", &path, &[], None);
    assert_eq!(wrong_method.await.unwrap().status, 405);
}

#[tokio::test]
async fn messages_are_filtered_by_what_graph_can_filter() {
    let graph = started().await;
    filled(&graph, 3);
    for (filter, subjects) in [
        (
            "internetMessageId eq '<2@customer.example>'",
            &["Offer 2"][..],
        ),
        (
            "receivedDateTime ge 2026-01-05T08:00:01Z",
            &["Offer 3", "Offer 2"],
        ),
        (
            "receivedDateTime gt 2026-01-05T08:00:00Z and receivedDateTime lt 2026-01-05T08:00:02Z",
            &["Offer 2"],
        ),
        (
            "subject eq 'offer 1' or subject eq 'OFFER 3'",
            &["Offer 3", "Offer 1"],
        ),
        (
            "not (subject eq 'Offer 1') and isRead eq false",
            &["Offer 3", "Offer 2"],
        ),
        (
            "startswith(subject,'Offer')",
            &["Offer 3", "Offer 2", "Offer 1"],
        ),
        (
            "singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001A' and ep/value eq 'IPM.Note')",
            &["Offer 3", "Offer 2", "Offer 1"],
        ),
        (
            "singleValueExtendedProperties/Any(ep: ep/id eq 'Integer 0x0E08' and cast(ep/value, Edm.Int32) gt 1000)",
            &[],
        ),
    ] {
        let path = format!("/mailFolders/inbox/messages?$select=subject&$filter={filter}");
        let answer = get(&graph, &path).await;
        assert_eq!(answer.status, 200, "{filter}: {}", answer.json);
        assert_eq!(answer.each("subject"), subjects, "{filter}");
    }
    let binary =
        "singleValueExtendedProperties/Any(ep: ep/id eq 'Binary 0x300B' and ep/value eq 'AAAA')";
    let path = format!("/mailFolders/inbox/messages?$filter={binary}");
    let answer = get(&graph, &path).await;
    assert_eq!(
        (answer.status, answer.code()),
        (400, "ErrorInvalidUrlQueryFilter")
    );
}

#[tokio::test]
async fn an_order_must_stand_in_the_filter_too() {
    let graph = started().await;
    let path = "/mailFolders/inbox/messages?$orderby=receivedDateTime&$filter=";
    let bad = get(&graph, &format!("{path}subject eq 'x'")).await;
    assert_eq!((bad.status, bad.code()), (400, "InefficientFilter"));
    let good = format!("{path}receivedDateTime ge 2026-01-01T00:00:00Z and subject eq 'x'");
    assert_eq!(get(&graph, &good).await.status, 200);
}

#[tokio::test]
async fn extended_properties_are_expanded_by_their_ids() {
    let graph = started().await;
    graph
        .deliver_with(
            INBOX,
            Delivery::new(mail(1)).with_item_class("IPM.Outlook.Recall"),
        )
        .unwrap();
    graph
        .deliver_with(INBOX, Delivery::new(mail(2)).without_search_key())
        .unwrap();
    let ids = "id eq 'Integer 0x0E08' or id eq 'String 0x001A' or id eq 'Binary 0x300B'";
    let path = format!(
        "/mailFolders/inbox/messages?$select=id&$orderby=receivedDateTime\
         &$expand=singleValueExtendedProperties($filter={ids})"
    );
    let answer = get(&graph, &path).await.json;
    let item = &graph.items(INBOX).unwrap()[0];
    let key = base64(&item.search_key.unwrap());
    assert_eq!(
        answer["value"][0]["singleValueExtendedProperties"],
        json!([
            {"id": "Integer 0xe08", "value": mail(1).len().to_string()},
            {"id": "String 0x1a", "value": "IPM.Outlook.Recall"},
            {"id": "Binary 0x300b", "value": key},
        ])
    );
    let second = answer["value"][1]["singleValueExtendedProperties"].as_array();
    assert_eq!(second.unwrap().len(), 2);
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .chain([&0, &0])
            .take(3)
            .fold(0_u32, |all, byte| (all << 8) | u32::from(*byte));
        for place in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * place)) as usize & 63] as char;
            text.push(if place > chunk.len() { '=' } else { letter });
        }
    }
    text
}

#[tokio::test]
async fn mime_comes_as_it_was_delivered_in_chunks() {
    let graph = started().await;
    let mime = b"Subject: \xff raw\r\n\r\nbare\nline\0\r\n".to_vec();
    let id = graph.deliver(INBOX, mime.clone()).unwrap();
    let answer = get(&graph, &format!("/messages/{id}/$value")).await;
    assert_eq!((answer.status, &answer.bytes), (200, &mime));
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    assert_eq!(answer.header("content-length"), None);
}

#[tokio::test]
async fn mime_can_be_made_anew_and_can_fail() {
    let graph = builder()
        .with_mime_rendering(MimeRendering::MadeAnew)
        .start()
        .await
        .unwrap();
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let answer = get(&graph, &format!("/messages/{id}/$value")).await;
    assert!(
        answer
            .bytes
            .starts_with(b"X-MS-Exchange-Organization-SCL: -1\r\nTo: ")
    );
    assert_ne!(answer.bytes, mail(1).as_bytes());
    let broken = Delivery::new(mail(2)).with_mime_failure("ErrorItemCorrupt");
    let id = graph.deliver_with(INBOX, broken).unwrap();
    let answer = get(&graph, &format!("/messages/{id}/$value")).await;
    assert_eq!((answer.status, answer.code()), (500, "ErrorItemCorrupt"));
}

#[tokio::test]
async fn ids_are_case_sensitive_and_belong_to_one_mailbox() {
    let graph = builder()
        .with_mailbox("other@corp.example")
        .start()
        .await
        .unwrap();
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    graph.deliver(INBOX, mail(2)).unwrap();
    graph.deliver(INBOX, mail(3)).unwrap();
    let ids = graph.changing_ids(INBOX).unwrap();
    assert!(ids[1] != ids[2] && ids[1].eq_ignore_ascii_case(&ids[2]));
    for (id, subject) in [(&ids[1], "Offer 2"), (&ids[2], "Offer 3")] {
        let answer = get(&graph, &format!("/messages/{id}")).await;
        assert_eq!(answer.json["subject"], json!(subject));
        assert_eq!(answer.json["id"], json!(id));
    }
    let lower = get(&graph, &format!("/messages/{}", id.to_lowercase())).await;
    assert_eq!(
        (lower.status, lower.code()),
        (400, "ErrorInvalidIdMalformed")
    );
    let foreign = format!("/users/other@corp.example/messages/{id}");
    let foreign = send(&graph, "GET", &foreign, &[], None).await.unwrap();
    assert_eq!((foreign.status, foreign.code()), (404, "ErrorItemNotFound"));
    let elsewhere = get(&graph, &format!("/mailFolders/archive/messages/{id}")).await;
    assert_eq!(elsewhere.status, 404);
}

#[tokio::test]
async fn attachments_are_listed() {
    let graph = started().await;
    let mime = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\n\
                Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nx\r\n--b--\r\n";
    let id = graph.deliver(INBOX, mime).unwrap();
    let answer = get(&graph, &format!("/messages/{id}/attachments")).await;
    assert_eq!(answer.each("name"), ["a.pdf"]);
    assert_eq!(
        answer.each("@odata.type"),
        ["#microsoft.graph.fileAttachment"]
    );
}

#[tokio::test]
async fn one_mailbox_is_read_by_ews_and_by_graph() {
    let exchange = SimulatedExchange::builder()
        .with_user("logger", "secret")
        .with_mailbox(MAILBOX)
        .start()
        .await
        .unwrap();
    let graph = SimulatedGraph::over(&exchange)
        .with_app_token(TOKEN)
        .start()
        .await
        .unwrap();
    let ews_id = exchange.deliver(INBOX, mail(1)).unwrap();
    let list = get_immutable(&graph, "/mailFolders/inbox/messages?$select=id").await;
    let [graph_id] = list.each("id")[..] else {
        panic!("one message")
    };
    assert_ne!(graph_id, ews_id);
    let (seen, there) = (exchange.items(INBOX).unwrap(), graph.items(INBOX).unwrap());
    assert_eq!(seen[0].search_key, there[0].search_key);
    let moved = exchange
        .move_item(&ews_id, r"log@corp.example\Archive")
        .unwrap();
    assert_ne!(moved, ews_id);
    let archive = get_immutable(&graph, "/mailFolders/archive/messages?$select=id").await;
    assert_eq!(archive.each("id"), [graph_id]);
    graph.deliver(INBOX, mail(2)).unwrap();
    assert_eq!(exchange.count(INBOX).unwrap(), 1);
}

#[tokio::test]
async fn answers_carry_the_ids_by_which_they_can_be_asked_about() {
    let graph = started().await;
    let headers = [
        ("client-request-id", "6f1c"),
        ("return-client-request-id", "true"),
    ];
    let path = format!("/users/{MAILBOX}/mailFolders/nonsense");
    let answer = send(&graph, "GET", &path, &headers, None).await.unwrap();
    assert_eq!(answer.header("client-request-id"), Some("6f1c"));
    let request_id = answer.header("request-id").unwrap();
    let inner = &answer.json["error"]["innerError"];
    assert_eq!(inner["request-id"], Value::from(request_id));
    assert!(inner["date"].is_string());
}
