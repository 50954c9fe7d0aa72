//! Files, a log, and what is to be seen of both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::{EmailLoggerBuilder, RunReport, RunSettings};
use email_logging::parties::ContactKind;
use email_logging::source::files::FileSourceBuilder;
use email_logging::source::{
    FetchSink, Fetched, FileSource, Folder, ListRequest, ListedItem, MailSource,
};
use email_logging::store::{
    DecisionFilter, DecisionRecord, InteractionLog, InteractionStore, LogFilter, LoggedMail,
};
use email_logging::{EmailLogger, Result, Scope};

/// A mail between the two people of [`people`].
pub(crate) fn mail(number: usize) -> String {
    format!(
        "Received: from a by b; Mon, 5 Jan 2026 10:00:{:02} +0000\r\nFrom: anna@corp.example\r\n\
         To: tim@customer.example\r\nDate: Mon, 5 Jan 2026 09:59:00 +0000\r\n\
         Message-ID: <{number}@corp.example>\r\nSubject: Offer {number}\r\n\r\nDear Tim,\r\n{number}\r\n",
        number % 60
    )
}

pub(crate) fn people() -> MemoryDirectory {
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AB", "Anna", "anna@corp.example"))
        .with_contact(
            ContactRecord::new("CT1", "Tim", ContactKind::Person)
                .with_email("tim@customer.example"),
        )
}

/// The second at which the n-th file is written.
pub(crate) const FIRST: usize = 1_790_000_000;

/// Writes a file and the time at which it was written.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>, number: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    let at = UNIX_EPOCH + Duration::from_secs((FIRST + number) as u64);
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(at)
        .unwrap();
}

/// A directory with so many mails.
pub(crate) fn eml_files(count: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..count {
        write(
            &dir.path().join(format!("{number:05}.eml")),
            mail(number),
            number,
        );
    }
    dir
}

/// A file, or every file below a directory, with a digest of its bytes and the time at which it was written.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, (blake3::Hash, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    if root.is_file() {
        let modified = root.metadata().unwrap().modified().unwrap();
        let digest = blake3::hash(&fs::read(root).unwrap());
        return BTreeMap::from([(PathBuf::new(), (digest, modified))]);
    }
    let mut below = vec![root.to_owned()];
    while let Some(dir) = below.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                below.push(path);
            } else if metadata.is_file() {
                let digest = blake3::hash(&fs::read(&path).unwrap());
                let of = path.strip_prefix(root).unwrap().to_owned();
                files.insert(of, (digest, metadata.modified().unwrap()));
            }
        }
    }
    files
}

/// The digests of the files below a directory, sorted.
pub(crate) fn digests(root: &Path) -> Vec<String> {
    let mut digests: Vec<_> = tree(root)
        .into_values()
        .map(|(it, _)| it.to_hex().to_string())
        .collect();
    digests.sort();
    digests
}

/// A logger as an import is: without events and without the stored set-up.
pub(crate) fn importer<S: InteractionStore>(
    source: impl MailSource,
    people: MemoryDirectory,
    store: &Arc<S>,
) -> EmailLoggerBuilder {
    EmailLogger::builder()
        .with_source(Arc::new(source))
        .with_directory(Arc::new(people))
        .with_ledger(Arc::<S>::clone(store))
        .with_log(Arc::<S>::clone(store))
        .with_content_index(Arc::<S>::clone(store))
        .with_mailbox("import")
        .with_worker("import")
        .with_queue_folder(FileSource::queue_folder())
        .with_storage_folder(FileSource::storage_folder())
        .with_settings(RunSettings::default().with_events(false))
}

pub(crate) async fn import<S: InteractionStore>(
    source: FileSourceBuilder,
    store: &Arc<S>,
) -> RunReport {
    let source = source.build().unwrap();
    let report = importer(source, people(), store)
        .build()
        .unwrap()
        .run_once()
        .await
        .unwrap();
    assert!(report.closes(), "{report:?}");
    report
}

pub(crate) async fn decisions(store: &impl InteractionLog) -> Vec<DecisionRecord> {
    let page = store
        .decisions(&Scope::default(), &DecisionFilter::default(), None, 10_000)
        .await;
    page.unwrap().rows
}

pub(crate) async fn mails(store: &impl InteractionLog) -> Vec<LoggedMail> {
    let page = store
        .mails(&Scope::default(), &LogFilter::default(), None, 10_000)
        .await;
    page.unwrap().rows
}

pub(crate) async fn original(
    store: &impl InteractionLog,
    mail: &email_logging::MessageUid,
) -> Vec<u8> {
    let part = store
        .original(&Scope::default(), mail, 0..u64::MAX)
        .await
        .unwrap();
    part.bytes
}

pub(crate) async fn events(store: &impl InteractionStore) -> usize {
    store
        .read_events(&Scope::default(), "test", 10_000)
        .await
        .unwrap()
        .len()
}

/// Keeps what a fetch hands over.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) mails: Vec<(Vec<u8>, Option<Fetched>)>,
}

#[async_trait]
impl FetchSink for Kept {
    fn begin(&mut self, _index: usize, _size_hint: Option<u64>) {
        self.mails.push((Vec::new(), None));
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.mails.last_mut().unwrap().0.extend_from_slice(bytes);
        Ok(())
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        self.mails.last_mut().unwrap().1 = Some(fetched);
        Ok(())
    }
}

pub(crate) async fn queue(source: &FileSource) -> Folder {
    source
        .open_folder(&FileSource::queue_folder().into())
        .await
        .unwrap()
}

/// All items of the queue folder.
pub(crate) async fn listed(source: &FileSource) -> Vec<ListedItem> {
    let queue = queue(source).await;
    let mut items = Vec::new();
    loop {
        let offset = u32::try_from(items.len()).unwrap();
        let page = source
            .list(&queue, ListRequest::new(offset, 500))
            .await
            .unwrap();
        items.extend(page.items);
        if page.complete {
            return items;
        }
    }
}

/// The bytes of all items of the queue folder, in order.
pub(crate) async fn fetched(source: &FileSource) -> Vec<(Vec<u8>, Option<Fetched>)> {
    let items = listed(source).await;
    let mut kept = Kept::default();
    source
        .fetch(&queue(source).await, &items, &mut kept)
        .await
        .unwrap();
    kept.mails
}

/// The code of an item that failed.
pub(crate) fn failure(fetched: Option<&Fetched>) -> String {
    match fetched {
        Some(Fetched::Failed(error)) => error.code().to_owned(),
        other => format!("{other:?}"),
    }
}
