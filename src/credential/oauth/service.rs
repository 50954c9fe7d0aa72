//! Which identity service is asked, and what for: the one public description of it.
//!
//! Owns endpoints, issuer, scopes, resource and the audiences and tenant that a token must name. Sends nothing.

mod cloud;

use crate::error::{Error, Result, codes};
use crate::http::ServiceUrl;

use super::facts::TokenFacts;
pub use cloud::MicrosoftCloud;

/// Stands in an issuer for the tenant that a token names, as in Microsoft's metadata document.
const TENANT_IN_ISSUER: &str = "{tenantid}";

/// Asks for a refresh token (OpenID Connect Core, 11).
const OFFLINE: &str = "offline_access";

/// Names in the place of a tenant that mean more than one.
const SHARED_TENANTS: [&str; 4] = ["", "common", "organizations", "consumers"];

/// An OAuth 2.0 identity service (RFC 6749): where it is, what is asked of it, and what its tokens must say.
///
/// Everything is a setting. [`microsoft`](Self::microsoft) and [`ad_fs`](Self::ad_fs) fill them in, and each `with_*`
/// changes one. Addresses are checked when a sign-in is built: https only.
///
/// ```
/// use email_logging::credential::IdentityService;
///
/// let service = IdentityService::custom("https://id.example.com", "https://id.example.com/token")
///     .with_authorize_endpoint("https://id.example.com/auth")
///     .with_jwks_endpoint("https://id.example.com/jwks")
///     .with_scope("mail")
///     .with_resource("https://mail.example.com/")
///     .with_audience("https://mail.example.com/");
/// # let _ = service;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityService {
    pub(super) authorize_endpoint: Option<String>,
    pub(super) token_endpoint: String,
    pub(super) jwks_endpoint: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) scope: String,
    pub(super) delegated_scope: String,
    pub(super) resource: Option<String>,
    /// The audience that was named, which no scope changes.
    audience: Option<String>,
    /// Those that follow from the scope.
    audiences: Vec<String>,
    tenant: Option<String>,
    /// The tenant that was named for tokens.
    tenant_id: Option<String>,
    cloud: Option<MicrosoftCloud>,
    pub(super) older_assertions: bool,
    pub(super) secret_in_header: bool,
    pub(super) issuer_in_callback: bool,
}

impl IdentityService {
    /// Microsoft's identity platform in one of its clouds, for Exchange Web Services.
    ///
    /// The tenant is its id (a GUID), one of its domains, or, for administrator consent alone, `organizations`. A tenant id
    /// is also what a token has to name (`tid`).
    ///
    /// Endpoints: Microsoft, "National clouds" and "OAuth 2.0 and OpenID Connect protocols".
    pub fn microsoft(cloud: MicrosoftCloud, tenant: impl Into<String>) -> Self {
        let tenant = tenant.into();
        let login = cloud.login_host();
        let base = format!("https://{login}/{tenant}");
        let service = Self {
            authorize_endpoint: Some(format!("{base}/oauth2/v2.0/authorize")),
            jwks_endpoint: Some(format!("{base}/discovery/v2.0/keys")),
            tenant: Some(tenant),
            cloud: Some(cloud),
            ..Self::custom(
                format!("https://{login}/{TENANT_IN_ISSUER}/v2.0"),
                format!("{base}/oauth2/v2.0/token"),
            )
        };
        service.for_ews()
    }

    /// Active Directory Federation Services, as an example of another service; `base` is such as
    /// `https://adfs.contoso.example/adfs`, `resource` the identifier of Exchange's relying party.
    ///
    /// AD FS wants the resource in a parameter of its own, and assertions signed with RS256. It has no tenants.
    /// Endpoints: Microsoft, "AD FS OpenID Connect/OAuth concepts".
    ///
    /// ```
    /// use email_logging::credential::IdentityService;
    ///
    /// let service =
    ///     IdentityService::ad_fs("https://adfs.contoso.example/adfs", "https://mail.contoso.example/");
    /// # let _ = service;
    /// ```
    pub fn ad_fs(base: impl AsRef<str>, resource: impl Into<String>) -> Self {
        let base = base.as_ref().trim_end_matches('/');
        let resource = resource.into();
        Self {
            authorize_endpoint: Some(format!("{base}/oauth2/authorize/")),
            jwks_endpoint: Some(format!("{base}/discovery/keys")),
            resource: Some(resource.clone()),
            audience: Some(resource),
            older_assertions: true,
            ..Self::custom(base, format!("{base}/oauth2/token/"))
        }
    }

