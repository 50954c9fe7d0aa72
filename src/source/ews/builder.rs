//! Describing a connection, and checking the description before anything is sent.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Semaphore;

use super::names::Names;
use super::public_folders::PublicFolderRouting;
use super::routes::{Automatic, ByHand, Routes, beside};
use super::session::Session;
use super::version::Negotiated;
use super::{EwsSource, Inner};
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::credential::CredentialProvider;
use crate::error::{Error, Result, codes};
use crate::http::{
    Account, AccountClient, AccountOptions, AddressPolicy, Authenticator, Basic, Bearer, Gate,
    HttpClient, HttpOptions, NameResolver, ProvidedToken, ServiceUrl, SignedIn, ThrottlingGate,
    TokenSource,
};
use crate::scope::Scope;
use crate::source::SourceCapabilities;

const OPERATION: &str = "EwsSourceBuilder::build";

/// Describes an [`EwsSource`]. `Debug` shows no address, account or proxy.
#[must_use = "nothing happens before build"]
pub struct EwsSourceBuilder {
    service_url: String,
    sign_in: Option<SignIn>,
    scope: Scope,
    http: HttpOptions,
    mailbox: Option<String>,
    impersonated: Option<String>,
    anchor_mailbox: Option<String>,
    public_folder_mailbox: Option<String>,
    public_folder_content_mailbox: Option<String>,
    public_folder_routing: Option<PublicFolderRouting>,
    connections: u32,
    stamps: bool,
    repeats: usize,
    largest_item: u64,
    longest_wait: Duration,
    gate: ThrottlingGate,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

enum SignIn {
    Account(Arc<dyn CredentialProvider>),
    Basic(Arc<dyn CredentialProvider>),
    Provided(Arc<dyn CredentialProvider>),
    #[cfg(feature = "oauth2")]
    App(Arc<dyn TokenSource>),
    #[cfg(feature = "oauth2")]
    Delegated(Arc<dyn TokenSource>),
}

impl SignIn {
    fn name(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Basic(_) => "Basic",
            Self::Provided(_) => "access token",
            #[cfg(feature = "oauth2")]
            Self::App(_) => "application",
            #[cfg(feature = "oauth2")]
            Self::Delegated(_) => "delegated",
        }
    }
}

impl fmt::Debug for EwsSourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EwsSourceBuilder")
            .field("sign_in", &self.sign_in.as_ref().map(SignIn::name))
            .field("http", &self.http)
            .field("connections", &self.connections)
            .field("repeats", &self.repeats)
            .field("largest_item", &self.largest_item)
            .field("longest_wait", &self.longest_wait)
            .finish_non_exhaustive()
    }
}

