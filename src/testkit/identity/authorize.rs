//! The browser's way: from the authorization request to the way back.

use super::application::Application;
use super::consent_page;
use super::failure::Failure;
use super::issue::Desk;
use super::parameters::{Parameters, with_query};
use super::reply::Reply;
use super::settings::Settings;
use super::state::{Code, Grant, Request};
use super::user::UserBehaviour;

const OTHER_ISSUER: &str = "https://login.other.example/v2.0";

/// Answers an authorization request.
///
/// Whoever is not registered, or names a redirect URL that is not, is told so on a page: never sent anywhere.
pub(super) fn authorize(desk: &mut Desk<'_>, parameters: &Parameters) -> Reply {
    let (redirect_url, application) = match whereto(desk, parameters) {
        Ok(known) => known,
        Err(failure) => return on_page(desk, &failure),
    };
    let state = parameters.find("state").map(str::to_owned);
    match understand(desk.settings, &application, parameters) {
        Err(failure) => refuse(desk, &redirect_url, state.as_deref(), &failure),
        Ok((grant, challenge)) => {
            let request = Request {
                grant,
                redirect_url,
                state,
                challenge,
            };
            face(desk, request)
        }
    }
}

/// Answers the consent page's form.
pub(super) fn consent(desk: &mut Desk<'_>, parameters: &Parameters) -> Reply {
    let ticket = parameters.find("ticket").unwrap_or_default();
    let Some(request) = desk.state.waiting.remove(ticket) else {
        let failure = Failure::invalid_request(90_100, "The consent has already been answered.");
        return on_page(desk, &failure);
    };
    match parameters.find("decision") {
        Some("accept") => send_back(desk, request, UserBehaviour::Accepts),
        _ => decline(desk, &request),
    }
}

fn whereto(desk: &Desk<'_>, parameters: &Parameters) -> Result<(String, Application), Failure> {
    let application = desk.state.application(parameters.need("client_id")?)?;
    let url = parameters.need("redirect_uri")?;
    if application.allows_redirect(url) {
        return Ok((url.to_owned(), application.clone()));
    }
    let text = "The redirect URI specified in the request does not match the redirect URIs \
                configured for the application.";
    Err(Failure::invalid_request(50_011, text))
}

fn understand(
    settings: &Settings,
    application: &Application,
    parameters: &Parameters,
) -> Result<(Grant, Option<String>), Failure> {
    if parameters.find("response_type") != Some("code") {
        let text = "The response_type is not supported.";
        return Err(Failure::new("unsupported_response_type", 700_054, text));
    }
    if parameters
        .find("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(Failure::invalid_request(
            70_007,
            "The response_mode is not supported.",
        ));
    }
    let challenge = challenge(settings, parameters)?;
    let mut grant = grant_of(settings, application, parameters.need("scope")?)?;
    if let Some(resource) = parameters.find("resource") {
        grant_resource(settings, application, &mut grant, resource)?;
    }
    grant.nonce = parameters.find("nonce").map(str::to_owned);
    Ok((grant, challenge))
}

/// AD FS's way to name the resource; with no scope of it all permissions are meant.
fn grant_resource(
    settings: &Settings,
    application: &Application,
    grant: &mut Grant,
    resource: &str,
) -> Result<(), Failure> {
    if !settings.knows_resource(resource) {
        let text = format!("The resource principal named {resource} was not found in the tenant.");
        return Err(Failure::new("invalid_resource", 500_011, text));
    }
    resource.clone_into(&mut grant.resource);
    if grant.scopes.is_empty() {
        grant.scopes.clone_from(&application.scopes);
    }
    Ok(())
}

/// PKCE (RFC 7636); `plain` is not taken.
fn challenge(settings: &Settings, parameters: &Parameters) -> Result<Option<String>, Failure> {
    const LENGTH: usize = 43;
    let challenge = parameters.find("code_challenge");
    let method = parameters.find("code_challenge_method");
    match (challenge, method) {
        (None, None) if !settings.needs_pkce => Ok(None),
        (Some(challenge), Some("S256")) if challenge.len() == LENGTH => {
            Ok(Some(challenge.to_owned()))
        }
        (None, _) => {
            let text = "Proof Key for Code Exchange is required.";
            Err(Failure::invalid_request(9_002_325, text))
        }
        _ => {
            let text = "The code challenge has not the form that S256 gives it.";
            Err(Failure::invalid_request(501_491, text))
        }
    }
}

