//! What is asked of the provider, told by the path.

/// One of the provider's endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// The description of the others (OpenID Connect Discovery 1.0).
    Metadata,
    /// The verifying keys.
    Keys,
    /// Where the browser is sent.
    Authorize,
    /// Where the consent page sends its answer.
    Consent,
    /// Where codes, secrets and refresh tokens become access tokens.
    Token,
}

/// Path ends, the longer before the shorter.
const ENDS: [(&str, Endpoint); 12] = [
    ("/v2.0/.well-known/openid-configuration", Endpoint::Metadata),
    ("/.well-known/openid-configuration", Endpoint::Metadata),
    ("/discovery/v2.0/keys", Endpoint::Keys),
    ("/discovery/keys", Endpoint::Keys),
    ("/jwks", Endpoint::Keys),
    ("/oauth2/v2.0/authorize", Endpoint::Authorize),
    ("/oauth2/authorize", Endpoint::Authorize),
    ("/authorize", Endpoint::Authorize),
    ("/consent", Endpoint::Consent),
    ("/oauth2/v2.0/token", Endpoint::Token),
    ("/oauth2/token", Endpoint::Token),
    ("/token", Endpoint::Token),
];

impl Endpoint {
    /// The endpoint of a path, and the tenant that the path names, which may be none.
    ///
    /// A slash at the end does not matter: AD FS's own addresses have one.
    pub(super) fn of(path: &str) -> Option<(Self, &str)> {
        let path = path.trim_end_matches('/');
        ENDS.iter().find_map(|(end, endpoint)| {
            let tenant = path.strip_suffix(end)?;
            let tenant = tenant.strip_prefix('/').unwrap_or(tenant);
            (!tenant.contains('/')).then_some((*endpoint, tenant))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn paths_name_their_endpoint_and_tenant() {
        for (path, expected) in [
            ("/t/oauth2/v2.0/token", Some((Endpoint::Token, "t"))),
            ("/adfs/oauth2/token", Some((Endpoint::Token, "adfs"))),
            (
                "/adfs/oauth2/authorize/",
                Some((Endpoint::Authorize, "adfs")),
            ),
            ("/token", Some((Endpoint::Token, ""))),
            (
                "/common/oauth2/v2.0/authorize",
                Some((Endpoint::Authorize, "common")),
            ),
            ("/t/discovery/v2.0/keys", Some((Endpoint::Keys, "t"))),
            (
                "/t/v2.0/.well-known/openid-configuration",
                Some((Endpoint::Metadata, "t")),
            ),
            (
                "/.well-known/openid-configuration",
                Some((Endpoint::Metadata, "")),
            ),
            ("/t/consent", Some((Endpoint::Consent, "t"))),
            ("/a/b/token", None),
            ("/", None),
        ] {
            assert_eq!(Endpoint::of(path), expected, "{path}");
        }
    }
}
