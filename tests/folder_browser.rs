//! Browsing folders: level by level, each asked for once; mail folders only; long paths left out and said once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::credential::StaticCredentials;
use email_logging::error::{Error, Result, codes};
use email_logging::source::ews::{EwsSource, PublicFolderRouting};
use email_logging::source::{
    DEFAULT_QUEUE_FOLDER, DEFAULT_STORAGE_FOLDER, Folder, FolderBrowser, FolderId, FolderPage,
    FolderPath, FolderRoot, FolderSelector, ListRequest, MailFolders,
};
use email_logging::testkit::exchange::{Operation, SimulatedExchange, SimulatedExchangeBuilder};

const USER: &str = "svc@ours.example";

fn exchange() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder().with_user(USER, "correct horse")
}

fn browser(exchange: &SimulatedExchange, root: FolderRoot) -> FolderBrowser {
    let credentials = StaticCredentials::new().with_password(USER, "correct horse");
    let source = EwsSource::builder(exchange.url())
        .with_basic(Arc::new(credentials))
        .with_public_folder_routing(PublicFolderRouting::automatic(USER))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    FolderBrowser::new(Arc::new(source), root)
}

fn public(segments: &[&str]) -> FolderPath {
    FolderPath::new(FolderRoot::PublicFolders, segments.iter().copied())
}

fn names(folders: &[Folder]) -> Vec<&str> {
    folders
        .iter()
        .filter_map(|folder| folder.name.as_deref())
        .collect()
}

#[tokio::test]
async fn each_level_is_asked_for_once_and_by_its_id() {
    let exchange = exchange()
        .with_public_folder(r"\Sales\Queue\Old")
        .with_public_folder(r"\Sales\Storage")
        .with_public_folder(r"\Support")
        .with_routing_enforced("ours.example")
        .start()
        .await
        .unwrap();
    let mut browser = browser(&exchange, FolderRoot::PublicFolders);
    let root = browser.root().clone();
    let level = browser.expand(&root).await.unwrap();
    assert_eq!(
        (names(level.folders), level.asked),
        (vec!["Sales", "Support"], true)
    );
    let sales = public(&["Sales"]);
    assert!(!browser.is_expanded(&sales));
    let level = browser.expand(&sales).await.unwrap();
    assert_eq!(names(level.folders), ["Queue", "Storage"]);
    assert_eq!(level.folders[0].path, Some(public(&["Sales", "Queue"])));
    assert_eq!(level.folders[0].child_folders, Some(1));
    for path in [&root, &sales] {
        let level = browser.expand(path).await.unwrap();
        assert!(!level.asked && !level.folders.is_empty());
    }
    assert_eq!(exchange.statistics().calls(Operation::FindFolder), 2);
    assert!(browser.seen(&public(&["Sales", "Queue"])).is_some());
    browser.forget();
    assert!(browser.expand(&root).await.unwrap().asked);
}

#[tokio::test]
async fn the_default_folders_are_created_and_then_found() {
    let exchange = exchange()
        .with_public_folder(r"\Other")
        .start()
        .await
        .unwrap();
    let mut browser = browser(&exchange, FolderRoot::PublicFolders);
    for _ in 0..2 {
        let (queue, storage) = browser.create_default_folders().await.unwrap();
        assert_eq!(queue.path.unwrap().to_string(), DEFAULT_QUEUE_FOLDER);
        assert_eq!(storage.path.unwrap().to_string(), DEFAULT_STORAGE_FOLDER);
    }
    assert_eq!(exchange.statistics().calls(Operation::CreateFolder), 3);
    let level = browser.expand(&public(&["Email Logging"])).await.unwrap();
    assert_eq!(names(level.folders), ["Queue", "Storage"]);
}

