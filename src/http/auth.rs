//! How a request proves who sends it.

mod basic;
mod bearer;
mod provided;

use std::fmt::Debug;

use async_trait::async_trait;
use reqwest::header::HeaderValue;

use crate::error::Result;

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