    /// Any other service, by its issuer (also called authority) and its token endpoint.
    ///
    /// Nothing else is set: no scope, no resource, no audience, and no endpoint for a consent.
    pub fn custom(issuer: impl Into<String>, token_endpoint: impl Into<String>) -> Self {
        Self {
            authorize_endpoint: None,
            token_endpoint: token_endpoint.into(),
            jwks_endpoint: None,
            issuer: Some(issuer.into()),
            scope: String::new(),
            delegated_scope: String::new(),
            resource: None,
            audience: None,
            audiences: Vec::new(),
            tenant: None,
            tenant_id: None,
            cloud: None,
            older_assertions: false,
            secret_in_header: false,
            issuer_in_callback: false,
        }
    }

    /// A service of which only the token endpoint is known.
    pub(super) fn at_token_endpoint(token_endpoint: String) -> Self {
        let service = Self {
            issuer: None,
            ..Self::custom("", token_endpoint)
        };
        service.with_scope(cloud::scope_of(MicrosoftCloud::Worldwide.exchange()))
    }

    /// Asks Microsoft for tokens for Exchange Web Services, the default. Without effect on another service.
    #[must_use]
    pub fn for_ews(mut self) -> Self {
        if let Some(cloud) = self.cloud {
            self.scope = cloud::scope_of(cloud.exchange());
            self.delegated_scope = format!("{}/EWS.AccessAsUser.All", cloud.exchange());
            self.audiences = cloud::audiences_of(cloud.exchange());
        }
        self
    }

    /// Asks Microsoft for tokens for Microsoft Graph. Without effect on another service.
    #[must_use]
    pub fn for_graph(mut self) -> Self {
        if let Some(cloud) = self.cloud {
            self.scope = cloud::scope_of(cloud.graph());
            let graph = cloud.graph();
            self.delegated_scope = format!("{graph}/Mail.ReadWrite {graph}/Mail.ReadWrite.Shared");
            self.audiences = cloud::audiences_of(cloud.graph());
        }
        self
    }

    /// Moves every endpoint and the issuer to another scheme, host and port, such as `https://login.example.com`; their
    /// paths stay.
    #[must_use]
    pub fn with_authority(mut self, origin: impl AsRef<str>) -> Self {
        let origin = origin.as_ref().trim_end_matches('/');
        let moved = |address: &String| format!("{origin}{}", path_of(address));
        self.authorize_endpoint = self.authorize_endpoint.as_ref().map(moved);
        self.token_endpoint = moved(&self.token_endpoint);
        self.jwks_endpoint = self.jwks_endpoint.as_ref().map(moved);
        self.issuer = self.issuer.as_ref().map(moved);
        self
    }

    /// Where a person signs in (RFC 6749, 3.1).
    #[must_use]
    pub fn with_authorize_endpoint(mut self, url: impl Into<String>) -> Self {
        self.authorize_endpoint = Some(url.into());
        self
    }

