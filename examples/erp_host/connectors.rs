//! The ways to a mailbox: Exchange Web Services and Microsoft Graph, by whichever a set-up names.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use email_logging::Scope;
use email_logging::credential::{
    CredentialResolver, IdentityService, MicrosoftCloud, SealedRefreshTokens, SealedSecrets,
};
use email_logging::error::{Error as LibraryError, Result as LibraryResult};
use email_logging::setup::{
    AdministratorSignIn, Consent, ConsentSignIn, EmailLoggingSetup, EwsConnector, GraphConnector,
    MailConnection, MailConnector, MailService, ServiceConnector,
};
use email_logging::source::ews::AddressPolicy;

use crate::company::{self, Company};

/// A connector for each service, with the same credentials and the same identity service.
#[derive(Debug, Clone)]
pub(crate) struct Connectors {
    ews: EwsConnector,
    graph: GraphConnector,
    both: ServiceConnector,
}

impl Connectors {
    /// Signs in with these credentials; for the demo, at its company.
    pub(crate) fn new(
        credentials: CredentialResolver,
        secrets: &SealedSecrets,
        company: Option<&Company>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut service = IdentityService::microsoft(MicrosoftCloud::Worldwide, "organizations");
        if let Some(company) = company {
            service = service.with_authority(company.identity.url());
        }
        let credentials = Arc::new(credentials);
        let tokens = Arc::new(SealedRefreshTokens::new(secrets.clone()));
        let mut ews = EwsConnector::builder()
            .with_credentials(Arc::<CredentialResolver>::clone(&credentials))
            .with_identity_service(service.clone())
            .with_refresh_tokens(Arc::<SealedRefreshTokens>::clone(&tokens));
        let mut graph = GraphConnector::builder()
            .with_credentials(credentials)
            .with_identity_service(service)
            .with_refresh_tokens(tokens);
        if let Some(company) = company {
            let loopback = || AddressPolicy::on_premises(["127.0.0.0/8"]);
            let roots = |pem: Option<&str>| pem.unwrap_or_default().to_owned();
            // The browser of the demo goes to the identity service, and knows no authority of ours: that one speaks plain HTTP.
            ews = ews
                .with_trusted_roots(roots(company.exchange.ca_pem()))
                .with_address_policy(loopback()?)
                .dangerously_allow_plain_http_on_loopback();
            graph = graph
                .with_trusted_roots(roots(company.graph.root_pem()))
                .with_host_address(
                    company::GRAPH,
                    ([127, 0, 0, 1], company.graph.port()).into(),
                )
                .with_address_policy(loopback()?)
                .dangerously_allow_plain_http_on_loopback();
        }
        let (ews, graph) = (ews.build()?, graph.build()?);
        let both = ServiceConnector::new()
            .with_ews(Arc::new(ews.clone()))
            .with_graph(Arc::new(graph.clone()));
        Ok(Self { ews, graph, both })
    }

    /// The sign-ins of an administrator.
    pub(crate) fn consents(&self) -> Consents {
        Consents {
            ews: ConsentSignIn::new(self.ews.clone()),
            graph: ConsentSignIn::for_graph(&self.graph),
        }
    }
}

#[async_trait]
impl MailConnector for Connectors {
    async fn connect(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
    ) -> LibraryResult<MailConnection> {
        self.both.connect(scope, setup).await
    }

    fn forget(&self, scope: &Scope) {
        self.both.forget(scope);
    }
}

/// The sign-in of an administrator for whichever service a set-up names: a consent for one is none for the other.
#[derive(Debug, Clone)]
pub(crate) struct Consents {
    ews: ConsentSignIn,
    graph: ConsentSignIn,
}

impl Consents {
    /// That of a set-up.
    pub(crate) fn of(&self, setup: &EmailLoggingSetup) -> &ConsentSignIn {
        match setup.mail_service {
            MailService::Graph => &self.graph,
            _ => &self.ews,
        }
    }
}

#[async_trait]
impl AdministratorSignIn for Consents {
    async fn sign_in(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        reason: &LibraryError,
    ) -> LibraryResult<Consent> {
        self.of(setup).sign_in(scope, setup, reason).await
    }
}
