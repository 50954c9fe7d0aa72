//! mbox files.

use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use email_logging::source::files::MboxQuoting;
use email_logging::source::{FileSource, MailSource as _};
use email_logging::store::MemoryStore;
use proptest::prelude::*;

use crate::world::{events, failure, fetched, import, listed, mail, mails, original, tree};

pub(crate) const SEPARATOR: &str = "From a@b.example Mon Sep 21 13:46:40 2026\n";

/// A mail in an mbox file, as mboxrd has it.
pub(crate) fn quoted(mail: &[u8], separator: &str) -> Vec<u8> {
    let mut text = separator.as_bytes().to_vec();
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        if line[quotes..].starts_with(b"From ") {
            text.push(b'>');
        }
        text.extend_from_slice(line);
    }
    if !mail.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.push(b'\n');
    text
}

/// A mail as it comes back: the format cannot tell whether the last line was ended.
pub(crate) fn ended(mail: &[u8]) -> Vec<u8> {
    let mut mail = mail.to_vec();
    if !mail.ends_with(b"\n") {
        mail.push(b'\n');
    }
    mail
}

fn file(mails: &[Vec<u8>]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for mail in mails {
        file.write_all(&quoted(mail, SEPARATOR)).unwrap();
    }
    file
}

#[tokio::test]
async fn every_mail_of_the_file_is_logged_once_and_the_file_stays() {
    let all: Vec<_> = (0..25).map(|number| mail(number).into_bytes()).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("box");
    fs::copy(file(&all).path(), &path).unwrap();
    let before = tree(dir.path());
    let store = Arc::new(MemoryStore::new());
    let report = import(FileSource::builder(&path), &store).await;
    assert_eq!((report.logged, report.moved), (25, 0));
    for row in mails(&*store).await {
        let number: usize = row
            .record
            .subject
            .strip_prefix("Offer ")
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(original(&*store, &row.message).await, all[number]);
    }
    let again = import(FileSource::builder(&path), &store).await;
    assert_eq!(
        (again.deferred, again.fetched, events(&*store).await),
        (25, 0, 0)
    );
    assert_eq!(tree(dir.path()), before);
    // Mail that is appended is new, and the offsets of the others do not matter.
    let mut longer = quoted(mail(99).as_bytes(), SEPARATOR);
    longer.extend(fs::read(&path).unwrap());
    fs::write(&path, longer).unwrap();
    let more = import(FileSource::builder(&path), &store).await;
    assert_eq!((more.logged, more.deferred), (1, 25));
}

#[tokio::test]
async fn a_mail_without_received_was_received_when_its_separator_says() {
    let text = mail(1).split_once("\r\n").unwrap().1.to_owned();
    let store = Arc::new(MemoryStore::new());
    import(
        FileSource::builder(file(&[text.into_bytes()]).path()),
        &store,
    )
    .await;
    let row = mails(&*store).await.remove(0);
    assert_eq!(
        row.record.received.unwrap().to_string(),
        "2026-09-21T13:46:40Z"
    );
}

#[tokio::test]
async fn an_empty_mail_and_one_that_went_are_their_own_answers() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), format!("{SEPARATOR}\n{SEPARATOR}A: 1\n\n")).unwrap();
    let source = FileSource::builder(file.path()).build().unwrap();
    let read = fetched(&source).await;
    assert_eq!(
        (failure(read[0].1.as_ref()).as_str(), read[1].0.as_slice()),
        ("files.empty", &b"A: 1\n"[..])
    );
    let items = listed(&source).await;
    fs::write(file.path(), format!("{SEPARATOR}B: 2\n\n")).unwrap();
    let mut kept = crate::world::Kept::default();
    let queue = crate::world::queue(&source).await;
    source.fetch(&queue, &items, &mut kept).await.unwrap();
    assert_eq!(failure(kept.mails[0].1.as_ref()), "files.changed");
    assert!(format!("{:?}", kept.mails[1].1).contains("Gone"));
}

#[tokio::test]
async fn a_mail_larger_than_any_buffer_is_read_in_chunks() {
    let mut large = b"Subject: large\r\n\r\n".to_vec();
    large.extend(
        b"From the bottom of 0123456789\r\n"
            .iter()
            .cycle()
            .take(3 << 20),
    );
    let long = [b"A: 1\n\n".to_vec(), vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
    let file = file(&[large.clone(), long.clone(), b"Z: 1\n".to_vec()]);
    let source = FileSource::builder(file.path()).build().unwrap();
    let read: Vec<_> = fetched(&source).await.into_iter().map(|it| it.0).collect();
    assert!(read == [ended(&large), long, b"Z: 1\n".to_vec()]);
}

#[tokio::test]
async fn other_quotings_are_read_as_they_are_written() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(
        file.path(),
        format!("{SEPARATOR}A: 1\n\n>From x\n>>From y\n\n"),
    )
    .unwrap();
    for (quoting, expected) in [
        (MboxQuoting::Rd, "A: 1\n\nFrom x\n>From y\n"),
        (MboxQuoting::O, "A: 1\n\nFrom x\n>>From y\n"),
        (MboxQuoting::None, "A: 1\n\n>From x\n>>From y\n"),
    ] {
        let source = FileSource::builder(file.path()).with_mbox_quoting(quoting);
        let read = fetched(&source.build().unwrap()).await;
        assert_eq!(String::from_utf8_lossy(&read[0].0), expected, "{quoting:?}");
    }
}

#[tokio::test]
async fn a_length_that_a_mail_claims_hides_no_other_mail() {
    let liar = b"Content-Length: 300\nSubject: liar\n\nshort\n".to_vec();
    let file = file(&[liar.clone(), mail(1).into_bytes(), mail(2).into_bytes()]);
    let source = FileSource::builder(file.path()).build().unwrap();
    let read: Vec<_> = fetched(&source).await.into_iter().map(|it| it.0).collect();
    assert_eq!(read, [liar, mail(1).into_bytes(), mail(2).into_bytes()]);
}

/// Lines that a splitter may stumble over.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let awkward = prop::sample::select(vec![
        &b"From a@b.example Mon Jan  5 10:00:00 2026\n"[..],
        b"From a@b.example Mon Jan  5 10:00:00 2026\r\n",
        b">From a@b.example Mon Jan  5 10:00:00 2026\n",
        b">>>From x\r\n",
        b"From \n",
        b">From: x\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\r\r\n",
        b">",
        b"\n\n\n",
        b"From ",
    ]);
    prop_oneof![
        3 => awkward.prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (65_520_usize..65_560).prop_map(|length| vec![b'x'; length]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_mails_come_back_from_an_mbox_file_as_they_were(
        mails in prop::collection::vec(prop::collection::vec(line(), 1..12), 1..6)
    ) {
        let mails: Vec<Vec<u8>> = mails.into_iter().map(|lines| lines.concat()).collect();
        let mails: Vec<_> = mails.into_iter().filter(|mail| !mail.is_empty()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let written = file(&mails);
        if !mails.is_empty() {
            let source = FileSource::builder(written.path()).build().unwrap();
            let read = runtime.block_on(fetched(&source));
            let read: Vec<_> = read.into_iter().map(|it| it.0).collect();
            let expected: Vec<_> = mails.iter().map(|mail| ended(mail)).collect();
            prop_assert!(read == expected, "{read:?} is not {expected:?}");
        }
    }
}