    /// Where tokens are issued (RFC 6749, 3.2).
    #[must_use]
    pub fn with_token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = url.into();
        self
    }

    /// Where the keys are that identity tokens are signed with (RFC 7517).
    #[must_use]
    pub fn with_jwks_endpoint(mut self, url: impl Into<String>) -> Self {
        self.jwks_endpoint = Some(url.into());
        self
    }

    /// Who issues identity tokens, exactly as they say it; `{tenantid}` stands for the tenant that a token names.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// What an application asks for, and a consent is about; empty to send none.
    ///
    /// Of a scope such as `https://outlook.office365.com/.default` the part before `/.default` becomes the audience, and
    /// at Microsoft that before the name of any permission, unless [`with_audience`](Self::with_audience) names one.
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        let mut scopes = self.scope.split_whitespace();
        let at_microsoft = self.cloud.is_some();
        let resource = scopes.find_map(|scope| match scope.strip_suffix("/.default") {
            None if at_microsoft => resource_of(scope),
            resource => resource,
        });
        self.audiences = resource.map(cloud::audiences_of).unwrap_or_default();
        self
    }

    /// What is asked for with a refresh token; empty to ask for all that was granted.
    #[must_use]
    pub fn with_delegated_scope(mut self, scope: impl Into<String>) -> Self {
        self.delegated_scope = scope.into();
        self
    }

    /// What the token is for, in a parameter of its own (RFC 8707; AD FS).
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Takes only tokens for this audience (`aud`) where a token says whom it is for.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Takes only tokens of this tenant (`tid`) where a token names one. At Microsoft it is a GUID; another service's is
    /// compared as it is written.
    #[must_use]
    pub fn with_tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// Takes only callbacks that name the issuer (`iss`, RFC 9207), as a service says of itself in
    /// `authorization_response_iss_parameter_supported`.
    ///
    /// It is what keeps the code of one service from another one (mix-up, RFC 9700, 4.4) where a host has several and one
    /// redirect URL. Microsoft and AD FS name no issuer there: a host that uses several services, one of them without it,
    /// gives each a redirect URL of its own.
    #[must_use]
    pub fn with_issuer_in_callback(mut self) -> Self {
        self.issuer_in_callback = true;
        self
    }

    /// Sends the client secret in the `Authorization` header instead of the body (RFC 6749, 2.3.1).
    #[must_use]
    pub fn with_secret_in_header(mut self) -> Self {
        self.secret_in_header = true;
        self
    }

    /// The cloud, where it is Microsoft's.
    pub(crate) fn cloud(&self) -> Option<MicrosoftCloud> {
        self.cloud
    }

    /// Whether it stands for every tenant of Microsoft's, so that an application cannot sign in there.
    pub(crate) fn is_shared(&self) -> bool {
        let tenant = self.tenant.as_deref().unwrap_or_default();
        self.cloud.is_some() && is_shared(tenant)
    }

    /// The same service for one tenant: at Microsoft's the addresses name it, and every token that names one has to.
    pub(crate) fn for_tenant(mut self, tenant: &str) -> Self {
        if let (Some(_), Some(shared)) = (self.cloud, &self.tenant) {
            let (from, to) = (format!("/{shared}/"), format!("/{tenant}/"));
            let moved = |address: &String| address.replacen(&from, &to, 1);
            self.authorize_endpoint = self.authorize_endpoint.as_ref().map(moved);
            self.token_endpoint = moved(&self.token_endpoint);
            self.jwks_endpoint = self.jwks_endpoint.as_ref().map(moved);
        }
        self.tenant = Some(tenant.to_owned());
        self
    }

    /// The tenant that a token must name, where one is known by its id.
    pub(super) fn pinned_tenant(&self) -> Option<&str> {
        let known = |tenant: &&str| self.cloud.is_none() || is_guid(tenant);
        let of_address = self.tenant.as_deref().filter(known);
        self.tenant_id.as_deref().or(of_address)
    }

    /// Whether a token is of the tenant that it must name.
    pub(super) fn is_of_pinned_tenant(&self, named: &str) -> bool {
        match (self.pinned_tenant(), self.cloud) {
            (None, _) => true,
            (Some(pinned), Some(_)) => pinned.eq_ignore_ascii_case(named),
            (Some(pinned), None) => pinned == named,
        }
    }

    /// What a refresh token is asked with. Microsoft gives a new one only where it is asked for one ("OAuth 2.0
    /// authorization code flow").
    pub(super) fn refresh_scope(&self) -> String {
        let scope = self.delegated_scope.as_str();
        let asks = scope.split_whitespace().any(|one| one == OFFLINE);
        if self.cloud.is_none() || scope.is_empty() || asks {
            return scope.to_owned();
        }
        format!("{scope} {OFFLINE}")
    }

    /// Whether an identity token has to name its tenant.
    pub(super) fn has_tenants(&self) -> bool {
        self.cloud.is_some()
    }

    /// The issuer that a token of this tenant must name.
    pub(super) fn issuer_of(&self, tenant_id: Option<&str>) -> Option<String> {
        let issuer = self.issuer.as_deref()?;
        match (issuer.contains(TENANT_IN_ISSUER), tenant_id) {
            (false, _) => Some(issuer.to_owned()),
            (true, Some(tenant)) => Some(issuer.replace(TENANT_IN_ISSUER, tenant)),
            (true, None) => None,
        }
    }

    /// Whether a callback may name this issuer (RFC 9207), before a token says which tenant it is.
    pub(super) fn may_issue(&self, issuer: &str) -> bool {
        let Some(own) = self.issuer.as_deref() else {
            return false;
        };
        match (own.split_once(TENANT_IN_ISSUER), self.pinned_tenant()) {
            (None, _) => own == issuer,
            (Some((before, after)), Some(tenant)) => {
                format!("{before}{tenant}{after}").eq_ignore_ascii_case(issuer)
            }
            (Some((before, after)), None) => {
                let rest = issuer.strip_prefix(before);
                rest.and_then(|rest| rest.strip_suffix(after))
                    .is_some_and(is_guid)
            }
        }
    }

    /// Checks a tenant in the place where an application signs in with it.
    pub(super) fn check_one_tenant(&self, operation: &'static str) -> Result<()> {
        match &self.tenant {
            Some(tenant) if is_shared(tenant) => Err(bad_tenant(operation)),
            _ => self.check_tenant(operation),
        }
    }

    /// Checks that the tenant is an id, a domain or one of the shared names, and that the one of tokens can be an id.
    pub(super) fn check_tenant(&self, operation: &'static str) -> Result<()> {
        let named = self.tenant_id.as_deref();
        let is_id = |id: &str| match self.cloud {
            Some(_) => is_guid(id),
            None => !id.is_empty(),
        };
        if named.is_some_and(|id| !is_id(id)) {
            let error = Error::new(&codes::CONFIG_INVALID, operation);
            return Err(error.with_detail("a tenant id of Microsoft is a GUID, and none is empty"));
        }
        let shape = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        match &self.tenant {
            Some(tenant) if tenant.is_empty() || !tenant.chars().all(shape) => {
                Err(bad_tenant(operation))
            }
            _ => Ok(()),
        }
    }

    /// Checks that a token is of the right tenant and for the right audience, as far as it says so.
    pub(super) fn check_token(&self, operation: &'static str, facts: &TokenFacts) -> Result<()> {
        let named = facts.tenant_id.as_deref();
        if named.is_some_and(|named| !self.is_of_pinned_tenant(named)) {
            return Err(Error::new(&codes::OAUTH_TENANT_MISMATCH, operation));
        }
        let own = match &self.audience {
            Some(audience) => std::slice::from_ref(audience),
            None => &self.audiences,
        };
        let fits = |named: &String| own.iter().any(|own| is_same(own, named));
        let says = !facts.audiences.is_empty() && !own.is_empty();
        if says && !facts.audiences.iter().any(fits) {
            return Err(Error::new(&codes::OAUTH_AUDIENCE_MISMATCH, operation));
        }
        Ok(())
    }

    /// The address of the token endpoint, checked.
    pub(super) fn token_url(&self, plain_loopback: bool) -> Result<ServiceUrl> {
        ServiceUrl::parse(&self.token_endpoint, plain_loopback)
    }
}

