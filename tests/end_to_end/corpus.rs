//! Every mail of the shared vectors goes the whole way and is read back from a reopened database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use email_logging::decision::{Decision, HookError, Keep, LoggingHooks};
use email_logging::message::{MailFacts, Message, MessageLimits, OriginalDigest};
use email_logging::source::FolderPath;
use email_logging::source::ews::EwsSource;
use email_logging::store::{DecisionFilter, InteractionLog as _, SqliteStore};
use email_logging::testkit::exchange::{Delivery, SimulatedExchangeBuilder};
use email_logging::{MessageUid, Scope};

use crate::setting::{QUEUE, Setting};

const QUARANTINE: &str = r"\Email Logging\Quarantine\";

/// Keeps every original, whatever the outcome: the test reads all of them back.
#[derive(Debug)]
struct KeepEverything;

impl LoggingHooks for KeepEverything {
    fn after_decision(&self, _: &Message, decision: &mut Decision) -> Result<(), HookError> {
        decision.keep = Keep::Everything;
        Ok(())
    }
}

/// The folder of the vectors, or `None`, said aloud, where it is absent and may be.
pub(crate) fn vectors(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors")
        .join(folder);
    if path.is_dir() {
        return Some(path);
    }
    crate::skipped::skipped(&format!("../shared/vectors/{folder} is absent"));
    None
}

fn mails(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.contains("LICENSE") && !name.contains("COPYING") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

async fn read_back(
    store: &SqliteStore,
    scope: &Scope,
    uid: &MessageUid,
) -> (Vec<u8>, OriginalDigest) {
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len() as u64;
        let part = store
            .original(scope, uid, start..start + 100_000)
            .await
            .unwrap();
        bytes.extend_from_slice(&part.bytes);
        if bytes.len() as u64 >= part.total {
            return (bytes, part.digest);
        }
    }
}

/// Logs one mail in a company of its own, so that no other mail is its copy, and answers the message's id.
async fn log_alone(
    setting: &Setting,
    source: &Arc<EwsSource>,
    number: usize,
    bytes: &[u8],
) -> Scope {
    let scope = Scope::new("vectors", number.to_string()).unwrap();
    setting
        .exchange
        .deliver_with(QUEUE, Delivery::new(bytes))
        .unwrap();
    let logger = setting
        .builder()
        .with_source(Arc::<EwsSource>::clone(source))
        .with_scope(scope.clone())
        .with_quarantine_folder(QUARANTINE.parse::<FolderPath>().unwrap())
        .with_hooks(Arc::new(KeepEverything))
        .build()
        .unwrap();
    let report = logger.run_once().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!(
        (report.listed, report.fetched, report.pending),
        (1, 1, 0),
        "{report:?}"
    );
    scope
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mail_goes_the_whole_way_and_comes_back_bit_for_bit() {
    let Some(folder) = vectors("mail") else {
        return;
    };
    let change = |builder: SimulatedExchangeBuilder| {
        builder
            .with_chunk_size(1_000)
            .with_public_folder(QUARANTINE)
    };
    let setting = Setting::with(change).await;
    let source = Arc::new(setting.source());
    let files = mails(&folder);
    assert!(files.len() > 450, "{} mails", files.len());
    let mut logged = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let bytes = std::fs::read(file).unwrap();
        let scope = log_alone(&setting, &source, number, &bytes).await;
        logged.push((file, scope, bytes));
    }
    let quarantined = setting.exchange.count(QUARANTINE).unwrap();
    assert_eq!(
        (setting.queued(), setting.stored() + quarantined),
        (0, files.len())
    );
    setting.store.close();
    let store = SqliteStore::open(setting.file()).unwrap();
    for (file, scope, bytes) in logged {
        let page = store
            .decisions(&scope, &DecisionFilter::default(), None, 2)
            .await
            .unwrap();
        let [decision] = page.rows.as_slice() else {
            panic!("{}: {} decisions", file.display(), page.rows.len());
        };
        let uid = decision
            .message
            .unwrap_or_else(|| panic!("{} is not kept", file.display()));
        let (kept, digest) = read_back(&store, &scope, &uid).await;
        assert!(kept == bytes, "{} differs", file.display());
        let message = Message::read(&bytes, &MailFacts::default(), &MessageLimits::default());
        assert_eq!(
            message.unwrap().identity.original_digest,
            digest,
            "{}",
            file.display()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_mails_in_one_queue_end_with_one_decision_each() {
    let Some(folder) = vectors("mail") else {
        return;
    };
    let setting = Setting::new().await;
    let files = mails(&folder);
    for file in &files {
        setting
            .exchange
            .deliver(QUEUE, std::fs::read(file).unwrap())
            .unwrap();
    }
    let report = setting.builder().build().unwrap().run_once().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!(report.fetched, files.len() as u64);
    assert_eq!(
        (report.pending, report.gone, report.deferred),
        (0, 0, 0),
        "{report:?}"
    );
    println!("{:?}", report.reasons);
    let logger = setting.builder().build().unwrap();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let decision = logger.explain(&bytes, &MailFacts::default()).await.unwrap();
        let told = decision.steps.iter().all(|step| !step.detail.is_empty());
        assert!(
            told && !decision.steps.is_empty(),
            "{} is not explained",
            file.display()
        );
    }
}