/// What is granted of the scopes that are asked for; permissions that the application has not are left out.
pub(super) fn grant_of(
    settings: &Settings,
    application: &Application,
    scope: &str,
) -> Result<Grant, Failure> {
    let mut grant = Grant {
        client_id: application.client_id.clone(),
        has_user: true,
        resource: settings.resources.first().cloned().unwrap_or_default(),
        scopes: Vec::new(),
        wants_id_token: false,
        wants_refresh_token: false,
        nonce: None,
    };
    for one in scope.split_whitespace() {
        match one {
            "openid" => grant.wants_id_token = true,
            "offline_access" => grant.wants_refresh_token = true,
            "profile" | "email" => {}
            _ => add_scope(settings, application, &mut grant, one)?,
        }
    }
    Ok(grant)
}

fn add_scope(
    settings: &Settings,
    application: &Application,
    grant: &mut Grant,
    scope: &str,
) -> Result<(), Failure> {
    let (resource, name) = scope.rsplit_once('/').unwrap_or((&grant.resource, scope));
    if !settings.knows_resource(resource) {
        let text = "The provided value for the input parameter 'scope' is not valid.";
        return Err(Failure::new("invalid_scope", 70_011, text));
    }
    grant.resource = resource.to_owned();
    let granted = |one: &&String| name == ".default" || *one == name;
    let more: Vec<_> = application.scopes.iter().filter(granted).cloned().collect();
    grant.scopes.extend(more);
    Ok(())
}

/// Does what the user does.
fn face(desk: &mut Desk<'_>, request: Request) -> Reply {
    match desk.state.behaviour {
        UserBehaviour::Declines => decline(desk, &request),
        UserBehaviour::NotAdministrator => {
            let text = "The grant requires administrator permission.";
            let failure = Failure::new("access_denied", 90_094, text);
            let state = request.state.as_deref();
            refuse(desk, &request.redirect_url, state, &failure)
        }
        UserBehaviour::NeverReturns => consent_page::tell(200, "You can close this window now."),
        UserBehaviour::Interactive => {
            let ticket = desk.state.next_text("ticket");
            let scope = request.grant.scopes.join(" ");
            let client_id = request.grant.client_id.clone();
            desk.state.waiting.insert(ticket.clone(), request);
            let action = match desk.tenant {
                "" => "/consent".to_owned(),
                tenant => format!("/{tenant}/consent"),
            };
            consent_page::ask(&action, &ticket, &client_id, &scope)
        }
        behaviour => send_back(desk, request, behaviour),
    }
}

fn decline(desk: &mut Desk<'_>, request: &Request) -> Reply {
    let text = "User declined to consent to access the app.";
    let failure = Failure::new("access_denied", 65_004, text);
    let state = request.state.as_deref();
    refuse(desk, &request.redirect_url, state, &failure)
}

fn send_back(desk: &mut Desk<'_>, request: Request, behaviour: UserBehaviour) -> Reply {
    let code = desk.state.next_text("code");
    let (url, state) = (request.redirect_url.clone(), request.state.clone());
    let record = Code {
        request,
        issued_at: desk.now(),
        family: desk.state.next_number(),
        is_redeemed: false,
    };
    desk.state.codes.insert(code.clone(), record);
    let state = match behaviour {
        UserBehaviour::ReturnsWrongState => Some("another state".to_owned()),
        UserBehaviour::ReturnsWithoutState => None,
        _ => state,
    };
    let issuer = match behaviour {
        UserBehaviour::ReturnsWrongIssuer => Some(OTHER_ISSUER.to_owned()),
        UserBehaviour::ReturnsWithoutIssuer => None,
        _ => desk.settings.sends_issuer.then(|| desk.issuer()),
    };
    let mut parameters = vec![("code", code.as_str())];
    parameters.extend(state.as_deref().map(|state| ("state", state)));
    parameters.push(("session_state", "00000000-0000-4000-9000-000000000001"));
    parameters.extend(issuer.as_deref().map(|issuer| ("iss", issuer)));
    redirect(&with_query(&url, &parameters))
}

/// Sends the browser back with an error (RFC 6749, 4.1.2.1).
fn refuse(desk: &mut Desk<'_>, url: &str, state: Option<&str>, failure: &Failure) -> Reply {
    *desk
        .state
        .statistics
        .refusals
        .entry(failure.number)
        .or_default() += 1;
    let description = failure.description(&desk.trace);
    let issuer = desk.settings.sends_issuer.then(|| desk.issuer());
    let mut parameters = vec![
        ("error", failure.error.as_str()),
        ("error_description", description.as_str()),
    ];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.extend(issuer.as_deref().map(|issuer| ("iss", issuer)));
    redirect(&with_query(url, &parameters))
}

fn redirect(url: &str) -> Reply {
    Reply::new(302).with_header(hyper::header::LOCATION, url)
}

fn on_page(desk: &mut Desk<'_>, failure: &Failure) -> Reply {
    *desk
        .state
        .statistics
        .refusals
        .entry(failure.number)
        .or_default() += 1;
    consent_page::tell(failure.status, &failure.description(&desk.trace))
}
