//! SQLite: what is stored is sealed, what was erased is gone from every file, and a reader in the way is told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use email_logging::credential::{KeyFile, SealedCredentials, SealedSecrets};
use email_logging::store::{
    SealedSecret, SecretName, SecretStore, SetupStore, SqliteOptions, SqliteStore,
};
use email_logging::{ErrorKind, Scope};

use super::support::{NAME, mine, over, put, scope, value};
use crate::canary::Canary;

const SECRET: &str = "c4n4ry-secret/of=the test";

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    (folder, path)
}

async fn open(path: &Path, options: SqliteOptions) -> Arc<SqliteStore> {
    let store = SqliteStore::open_with(path, options).unwrap();
    store.migrate().await.unwrap();
    Arc::new(store)
}

fn secrets(store: &Arc<SqliteStore>, keys: &Path) -> SealedSecrets {
    let store: Arc<dyn SecretStore> = Arc::<SqliteStore>::clone(store);
    over(store, Arc::new(KeyFile::new(keys)))
}

/// The bytes of an envelope that are nowhere else.
fn marks(sealed: &SealedSecret) -> [Vec<u8>; 3] {
    let text = sealed.ciphertext[9..].to_vec();
    [sealed.wrapped_key.clone(), sealed.nonce.clone(), text]
}

/// Every eight bytes that follow each other in a file of a folder.
struct Files(BTreeSet<[u8; 8]>);

impl Files {
    fn read(folder: &Path) -> Self {
        let mut seen = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let used = bytes
                .windows(8)
                .filter(|window| window.iter().any(|byte| *byte != 0));
            seen.extend(used.map(|window| <[u8; 8]>::try_from(window).unwrap()));
        }
        Self(seen)
    }

    /// Whether eight bytes of this are in a file.
    fn has(&self, mark: &[u8]) -> bool {
        let mut parts = mark.chunks_exact(8);
        parts.any(|part| self.0.contains(part))
    }

    fn have_all(&self, marks: &[Vec<u8>]) -> bool {
        marks.iter().all(|mark| self.has(mark))
    }

    fn have_any(&self, marks: &[Vec<u8>]) -> bool {
        marks.iter().any(|mark| self.has(mark))
    }
}

async fn envelope(store: &SqliteStore, scope: &Scope, name: SecretName) -> SealedSecret {
    let stored = store.load_secret(scope, name).await.unwrap();
    stored.unwrap().sealed
}

#[tokio::test]
async fn no_form_of_a_secret_is_in_any_file_of_the_store() {
    let (folder, path) = file();
    let keys = tempfile::tempdir().unwrap();
    let store = open(&path, SqliteOptions::default()).await;
    let secrets = secrets(&store, &keys.path().join("keys"));
    for name in SecretName::ALL {
        put(&secrets, &mine(), *name, SECRET).await;
        put(&secrets, &mine(), *name, SECRET).await;
    }
    let canary = Canary::new(SECRET);
    assert_eq!(
        canary.assert_folder(folder.path()),
        3,
        "file, -wal and -shm"
    );
    let key = std::fs::read_to_string(keys.path().join("keys")).unwrap();
    let key = key.trim_end().rsplit(' ').next().unwrap().to_owned();
    Canary::new(key).assert_folder(folder.path());
    store.close();
    canary.assert_folder(folder.path());
    canary.assert_folder(keys.path());
}

#[tokio::test]
async fn no_byte_of_an_erased_envelope_is_in_any_file_of_the_store() {
    let (folder, path) = file();
    let store = open(&path, SqliteOptions::default()).await;
    let keys = tempfile::tempdir().unwrap();
    let secrets = secrets(&store, &keys.path().join("keys"));
    let other = scope("other", "default");
    put(&secrets, &other, NAME, "stays").await;
    let mut gone = Vec::new();
    for name in SecretName::ALL {
        // An envelope that was replaced is erased with its successor.
        for secret in ["first", SECRET] {
            put(&secrets, &mine(), *name, secret).await;
            gone.extend(marks(&envelope(&store, &mine(), *name).await));
        }
    }
    assert!(Files::read(folder.path()).have_all(&gone));
    secrets.erase(&mine(), SecretName::ALL).await.unwrap();
    assert!(!Files::read(folder.path()).have_any(&gone));
    assert_eq!(value(&secrets, &other, NAME).await, "stays");
    store.close();
    assert!(!Files::read(folder.path()).have_any(&gone));
}

