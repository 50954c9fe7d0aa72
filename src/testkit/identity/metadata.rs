//! The description of the endpoints (OpenID Connect Discovery 1.0, RFC 8414).

use serde_json::{Value, json};

use super::settings::{Settings, is_any_tenant};

/// The metadata as a path's tenant sees it; `common` has a placeholder in its issuer, as Microsoft's has.
pub(super) fn describe(settings: &Settings, base: &str, tenant: &str) -> Value {
    let shown = if is_any_tenant(tenant) {
        tenant
    } else {
        &settings.tenant_id
    };
    let issuer_tenant = if is_any_tenant(tenant) {
        "{tenantid}"
    } else {
        &settings.tenant_id
    };
    json!({
        "issuer": issuer(settings, base, issuer_tenant),
        "authorization_endpoint": format!("{base}/{shown}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/{shown}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/{shown}/discovery/v2.0/keys"),
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

/// The issuer of identity tokens, of the metadata, and of the way back.
pub(super) fn issuer(settings: &Settings, base: &str, tenant: &str) -> String {
    let own = settings.issuer.as_ref();
    own.cloned()
        .unwrap_or_else(|| format!("{base}/{tenant}/v2.0"))
}
