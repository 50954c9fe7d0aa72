//! The connector for Microsoft Graph: from the fields of a set-up to a source, its folders and its probe.
//!
//! Owns what each authentication type means there and what is kept between two connections of one set-up. It must not
//! know how Graph is asked.

mod builder;
mod probe;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::sign_in::{SignIn, credential, of_connection};
use super::{EmailLoggingSetup, MailConnection, MailConnector, MailService, ServiceAddress};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::source::graph::{GraphSource, GraphSourceBuilder};

pub use builder::GraphConnectorBuilder;
use builder::Options;
use probe::GraphProbe;

const OPERATION: &str = "GraphConnector";

/// Connects to Microsoft Graph as a set-up says.
///
/// | authentication type | signs in | needs |
/// |---|---|---|
/// | [`OAuth2`](super::AuthenticationType::OAuth2) | as an application, at the tenant of the set-up | `Mail.ReadWrite`, best narrowed to the one mailbox (RBAC for Applications) |
/// | [`OAuth2Delegated`](super::AuthenticationType::OAuth2Delegated) | with the stored refresh token | `Mail.ReadWrite`, for a shared mailbox `Mail.ReadWrite.Shared`, and the person's rights in it |
/// | [`AccessToken`](super::AuthenticationType::AccessToken) | with tokens of the provider, for Graph | the same |
///
/// User name and password are refused. The mailbox is that of the set-up's address; a blank service URL is Graph in the cloud of
/// the identity service.
///
/// One value is for the life of a process and for every scope: connecting again with the same fields shares the token, the
/// connections and what the service said about waiting. Cloning is cheap.
#[derive(Clone)]
pub struct GraphConnector {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    kept: Mutex<BTreeMap<Scope, Kept>>,
}

/// What is kept of the set-up of one scope.
#[derive(Clone)]
struct Kept {
    fields: EmailLoggingSetup,
    connection: MailConnection,
}

impl GraphConnector {
    /// Begins to describe a connector.
    pub fn builder() -> GraphConnectorBuilder {
        GraphConnectorBuilder::default()
    }

    /// What consents share with it.
    #[cfg(feature = "oauth2")]
    pub(super) fn shared(&self) -> Arc<super::sign_in::Options> {
        Arc::clone(&self.inner.options.shared)
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Scope, Kept>> {
        let kept = self.inner.kept.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<MailConnection> {
        let options = &self.inner.options;
        let shared = &options.shared;
        let address = shared.address(setup)?;
        let url = service_url(options, setup)?;
        let sign_in = SignIn::new(shared, scope, setup)?;
        let builder = GraphSource::builder()
            .with_way(&shared.http)
            .with_service_url(&url)
            .with_mailbox(address)
            .with_scope(scope.clone())
            .with_connections(options.connections)
            .with_gate(options.gates.of(address, &credential(setup)))
            .with_clock(Arc::clone(&shared.clock))
            .with_entropy(shared.entropy());
        let source = sign_in.of_graph(builder)?.build()?;
        let probe = GraphProbe::new(source.clone(), sign_in, url, shared, scope);
        let source = Arc::new(source);
        let (folders, hints) = (Arc::clone(&source), Arc::clone(&source));
        Ok(MailConnection::new(source, folders, Arc::new(probe)).with_hints(hints))
    }
}

impl SignIn {
    /// Gives it to a source.
    fn of_graph(&self, builder: GraphSourceBuilder) -> Result<GraphSourceBuilder> {
        Ok(match self {
            Self::Account(_) => {
                return Err(Error::new(&codes::SETUP_AUTHENTICATION_TYPE, OPERATION)
                    .with_detail("Microsoft Graph takes OAuth2 only"));
            }
            Self::AccessToken(provider) => builder.with_access_token(Arc::clone(provider)),
            #[cfg(feature = "oauth2")]
            Self::App(sign_in) => builder.with_app_sign_in(sign_in.clone()),
            #[cfg(feature = "oauth2")]
            Self::Delegated(sign_in) => builder.with_delegated_sign_in(sign_in.clone()),
        })
    }
}

#[async_trait]
impl MailConnector for GraphConnector {
    async fn connect(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<MailConnection> {
        let mut fields = of_connection(setup);
        // Whoever asks this connector wants Graph, whether or not the set-up knows of services.
        fields.mail_service = MailService::Graph;
        if let Some(known) = self
            .kept()
            .get(scope)
            .filter(|known| known.fields == fields)
        {
            return Ok(known.connection.clone());
        }
        let connection = self.make(scope, &fields)?;
        let fresh = Kept {
            fields,
            connection: connection.clone(),
        };
        self.kept().insert(scope.clone(), fresh);
        Ok(connection)
    }

    fn forget(&self, scope: &Scope) {
        self.kept().remove(scope);
    }
}

impl fmt::Debug for GraphConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphConnector")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

/// Where Graph is: as the field says, or in its cloud. An address of EWS is refused, which a set-up may still have.
fn service_url(options: &Options, setup: &EmailLoggingSetup) -> Result<String> {
    let text = setup.exchange_service_url.as_deref().unwrap_or_default();
    let text = text.trim();
    if options.shared.http.plain_loopback && text.starts_with("http://") {
        return Ok(text.to_owned());
    }
    let url = match ServiceAddress::parse(text)? {
        ServiceAddress::Autodiscover => return Ok(options.cloud().origin().to_owned()),
        ServiceAddress::Domain(domain) => format!("https://{domain}"),
        ServiceAddress::Url(url) => url,
    };
    if url.to_ascii_lowercase().ends_with(".asmx") {
        return Err(Error::new(&codes::SETUP_SERVICE_URL, OPERATION)
            .with_detail("this is an address of EWS; leave the field blank for Microsoft Graph"));
    }
    Ok(url)
}
