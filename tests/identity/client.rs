//! A client and a browser so small that they hide nothing.

use std::collections::BTreeMap;

use email_logging::testkit::identity::{Application, SimulatedIdentity, SimulatedIdentityBuilder};
use reqwest::redirect::Policy;
use serde_json::Value;

pub(crate) const CLIENT: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub(crate) const SECRET: &str = "canary+secret/%&=";
pub(crate) const REDIRECT: &str = "https://erp.example/OAuthLanding.htm";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Of the verifier, from RFC 7636, appendix B.
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const SCOPE: &str =
    "https://outlook.office365.com/EWS.AccessAsUser.All offline_access openid";
pub(crate) const DEFAULT: &str = "https://outlook.office365.com/.default";

pub(crate) fn application() -> Application {
    Application::new(CLIENT)
        .with_secret(SECRET)
        .with_redirect_url(REDIRECT)
        .with_role("full_access_as_app")
        .with_scope("EWS.AccessAsUser.All")
}

pub(crate) fn builder() -> SimulatedIdentityBuilder {
    SimulatedIdentity::builder().with_application(application())
}

pub(crate) fn http() -> reqwest::ClientBuilder {
    // Only the first of many tests can install it, and all install the same.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().redirect(Policy::none())
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        Self::try_of(request).await.unwrap()
    }

    pub(crate) async fn try_of(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let location = response.headers().get("location");
        Ok(Self {
            status: response.status().as_u16(),
            location: location.map(|value| value.to_str().unwrap().to_owned()),
            text: response.text().await?,
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The text of a member, empty without it.
    pub(crate) fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    /// Status, `error` and AADSTS number.
    pub(crate) fn refusal(&self) -> (u16, String, u64) {
        let number = self.json()["error_codes"][0].as_u64().unwrap_or_default();
        (self.status, self.member("error"), number)
    }

    /// Where the browser is sent, without its query, and the parameters there.
    pub(crate) fn way_back(&self) -> (String, BTreeMap<String, String>) {
        let location = self.location.as_deref().unwrap_or_default();
        let url = reqwest::Url::parse(location).unwrap();
        let pairs = url.query_pairs();
        let parameters = pairs.map(|(name, value)| (name.to_string(), value.to_string()));
        let bare = location.split('?').next().unwrap_or_default();
        (bare.to_owned(), parameters.collect())
    }
}

/// The good authorization request with some parameters changed, or left out where the value is empty.
pub(crate) fn authorize_url(identity: &SimulatedIdentity, changes: &[(&str, &str)]) -> String {
    let mut parameters = BTreeMap::from([
        ("client_id", CLIENT),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", SCOPE),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("prompt", "consent"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    parameters.extend(changes.iter().copied());
    parameters.retain(|_, value| !value.is_empty());
    let url = reqwest::Url::parse_with_params(&identity.authorize_url(), parameters);
    url.unwrap().to_string()
}

pub(crate) async fn browse(identity: &SimulatedIdentity, changes: &[(&str, &str)]) -> Answer {
    let http = http().build().unwrap();
    Answer::of(http.get(authorize_url(identity, changes))).await
}

/// A code from an accepted consent.
pub(crate) async fn code(identity: &SimulatedIdentity) -> String {
    let (_, parameters) = browse(identity, &[]).await.way_back();
    parameters["code"].clone()
}

/// Asks the token endpoint of the tenant.
pub(crate) async fn post(identity: &SimulatedIdentity, form: &[(&str, &str)]) -> Answer {
    post_to(&identity.token_url(), form).await
}

pub(crate) async fn post_to(url: &str, form: &[(&str, &str)]) -> Answer {
    Answer::of(request_to(url, form)).await
}

pub(crate) fn request_to(url: &str, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let mut body = reqwest::Url::parse("form:").unwrap();
    body.query_pairs_mut().extend_pairs(form);
    let body = body.query().unwrap_or_default().to_owned();
    let http = http().build().unwrap();
    http.post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

pub(crate) async fn redeem(identity: &SimulatedIdentity, code: &str, verifier: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("redirect_uri", REDIRECT),
        ("code", code),
        ("code_verifier", verifier),
    ];
    post(identity, &form).await
}

pub(crate) async fn as_itself(identity: &SimulatedIdentity) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("scope", DEFAULT),
    ];
    post(identity, &form).await
}

pub(crate) async fn refresh(identity: &SimulatedIdentity, token: &str) -> Answer {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("refresh_token", token),
    ];
    post(identity, &form).await
}

/// Header or claims of a token, unchecked.
pub(crate) fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}
