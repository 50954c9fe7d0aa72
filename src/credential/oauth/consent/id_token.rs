//! The identity token: its signature by the keys that the service publishes, and its claims (OpenID Connect Core, 3.1.3.7).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::OPERATION;
use crate::credential::oauth::facts::{claims_of, texts, time_of};
use crate::credential::oauth::service::IdentityService;
use crate::error::{Error, Result, codes};

/// How far the clocks may be apart.
const SKEW: Duration = Duration::from_mins(5);

/// Algorithms with a public key; never a shared secret, never none.
const ALLOWED: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// What an identity token has to fit.
pub(super) struct Check<'a> {
    pub(super) service: &'a IdentityService,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a SecretString,
    pub(super) now: Timestamp,
}

/// Who signed in, as far as this crate wants to know.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) issuer: String,
    pub(super) tenant_id: Option<String>,
}

impl Check<'_> {
    /// Checks a token against the keys (a JWK set, RFC 7517).
    pub(super) fn identity(&self, token: &SecretString, keys: &[u8]) -> Result<Identity> {
        let token = token.expose_secret();
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid("header"))?;
        if header.crit.is_some() {
            // It names what has to be understood, and nothing of that is (RFC 7515, 4.1.11).
            return Err(invalid("crit"));
        }
        let key = self.key(&header, keys)?;
        verify(token, &header, &key.jwk)?;
        let claims = claims_of(token).ok_or_else(|| invalid("claims"))?;
        self.check_times(&claims)?;
        self.check_audience(&claims)?;
        self.check_nonce(&claims)?;
        let identity = self.check_issuer(&claims)?;
        let of_key = key.issuer.map(|issuer| with_tenant(&issuer, &identity));
        if of_key.is_some_and(|issuer| issuer != identity.issuer) {
            return Err(Error::new(&codes::OAUTH_ISSUER_MISMATCH, OPERATION));
        }
        Ok(identity)
    }

    /// Whether the key that the token names is among these.
    pub(super) fn knows_key(&self, token: &SecretString, keys: &[u8]) -> bool {
        let header = jsonwebtoken::decode_header(token.expose_secret());
        header.is_ok_and(|header| self.key(&header, keys).is_ok())
    }

    /// The one key with the id that the token names, or the only one where it names none. Keys for other uses do not count.
    fn key(&self, header: &Header, keys: &[u8]) -> Result<Key> {
        let set: Value = serde_json::from_slice(keys).map_err(|_| invalid("key set"))?;
        let all = set.get("keys").and_then(Value::as_array);
        let all = all.map(Vec::as_slice).unwrap_or_default();
        let all: Vec<_> = all.iter().filter(|key| verifies(key)).collect();
        let fits = |key: &&&Value| match &header.kid {
            Some(id) => key.get("kid").and_then(Value::as_str) == Some(id),
            None => all.len() == 1,
        };
        let found = all
            .iter()
            .find(fits)
            .ok_or_else(|| invalid("unknown key"))?;
        let issuer = found.get("issuer").and_then(Value::as_str);
        let issuer = issuer.filter(|_| self.service.has_tenants());
        let mut bare = Value::clone(found);
        if let Some(fields) = bare.as_object_mut() {
            // Certificates beside the key are not used, and not all services write them as the library wants them.
            fields.retain(|name, _| !name.starts_with("x5"));
        }
        Ok(Key {
            issuer: issuer.map(str::to_owned),
            jwk: serde_json::from_value(bare).map_err(|_| invalid("key"))?,
        })
    }

    fn check_times(&self, claims: &Value) -> Result<()> {
        let skew = SignedDuration::try_from(SKEW).unwrap_or_default();
        let ends = claims.get("exp").and_then(time_of);
        let ends = ends.ok_or_else(|| invalid("exp"))?;
        if self.now.duration_since(ends) >= skew {
            return Err(invalid("exp"));
        }
        let starts = claims.get("nbf").and_then(time_of);
        if starts.is_some_and(|starts| starts.duration_since(self.now) > skew) {
            return Err(invalid("nbf"));
        }
        Ok(())
    }

    fn check_audience(&self, claims: &Value) -> Result<()> {
        let audiences = texts(claims.get("aud"));
        let party = claims.get("azp").and_then(Value::as_str);
        let named = audiences.iter().any(|one| one == self.client_id);
        let is_party = party.is_none_or(|party| party == self.client_id);
        let alone = audiences.len() == 1 || party.is_some();
        if named && is_party && alone {
            Ok(())
        } else {
            Err(invalid("aud"))
        }
    }

    fn check_nonce(&self, claims: &Value) -> Result<()> {
        let came = claims.get("nonce").and_then(Value::as_str);
        let came = came.unwrap_or_default().as_bytes();
        if bool::from(came.ct_eq(self.nonce.expose_secret().as_bytes())) {
            Ok(())
        } else {
            Err(invalid("nonce"))
        }
    }

    fn check_issuer(&self, claims: &Value) -> Result<Identity> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let tenant_id = text("tid").map(str::to_owned);
        if self.service.has_tenants() && tenant_id.is_none() {
            return Err(invalid("tid"));
        }
        let tenant = tenant_id.as_deref().unwrap_or_default();
        if !self.service.is_of_pinned_tenant(tenant) {
            return Err(Error::new(&codes::OAUTH_TENANT_MISMATCH, OPERATION));
        }
        let expected = self.service.issuer_of(tenant_id.as_deref());
        let issuer = text("iss").unwrap_or_default();
        if expected.is_none_or(|expected| expected != issuer) {
            return Err(Error::new(&codes::OAUTH_ISSUER_MISMATCH, OPERATION));
        }
        Ok(Identity {
            issuer: issuer.to_owned(),
            tenant_id,
        })
    }
}

