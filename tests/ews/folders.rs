//! GetFolder, FindFolder, CreateFolder.

use email_logging::source::{
    FolderId, FolderPath, FolderSelector, ListRequest, MailFolders, MailSource,
};
use wiremock::MockServer;

use super::support::*;

fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

async fn bodies(server: &MockServer) -> Vec<String> {
    let sent = server.received_requests().await.unwrap();
    sent.iter()
        .map(|sent| String::from_utf8_lossy(&sent.body).into_owned())
        .collect()
}

#[tokio::test]
async fn a_public_folder_is_found_segment_by_segment() {
    let server = MockServer::start().await;
    answer(
        &server,
        "FindFolder",
        response("FindFolder", &[folders(&[("L", "Email Logging")])]),
        1,
    )
    .await;
    answer(
        &server,
        "FindFolder",
        response("FindFolder", &[folders(&[("Q", "Queue")])]),
        1,
    )
    .await;
    let (source, _) = source_with(&server, |builder| {
        builder.with_mailbox("shared@example.com")
    });
    let queue = path(r"\Email Logging\Queue\");
    let folder = source.open_folder(&queue.clone().into()).await.unwrap();
    assert_eq!(folder.id.as_str(), "Q");
    assert_eq!(folder.path, Some(queue));
    assert!(folder.public);
    let rights = folder.rights.unwrap();
    assert!(rights.create_contents && rights.read && !rights.create_hierarchy);
    assert_eq!(
        (folder.child_folders, folder.class.as_deref()),
        (Some(2), Some("IPF.Note"))
    );
    let sent = bodies(&server).await;
    assert!(
        sent[0].contains("<t:DistinguishedFolderId Id=\"publicfoldersroot\"/>"),
        "{}",
        sent[0]
    );
    assert!(sent[0].contains("<t:Constant Value=\"Email Logging\"/>"));
    assert!(sent[1].contains("<t:FolderId Id=\"L\"/>"));
}

#[tokio::test]
async fn a_folder_of_another_mailbox_names_the_mailbox() {
    let server = MockServer::start().await;
    let row = format!(
        "<m:Folders>{}</m:Folders>",
        folder_row("I", "Inbox", "IPF.Note")
    );
    answer(
        &server,
        "GetFolder",
        response("GetFolder", &[fine(&row)]),
        1,
    )
    .await;
    let (source, _) = source_with(&server, |builder| {
        builder.with_mailbox("shared@example.com")
    });
    let folder = source.open_folder(&path("inbox:").into()).await.unwrap();
    assert_eq!((folder.id.as_str(), folder.public), ("I", false));
    let sent = bodies(&server).await;
    assert!(sent[0].contains("<t:EmailAddress>shared@example.com</t:EmailAddress>"));
}

#[tokio::test]
async fn a_folder_that_is_known_by_its_id_needs_no_request() {
    let server = MockServer::start().await;
    let (source, _) = source(&server);
    let selector = FolderSelector::Id(FolderId::new("Q"), Some(path(r"\Queue\")));
    let folder = source.open_folder(&selector).await.unwrap();
    assert_eq!((folder.id.as_str(), folder.public), ("Q", true));
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_or_ambiguous_folder_is_a_typed_error() {
    for (rows, result) in [
        (vec![], Err("ews.folder_not_found")),
        (
            vec![("1", "queue"), ("2", "QUEUE")],
            Err("ews.folder_ambiguous"),
        ),
        (
            vec![("1", "Queue"), ("2", "Queue")],
            Err("ews.folder_ambiguous"),
        ),
        (vec![("1", "queue"), ("2", "Queue")], Ok("2")),
        (vec![("1", "QUEUE")], Ok("1")),
        (vec![("1", "Other")], Err("ews.folder_not_found")),
        (vec![("1", "Other"), ("2", "QUEUE")], Ok("2")),
    ] {
        let server = MockServer::start().await;
        answer(
            &server,
            "FindFolder",
            response("FindFolder", &[folders(&rows)]),
            1,
        )
        .await;
        let (source, _) = source(&server);
        let opened = source.open_folder(&path(r"\Queue\").into()).await;
        let found = opened
            .as_ref()
            .map(|folder| folder.id.as_str())
            .map_err(code_of);
        assert_eq!(found, result, "{rows:?}");
        if let Err(error) = opened {
            assert!(error.server().unwrap().client_request_id.is_some());
        }
    }
}

#[tokio::test]
async fn refused_access_is_told_from_a_missing_folder() {
    for (code, expected) in [
        ("ErrorAccessDenied", "ews.access_denied"),
        ("ErrorFolderNotFound", "ews.folder_not_found"),
        ("ErrorNonExistentMailbox", "ews.mailbox"),
        ("ErrorImpersonateUserDenied", "ews.impersonation"),
    ] {
        let server = MockServer::start().await;
        answer(
            &server,
            "FindFolder",
            response("FindFolder", &[failed(code)]),
            1,
        )
        .await;
        let (source, _) = source(&server);
        let error = source
            .open_folder(&path(r"\Queue\").into())
            .await
            .unwrap_err();
        assert_eq!(code_of(&error), expected);
    }
}

#[tokio::test]
async fn children_are_mail_folders_with_their_paths() {
    let server = MockServer::start().await;
    let rows = [
        ("1", "Queue", "IPF.Note"),
        ("2", "Calendar", "IPF.Appointment"),
        ("3", "Old", ""),
    ]
    .map(|(id, name, class)| folder_row(id, name, class))
    .concat();
    let page = fine(&format!(
        "<m:RootFolder TotalItemsInView=\"9\" IncludesLastItemInRange=\"false\">\
         <t:Folders>{rows}</t:Folders></m:RootFolder>"
    ));
    answer(&server, "FindFolder", response("FindFolder", &[page]), 1).await;
    let (source, _) = source(&server);
    let root = FolderPath::new(email_logging::source::FolderRoot::PublicFolders, [""; 0]);
    let page = source
        .children(&root.into(), ListRequest::new(0, 3))
        .await
        .unwrap();
    let paths: Vec<_> = page
        .folders
        .iter()
        .map(|folder| folder.path.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(paths, [r"\Queue\", r"\Old\"]);
    assert!(!page.complete);
}

#[tokio::test]
async fn a_path_is_created_from_where_it_ends() {
    let server = MockServer::start().await;
    answer(
        &server,
        "FindFolder",
        response("FindFolder", &[folders(&[("L", "Logging")])]),
        1,
    )
    .await;
    answer(
        &server,
        "FindFolder",
        response("FindFolder", &[folders(&[])]),
        1,
    )
    .await;
    let created = fine("<m:Folders><t:Folder><t:FolderId Id=\"N\"/></t:Folder></m:Folders>");
    answer(
        &server,
        "CreateFolder",
        response("CreateFolder", &[created]),
        1,
    )
    .await;
    let (source, _) = source(&server);
    let folder = source
        .create(&path(r"mailbox:\Logging\Queue"))
        .await
        .unwrap();
    assert_eq!(
        (folder.id.as_str(), folder.name.as_deref()),
        ("N", Some("Queue"))
    );
}

#[tokio::test]
async fn a_folder_that_somebody_else_creates_meanwhile_is_opened() {
    let server = MockServer::start().await;
    answer(
        &server,
        "FindFolder",
        response("FindFolder", &[folders(&[])]),
        1,
    )
    .await;
    let exists = response("CreateFolder", &[failed("ErrorFolderExists")]);
    answer(&server, "CreateFolder", exists, 1).await;
    answer(
        &server,
        "FindFolder",
        response("FindFolder", &[folders(&[("Q", "Queue")])]),
        1,
    )
    .await;
    let (source, _) = source(&server);
    let folder = source.create(&path(r"\Queue\")).await.unwrap();
    assert_eq!(folder.id.as_str(), "Q");
}
