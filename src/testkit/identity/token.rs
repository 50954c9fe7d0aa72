//! The token endpoint: codes, secrets and refresh tokens become access tokens.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::SignedDuration;
use serde_json::Value;

use super::application::Application;
use super::authorize::grant_of;
use super::client::authenticate;
use super::failure::Failure;
use super::issue::Desk;
use super::jwt::encode;
use super::parameters::Parameters;
use super::settings::{RefreshRotation, is_any_tenant};
use super::state::{Code, Grant};

const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// Answers a token request.
pub(super) fn token(
    desk: &mut Desk<'_>,
    parameters: &Parameters,
    authorization: Option<&str>,
) -> Result<Value, Failure> {
    let grant_type = parameters.need("grant_type")?;
    let grants = &mut desk.state.statistics.grants;
    *grants.entry(grant_type.to_owned()).or_default() += 1;
    let application = authenticate(desk, parameters, authorization)?;
    match grant_type {
        "authorization_code" => redeem(desk, &application, parameters),
        "client_credentials" => as_itself(desk, &application, parameters),
        "refresh_token" => refresh(desk, &application, parameters),
        _ => Err(Failure::new(
            "unsupported_grant_type",
            70_003,
            "The app requested an unsupported grant type.",
        )),
    }
}

fn redeem(
    desk: &mut Desk<'_>,
    application: &Application,
    parameters: &Parameters,
) -> Result<Value, Failure> {
    let text = parameters.need("code")?;
    let redirect_url = parameters.need("redirect_uri")?;
    let verifier = parameters.find("code_verifier");
    let now = desk.now();
    let code = desk.state.codes.get_mut(text);
    let code = code.filter(|code| code.request.grant.client_id == application.client_id);
    let code = code.ok_or_else(malformed_grant)?;
    if code.is_redeemed {
        // Whoever has the code may have the tokens too (RFC 6749, 4.1.2).
        let family = code.family;
        desk.state.dead_families.insert(family);
        let text =
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code.";
        return Err(Failure::invalid_grant(54_005, text));
    }
    if now.duration_since(code.issued_at) > CODE_LIFETIME {
        let text = "The provided authorization code or refresh token has expired.";
        return Err(Failure::invalid_grant(70_008, text));
    }
    matches(code, redirect_url, verifier)?;
    code.is_redeemed = true;
    let (grant, family) = (code.request.grant.clone(), code.family);
    desk.issue(&grant, family)
}

/// Whether who redeems the code is who asked for it.
fn matches(code: &Code, redirect_url: &str, verifier: Option<&str>) -> Result<(), Failure> {
    if code.request.redirect_url != redirect_url {
        let text = "The reply address does not match the reply address provided when requesting \
                    the authorization code.";
        return Err(Failure::invalid_grant(500_112, text));
    }
    let hashed = verifier.map(|verifier| encode(digest(&SHA256, verifier.as_bytes()).as_ref()));
    if code.request.challenge == hashed {
        return Ok(());
    }
    let text = "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
    Err(Failure::invalid_grant(501_481, text))
}

fn as_itself(
    desk: &mut Desk<'_>,
    application: &Application,
    parameters: &Parameters,
) -> Result<Value, Failure> {
    if is_any_tenant(desk.tenant) {
        let text = "No tenant-identifying information found in either the request or implied by any \
                    provided credentials.";
        return Err(Failure::invalid_request(50_059, text));
    }
    if !application.is_confidential() {
        let text = "A public client cannot call as itself.";
        return Err(Failure::invalid_client(7_000_218, text));
    }
    let grant = Grant {
        client_id: application.client_id.clone(),
        has_user: false,
        resource: resource(desk, parameters)?,
        scopes: Vec::new(),
        wants_id_token: false,
        wants_refresh_token: false,
        nonce: None,
    };
    let family = desk.state.next_number();
    desk.issue(&grant, family)
}

/// The resource of an application's own token: `scope` is `{resource}/.default`, or AD FS's `resource`.
fn resource(desk: &Desk<'_>, parameters: &Parameters) -> Result<String, Failure> {
    let asked = if let Some(resource) = parameters.find("resource") {
        resource
    } else {
        let scope = parameters.need("scope")?;
        scope.strip_suffix("/.default").ok_or_else(|| {
            let text = format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have \
                 a scope value with /.default suffixed to the resource identifier."
            );
            Failure::new("invalid_scope", 1_002_012, text)
        })?
    };
    if desk.settings.knows_resource(asked) {
        return Ok(asked.to_owned());
    }
    let text = format!("The resource principal named {asked} was not found in the tenant.");
    Err(Failure::new("invalid_resource", 500_011, text))
}

fn refresh(
    desk: &mut Desk<'_>,
    application: &Application,
    parameters: &Parameters,
) -> Result<Value, Failure> {
    let text = parameters.need("refresh_token")?;
    let rotation = desk.settings.rotation;
    let record = desk.state.refreshes.get_mut(text);
    let record = record.filter(|one| one.grant.client_id == application.client_id);
    let record = record.ok_or_else(malformed_grant)?;
    let (mut grant, family, uses) = (record.grant.clone(), record.family, record.uses);
    if desk.state.dead_families.contains(&family) {
        let text =
            "The provided grant has expired due to it being revoked, a fresh auth token is needed.";
        return Err(Failure::invalid_grant(50_173, text));
    }
    let is_dead = match rotation {
        RefreshRotation::OldDies => uses > 0,
        RefreshRotation::OldWorksOnceMore => uses > 1,
        RefreshRotation::OldStaysGood | RefreshRotation::Never => false,
    };
    if is_dead {
        desk.state.dead_families.insert(family);
        return Err(malformed_grant());
    }
    if let Some(scope) = parameters.find("scope") {
        let asked = grant_of(desk.settings, application, scope)?;
        grant
            .scopes
            .retain(|granted| asked.scopes.contains(granted));
    }
    record.uses += 1;
    desk.renew(&grant, family)
}

fn malformed_grant() -> Failure {
    let text = "The provided value for the input parameter 'code' or 'refresh_token' is not valid.";
    Failure::invalid_grant(70_000, text)
}
