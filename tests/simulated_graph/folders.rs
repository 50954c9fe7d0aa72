//! Folders: lists, filters, well-known names, creation.

use serde_json::json;

use super::client::{ARCHIVE, INBOX, MAILBOX, get, mail, post, started};

#[tokio::test]
async fn the_folders_below_the_top_are_listed_in_pages() {
    let graph = started().await;
    let first = get(&graph, "/mailFolders?$top=4&$select=displayName").await;
    assert_eq!(first.status, 200);
    assert_eq!(
        first.each("displayName"),
        ["Inbox", "Drafts", "Outbox", "Sent Items"]
    );
    let next = first.json["@odata.nextLink"].as_str().unwrap();
    let second = get(&graph, next).await;
    assert_eq!(
        second.each("displayName"),
        ["Deleted Items", "Junk Email", "Archive"]
    );
    assert!(second.json.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn a_folder_is_found_by_its_name_whatever_the_case_and_with_quotes() {
    let graph = started().await;
    graph
        .add_folder(&format!(r"{MAILBOX}\Inbox\Anna's Mail"))
        .unwrap();
    let path = "/mailFolders/inbox/childFolders?$filter=displayName%20eq%20'anna''s%20mail'";
    let found = get(&graph, path).await;
    assert_eq!(found.each("displayName"), ["Anna's Mail"]);
    let id = found.each("id")[0].to_owned();
    assert_eq!(
        id,
        graph
            .folder_id(&format!(r"{MAILBOX}\Inbox\Anna's Mail"))
            .unwrap()
    );
    let none = get(&graph, "/mailFolders?$filter=displayName eq 'Anna''s Mail'").await;
    assert_eq!(none.json["value"], json!([]));
}

#[tokio::test]
async fn hidden_folders_are_listed_only_when_asked_for() {
    let graph = started().await;
    let hidden = format!(r"{MAILBOX}\Inbox\Hidden");
    graph.add_folder(&hidden).unwrap();
    graph.set_hidden(&hidden, true).unwrap();
    let usual = get(&graph, "/mailFolders/inbox/childFolders").await;
    assert_eq!(usual.json["value"], json!([]));
    let all = get(
        &graph,
        "/mailFolders/inbox/childFolders?includeHiddenFolders=true",
    )
    .await;
    assert_eq!(all.each("displayName"), ["Hidden"]);
    assert_eq!(all.json["value"][0]["isHidden"], json!(true));
}

#[tokio::test]
async fn well_known_names_stand_for_ids() {
    let graph = started().await;
    graph.deliver(INBOX, mail(1)).unwrap();
    for (name, path) in [("inbox", INBOX), ("Archive", ARCHIVE), ("ARCHIVE", ARCHIVE)] {
        let folder = get(&graph, &format!("/mailFolders/{name}")).await;
        assert_eq!(folder.json["id"], json!(graph.folder_id(path).unwrap()));
    }
    let inbox = get(&graph, "/mailFolders/inbox").await.json;
    assert_eq!(
        [
            &inbox["totalItemCount"],
            &inbox["unreadItemCount"],
            &inbox["childFolderCount"]
        ],
        [1, 1, 0]
    );
    let top = get(&graph, "/mailFolders/msgfolderroot").await.json;
    assert_eq!(inbox["parentFolderId"], top["id"]);
    let absent = get(&graph, "/mailFolders/clutter").await;
    assert_eq!((absent.status, absent.code()), (404, "ErrorItemNotFound"));
    let unknown = get(&graph, "/mailFolders/nonsense").await;
    assert_eq!(
        (unknown.status, unknown.code()),
        (400, "ErrorInvalidIdMalformed")
    );
}

#[tokio::test]
async fn a_folder_is_created_once() {
    let graph = started().await;
    let wish = json!({"displayName": "Queue"});
    let made = post(&graph, "/mailFolders/inbox/childFolders", &wish).await;
    assert_eq!(
        (made.status, &made.json["displayName"]),
        (201, &json!("Queue"))
    );
    let path = format!(r"{MAILBOX}\Inbox\Queue");
    assert_eq!(made.json["id"], json!(graph.folder_id(&path).unwrap()));
    let again = post(
        &graph,
        "/mailFolders/inbox/childFolders",
        &json!({"displayName": "QUEUE"}),
    )
    .await;
    assert_eq!((again.status, again.code()), (409, "ErrorFolderExists"));
    let top = post(&graph, "/mailFolders", &wish).await;
    assert_eq!(top.status, 201);
    assert_eq!(graph.count(&format!(r"{MAILBOX}\Queue")).unwrap(), 0);
}

#[tokio::test]
async fn what_no_folder_has_is_refused() {
    let graph = started().await;
    for body in [
        json!({"displayname": "x"}),
        json!({"displayName": "x", "colour": 1}),
        json!({"displayName": 5}),
        json!({}),
    ] {
        assert_eq!(post(&graph, "/mailFolders", &body).await.status, 400);
    }
    for query in [
        "$select=colour",
        "$filter=colour eq 'x'",
        "$filter=displayName",
        "$search=x",
        "$expand=messages",
        "$top=0",
        "$top=1001",
        "$top=1&$top=2",
        "top=5",
    ] {
        let answer = get(&graph, &format!("/mailFolders?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
}
