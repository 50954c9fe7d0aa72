//! Describing a sign-in, and checking the description before anything is sent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::adapter::TokenClient;
use super::{AppSignIn, OPERATION};
use crate::clock::{Clock, SystemClock, SystemEntropy};
use crate::credential::CredentialProvider;
use crate::error::{Error, Result, codes};
use crate::http::{AddressPolicy, HttpClient, HttpOptions, NameResolver, ServiceUrl};
use crate::scope::Scope;

/// What an application asks for to use Exchange Web Services in Exchange Online.
const EXCHANGE_SCOPE: &str = "https://outlook.office365.com/.default";

/// Bytes of a token answer.
const ANSWER_LIMIT: u64 = 1 << 20;

/// Names in the place of a tenant that an application cannot sign in with.
const NO_TENANT: [&str; 4] = ["", "common", "organizations", "consumers"];

/// Describes an [`AppSignIn`]. `Debug` shows no address, tenant or proxy.
#[must_use = "nothing happens before build"]
pub struct AppSignInBuilder {
    token_url: String,
    tenant: Option<String>,
    token_scope: String,
    provider: Arc<dyn CredentialProvider>,
    scope: Scope,
    http: HttpOptions,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for AppSignInBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppSignInBuilder")
            .field("token_scope", &self.token_scope)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl AppSignInBuilder {
    pub(super) fn new(token_url: String, provider: Arc<dyn CredentialProvider>) -> Self {
        let http = HttpOptions {
            body_limit: ANSWER_LIMIT,
            total_timeout: Duration::from_mins(1),
            ..HttpOptions::default()
        };
        Self {
            token_url,
            tenant: None,
            token_scope: EXCHANGE_SCOPE.into(),
            provider,
            scope: Scope::default(),
            http,
            clock: Arc::new(SystemClock),
        }
    }

    pub(super) fn microsoft(tenant: &str, provider: Arc<dyn CredentialProvider>) -> Self {
        let url = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
        Self {
            tenant: Some(tenant.to_owned()),
            ..Self::new(url, provider)
        }
    }

    /// Asks for a token with this scope; that of Exchange Online's EWS if not given.
    pub fn with_token_scope(mut self, scope: impl Into<String>) -> Self {
        self.token_scope = scope.into();
        self
    }

    /// Whose credentials the provider is asked for; the default scope if not given.
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Trusts these root certificates (PEM) instead of the platform's.
    pub fn with_trusted_roots(mut self, pem: impl Into<String>) -> Self {
        self.http.roots = Some(pem.into());
        self
    }

    /// Says which hosts and addresses may be connected to; public addresses only if not given.
    ///
    /// An identity service on premises needs the range of its network: [`AddressPolicy::on_premises`].
    pub fn with_address_policy(mut self, policy: AddressPolicy) -> Self {
        self.http.address_policy = policy;
        self
    }

    /// Looks up hosts with this resolver instead of the system's. Its answers are checked as well.
    pub fn with_name_resolver(mut self, resolver: Arc<dyn NameResolver>) -> Self {
        self.http.name_resolver = resolver;
        self
    }

    /// Accepts only a server with this key: base64 of the SHA-256 of its public key (SubjectPublicKeyInfo), with or without
    /// `sha256/` before it. Given again, it adds a key, as is needed while a server changes its own.
    ///
    /// The key stands instead of an authority, so that a server may sign for itself; host name and dates have to be right
    /// all the same. Beside [`with_trusted_roots`](Self::with_trusted_roots) both have to hold. A certificate that is marked
    /// as an authority's is no server's and is refused.
    pub fn with_pinned_key(mut self, key: impl Into<String>) -> Self {
        self.http.pinned_keys.push(key.into());
        self
    }

    /// Goes through this HTTP proxy. Without it no proxy is used, whatever the environment says.
    pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
        self.http.proxy = Some(url.into());
        self
    }

    /// Takes time from this clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// **Dangerous: sends the client secret unencrypted.** Lets `http://` through to a loopback address, for tests.
    pub fn dangerously_allow_plain_http_on_loopback(mut self) -> Self {
        self.http.plain_loopback = true;
        self
    }

    /// Checks the description. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Config`: the URL is not https (`config.insecure`) or no URL, the tenant is `common` or the like
    /// (`config.invalid`), roots, a pinned key or a proxy that cannot be read, a proxy beside plain http on loopback, a host or
    /// an address that the policy refuses (`http.host_refused`, `http.address_refused`).
    pub fn build(self) -> Result<AppSignIn> {
        if self
            .tenant
            .as_deref()
            .is_some_and(|tenant| !is_tenant(tenant))
        {
            return Err(Error::new(&codes::CONFIG_INVALID, OPERATION)
                .with_detail("an application signs in with a tenant id or domain of its own"));
        }
        let token_url = ServiceUrl::parse(&self.token_url, self.http.plain_loopback)?;
        let http = HttpClient::new(&self.http)?;
        http.check(OPERATION, &token_url)?;
        Ok(AppSignIn {
            client: TokenClient {
                token_url,
                http,
                clock: self.clock,
                entropy: Arc::new(SystemEntropy),
            },
            provider: self.provider,
            scope: self.scope,
            token_scope: self.token_scope,
            kept: Mutex::new(None),
        })
    }
}

fn is_tenant(tenant: &str) -> bool {
    let shape = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    tenant.chars().all(shape) && !NO_TENANT.contains(&tenant.to_ascii_lowercase().as_str())
}
