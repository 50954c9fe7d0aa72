//! The corpus of awkward mail as .eml files, as one mbox file and as a Maildir: the same decisions, the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use email_logging::decision::LoggingPolicy;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::EmailLoggerBuilder;
use email_logging::message::{MailFacts, Message, MessageLimits};
use email_logging::parties::ContactKind;
use email_logging::source::files::FileSourceBuilder;
use email_logging::source::{FileSource, MailSource};
use email_logging::store::{InteractionLog, InteractionStore, MemoryStore};
use jiff::Timestamp;

use crate::mbox::{ended, quoted};
use crate::skipped::skipped;
use crate::world::{FIRST, decisions, fetched, importer, mails, original, tree, write};

fn corpus() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    let mut below = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/mail")];
    while let Some(dir) = below.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    let mails = files.iter().map(|path| fs::read(path).unwrap());
    // What has no byte is no mail in any format.
    mails.filter(|mail| !mail.is_empty()).collect()
}

/// Every sender is a salesperson, and everybody else a contact.
fn everybody(corpus: &[Vec<u8>]) -> MemoryDirectory {
    let (mut senders, mut others) = (BTreeSet::new(), BTreeSet::new());
    for mail in corpus {
        let read = Message::read(mail, &MailFacts::default(), &MessageLimits::default());
        let Ok(message) = read else { continue };
        let mut from = message.clone();
        from.to.clear();
        from.cc.clear();
        from.bcc.clear();
        senders.extend(from.addresses().iter().map(|it| it.as_str().to_owned()));
        others.extend(message.addresses().iter().map(|it| it.as_str().to_owned()));
    }
    let mut directory = MemoryDirectory::new();
    for (number, sender) in senders.iter().enumerate() {
        let code = format!("S{number}");
        directory = directory.with_salesperson(SalespersonRecord::new(code.as_str(), "S", sender));
    }
    for (number, other) in others.difference(&senders).enumerate() {
        let record = ContactRecord::new(format!("C{number}").as_str(), "C", ContactKind::Person);
        directory = directory.with_contact(record.with_email(other));
    }
    directory
}

/// What a run made of each mail, by the place of the mail in the corpus, and the digests of the originals.
type Made = (Vec<(String, String, Vec<String>)>, BTreeMap<String, usize>);

async fn made(source: FileSourceBuilder, corpus: &[Vec<u8>]) -> Made {
    let store = Arc::new(MemoryStore::new());
    let source = source.build().unwrap();
    let logger = logger(source.clone(), corpus, &store);
    let report = logger.build().unwrap().run_once().await.unwrap();
    assert!(
        report.closes() && report.deferred + report.gone + report.pending == 0,
        "{report:?}"
    );
    assert_eq!(report.listed, corpus.len() as u64);
    kept(&*store, &source).await
}

fn logger<S: InteractionStore>(
    source: impl MailSource,
    corpus: &[Vec<u8>],
    store: &Arc<S>,
) -> EmailLoggerBuilder {
    let mut policy = LoggingPolicy::default();
    policy.keep_unmatched_original = true;
    importer(source, everybody(corpus), store).with_policy(policy)
}

/// What a store holds of the mails of a source.
async fn kept(store: &impl InteractionLog, source: &FileSource) -> Made {
    // The key is the digest of the bytes, so it names the mail.
    let mut decided = BTreeMap::new();
    for row in decisions(store).await {
        let made = (row.outcome, row.reason, row.flags);
        assert_eq!(decided.insert(row.sighting.to_string(), made), None);
    }
    let listed = crate::world::listed(source).await;
    let by_mail = listed.iter().map(|item| {
        let key = item.key.as_ref().unwrap().to_string();
        decided.get(&key).unwrap().clone()
    });
    let mut entries = BTreeMap::new();
    let rows = mails(store).await;
    assert!(rows.len() > 200, "{} mails are logged", rows.len());
    for row in rows {
        let digest = blake3::hash(&original(store, &row.message).await)
            .to_hex()
            .to_string();
        entries.insert(digest, row.entries.len());
    }
    (by_mail.collect(), entries)
}

/// The corpus in each format: a directory `eml`, a Maildir `maildir`, a file `mbox`.
fn lay(dir: &Path, corpus: &[Vec<u8>]) {
    let at = |name: &str| dir.join(name);
    let mut mbox = Vec::new();
    fs::create_dir_all(at("maildir/new")).unwrap();
    for (number, mail) in corpus.iter().enumerate() {
        write(&at(&format!("eml/{number}.eml")), mail, number);
        let seconds = FIRST + number;
        write(
            &at(&format!("maildir/cur/{seconds}.M1P1.host:2,")),
            mail,
            number,
        );
        let date = Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
        let date = date.strftime("%a %b %e %H:%M:%S %Y");
        mbox.extend(quoted(mail, &format!("From MAILER-DAEMON {date}\n")));
    }
    fs::write(at("mbox"), mbox).unwrap();
}

