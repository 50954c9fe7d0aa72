//! Every request that a client has a use for, and its answers.

use std::time::Duration;

use email_logging::testkit::graph::{GraphFault, GraphFaultKind};
use serde_json::{Value, json};

use super::checked::{CheckedGraph, INBOX, MAILBOX};

const EXPAND: &str = "$expand=singleValueExtendedProperties($filter=id eq 'Integer 0x0E08' \
                      or id eq 'String 0x001A' or id eq 'Binary 0x300B')";

fn mails() -> [String; 4] {
    [
        "From: Ann <ann@customer.example>\r\nTo: Sam <sam@corp.example>, b@b.example\r\nCc: c@c.example\r\n\
         Subject: Offer\r\nMessage-ID: <1@customer.example>\r\nDate: Mon, 5 Jan 2026 09:00:00 +0100\r\n\r\nHello\r\n"
            .to_owned(),
        "Subject: No addresses at all\r\n\r\n".to_owned(),
        "X-Nothing: here\r\nImportance: high\r\n\r\n<p>".to_owned(),
        "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
         <p>Hi</p>\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nx\r\n--b--\r\n"
            .to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_and_every_answer_fits_the_metadata() {
    let Some(checked) = CheckedGraph::start().await else {
        return;
    };
    for owner in ["/me".to_owned(), format!("/users/{MAILBOX}")] {
        for mail in mails() {
            checked.graph.deliver(INBOX, mail).unwrap();
        }
        folders(&checked, &owner).await;
        reading(&checked, &owner).await;
        changes(&checked, &owner).await;
        transfers(&checked, &owner).await;
    }
    checked.assert_clean(100);
}

async fn folders(checked: &CheckedGraph, owner: &str) {
    let name = format!("Queue of {}", owner.len());
    let wish = json!({"displayName": name, "isHidden": false});
    for path in ["/mailFolders", "/mailFolders/inbox/childFolders"] {
        let path = format!("{owner}{path}");
        assert_eq!(checked.send("POST", &path, Some(&wish)).await.status, 201);
        assert_eq!(checked.send("POST", &path, Some(&wish)).await.status, 409);
        for query in [
            "?$top=3&includeHiddenFolders=true",
            &format!("?$filter=displayName eq '{name}'"),
            "?$select=id,displayName,childFolderCount&$orderby=displayName&$count=true",
        ] {
            let page = checked.send("GET", &format!("{path}{query}"), None).await;
            assert_eq!(page.status, 200, "{path}{query}");
            if let Some(next) = page.json["@odata.nextLink"].as_str() {
                assert_eq!(checked.send("GET", next, None).await.status, 200);
            }
        }
    }
    for (name, status) in [
        ("inbox", 200),
        ("msgfolderroot", 200),
        ("clutter", 404),
        ("x", 400),
    ] {
        let path = format!("{owner}/mailFolders/{name}");
        assert_eq!(checked.send("GET", &path, None).await.status, status);
    }
}

async fn reading(checked: &CheckedGraph, owner: &str) {
    let folder = format!("{owner}/mailFolders/inbox/messages");
    let mut next = Some(format!(
        "{folder}?$top=3&$orderby=receivedDateTime&{EXPAND}"
    ));
    let mut ids = Vec::new();
    while let Some(path) = next {
        let page = checked.send("GET", &path, None).await;
        assert_eq!(page.status, 200, "{path}: {}", page.json);
        let value = page.json["value"].as_array().unwrap().iter();
        ids.extend(value.map(|one| one["id"].as_str().unwrap().to_owned()));
        next = page.json["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(ids.len(), 4);
    let filter = format!("{folder}?$filter=internetMessageId eq '<1@customer.example>'");
    assert_eq!(checked.send("GET", &filter, None).await.status, 200);
    for id in &ids {
        for base in [folder.clone(), format!("{owner}/messages")] {
            let one = format!("{base}/{id}");
            for query in [
                "",
                "?$select=internetMessageHeaders,subject",
                &format!("?{EXPAND}"),
            ] {
                let answer = checked.send("GET", &format!("{one}{query}"), None).await;
                assert_eq!(answer.status, 200, "{query}");
            }
            let mime = checked.send("GET", &format!("{one}/$value"), None).await;
            assert_eq!(mime.status, 200);
            let kept = checked.graph.items(INBOX).unwrap();
            assert!(kept.iter().any(|item| item.mime[..] == mime.bytes[..]));
            let attachments = format!("{one}/attachments");
            assert_eq!(checked.send("GET", &attachments, None).await.status, 200);
        }
    }
    let missing = checked.graph.folder_id(INBOX).unwrap();
    let missing = format!("{owner}/messages/{missing}");
    assert_eq!(checked.send("GET", &missing, None).await.status, 400);
}

async fn changes(checked: &CheckedGraph, owner: &str) {
    let path = format!("{owner}/mailFolders/inbox/messages/delta?$top=3&$select=id");
    let first = checked.send("GET", &path, None).await.json;
    let next = first["@odata.nextLink"].as_str().unwrap();
    let second = checked.send("GET", next, None).await.json;
    let link = second["@odata.deltaLink"].as_str().unwrap();
    checked
        .graph
        .remove_item(&checked.graph.items(INBOX).unwrap()[0].id)
        .unwrap();
    let changed = checked.send("GET", link, None).await.json;
    assert!(changed["value"][0]["@removed"].is_object());
    checked.graph.forget_delta_tokens();
    assert_eq!(checked.send("GET", link, None).await.status, 410);
}

async fn transfers(checked: &CheckedGraph, owner: &str) {
    let ids: Vec<_> = checked
        .graph
        .items(INBOX)
        .unwrap()
        .into_iter()
        .map(|item| item.id)
        .collect();
    let wish = json!({"destinationId": "archive"});
    let part = |id: &String, method: &str, end: &str, body: Option<&Value>| {
        let mut part = json!({
            "id": format!("{id}{end}"), "method": method, "url": format!("{owner}/messages/{id}{end}"),
            "headers": {"Content-Type": "application/json", "Prefer": "IdType=\"ImmutableId\""},
        });
        if let Some(body) = body {
            part["body"] = body.clone();
        }
        part
    };
    let read = json!({"isRead": true});
    let parts = [
        part(&ids[0], "GET", "/$value", None),
        part(&ids[0], "PATCH", "", Some(&read)),
        part(&ids[0], "POST", "/move", Some(&wish)),
        part(&ids[1], "DELETE", "", None),
        part(&"nonsense".to_owned(), "POST", "/move", Some(&wish)),
    ];
    let statuses = batch(checked, owner, &json!(parts)).await;
    assert_eq!(statuses, [200, 200, 201, 204, 400]);
    let wrong = format!("{owner}/messages/{}/move", ids[2]);
    let nowhere = json!({"destinationId": "nowhere"});
    assert_eq!(
        checked.send("POST", &wrong, Some(&nowhere)).await.status,
        400
    );
    checked.graph.remove_item(&ids[2]).unwrap();
    assert_eq!(checked.send("POST", &wrong, Some(&wish)).await.status, 404);
}

async fn batch(checked: &CheckedGraph, owner: &str, parts: &Value) -> Vec<u64> {
    let body = json!({"requests": parts});
    let answer = checked.send_as(owner, "POST", "/$batch", Some(&body)).await;
    let responses = answer.json["responses"].as_array().unwrap().iter();
    responses
        .map(|part| part["status"].as_u64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_fit_the_metadata_too() {
    let Some(checked) = CheckedGraph::start().await else {
        return;
    };
    let error = |status, code: &str| GraphFaultKind::Error {
        status,
        code: code.to_owned(),
        retry_after: Some(Duration::from_secs(1)),
    };
    let path = format!("/users/{MAILBOX}/mailFolders/inbox/messages");
    for (kind, status) in [
        (
            GraphFaultKind::Throttled {
                retry_after: Some(Duration::from_secs(1)),
            },
            429,
        ),
        (error(503, "serviceNotAvailable"), 503),
        (error(500, "generalException"), 500),
        (GraphFaultKind::Unauthorized, 401),
        (GraphFaultKind::ClaimsChallenge, 401),
    ] {
        checked.graph.inject(GraphFault::new(kind.clone()));
        assert_eq!(
            checked.send("GET", &path, None).await.status,
            status,
            "{}",
            kind.name()
        );
    }
    for (path, status) in [
        ("/users/no@corp.example/mailFolders", 404),
        (&format!("{path}?$filter=nonsense eq 1"), 400),
    ] {
        assert_eq!(checked.send("GET", path, None).await.status, status);
    }
    checked.assert_clean(7);
}
