//! Public folders whose tree and contents lie in different mailboxes: found out, kept, and found out anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::EmailLogger;
use email_logging::credential::StaticCredentials;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::error::Result;
use email_logging::logger::{RunReport, RunSettings};
use email_logging::parties::ContactKind;
use email_logging::source::ews::{EwsSource, EwsSourceBuilder, PublicFolderRouting};
use email_logging::source::{
    FetchSink, Fetched, Folder, FolderId, FolderPath, FolderSelector, ItemRef, ListRequest,
    ListedItem, MailFolders as _, MailSource as _, Moved, Sought,
};
use email_logging::store::MemoryStore;
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::{
    AutodiscoverFault, ByHand, Fault, FaultKind, Operation, RecordedCall, RoutingRule,
    SimulatedExchange, SimulatedExchangeBuilder,
};

#[path = "support/skipped.rs"]
mod skipped;

const QUEUE: &str = r"\Email Logging\Queue\";
const STORAGE: &str = r"\Email Logging\Storage\";
const USER: &str = "svc@ours.example";

fn exchange() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user(USER, "correct horse")
        .with_recording(true)
        .with_public_folder_in(QUEUE, 1)
        .with_public_folder_in(STORAGE, 2)
        .with_routing_enforced("ours.example")
}

async fn enforced() -> SimulatedExchange {
    exchange().start().await.unwrap()
}

fn builder(exchange: &SimulatedExchange) -> EwsSourceBuilder {
    let credentials = StaticCredentials::new().with_password(USER, "correct horse");
    EwsSource::builder(exchange.url())
        .with_basic(Arc::new(credentials))
        .dangerously_allow_plain_http_on_loopback()
}

fn automatic(exchange: &SimulatedExchange) -> EwsSource {
    let routing = PublicFolderRouting::automatic(USER);
    let builder = builder(exchange).with_public_folder_routing(routing);
    builder.build().unwrap()
}

fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

async fn open(source: &EwsSource, text: &str) -> Folder {
    source.open_folder(&path(text).into()).await.unwrap()
}

async fn list(source: &EwsSource, folder: &Folder) -> Vec<ListedItem> {
    let page = source.list(folder, ListRequest::new(0, 100)).await;
    page.unwrap().items
}

fn ids(items: &[ListedItem]) -> Vec<ItemRef> {
    items.iter().map(|row| row.item.clone()).collect()
}

fn mail(number: u32) -> Vec<u8> {
    format!(
        "From: ada@contacts.example\r\nTo: ah@ours.example\r\nSubject: Offer {number}\r\n\
         Message-ID: <n{number}@contacts.example>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\nHello\r\n"
    )
    .into_bytes()
}

fn deliver(exchange: &SimulatedExchange, numbers: std::ops::Range<u32>) {
    for number in numbers {
        exchange.deliver(QUEUE, mail(number)).unwrap();
    }
}

fn logger(source: EwsSource) -> EmailLogger {
    let people = MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AH", "Anna Hill", "ah@ours.example"))
        .with_contact(
            ContactRecord::new("C1", "Ada", ContactKind::Person).with_email("ada@contacts.example"),
        );
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = (5, 5);
    EmailLogger::builder()
        .with_source(Arc::new(source))
        .with_directory(Arc::new(people))
        .with_store(Arc::new(MemoryStore::new()))
        .with_queue_folder(path(QUEUE))
        .with_storage_folder(path(STORAGE))
        .with_settings(settings)
        .build()
        .unwrap()
}

fn counts(report: &RunReport) -> (u64, u64, u64, u64) {
    (
        report.listed,
        report.logged,
        report.moved,
        report.quarantined,
    )
}

/// The two headers of the calls of an operation that is about a folder.
fn routing_of(call: &RecordedCall) -> (Option<&str>, Option<&str>) {
    let header = |name: &str| call.headers.get(name).map(String::as_str);
    (header("x-anchormailbox"), header("x-publicfoldermailbox"))
}

fn calls(exchange: &SimulatedExchange, operation: Operation) -> Vec<RecordedCall> {
    let all = exchange.recorded().into_iter();
    all.filter(|call| call.operation == Some(operation))
        .collect()
}

#[derive(Default)]
struct Subjects {
    complete: usize,
    gone: usize,
    failed: Vec<&'static str>,
}

#[async_trait]
impl FetchSink for Subjects {
    fn begin(&mut self, _: usize, _: Option<u64>) {}

