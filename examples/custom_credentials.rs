//! Client id and client secret out of a host's own vault, over HTTP, and the sign-in that uses them.
//!
//! `cargo run --example custom_credentials`
//!
//! The vault has both values for the tenant `corp` and none for others, who have theirs in the set-up. A secret that is
//! rotated counts at the next sign-in, without a restart. A vault that does not answer is an error, and never "not
//! handled": a run stops rather than sign in with an old secret of the set-up.
#![allow(clippy::print_stdout)]

#[path = "support/loopback.rs"]
mod loopback;

use std::sync::Arc;

use async_trait::async_trait;
use email_logging::Scope;
use email_logging::credential::{
    AppSignIn, CredentialProvider, CredentialResolver, CredentialValue, StaticCredentials,
};
use email_logging::error::{Error, Result, codes};
use email_logging::source::ews::EwsSource;
use email_logging::source::{Folder, FolderId, ListRequest, MailSource};
use loopback::{Services, State};
use secrecy::SecretString;

/// A vault that is asked over HTTP: `GET /vault/<tenant>/<name>`.
#[derive(Debug)]
struct Vault {
    client: reqwest::Client,
    url: String,
}

impl Vault {
    /// `Ok(None)` is "I have none": the next provider or the set-up is asked. Everything that went wrong is an error.
    async fn read(&self, scope: &Scope, name: &str) -> Result<Option<String>> {
        // The URL is left out of the error: a vault's path may tell more than it should.
        let failed = |error: reqwest::Error| {
            Error::new(&codes::CREDENTIAL_PROVIDER, "Vault").with_source(error.without_url())
        };
        let url = format!("{}/vault/{}/{name}", self.url, scope.tenant());
        let request = self.client.get(url).header("vault-token", "of-the-host");
        let answer = request.send().await.map_err(failed)?;
        match answer.status().as_u16() {
            200 => answer.text().await.map(Some).map_err(failed),
            404 => Ok(None),
            status => Err(Error::new(&codes::CREDENTIAL_PROVIDER, "Vault")
                .with_detail(format!("HTTP status {status}"))),
        }
    }
}

#[async_trait]
impl CredentialProvider for Vault {
    async fn client_id(&self, scope: &Scope) -> Result<Option<String>> {
        self.read(scope, "client-id").await
    }

    async fn client_secret(&self, scope: &Scope) -> Result<Option<SecretString>> {
        let secret = self.read(scope, "client-secret").await?;
        Ok(secret.map(SecretString::from))
    }
    // The other questions keep their default, which is "not handled".
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let services = Services::start(State {
        vault_secret: "first",
        accepted_secret: "first",
        vault_is_sealed: false,
    })
    .await?;
    // Once per process: which cryptography the host's own HTTP client uses.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let vault = Vault {
        client: reqwest::Client::builder().no_proxy().build()?,
        url: services.url.clone(),
    };
    let setup = StaticCredentials::new()
        .with_client_id("id of the set-up")
        .with_client_secret("secret of the set-up");
    let credentials = CredentialResolver::new()
        .with_provider(Arc::new(vault))
        .with_stored(Arc::new(setup));

    let (corp, other) = (Scope::new("corp", "main")?, Scope::new("other", "main")?);
    for scope in [&corp, &other] {
        for value in [CredentialValue::ClientId, CredentialValue::ClientSecret] {
            let origin = credentials.origin_of(scope, value).await?;
            let origin = origin.map_or("nobody".into(), |origin| format!("{origin:?}"));
            println!("{}: {value:?} comes from {origin}", scope.tenant());
        }
    }
    report("the secret of the vault", &services, &credentials, &corp).await?;
    services.change(|state| state.accepted_secret = "second");
    report("rotated at the service", &services, &credentials, &corp).await?;
    services.change(|state| state.vault_secret = "second");
    report("rotated in the vault too", &services, &credentials, &corp).await?;
    services.change(|state| state.vault_is_sealed = true);
    report("a sealed vault", &services, &credentials, &corp).await?;
    Ok(())
}

/// Signs in anew, lists the queue, and says how it went.
async fn report(what: &str, at: &Services, from: &CredentialResolver, scope: &Scope) -> Result<()> {
    let sign_in = AppSignIn::builder(format!("{}/token", at.url), Arc::new(from.clone()))
        .with_scope(scope.clone())
        .dangerously_allow_plain_http_on_loopback() // the services of this example
        .build()?;
    let exchange = EwsSource::builder(format!("{}/EWS/Exchange.asmx", at.url))
        .with_app_sign_in(sign_in)
        .with_impersonation("logger@corp.example")
        .dangerously_allow_plain_http_on_loopback()
        .build()?;
    let queue = Folder::new(FolderId::new("queue"));
    match exchange.list(&queue, ListRequest::new(0, 10)).await {
        Ok(listing) => println!("{what}: signed in, {} mails wait", listing.items.len()),
        Err(error) => println!("{what}: {error}"),
    }
    Ok(())
}
