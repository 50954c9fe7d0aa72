//! `[identity]`: the identity service that issues OAuth2 tokens. Without it Microsoft's worldwide one.

use email_logging::credential::{IdentityService, MicrosoftCloud};
use serde::Deserialize;

/// Where and what the identity service is; every key is optional.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Identity {
    cloud: Option<Cloud>,
    /// Scheme, host and port in the place of Microsoft's.
    pub(crate) authority: Option<String>,
    /// AD FS instead of Microsoft, such as `https://adfs.corp.example/adfs`; `resource` names Exchange there.
    ad_fs: Option<String>,
    issuer: Option<String>,
    authorize_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_endpoint: Option<String>,
    scope: Option<String>,
    resource: Option<String>,
    audience: Option<String>,
}

/// Microsoft's clouds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Cloud {
    Worldwide,
    UsGovernmentGccHigh,
    UsGovernmentDod,
    China,
}

impl Cloud {
    fn microsoft(self) -> MicrosoftCloud {
        match self {
            Self::Worldwide => MicrosoftCloud::Worldwide,
            Self::UsGovernmentGccHigh => MicrosoftCloud::UsGovernmentGccHigh,
            Self::UsGovernmentDod => MicrosoftCloud::UsGovernmentDod,
            Self::China => MicrosoftCloud::China,
        }
    }
}

/// Sets one of the service's settings.
type Setter = fn(IdentityService, &String) -> IdentityService;

impl Identity {
    /// Microsoft's cloud.
    pub(crate) fn cloud(&self) -> MicrosoftCloud {
        self.cloud.map(Cloud::microsoft).unwrap_or_default()
    }

    /// Whether it is Microsoft's identity platform, which knows tenants.
    pub(crate) fn is_microsoft(&self) -> bool {
        self.ad_fs.is_none() && (self.issuer.is_none() || self.token_endpoint.is_none())
    }

    /// The service, for a tenant that is known or for whichever signs in.
    pub(crate) fn service(&self, tenant: Option<&str>) -> IdentityService {
        let resource = self.resource.clone().unwrap_or_default();
        let mut service = match (&self.ad_fs, &self.issuer, &self.token_endpoint) {
            (Some(base), _, _) => IdentityService::ad_fs(base, resource),
            (None, Some(issuer), Some(token)) => IdentityService::custom(issuer, token),
            _ => IdentityService::microsoft(self.cloud(), tenant.unwrap_or("organizations")),
        };
        let settings: [(&Option<String>, Setter); 8] = [
            (&self.authority, |service, text| {
                service.with_authority(text)
            }),
            (&self.issuer, |service, text| service.with_issuer(text)),
            (&self.authorize_endpoint, |service, text| {
                service.with_authorize_endpoint(text)
            }),
            (&self.token_endpoint, |service, text| {
                service.with_token_endpoint(text)
            }),
            (&self.jwks_endpoint, |service, text| {
                service.with_jwks_endpoint(text)
            }),
            (&self.scope, |service, text| service.with_scope(text)),
            (&self.resource, |service, text| service.with_resource(text)),
            (&self.audience, |service, text| service.with_audience(text)),
        ];
        for (text, set) in settings {
            if let Some(text) = text {
                service = set(service, text);
            }
        }
        service
    }
}
