//! Imports that end by SIGKILL, and are started again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::Result;
use email_logging::logger::RunSettings;
use email_logging::source::{
    Disposal, FetchSink, FileSource, Folder, FolderSelector, ItemRef, ListRequest, ListedItem,
    Listing, MailSource, Moved, Removed, Sought, SourceCapabilities,
};
use email_logging::store::SqliteStore;
use rustix::process::{Signal, getpid, kill_process};

use crate::mbox::{SEPARATOR, quoted};
use crate::world::{self, digests, importer, mail, mails, original, people, tree, write};

const FOLDER: &str = "EMAIL_LOGGING_IMPORT_FOLDER";
const FORMAT: &str = "EMAIL_LOGGING_IMPORT_FORMAT";
const MOVES: &str = "EMAIL_LOGGING_IMPORT_MOVES";
/// After how many calls of the source, and beginnings of one, the process ends.
const AFTER: &str = "EMAIL_LOGGING_IMPORT_AFTER";

const MAILS: usize = 60;

/// A source whose n-th step is the last one.
#[derive(Debug)]
pub(crate) struct Deadly {
    source: FileSource,
    left: AtomicU64,
}

impl Deadly {
    pub(crate) fn new(source: FileSource, left: u64) -> Self {
        Self {
            source,
            left: AtomicU64::new(left),
        }
    }

    fn step(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
    }
}

#[async_trait]
impl MailSource for Deadly {
    fn capabilities(&self) -> SourceCapabilities {
        self.source.capabilities()
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        self.source.open_folder(folder).await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        self.step();
        self.source.list(folder, request).await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        self.step();
        self.source.fetch(from, items, sink).await?;
        self.step();
        Ok(())
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        self.step();
        let half = items.len() / 2;
        let mut moved = self.source.move_to(from, &items[..half], to).await?;
        self.step();
        moved.extend(self.source.move_to(from, &items[half..], to).await?);
        self.step();
        Ok(moved)
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        self.step();
        self.source.locate(folder, sought).await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        how: Disposal,
    ) -> Result<Vec<Removed>> {
        self.source.remove(from, items, how).await
    }
}

/// The import, in a process of its own.
#[tokio::test]
async fn the_child() {
    let told = |name| std::env::var(name).ok();
    let Some(folder) = told(FOLDER) else { return };
    let folder = Path::new(&folder);
    let mut builder = FileSource::builder(folder.join(told(FORMAT).unwrap()));
    if told(MOVES).is_some() {
        builder = builder.with_move_to(folder.join("done"));
    }
    let left = told(AFTER).map_or(u64::MAX, |text| text.parse().unwrap());
    let source = Deadly::new(builder.build().unwrap(), left);
    let store = Arc::new(SqliteStore::open(folder.join("log.sqlite")).unwrap());
    store.migrate().await.unwrap();
    let mut settings = RunSettings::default().with_events(false);
    (settings.fetch_batch, settings.move_batch) = (7, 7);
    let logger = importer(source, people(), &store).with_settings(settings);
    let report = logger.build().unwrap().run_once().await.unwrap();
    assert!(report.closes() && report.skipped.is_none(), "{report:?}");
}

struct Yard {
    dir: tempfile::TempDir,
    format: &'static str,
    moves: bool,
}

impl Yard {
    fn new(format: &'static str, moves: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: String| dir.path().join(name);
        let mut mbox = Vec::new();
        std::fs::create_dir_all(at("maildir/new".into())).unwrap();
        for number in 0..MAILS {
            let seconds = world::FIRST + number;
            write(&at(format!("eml/{number}.eml")), mail(number), number);
            write(
                &at(format!("maildir/cur/{seconds}.M1P1.host:2,")),
                mail(number),
                number,
            );
            mbox.extend(quoted(mail(number).as_bytes(), SEPARATOR));
        }
        std::fs::write(at("mbox".into()), mbox).unwrap();
        Self { dir, format, moves }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "kills::the_child", "--nocapture"])
            .env(FOLDER, self.dir.path())
            .env(FORMAT, self.format)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if self.moves {
            command.env(MOVES, "1");
        }
        command
    }

    /// Runs until the n-th step; answers whether it came to its end before.
    fn run_until(&self, step: u64) -> bool {
        let status = self
            .command()
            .env(AFTER, step.to_string())
            .status()
            .unwrap();
        status.success()
    }

    async fn check(&self) {
        assert!(self.command().status().unwrap().success());
        let store = SqliteStore::open(self.dir.path().join("log.sqlite")).unwrap();
        let logged = mails(&store).await;
        assert_eq!(logged.len(), MAILS);
        for row in logged {
            let number = row
                .record
                .subject
                .strip_prefix("Offer ")
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(row.entries.len(), 1);
            assert_eq!(
                original(&store, &row.message).await,
                mail(number).into_bytes()
            );
        }
        assert_eq!(world::events(&store).await, 0);
        if self.moves {
            assert_eq!(tree(&self.dir.path().join(self.format)).len(), 0);
            let mut expected: Vec<_> = (0..MAILS)
                .map(|it| blake3::hash(mail(it).as_bytes()).to_hex().to_string())
                .collect();
            expected.sort();
            assert_eq!(digests(&self.dir.path().join("done")), expected);
        }
    }
}

#[tokio::test]
async fn an_import_that_is_killed_at_any_step_ends_the_same_and_nothing_twice() {
    for (format, moves) in [
        ("eml", false),
        ("mbox", false),
        ("maildir", true),
        ("eml", true),
    ] {
        let mut step = 1;
        let stride = if moves { 7 } else { 5 };
        loop {
            let yard = Yard::new(format, moves);
            let before = tree(&yard.dir.path().join(format));
            let ended = yard.run_until(step);
            yard.check().await;
            if !moves {
                assert_eq!(tree(&yard.dir.path().join(format)), before);
            }
            if ended {
                break;
            }
            step += stride;
        }
        assert!(step > 15, "{format}: only {step} steps");
    }
}

#[tokio::test]
async fn an_import_that_is_killed_again_and_again_ends_the_same() {
    for moves in [false, true] {
        let yard = Yard::new("eml", moves);
        let mut rounds = 0;
        while !yard.run_until(8 + rounds) {
            rounds += 1;
            assert!(rounds < 200);
        }
        assert!(rounds > 0, "it was never killed");
        yard.check().await;
    }
}

#[tokio::test]
async fn an_import_that_is_killed_from_outside_ends_the_same() {
    let yard = Yard::new("maildir", true);
    for milliseconds in [20, 35, 50, 70, 90, 120] {
        let mut child = yard.command().spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
    }
    yard.check().await;
}
