//! Making tokens: the claims, their flaws, and the answer that carries them.
//!
//! Claims from Microsoft, "Access token claims reference" and "ID token claims reference".

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::failure::{Failure, Trace};
use super::jwt::{decode, encode};
use super::metadata;
use super::settings::{AD_FS, RefreshRotation, Settings, TokenVersion, is_any_tenant};
use super::state::{Grant, Refresh, State, TokenFlaw};

/// A tenant and a provider that are not this one.
const OTHER_TENANT: &str = "99999999-9999-4999-8999-999999999999";
const OTHER_ISSUER: &str = "https://login.other.example/v2.0";
const USER_ID: &str = "22222222-3333-4444-8555-666666666666";
/// The directory role Global Administrator.
const ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const HOUR: i64 = 3600;

/// Where one request is served.
pub(super) struct Desk<'a> {
    pub(super) settings: &'a Settings,
    pub(super) state: &'a mut State,
    pub(super) base: &'a str,
    /// The tenant as the path names it.
    pub(super) tenant: &'a str,
    pub(super) trace: Trace,
}

impl Desk<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.trace.at
    }

    pub(super) fn issuer(&self) -> String {
        // Whoever asks a shared endpoint is answered by the one tenant that there is.
        let shared = is_any_tenant(self.tenant);
        let tenant = if shared {
            &self.settings.tenant_id
        } else {
            self.tenant
        };
        metadata::issuer(self.settings, self.base, tenant)
    }

    /// The token endpoint's answer; tokens of one `family` end together.
    pub(super) fn issue(&mut self, grant: &Grant, family: u64) -> Result<Value, Failure> {
        let lifetime = self.state.lifetime.as_secs();
        let mut answer = json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self.access_token(grant)?,
        });
        let mut add = |name: &str, value: String| answer[name] = Value::String(value);
        if grant.has_user {
            let scope = grant.scopes.iter();
            let scope: Vec<_> = scope
                .map(|name| format!("{}/{name}", grant.resource))
                .collect();
            add("scope", scope.join(" "));
        }
        if grant.wants_id_token {
            add("id_token", self.id_token(grant)?);
        }
        if grant.wants_refresh_token && grant.has_user {
            add("refresh_token", self.refresh_token(grant, family));
        }
        self.state.statistics.tokens += 1;
        Ok(answer)
    }

    /// What a refresh is answered with: a new refresh token only where tokens rotate.
    pub(super) fn renew(&mut self, grant: &Grant, family: u64) -> Result<Value, Failure> {
        let mut grant = grant.clone();
        grant.wants_refresh_token = self.settings.rotation != RefreshRotation::Never;
        self.issue(&grant, family)
    }

    fn refresh_token(&mut self, grant: &Grant, family: u64) -> String {
        let text = self.state.next_text("refresh");
        let (grant, uses) = (grant.clone(), 0);
        let record = Refresh {
            grant,
            family,
            uses,
        };
        self.state.refreshes.insert(text.clone(), record);
        text
    }

    fn access_token(&mut self, grant: &Grant) -> Result<String, Failure> {
        let uti = self.state.next_text("uti");
        let mut claims = self.common_claims(&uti);
        let audience = self.settings.audience.as_ref().unwrap_or(&grant.resource);
        claims.insert("aud".into(), json!(audience));
        match self.settings.token_version {
            TokenVersion::V1 => self.add_v1(&mut claims, grant),
            TokenVersion::V2 => add_all(
                &mut claims,
                json!({"ver": "2.0", "azp": grant.client_id, "azpacr": "1"}),
            ),
        }
        let permissions = self.permissions(grant)?;
        add_all(&mut claims, permissions);
        self.state.issued.push(uti);
        let token = self.sign(claims)?;
        self.state.access_tokens.push(token.clone());
        Ok(token)
    }

    fn add_v1(&self, claims: &mut Map<String, Value>, grant: &Grant) {
        let has_no_version = self.settings.issuer.is_none() && self.tenant != AD_FS;
        let issuer = if has_no_version {
            format!("{}/{}/", self.base, self.settings.tenant_id)
        } else {
            self.issuer()
        };
        add_all(
            claims,
            json!({
                "ver": "1.0",
                "iss": issuer,
                "appid": grant.client_id,
                "appidacr": "1",
            }),
        );
    }

    /// Roles of an application, or scopes and name of a user.
    fn permissions(&self, grant: &Grant) -> Result<Value, Failure> {
        if grant.has_user {
            return Ok(json!({
                "scp": grant.scopes.join(" "),
                "oid": USER_ID,
                "upn": self.settings.user_name,
                "unique_name": self.settings.user_name,
            }));
        }
        let roles = &self.state.application(&grant.client_id)?.roles;
        let subject = json!({"oid": grant.client_id, "sub": grant.client_id, "idtyp": "app"});
        // Where no role was consented the claim is missing, not empty.
        if roles.is_empty() {
            return Ok(subject);
        }
        let mut claims = subject;
        claims["roles"] = json!(roles);
        Ok(claims)
    }

    fn id_token(&mut self, grant: &Grant) -> Result<String, Failure> {
        let uti = self.state.next_text("uti");
        let mut claims = self.common_claims(&uti);
        let roles: &[&str] = &[ADMINISTRATOR];
        add_all(
            &mut claims,
            json!({
                "ver": "2.0",
                "aud": grant.client_id,
                "oid": USER_ID,
                "preferred_username": self.settings.user_name,
                "wids": roles,
            }),
        );
        if let Some(nonce) = &grant.nonce {
            claims.insert("nonce".into(), json!(nonce));
        }
        self.sign(claims)
    }

    fn common_claims(&self, uti: &str) -> Map<String, Value> {
        let now = self.now().as_second();
        let lifetime = i64::try_from(self.state.lifetime.as_secs()).unwrap_or(i64::MAX);
        let mut claims = Map::new();
        add_all(
            &mut claims,
            json!({
                "iss": self.issuer(),
                "iat": now,
                "nbf": now,
                "exp": now.saturating_add(lifetime),
                "tid": self.settings.tenant_id,
                "sub": USER_ID,
                "uti": uti,
            }),
        );
        claims
    }

    fn sign(&self, mut claims: Map<String, Value>) -> Result<String, Failure> {
        let flaw = self.state.flaw;
        if flaw == Some(TokenFlaw::Opaque) {
            return Ok("EwBwA8l6BAAU".to_owned());
        }
        if let Some(flaw) = flaw {
            spoil(&mut claims, flaw, self.now());
        }
        let key = self.state.keys.last();
        let token = key.and_then(|key| key.sign(&Value::Object(claims)));
        let token = match flaw {
            Some(TokenFlaw::WrongSignature) => token.map(|token| with_signature_broken(&token)),
            _ => token,
        };
        token.ok_or_else(|| Failure::new("server_error", 90_033, "A transient error has occurred."))
    }
}

/// The token with the signature turned around: well-formed, and worthless.
fn with_signature_broken(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    let mut bytes = decode(signature).unwrap_or_default();
    bytes.reverse();
    format!("{signed}.{}", encode(&bytes))
}

fn add_all(claims: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        claims.extend(more);
    }
}

fn spoil(claims: &mut Map<String, Value>, flaw: TokenFlaw, now: Timestamp) {
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    match flaw {
        TokenFlaw::WrongAudience => set("aud", json!("https://other.example")),
        TokenFlaw::WrongTenant => set("tid", json!(OTHER_TENANT)),
        TokenFlaw::WithoutTenant => claims.remove("tid"),
        TokenFlaw::WrongIssuer => set("iss", json!(OTHER_ISSUER)),
        TokenFlaw::WrongNonce => set("nonce", json!("another nonce")),
        TokenFlaw::Expired => set("exp", json!(now.as_second() - HOUR)),
        TokenFlaw::WithoutPermissions => claims.remove("scp").or_else(|| claims.remove("roles")),
        TokenFlaw::WrongSignature | TokenFlaw::Opaque => None,
    };
}
