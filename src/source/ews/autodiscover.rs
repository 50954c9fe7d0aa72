//! Autodiscover: where the EWS service of a mail address is, and which mailboxes hold its public folders.
//!
//! Owns which hosts may be asked and what they may get. Knows nothing of folders or items.

mod answer;
mod builder;
mod hosts;
mod json;
pub(super) mod settings;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;

use crate::clock::Entropy;
use crate::credential::CredentialProvider;
use crate::error::{Error, Result, codes};
use crate::http::{Authenticator, Bearer, HttpClient, ProvidedToken, ServiceUrl, TokenSource};
use crate::scope::Scope;
use crate::setup::ServiceAddress;

pub use answer::{AutodiscoverAnswer, AutodiscoverAttempt, AutodiscoverProtocol};
pub use builder::{AutodiscoverBuilder, AutodiscoverCloud};
use hosts::Hosts;
use walk::Walk;

const OPERATION: &str = "Autodiscover";

/// Looks up where the EWS service of a mail address is.
///
/// Only for a service URL that is blank or a bare domain; a full one is given back as it is. Everything goes over https.
/// Asked are the domain itself and `autodiscover` below it, never anything above, then Microsoft's own hosts. JSON comes
/// first, without credentials; SOAP after it, with an access token, where there is one, to Microsoft's hosts of the chosen
/// cloud and to hosts that were accepted by name. For a bare domain none of Microsoft's hosts count. A user name and password are never sent. Redirects are judged by the same rule, and are
/// bounded. Each step is best effort: what one host does not know, the next may.
pub struct Autodiscover {
    http: HttpClient,
    address: String,
    service: ServiceAddress,
    sign_in: SignIn,
    cloud: AutodiscoverCloud,
    accepted: BTreeSet<String>,
    time_limit: Duration,
    entropy: Arc<dyn Entropy>,
}

/// Who asks the hosts that may get a token.
enum SignIn {
    Nobody,
    Provided(Arc<dyn CredentialProvider>, Scope),
    #[cfg(feature = "oauth2")]
    Tokens(Arc<dyn TokenSource>),
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "none",
            Self::Provided(..) => "access token",
            #[cfg(feature = "oauth2")]
            Self::Tokens(_) => "own tokens",
        })
    }
}

impl SignIn {
    /// The header for a host of this origin.
    async fn authorize(&self, origin: &str) -> Result<Option<HeaderValue>> {
        let source: Arc<dyn TokenSource> = match self {
            Self::Nobody => return Ok(None),
            Self::Provided(provider, scope) => {
                let (provider, origin) = (Arc::clone(provider), origin.to_owned());
                Arc::new(ProvidedToken::new(provider, scope.clone(), origin))
            }
            #[cfg(feature = "oauth2")]
            Self::Tokens(source) => Arc::clone(source),
        };
        Bearer::new(source).authorize().await.map(Some)
    }

    fn is_given(&self) -> bool {
        !matches!(self, Self::Nobody)
    }
}

impl fmt::Debug for Autodiscover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Autodiscover")
            .field("sign_in", &self.sign_in)
            .field("cloud", &self.cloud)
            .finish_non_exhaustive()
    }
}

impl Autodiscover {
    /// Starts to describe a look-up for a mail address.
    pub fn builder(address: impl Into<String>) -> AutodiscoverBuilder {
        AutodiscoverBuilder::new(address.into())
    }

