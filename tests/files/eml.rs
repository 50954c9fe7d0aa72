//! Directories of .eml files.

use std::fs;
use std::sync::Arc;

use email_logging::source::files::FileFormat;
use email_logging::source::{Fetched, FileSource, MailSource as _, SightingKey};
use email_logging::store::MemoryStore;

use crate::world::{
    decisions, eml_files, events, failure, fetched, import, importer, listed, mail, mails,
    original, people, tree, write,
};

#[tokio::test]
async fn every_mail_is_logged_once_with_its_dates_and_no_file_changes() {
    let dir = eml_files(30);
    let before = tree(dir.path());
    let store = Arc::new(MemoryStore::new());
    let report = import(FileSource::builder(dir.path()), &store).await;
    assert_eq!(
        (report.listed, report.logged, report.entries, report.moved),
        (30, 30, 30, 0)
    );
    assert_eq!(
        (events(&*store).await, tree(dir.path())),
        (0, before.clone())
    );
    let logged = mails(&*store).await;
    for row in &logged {
        let number: usize = row
            .record
            .subject
            .strip_prefix("Offer ")
            .unwrap()
            .parse()
            .unwrap();
        let sent = row.record.sent.unwrap().to_string();
        let received = row.record.received.unwrap().to_string();
        assert_eq!(sent, "2026-01-05T09:59:00Z");
        assert_eq!(received, format!("2026-01-05T10:00:{number:02}Z"));
        assert_eq!(
            original(&*store, &row.message).await,
            mail(number).into_bytes()
        );
    }
    let again = import(FileSource::builder(dir.path()), &store).await;
    assert_eq!(
        (again.listed, again.deferred, again.fetched),
        (30, 30, 0),
        "{again:?}"
    );
    assert_eq!((mails(&*store).await.len(), tree(dir.path())), (30, before));
}

#[tokio::test]
async fn the_same_mail_elsewhere_is_known_and_a_changed_file_is_new() {
    let (dir, elsewhere) = (eml_files(3), tempfile::tempdir().unwrap());
    let store = Arc::new(MemoryStore::new());
    import(FileSource::builder(dir.path()), &store).await;
    write(&elsewhere.path().join("x.eml"), mail(1), 9);
    write(&elsewhere.path().join("y.EML"), mail(7), 10);
    let report = import(FileSource::builder(elsewhere.path()), &store).await;
    assert_eq!((report.deferred, report.logged), (1, 1), "{report:?}");
    write(&dir.path().join("00000.eml"), mail(8), 0);
    let report = import(FileSource::builder(dir.path()), &store).await;
    assert_eq!((report.deferred, report.logged), (2, 1), "{report:?}");
}

#[tokio::test]
async fn two_files_with_the_same_bytes_make_one_entry() {
    let dir = eml_files(2);
    fs::copy(dir.path().join("00000.eml"), dir.path().join("copy.eml")).unwrap();
    let store = Arc::new(MemoryStore::new());
    let report = import(FileSource::builder(dir.path()), &store).await;
    assert_eq!(
        (report.logged, report.already_logged, report.entries),
        (2, 1, 2),
        "{report:?}"
    );
    let again = import(FileSource::builder(dir.path()), &store).await;
    assert_eq!((again.deferred, again.fetched), (3, 0), "{again:?}");
}

#[tokio::test]
#[cfg(unix)]
async fn what_is_no_regular_file_is_not_opened_and_links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let (dir, outside) = (eml_files(1), eml_files(5));
    let at = |name: &str| dir.path().join(name);
    symlink(outside.path().join("00003.eml"), at("link.eml")).unwrap();
    symlink(outside.path(), at("linked")).unwrap();
    symlink(dir.path(), at("loop")).unwrap();
    fs::write(at("notes.txt"), "no mail").unwrap();
    fs::create_dir_all(at("below/deeper.eml")).unwrap();
    write(&at("below/deeper.eml/in.eml"), mail(2), 3);
    let made = std::process::Command::new("mkfifo")
        .arg(at("pipe.eml"))
        .status();
    assert!(made.unwrap().success());
    let flat = FileSource::builder(dir.path()).build().unwrap();
    assert_eq!((listed(&flat).await.len(), flat.passed_over()), (1, 5));
    let deep = FileSource::builder(dir.path())
        .with_recursive(true)
        .build()
        .unwrap();
    assert_eq!((listed(&deep).await.len(), deep.passed_over()), (2, 5));
    let pipe = FileSource::builder(at("pipe.eml")).build().unwrap();
    assert_eq!(
        failure(fetched(&pipe).await[0].1.as_ref()),
        "files.not_regular"
    );
}