#[tokio::test]
async fn the_corpus_is_the_same_as_eml_as_mbox_and_as_maildir() {
    let corpus = corpus();
    if corpus.is_empty() {
        return skipped("no mails in ../shared/vectors/mail");
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    lay(dir.path(), &corpus);
    let before = tree(dir.path());

    for (name, expected) in [
        ("eml", corpus.clone()),
        ("maildir", corpus.clone()),
        ("mbox", corpus.iter().map(|mail| ended(mail)).collect()),
    ] {
        let source = FileSource::builder(at(name)).build().unwrap();
        let read = fetched(&source).await;
        assert_eq!(read.len(), expected.len(), "{name}");
        for (number, (read, expected)) in read.iter().zip(&expected).enumerate() {
            assert!(
                blake3::hash(&read.0) == blake3::hash(expected),
                "{name}: mail {number}"
            );
        }
    }

    let eml = made(FileSource::builder(at("eml")), &corpus).await;
    let maildir = made(FileSource::builder(at("maildir")), &corpus).await;
    let mbox = made(FileSource::builder(at("mbox")), &corpus).await;
    assert_eq!(eml.0, maildir.0);
    assert_eq!(eml.1, maildir.1);
    // A last line without its end has one in an mbox file; copies that differ in it alone are one mail there.
    let ends: Vec<bool> = corpus.iter().map(|mail| mail.ends_with(b"\n")).collect();
    for (number, (one, other)) in eml.0.iter().zip(&mbox.0).enumerate() {
        assert_eq!(
            (number, one),
            (number, other),
            "ends with its line: {}",
            ends[number]
        );
    }
    let entries = |made: &Made| made.1.values().sum::<usize>();
    assert_eq!((eml.1.len(), entries(&eml)), (mbox.1.len(), entries(&mbox)));
    let digests = |mail: fn(&Vec<u8>) -> Vec<u8>| -> BTreeSet<String> {
        let mails = corpus.iter().map(mail);
        mails
            .map(|mail| blake3::hash(&mail).to_hex().to_string())
            .collect()
    };
    let (files, in_mbox) = (digests(Vec::clone), digests(|mail| ended(mail)));
    assert!(
        eml.1.keys().all(|digest| files.contains(digest)),
        "an original is no file's bytes"
    );
    assert!(
        mbox.1.keys().all(|digest| in_mbox.contains(digest)),
        "an original is no mail of the mbox file"
    );
    assert_eq!(tree(dir.path()), before);
}

#[cfg(target_os = "linux")]
mod killed {
    //! Imports of the whole corpus that end by SIGKILL, and are started again.

    use std::process::{Command, Stdio};

    use email_logging::store::SqliteStore;
    use rustix::process::{Signal, kill_process};

    use super::*;
    use crate::kills::Deadly;

    const FOLDER: &str = "EMAIL_LOGGING_CORPUS_FOLDER";
    const FORMAT: &str = "EMAIL_LOGGING_CORPUS_FORMAT";
    const AFTER: &str = "EMAIL_LOGGING_CORPUS_AFTER";
    const KILLS: u64 = 4;

    /// The import, in a process of its own.
    #[tokio::test]
    async fn the_child() {
        let told = |name| std::env::var(name).ok();
        let Some(folder) = told(FOLDER) else { return };
        let folder = Path::new(&folder);
        let source = FileSource::builder(folder.join(told(FORMAT).unwrap()));
        let left = told(AFTER).map_or(u64::MAX, |text| text.parse().unwrap());
        let source = Deadly::new(source.build().unwrap(), left);
        let store = Arc::new(SqliteStore::open(folder.join("log.sqlite")).unwrap());
        store.migrate().await.unwrap();
        let mut settings = email_logging::logger::RunSettings::default().with_events(false);
        settings.fetch_batch = 7;
        // One batch at a time: then each is fetched and committed by itself, and the steps can be counted.
        settings.connections = 1;
        let logger = logger(source, &corpus(), &store).with_settings(settings);
        let report = logger.build().unwrap().run_once().await.unwrap();
        assert!(report.closes() && report.skipped.is_none(), "{report:?}");
    }

    fn import(folder: &Path, format: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "corpus::killed::the_child", "--nocapture"])
            .env(FOLDER, folder)
            .env(FORMAT, format)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// A number below `end` that the seed chooses.
    fn below(end: u64, format: &str, number: u64) -> u64 {
        let seed = std::env::var("SEED").unwrap_or_default();
        let digest = blake3::hash(format!("{seed} {format} {number}").as_bytes());
        u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap()) % end
    }

    /// What the log beside the mails holds.
    async fn held(folder: &Path, format: &str) -> Made {
        let store = SqliteStore::open(folder.join("log.sqlite")).unwrap();
        assert_eq!(crate::world::events(&store).await, 0);
        let source = FileSource::builder(folder.join(format)).build().unwrap();
        kept(&store, &source).await
    }

    #[tokio::test]
    async fn the_corpus_that_is_imported_in_pieces_by_killed_processes_is_the_same() {
        let corpus = corpus();
        if corpus.is_empty() {
            return skipped("no mails in ../shared/vectors/mail");
        }
        for format in ["eml", "mbox", "maildir"] {
            let dir = tempfile::tempdir().unwrap();
            lay(dir.path(), &corpus);
            let before = tree(&dir.path().join(format));
            let whole = tempfile::tempdir().unwrap();
            lay(whole.path(), &corpus);
            assert!(import(whole.path(), format).status().unwrap().success());
            let whole = held(whole.path(), format).await;
            // A listing, and twice for each batch of seven; each process goes on where the last one was killed.
            let steps = corpus.len() as u64 / 7 * 2 / KILLS;
            for number in 0..KILLS {
                let at = 2 + below(steps, format, number);
                let mut child = import(dir.path(), format);
                let status = child.env(AFTER, at.to_string()).status().unwrap();
                assert!(!status.success(), "{format}: it ended before step {at}");
            }
            // And once from outside, wherever it is.
            let mut child = import(dir.path(), format).spawn().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(below(400, format, KILLS)));
            let pid = rustix::process::Pid::from_child(&child);
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
            child.wait().unwrap();
            assert!(import(dir.path(), format).status().unwrap().success());
            let pieces = held(dir.path(), format).await;
            for (number, (one, other)) in whole.0.iter().zip(&pieces.0).enumerate() {
                assert_eq!((number, one), (number, other), "{format}");
            }
            assert!(whole == pieces, "{format}: other originals or entries");
            assert_eq!(tree(&dir.path().join(format)), before);
        }
    }
}
