//! A tenant: its identity provider, its Exchange, and one application that is registered.

use std::sync::Arc;

use email_logging::Result;
use email_logging::credential::{
    AppSignIn, AppSignInBuilder, CredentialProvider, IdentityService, MicrosoftCloud,
    StaticCredentials,
};
use email_logging::source::ews::{EwsSource, EwsSourceBuilder};
use email_logging::source::{FolderPath, ListRequest, MailSource};
use email_logging::testkit::exchange::{SimulatedExchange, TlsCertificate};
use email_logging::testkit::identity::{Application, SimulatedIdentity, SimulatedIdentityBuilder};

pub(crate) const CLIENT: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub(crate) const SECRET: &str = "canary-secret";
pub(crate) const REDIRECT: &str = "https://erp.example.com/OAuthLanding.htm";
pub(crate) const MAILBOX: &str = "queue@corp.example";
const QUEUE: &str = r"\Email Logging\Queue\";

pub(crate) struct Tenant {
    pub(crate) identity: SimulatedIdentity,
    pub(crate) exchange: SimulatedExchange,
}

pub(crate) fn application() -> Application {
    Application::new(CLIENT)
        .with_secret(SECRET)
        .with_redirect_url(REDIRECT)
        .with_role("full_access_as_app")
        .with_scope("EWS.AccessAsUser.All")
}

pub(crate) fn credentials() -> StaticCredentials {
    StaticCredentials::new()
        .with_client_id(CLIENT)
        .with_client_secret(SECRET)
        .with_redirect_url(REDIRECT)
}

impl Tenant {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(
        change: impl FnOnce(SimulatedIdentityBuilder) -> SimulatedIdentityBuilder,
    ) -> Self {
        let identity = SimulatedIdentity::builder()
            .with_application(application())
            .with_user_name(MAILBOX)
            .with_tls(TlsCertificate::Trusted);
        let identity = change(identity).start().await.unwrap();
        let exchange = SimulatedExchange::builder()
            .with_bearer(&identity)
            .with_mailbox(MAILBOX)
            .with_public_folder(QUEUE)
            .with_tls(TlsCertificate::Trusted)
            .start()
            .await
            .unwrap();
        Self { identity, exchange }
    }

    /// Microsoft's identity platform, but for its host.
    pub(crate) fn service(&self) -> IdentityService {
        IdentityService::microsoft(MicrosoftCloud::Worldwide, self.identity.tenant_id())
            .with_authority(self.identity.url())
    }

    pub(crate) fn roots(&self) -> &str {
        self.identity.ca_pem().unwrap()
    }

    pub(crate) fn sign_in(&self, credentials: impl CredentialProvider) -> AppSignInBuilder {
        AppSignIn::at(self.service(), Arc::new(credentials)).with_trusted_roots(self.roots())
    }

    pub(crate) fn source(
        &self,
        sign_in: impl FnOnce(EwsSourceBuilder) -> EwsSourceBuilder,
    ) -> EwsSource {
        let builder = EwsSource::builder(self.exchange.url())
            .with_trusted_roots(self.exchange.ca_pem().unwrap());
        sign_in(builder).build().unwrap()
    }

    pub(crate) fn source_of_application(&self) -> EwsSource {
        let sign_in = self.sign_in(credentials()).build().unwrap();
        self.source(|builder| {
            builder
                .with_app_sign_in(sign_in)
                .with_impersonation(MAILBOX)
        })
    }
}

/// Reads the queue, which is empty.
pub(crate) async fn read_queue(source: &EwsSource) -> Result<()> {
    let queue = source
        .open_folder(&QUEUE.parse::<FolderPath>()?.into())
        .await?;
    let listing = source.list(&queue, ListRequest::new(0, 10)).await?;
    assert_eq!(listing.items.len(), 0);
    Ok(())
}
