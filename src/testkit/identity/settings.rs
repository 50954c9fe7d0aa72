//! What stays as it is while the provider runs.

use std::sync::Arc;

use crate::clock::Clock;

/// What stands in the place of a tenant in the addresses of AD FS.
pub(super) const AD_FS: &str = "adfs";

/// The form of access tokens.
///
/// Exchange Online is given version 1, whichever endpoint is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenVersion {
    /// `appid`, an issuer for each tenant without `v2.0`.
    #[default]
    V1,
    /// `azp`, the issuer of the metadata.
    V2,
}

/// What becomes of a refresh token when it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshRotation {
    /// A new one is given, the old one stays good, as Microsoft does.
    #[default]
    OldStaysGood,
    /// A new one is given; the old one works once more, for a client whose answer was lost.
    OldWorksOnceMore,
    /// A new one is given and the old one dies; its reuse ends the whole family (RFC 9700, 4.14.2).
    OldDies,
    /// The same one is kept, and no new one is given.
    Never,
}

/// Names and rules of the provider.
pub(super) struct Settings {
    pub(super) tenant_id: String,
    pub(super) domain: String,
    /// The URLs that stand before a scope's name; the first is the usual audience.
    pub(super) resources: Vec<String>,
    pub(super) audience: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) user_name: String,
    pub(super) token_version: TokenVersion,
    pub(super) rotation: RefreshRotation,
    pub(super) sends_issuer: bool,
    pub(super) needs_pkce: bool,
    pub(super) clock: Arc<dyn Clock>,
}

impl Settings {
    /// Whether a path's first part means the one tenant that there is.
    pub(super) fn knows_tenant(&self, named: &str) -> bool {
        self.is_tenant(named) || is_any_tenant(named)
    }

    pub(super) fn knows_resource(&self, named: &str) -> bool {
        self.resources.iter().any(|known| known == named)
    }

    fn is_tenant(&self, named: &str) -> bool {
        let all = ["", AD_FS, &self.tenant_id, &self.domain];
        all.iter().any(|name| name.eq_ignore_ascii_case(named))
    }
}

/// Whether a path's first part leaves it open which tenant is meant.
pub(super) fn is_any_tenant(named: &str) -> bool {
    ["common", "organizations"].contains(&named)
}
