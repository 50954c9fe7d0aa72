//! How a simulated Exchange is set up.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use secrecy::SecretString;

use super::SimulatedExchange;
use super::authentication::{AuthScheme, Authentication, Bearer, ChannelHash, Users};
use super::autodiscover::{Autodiscover, AutodiscoverFault};
use super::fault::{Fault, FaultPlan};
use super::recording::Recorder;
use super::routing::{Routing, RoutingRule};
use super::server::Server;
use super::service::Service;
use super::statistics::Statistics;
use super::store::World;
use super::store::clock::Clock;
use super::store::directory::DirectoryEntry;
use super::throttle::Throttle;
use super::tls::{self, TlsCertificate};
use super::version::ServerVersion;
use crate::testkit::identity::{SimulatedIdentity, TokenAuthority};

/// Collects the settings of a [`SimulatedExchange`].
///
/// Nothing is checked before [`start`](Self::start).
#[must_use = "a builder does nothing until it is started"]
pub struct SimulatedExchangeBuilder {
    users: Vec<(String, SecretString)>,
    schemes: Vec<AuthScheme>,
    extended_protection: bool,
    tls: Option<TlsCertificate>,
    port: u16,
    public_folders: Vec<(String, u32)>,
    mailboxes: Vec<String>,
    private: bool,
    directory: Vec<DirectoryEntry>,
    version: ServerVersion,
    recording: bool,
    chunk_size: Option<usize>,
    connection_limit: Option<usize>,
    faults: FaultPlan,
    clock: Clock,
    domain: String,
    routing_enforced: Option<RoutingRule>,
    host_names: Vec<String>,
    autodiscover_url: Option<String>,
    autodiscover_token: Option<SecretString>,
    autodiscover_fault: Option<AutodiscoverFault>,
    authority: Option<TokenAuthority>,
    app_mailboxes: Option<Vec<String>>,
}

impl Default for SimulatedExchangeBuilder {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            schemes: vec![AuthScheme::Basic],
            extended_protection: false,
            tls: None,
            port: 0,
            public_folders: Vec::new(),
            mailboxes: Vec::new(),
            private: false,
            directory: Vec::new(),
            version: ServerVersion::default(),
            recording: false,
            chunk_size: None,
            connection_limit: None,
            faults: FaultPlan::default(),
            clock: Clock::default(),
            domain: "simulated.example".to_owned(),
            routing_enforced: None,
            host_names: Vec::new(),
            autodiscover_url: None,
            autodiscover_token: None,
            autodiscover_fault: None,
            authority: None,
            app_mailboxes: None,
        }
    }
}

