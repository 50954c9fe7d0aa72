//! The way to the identity service: what a host may set about it, and the crate's own HTTP client in the place of the one
//! that the OAuth2 library would bring.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::header::HeaderMap;
use secrecy::zeroize::Zeroizing;

use super::pause::{Attempts, Pause};
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::error::{Error, Result, codes};
use crate::http::{HttpClient, HttpOptions, Reply, ServiceUrl, new_guid, retry_after};

/// Bytes of one answer.
const ANSWER_LIMIT: u64 = 1 << 20;

/// What a host sets about the way. `Debug` shows no address, root or proxy.
pub(super) struct TransportOptions {
    pub(super) http: HttpOptions,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            http: HttpOptions {
                body_limit: ANSWER_LIMIT,
                total_timeout: Duration::from_mins(1),
                ..HttpOptions::default()
            },
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

impl fmt::Debug for TransportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.http.fmt(f)
    }
}

/// Gives a builder with a field `transport` the options that every sign-in has.
macro_rules! transport_options {
    ($builder:ident) => {
        impl $builder {
            /// Connects as a mail system's client does. The host list of its address policy is about mail servers.
            pub(crate) fn with_way(mut self, way: &crate::http::HttpOptions) -> Self {
                self.transport.http.connect_as(way);
                let policy = way.address_policy.clone().without_hosts();
                self.with_address_policy(policy)
            }

            /// Trusts these root certificates (PEM) instead of the platform's.
            pub fn with_trusted_roots(mut self, pem: impl Into<String>) -> Self {
                self.transport.http.roots = Some(pem.into());
                self
            }

            /// Says which hosts and addresses may be connected to; public addresses only if not given.
            ///
            /// An identity service on premises needs the range of its network:
            /// [`AddressPolicy::on_premises`](crate::source::AddressPolicy::on_premises).
            pub fn with_address_policy(mut self, policy: crate::source::AddressPolicy) -> Self {
                self.transport.http.address_policy = policy;
                self
            }

            /// Looks up hosts with this resolver instead of the system's. Its answers are checked as well.
            pub fn with_name_resolver(
                mut self,
                resolver: std::sync::Arc<dyn crate::source::NameResolver>,
            ) -> Self {
                self.transport.http.name_resolver = resolver;
                self
            }

            /// Accepts only a server with this key, as
            /// [`EwsSourceBuilder::with_pinned_key`](crate::source::ews::EwsSourceBuilder::with_pinned_key).
            pub fn with_pinned_key(mut self, key: impl Into<String>) -> Self {
                self.transport.http.pinned_keys.push(key.into());
                self
            }

            /// Goes through this HTTP proxy. Without it no proxy is used, whatever the environment says.
            pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
                self.transport.http.proxy = Some(url.into());
                self
            }

            /// Takes time from this clock.
            pub fn with_clock(mut self, clock: std::sync::Arc<dyn crate::clock::Clock>) -> Self {
                self.transport.clock = clock;
                self
            }

            /// Takes randomness from this source instead of the system's. It has to be fit for secrets.
            pub fn with_entropy(
                mut self,
                entropy: std::sync::Arc<dyn crate::clock::Entropy>,
            ) -> Self {
                self.transport.entropy = entropy;
                self
            }

            /// **Dangerous: sends secrets unencrypted.** Lets `http://` through to a loopback address, for tests.
            pub fn dangerously_allow_plain_http_on_loopback(mut self) -> Self {
                self.transport.http.plain_loopback = true;
                self
            }
        }
    };
}
pub(super) use transport_options;

/// Sends to the identity service. Whatever address the OAuth2 library names, it is the token endpoint.
pub(super) struct Transport {
    pub(super) operation: &'static str,
    pub(super) token_url: ServiceUrl,
    pub(super) clock: Arc<dyn Clock>,
    http: HttpClient,
    entropy: Arc<dyn Entropy>,
    pause: Pause,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

impl Transport {
    /// Checks the description.
    pub(super) fn new(
        operation: &'static str,
        token_url: ServiceUrl,
        options: TransportOptions,
    ) -> Result<Self> {
        let http = HttpClient::new(&options.http)?;
        http.check(operation, &token_url)?;
        Ok(Self {
            operation,
            token_url,
            http,
            clock: options.clock,
            entropy: options.entropy,
            pause: Pause::default(),
        })
    }

    /// An id, which is no secret.
    pub(super) fn id(&self) -> String {
        new_guid(&*self.entropy)
    }

    /// 256 bits that nobody can guess (RFC 4086), as text for a URL.
    ///
    /// # Errors
    ///
    /// `Internal` where there is no randomness.
    pub(super) fn secret_text(&self) -> Result<String> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.entropy.fill_secret(&mut *bytes)?;
        Ok(base64_simd::URL_SAFE_NO_PAD.encode_to_string(*bytes))
    }

    /// Waits before one more attempt; false where none makes sense now.
    pub(super) async fn pause_before_next(&self, attempts: &Attempts, error: &Error) -> bool {
        let Some(wait) = attempts.wait(error, self.clock.now(), &*self.entropy) else {
            return false;
        };
        self.clock.sleep(wait).await;
        true
    }

    /// Asks for one document.
    pub(super) async fn fetch(&self, url: &ServiceUrl) -> Result<Vec<u8>> {
        let id = self.id();
        let sent = self.http.get(self.operation, url, &id, HeaderMap::new());
        let reply = sent.await?;
        self.check(&reply)?;
        if reply.status != 200 {
            let error = Error::new(&codes::HTTP_STATUS, self.operation);
            return Err(error.with_server(reply.server));
        }
        reply.read_all().await
    }

    /// Sends what the library wants sent. A redirect is an error; so is a server that is out of order. Before the time at
    /// which it wants to be asked again, it is not asked.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        self.pause.check(self.operation, self.clock.now())?;
        let (parts, body) = request.into_parts();
        let id = self.id();
        let sent = self.http.post(
            self.operation,
            &self.token_url,
            &id,
            parts.headers,
            body.into(),
        );
        let reply = sent.await?;
        let checked = self.check(&reply);
        checked.inspect_err(|error| self.pause.heed(error, self.clock.now()))?;
        let (status, headers) = (reply.status, reply.headers.clone());
        let mut response = HttpResponse::new(reply.read_all().await?);
        *response.status_mut() = oauth2::http::StatusCode::from_u16(status).unwrap_or_default();
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn check(&self, reply: &Reply) -> Result<()> {
        let code = match reply.status {
            300..=399 => &codes::HTTP_REDIRECT,
            429 => &codes::HTTP_THROTTLED,
            500.. => &codes::HTTP_UNAVAILABLE,
            _ => return Ok(()),
        };
        let error = Error::new(code, self.operation).with_server(reply.server.clone());
        match retry_after(&reply.headers, self.clock.now()) {
            Some(wait) => Err(error.with_retry_after(wait)),
            None => Err(error),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_shows_nothing_of_its_service() {
        let url = ServiceUrl::parse("https://login.example/tenant/token", false).unwrap();
        let transport = Transport::new("test", url, TransportOptions::default()).unwrap();
        assert_eq!(format!("{transport:?}"), "Transport { .. }");
    }
}
