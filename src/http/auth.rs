//! How a request proves who sends it.

mod account;
mod account_client;
mod basic;
mod bearer;
mod provided;

use std::fmt::Debug;

use async_trait::async_trait;
use reqwest::header::HeaderValue;

use crate::error::Result;

pub(crate) use account::Account;
pub(crate) use account_client::{AccountClient, AccountOptions};
pub(crate) use basic::Basic;
pub(crate) use bearer::{Bearer, TokenSource};
pub(crate) use provided::ProvidedToken;

/// Makes the `Authorization` header of each request.
#[async_trait]
pub(crate) trait Authenticator: Debug + Send + Sync {
    /// The header of the next request, marked as sensitive.
    async fn authorize(&self) -> Result<HeaderValue>;

    /// The server refused this header: forgets what is kept of it, and says whether asking once more makes sense.
    async fn challenge(&self, refused: &HeaderValue) -> bool;
}

/// How a source signs in.
pub(crate) enum SignedIn {
    /// By a header of each request.
    Header(Box<dyn Authenticator>),
    /// With an account, by the scheme that the server offers; the client then sends the requests itself, since a sign-in
    /// may belong to a connection.
    Account(Box<AccountClient>),
}

impl SignedIn {
    /// The header of the next request, where a header is the way.
    pub(crate) async fn authorize(&self) -> Result<Option<HeaderValue>> {
        match self {
            Self::Header(authenticator) => authenticator.authorize().await.map(Some),
            Self::Account(_) => Ok(None),
        }
    }

    /// The server refused: whether asking once more makes sense. An account was given its second chance already.
    pub(crate) async fn challenge(&self, refused: Option<&HeaderValue>) -> bool {
        match (self, refused) {
            (Self::Header(authenticator), Some(refused)) => authenticator.challenge(refused).await,
            _ => false,
        }
    }
}
