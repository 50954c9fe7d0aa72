//! Opening, listing and creating folders.

use email_logging::source::graph::{DEFAULT_QUEUE_FOLDER, DEFAULT_STORAGE_FOLDER};
use email_logging::source::{
    FolderBrowser, FolderRoot, FolderSelector, ListRequest, MailFolders, MailSource,
};

use crate::support::*;

#[tokio::test]
async fn inbox_and_archive_are_opened_by_their_well_known_names() {
    let graph = graph().await;
    let (source, _) = source(&graph);
    let before = graph.statistics().requests;
    let inbox = open(&source, DEFAULT_QUEUE_FOLDER).await;
    let archive = open(&source, DEFAULT_STORAGE_FOLDER).await;
    assert_eq!(graph.statistics().requests - before, 2);
    assert_eq!(inbox.name.as_deref(), Some("Inbox"));
    assert_eq!(archive.name.as_deref(), Some("Archive"));
    assert_eq!(
        inbox.id.as_str(),
        graph.folder_id(r"log@corp.example\Inbox").unwrap()
    );
    assert!(!inbox.public);
}

#[tokio::test]
async fn names_with_quotation_marks_and_signs_of_urls_are_found_and_created() {
    let graph = graph().await;
    let (source, _) = source(&graph);
    for name in [
        "O'Brien's",
        "a&b=c#d?e",
        "Größe 100 %",
        "50% / +1",
        "中文",
        "'",
    ] {
        let wanted = email_logging::source::FolderPath::new(FolderRoot::Inbox, [name, "below"]);
        let missing = source
            .open_folder(&wanted.clone().into())
            .await
            .unwrap_err();
        assert_eq!(missing.code(), "graph.folder_not_found");
        let created = source.create(&wanted).await.unwrap();
        let found = source.open_folder(&wanted.clone().into()).await.unwrap();
        assert_eq!(created.id, found.id, "{name}");
        assert_eq!(source.create(&wanted).await.unwrap().id, found.id, "{name}");
        assert_eq!(found.path, Some(wanted));
    }
}

#[tokio::test]
async fn names_are_compared_without_case_and_an_exact_one_goes_first() {
    let graph = graph().await;
    let (source, _) = source(&graph);
    let upper = open(&source, r"mailbox:\QUEUE\").await;
    assert_eq!(upper.name.as_deref(), Some("Queue"));
}

#[tokio::test]
async fn a_hidden_folder_is_found_by_its_name() {
    let graph = graph().await;
    graph.set_hidden(QUEUE, true).unwrap();
    let (source, _) = source(&graph);
    assert_eq!(
        open(&source, r"mailbox:\Queue\").await.name.as_deref(),
        Some("Queue")
    );
}

#[tokio::test]
async fn public_folders_are_refused_without_a_request() {
    let graph = graph().await;
    let (source, _) = source(&graph);
    let wanted = path(r"\Email Logging\Queue\");
    let opened = source
        .open_folder(&wanted.clone().into())
        .await
        .unwrap_err();
    let created = source.create(&wanted).await.unwrap_err();
    let root = email_logging::source::FolderPath::new(FolderRoot::PublicFolders, [""; 0]);
    let page = ListRequest::new(0, 10);
    let listed = source.children(&root.into(), page).await.unwrap_err();
    for error in [opened, created, listed] {
        assert_eq!(error.code(), "graph.public_folders");
        assert!(error.remedy().contains("mailbox"), "{}", error.remedy());
    }
    assert_eq!(graph.statistics().requests, 0);
}

#[tokio::test]
async fn a_level_is_listed_page_by_page_and_a_browser_sees_all_of_it() {
    let graph = graph().await;
    for number in 0..30 {
        let name = format!(r"log@corp.example\Queue\Below {number:02}");
        graph.add_folder(&name).unwrap();
    }
    let (source, _) = source(&graph);
    let queue = FolderSelector::from(path(r"mailbox:\Queue\"));
    let mut names = Vec::new();
    loop {
        let offset = u32::try_from(names.len()).unwrap();
        let page = source
            .children(&queue, ListRequest::new(offset, 7))
            .await
            .unwrap();
        names.extend(page.folders.into_iter().filter_map(|folder| folder.name));
        if page.complete {
            break;
        }
    }
    names.sort();
    let expected: Vec<_> = (0..30).map(|number| format!("Below {number:02}")).collect();
    assert_eq!(names, expected);
    let mut browser = FolderBrowser::new(std::sync::Arc::new(source), FolderRoot::Mailbox);
    let (queue, storage) = browser.create_default_folders().await.unwrap();
    assert_ne!(queue.id, storage.id);
    assert_eq!(queue.path, Some(path(r"mailbox:\Email Logging\Queue\")));
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_is_said_to_be_missing() {
    let graph = graph().await;
    let (source, _) = source_at(&service(&graph), |it| {
        it.with_mailbox("nobody@corp.example")
    });
    let inbox = FolderSelector::from(path("inbox:"));
    let error = source.open_folder(&inbox).await.unwrap_err();
    assert_eq!(error.code(), "graph.mailbox", "{error:?}");
}
