//! Refresh tokens among the sealed secrets.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::secrets::SealedSecrets;
use crate::credential::{RefreshTokenStore, StoredRefreshToken};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::store::SecretName;

/// Stands before a token that a worker is refreshing; the time in milliseconds and a line end follow. No refresh token has
/// a control character (RFC 6749, A.17).
const HELD: &str = "\u{1}held until ";

/// Keeps refresh tokens sealed in the store, and with each the mark of the worker that refreshes it. Sealing one anew under a new key does not change its version, so that a
/// sign-in that runs meanwhile still stores the token that it was given.
#[derive(Debug, Clone)]
pub struct SealedRefreshTokens {
    secrets: SealedSecrets,
}

impl SealedRefreshTokens {
    /// Refresh tokens among these secrets.
    pub fn new(secrets: SealedSecrets) -> Self {
        Self { secrets }
    }
}

#[async_trait]
impl RefreshTokenStore for SealedRefreshTokens {
    async fn load_refresh_token(&self, scope: &Scope) -> Result<Option<StoredRefreshToken>> {
        let opened = self.secrets.load(scope, SecretName::RefreshToken).await?;
        Ok(opened.map(|opened| {
            let (until, token) = parts(opened.value.expose_secret());
            StoredRefreshToken::new(token, opened.version).with_hold(until)
        }))
    }

    async fn save_refresh_token(
        &self,
        scope: &Scope,
        token: &SecretString,
        expected_version: u64,
    ) -> Result<u64> {
        let name = SecretName::RefreshToken;
        self.secrets
            .save(scope, name, token, expected_version)
            .await
    }
    async fn hold_refresh_token(
        &self,
        scope: &Scope,
        expected_version: u64,
        until: Timestamp,
    ) -> Result<u64> {
        let stored = self.load_refresh_token(scope).await?;
        let stored = stored.filter(|stored| stored.version == expected_version);
        let stored =
            stored.ok_or_else(|| Error::new(&codes::SECRET_VERSION, "hold_refresh_token"))?;
        let until = until.as_millisecond();
        let held = Zeroizing::new(format!("{HELD}{until}\n{}", stored.token.expose_secret()));
        let held = SecretString::from(held.as_str());
        self.save_refresh_token(scope, &held, expected_version)
            .await
    }

    async fn erase_refresh_token(&self, scope: &Scope, expected_version: u64) -> Result<()> {
        let stored = self.load_refresh_token(scope).await?;
        match stored {
            None => Ok(()),
            Some(stored) if stored.version == expected_version => {
                self.secrets.erase(scope, &[SecretName::RefreshToken]).await
            }
            Some(_) => Err(Error::new(&codes::SECRET_VERSION, "erase_refresh_token")),
        }
    }
}

/// Until when a token is held, and the token.
fn parts(text: &str) -> (Option<Timestamp>, &str) {
    let held = text.strip_prefix(HELD);
    match held.and_then(|rest| rest.split_once('\n')) {
        Some((until, token)) => {
            let until = until.parse().ok();
            let until = until.and_then(|until| Timestamp::from_millisecond(until).ok());
            (until, token)
        }
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_without_a_mark_is_itself() {
        for (text, until, token) in [
            ("token", None, "token"),
            ("\u{1}held until 5\ntoken", Some(5), "token"),
            ("\u{1}held until x\ntoken", None, "token"),
            ("", None, ""),
        ] {
            let until = until.and_then(|until| Timestamp::from_millisecond(until).ok());
            assert_eq!(parts(text), (until, token));
        }
    }
}
