//! Maildirs.

use std::fs;
use std::sync::Arc;

use email_logging::source::FileSource;
use email_logging::store::MemoryStore;

use crate::world::{FIRST, import, listed, mail, mails, tree, write};

fn maildir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, number) in [
        ("cur", 1),
        ("new", 0),
        (".Sent/cur", 2),
        (".Sent/new", 3),
        (".x", 4),
    ] {
        let seconds = FIRST + number;
        let flags = if name.ends_with("cur") { ":2,FS" } else { "" };
        let path = dir
            .path()
            .join(name)
            .join(format!("{seconds}.M{number}P7.host{flags}"));
        write(&path, mail(number), 50 - number);
    }
    write(&dir.path().join("tmp/half"), &mail(9)[..40], 1);
    write(&dir.path().join("cur/.hidden"), mail(9), 1);
    write(&dir.path().join("subscriptions"), "x", 1);
    dir
}

#[tokio::test]
async fn cur_and_new_are_read_by_the_time_in_the_name_and_tmp_is_not() {
    let dir = maildir();
    let before = tree(dir.path());
    let source = FileSource::builder(dir.path()).build().unwrap();
    let ids: Vec<_> = listed(&source)
        .await
        .into_iter()
        .map(|it| it.item.id)
        .collect();
    let expected = [
        format!("inbox:new/{FIRST}.M0P7.host"),
        format!("inbox:cur/{}.M1P7.host:2,FS", FIRST + 1),
    ];
    assert_eq!((ids, source.passed_over()), (expected.to_vec(), 1));
    let deep = FileSource::builder(dir.path()).with_recursive(true);
    assert_eq!(listed(&deep.clone().build().unwrap()).await.len(), 4);
    let store = Arc::new(MemoryStore::new());
    assert_eq!(import(deep, &store).await.logged, 4);
    assert_eq!(tree(dir.path()), before);
}

#[tokio::test]
async fn a_mail_whose_flags_change_stays_known() {
    let dir = maildir();
    let store = Arc::new(MemoryStore::new());
    import(FileSource::builder(dir.path()), &store).await;
    let (new, cur) = (dir.path().join("new"), dir.path().join("cur"));
    let name = format!("{FIRST}.M0P7.host");
    fs::rename(new.join(&name), cur.join(format!("{name}:2,RS"))).unwrap();
    let again = import(FileSource::builder(dir.path()), &store).await;
    assert_eq!((again.listed, again.deferred), (2, 2));
    assert_eq!(mails(&*store).await.len(), 2);
}

#[tokio::test]
async fn moved_mail_lies_in_cur_of_another_maildir_with_its_flags() {
    let dir = maildir();
    let done = tempfile::tempdir().unwrap();
    let taken = format!("cur/{FIRST}.M0P7.host:2,");
    write(&done.path().join(&taken), "another mail", 1);
    let store = Arc::new(MemoryStore::new());
    let report = import(
        FileSource::builder(dir.path()).with_move_to(done.path()),
        &store,
    )
    .await;
    assert_eq!(
        (report.logged, report.moved, report.moves_pending),
        (2, 2, 0),
        "{report:?}"
    );
    let names: Vec<_> = tree(done.path())
        .into_keys()
        .map(std::path::PathBuf::into_os_string)
        .collect();
    let expected = [
        format!("cur/{FIRST}.M0P7.host-1:2,"),
        taken,
        format!("cur/{}.M1P7.host:2,FS", FIRST + 1),
    ];
    assert_eq!(names, expected.map(std::ffi::OsString::from));
    assert!(done.path().join("new").is_dir() && done.path().join("tmp").is_dir());
}