fn bad_tenant(operation: &'static str) -> Error {
    Error::new(&codes::CONFIG_INVALID, operation)
        .with_detail("an application signs in with a tenant id or domain of its own")
}

fn is_shared(tenant: &str) -> bool {
    SHARED_TENANTS.contains(&tenant.to_ascii_lowercase().as_str())
}

/// Audiences are compared without the slash that some tokens have at their end.
fn is_same(one: &str, other: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    bare(one) == bare(other)
}

/// The address before the name of a permission.
fn resource_of(scope: &str) -> Option<&str> {
    let (resource, _) = scope.rsplit_once('/')?;
    let (_, host) = resource.split_once("://")?;
    (!host.is_empty()).then_some(resource)
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// What follows scheme, host and port.
fn path_of(address: &str) -> &str {
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    let rest = address.get(after_scheme..).unwrap_or_default();
    rest.find('/')
        .and_then(|at| rest.get(at..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn each_cloud_of_microsoft_has_its_own_addresses() {
        for (cloud, login, exchange, graph) in [
            (
                MicrosoftCloud::Worldwide,
                "login.microsoftonline.com",
                "outlook.office365.com",
                "graph.microsoft.com",
            ),
            (
                MicrosoftCloud::UsGovernmentGccHigh,
                "login.microsoftonline.us",
                "outlook.office365.us",
                "graph.microsoft.us",
            ),
            (
                MicrosoftCloud::UsGovernmentDod,
                "login.microsoftonline.us",
                "outlook-dod.office365.us",
                "dod-graph.microsoft.us",
            ),
            (
                MicrosoftCloud::China,
                "login.partner.microsoftonline.cn",
                "partner.outlook.cn",
                "microsoftgraph.chinacloudapi.cn",
            ),
        ] {
            let service = IdentityService::microsoft(cloud, TENANT);
            assert_eq!(
                service.token_endpoint,
                format!("https://{login}/{TENANT}/oauth2/v2.0/token")
            );
            assert_eq!(service.scope, format!("https://{exchange}/.default"));
            assert_eq!(
                service.delegated_scope,
                format!("https://{exchange}/EWS.AccessAsUser.All")
            );
            assert_eq!(
                service.issuer_of(Some(TENANT)),
                Some(format!("https://{login}/{TENANT}/v2.0"))
            );
            let service = service.for_graph();
            assert_eq!(service.scope, format!("https://{graph}/.default"));
        }
    }

    #[test]
    fn an_authority_moves_every_address_and_keeps_the_paths() {
        let service = IdentityService::microsoft(MicrosoftCloud::Worldwide, TENANT)
            .with_authority("http://127.0.0.1:8080/");
        let at = |path: &str| Some(format!("http://127.0.0.1:8080{path}"));
        assert_eq!(
            Some(service.token_endpoint.clone()),
            at(&format!("/{TENANT}/oauth2/v2.0/token"))
        );
        assert_eq!(
            service.jwks_endpoint,
            at(&format!("/{TENANT}/discovery/v2.0/keys"))
        );
        assert_eq!(
            service.authorize_endpoint,
            at(&format!("/{TENANT}/oauth2/v2.0/authorize"))
        );
        assert_eq!(service.issuer, at("/{tenantid}/v2.0"));
    }

    #[test]
    fn a_callback_may_name_the_issuer_alone() {
        let host = "https://login.microsoftonline.com";
        let shared = IdentityService::microsoft(MicrosoftCloud::Worldwide, "organizations");
        assert!(shared.may_issue(&format!("{host}/{TENANT}/v2.0")));
        assert!(!shared.may_issue(&format!("{host}/organizations/v2.0")));
        assert!(!shared.may_issue("https://login.example.com/v2.0"));
        let pinned = IdentityService::microsoft(MicrosoftCloud::Worldwide, TENANT);
        let other = TENANT.replace('1', "9");
        assert!(pinned.may_issue(&format!("{host}/{TENANT}/v2.0")));
        assert!(!pinned.may_issue(&format!("{host}/{other}/v2.0")));
        let custom = IdentityService::custom("https://id.example.com", "https://id.example.com/t");
        assert!(custom.may_issue("https://id.example.com"));
        assert!(!custom.may_issue("https://id.example.com/"));
    }
}
