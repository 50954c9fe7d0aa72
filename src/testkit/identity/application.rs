//! What an application is registered with.

use secrecy::{ExposeSecret, SecretString};

use super::client_certificate::RegisteredCertificate;

/// An application registration: client id, secrets, certificates, redirect URLs and permissions.
///
/// Its debug form holds no secret.
#[derive(Clone)]
pub struct Application {
    pub(super) client_id: String,
    secrets: Vec<Secret>,
    pub(super) certificates: Vec<String>,
    redirect_urls: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) scopes: Vec<String>,
}

#[derive(Clone)]
struct Secret {
    value: SecretString,
    expired: bool,
}

/// What the service thinks of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretVerdict {
    Good,
    Expired,
    Wrong,
}

impl Application {
    /// An application without secrets, redirect URLs and permissions.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            redirect_urls: Vec::new(),
            roles: Vec::new(),
            scopes: Vec::new(),
        }
    }

    /// Adds a client secret. All secrets of an application are good at once, as during a rotation.
    #[must_use]
    pub fn with_secret(self, secret: impl Into<String>) -> Self {
        self.with(secret.into(), false)
    }

    /// Adds a client secret that is refused as expired (AADSTS7000222).
    #[must_use]
    pub fn with_expired_secret(self, secret: impl Into<String>) -> Self {
        self.with(secret.into(), true)
    }

    fn with(mut self, secret: String, expired: bool) -> Self {
        let value = SecretString::from(secret);
        self.secrets.push(Secret { value, expired });
        self
    }

    /// Adds an X.509 certificate (PEM, RSA key) whose key may sign client assertions (RFC 7523).
    #[must_use]
    pub fn with_certificate(mut self, pem: impl Into<String>) -> Self {
        self.certificates.push(pem.into());
        self
    }

    /// Adds a URL to which the browser may be sent back: compared byte by byte.
    ///
    /// A loopback URL without a port, such as `http://127.0.0.1/landing`, fits any port (RFC 8252, 7.3).
    #[must_use]
    pub fn with_redirect_url(mut self, url: impl Into<String>) -> Self {
        self.redirect_urls.push(url.into());
        self
    }

    /// Adds an application permission, such as `full_access_as_app`, as consented.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Adds a delegated permission, such as `EWS.AccessAsUser.All`.
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    pub(super) fn judge_secret(&self, given: &str) -> SecretVerdict {
        let mut same = self
            .secrets
            .iter()
            .filter(|one| one.value.expose_secret() == given);
        match same.next() {
            None => SecretVerdict::Wrong,
            Some(secret) if secret.expired => SecretVerdict::Expired,
            Some(_) => SecretVerdict::Good,
        }
    }

    /// Whether the application must prove itself at the token endpoint.
    pub(super) fn is_confidential(&self) -> bool {
        !self.secrets.is_empty() || !self.certificates.is_empty()
    }

    pub(super) fn allows_redirect(&self, url: &str) -> bool {
        let mut registered = self.redirect_urls.iter();
        registered.any(|one| one == url || fits_any_port(one, url))
    }

    pub(super) fn registered_certificates(&self) -> impl Iterator<Item = RegisteredCertificate> {
        let pems = self.certificates.iter();
        pems.filter_map(|pem| RegisteredCertificate::parse(pem))
    }
}

fn fits_any_port(registered: &str, url: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|host| {
            let (Some(path), Some(rest)) = (registered.strip_prefix(host), url.strip_prefix(host))
            else {
                return false;
            };
            let digits_gone = rest
                .strip_prefix(':')
                .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
            (path.is_empty() || path.starts_with('/')) && digits_gone == Some(path)
        })
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("client_id", &self.client_id)
            .field("secrets", &self.secrets.len())
            .field("certificates", &self.certificates.len())
            .field("redirect_urls", &self.redirect_urls)
            .field("roles", &self.roles)
            .field("scopes", &self.scopes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Application;

    #[test]
    fn only_the_exact_redirect_url_is_allowed_and_only_loopback_may_vary_its_port() {
        let application = Application::new("id")
            .with_redirect_url("https://erp.example/OAuthLanding.htm")
            .with_redirect_url("http://127.0.0.1/landing");
        for (url, allowed) in [
            ("https://erp.example/OAuthLanding.htm", true),
            ("https://erp.example/OAuthLanding.htm/", false),
            ("https://erp.example:443/OAuthLanding.htm", false),
            ("https://erp.example/oauthlanding.htm", false),
            ("http://127.0.0.1/landing", true),
            ("http://127.0.0.1:8400/landing", true),
            ("http://127.0.0.1:8400/landing?x=1", false),
            ("http://127.0.0.1:8400@evil.example/landing", false),
            ("http://127.0.0.1.evil.example/landing", false),
            ("http://localhost:8400/landing", false),
        ] {
            assert_eq!(application.allows_redirect(url), allowed, "{url}");
        }
    }
}