impl EwsSourceBuilder {
    pub(super) fn new(service_url: String) -> Self {
        Self {
            service_url,
            sign_in: None,
            scope: Scope::default(),
            http: HttpOptions::default(),
            mailbox: None,
            impersonated: None,
            anchor_mailbox: None,
            public_folder_mailbox: None,
            public_folder_content_mailbox: None,
            public_folder_routing: None,
            connections: 4,
            stamps: false,
            repeats: 4,
            largest_item: 150 << 20,
            longest_wait: Duration::from_mins(4),
            gate: ThrottlingGate::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }

    /// Signs in with the user name and password that a provider supplies, by the scheme that the server offers.
    ///
    /// For Exchange on premises, which offers Negotiate and NTLM unless an administrator switched Basic on. The first
    /// request goes without credentials and reads the offer: Basic over https if it is there, else NTLM (NTLMv2, with the
    /// channel bound as Extended Protection asks; feature `ntlm`), under the name Negotiate where only that is offered.
    /// The choice is kept; after a 401 the offer is read again. The provider is asked at each sign-in: with Basic that is
    /// every request, with NTLM every connection. Its answer is kept nowhere. User names are `DOMAIN\\user`, `user@domain`
    /// or `user`.
    ///
    /// Kerberos is not spoken: it is left to what a host puts between itself and the server. A
    /// [proxy](Self::with_proxy) does not go with an account, since a sign-in by NTLM holds for a connection.
    pub fn with_account(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.sign_in = Some(SignIn::Account(provider));
        self
    }

    /// Signs in with the user name and password that a provider supplies (Basic, RFC 7617).
    ///
    /// The header goes with every request, the first one included; see [`with_account`](Self::with_account) for what a
    /// server offers by default.
    ///
    /// For Exchange on premises only; Basic must be switched on for its EWS virtual directory. The provider is asked for
    /// every request, and its answer is kept nowhere.
    pub fn with_basic(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.sign_in = Some(SignIn::Basic(provider));
        self
    }

    /// Signs in with access tokens that a provider makes ready (Bearer, RFC 6750).
    ///
    /// The provider is asked for every request and keeps its own cache. After a 401 it is asked once more.
    pub fn with_access_token(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.sign_in = Some(SignIn::Provided(provider));
        self
    }

    /// Signs in as an application (OAuth 2.0 client credentials).
    ///
    /// An application has no mailbox of its own, so an impersonated one has to be given:
    /// see [`with_impersonation`](Self::with_impersonation).
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    pub fn with_app_sign_in(mut self, sign_in: crate::credential::AppSignIn) -> Self {
        self.sign_in = Some(SignIn::App(Arc::new(sign_in)));
        self
    }

    /// Signs in for a person who consented once (OAuth 2.0 with a refresh token).
    #[cfg(feature = "oauth2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    pub fn with_delegated_sign_in(mut self, sign_in: crate::credential::DelegatedSignIn) -> Self {
        self.sign_in = Some(SignIn::Delegated(Arc::new(sign_in)));
        self
    }

    /// Connects as this says, with its pinned keys.
    pub(crate) fn with_way(mut self, way: &HttpOptions) -> Self {
        self.http.connect_as(way);
        self.http.pinned_keys.clone_from(&way.pinned_keys);
        self
    }

    /// Whose credentials the provider is asked for; the default scope if not given.
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Works in another mailbox than the account's own, such as a shared one, by its SMTP address. Not for public folders.
    pub fn with_mailbox(mut self, smtp_address: impl Into<String>) -> Self {
        self.mailbox = Some(smtp_address.into());
        self
    }

    /// Acts as the owner of a mailbox (`ExchangeImpersonation`). The anchor mailbox becomes the same if none is given.
    pub fn with_impersonation(mut self, smtp_address: impl Into<String>) -> Self {
        self.impersonated = Some(smtp_address.into());
        self
    }

    /// Routes to the server of a mailbox (`X-AnchorMailbox`).
    ///
    /// For public folders this is the `PublicFolderInformation` of Autodiscover.
    pub fn with_anchor_mailbox(mut self, smtp_address: impl Into<String>) -> Self {
        self.anchor_mailbox = Some(smtp_address.into());
        self
    }

    /// Routes to a public folder mailbox (`X-PublicFolderMailbox`), as `GUID@domain` or by its SMTP address.
    pub fn with_public_folder_mailbox(mut self, address: impl Into<String>) -> Self {
        self.public_folder_mailbox = Some(address.into());
        self
    }

    /// Routes calls about the content of public folders to the mailbox that holds it, with both headers.
    ///
    /// Exchange keeps the tree of public folders and their content in different mailboxes. By hand, queue and storage have
    /// to lie in the same one; see [`with_public_folder_routing`](Self::with_public_folder_routing).
    pub fn with_public_folder_content_mailbox(mut self, address: impl Into<String>) -> Self {
        self.public_folder_content_mailbox = Some(address.into());
        self
    }

    /// Finds out which mailboxes hold the public folders, for each folder by itself; off if not given.
    ///
    /// What is given by hand with the methods above stays as it is given.
    pub fn with_public_folder_routing(mut self, routing: PublicFolderRouting) -> Self {
        self.public_folder_routing = Some(routing);
        self
    }

    /// Connects to this address for a host instead of asking the resolver; its certificate still has to be the host's.
    ///
    /// For name spaces that differ inside and outside, and for tests. The port counts where a URL names none. The address
    /// policy holds for it: an address in a network of its own needs a range that holds it.
    pub fn with_host_address(mut self, host: impl Into<String>, address: SocketAddr) -> Self {
        self.http.host_addresses.push((host.into(), address));
        self
    }

