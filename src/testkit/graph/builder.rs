//! How a simulated Graph is set up.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;

use super::access::Access;
use super::delta::DeltaTokens;
use super::fault::{FaultPlan, GraphFault};
use super::handle::SimulatedGraph;
use super::recording::Recorder;
use super::rewriting::MimeRendering;
use super::server::Server;
use super::service::{Service, Settings, Throttle};
use super::statistics::GraphStatistics;
use super::tls;
use crate::clock::{Clock, SystemClock};
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::clock::Clock as StoreClock;
use crate::testkit::exchange::{SimulatedExchange, TlsCertificate};
use crate::testkit::identity::{SimulatedIdentity, TokenAuthority};

/// Requests of one application that Outlook serves at once for a mailbox (Microsoft, "Microsoft Graph throttling limits").
const LIMIT: usize = 4;
const LIMIT_WAIT: Duration = Duration::from_secs(1);

/// Collects the settings of a [`SimulatedGraph`].
///
/// Nothing is checked before [`start`](Self::start).
#[must_use = "a builder does nothing until it is started"]
pub struct SimulatedGraphBuilder {
    world: Option<Arc<Mutex<World>>>,
    mailboxes: Vec<String>,
    private: bool,
    access: Access,
    settings: Settings,
    tls: Option<TlsCertificate>,
    host_names: Vec<String>,
    port: u16,
    recording: bool,
    faults: FaultPlan,
    clock: Arc<dyn Clock>,
}