    async fn chunk(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        match fetched {
            Fetched::Complete(_) => self.complete += 1,
            Fetched::Gone => self.gone += 1,
            Fetched::WithoutOriginal(_, error) | Fetched::Failed(error) => {
                self.failed.push(error.code());
            }
            other => panic!("{other:?}"),
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_whole_run_goes_through_autodiscover_between_two_content_mailboxes() {
    let exchange = enforced().await;
    deliver(&exchange, 0..12);
    let report = logger(automatic(&exchange)).run_once().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!(counts(&report), (12, 12, 12, 0));
    assert_eq!(exchange.count(QUEUE).unwrap(), 0);
    assert_eq!(exchange.count(STORAGE).unwrap(), 12);
    // Two per path, and one look when the emptied queue shows nothing.
    assert!(calls(&exchange, Operation::FindFolder).len() <= 5);
    assert!(exchange.autodiscover_calls().len() <= 4);
    let information = exchange.information_address();
    let tree = exchange.hierarchy_address();
    for call in calls(&exchange, Operation::FindFolder) {
        assert_eq!(routing_of(&call), (Some(&*information), Some(&*tree)));
    }
    let queue = exchange.content_smtp_address(QUEUE).unwrap();
    for operation in [Operation::GetItem, Operation::MoveItem] {
        for call in calls(&exchange, operation) {
            assert_eq!(routing_of(&call), (Some(&*queue), Some(&*queue)));
        }
    }
}

#[tokio::test]
async fn what_was_found_out_is_kept() {
    let exchange = enforced().await;
    let source = automatic(&exchange);
    deliver(&exchange, 0..3);
    let (queue, storage) = (open(&source, QUEUE).await, open(&source, STORAGE).await);
    for _ in 0..3 {
        list(&source, &queue).await;
        source.locate(&storage, &[]).await.unwrap();
    }
    let asked: Vec<_> = exchange.autodiscover_calls();
    assert_eq!(asked.len(), 2, "the account and one content mailbox");
    assert!(
        asked
            .iter()
            .all(|call| call.is_soap && call.with_credentials)
    );
    assert_eq!(calls(&exchange, Operation::FindFolder).len(), 4);
    assert_eq!(calls(&exchange, Operation::FindItem).len(), 3);
}

#[tokio::test]
async fn without_the_wish_nothing_is_asked_and_nothing_added() {
    let exchange = SimulatedExchange::builder()
        .with_user(USER, "correct horse")
        .with_recording(true)
        .with_public_folder(QUEUE)
        .with_public_folder(STORAGE)
        .start()
        .await
        .unwrap();
    deliver(&exchange, 0..3);
    let source = builder(&exchange).build().unwrap();
    let report = logger(source).run_once().await.unwrap();
    assert_eq!(counts(&report), (3, 3, 3, 0));
    assert_eq!(exchange.autodiscover_calls(), []);
    assert!(
        exchange
            .recorded()
            .iter()
            .all(|call| routing_of(call) == (None, None))
    );
}

#[tokio::test]
async fn a_moved_item_is_found_in_the_target_by_the_targets_routing() {
    let exchange = enforced().await;
    let source = automatic(&exchange);
    deliver(&exchange, 0..2);
    let (queue, storage) = (open(&source, QUEUE).await, open(&source, STORAGE).await);
    let items = list(&source, &queue).await;
    let moved = source
        .move_to(&queue, &ids(&items), &storage)
        .await
        .unwrap();
    assert!(moved.iter().all(|moved| matches!(moved, Moved::Done(None))));
    let sought: Vec<Sought> = items
        .iter()
        .map(|row| row.key.clone().unwrap().into())
        .collect();
    let found = source.locate(&storage, &sought).await.unwrap();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    let there = exchange.content_smtp_address(STORAGE).unwrap();
    let last = calls(&exchange, Operation::FindItem).pop().unwrap();
    assert_eq!(routing_of(&last), (Some(&*there), Some(&*there)));
}

#[tokio::test]
async fn content_that_moves_to_another_mailbox_in_the_middle_of_a_run_is_followed() {
    for (operation, first_call) in [
        (Operation::GetItem, 1),
        (Operation::GetItem, 2),
        (Operation::MoveItem, 1),
        (Operation::MoveItem, 2),
        (Operation::FindItem, 1),
    ] {
        let exchange = enforced().await;
        deliver(&exchange, 0..20);
        let deed = FaultKind::ByHand(ByHand::MoveContent {
            path: QUEUE.into(),
            content_mailbox: 7,
        });
        exchange.inject(Fault::new(deed).on(operation).at_call(first_call));
        let report = logger(automatic(&exchange)).run_once().await.unwrap();
        assert!(report.closes(), "{report:?}");
        let case = format!("{operation:?} {first_call}");
        assert_eq!(counts(&report), (20, 20, 20, 0), "{case}");
        assert_eq!(exchange.count(QUEUE).unwrap(), 0, "{case}");
        assert_eq!(exchange.count(STORAGE).unwrap(), 20, "{case}");
        let new = exchange.content_smtp_address(QUEUE).unwrap();
        let last = calls(&exchange, Operation::MoveItem).pop().unwrap();
        assert_eq!(routing_of(&last), (Some(&*new), Some(&*new)), "{case}");
    }
}

#[tokio::test]
async fn lost_items_are_gone_once_the_mailbox_is_confirmed() {
    let exchange = enforced().await;
    let source = automatic(&exchange);
    deliver(&exchange, 0..3);
    let queue = open(&source, QUEUE).await;
    let items = list(&source, &queue).await;
    exchange.remove_item(&items[1].item.id).unwrap();
    let mut sink = Subjects::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    assert_eq!((sink.complete, sink.gone), (2, 1));
    assert_eq!(sink.failed, [""; 0]);
    let looked = calls(&exchange, Operation::FindFolder).len();
    assert_eq!(looked, 3, "two for the path and one to confirm");
}

#[tokio::test]
async fn an_empty_folder_is_looked_up_again_once_a_minute_at_most() {
    let exchange = enforced().await;
    let clock = ManualClock::default();
    let source = builder(&exchange)
        .with_public_folder_routing(PublicFolderRouting::automatic(USER))
        .with_clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    deliver(&exchange, 0..1);
    let queue = open(&source, QUEUE).await;
    let items = list(&source, &queue).await;
    exchange.remove_item(&items[0].item.id).unwrap();
    let looked = || calls(&exchange, Operation::FindFolder).len();
    let before = looked();
    for _ in 0..5 {
        assert_eq!(list(&source, &queue).await, []);
    }
    assert_eq!(looked() - before, 1);
    // The content moves while the folder is empty, and a mail arrives there.
    exchange.move_content(QUEUE, 9).unwrap();
    deliver(&exchange, 1..2);
    assert_eq!(list(&source, &queue).await, []);
    clock.advance(Duration::from_mins(1));
    assert_eq!(list(&source, &queue).await.len(), 1);
    assert_eq!(looked() - before, 2);
}

#[tokio::test]
async fn a_content_mailbox_that_autodiscover_does_not_know_is_reached_by_its_guid() {
    let builder = exchange().with_autodiscover_fault(AutodiscoverFault::ContentMailboxesUnknown);
    let exchange = builder.start().await.unwrap();
    deliver(&exchange, 0..3);
    let report = logger(automatic(&exchange)).run_once().await.unwrap();
    assert_eq!(counts(&report), (3, 3, 3, 0));
    let by_guid = exchange.content_address(QUEUE).unwrap();
    for call in calls(&exchange, Operation::GetItem) {
        assert_eq!(routing_of(&call), (Some(&*by_guid), Some(&*by_guid)));
    }
}

#[tokio::test]
async fn where_only_the_anchor_leads_there_the_other_header_is_left_out() {
    let builder = exchange().with_routing_rule(RoutingRule::AnchorOnly);
    let exchange = builder.start().await.unwrap();
    deliver(&exchange, 0..3);
    let report = logger(automatic(&exchange)).run_once().await.unwrap();
    assert_eq!(counts(&report), (3, 3, 3, 0));
    let information = exchange.information_address();
    for operation in [Operation::GetItem, Operation::MoveItem] {
        for call in calls(&exchange, operation) {
            assert_eq!(routing_of(&call), (Some(&*information), None));
        }
    }
}

#[tokio::test]
async fn where_no_header_leads_there_none_is_sent_in_the_end() {
    for fault in [
        None,
        Some(AutodiscoverFault::HtmlPage),
        Some(AutodiscoverFault::OtherContent),
        Some(AutodiscoverFault::Unauthorized),
        Some(AutodiscoverFault::Status(503)),
        Some(AutodiscoverFault::RedirectUrl(
            "https://elsewhere.example/".into(),
        )),
        Some(AutodiscoverFault::Redirect(
            "https://elsewhere.example/".into(),
        )),
    ] {
        let builder = exchange().with_routing_rule(RoutingRule::NoHeaders);
        let exchange = builder.start().await.unwrap();
        exchange.set_autodiscover_fault(fault.clone());
        deliver(&exchange, 0..3);
        let report = logger(automatic(&exchange)).run_once().await.unwrap();
        assert_eq!(counts(&report), (3, 3, 3, 0), "{fault:?}");
        for call in calls(&exchange, Operation::MoveItem) {
            assert_eq!(routing_of(&call), (None, None), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn an_address_that_was_renamed_is_asked_about_by_its_new_name() {
    let builder = exchange()
        .with_mailbox("new@ours.example")
        .with_autodiscover_fault(AutodiscoverFault::RedirectAddress(
            "new@ours.example".into(),
        ));
    let exchange = builder.start().await.unwrap();
    let source = automatic(&exchange);
    open(&source, QUEUE).await;
    let asked = exchange.autodiscover_calls();
    let asked: Vec<_> = asked
        .iter()
        .filter_map(|call| call.mailbox.as_deref())
        .collect();
    assert_eq!(asked, [USER, "new@ours.example"]);
}

#[tokio::test]
async fn routing_by_hand_goes_before_what_could_be_found_out() {
    let exchange = SimulatedExchange::builder()
        .with_user(USER, "correct horse")
        .with_recording(true)
        .with_public_folder_in(QUEUE, 1)
        .with_public_folder_in(STORAGE, 1)
        .with_routing_enforced("ours.example")
        .start()
        .await
        .unwrap();
    let content = exchange.content_address(QUEUE).unwrap();
    let source = builder(&exchange)
        .with_public_folder_routing(PublicFolderRouting::automatic(USER))
        .with_anchor_mailbox("anchor@ours.example")
        .with_public_folder_mailbox(exchange.hierarchy_address())
        .with_public_folder_content_mailbox(&content)
        .build()
        .unwrap();
    deliver(&exchange, 0..3);
    let report = logger(source).run_once().await.unwrap();
    assert_eq!(counts(&report), (3, 3, 3, 0));
    assert_eq!(exchange.autodiscover_calls(), []);
    for call in calls(&exchange, Operation::MoveItem) {
        assert_eq!(routing_of(&call), (Some(&*content), Some(&*content)));
    }
    for call in calls(&exchange, Operation::FindFolder) {
        assert_eq!(routing_of(&call).0, Some("anchor@ours.example"));
    }
}

#[tokio::test]
async fn a_folder_known_by_its_id_is_found_with_and_without_its_path() {
    let exchange = enforced().await;
    deliver(&exchange, 0..2);
    let id = open(&automatic(&exchange), QUEUE).await.id;
    for known in [Some(path(QUEUE)), None, Some(path(r"\Old Name\Queue\"))] {
        let source = automatic(&exchange);
        let selector = FolderSelector::Id(FolderId::new(id.as_str()), known.clone());
        let queue = source.open_folder(&selector).await.unwrap();
        assert_eq!(list(&source, &queue).await.len(), 2, "{known:?}");
    }
}

#[tokio::test]
async fn folders_of_a_mailbox_go_without_public_routing() {
    let exchange = exchange().with_mailbox(USER).start().await.unwrap();
    exchange
        .deliver(&format!(r"{USER}\Inbox"), mail(1))
        .unwrap();
    let source = automatic(&exchange);
    let inbox = open(&source, "inbox:").await;
    assert_eq!(list(&source, &inbox).await.len(), 1);
    assert_eq!(exchange.autodiscover_calls(), []);
    let by_id = FolderSelector::Id(inbox.id.clone(), None);
    let inbox = source.open_folder(&by_id).await.unwrap();
    assert_eq!(list(&source, &inbox).await.len(), 1);
    for call in calls(&exchange, Operation::FindItem) {
        assert_eq!(routing_of(&call), (None, None));
    }
}

#[tokio::test]
async fn words_of_the_wrong_mailbox_lead_to_another_look_at_once() {
    for kind in [
        FaultKind::SoapFault {
            code: "ErrorPublicFolderServerNotFound".into(),
        },
        FaultKind::ItemError {
            index: 0,
            code: "ErrorPublicFolderMailboxDiscoveryFailed".into(),
        },
    ] {
        for operation in [Operation::FindItem, Operation::GetItem] {
            let exchange = enforced().await;
            let clock = ManualClock::default();
            let source = builder(&exchange)
                .with_public_folder_routing(PublicFolderRouting::automatic(USER))
                .with_clock(Arc::new(clock))
                .build()
                .unwrap();
            deliver(&exchange, 0..2);
            let queue = open(&source, QUEUE).await;
            let storage = open(&source, STORAGE).await;
            exchange.inject(Fault::new(kind.clone()).on(operation));
            // The clock stands still: whoever waits instead of looking elsewhere never ends.
            let whole = async {
                let items = list(&source, &queue).await;
                let mut sink = Subjects::default();
                source.fetch(&queue, &items, &mut sink).await.unwrap();
                let moved = source
                    .move_to(&queue, &ids(&items), &storage)
                    .await
                    .unwrap();
                (items.len(), sink.complete, sink.failed, moved.len())
            };
            let whole = tokio::time::timeout(Duration::from_secs(20), whole).await;
            // One item of an answer that shows others is that item's trouble.
            let one =
                operation == Operation::GetItem && matches!(kind, FaultKind::ItemError { .. });
            let expected = if one {
                (2, 1, vec!["ews.unavailable"], 2)
            } else {
                (2, 2, Vec::new(), 2)
            };
            assert_eq!(whole.unwrap(), expected, "{kind:?} {operation:?}");
            assert_eq!(
                exchange.count(STORAGE).unwrap(),
                2,
                "{kind:?} {operation:?}"
            );
        }
    }
}

#[tokio::test]
async fn folders_are_created_in_the_tree_and_used_at_once() {
    let exchange = SimulatedExchange::builder()
        .with_user(USER, "correct horse")
        .with_public_folder(r"\Other")
        .with_routing_enforced("ours.example")
        .start()
        .await
        .unwrap();
    let source = automatic(&exchange);
    for text in [QUEUE, STORAGE, QUEUE] {
        let folder = source.create(&path(text)).await.unwrap();
        assert_eq!(folder.path, Some(path(text)));
    }
    let queue = open(&source, QUEUE).await;
    assert_eq!(list(&source, &queue).await, []);
    exchange.deliver(QUEUE, mail(1)).unwrap();
    let source = automatic(&exchange);
    let queue = open(&source, QUEUE).await;
    assert_eq!(list(&source, &queue).await.len(), 1);
}

#[tokio::test]
async fn nothing_found_is_the_first_error_and_not_the_last_attempts() {
    let exchange = enforced().await;
    let source = automatic(&exchange);
    let gone = FolderSelector::Id(FolderId::new("AAMkAGone"), Some(path(QUEUE)));
    let folder = source.open_folder(&gone).await.unwrap();
    let error = source
        .list(&folder, ListRequest::new(0, 10))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "ews.item_damaged");
    let error = source
        .open_folder(&path(r"\Email Logging\Missing\").into())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "ews.folder_not_found");
}

#[tokio::test]
async fn routing_needs_a_mail_address() {
    let exchange = enforced().await;
    for address in ["", "svc", "a@b@c"] {
        let routing = PublicFolderRouting::automatic(address);
        let built = builder(&exchange)
            .with_public_folder_routing(routing)
            .build();
        assert_eq!(built.unwrap_err().code(), "config.invalid", "{address}");
    }
    let elsewhere = PublicFolderRouting::automatic(USER)
        .with_autodiscover_url("http://autodiscover.ours.example/autodiscover/autodiscover.svc");
    let built = builder(&exchange)
        .with_public_folder_routing(elsewhere)
        .build();
    assert_eq!(built.unwrap_err().code(), "config.insecure");
}

#[tokio::test]
async fn an_anchor_by_hand_goes_with_the_mailbox_that_was_found_out() {
    let exchange = enforced().await;
    let source = builder(&exchange)
        .with_public_folder_routing(PublicFolderRouting::automatic(USER))
        .with_anchor_mailbox("anchor@ours.example")
        .build()
        .unwrap();
    open(&source, QUEUE).await;
    let tree = exchange.hierarchy_address();
    for call in calls(&exchange, Operation::FindFolder) {
        assert_eq!(
            routing_of(&call),
            (Some("anchor@ours.example"), Some(&*tree))
        );
    }
}

#[tokio::test]
async fn the_replica_list_of_the_published_answer_is_read() {
    let name = "how-to-route-public-folder-content-requests--02--FindFolderResponse.xml";
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/ews/responses");
    let Ok(answer) = std::fs::read(vectors.join("ms-docs").join(name)) else {
        return skipped::skipped("the published answer with a replica list");
    };
    let read = email_logging::source::ews::testing::read_answer(vec![answer]);
    let messages = read.await.unwrap().messages;
    let replicas: Vec<_> = messages.iter().flat_map(|one| &one.replicas).collect();
    assert_eq!(replicas, ["1ec2a236-ed93-4f88-b9c6-33e63fa4aa44"; 2]);
}