    /// Trusts these root certificates (PEM) instead of the platform's.
    pub fn with_trusted_roots(mut self, pem: impl Into<String>) -> Self {
        self.http.roots = Some(pem.into());
        self
    }

    /// Says which hosts and addresses may be connected to; public addresses only if not given.
    ///
    /// A server on premises needs the range of its network: [`AddressPolicy::on_premises`].
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

    /// Names the program to the server (`User-Agent`); tenants may allow or block by it.
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.http.user_agent = user_agent.into();
        self
    }

    /// The longest time from sending a request to the last byte of its answer; default 10 minutes.
    ///
    /// This is for large originals over slow lines. A logger renews its lease while an answer arrives; what moves or deletes
    /// has [a shorter time](Self::with_change_timeout).
    pub fn with_total_timeout(mut self, timeout: Duration) -> Self {
        self.http.total_timeout = timeout;
        self
    }

    /// The longest time from sending a request that moves or deletes to the last byte of its answer; default 2 minutes, and
    /// never more than [the one of all requests](Self::with_total_timeout).
    ///
    /// A logger moves only under a lease that lasts longer, so its lease
    /// ([`RunSettings::lease`](crate::logger::RunSettings::lease)) has to be more than twice as long: one that is not is
    /// refused when the logger is built.
    pub fn with_change_timeout(mut self, timeout: Duration) -> Self {
        self.http.change_timeout = timeout;
        self
    }

    /// The longest time from sending a request to the first byte of its answer; default 2 minutes.
    ///
    /// Exchange works on a batch for up to a minute before it answers.
    pub fn with_first_byte_timeout(mut self, timeout: Duration) -> Self {
        self.http.first_byte_timeout = timeout;
        self
    }

    /// The longest time without a byte once an answer has begun; default 60 seconds.
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.http.idle_timeout = timeout;
        self
    }

    /// The largest answer in bytes; default 256 MiB.
    pub fn with_answer_limit(mut self, bytes: u64) -> Self {
        self.http.body_limit = bytes;
        self
    }

    /// The largest item in bytes, by the size that the server lists; default 150 MiB.
    ///
    /// A larger one is not asked for and fails as `ews.item_too_large`. In an answer an item takes a third more.
    pub fn with_largest_item(mut self, bytes: u64) -> Self {
        self.largest_item = bytes;
        self
    }

    /// The most requests at a time, as [`SourceCapabilities::connections`]; default 4. Exchange allows 27 by default.
    ///
    /// While answers arrive, one more request may look an address up beside them.
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Lets items that the server has no search key for be given a key of our own: a named property of the item,
    /// `EmailLoggingKey` among the public strings, with 16 random bytes. Off if not given, since it changes the items.
    ///
    /// Such an item is then known again after a move whose answer was lost, as one with a search key is; without the stamp
    /// its content has to do. The account needs the right to edit items in the queue folder; where it has not, the first
    /// refusal ends it for the life of the source. Read state, subject, body and times of the items stay as they are.
    pub fn with_stamps(mut self, stamps: bool) -> Self {
        self.stamps = stamps;
        self
    }

    /// How often one call is repeated at most; default 4. A call with an unknown effect is never repeated.
    pub fn with_repeats(mut self, repeats: usize) -> Self {
        self.repeats = repeats;
        self
    }

    /// The longest wait that a call takes upon itself when the server asks for one; default 4 minutes. A longer one is returned
    /// as `Throttled` with the time. A logger renews its lease meanwhile, and sends nothing more once it has lost it. A pool
    /// makes the wait shorter ([`PoolSettings::longest_wait`](crate::logger::PoolSettings::longest_wait)).
    pub fn with_longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// Shares what the server says about waiting with the other sources that have the same gate: those of the same mailbox
    /// with the same credential. A gate of its own if not given.
    pub fn with_gate(mut self, gate: ThrottlingGate) -> Self {
        self.gate = gate;
        self
    }

    /// Takes time and waits from this clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes request ids, jitter and, with NTLM, the client's challenge from this source of randomness.
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// **Dangerous: sends credentials unencrypted.** Lets `http://` through to a loopback address, for tests against a
    /// server in the same machine, and opens the loopback addresses whatever the [`AddressPolicy`] says. Every other address
    /// still has to be https.
    pub fn dangerously_allow_plain_http_on_loopback(mut self) -> Self {
        self.http.plain_loopback = true;
        self
    }

    #[cfg(feature = "oauth2")]
    fn check_impersonation(&self) -> Result<()> {
        if matches!(self.sign_in, Some(SignIn::App(_))) && self.impersonated.is_none() {
            return Err(Error::new(&codes::CONFIG_MISSING, OPERATION)
                .with_detail("an application needs a mailbox to act for: with_impersonation"));
        }
        Ok(())
    }

    /// Whether the account's user name and password may go to this autodiscover service: never to another server than the
    /// one that they are for.
    fn check_autodiscover(&self, url: &ServiceUrl, autodiscover: &ServiceUrl) -> Result<()> {
        let password = matches!(self.sign_in, Some(SignIn::Account(_) | SignIn::Basic(_)));
        if password && autodiscover.is_exchange_online() {
            return Err(Error::new(&codes::EWS_BASIC_ONLINE, OPERATION));
        }
        if password && autodiscover.origin() != url.origin() {
            return Err(Error::new(&codes::CONFIG_INVALID, OPERATION).with_detail(
                "user name and password go to the host of the service URL alone: \
                 autodiscover has to be there, too",
            ));
        }
        Ok(())
    }

    /// The automatic routing, with what was given by hand.
    fn routes(&self, url: &ServiceUrl, http: &HttpClient) -> Result<Routes> {
        let Some(wish) = &self.public_folder_routing else {
            return Ok(Routes::default());
        };
        let plain = self.http.plain_loopback;
        let autodiscover = match &wish.autodiscover_url {
            Some(given) => ServiceUrl::parse(given, plain)?,
            None => beside(url, plain)?,
        };
        http.check(OPERATION, &autodiscover)?;
        self.check_autodiscover(url, &autodiscover)?;
        let (anchor, mailbox) = (
            self.anchor_mailbox.as_ref(),
            self.public_folder_mailbox.as_ref(),
        );
        let content = self.public_folder_content_mailbox.as_ref();
        if wish.address.split('@').count() != 2 {
            return Err(Error::new(&codes::CONFIG_INVALID, OPERATION)
                .with_detail("public folder routing needs the account's mail address"));
        }
        let by_hand = ByHand {
            anchor: anchor.cloned(),
            tree: match mailbox {
                Some(_) => Some(routing(anchor.or(self.impersonated.as_ref()), mailbox)?),
                None => None,
            },
            content: match content {
                Some(_) => Some(routing(content, content)?),
                None => None,
            },
        };
        Ok(Routes::automatic(Automatic {
            address: wish.address.clone(),
            autodiscover,
            by_hand,
        }))
    }

    /// Checks the description. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Config`: the URL is not https (`config.insecure`) or no URL (`config.invalid`), no sign-in was given
    /// (`config.missing`) or an application's without an impersonated mailbox, a proxy beside plain http on loopback
    /// (`config.insecure`) or beside an account (`config.invalid`), an account or Basic towards Exchange Online
    /// (`ews.basic_online`), the same towards an autodiscover service at another host (`config.invalid`), roots, a pinned key or a proxy that cannot be read, an address for public folder
    /// routing that is none, a routing value that is no header text, a host or an address that the policy refuses (`http.host_refused`, `http.address_refused`).
    pub fn build(self) -> Result<EwsSource> {
        let url = ServiceUrl::parse(&self.service_url, self.http.plain_loopback)?;
        #[cfg(feature = "oauth2")]
        self.check_impersonation()?;
        let http = HttpClient::new(&self.http)?;
        http.check(OPERATION, &url)?;
        let options = AccountOptions {
            url: &url,
            http: &self.http,
            connections: self.connections,
            clock: &self.clock,
            entropy: &self.entropy,
        };
        let routes = self.routes(&url, &http)?;
        let session = Session {
            auth: signed_in(self.sign_in, self.scope, &http, &options)?,
            http,
            gate: Gate::new(
                self.gate,
                Arc::clone(&self.clock),
                Arc::clone(&self.entropy),
                self.longest_wait,
            ),
            url,
            clock: self.clock,
            entropy: self.entropy,
            version: Negotiated::default(),
            routing: routing(
                self.anchor_mailbox.as_ref().or(self.impersonated.as_ref()),
                self.public_folder_mailbox.as_ref(),
            )?,
            content_routing: match &self.public_folder_content_mailbox {
                Some(content) => Some(routing(Some(content), Some(content))?),
                None => None,
            },
            impersonated: self.impersonated,
            repeats: self.repeats,
            longest_change: self.http.longest_change(),
        };
        let run_bytes = self.http.body_limit / 2;
        let slots = usize::try_from(self.connections).unwrap_or(usize::MAX);
        let slots = Semaphore::new(slots.min(Semaphore::MAX_PERMITS));
        let capabilities = SourceCapabilities {
            connections: self.connections,
            stamps: self.stamps,
            longest_change: Some(self.http.longest_change()),
            ..SourceCapabilities::default()
        };
        let (names, mailbox) = (Names::default(), self.mailbox);
        Ok(EwsSource {
            inner: Arc::new(Inner {
                session,
                names,
                routes,
                mailbox,
                capabilities,
                slots,
                beside: Semaphore::new(1),
                stamps_refused: super::stamp::Refused::default(),
                largest_item: self.largest_item,
                run_bytes,
            }),
        })
    }
}

