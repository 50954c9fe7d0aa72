//! The key file: made alone and closed to others, grown and never rewritten, shared by processes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use email_logging::ErrorKind;
use email_logging::credential::{KeyFile, KeyProvider, SealedSecrets};
use email_logging::store::{MemoryStore, SecretStore};

use super::support::{NAME, mine, over, put, value};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    (folder, path)
}

fn with_file(store: &Arc<MemoryStore>, path: &Path) -> SealedSecrets {
    let store: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(store);
    over(store, Arc::new(KeyFile::new(path)))
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap().lines().count()
}

#[tokio::test]
async fn the_file_is_made_when_the_first_secret_is_sealed_and_serves_the_next_process() {
    let (folder, path) = folder();
    let store = Arc::new(MemoryStore::new());
    let secrets = with_file(&store, &path);
    assert_eq!(value(&secrets, &mine(), NAME).await, "none");
    assert!(!path.exists());
    put(&secrets, &mine(), NAME, "secret").await;
    assert_eq!(lines(&path), 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let next = with_file(&store, &path);
    assert_eq!(value(&next, &mine(), NAME).await, "secret");
    put(&next, &mine(), NAME, "another").await;
    assert_eq!(value(&secrets, &mine(), NAME).await, "another");
    assert_eq!(lines(&path), 2);
}

#[tokio::test]
async fn without_its_file_a_secret_has_the_wrong_key() {
    let (_folder, path) = folder();
    let store = Arc::new(MemoryStore::new());
    let secrets = with_file(&store, &path);
    put(&secrets, &mine(), NAME, "secret").await;
    let kept = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(value(&secrets, &mine(), NAME).await, "secret.wrong_key");
    assert!(!path.exists(), "reading makes no key");
    KeyFile::new(&path).add_key().unwrap();
    assert_eq!(value(&secrets, &mine(), NAME).await, "secret.wrong_key");
    std::fs::write(&path, kept).unwrap();
    assert_eq!(value(&secrets, &mine(), NAME).await, "secret");
}

#[tokio::test]
async fn a_new_key_is_current_at_once_and_a_retired_one_is_overwritten() {
    let (_folder, path) = folder();
    let store = Arc::new(MemoryStore::new());
    let secrets = with_file(&store, &path);
    put(&secrets, &mine(), NAME, "secret").await;
    let file = KeyFile::new(&path);
    let old = file.current_key_id().await.unwrap();
    let first = std::fs::read_to_string(&path).unwrap();
    let digits = first.trim_end().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(digits.len(), 64);
    let new = file.add_key().unwrap();
    assert_ne!(old, new);
    assert_eq!(file.current_key_id().await.unwrap(), new);
    assert_eq!(secrets.retire_unused_keys().await.unwrap(), [""; 0]);
    assert_eq!(secrets.rotate().await.unwrap().sealed_anew, 1);
    assert!(std::fs::read_to_string(&path).unwrap().contains(&digits));
    assert_eq!(secrets.retire_unused_keys().await.unwrap(), [old]);
    assert!(!std::fs::read_to_string(&path).unwrap().contains(&digits));
    assert_eq!(value(&secrets, &mine(), NAME).await, "secret");
    assert_eq!(file.current_key_id().await.unwrap(), new);
    assert_eq!(secrets.retire_unused_keys().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn what_a_crash_left_of_a_key_is_cut_off_by_the_next() {
    let (_folder, path) = folder();
    let file = KeyFile::new(&path);
    let first = file.add_key().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for torn in ["0", "0123456789abcdef ", "0123456789abcdef abcdef\0\0"] {
        std::fs::write(&path, [&whole, torn.as_bytes()].concat()).unwrap();
        assert_eq!(file.current_key_id().await.unwrap(), first);
        let next = file.add_key().unwrap();
        assert_eq!(file.current_key_id().await.unwrap(), next);
        assert_eq!(lines(&path), 3, "{torn:?}");
    }
    for begun in ["", "email-log", "\0\0\0"] {
        std::fs::write(&path, begun).unwrap();
        let made = file.current_key_id().await.unwrap();
        assert_eq!(file.current_key_id().await.unwrap(), made);
        assert_eq!(lines(&path), 2, "{begun:?}");
    }
}

#[test]
fn of_many_who_make_the_file_at_once_all_get_the_same_key() {
    let (_folder, path) = folder();
    for _ in 0..20 {
        let _ = std::fs::remove_file(&path);
        let start = std::sync::Barrier::new(8);
        let ids: Vec<_> = std::thread::scope(|scope| {
            let make = || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                start.wait();
                runtime.block_on(KeyFile::new(&path).current_key_id())
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().unwrap();
            threads.into_iter().map(join).collect()
        });
        let ids: Vec<String> = ids.into_iter().map(Result::unwrap).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(lines(&path), 2);
    }
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_stays_as_it_is() {
    let (_folder, path) = folder();
    let file = KeyFile::new(&path);
    file.add_key().unwrap();
    let own = std::fs::read_to_string(&path).unwrap();
    let large = own.clone() + &"x".repeat(1 << 20);
    for text in ["a diary\n", "-----BEGIN", &own.replace(' ', "  "), &large] {
        std::fs::write(&path, text).unwrap();
        let errors = [
            file.current_key_id().await.unwrap_err(),
            file.add_key().unwrap_err(),
            file.retire_unused_keys(&[].into()).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(
                (error.kind(), error.code()),
                (ErrorKind::Config, "secret.key_file")
            );
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_a_failure_of_the_provider() {
    let (_folder, path) = folder();
    let file = KeyFile::new(path.join("below").join("keys"));
    let error = file.current_key_id().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unavailable, "secret.key_provider")
    );
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    #[tokio::test]
    async fn the_file_is_made_with_mode_0600_and_refused_where_others_may_open_it() {
        let (_folder, path) = folder();
        let file = KeyFile::new(&path);
        file.add_key().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let errors = [
                file.current_key_id().await.unwrap_err(),
                file.add_key().unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.code(), "credential.file_mode", "{mode:o}");
            }
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        file.current_key_id().await.unwrap();
    }

    #[tokio::test]
    async fn a_link_a_pipe_and_a_folder_are_refused() {
        let (folder, path) = folder();
        let target = folder.path().join("target");
        KeyFile::new(&target).add_key().unwrap();
        symlink(&target, &path).unwrap();
        let dangling = folder.path().join("dangling");
        symlink(folder.path().join("nowhere"), &dangling).unwrap();
        let below = folder.path().join("below");
        std::fs::create_dir(&below).unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [path, dangling, below, pipe] {
            let file = KeyFile::new(&path);
            for error in [
                file.current_key_id().await.unwrap_err(),
                file.add_key().unwrap_err(),
            ] {
                assert_eq!(error.code(), "secret.key_file", "{}", path.display());
            }
        }
        assert!(!folder.path().join("nowhere").exists());
    }
}