impl std::fmt::Debug for SimulatedExchangeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedExchangeBuilder")
            .field("users", &self.users.len())
            .field("tls", &self.tls)
            .field("port", &self.port)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl SimulatedExchangeBuilder {
    /// Adds a person who may call.
    pub fn with_user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.users
            .push((name.into(), SecretString::from(password.into())));
        self
    }

    /// Sets the schemes that a 401 answer lists, in this order; by itself Basic alone.
    ///
    /// Credentials of a scheme that is not listed are refused.
    pub fn with_auth_schemes(mut self, schemes: impl IntoIterator<Item = AuthScheme>) -> Self {
        self.schemes = schemes.into_iter().collect();
        self
    }

    /// Lets in whoever has an access token of this identity provider, as Exchange Online does.
    ///
    /// Needed are a good signature, `exp`, `aud` and `tid`, and the role `full_access_as_app` or the scope
    /// `EWS.AccessAsUser.All`; a refusal says why in `x-ms-diagnostics`. An application must name a mailbox of this
    /// server in ExchangeImpersonation, and send `X-AnchorMailbox`. No [`with_user`](Self::with_user) is needed then.
    pub fn with_bearer(self, identity: &SimulatedIdentity) -> Self {
        self.with_token_authority(identity.authority())
    }

    /// Like [`with_bearer`](Self::with_bearer), for tokens of any identity provider.
    pub fn with_token_authority(mut self, authority: TokenAuthority) -> Self {
        self.authority = Some(authority);
        self
    }

    /// Restricts applications to these mailboxes, as an application access policy does: ErrorAccessDenied elsewhere.
    pub fn with_application_access(
        mut self,
        mailboxes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.app_mailboxes = Some(mailboxes.into_iter().map(Into::into).collect());
        self
    }

    /// Refuses NTLM of clients that did not bind it to the TLS channel (Extended Protection for
    /// Authentication, the default since Exchange 2019 CU14); off by default.
    pub fn with_extended_protection(mut self, extended_protection: bool) -> Self {
        self.extended_protection = extended_protection;
        self
    }

    /// Serves HTTPS with this certificate instead of HTTP.
    pub fn with_tls(mut self, certificate: TlsCertificate) -> Self {
        self.tls = Some(certificate);
        self
    }

    /// Sets the port on the loopback address; 0, the default, takes a free one.
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Adds a public folder and those above it, as in `\Email Logging\Queue\`.
    pub fn with_public_folder(self, path: impl Into<String>) -> Self {
        self.with_public_folder_in(path, 1)
    }

    /// Adds a public folder whose content lives in the content mailbox of this number.
    ///
    /// A move between folders of different content mailboxes tells no new item id, as on Exchange.
    pub fn with_public_folder_in(mut self, path: impl Into<String>, content_mailbox: u32) -> Self {
        self.public_folders.push((path.into(), content_mailbox));
        self
    }

    /// Lets calls about public folders see them only from the right mailbox, as Exchange does.
    ///
    /// FindFolder and CreateFolder need an `X-AnchorMailbox` and an `X-PublicFolderMailbox` that is
    /// [`hierarchy_address`](SimulatedExchange::hierarchy_address); other calls need both to be
    /// [`content_address`](SimulatedExchange::content_address) of the folder. From the wrong place
    /// a folder is not found or looks empty, and so do its items. `domain` ends these addresses.
    pub fn with_routing_enforced(mut self, domain: impl Into<String>) -> Self {
        self.domain = domain.into();
        self.routing_enforced.get_or_insert(RoutingRule::Both);
        self
    }

    /// Lets another rule than [`RoutingRule::Both`] decide what is the right mailbox.
    pub fn with_routing_rule(mut self, rule: RoutingRule) -> Self {
        self.routing_enforced = Some(rule);
        self
    }

    /// Adds a host to those for which the certificate is good.
    pub fn with_host_name(mut self, host: impl Into<String>) -> Self {
        self.host_names.push(host.into());
        self
    }

    /// Sets the EWS address that autodiscover answers; by itself it is at the host that was asked.
    pub fn with_autodiscover_url(mut self, url: impl Into<String>) -> Self {
        self.autodiscover_url = Some(url.into());
        self
    }

    /// Lets the SOAP autodiscover service accept this access token too.
    pub fn with_autodiscover_token(mut self, token: impl Into<String>) -> Self {
        self.autodiscover_token = Some(SecretString::from(token.into()));
        self
    }

    /// Lets autodiscover fail from the start.
    pub fn with_autodiscover_fault(mut self, fault: AutodiscoverFault) -> Self {
        self.autodiscover_fault = Some(fault);
        self
    }

    /// Adds a mailbox with its usual folders.
    pub fn with_mailbox(mut self, smtp: impl Into<String>) -> Self {
        self.mailboxes.push(smtp.into());
        self
    }

    /// Shows people the folders of their own mailbox alone: ErrorAccessDenied for others. Off by default.
    ///
    /// An application is not restricted by it but by [`with_application_access`](Self::with_application_access): it calls
    /// in the name of a mailbox's owner.
    pub fn with_private_mailboxes(mut self, private: bool) -> Self {
        self.private = private;
        self
    }

    /// Adds a person to the directory that ResolveNames searches.
    pub fn with_directory_entry(
        mut self,
        legacy_dn: Option<&str>,
        smtp: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        let legacy_dn = legacy_dn.map(str::to_owned);
        self.directory.push(DirectoryEntry {
            legacy_dn,
            smtp: smtp.into(),
            name: name.into(),
        });
        self
    }

    /// Sets which server is simulated; a request of a newer version is a fault.
    pub fn with_server_version(mut self, version: ServerVersion) -> Self {
        self.version = version;
        self
    }

    /// Keeps every request and every answer, for
    /// [`recorded`](SimulatedExchange::recorded); off by default.
    pub fn with_recording(mut self, recording: bool) -> Self {
        self.recording = recording;
        self
    }

    /// Sends answers in chunks of at most this many bytes, without Content-Length.
    pub fn with_chunk_size(mut self, bytes: usize) -> Self {
        self.chunk_size = Some(bytes);
        self
    }

    /// Refuses requests with ErrorExceededConnectionCount while more than this many are open.
    pub fn with_connection_limit(mut self, requests: usize) -> Self {
        self.connection_limit = Some(requests);
        self
    }

    /// Orders a fault; its calls count from the start of the server.
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.order(fault);
        self
    }

    /// Takes the time of items from a function.
    ///
    /// Without it the clock starts at 2026-01-05T08:00:00Z and goes one second further at each
    /// change, so that runs are equal.
    pub fn with_clock(mut self, clock: impl FnMut() -> Timestamp + Send + 'static) -> Self {
        self.clock = Clock::Function(Box::new(clock));
        self
    }

    /// Starts to listen on the loopback address, in tasks of the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when there is neither a user nor a token authority, or Extended Protection without TLS;
    /// otherwise what binding the port or making the certificate says.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready leaves nothing behind.
    ///
    /// # Panics
    ///
    /// When it is not polled inside a Tokio runtime with I/O and time enabled.
    pub async fn start(self) -> io::Result<SimulatedExchange> {
        if self.users.is_empty() && self.authority.is_none() {
            let text = "a simulated Exchange needs a user: call with_user";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        if self.extended_protection && self.tls.is_none() {
            let text = "Extended Protection binds a TLS channel: call with_tls";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let tls = self
            .tls
            .map(|kind| tls::make(kind, &self.host_names))
            .transpose()?;
        let leaf = tls.as_ref().filter(|_| self.extended_protection);
        let channel = leaf.map(|tls| ChannelHash::of(&tls.leaf));
        let (acceptor, ca_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let port = self.port;
        let service = Arc::new(self.into_service(channel));
        let server = Server::start(Arc::clone(&service), port, acceptor).await?;
        Ok(SimulatedExchange {
            service,
            server,
            ca_pem,
        })
    }

    fn authentication(&mut self, channel: Option<ChannelHash>) -> Authentication {
        let mut schemes = std::mem::take(&mut self.schemes);
        if self.users.is_empty() {
            schemes.retain(|scheme| *scheme != AuthScheme::Basic);
        }
        let app_mailboxes = self.app_mailboxes.take();
        let bearer = self.authority.take();
        let bearer = bearer.map(|authority| Bearer::new(authority, app_mailboxes));
        let users = Users::new(std::mem::take(&mut self.users));
        Authentication::new(schemes, users, channel).with_bearer(bearer)
    }

    fn into_service(mut self, channel: Option<ChannelHash>) -> Service {
        let mut world = World::new(std::mem::take(&mut self.clock));
        world.private = self.private;
        self.mailboxes
            .iter()
            .for_each(|smtp| world.add_mailbox(smtp));
        if let Some((user, _)) = self.users.first().filter(|_| !world.has_mailboxes()) {
            world.add_mailbox(&address_of(user));
        }
        for (path, content_mailbox) in &self.public_folders {
            world.ensure_public_path(path, *content_mailbox);
        }
        let authentication = self.authentication(channel);
        self.directory
            .into_iter()
            .for_each(|entry| world.directory.add(entry));
        Service {
            version: self.version,
            chunk_size: self.chunk_size,
            authentication,
            routing: Routing::new(self.domain, self.routing_enforced),
            autodiscover: Autodiscover {
                secure: self.tls.is_some(),
                service_url: self.autodiscover_url,
                token: self.autodiscover_token,
                fault: Mutex::new(self.autodiscover_fault),
                calls: Mutex::default(),
            },
            world: Arc::new(Mutex::new(world)),
            faults: Mutex::new(self.faults),
            statistics: Mutex::new(Statistics::default()),
            throttle: Mutex::new(Throttle::new(self.connection_limit)),
            recorder: Recorder::new(self.recording),
            requests: AtomicU64::new(0),
        }
    }
}

/// The address of the mailbox that a user without any is given.
fn address_of(user: &str) -> String {
    let local = user.rsplit('\\').next().unwrap_or(user);
    if local.contains('@') {
        local.to_owned()
    } else {
        format!("{local}@simulated.example")
    }
}