fn signed_in(
    sign_in: Option<SignIn>,
    scope: Scope,
    http: &HttpClient,
    options: &AccountOptions<'_>,
) -> Result<SignedIn> {
    let Some(SignIn::Account(provider)) = sign_in else {
        return authenticator(sign_in, scope, options.url).map(SignedIn::Header);
    };
    if options.url.is_exchange_online() {
        return Err(Error::new(&codes::EWS_BASIC_ONLINE, OPERATION));
    }
    if options.http.proxy.is_some() {
        return Err(Error::new(&codes::CONFIG_INVALID, OPERATION)
            .with_detail("with_account does not go with a proxy; with_basic does"));
    }
    let account = Account::new(provider, scope);
    let client = AccountClient::new(account, http.clone(), options)?;
    Ok(SignedIn::Account(Box::new(client)))
}

fn authenticator(
    sign_in: Option<SignIn>,
    scope: Scope,
    url: &ServiceUrl,
) -> Result<Box<dyn Authenticator>> {
    match sign_in {
        Some(SignIn::Basic(_)) if url.is_exchange_online() => {
            Err(Error::new(&codes::EWS_BASIC_ONLINE, OPERATION))
        }
        Some(SignIn::Basic(provider)) => Ok(Box::new(Basic::new(Account::new(provider, scope)))),
        Some(SignIn::Provided(provider)) => {
            let source = ProvidedToken::new(provider, scope, url.origin());
            let source: Arc<dyn TokenSource> = Arc::new(source);
            Ok(Box::new(Bearer::new(source)))
        }
        #[cfg(feature = "oauth2")]
        Some(SignIn::App(source) | SignIn::Delegated(source)) => Ok(Box::new(Bearer::new(source))),
        Some(SignIn::Account(_)) | None => Err(Error::new(&codes::CONFIG_MISSING, OPERATION)
            .with_detail("no sign-in was given: with_account, with_basic or with_access_token")),
    }
}

fn routing(anchor: Option<&String>, public_folder: Option<&String>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let pairs = [
        ("x-anchormailbox", anchor),
        ("x-publicfoldermailbox", public_folder),
    ];
    for (name, value) in pairs {
        let Some(value) = value else { continue };
        let value = HeaderValue::from_str(value).map_err(|_| {
            Error::new(&codes::CONFIG_INVALID, OPERATION)
                .with_detail("a routing mailbox is no header text")
        })?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}
