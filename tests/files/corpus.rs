//! The corpus of awkward mail as .eml files, as one mbox file and as a Maildir: the same decisions, the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use email_logging::decision::LoggingPolicy;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::message::{MailFacts, Message, MessageLimits};
use email_logging::parties::ContactKind;
use email_logging::source::FileSource;
use email_logging::source::files::FileSourceBuilder;
use email_logging::store::MemoryStore;
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
    let mut policy = LoggingPolicy::default();
    policy.keep_unmatched_original = true;
    let logger = importer(source.clone(), everybody(corpus), &store).with_policy(policy);
    let report = logger.build().unwrap().run_once().await.unwrap();
    assert!(
        report.closes() && report.deferred + report.gone + report.pending == 0,
        "{report:?}"
    );
    assert_eq!(report.listed, corpus.len() as u64);
    // The key is the digest of the bytes, so it names the mail.
    let mut decided = BTreeMap::new();
    for row in decisions(&*store).await {
        let made = (row.outcome, row.reason, row.flags);
        assert_eq!(decided.insert(row.sighting.to_string(), made), None);
    }
    let listed = crate::world::listed(&source).await;
    let by_mail = listed.iter().map(|item| {
        let key = item.key.as_ref().unwrap().to_string();
        decided.get(&key).unwrap().clone()
    });
    let mut entries = BTreeMap::new();
    let rows = mails(&*store).await;
    assert!(rows.len() > 200, "{} mails are logged", rows.len());
    for row in rows {
        let digest = blake3::hash(&original(&*store, &row.message).await)
            .to_hex()
            .to_string();
        entries.insert(digest, row.entries.len());
    }
    (by_mail.collect(), entries)
}

#[tokio::test]
async fn the_corpus_is_the_same_as_eml_as_mbox_and_as_maildir() {
    let corpus = corpus();
    if corpus.is_empty() {
        return skipped("no mails in ../shared/vectors/mail");
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
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
    let files: BTreeSet<_> = corpus
        .iter()
        .map(|mail| blake3::hash(mail).to_hex().to_string())
        .collect();
    assert!(
        eml.1.keys().all(|digest| files.contains(digest)),
        "an original is no file's bytes"
    );
    assert_eq!(tree(dir.path()), before);
}
