//! Keys in a file of the host's own: made on first use, read at each question, added to and never rewritten.

mod content;
mod file;

use std::collections::BTreeSet;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::zeroize::Zeroizing;

use self::content::{Content, Line};
use super::key_provider::{KeyProvider, RecordKey};
use super::key_ring::{HeldKey, find};
use crate::error::{Error, Result, codes};

/// Keys in a file that only its owner can read, the newest current.
///
/// The file is made with mode 0600 when the first secret is sealed, in a folder that is there. On Unix a file that others
/// can read or write is refused (`credential.file_mode`). A link is refused (`secret.key_file`): the file is written to,
/// and what it points to could be exchanged between two looks; a host whose keys are mounted behind links names the file
/// itself or brings a [`KeyProvider`] of its own. On other systems the folder's rights protect it.
///
/// A new key is one more line, written and synchronised before it counts, and a key that is retired is overwritten in its
/// place: no crash leaves a file without a key that is needed, and there is no temporary file. Processes that share it lock
/// it while they write. Who loses the file loses the secrets: keep a copy of it, apart from the store's.
///
/// Reading it blocks the caller for as long as a small file takes.
#[derive(Debug, Clone)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// Keys in this file. Nothing is opened yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Draws a key, adds it to the file and makes it current; answers its id. Then
    /// [`SealedSecrets::rotate`](super::SealedSecrets::rotate) seals everything anew.
    ///
    /// # Errors
    ///
    /// `Config` (`credential.file_mode`, `secret.key_file`); `Unavailable` (`secret.key_provider`): the file cannot be
    /// written.
    pub fn add_key(&self) -> Result<String> {
        self.append("add_key", |_| true)
    }

    /// Adds a key where the content asks for it; answers the id of the current one.
    fn append(
        &self,
        operation: &'static str,
        wanted: impl FnOnce(&Content) -> bool,
    ) -> Result<String> {
        let failed = |error| unavailable(error, operation);
        let mut file = file::open_or_make(&self.path, operation)?;
        file.lock().map_err(failed)?;
        let content = file::read(&mut file, operation)?;
        if let Some(current) = content.current().filter(|_| !wanted(&content)) {
            return Ok(current.id.clone());
        }
        let key = HeldKey::random(operation)?;
        let line = content::line(&key, content.whole == 0);
        if content.whole + line.len() as u64 > file::LIMIT {
            return Err(foreign("it would become larger than 1 MiB", operation));
        }
        let mut add = || {
            // What a crash left of a line that was never whole.
            file.set_len(content.whole)?;
            file.seek(SeekFrom::End(0))?;
            file.write_all(line.as_bytes())?;
            file.sync_all()?;
            file::sync_folder(&self.path)
        };
        add().map_err(failed)?;
        Ok(key.id)
    }

    fn read(&self, operation: &'static str) -> Result<Content> {
        match file::open(&self.path, operation)? {
            Some(mut file) => file::read(&mut file, operation),
            None => Ok(Content::default()),
        }
    }

    /// Overwrites keys in their places.
    fn overwrite(&self, in_use: &BTreeSet<String>, operation: &'static str) -> Result<Vec<String>> {
        let failed = |error| unavailable(error, operation);
        let Some(mut file) = file::open(&self.path, operation)? else {
            return Ok(Vec::new());
        };
        file.lock().map_err(failed)?;
        let content = file::read(&mut file, operation)?;
        let current = content.current().map(|key| &key.id);
        let mut retired = Vec::new();
        for Line { key, at } in &content.lines {
            if in_use.contains(&key.id) || Some(&key.id) == current {
                continue;
            }
            file.seek(SeekFrom::Start(*at)).map_err(failed)?;
            file.write_all(content::RETIRED.as_bytes())
                .map_err(failed)?;
            retired.push(key.id.clone());
        }
        file.sync_all().map_err(failed)?;
        Ok(retired)
    }
}

#[async_trait]
impl KeyProvider for KeyFile {
    async fn current_key_id(&self) -> Result<String> {
        let operation = "current_key_id";
        let content = self.read(operation)?;
        if let Some(current) = content.current() {
            return Ok(current.id.clone());
        }
        // Another process may have been faster: then its key is the current one.
        self.append(operation, |content| content.current().is_none())
    }

    async fn wrap_key(&self, key_id: &str, key: &RecordKey, context: &[u8]) -> Result<Vec<u8>> {
        let held = self.read("wrap_key")?;
        find(held.keys(), key_id, "wrap_key")?.wrap(key, context)
    }

    async fn unwrap_key(&self, key_id: &str, wrapped: &[u8], context: &[u8]) -> Result<RecordKey> {
        let held = self.read("unwrap_key")?;
        find(held.keys(), key_id, "unwrap_key")?.unwrap(wrapped, context)
    }

    async fn retire_unused_keys(&self, in_use: &BTreeSet<String>) -> Result<Vec<String>> {
        self.overwrite(in_use, "retire_unused_keys")
    }
}

fn unavailable(error: std::io::Error, operation: &'static str) -> Error {
    Error::new(&codes::SECRET_KEY_PROVIDER, operation).with_source(error)
}

fn foreign(detail: &'static str, operation: &'static str) -> Error {
    Error::new(&codes::SECRET_KEY_FILE, operation).with_detail(detail)
}

/// Text that is overwritten when it is dropped.
type SecretText = Zeroizing<String>;