/// A key with the issuer that may use it, where the set says one, as Microsoft's does.
struct Key {
    issuer: Option<String>,
    jwk: Jwk,
}

/// Whether a key is for signatures, as far as it says for what (RFC 7517, 4.2 and 4.3).
fn verifies(key: &Value) -> bool {
    let for_signatures = key.get("use").is_none_or(|found| found == "sig");
    let operations = key.get("key_ops");
    let verifies =
        operations.is_none_or(|found| texts(Some(found)).iter().any(|one| one == "verify"));
    for_signatures && verifies
}

fn with_tenant(issuer: &str, identity: &Identity) -> String {
    let tenant = identity.tenant_id.as_deref().unwrap_or_default();
    issuer.replace("{tenantid}", tenant)
}

/// Checks the signature with the library's back end that this crate chose, whatever else the process has.
fn verify(token: &str, header: &Header, jwk: &Jwk) -> Result<()> {
    let is_public = matches!(
        jwk.algorithm,
        AlgorithmParameters::RSA(_) | AlgorithmParameters::EllipticCurve(_)
    );
    let named = jwk.common.key_algorithm.map(|named| named.to_string());
    let fits = named.is_none_or(|named| named == format!("{:?}", header.alg));
    if !is_public || !fits || !ALLOWED.contains(&header.alg) {
        return Err(invalid("algorithm"));
    }
    let key = DecodingKey::from_jwk(jwk).map_err(|_| invalid("key"))?;
    let (message, signature) = token.rsplit_once('.').ok_or_else(|| invalid("signature"))?;
    let signature = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(signature);
    let signature = signature.map_err(|_| invalid("signature"))?;
    let verifier = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&header.alg, &key);
    let outcome = verifier
        .map_err(|_| invalid("algorithm"))?
        .verify(message.as_bytes(), &signature);
    outcome.map_err(|_| invalid("signature"))
}

fn invalid(detail: &'static str) -> Error {
    Error::new(&codes::OAUTH_ID_TOKEN_INVALID, OPERATION).with_detail(detail)
}
