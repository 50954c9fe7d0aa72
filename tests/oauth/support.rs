//! What the sign-in tests share: an identity service of a few scripted answers, and keys that sign for it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock;
use email_logging::credential::{
    ClientCertificate, CredentialProvider, IdentityService, MicrosoftCloud, StaticCredentials,
};
use email_logging::{Result, Scope};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub const OTHER_TENANT: &str = "99999999-2222-3333-4444-555555555555";
pub const REDIRECT: &str = "https://erp.example.com/OAuthLanding.htm";

/// A clock that moves only by waiting.
#[derive(Debug)]
pub struct HandClock(Mutex<Timestamp>);

impl Default for HandClock {
    fn default() -> Self {
        Self(Mutex::new(Timestamp::from_second(1_790_000_000).unwrap()))
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        *self.0.lock().unwrap() += SignedDuration::try_from(wait).unwrap();
    }
}

/// Answers in their order; the last one again and again.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<VecDeque<ResponseTemplate>>>);

impl Script {
    pub fn then(&self, answer: ResponseTemplate) -> &Self {
        self.0.lock().unwrap().push_back(answer);
        self
    }
}

impl Respond for Script {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let mut answers = self.0.lock().unwrap();
        match answers.len() {
            0 => ResponseTemplate::new(500),
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        }
    }
}

/// An identity service in Microsoft's shape, with one signing key (ES256).
pub struct Identity {
    pub server: MockServer,
    pub tokens: Script,
    pub keys: Mutex<Value>,
    key: rcgen::KeyPair,
}

impl Identity {
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        let tokens = Script::default();
        Mock::given(method("POST"))
            .and(path_regex("/token$"))
            .respond_with(tokens.clone())
            .mount(&server)
            .await;
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let issuer = format!("{}/{{tenantid}}/v2.0", server.uri());
        let mut jwk = public(&key, "k1");
        jwk["issuer"] = issuer.into();
        let identity = Self {
            server,
            tokens,
            keys: Mutex::new(json!({ "keys": [jwk] })),
            key,
        };
        identity.publish().await;
        identity
    }

    /// Publishes the keys.
    pub async fn publish(&self) {
        let keys = self.keys.lock().unwrap().clone();
        Mock::given(method("GET"))
            .and(path_regex("/keys$"))
            .respond_with(ResponseTemplate::new(200).set_body_json(keys))
            .with_priority(1)
            .mount(&self.server)
            .await;
    }

    pub fn service(&self, tenant: &str) -> IdentityService {
        IdentityService::microsoft(MicrosoftCloud::Worldwide, tenant)
            .with_authority(self.server.uri())
    }

    pub fn issuer(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0", self.server.uri())
    }

    /// The claims of a good identity token.
    pub fn claims(&self, nonce: &str) -> Value {
        json!({
            "iss": self.issuer(TENANT), "aud": "app-id", "tid": TENANT, "nonce": nonce,
            "sub": "s", "iat": 1_790_000_000, "exp": 1_790_003_600,
        })
    }

    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("k1".into());
        sign_with(&self.key, &header, claims)
    }

    /// The requests for tokens, as forms.
    pub async fn asked(&self) -> Vec<BTreeMap<String, String>> {
        let sent = self.server.received_requests().await.unwrap();
        let posts = sent.iter().filter(|sent| sent.method.as_str() == "POST");
        posts.map(form).collect()
    }

    pub async fn count(&self) -> usize {
        self.asked().await.len()
    }
}

pub fn sign_with(key: &rcgen::KeyPair, header: &Header, claims: &Value) -> String {
    let key = EncodingKey::from_ec_pem(key.serialize_pem().as_bytes()).unwrap();
    jsonwebtoken::encode(header, claims, &key).unwrap()
}

/// A public key as a JWK.
pub fn public(key: &rcgen::KeyPair, id: &str) -> Value {
    let point = key.public_key_raw();
    let text = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "kid": id,
        "x": text(&point[1..33]), "y": text(&point[33..65]), "x5t": "not base64!",
    })
}

pub fn form(request: &Request) -> BTreeMap<String, String> {
    let mut url = request.url.clone();
    url.set_query(Some(&String::from_utf8_lossy(&request.body)));
    url.query_pairs().into_owned().collect()
}

/// An unsigned JWT, as good as any to somebody for whom it is not.
pub fn jwt(claims: &Value) -> String {
    let part = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
    format!(
        "{}.{}.{}",
        part("{\"alg\":\"none\"}"),
        part(&claims.to_string()),
        part("x")
    )
}

pub fn token(text: &str) -> ResponseTemplate {
    with(
        json!({ "access_token": text, "token_type": "Bearer", "expires_in": 3600 }),
        json!({}),
    )
}

/// A token answer with more fields.
pub fn token_with(text: &str, more: Value) -> ResponseTemplate {
    with(
        json!({ "access_token": text, "token_type": "Bearer", "expires_in": 3600 }),
        more,
    )
}

fn with(mut base: Value, more: Value) -> ResponseTemplate {
    let Value::Object(more) = more else { panic!() };
    base.as_object_mut().unwrap().extend(more);
    ResponseTemplate::new(200).set_body_json(base)
}

/// A refusal with a description that must not be seen.
pub fn refused(name: &str, description: &str) -> ResponseTemplate {
    ResponseTemplate::new(400).set_body_json(json!({
        "error": name, "error_description": format!("{description} canary@example.com canary-token"),
    }))
}

pub fn account() -> Arc<dyn CredentialProvider> {
    Arc::new(
        StaticCredentials::new()
            .with_client_id("app-id")
            .with_client_secret("canary-secret"),
    )
}

/// A provider whose answers can be changed.
#[derive(Debug, Default)]
pub struct Changing {
    pub secret: Mutex<String>,
    pub certificate: Mutex<Option<ClientCertificate>>,
}

#[async_trait]
impl CredentialProvider for Changing {
    async fn client_id(&self, _: &Scope) -> Result<Option<String>> {
        Ok(Some("app-id".into()))
    }

    async fn client_secret(&self, _: &Scope) -> Result<Option<SecretString>> {
        Ok(Some(self.secret.lock().unwrap().as_str().into()))
    }

    async fn certificate(&self, _: &Scope) -> Result<Option<ClientCertificate>> {
        Ok(self.certificate.lock().unwrap().clone())
    }
}

/// Answers every path with 200; used to see that nothing comes.
pub async fn nobody() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/never"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    server
}
