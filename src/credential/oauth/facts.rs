//! What an access token says about itself. It is read, not believed: the service that it is for checks it.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::credential::AccessToken;

/// Bytes of a token that are looked at.
const LONGEST: usize = 64 << 10;

/// The claims of an access token that say what it allows. It holds no secret.
///
/// Names: Microsoft, "Access token claims reference"; RFC 9068.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TokenFacts {
    /// The permissions: an application's (`roles`) and a person's (`scp`), as the token lists them.
    pub permissions: Vec<String>,
    /// Whether the token is an application's: it has no `scp`.
    pub application: bool,
    /// When it ends (`exp`).
    pub expires_at: Option<Timestamp>,
    /// The tenant (`tid`).
    pub tenant_id: Option<String>,
    /// Whom it is for (`aud`).
    pub audiences: Vec<String>,
    /// The application (`appid`, `azp` or `client_id`).
    pub application_id: Option<String>,
}

impl TokenFacts {
    /// Reads a token that is a JWT (RFC 7519); `None` for one that is not, which is no error: tokens are their service's own.
    pub fn read(token: &AccessToken) -> Option<Self> {
        Self::of_text(token.token.expose_secret())
    }

    /// Of these permissions the ones that the token lacks.
    pub fn missing<'a>(&self, needed: &[&'a str]) -> Vec<&'a str> {
        let lacks = |one: &&&str| !self.permissions.iter().any(|own| own == **one);
        needed.iter().filter(lacks).copied().collect()
    }

    /// The permissions that the token has beyond these.
    pub fn beyond(&self, needed: &[&str]) -> Vec<&str> {
        let own = self.permissions.iter().map(String::as_str);
        own.filter(|own| !needed.contains(own)).collect()
    }

    pub(super) fn of_text(token: &str) -> Option<Self> {
        let claims = claims_of(token)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let roles = texts(claims.get("roles"));
        let scopes = text("scp").or_else(|| text("scope"));
        let scopes = scopes.map(|scopes| scopes.split_whitespace().map(str::to_owned));
        let application_id = text("appid")
            .or_else(|| text("azp"))
            .or_else(|| text("client_id"));
        Some(Self {
            application: scopes.is_none(),
            permissions: roles
                .into_iter()
                .chain(scopes.into_iter().flatten())
                .collect(),
            expires_at: claims.get("exp").and_then(time_of),
            tenant_id: text("tid").map(str::to_owned),
            audiences: texts(claims.get("aud")),
            application_id: application_id.map(str::to_owned),
        })
    }
}

impl AccessToken {
    /// What the token says about itself, where it can be read.
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth2")))]
    pub fn facts(&self) -> Option<TokenFacts> {
        TokenFacts::read(self)
    }
}

/// The payload of a JWT, unchecked.
pub(super) fn claims_of(token: &str) -> Option<Value> {
    let mut parts = token.split('.').filter(|_| token.len() <= LONGEST);
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.is_object().then_some(claims)
}

/// A time in seconds (RFC 7519, 2), fractions cut off.
pub(super) fn time_of(value: &Value) -> Option<Timestamp> {
    #[allow(clippy::cast_possible_truncation)]
    let whole = |seconds: f64| seconds as i64;
    let seconds = value.as_i64().or_else(|| value.as_f64().map(whole))?;
    Timestamp::from_second(seconds).ok()
}

/// One text, or a list of them.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => {
            let all = all.iter().filter_map(Value::as_str);
            all.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value) -> String {
        let part = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
        format!(
            "{}.{}.{}",
            part("{\"alg\":\"none\"}"),
            part(&claims.to_string()),
            part("x")
        )
    }

    #[test]
    fn the_claims_of_an_application_and_of_a_person_are_read() {
        let facts = TokenFacts::of_text(&token(&serde_json::json!({
            "aud": "https://outlook.office365.com", "tid": "t", "appid": "a", "exp": 1_790_000_000,
            "roles": ["full_access_as_app", "Mail.Read"],
        })));
        let expected = TokenFacts {
            permissions: vec!["full_access_as_app".into(), "Mail.Read".into()],
            application: true,
            expires_at: Timestamp::from_second(1_790_000_000).ok(),
            tenant_id: Some("t".into()),
            audiences: vec!["https://outlook.office365.com".into()],
            application_id: Some("a".into()),
        };
        assert_eq!(facts.as_ref(), Some(&expected));
        assert_eq!(expected.missing(&["full_access_as_app", "x"]), ["x"]);
        assert_eq!(expected.beyond(&["full_access_as_app"]), ["Mail.Read"]);
        let facts = TokenFacts::of_text(&token(&serde_json::json!({
            "aud": ["a", "b"], "scp": "EWS.AccessAsUser.All openid", "azp": "z", "exp": 1.5,
        })))
        .unwrap_or_default();
        assert_eq!(facts.permissions, ["EWS.AccessAsUser.All", "openid"]);
        assert_eq!(
            (facts.application, facts.application_id.as_deref()),
            (false, Some("z"))
        );
        assert_eq!(facts.audiences, ["a", "b"]);
    }

    #[test]
    fn a_token_that_is_no_jwt_is_not_known_and_no_error() {
        for text in [
            "",
            "opaque",
            "a.b",
            "a.b.c",
            "a.b.c.d",
            "e30.W10.e30",
            "e30.bnVsbA.x",
        ] {
            assert_eq!(TokenFacts::of_text(text), None, "{text}");
        }
        let long = format!("e30.{}.x", "e".repeat(LONGEST));
        assert_eq!(TokenFacts::of_text(&long), None);
    }
}
