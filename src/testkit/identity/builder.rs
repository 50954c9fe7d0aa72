//! How a simulated identity provider is set up.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use super::application::Application;
use super::client_certificate::RegisteredCertificate;
use super::fault::{FaultPlan, IdentityFault};
use super::handle::SimulatedIdentity;
use super::jwt::SigningKey;
use super::server::Server;
use super::service::Service;
use super::settings::{RefreshRotation, Settings, TokenVersion};
use super::state::State;
use super::tls;
use super::user::UserBehaviour;
use crate::clock::{Clock, SystemClock};
use crate::testkit::exchange::TlsCertificate;

const TENANT_ID: &str = "11111111-2222-4333-8444-555555555555";
const RESOURCES: [&str; 3] = [
    "https://outlook.office365.com",
    "https://outlook.office.com",
    "https://graph.microsoft.com",
];
/// One second less than an hour, as Microsoft's shortest.
const LIFETIME: Duration = Duration::from_secs(3599);

/// Collects the settings of a [`SimulatedIdentity`].
///
/// Nothing is checked before [`start`](Self::start).
#[must_use = "a builder does nothing until it is started"]
pub struct SimulatedIdentityBuilder {
    settings: Settings,
    applications: Vec<Application>,
    behaviour: UserBehaviour,
    lifetime: Duration,
    faults: FaultPlan,
    tls: Option<TlsCertificate>,
    port: u16,
}

impl Default for SimulatedIdentityBuilder {
    fn default() -> Self {
        let settings = Settings {
            tenant_id: TENANT_ID.to_owned(),
            domain: "corp.example".to_owned(),
            resources: RESOURCES.map(str::to_owned).to_vec(),
            audience: None,
            issuer: None,
            user_name: "administrator@corp.example".to_owned(),
            token_version: TokenVersion::default(),
            rotation: RefreshRotation::default(),
            sends_issuer: true,
            needs_pkce: true,
            clock: Arc::new(SystemClock),
        };
        Self {
            settings,
            applications: Vec::new(),
            behaviour: UserBehaviour::default(),
            lifetime: LIFETIME,
            faults: FaultPlan::default(),
            tls: None,
            port: 0,
        }
    }
}

impl std::fmt::Debug for SimulatedIdentityBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedIdentityBuilder")
            .field("applications", &self.applications)
            .field("tls", &self.tls)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl SimulatedIdentityBuilder {
    /// Registers an application.
    pub fn with_application(mut self, application: Application) -> Self {
        self.applications.push(application);
        self
    }

    /// Sets the id and the domain of the tenant; other tenants do not exist.
    pub fn with_tenant(mut self, id: impl Into<String>, domain: impl Into<String>) -> Self {
        self.settings.tenant_id = id.into();
        self.settings.domain = domain.into();
        self
    }

    /// Sets the user principal name of whoever sits in front of the browser.
    pub fn with_user_name(mut self, name: impl Into<String>) -> Self {
        self.settings.user_name = name.into();
        self
    }

    /// Sets what the user does; see also [`SimulatedIdentity::set_user`].
    pub fn with_user(mut self, behaviour: UserBehaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// Sets the resources that scopes may name, such as `https://outlook.office365.com`, without a slash at the end.
    ///
    /// The first is meant where a scope names none.
    pub fn with_resources(
        mut self,
        resources: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.settings.resources = resources.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the `aud` of all access tokens; by itself it is the resource that was asked for.
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.audience = Some(audience.into());
        self
    }

    /// Sets the issuer of all tokens, of the metadata and of the way back.
    ///
    /// By itself it is `{url}/{tenant id}/v2.0`, `{url}/{tenant id}/` in access tokens of version 1, and `{url}/adfs`
    /// for those who ask there.
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.settings.issuer = Some(issuer.into());
        self
    }

    /// Sets the form of access tokens.
    pub fn with_token_version(mut self, version: TokenVersion) -> Self {
        self.settings.token_version = version;
        self
    }

    /// Sets how long access tokens live, in whole seconds; by itself 3599 seconds.
    pub fn with_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets what becomes of a refresh token when it is used.
    pub fn with_refresh_rotation(mut self, rotation: RefreshRotation) -> Self {
        self.settings.rotation = rotation;
        self
    }

    /// Sets whether the way back carries `iss` (RFC 9207) and the metadata says so; Microsoft's does not.
    pub fn with_response_issuer(mut self, sends: bool) -> Self {
        self.settings.sends_issuer = sends;
        self
    }

    /// Sets whether an authorization request without PKCE is refused; it is by itself.
    pub fn with_pkce_required(mut self, required: bool) -> Self {
        self.settings.needs_pkce = required;
        self
    }

    /// Takes the time from a clock, such as [`ManualClock`](crate::testkit::clock::ManualClock); by itself the system's.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Orders a fault; its requests count from the start of the provider.
    pub fn with_fault(mut self, fault: IdentityFault) -> Self {
        self.faults.order(fault);
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

    /// Starts to listen on the loopback address, in tasks of the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when a registered certificate is none; otherwise what binding the port or
    /// making keys and the certificate says.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready leaves nothing behind.
    ///
    /// # Panics
    ///
    /// When it is not polled inside a Tokio runtime with I/O and time enabled.
    pub async fn start(self) -> io::Result<SimulatedIdentity> {
        self.check()?;
        let tls = self.tls.map(|kind| tls::make(kind, &[])).transpose()?;
        let (acceptor, ca_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let key = SigningKey::generate()?;
        let mut state = State::new(self.applications, self.lifetime, key);
        state.behaviour = self.behaviour;
        state.faults = self.faults;
        let service = Arc::new(Service {
            settings: self.settings,
            state: Mutex::new(state),
            base: OnceLock::new(),
        });
        let server = Server::start(Arc::clone(&service), self.port, acceptor).await?;
        let scheme = if ca_pem.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://127.0.0.1:{}", server.address.port());
        // The service is new, so nobody has set it before.
        let _set = service.base.set(base);
        Ok(SimulatedIdentity {
            service,
            server,
            ca_pem,
        })
    }

    fn check(&self) -> io::Result<()> {
        let mut pems = self.applications.iter().flat_map(|one| &one.certificates);
        if pems.all(|pem| RegisteredCertificate::parse(pem).is_some()) {
            return Ok(());
        }
        let text = "a registered certificate is no X.509 certificate in PEM";
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}
