//! An exchange that takes NTLM, a source for it, and a provider that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use email_logging::Result;
use email_logging::Scope;
use email_logging::credential::{CredentialProvider, UserPassword};
use email_logging::source::ews::{EwsSource, EwsSourceBuilder};
use email_logging::source::{Folder, FolderPath, ListRequest, ListedItem, MailSource};
use email_logging::testkit::exchange::{
    AuthScheme, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};

use crate::support::source_at;

pub(crate) const QUEUE: &str = r"\Email Logging\Queue\";
pub(crate) const STORAGE: &str = r"\Email Logging\Storage\";
pub(crate) const USER: &str = "svc@example.com";
pub(crate) const PASSWORD: &str = "canary-secret";

/// As Exchange is installed: Negotiate and NTLM.
pub(crate) fn exchange() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user(USER, PASSWORD)
        .with_auth_schemes([AuthScheme::Negotiate, AuthScheme::Ntlm])
        .with_public_folder(QUEUE)
        .with_public_folder(STORAGE)
}

/// The same over HTTPS with Extended Protection.
pub(crate) fn protected() -> SimulatedExchangeBuilder {
    exchange()
        .with_tls(TlsCertificate::Trusted)
        .with_extended_protection(true)
}

/// Supplies one account and counts how often it was asked for.
#[derive(Debug)]
pub(crate) struct Counted {
    user: String,
    password: String,
    asked: AtomicUsize,
}

impl Counted {
    pub(crate) fn new(user: &str, password: &str) -> Arc<Self> {
        Arc::new(Self {
            user: user.to_owned(),
            password: password.to_owned(),
            asked: AtomicUsize::new(0),
        })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl CredentialProvider for Counted {
    async fn password(&self, _: &Scope) -> Result<Option<UserPassword>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(Some(UserPassword::new(&*self.user, &*self.password)))
    }
}

/// A source for an exchange, with its authority trusted.
pub(crate) fn source(exchange: &SimulatedExchange, account: &Arc<Counted>) -> EwsSource {
    let pem = exchange.ca_pem().map(str::to_owned);
    source_to(&exchange.url(), account, move |builder| match pem {
        Some(pem) => builder.with_trusted_roots(pem),
        None => builder,
    })
}

/// A source for an address.
pub(crate) fn source_to(
    url: &str,
    account: &Arc<Counted>,
    change: impl FnOnce(EwsSourceBuilder) -> EwsSourceBuilder,
) -> EwsSource {
    let provider: Arc<dyn CredentialProvider> = Arc::<Counted>::clone(account);
    source_at(url, |builder| {
        change(builder.with_account(provider).with_repeats(0))
    })
    .0
}

pub(crate) async fn open(source: &EwsSource, path: &str) -> Result<Folder> {
    let path = path.parse::<FolderPath>().unwrap();
    source.open_folder(&path.into()).await
}

pub(crate) async fn list(source: &EwsSource, folder: &Folder) -> Vec<ListedItem> {
    let listed = source.list(folder, ListRequest::new(0, 100)).await;
    listed.unwrap().items
}

pub(crate) fn mail(number: usize) -> String {
    format!(
        "From: a@example.com\r\nTo: b@example.com\r\nSubject: Mail {number}\r\n\
         Message-ID: <{number}@example.com>\r\n\r\nMail number {number}\r\n"
    )
}
