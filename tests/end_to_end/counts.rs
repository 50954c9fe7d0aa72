//! Exact counts: requests, idle polls, and the order of commit and move.

use std::sync::Arc;

use email_logging::logger::{RunReport, RunSettings};
use email_logging::store::{DecisionFilter, InteractionLog as _, LogFilter};
use email_logging::testkit::exchange::{Delivery, Operation};
use email_logging::{EmailLogger, Scope};

use crate::setting::{QUEUE, Setting};

async fn run_1000(batch: u32) -> (Setting, EmailLogger, RunReport) {
    let setting = Setting::new().await;
    let mut settings = RunSettings::default();
    (settings.fetch_batch, settings.move_batch) = (batch, batch);
    let logger = setting.builder().with_settings(settings).build().unwrap();
    logger.run_once().await.unwrap();
    setting.deliver_numbers(0..1000, 30_000);
    let before = setting.exchange.statistics();
    let report = logger.run_once().await.unwrap();
    let after = setting.exchange.statistics();
    println!(
        "batch {batch}: {} requests",
        after.requests - before.requests
    );
    for operation in [Operation::FindItem, Operation::GetItem, Operation::MoveItem] {
        println!(
            "  {} {}",
            operation.name(),
            after.calls(operation) - before.calls(operation)
        );
    }
    assert!(after.requests - before.requests <= if batch == 50 { 42 } else { 23 });
    assert_eq!(after.unauthorized, 0);
    assert!(after.most_concurrent <= 4);
    (setting, logger, report)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_batch_50_a_thousand_mails_take_at_most_42_requests() {
    let (setting, logger, report) = run_1000(50).await;
    assert!(report.closes(), "{report:?}");
    assert_eq!((report.logged, report.moved), (1000, 1000));
    assert_eq!((setting.queued(), setting.stored()), (0, 1000));
    let before = setting.exchange.statistics().requests;
    let idle = logger.run_once().await.unwrap();
    assert_eq!(idle.listed, 0);
    assert_eq!(
        setting.exchange.statistics().requests - before,
        1,
        "an idle poll is one request"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_batch_100_a_thousand_mails_take_at_most_23_requests() {
    let (setting, _, report) = run_1000(100).await;
    assert_eq!((report.logged, setting.stored()), (1000, 1000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_complete_and_searchable_after_the_run() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..120, 2_000);
    let report = setting.builder().build().unwrap().run_once().await.unwrap();
    assert_eq!((report.logged, report.indexed), (120, 120));
    let scope = Scope::default();
    let mut filter = LogFilter::default();
    filter.text = Some("mail 77".into());
    let found = setting
        .store
        .mails(&scope, &filter, None, 10)
        .await
        .unwrap();
    let subjects: Vec<_> = found
        .rows
        .iter()
        .map(|mail| mail.record.subject.as_str())
        .collect();
    assert_eq!(subjects, ["Offer 00077"]);
    assert_eq!(found.not_indexed, 0);
    let all = setting
        .store
        .decisions(&scope, &DecisionFilter::default(), None, 500)
        .await
        .unwrap();
    assert_eq!(all.rows.len(), 120);
}

/// A source that refuses to move what the store does not hold yet.
mod order {
    use async_trait::async_trait;
    use email_logging::source::ews::EwsSource;
    use email_logging::source::{
        Disposal, FetchSink, Folder, FolderSelector, ItemRef, ListRequest, ListedItem, Listing,
        MailSource, Moved, Removed, SightingKey, Sought, SourceCapabilities,
    };
    use email_logging::store::{KnownSighting, MailLedger as _, SightingState, SqliteStore};
    use email_logging::{Result, Scope};
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    /// Its decision is written, and its move is planned.
    fn is_committed(known: &KnownSighting) -> bool {
        known.state == SightingState::Decided && !known.waiting.is_empty()
    }

    #[derive(Debug)]
    pub(super) struct Watched {
        pub(super) source: EwsSource,
        pub(super) store: Arc<SqliteStore>,
        pub(super) keys: Mutex<BTreeMap<String, SightingKey>>,
        pub(super) moved: Mutex<usize>,
    }

    #[async_trait]
    impl MailSource for Watched {
        fn capabilities(&self) -> SourceCapabilities {
            self.source.capabilities()
        }

        async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
            self.source.open_folder(folder).await
        }

        async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
            let listing = self.source.list(folder, request).await?;
            let keys = listing
                .items
                .iter()
                .map(|it| (it.item.id.clone(), it.key.clone().unwrap()));
            self.keys.lock().unwrap().extend(keys);
            Ok(listing)
        }

        async fn fetch(
            &self,
            from: &Folder,
            items: &[ListedItem],
            sink: &mut dyn FetchSink,
        ) -> Result<()> {
            self.source.fetch(from, items, sink).await
        }

        async fn move_to(
            &self,
            from: &Folder,
            items: &[ItemRef],
            to: &Folder,
        ) -> Result<Vec<Moved>> {
            let known = self.keys.lock().unwrap().clone();
            let keys: Vec<_> = items.iter().map(|item| known[&item.id].clone()).collect();
            let scope = Scope::default();
            let found = self.store.known(&scope, &"queue".into(), &keys).await?;
            assert!(
                found
                    .iter()
                    .flatten()
                    .filter(|known| is_committed(known))
                    .count()
                    == items.len(),
                "a move before its commit"
            );
            *self.moved.lock().unwrap() += items.len();
            self.source.move_to(from, items, to).await
        }

        async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
            self.source.locate(folder, sought).await
        }

        async fn remove(
            &self,
            from: &Folder,
            items: &[ItemRef],
            disposal: Disposal,
        ) -> Result<Vec<Removed>> {
            self.source.remove(from, items, disposal).await
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_mail_moves_before_its_commit() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..300, 1_000);
    let watched = Arc::new(order::Watched {
        source: setting.source(),
        store: Arc::clone(&setting.store),
        keys: std::sync::Mutex::default(),
        moved: std::sync::Mutex::default(),
    });
    let logger = setting
        .builder()
        .with_source(watched.clone())
        .build()
        .unwrap();
    assert_eq!(logger.run_once().await.unwrap().moved, 300);
    assert_eq!(*watched.moved.lock().unwrap(), 300);
}

/// Whether a file of the store holds these bytes.
fn is_in_files(setting: &Setting, needle: &[u8]) -> bool {
    let files = std::fs::read_dir(setting.directory.path()).unwrap();
    files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_private_mail_leaves_no_byte_in_the_files() {
    let setting = Setting::new().await;
    let needle = "planted-secret-0123456789";
    let body = format!("{needle} ").repeat(8_000);
    let by_header = format!(
        "From: ada@contacts.example\r\nTo: ah@ours.example\r\nSubject: {needle}\r\n\
         Sensitivity: Private\r\nMessage-ID: <p1@x.example>\r\n\r\n{body}"
    );
    let by_server = by_header
        .replace("Sensitivity: Private\r\n", "")
        .replace("p1@", "p2@");
    setting.exchange.deliver(QUEUE, by_header).unwrap();
    let delivery = Delivery::new(by_server)
        .with_sensitivity(email_logging::testkit::exchange::Sensitivity::Private);
    setting.exchange.deliver_with(QUEUE, delivery).unwrap();
    setting.deliver_numbers(0..1, 200_000);
    let mut settings = RunSettings::default();
    settings.inline_bytes = 10_000;
    let logger = setting.builder().with_settings(settings).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.excluded), (1, 2), "{report:?}");
    assert!(
        is_in_files(&setting, b"0123456789abcdef"),
        "the other one is there"
    );
    assert!(!is_in_files(&setting, needle.as_bytes()));
}
