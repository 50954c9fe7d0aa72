//! Values of files that only their owner can read.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::credential::{CredentialProvider, UserPassword};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;

const OPERATION: &str = "FileCredentials";

/// Bytes of one credential file.
const LIMIT: usize = 64 << 10;

/// Values of files, one value a file, read at each question. White space at the ends is left out.
///
/// On Unix a file that others can read or write is refused (`credential.file_mode`). A file that does not exist is an
/// error, not *not handled*: its name was given on purpose.
#[derive(Default, Clone)]
pub struct FileCredentials {
    client_id: Option<PathBuf>,
    client_secret: Option<PathBuf>,
    user_name: Option<String>,
    password: Option<PathBuf>,
}

/// The names of files are no secrets; the user name is left out.
impl fmt::Debug for FileCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCredentials")
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("password", &self.password)
            .finish_non_exhaustive()
    }
}

impl FileCredentials {
    /// No file yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the file of the client id.
    #[must_use]
    pub fn with_client_id(mut self, path: impl Into<PathBuf>) -> Self {
        self.client_id = Some(path.into());
        self
    }

    /// Names the file of the client secret.
    #[must_use]
    pub fn with_client_secret(mut self, path: impl Into<PathBuf>) -> Self {
        self.client_secret = Some(path.into());
        self
    }

    /// Gives the account's user name, and names the file of its password.
    #[must_use]
    pub fn with_password(mut self, user_name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.user_name = Some(user_name.into());
        self.password = Some(path.into());
        self
    }
}

fn read(path: Option<&PathBuf>) -> Result<Option<SecretString>> {
    let Some(path) = path else { return Ok(None) };
    let failed = |error: std::io::Error| {
        Error::new(&codes::CREDENTIAL_PROVIDER, OPERATION).with_source(error)
    };
    let file = File::open(path).map_err(failed)?;
    // Of the file that was opened, and not of what its name stands for by now.
    check(path, &file.metadata().map_err(failed)?)?;
    // Room for all of it, so that the buffer never moves and leaves the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(LIMIT + 1));
    let mut limited = file.take(LIMIT as u64 + 1);
    limited.read_to_string(&mut text).map_err(failed)?;
    if text.len() > LIMIT {
        return Err(Error::new(&codes::CREDENTIAL_PROVIDER, OPERATION)
            .with_detail("the file is larger than 64 KiB"));
    }
    Ok(Some(SecretString::from(text.trim())))
}

fn check(path: &Path, found: &std::fs::Metadata) -> Result<()> {
    if is_open_to_others(found) {
        return Err(Error::new(&codes::CREDENTIAL_FILE_MODE, OPERATION)
            .with_detail(path.display().to_string()));
    }
    Ok(())
}

#[cfg(unix)]
fn is_open_to_others(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

#[async_trait]
impl CredentialProvider for FileCredentials {
    async fn client_id(&self, _: &Scope) -> Result<Option<String>> {
        use secrecy::ExposeSecret;
        Ok(read(self.client_id.as_ref())?.map(|text| text.expose_secret().to_owned()))
    }

    async fn client_secret(&self, _: &Scope) -> Result<Option<SecretString>> {
        read(self.client_secret.as_ref())
    }

    async fn password(&self, _: &Scope) -> Result<Option<UserPassword>> {
        let password = read(self.password.as_ref())?;
        Ok(self
            .user_name
            .clone()
            .zip(password)
            .map(|(name, text)| UserPassword::new(name, text)))
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::os::unix::fs::PermissionsExt;

    fn file(mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, " s3cret\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[tokio::test]
    async fn a_file_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o620, 0o644, 0o666] {
            let (_folder, path) = file(mode);
            let given = FileCredentials::new().with_client_secret(path);
            let error = given.client_secret(&Scope::default()).await.unwrap_err();
            assert_eq!(error.code(), "credential.file_mode", "{mode:o}");
        }
        for mode in [0o600, 0o400] {
            let (_folder, path) = file(mode);
            let given = FileCredentials::new().with_password("user", path);
            let account = given.password(&Scope::default()).await.unwrap().unwrap();
            assert_eq!(account.password.expose_secret(), "s3cret");
        }
    }

    #[tokio::test]
    async fn a_file_of_64_kib_is_read_and_a_larger_one_refused() {
        for (length, read) in [(LIMIT, true), (LIMIT + 1, false)] {
            let (_folder, path) = file(0o600);
            std::fs::write(&path, "x".repeat(length)).unwrap();
            let given = FileCredentials::new().with_client_secret(path);
            let answer = given.client_secret(&Scope::default()).await;
            match answer {
                Ok(secret) => assert_eq!(
                    (secret.unwrap().expose_secret().len(), read),
                    (length, true)
                ),
                Err(error) => assert_eq!((error.code(), read), ("credential.provider", false)),
            }
        }
    }

    #[tokio::test]
    async fn a_missing_file_is_an_error() {
        let given = FileCredentials::new().with_client_secret("/nonexistent/secret");
        let error = given.client_secret(&Scope::default()).await.unwrap_err();
        assert_eq!(error.code(), "credential.provider");
    }
}
