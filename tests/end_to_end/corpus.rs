//! Every mail of the shared vectors goes the whole way and is read back from a reopened database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use email_logging::decision::{Decision, HookError, Keep, LoggingHooks};
use email_logging::message::{Message, OriginalDigest};
use email_logging::store::{DecisionFilter, InteractionLog as _, SqliteStore};
use email_logging::testkit::exchange::Delivery;
use email_logging::{MessageUid, Scope};

use crate::setting::{QUEUE, Setting};

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
    let required = std::env::var_os("EMAIL_LOGGING_REQUIRE_SHARED").is_some();
    assert!(!required, "{} is needed here", path.display());
    eprintln!("SKIPPED: ../shared/vectors/{folder} is absent");
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

async fn read_back(store: &SqliteStore, uid: &MessageUid) -> (Vec<u8>, OriginalDigest) {
    let scope = Scope::default();
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len() as u64;
        let part = store
            .original(&scope, uid, start..start + 100_000)
            .await
            .unwrap();
        bytes.extend_from_slice(&part.bytes);
        if bytes.len() as u64 >= part.total {
            return (bytes, part.digest);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mail_goes_the_whole_way_and_comes_back_bit_for_bit() {
    let Some(folder) = vectors("mail") else {
        return;
    };
    let setting = Setting::with(|builder| builder.with_chunk_size(1_000)).await;
    let files = mails(&folder);
    assert!(files.len() > 450, "{} mails", files.len());
    let mut delivered = BTreeMap::new();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let delivery = Delivery::new(bytes.clone());
        setting.exchange.deliver_with(QUEUE, delivery).unwrap();
        delivered.insert(bytes, file.clone());
    }
    let builder = setting.builder().with_hooks(Arc::new(KeepEverything));
    let report = builder.build().unwrap().run_once().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!(report.listed, files.len() as u64);
    assert_eq!(
        (report.pending, report.gone, report.deferred),
        (0, 0, 0),
        "{report:?}"
    );
    println!("{:?}", report.reasons);
    setting.store.close();
    let store = SqliteStore::open(setting.file()).unwrap();
    let mut kept = BTreeMap::new();
    let scope = Scope::default();
    let mut cursor = None;
    loop {
        let filter = DecisionFilter::default();
        let page = store
            .decisions(&scope, &filter, cursor.as_ref(), 100)
            .await
            .unwrap();
        for row in page.rows {
            if let Some(uid) = row.message {
                let (bytes, digest) = read_back(&store, &uid).await;
                let message = Message::read(&bytes, &Default::default(), &Default::default());
                assert_eq!(message.unwrap().identity.original_digest, digest);
                kept.insert(bytes, uid);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let lost: Vec<_> = delivered
        .iter()
        .filter(|(bytes, _)| !kept.contains_key(*bytes))
        .map(|it| it.1)
        .collect();
    println!(
        "{} of {} originals are kept; not: {lost:?}",
        kept.len(),
        delivered.len()
    );
    // What has no header at all is no mail: it is set aside and stays in Exchange. A copy whose bytes differ only in
    // trace headers is kept as the message that it is a copy of.
    let unreadable = report
        .reasons
        .get("quarantined/unreadable")
        .copied()
        .unwrap_or(0);
    let copies = report.already_logged;
    assert!(lost.len() as u64 <= unreadable + copies, "{lost:?}");
}