#[tokio::test]
#[cfg(unix)]
async fn a_file_that_cannot_be_read_stops_no_other() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = eml_files(4);
    let at = |name: &str| dir.path().join(name);
    write(&at("00001.eml"), "", 1);
    write(&at("00002.eml"), vec![b'x'; 2_000], 2);
    write(&at("locked/a.eml"), mail(9), 9);
    for name in ["00003.eml", "locked"] {
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o0)).unwrap();
    }
    let privileged = fs::read(at("00003.eml")).is_ok();
    let builder = FileSource::builder(dir.path())
        .with_message_bytes(1_000)
        .with_recursive(true);
    let source = builder.build().unwrap();
    let store = Arc::new(MemoryStore::new());
    let report = importer(source.clone(), people(), &store)
        .build()
        .unwrap()
        .run_once()
        .await;
    let report = report.unwrap();
    assert!(report.closes());
    assert_eq!(
        report.reasons.get("quarantined/unreadable"),
        Some(&1),
        "{report:?}"
    );
    assert_eq!(
        report.reasons.get("quarantined/limit-exceeded"),
        Some(&1),
        "{report:?}"
    );
    let codes: Vec<String> = fetched(&source)
        .await
        .iter()
        .map(|it| failure(it.1.as_ref()))
        .collect();
    // Nothing is locked for an administrator.
    if !privileged {
        assert_eq!(
            (report.logged, report.quarantined, report.pending),
            (1, 2, 2),
            "{report:?}"
        );
        assert_eq!(
            codes.iter().filter(|it| *it == "files.permission").count(),
            2,
            "{codes:?}"
        );
    }
    for code in ["files.empty", "mime.too_large"] {
        assert!(codes.iter().any(|it| it == code), "{codes:?}");
    }
    for name in ["00003.eml", "locked"] {
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_changes_or_goes_after_it_was_listed_is_its_own_answer() {
    let dir = eml_files(4);
    let source = FileSource::builder(dir.path()).build().unwrap();
    let items = listed(&source).await;
    write(&dir.path().join("00001.eml"), mail(77), 1);
    fs::remove_file(dir.path().join("00002.eml")).unwrap();
    let mut kept = crate::world::Kept::default();
    let queue = crate::world::queue(&source).await;
    source.fetch(&queue, &items, &mut kept).await.unwrap();
    assert!(matches!(kept.mails[0].1, Some(Fetched::Complete(_))));
    assert_eq!(failure(kept.mails[1].1.as_ref()), "files.changed");
    assert!(matches!(kept.mails[2].1, Some(Fetched::Gone)));
    assert_eq!(kept.mails[3].0, mail(3).into_bytes());
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_name_of_any_bytes_is_read_and_never_shown_as_it_is() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().unwrap();
    let name = OsStr::from_bytes(b"\xff\x1b[31m secret\n.eml");
    write(&dir.path().join(name), mail(1), 1);
    let source = FileSource::builder(dir.path()).build().unwrap();
    let items = listed(&source).await;
    assert_eq!(items[0].item.id, "inbox:%FF%1B%5B31m%20secret%0A.eml");
    assert_eq!(fetched(&source).await[0].0, mail(1).into_bytes());
    fs::remove_file(dir.path().join(name)).unwrap();
    fs::create_dir(dir.path().join(name)).unwrap();
    let mut kept = crate::world::Kept::default();
    let queue = crate::world::queue(&source).await;
    source.fetch(&queue, &items, &mut kept).await.unwrap();
    let Some(Fetched::Failed(error)) = &kept.mails[0].1 else {
        panic!("{kept:?}")
    };
    assert!(!format!("{error} {error:?} {source:?}").contains("secret"));
}

#[tokio::test]
async fn times_that_a_copy_lost_do_not_spoil_the_date_of_a_mail() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.eml");
    let text = mail(1).split_once("\r\n").unwrap().1.to_owned();
    write(&path, &text, 1);
    let epoch = std::time::UNIX_EPOCH + std::time::Duration::from_hours(87_648);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(epoch)
        .unwrap();
    let store = Arc::new(MemoryStore::new());
    import(FileSource::builder(dir.path()), &store).await;
    let row = mails(&*store).await.remove(0);
    assert_eq!(row.record.sent.unwrap().to_string(), "2026-01-05T09:59:00Z");
    assert_eq!(row.record.received, None);
    write(&path, text.replace("<1@", "<2@"), 1);
    import(FileSource::builder(dir.path()), &store).await;
    let rows = mails(&*store).await;
    let received: Vec<_> = rows.iter().filter_map(|row| row.record.received).collect();
    assert_eq!(
        received[0].as_second(),
        i64::try_from(crate::world::FIRST + 1).unwrap()
    );
}

