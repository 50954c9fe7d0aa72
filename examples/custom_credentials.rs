//! Credentials out of a host's own vault, before those of the set-up.
//!
//! `cargo run --example custom_credentials`
//!
//! The vault has the password of one tenant and no client id: the client id comes from the next provider. A vault that is
//! sealed is an error, and never "not handled": a run stops rather than sign in with an old password of the set-up.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use email_logging::credential::{
    CredentialChain, CredentialProvider, StaticCredentials, UserPassword,
};
use email_logging::error::{Error, Result, codes};
use email_logging::source::ews::EwsSource;
use email_logging::source::{FolderPath, MailSource};
use email_logging::testkit::exchange::SimulatedExchange;
use email_logging::{Scope, error::ErrorKind};
use secrecy::SecretString;

/// Stands for a vault that would be asked over the network.
#[derive(Debug, Default)]
struct Vault {
    passwords: BTreeMap<String, (String, SecretString)>,
    sealed: AtomicBool,
}

#[async_trait]
impl CredentialProvider for Vault {
    // The other questions keep their default, which is "not handled".
    async fn password(&self, scope: &Scope) -> Result<Option<UserPassword>> {
        if self.sealed.load(Ordering::Relaxed) {
            let sealed = Error::new(&codes::CREDENTIAL_PROVIDER, "password");
            return Err(sealed.with_detail("the vault is sealed"));
        }
        let found = self.passwords.get(scope.tenant());
        Ok(found.map(|(user, password)| UserPassword::new(user, password.clone())))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue: FolderPath = r"\Email Logging\Queue\".parse()?;
    let server = SimulatedExchange::builder()
        .with_user("logger@corp.example", "from the vault")
        .with_public_folder(queue.to_string())
        .start()
        .await?;

    let account = ("logger@corp.example".to_owned(), "from the vault".into());
    let vault = Arc::new(Vault {
        passwords: BTreeMap::from([("corp".to_owned(), account)]),
        sealed: AtomicBool::new(false),
    });
    let setup = StaticCredentials::new()
        .with_client_id("client id of the set-up")
        .with_password("logger@corp.example", "an old one");
    let chain = CredentialChain::new()
        .with(Arc::<Vault>::clone(&vault))
        .with(Arc::new(setup));

    let (corp, other) = (Scope::new("corp", "main")?, Scope::new("other", "main")?);
    println!("client id: {:?}", chain.client_id(&corp).await?);
    let exchange = |scope: &Scope| {
        EwsSource::builder(server.url())
            .with_scope(scope.clone())
            .with_basic(Arc::new(chain.clone()))
            .dangerously_allow_plain_http_on_loopback() // the simulated Exchange of this example
            .build()
    };
    let opened = exchange(&corp)?.open_folder(&queue.clone().into()).await;
    println!("corp, password of the vault: {}", said(opened));
    let opened = exchange(&other)?.open_folder(&queue.clone().into()).await;
    println!("other, password of the set-up: {}", said(opened));
    vault.sealed.store(true, Ordering::Relaxed);
    let opened = exchange(&corp)?.open_folder(&queue.into()).await;
    println!("corp, sealed vault: {}", said(opened));
    Ok(())
}

fn said<T>(answer: Result<T>) -> String {
    match answer {
        Ok(_) => "signed in".into(),
        Err(error) if error.kind() == ErrorKind::Unauthenticated => "refused".into(),
        Err(error) => error.to_string(),
    }
}