impl Default for SimulatedGraphBuilder {
    fn default() -> Self {
        Self {
            world: None,
            mailboxes: Vec::new(),
            private: false,
            access: Access::default(),
            settings: Settings {
                chunk_size: None,
                rendering: MimeRendering::default(),
                mime_type: "application/octet-stream".to_owned(),
                skip_tokens: false,
                limit: LIMIT,
                limit_wait: LIMIT_WAIT,
            },
            tls: Some(TlsCertificate::Trusted),
            host_names: Vec::new(),
            port: 0,
            recording: false,
            faults: FaultPlan::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl std::fmt::Debug for SimulatedGraphBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedGraphBuilder")
            .field("mailboxes", &self.mailboxes.len())
            .field("tls", &self.tls)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl SimulatedGraphBuilder {
    pub(super) fn over(exchange: &SimulatedExchange) -> Self {
        Self {
            world: Some(Arc::clone(&exchange.service.world)),
            ..Self::default()
        }
    }

    /// Adds a mailbox with its usual folders.
    pub fn with_mailbox(mut self, smtp: impl Into<String>) -> Self {
        self.mailboxes.push(smtp.into());
        self
    }

    /// Hides from users the mailboxes of others, as if nothing had been shared with them; off by default.
    ///
    /// Over an Exchange it is that server's setting that counts.
    pub fn with_private_mailboxes(mut self, private: bool) -> Self {
        self.private = private;
        self
    }

    /// Lets in whoever has an access token of this identity provider.
    ///
    /// Needed are a good signature, `exp`, `tid`, an audience of Graph, and the role `Mail.ReadWrite` or one of the scopes
    /// `Mail.ReadWrite` and `Mail.ReadWrite.Shared`; the last one is needed for mailboxes of others.
    pub fn with_bearer(self, identity: &SimulatedIdentity) -> Self {
        self.with_token_authority(identity.authority())
    }

    /// Like [`with_bearer`](Self::with_bearer), for tokens of any identity provider.
    pub fn with_token_authority(mut self, authority: TokenAuthority) -> Self {
        self.access.authority = Some(authority);
        self
    }

    /// Lets in an application that sends exactly this token.
    pub fn with_app_token(mut self, token: impl Into<String>) -> Self {
        let token = SecretString::from(token.into());
        self.access.tokens.push((token, None));
        self
    }

    /// Lets in a user, named by his address, who sends exactly this token; it has the scope for shared mailboxes.
    pub fn with_user_token(mut self, token: impl Into<String>, user: impl Into<String>) -> Self {
        let token = SecretString::from(token.into());
        self.access.tokens.push((token, Some(user.into())));
        self
    }

    /// Restricts applications to these mailboxes, as RBAC for Applications does: ErrorAccessDenied elsewhere.
    pub fn with_application_access(
        mut self,
        mailboxes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.access.app_mailboxes = Some(mailboxes.into_iter().map(Into::into).collect());
        self
    }

    /// Serves HTTPS with this certificate; by itself a good one of an own authority.
    pub fn with_tls(mut self, certificate: TlsCertificate) -> Self {
        self.tls = Some(certificate);
        self
    }

    /// Serves HTTP, for a proxy that speaks nothing else.
    pub fn with_plain_http(mut self) -> Self {
        self.tls = None;
        self
    }

    /// Adds a host to those for which the certificate is good.
    pub fn with_host_name(mut self, host: impl Into<String>) -> Self {
        self.host_names.push(host.into());
        self
    }

    /// Sets the port on the loopback address; 0, the default, takes a free one.
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Keeps every request and every answer, for [`recorded`](SimulatedGraph::recorded); off by default.
    pub fn with_recording(mut self, recording: bool) -> Self {
        self.recording = recording;
        self
    }

    /// Sends answers in chunks of at most this many bytes, without Content-Length; MIME always comes so.
    pub fn with_chunk_size(mut self, bytes: usize) -> Self {
        self.settings.chunk_size = Some(bytes);
        self
    }

    /// Sets how the MIME of messages is rendered; by itself as it was delivered.
    pub fn with_mime_rendering(mut self, rendering: MimeRendering) -> Self {
        self.settings.rendering = rendering;
        self
    }

    /// Sets the content type of MIME; by itself `application/octet-stream`, as Graph's metadata says of streams.
    ///
    /// The reference shows `text/plain` ("Get MIME content of a message"): a client must take both.
    pub fn with_mime_type(mut self, content_type: impl Into<String>) -> Self {
        self.settings.mime_type = content_type.into();
        self
    }

    /// Links to the next page of messages with `$skiptoken` instead of `$skip`.
    pub fn with_skip_tokens(mut self) -> Self {
        self.settings.skip_tokens = true;
        self
    }

    /// Refuses requests with HTTP 429 while more than this many are open for a mailbox; by itself four.
    pub fn with_concurrency_limit(mut self, requests: usize) -> Self {
        self.settings.limit = requests;
        self
    }

    /// Orders a fault; its calls count from the start of the server.
    pub fn with_fault(mut self, fault: GraphFault) -> Self {
        self.faults.order(fault);
        self
    }

    /// Takes the time of errors, subscriptions and announced waits from a clock; by itself the system's.
    ///
    /// The time of items is the store's.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts to listen on the loopback address, in tasks of the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when nobody is let in: no token and no token authority; otherwise what binding the
    /// port or making the certificate says.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready leaves nothing behind.
    ///
    /// # Panics
    ///
    /// When it is not polled inside a Tokio runtime with I/O and time enabled.
    pub async fn start(self) -> io::Result<SimulatedGraph> {
        if self.access.tokens.is_empty() && self.access.authority.is_none() {
            let text = "a simulated Graph needs a token: call with_app_token or with_bearer";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let tls = self
            .tls
            .map(|kind| tls::make(kind, &self.host_names))
            .transpose()?;
        let (acceptor, root_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let port = self.port;
        let service = Arc::new(self.into_service());
        let server = Server::start(Arc::clone(&service), port, acceptor).await?;
        let graph = SimulatedGraph {
            service,
            server,
            root_pem,
        };
        graph.set_link_base(graph.origin());
        Ok(graph)
    }

    fn into_service(self) -> Service {
        let private = self.private;
        let world = self.world.unwrap_or_else(|| {
            let mut world = World::new(StoreClock::default());
            world.private = private;
            Arc::new(Mutex::new(world))
        });
        let mut locked = super::lock(&world);
        for smtp in &self.mailboxes {
            locked.add_mailbox(smtp);
        }
        drop(locked);
        Service {
            settings: self.settings,
            world,
            access: self.access,
            clock: self.clock,
            base: Mutex::default(),
            faults: Mutex::new(self.faults),
            statistics: Mutex::new(GraphStatistics::default()),
            tokens: Mutex::new(DeltaTokens::default()),
            subscriptions: Mutex::default(),
            throttle: Mutex::new(Throttle::default()),
            recorder: Recorder::new(self.recording),
            requests: AtomicU64::new(0),
        }
    }
}
