//! Files that are moved once their mail is in the store.

use std::fs;
use std::sync::Arc;

use email_logging::decision::LoggingPolicy;
use email_logging::source::{FileSource, MailSource as _, Moved};
use email_logging::store::MemoryStore;

use crate::world::{
    digests, eml_files, import, importer, listed, mail, people, queue, tree, write,
};

#[tokio::test]
async fn each_file_is_moved_after_its_commit_and_nothing_is_overwritten() {
    let (dir, done) = (eml_files(70), tempfile::tempdir().unwrap());
    let before = digests(dir.path());
    write(&done.path().join("00003.eml"), "another mail", 1);
    write(&done.path().join("00003-1.eml"), "one more", 1);
    let store = Arc::new(MemoryStore::new());
    let report = import(
        FileSource::builder(dir.path()).with_move_to(done.path()),
        &store,
    )
    .await;
    assert_eq!(
        (report.logged, report.moved, report.moves_pending),
        (70, 70, 0),
        "{report:?}"
    );
    assert_eq!(tree(dir.path()).len(), 0);
    assert_eq!(
        fs::read(done.path().join("00003-2.eml")).unwrap(),
        mail(3).into_bytes()
    );
    assert_eq!(
        fs::read(done.path().join("00003.eml")).unwrap(),
        b"another mail"
    );
    let after = digests(done.path());
    assert!(before.iter().all(|digest| after.contains(digest)) && after.len() == 72);
    let again = import(
        FileSource::builder(dir.path()).with_move_to(done.path()),
        &store,
    )
    .await;
    assert_eq!((again.listed, again.moved), (0, 0));
}

#[tokio::test]
async fn a_place_below_the_queue_is_made_and_not_read_again() {
    let dir = eml_files(4);
    let done = dir.path().join("deep/done");
    write(&dir.path().join("deep/x.eml"), mail(60), 60);
    let store = Arc::new(MemoryStore::new());
    let builder = || {
        FileSource::builder(dir.path())
            .with_recursive(true)
            .with_move_to(&done)
    };
    let report = import(builder(), &store).await;
    assert_eq!((report.logged, report.moved), (5, 5), "{report:?}");
    assert_eq!(tree(&done).len(), 5);
    assert_eq!(import(builder(), &store).await.listed, 0);
}

#[tokio::test]
async fn copies_are_moved_each() {
    let (dir, done) = (eml_files(2), tempfile::tempdir().unwrap());
    write(&dir.path().join("copy.eml"), mail(0), 9);
    let store = Arc::new(MemoryStore::new());
    let report = import(
        FileSource::builder(dir.path()).with_move_to(done.path()),
        &store,
    )
    .await;
    assert_eq!(
        (report.logged, report.already_logged, report.moved),
        (2, 1, 3),
        "{report:?}"
    );
    assert_eq!((tree(dir.path()).len(), tree(done.path()).len()), (0, 3));
}

#[tokio::test]
async fn a_file_that_was_replaced_after_it_was_read_stays() {
    let (dir, done) = (eml_files(2), tempfile::tempdir().unwrap());
    let source = FileSource::builder(dir.path())
        .with_move_to(done.path())
        .build()
        .unwrap();
    let items: Vec<_> = listed(&source)
        .await
        .into_iter()
        .map(|it| it.item)
        .collect();
    write(
        &dir.path().join("00000.eml"),
        "Subject: nobody has read me\r\n\r\n",
        5,
    );
    let storage = FileSource::storage_folder().into();
    let storage = source.open_folder(&storage).await.unwrap();
    let moved = source
        .move_to(&queue(&source).await, &items, &storage)
        .await
        .unwrap();
    assert!(
        matches!(moved[..], [Moved::Gone, Moved::Done(_)]),
        "{moved:?}"
    );
    assert!(dir.path().join("00000.eml").exists());
}

#[tokio::test]
async fn what_a_policy_deletes_is_moved_with_what_is_not_logged() {
    let (dir, done) = (eml_files(1), tempfile::tempdir().unwrap());
    write(
        &dir.path().join("x.eml"),
        "From: x@y.example\r\nTo: a@b.example\r\n\r\n",
        3,
    );
    let store = Arc::new(MemoryStore::new());
    let source = FileSource::builder(dir.path())
        .with_move_to(done.path())
        .build()
        .unwrap();
    let logger = importer(source, people(), &store).with_policy(LoggingPolicy::business_central());
    let report = logger.build().unwrap().run_once().await.unwrap();
    assert_eq!(
        (
            report.logged,
            report.not_matched,
            report.moved,
            report.deleted
        ),
        (1, 1, 2, 0)
    );
    assert_eq!(tree(done.path()).len(), 2);
}

#[tokio::test]
#[cfg(unix)]
async fn a_file_that_cannot_be_moved_stays_whole_and_is_tried_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, done) = (eml_files(2), tempfile::tempdir().unwrap());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let privileged = fs::write(dir.path().join("probe"), "").is_ok();
    let _ = fs::remove_file(dir.path().join("probe"));
    let store = Arc::new(MemoryStore::new());
    let report = import(
        FileSource::builder(dir.path()).with_move_to(done.path()),
        &store,
    )
    .await;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if privileged {
        // Nothing is locked for an administrator.
        return;
    }
    assert_eq!(
        (report.logged, report.moved, report.moves_pending),
        (2, 0, 2),
        "{report:?}"
    );
    assert_eq!((tree(dir.path()).len(), tree(done.path()).len()), (2, 0));
}

#[tokio::test]
async fn moves_that_are_to_do_wait_for_a_run_that_moves() {
    let (dir, done) = (eml_files(3), tempfile::tempdir().unwrap());
    let store = Arc::new(MemoryStore::new());
    let moving = || FileSource::builder(dir.path()).with_move_to(done.path());
    // The move's call fails as a whole: the place has become a file.
    let source = moving().build().unwrap();
    fs::remove_dir(done.path()).unwrap();
    fs::write(done.path(), "").unwrap();
    let failed = importer(source, people(), &store)
        .build()
        .unwrap()
        .run_once()
        .await;
    assert_eq!(failed.unwrap_err().report.logged, 3);
    fs::remove_file(done.path()).unwrap();
    let still = import(FileSource::builder(dir.path()), &store).await;
    assert_eq!(
        (still.listed, still.moved, tree(dir.path()).len()),
        (3, 0, 3),
        "{still:?}"
    );
    let moved = import(moving(), &store).await;
    assert_eq!(
        (moved.recovered, moved.moved, moved.logged),
        (3, 3, 0),
        "{moved:?}"
    );
    assert_eq!(tree(done.path()).len(), 3);
}
