//! Moving, copying, changing and removing messages.

use email_logging::testkit::exchange::FolderRights;
use serde_json::json;

use super::client::{
    ARCHIVE, IMMUTABLE, INBOX, MAILBOX, get, mail, of_mailbox, post, send, started,
};

#[tokio::test]
async fn a_move_changes_the_id_and_the_old_one_is_gone() {
    let graph = started().await;
    graph.deliver(INBOX, mail(1)).unwrap();
    let id = graph.changing_ids(INBOX).unwrap().remove(0);
    let wish = json!({"destinationId": "archive"});
    let moved = post(&graph, &format!("/messages/{id}/move"), &wish).await;
    assert_eq!(moved.status, 201);
    let new = moved.json["id"].as_str().unwrap();
    assert_ne!(new, id);
    assert_eq!(
        moved.json["parentFolderId"],
        json!(graph.folder_id(ARCHIVE).unwrap())
    );
    let old = get(&graph, &format!("/messages/{id}")).await;
    assert_eq!((old.status, old.code()), (404, "ErrorItemNotFound"));
    assert_eq!(get(&graph, &format!("/messages/{new}")).await.status, 200);
    let again = post(&graph, &format!("/messages/{id}/move"), &wish).await;
    assert_eq!(again.status, 404);
    assert_eq!(graph.count(ARCHIVE).unwrap(), 1);
}

#[tokio::test]
async fn an_immutable_id_stays_through_moves_and_a_copy_has_its_own() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let key = graph.items(INBOX).unwrap()[0].search_key;
    let target = graph.folder_id(ARCHIVE).unwrap();
    let wish = json!({"destinationId": target});
    let path = of_mailbox(&format!("/messages/{id}/move"));
    let moved = send(&graph, "POST", &path, &[IMMUTABLE], Some(&wish))
        .await
        .unwrap();
    assert_eq!(moved.json["id"], json!(id));
    let path = of_mailbox(&format!("/messages/{id}/copy"));
    let wish = json!({"destinationId": "inbox"});
    let copy = send(&graph, "POST", &path, &[IMMUTABLE], Some(&wish))
        .await
        .unwrap();
    assert_eq!(copy.status, 201);
    assert_ne!(copy.json["id"], json!(id));
    assert_eq!(graph.items(INBOX).unwrap()[0].search_key, key);
    assert_eq!(graph.items(ARCHIVE).unwrap()[0].id, id);
}

#[tokio::test]
async fn deleting_moves_to_deleted_items_and_from_there_away() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let bin = format!(r"{MAILBOX}\Deleted Items");
    let path = of_mailbox(&format!("/messages/{id}"));
    let deleted = send(&graph, "DELETE", &path, &[], None).await.unwrap();
    assert_eq!((deleted.status, graph.count(&bin).unwrap()), (204, 1));
    send(&graph, "DELETE", &path, &[], None).await.unwrap();
    assert_eq!(graph.count(&bin).unwrap(), 0);
    assert_eq!(get(&graph, &format!("/messages/{id}")).await.status, 404);
}

#[tokio::test]
async fn a_permanent_delete_leaves_nothing_in_sight() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let path = of_mailbox(&format!("/messages/{id}/permanentDelete"));
    let gone = send(&graph, "POST", &path, &[], None).await.unwrap();
    assert_eq!(gone.status, 204);
    let bin = format!(r"{MAILBOX}\Deleted Items");
    assert_eq!(
        (graph.count(INBOX).unwrap(), graph.count(&bin).unwrap()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_message_is_marked_as_read() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let path = of_mailbox(&format!("/messages/{id}"));
    let body = json!({"isRead": true});
    let marked = send(&graph, "PATCH", &path, &[], Some(&body))
        .await
        .unwrap();
    assert_eq!((marked.status, &marked.json["isRead"]), (200, &json!(true)));
    assert!(graph.items(INBOX).unwrap()[0].is_read);
    let body = json!({"isread": true});
    let wrong = send(&graph, "PATCH", &path, &[], Some(&body))
        .await
        .unwrap();
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn rights_and_quotas_of_folders_hold() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let (path, wish) = (
        format!("/messages/{id}/move"),
        json!({"destinationId": "archive"}),
    );
    graph.set_rights(ARCHIVE, FolderRights::REVIEWER).unwrap();
    let denied = post(&graph, &path, &wish).await;
    assert_eq!((denied.status, denied.code()), (403, "ErrorAccessDenied"));
    graph.set_rights(ARCHIVE, FolderRights::OWNER).unwrap();
    graph.set_quota(ARCHIVE, Some(10)).unwrap();
    let full = post(&graph, &path, &wish).await;
    assert_eq!((full.status, full.code()), (507, "ErrorQuotaExceeded"));
    graph.set_quota(ARCHIVE, None).unwrap();
    graph.set_rights(INBOX, FolderRights::REVIEWER).unwrap();
    assert_eq!(post(&graph, &path, &wish).await.status, 403);
    graph.set_rights(INBOX, FolderRights::NONE).unwrap();
    assert_eq!(get(&graph, "/mailFolders/inbox/messages").await.status, 403);
    assert_eq!(graph.count(INBOX).unwrap(), 1);
}

#[tokio::test]
async fn a_move_with_a_wrong_body_moves_nothing() {
    let graph = started().await;
    let id = graph.deliver(INBOX, mail(1)).unwrap();
    let path = format!("/messages/{id}/move");
    for body in [
        json!({"destination": "archive"}),
        json!({"destinationId": 5}),
        json!({"destinationId": "nowhere"}),
        json!({"destinationId": "archive", "copy": true}),
        json!([]),
    ] {
        assert_eq!(post(&graph, &path, &body).await.status, 400, "{body}");
    }
    assert_eq!(graph.count(INBOX).unwrap(), 1);
}