#[tokio::test]
async fn a_mailbox_is_browsed_too() {
    let exchange = exchange().with_mailbox(USER).start().await.unwrap();
    exchange
        .add_folder(&format!(r"{USER}\Inbox\Logged"))
        .unwrap();
    let mut browser = browser(&exchange, FolderRoot::Inbox);
    let root = browser.root().clone();
    let level = browser.expand(&root).await.unwrap();
    assert_eq!(names(level.folders), ["Logged"]);
    assert_eq!(exchange.autodiscover_calls(), []);
    assert_eq!(
        level.folders[0].path.as_ref().unwrap().to_string(),
        r"inbox:\Logged\"
    );
}

#[tokio::test]
async fn a_path_that_the_set_up_cannot_hold_is_left_out_and_said_once() {
    let long = "x".repeat(120);
    let exchange = exchange()
        .with_public_folder(format!(r"\{long}\{long}\{long}"))
        .with_public_folder(format!(r"\{long}\{long}\Short"))
        .with_public_folder(format!(r"\{long}\Other\{long}{long}"))
        .start()
        .await
        .unwrap();
    let mut browser = browser(&exchange, FolderRoot::PublicFolders);
    let second = public(&[&long, &long]);
    let level = browser.expand(&second).await.unwrap();
    assert_eq!(
        (names(level.folders), level.left_out),
        (vec!["Short"], Some(1))
    );
    let other = public(&[&long, "Other"]);
    let level = browser.expand(&other).await.unwrap();
    assert_eq!((names(level.folders), level.left_out), (vec![], None));
}

#[tokio::test]
async fn a_name_with_a_backslash_is_one_segment() {
    let odd = public(&[r"A\B", "Queue"]);
    let exchange = exchange()
        .with_public_folder(r"\Other")
        .start()
        .await
        .unwrap();
    let mut browser = browser(&exchange, FolderRoot::PublicFolders);
    let credentials = StaticCredentials::new().with_password(USER, "correct horse");
    let source = EwsSource::builder(exchange.url())
        .with_basic(Arc::new(credentials))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    source.create(&odd).await.unwrap();
    let level = browser.expand(&public(&[r"A\B"])).await.unwrap();
    assert_eq!(level.folders[0].path, Some(odd));
}

/// Folders in pages of at most three, of which every second is no mail folder.
#[derive(Debug, Default)]
struct Pages {
    asked: Mutex<Vec<u32>>,
    broken: Mutex<bool>,
}

#[async_trait]
impl MailFolders for Pages {
    async fn children(&self, _: &FolderSelector, request: ListRequest) -> Result<FolderPage> {
        if std::mem::take(&mut *self.broken.lock().unwrap()) {
            return Err(Error::new(&codes::EWS_UNAVAILABLE, "children"));
        }
        self.asked.lock().unwrap().push(request.offset);
        let all = (0..8_u32)
            .skip(usize::try_from(request.offset).unwrap())
            .take(3);
        let mail = all.filter(|number| number % 2 == 0);
        let folders = mail.map(|number| Folder::new(FolderId::new(number.to_string())));
        let page = FolderPage::new(folders.collect(), request.offset + 3 >= 8);
        Ok(page.with_listed(3))
    }

    async fn create(&self, _: &FolderPath) -> Result<Folder> {
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "create"))
    }
}

#[tokio::test]
async fn a_level_is_read_to_its_end_and_an_outage_can_be_tried_again() {
    let source = Arc::new(Pages::default());
    *source.broken.lock().unwrap() = true;
    let mut browser = FolderBrowser::new(Arc::<Pages>::clone(&source), FolderRoot::Mailbox);
    let root = browser.root().clone();
    let error = browser.expand(&root).await.unwrap_err();
    assert_eq!(error.code(), "ews.unavailable");
    let level = browser.expand(&root).await.unwrap();
    let ids: Vec<_> = level
        .folders
        .iter()
        .map(|folder| folder.id.as_str())
        .collect();
    assert_eq!(ids, ["0", "2", "4", "6"]);
    assert_eq!(*source.asked.lock().unwrap(), [0, 3, 6]);
}