/// Rows that grow, shrink and leave make pages split and merge, which moves cells from page to page.
#[tokio::test]
async fn no_byte_is_left_though_pages_split_and_merged_in_between() {
    for page_size in [512, 4096, 16_384] {
        let (folder, path) = file();
        let store = open(&path, SqliteOptions::default().with_page_size(page_size)).await;
        let mut gone = Vec::new();
        let scopes: Vec<_> = (0..40).map(|n| scope(&format!("t{n}"), "c")).collect();
        for round in 0..3_usize {
            for (n, scope) in scopes.iter().enumerate() {
                for (at, name) in SecretName::ALL.iter().enumerate() {
                    let seed = format!("{page_size} {round} {n} {at}");
                    let mark = blake3::hash(seed.as_bytes()).as_bytes().to_vec();
                    let length = (n * 37 + at * 211 + round * 97) % 900 / 32 + 1;
                    let sealed = SealedSecret::new("k", mark.clone(), vec![], mark.repeat(length));
                    let stored = store.load_secret(scope, *name).await.unwrap();
                    let version = stored.map_or(0, |stored| stored.version);
                    let saved = store.save_secret(scope, *name, &sealed, version).await;
                    saved.unwrap();
                    gone.push(mark);
                }
            }
            for scope in scopes.iter().skip(round % 2).step_by(2) {
                let erased = store.erase_secrets(scope, &SecretName::ALL[..3]).await;
                erased.unwrap();
            }
        }
        for scope in &scopes {
            store.erase_secrets(scope, SecretName::ALL).await.unwrap();
        }
        let files = Files::read(folder.path());
        let left = gone.iter().filter(|mark| files.has(mark));
        assert_eq!(left.count(), 0, "pages of {page_size} bytes");
    }
}

#[tokio::test]
async fn a_reader_that_holds_an_erased_envelope_is_waited_for_and_then_told() {
    let (folder, path) = file();
    let brief = SqliteOptions::default().with_busy_timeout(Duration::from_millis(200));
    let store = open(&path, brief).await;
    let keys = tempfile::tempdir().unwrap();
    let secrets = secrets(&store, &keys.path().join("keys"));
    put(&secrets, &mine(), NAME, SECRET).await;
    let gone = marks(&envelope(&store, &mine(), NAME).await);
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM secret").unwrap();
    let error = secrets.erase(&mine(), &[NAME]).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::StoreUnavailable, "store.unavailable")
    );
    // It is erased for everybody who looks from now on, but its bytes are there still.
    assert_eq!(value(&secrets, &mine(), NAME).await, "none");
    assert!(Files::read(folder.path()).have_all(&gone));
    reader.execute_batch("ROLLBACK").unwrap();
    secrets.erase(&mine(), &[NAME]).await.unwrap();
    assert!(!Files::read(folder.path()).have_any(&gone));
}

#[tokio::test]
async fn secrets_outlive_the_process_and_a_rotation_in_sqlite() {
    let (_folder, path) = file();
    let keys = tempfile::tempdir().unwrap();
    let keys = keys.path().join("keys");
    let store = open(&path, SqliteOptions::default()).await;
    put(&secrets(&store, &keys), &mine(), NAME, SECRET).await;
    store.close();
    KeyFile::new(&keys).add_key().unwrap();
    let store = open(&path, SqliteOptions::default()).await;
    let secrets = secrets(&store, &keys);
    assert_eq!(secrets.rotate().await.unwrap().sealed_anew, 1);
    assert_eq!(secrets.retire_unused_keys().await.unwrap().len(), 1);
    assert_eq!(value(&secrets, &mine(), NAME).await, SECRET);
}

#[tokio::test]
async fn a_column_that_was_changed_in_the_file_is_damage() {
    let (_folder, path) = file();
    let keys = tempfile::tempdir().unwrap();
    let store = open(&path, SqliteOptions::default()).await;
    let secrets = secrets(&store, &keys.path().join("keys"));
    put(&secrets, &mine(), NAME, "client").await;
    put(&secrets, &mine(), SecretName::AccountPassword, "password").await;
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch(
        "UPDATE secret SET name = 'x' WHERE name = 'client-secret';
         UPDATE secret SET name = 'client-secret' WHERE name = 'account-password';
         UPDATE secret SET name = 'account-password' WHERE name = 'x'",
    )
    .unwrap();
    for name in [NAME, SecretName::AccountPassword] {
        assert_eq!(value(&secrets, &mine(), name).await, "secret.damaged");
    }
    raw.execute_batch("UPDATE secret SET name = 'newer' WHERE name = 'account-password'")
        .unwrap();
    let error = store.list_secrets().await.unwrap_err();
    assert_eq!(error.code(), "store.corrupt");
    let rotation = secrets.rotate().await.unwrap_err();
    assert_eq!(rotation.kind(), ErrorKind::StoreUnavailable);
}

#[tokio::test]
async fn no_value_over_a_file_shows_a_secret() {
    let (_folder, path) = file();
    let keys = tempfile::tempdir().unwrap();
    let store = open(&path, SqliteOptions::default()).await;
    let secrets = secrets(&store, &keys.path().join("keys"));
    put(&secrets, &mine(), NAME, SECRET).await;
    let canary = Canary::new(SECRET);
    canary.assert_debug(&secrets);
    let setup: Arc<dyn SetupStore> = Arc::<SqliteStore>::clone(&store);
    canary.assert_debug(&SealedCredentials::new(setup, secrets));
}
