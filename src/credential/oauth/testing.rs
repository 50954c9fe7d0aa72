//! Hooks for this crate's own tests; no part of the public interface.

use std::sync::OnceLock;

use jiff::Timestamp;
use oauth2::{HttpRequest, HttpResponse, http::StatusCode};
use secrecy::{ExposeSecret, SecretString};

use super::client::{Client, Proof};
use super::consent;
use super::exchange::TokenEndpoint;
use super::service::IdentityService;
use super::transport::{Transport, TransportOptions};
use crate::error::Result;

/// What a token answer granted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrantSummary {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// The identity token.
    pub id_token: Option<String>,
    /// What was granted, by the service's own word.
    pub scopes: Option<Vec<String>>,
    /// When the token ends.
    pub expires_at: Option<Timestamp>,
    /// What `Debug` shows of all of it.
    pub shown: String,
}

fn endpoint() -> Result<&'static TokenEndpoint> {
    static ENDPOINT: OnceLock<TokenEndpoint> = OnceLock::new();
    if let Some(made) = ENDPOINT.get() {
        return Ok(made);
    }
    let service = IdentityService::custom(ISSUER, "https://login.example.com/token");
    let url = service.token_url(false)?;
    let transport = Transport::new("test", url, TransportOptions::default())?;
    Ok(ENDPOINT.get_or_init(|| TokenEndpoint {
        service,
        transport,
        permissions: Vec::new(),
    }))
}

/// The issuer in these hooks.
pub const ISSUER: &str = "https://login.example.com/";

/// Reads an answer of a token endpoint with this status.
///
/// # Errors
///
/// As a sign-in would raise it.
///
/// # Cancel safety
///
/// Reads memory only.
pub async fn read_token_answer(status: u16, body: &[u8]) -> Result<GrantSummary> {
    let endpoint = endpoint()?;
    let client = Client {
        id: "client".to_owned(),
        proof: Proof::Nothing,
    };
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let send = |_: HttpRequest| {
        let mut response = HttpResponse::new(body.to_vec());
        *response.status_mut() = status;
        std::future::ready(Ok(response))
    };
    let granted = endpoint.read(&client, send).await?;
    let text = |secret: &SecretString| secret.expose_secret().to_owned();
    Ok(GrantSummary {
        shown: format!("{granted:?}"),
        access_token: text(&granted.token.token),
        expires_at: granted.token.expires_at,
        refresh_token: granted.refresh_token.as_ref().map(text),
        id_token: granted.id_token.as_ref().map(text),
        scopes: granted.scopes,
    })
}

/// Checks an identity token against a key set, for [`ISSUER`] and this client.
///
/// # Errors
///
/// As a consent would raise it.
pub fn check_id_token(
    token: &str,
    keys: &[u8],
    client_id: &str,
    nonce: &str,
    now: Timestamp,
) -> Result<String> {
    let service = IdentityService::custom(ISSUER, "https://login.example.com/token");
    consent::check_id_token(&service, (client_id, nonce), (token, keys), now)
}

/// The code in a callback URL, if the callback came to this redirect URL.
///
/// # Errors
///
/// As a consent would raise it.
pub fn read_callback(url: &str, redirect_url: &str) -> Result<String> {
    let service = IdentityService::custom(ISSUER, "https://login.example.com/token");
    consent::read_callback(&service, url, redirect_url)
}