    /// Looks the service up.
    ///
    /// # Errors
    ///
    /// `Config`: `autodiscover.domain` where the address or the domain belongs to no organisation, `autodiscover.host`
    /// where everything led to a host that may not be followed, named in the detail; `config.insecure` and
    /// `config.invalid` for a full service URL that cannot be used. `NotFound` (`autodiscover.not_found`) with every host
    /// that was tried.
    ///
    /// # Cancel safety
    ///
    /// Asks only; may be dropped at any time.
    pub async fn discover(&self) -> Result<AutodiscoverAnswer> {
        let (hosts, candidates) = match &self.service {
            ServiceAddress::Url(url) => return given(url),
            ServiceAddress::Autodiscover => self.of_address()?,
            ServiceAddress::Domain(domain) => self.of_domain(domain)?,
        };
        let mut walk = Walk::new(self, hosts);
        let began = tokio::time::Instant::now();
        let by_json = walk.by_json(&candidates);
        let by_json = tokio::time::timeout_at(began + self.time_limit / 2, by_json).await;
        let by_json = by_json.ok().flatten();
        let settings = if self.sign_in.is_given() {
            let by_soap = walk.by_soap(&candidates);
            let by_soap = tokio::time::timeout_at(began + self.time_limit, by_soap).await;
            by_soap.unwrap_or_default()
        } else {
            BTreeMap::new()
        };
        let urls = ["ExternalEwsUrl", "InternalEwsUrl"];
        let mut told = urls.iter().filter_map(|name| settings.get(*name));
        let ews_url = by_json.or_else(|| told.find_map(|url| walk.acceptable(url)));
        let Some(ews_url) = ews_url else {
            return Err(nothing(&walk));
        };
        let setting = |name: &str| settings.get(name).cloned();
        Ok(AutodiscoverAnswer {
            ews_url,
            public_folder_information: setting("PublicFolderInformation"),
            internal_rpc_client_server: setting("InternalRpcClientServer"),
            smtp_address: setting("AutoDiscoverSMTPAddress"),
            tried: walk.tried,
        })
    }

    fn of_address(&self) -> Result<(Hosts, Vec<String>)> {
        let domain = domain_of(&self.address)
            .ok_or_else(|| Error::new(&codes::AUTODISCOVER_DOMAIN, OPERATION))?;
        let (hosts, mut candidates) = self.own_hosts(domain, self.cloud)?;
        let microsoft = self.cloud.hosts().iter().map(|host| (*host).to_owned());
        candidates.extend(microsoft);
        Ok((hosts, candidates))
    }

    /// Who names a domain wants that domain, and neither asks Microsoft nor is led there.
    fn of_domain(&self, domain: &str) -> Result<(Hosts, Vec<String>)> {
        self.own_hosts(domain, AutodiscoverCloud::None)
    }

    fn own_hosts(&self, domain: &str, cloud: AutodiscoverCloud) -> Result<(Hosts, Vec<String>)> {
        let hosts = Hosts::new(domain, cloud, &self.accepted)?;
        let domain = hosts::ascii(domain).unwrap_or_default();
        // The name that Exchange's set-up asks for goes first: the bare domain is a web site more often than not.
        let mut candidates: Vec<_> = hosts::own(&domain).into_iter().collect();
        candidates.sort_by_key(|host| *host == domain);
        Ok((hosts, candidates))
    }
}

fn given(url: &str) -> Result<AutodiscoverAnswer> {
    let url = ServiceUrl::parse(url, false)?;
    Ok(AutodiscoverAnswer {
        ews_url: url.as_url().to_string(),
        public_folder_information: None,
        internal_rpc_client_server: None,
        smtp_address: None,
        tried: Vec::new(),
    })
}

/// The domain of a mail address.
fn domain_of(address: &str) -> Option<&str> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    (!local.is_empty() && local.chars().all(plain)).then_some(domain)
}

/// Why nothing was found.
fn nothing(walk: &Walk<'_>) -> Error {
    let tried: Vec<_> = walk.tried.iter().map(ToString::to_string).collect();
    let tried: String = tried.join("; ").chars().take(1000).collect();
    match &walk.refused {
        Some(host) => {
            let host: String = host.chars().take(253).collect();
            Error::new(&codes::AUTODISCOVER_HOST, OPERATION)
                .with_detail(format!("{host} was named; tried: {tried}"))
        }
        None => Error::new(&codes::AUTODISCOVER_NOT_FOUND, OPERATION).with_detail(tried),
    }
}