#[tokio::test]
async fn a_dry_run_decides_and_writes_nothing() {
    let dir = eml_files(5);
    write(&dir.path().join("z.eml"), "From: x@y.example\r\n\r\n", 9);
    let store = Arc::new(MemoryStore::new());
    let source = FileSource::builder(dir.path()).build().unwrap();
    let dry = importer(source, people(), &store)
        .build()
        .unwrap()
        .dry_run()
        .await
        .unwrap();
    assert_eq!(
        (dry.report.logged, dry.report.not_matched, dry.mails.len()),
        (5, 1, 6)
    );
    assert_eq!(decisions(&*store).await.len(), 0);
}

#[tokio::test]
async fn the_format_is_found_out_or_refused() {
    let dir = eml_files(1);
    let at = |name: &str| dir.path().join(name);
    let separator = "From a@b.example Mon Jan  5 10:00:00 2026\n";
    fs::write(at("box"), format!("{separator}Subject: x\n\n")).unwrap();
    for name in ["md/cur", "md/new"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    let format = |name: &str| FileSource::builder(at(name)).build().unwrap().format();
    assert_eq!(format(""), FileFormat::Eml);
    assert_eq!(format("00000.eml"), FileFormat::Eml);
    assert_eq!(format("box"), FileFormat::Mbox);
    assert_eq!(format("md"), FileFormat::Maildir);
    for (name, format, code) in [
        ("00000.eml", FileFormat::Mbox, "files.format"),
        ("", FileFormat::Maildir, "files.format"),
        ("", FileFormat::Mbox, "files.format"),
        ("missing", FileFormat::Eml, "source.folder_not_found"),
    ] {
        let refused = FileSource::builder(at(name)).with_format(format).build();
        assert_eq!(refused.unwrap_err().code(), code, "{name} {format:?}");
    }
    let same = FileSource::builder(dir.path())
        .with_move_to(dir.path())
        .build();
    assert_eq!(same.unwrap_err().code(), "setup.queue_equals_storage");
    let boxed = FileSource::builder(at("box"))
        .with_move_to(at("done"))
        .build();
    assert_eq!(boxed.unwrap_err().code(), "config.invalid");
}

#[tokio::test]
async fn one_file_is_one_mail_and_its_key_is_its_digest() {
    let dir = eml_files(3);
    let source = FileSource::builder(dir.path().join("00001.eml"))
        .build()
        .unwrap();
    let items = listed(&source).await;
    let digest = *blake3::hash(mail(1).as_bytes()).as_bytes();
    assert_eq!(
        (items.len(), &items[0].key),
        (1, &Some(SightingKey::Content(digest)))
    );
}
