//! How an application proves itself at the token endpoint (RFC 6749 2.3, RFC 7523 2.2).

use base64_simd::STANDARD;

use super::application::{Application, SecretVerdict};
use super::failure::Failure;
use super::issue::Desk;
use super::jwt::Unchecked;
use super::parameters::Parameters;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far the clock of a client may be off.
const SKEW_SECONDS: i64 = 300;

/// The application that asks; a public one needs no proof.
pub(super) fn authenticate(
    desk: &Desk<'_>,
    parameters: &Parameters,
    authorization: Option<&str>,
) -> Result<Application, Failure> {
    if let Some(header) = authorization {
        let (client_id, secret) = basic(header)?;
        return with_secret(desk, &client_id, &secret);
    }
    if let Some(assertion) = parameters.find("client_assertion") {
        return with_assertion(desk, parameters, assertion);
    }
    let client_id = parameters.need("client_id")?;
    if let Some(secret) = parameters.find("client_secret") {
        return with_secret(desk, client_id, secret);
    }
    let application = desk.state.application(client_id)?;
    if application.is_confidential() {
        let text = "The request body must contain the following parameter: 'client_assertion' or \
                    'client_secret'.";
        return Err(Failure::invalid_client(7_000_218, text));
    }
    Ok(application.clone())
}

/// User and password, each form-encoded before they were joined (RFC 6749, 2.3.1).
fn basic(header: &str) -> Result<(String, String), Failure> {
    let malformed = || Failure::invalid_client(7_000_216, "The Authorization header is malformed.");
    let credentials = header.strip_prefix("Basic ").ok_or_else(malformed)?;
    let bytes = STANDARD
        .decode_to_vec(credentials.trim())
        .map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (client_id, secret) = text.split_once(':').ok_or_else(malformed)?;
    Ok((form_decoded(client_id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map(|(name, _)| name.to_string())
        .unwrap_or_default()
}

fn with_secret(desk: &Desk<'_>, client_id: &str, secret: &str) -> Result<Application, Failure> {
    let application = desk.state.application(client_id)?;
    match application.judge_secret(secret) {
        SecretVerdict::Good => Ok(application.clone()),
        SecretVerdict::Expired => {
            let text =
                format!("The provided client secret keys for app '{client_id}' are expired.");
            Err(Failure::invalid_client(7_000_222, text))
        }
        SecretVerdict::Wrong => {
            let text = "Invalid client secret provided. Ensure the secret being sent in the request is \
                        the client secret value, not the client secret ID.";
            Err(Failure::invalid_client(7_000_215, text))
        }
    }
}

fn with_assertion(
    desk: &Desk<'_>,
    parameters: &Parameters,
    assertion: &str,
) -> Result<Application, Failure> {
    if parameters.find("client_assertion_type") != Some(JWT_BEARER) {
        let text = "The client_assertion_type is not supported.";
        return Err(Failure::invalid_request(900_144, text));
    }
    let malformed = || Failure::invalid_client(50_027, "The client assertion is malformed.");
    let assertion = Unchecked::parse(assertion).ok_or_else(malformed)?;
    let subject = assertion.text("sub").ok_or_else(malformed)?;
    let named = parameters.find("client_id").unwrap_or(subject);
    if assertion.text("iss") != Some(subject) || named != subject {
        let text = "The client assertion's issuer and subject must be the client id.";
        return Err(Failure::invalid_client(700_021, text));
    }
    let application = desk.state.application(subject)?;
    is_signed(application, &assertion)?;
    is_meant(desk, &assertion)?;
    Ok(application.clone())
}

fn is_signed(application: &Application, assertion: &Unchecked<'_>) -> Result<(), Failure> {
    let mut certificates = application.registered_certificates();
    let reason = match certificates.find(|one| one.is_named_by(assertion)) {
        None => "The key was not found.",
        Some(certificate) if certificate.has_signed(assertion) => return Ok(()),
        Some(_) => "The key was found, but use of the key to verify the signature failed.",
    };
    let text = format!("Client assertion failed signature validation. [Reason - {reason}]");
    Err(Failure::invalid_client(700_027, text))
}

fn is_meant(desk: &Desk<'_>, assertion: &Unchecked<'_>) -> Result<(), Failure> {
    let audience = assertion.text("aud").unwrap_or_default();
    let is_token_endpoint = audience.starts_with(desk.base) && audience.ends_with("/token");
    if !is_token_endpoint && audience != desk.issuer() {
        let text = "The audience of the client assertion is not this service.";
        return Err(Failure::invalid_client(700_023, text));
    }
    let now = desk.now().as_second();
    let ends = assertion.number("exp").unwrap_or(i64::MIN);
    let begins = assertion.number("nbf").unwrap_or(i64::MIN);
    if ends <= now || begins > now + SKEW_SECONDS {
        let text = "Client assertion is not within its valid time range.";
        return Err(Failure::invalid_client(700_024, text));
    }
    Ok(())
}
