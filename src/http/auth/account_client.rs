//! Sending with an account: reads what the server offers and keeps to it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use reqwest::header::{AUTHORIZATION, HeaderMap};

use super::Account;
use super::basic::basic_header;
use crate::clock::{Clock, Entropy};
use crate::error::{Error, Result, codes};
#[cfg(feature = "ntlm")]
use crate::http::ntlm::{NtlmClient, NtlmScheme};
use crate::http::{HttpClient, HttpOptions, Outgoing, Reply, ServiceUrl};

/// Bytes of the page that comes with a 401.
const LARGEST_PAGE: usize = 64 << 10;

/// What a client needs besides the account.
#[cfg_attr(not(feature = "ntlm"), allow(dead_code))]
pub(crate) struct AccountOptions<'a> {
    /// The server.
    pub(crate) url: &'a ServiceUrl,
    /// Roots, time-outs and limits.
    pub(crate) http: &'a HttpOptions,
    /// The idle connections to keep.
    pub(crate) connections: u32,
    /// The time.
    pub(crate) clock: &'a Arc<dyn Clock>,
    /// Randomness.
    pub(crate) entropy: &'a Arc<dyn Entropy>,
}

/// Sends the requests of one account to one server.
pub(crate) struct AccountClient {
    account: Account,
    http: HttpClient,
    #[cfg(feature = "ntlm")]
    ntlm: NtlmClient,
    chosen: Mutex<Option<Scheme>>,
}

/// A scheme that takes a user name and a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Basic,
    #[cfg(feature = "ntlm")]
    Ntlm(NtlmScheme),
}

impl fmt::Debug for AccountClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountClient").finish_non_exhaustive()
    }
}

impl AccountClient {
    /// A client that has sent nothing yet.
    #[cfg_attr(
        not(feature = "ntlm"),
        allow(unused_variables, clippy::unnecessary_wraps)
    )]
    pub(crate) fn new(
        account: Account,
        http: HttpClient,
        options: &AccountOptions<'_>,
    ) -> Result<Self> {
        Ok(Self {
            account,
            http,
            #[cfg(feature = "ntlm")]
            ntlm: NtlmClient::new(
                options.url,
                options.http,
                usize::try_from(options.connections).unwrap_or(usize::MAX),
                Arc::clone(options.clock),
                Arc::clone(options.entropy),
            )?,
            chosen: Mutex::default(),
        })
    }

    /// Sends one request. A 401 that comes back is final: it was looked at for another scheme to use.
    pub(crate) async fn post(&self, outgoing: Outgoing<'_>) -> Result<Reply> {
        let scheme = match self.chosen() {
            Some(scheme) => scheme,
            None => match self.read_offer(&outgoing).await? {
                Offer::Scheme(scheme) => scheme,
                Offer::Other(reply) => return Ok(*reply),
            },
        };
        let reply = self.post_by(scheme, &outgoing).await?;
        if reply.status != 401 {
            return Ok(reply);
        }
        match choose(&reply, outgoing.url) {
            Some(other) if other != scheme => {
                self.choose(Some(other));
                self.post_by(other, &outgoing).await
            }
            _ => {
                // The next request reads the offer anew.
                self.choose(None);
                Ok(reply)
            }
        }
    }

    async fn post_by(&self, scheme: Scheme, outgoing: &Outgoing<'_>) -> Result<Reply> {
        match scheme {
            Scheme::Basic => {
                let mut headers = outgoing.headers.clone();
                headers.insert(AUTHORIZATION, basic_header(&self.account).await?);
                let body = outgoing.body.clone();
                let with_header = Outgoing {
                    headers,
                    body,
                    ..*outgoing
                };
                with_header.send(&self.http).await
            }
            #[cfg(feature = "ntlm")]
            Scheme::Ntlm(scheme) => self.ntlm.post(scheme, &self.account, outgoing).await,
        }
    }

    /// Asks without credentials and without the body, and chooses among what a 401 offers.
    async fn read_offer(&self, outgoing: &Outgoing<'_>) -> Result<Offer> {
        let (operation, url) = (outgoing.operation, outgoing.url);
        let asked = self
            .http
            .get(operation, url, outgoing.request_id, HeaderMap::new());
        let reply = asked.await?;
        if reply.status != 401 {
            return Ok(Offer::Other(Box::new(reply)));
        }
        let chosen = choose(&reply, url);
        let server = reply.server.clone();
        read_away(reply).await;
        let Some(scheme) = chosen else {
            let error = Error::new(&codes::HTTP_SCHEME_NOT_OFFERED, operation);
            let offered = match server.offered_schemes.join(", ") {
                offered if offered.is_empty() => "the server offers nothing".to_owned(),
                offered => format!("the server offers {offered}"),
            };
            return Err(error.with_detail(offered).with_server(server));
        };
        self.choose(Some(scheme));
        Ok(Offer::Scheme(scheme))
    }

    fn chosen(&self) -> Option<Scheme> {
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn choose(&self, scheme: Option<Scheme>) {
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner) = scheme;
    }
}

/// What a request without credentials met.
enum Offer {
    Scheme(Scheme),
    /// No 401: the answer says what is wrong.
    Other(Box<Reply>),
}

/// The best scheme that is offered: Basic over https, then NTLM. Over plain http, which only a loopback address is
/// let through for, Basic comes last.
fn choose(reply: &Reply, url: &ServiceUrl) -> Option<Scheme> {
    let offered = &reply.server.offered_schemes;
    let offers = |name: &str| offered.iter().any(|one| one.eq_ignore_ascii_case(name));
    let basic = offers("Basic").then_some(Scheme::Basic);
    #[cfg(feature = "ntlm")]
    let ntlm = [NtlmScheme::Ntlm, NtlmScheme::Negotiate]
        .into_iter()
        .find(|scheme| offers(scheme.name()))
        .map(Scheme::Ntlm);
    #[cfg(not(feature = "ntlm"))]
    let ntlm = None;
    if url.as_url().scheme() == "https" {
        basic.or(ntlm)
    } else {
        ntlm.or(basic)
    }
}

/// Reads a small page to its end, so that its connection can be used again.
async fn read_away(mut reply: Reply) {
    let mut read = 0;
    while let Some(Ok(piece)) = reply.body.next().await {
        read += piece.len();
        if read > LARGEST_PAGE {
            return;
        }
    }
}
