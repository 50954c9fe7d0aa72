//! The source keeps the contract of sources, with .eml files and with a Maildir, moving and not.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use email_logging::error::codes;
use email_logging::source::{FileSource, FolderPath, ItemRef, MailFolders, MailSource};
use email_logging::testkit::conformance::source::{SourceFixture, run};
use email_logging::{Error, Result};

use crate::world;

#[derive(Debug)]
struct OnDisk {
    dir: tempfile::TempDir,
    maildir: bool,
    source: FileSource,
    delivered: AtomicUsize,
}

impl OnDisk {
    fn new(maildir: bool, moves: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let queue = dir.path().join("queue");
        for name in if maildir {
            &["cur", "new", "tmp"][..]
        } else {
            &[""]
        } {
            fs::create_dir_all(queue.join(name)).unwrap();
        }
        let mut builder = FileSource::builder(&queue);
        if moves {
            builder = builder.with_move_to(dir.path().join("done"));
        }
        let source = builder.build().unwrap();
        let delivered = AtomicUsize::new(0);
        Self {
            dir,
            maildir,
            source,
            delivered,
        }
    }

    fn place(&self, folder: &FolderPath) -> PathBuf {
        let mut place = self.dir.path().join("queue");
        if *folder != FileSource::queue_folder() {
            place = self.dir.path().join("done");
            place.extend(folder.segments());
        }
        if self.maildir {
            place.join("cur")
        } else {
            place
        }
    }

    /// The files of an item's id have plain names here.
    fn file(&self, item: &ItemRef) -> PathBuf {
        let (folder, path) = item.id.split_once(':').unwrap();
        let place = if folder == "inbox" { "queue" } else { "done" };
        self.dir.path().join(place).join(path)
    }

    fn name(&self) -> String {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        if self.maildir {
            format!("{}.M1P1.host:2,S", world::FIRST + number)
        } else {
            format!("{number}.eml")
        }
    }
}

#[async_trait]
impl SourceFixture for OnDisk {
    fn source(&self) -> Arc<dyn MailSource> {
        Arc::new(self.source.clone())
    }

    fn folders(&self) -> Option<Arc<dyn MailFolders>> {
        // Folders can only be created where there is a place for them.
        let place = self.source.capabilities().moves;
        place.then(|| Arc::new(self.source.clone()) as _)
    }

    fn queue(&self) -> FolderPath {
        FileSource::queue_folder()
    }

    fn storage(&self) -> FolderPath {
        FileSource::storage_folder()
    }

    fn missing(&self) -> FolderPath {
        r"archive:\Missing".parse().unwrap()
    }

    async fn deliver(&self, original: Vec<u8>) -> Result<()> {
        let place = self.place(&self.queue());
        let same = |path: &Path| fs::read(path).unwrap() == original;
        let known = fs::read_dir(&place)
            .unwrap()
            .any(|entry| same(&entry.unwrap().path()));
        // An empty file is no mail, and equal files are copies of one.
        if original.is_empty() || known {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "deliver"));
        }
        let number = self.delivered.load(Ordering::Relaxed);
        world::write(&place.join(self.name()), original, number);
        Ok(())
    }

    async fn take_away(&self, item: &ItemRef) -> Result<()> {
        fs::remove_file(self.file(item)).unwrap();
        Ok(())
    }

    async fn copy(&self, item: &ItemRef, to: &FolderPath) -> Result<()> {
        if !self.source.capabilities().moves {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "copy"));
        }
        let place = self.place(to);
        fs::create_dir_all(&place).unwrap();
        fs::copy(self.file(item), place.join(self.name())).unwrap();
        Ok(())
    }

    async fn contents(&self, folder: &FolderPath) -> Result<Vec<Vec<u8>>> {
        let entries = fs::read_dir(self.place(folder)).into_iter().flatten();
        Ok(entries
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect())
    }
}

#[tokio::test]
async fn eml_files_and_a_maildir_keep_the_contract() {
    for maildir in [false, true] {
        let report = run(|| async move { OnDisk::new(maildir, true) }).await;
        report.assert_passed();
        // No request can be counted, the queue hangs at a root, no file is empty or deleted, equal files share a key, no
        // stamps are given.
        assert_eq!((report.passed(), report.skipped()), (22, 9), "{report}");
    }
}

#[tokio::test]
async fn a_source_that_does_not_move_keeps_the_rest_of_the_contract() {
    let report = run(|| async { OnDisk::new(false, false) }).await;
    report.assert_passed();
    assert_eq!((report.passed(), report.skipped()), (14, 17), "{report}");
}

#[tokio::test]
async fn folders_lie_below_the_place_for_moved_mail() {
    let room = OnDisk::new(false, true);
    for name in ["B", "A"] {
        let path = format!(r"archive:\{name}").parse().unwrap();
        room.source.create(&path).await.unwrap();
    }
    let parent = FileSource::storage_folder().into();
    let all = email_logging::source::ListRequest::new(0, 1);
    let page = room.source.children(&parent, all).await.unwrap();
    assert_eq!(
        (page.folders[0].name.as_deref(), page.complete),
        (Some("A"), false)
    );
    for path in [
        r"archive:\..",
        r"archive:\.hidden",
        r"mailbox:\x",
        r"inbox:\x",
    ] {
        let refused = room
            .source
            .create(&path.parse().unwrap())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), "source.unsupported", "{path}");
    }
    assert!(!room.dir.path().join(".hidden").exists());
}
