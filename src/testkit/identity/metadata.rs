//! The description of the endpoints (OpenID Connect Discovery 1.0, RFC 8414).

use serde_json::{Value, json};

use super::settings::{AD_FS, Settings, is_any_tenant};

/// The metadata as a path's tenant sees it; `common` has a placeholder in its issuer, as Microsoft's has.
pub(super) fn describe(settings: &Settings, base: &str, tenant: &str) -> Value {
    let [authorize, token, keys] = addresses(settings, base, tenant);
    json!({
        "issuer": issuer(settings, base, tenant),
        "authorization_endpoint": authorize,
        "token_endpoint": token,
        "jwks_uri": keys,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "client_secret_basic", "private_key_jwt"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "authorization_response_iss_parameter_supported": settings.sends_issuer,
    })
}

fn addresses(settings: &Settings, base: &str, tenant: &str) -> [String; 3] {
    let (shown, paths) = match tenant {
        AD_FS => (
            AD_FS,
            ["oauth2/authorize/", "oauth2/token/", "discovery/keys"],
        ),
        _ => (
            if is_any_tenant(tenant) {
                tenant
            } else {
                &settings.tenant_id
            },
            [
                "oauth2/v2.0/authorize",
                "oauth2/v2.0/token",
                "discovery/v2.0/keys",
            ],
        ),
    };
    paths.map(|path| format!("{base}/{shown}/{path}"))
}

/// Who issues, as a path's tenant sees it: the issuer of identity tokens, of the metadata, and of the way back.
pub(super) fn issuer(settings: &Settings, base: &str, tenant: &str) -> String {
    let own = settings.issuer.as_ref();
    own.cloned().unwrap_or_else(|| match tenant {
        AD_FS => format!("{base}/{AD_FS}"),
        _ if is_any_tenant(tenant) => format!("{base}/{{tenantid}}/v2.0"),
        _ => format!("{base}/{}/v2.0", settings.tenant_id),
    })
}
