//! Basic (RFC 7617).

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::{Account, Authenticator};
use crate::error::{Error, Result, codes};

/// User name and password, asked of the provider for every request and kept nowhere.
#[derive(Debug)]
pub(crate) struct Basic(Account);

impl Basic {
    /// Basic with this account.
    pub(crate) fn new(account: Account) -> Self {
        Self(account)
    }
}

/// The header of an account.
pub(super) async fn basic_header(account: &Account) -> Result<HeaderValue> {
    let given = account.ask("Basic").await?;
    if given.user_name.contains(':') {
        let error = Error::new(&codes::CONFIG_INVALID, "Basic");
        return Err(error.with_detail("a user name for Basic must not hold a colon"));
    }
    let password = given.password.expose_secret();
    // Room for all of it, so that no buffer moves and leaves the password behind.
    let mut pair = Zeroizing::new(String::with_capacity(
        given.user_name.len() + 1 + password.len(),
    ));
    pair.push_str(&given.user_name);
    pair.push(':');
    pair.push_str(password);
    let encoded = Zeroizing::new(base64_simd::STANDARD.encode_to_string(pair.as_bytes()));
    let text = Zeroizing::new(["Basic ", &encoded].concat());
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Error::new(&codes::CREDENTIAL_MISSING, "Basic"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[async_trait]
impl Authenticator for Basic {
    async fn authorize(&self) -> Result<HeaderValue> {
        basic_header(&self.0).await
    }

    async fn challenge(&self, _: &HeaderValue) -> bool {
        false
    }
}
