//! JSON Web Tokens signed with RSA keys (RFC 7515, RFC 7517, RFC 7518 sections 3.3, 3.5 and 6.3).

use std::io;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key that signs tokens.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    public: VerifyingKey,
}

/// A key that checks signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerifyingKey {
    kid: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// A token taken apart; nothing of it has been checked.
pub(crate) struct Unchecked<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) signed: &'a str,
    pub(crate) signature: Vec<u8>,
}

impl SigningKey {
    /// A new key; its id is the beginning of the digest of its public half.
    pub(crate) fn generate() -> io::Result<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        let der = pair.public_key().as_ref();
        let kid = encode(&blake3::hash(der).as_bytes()[..20]);
        let (modulus, exponent) =
            rsa_public_key(der).ok_or_else(|| io::Error::other("an RSA key of another form"))?;
        let public = VerifyingKey {
            kid,
            modulus,
            exponent,
        };
        Ok(Self { pair, public })
    }

    pub(crate) fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs claims with RS256; `None` when the library cannot.
    pub(crate) fn sign(&self, claims: &Value) -> Option<String> {
        let kid = self.public.kid.as_str();
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": kid, "x5t": kid});
        let signed = format!("{}.{}", encode_json(&header), encode_json(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                signed.as_bytes(),
                &mut signature,
            )
            .ok()?;
        Some(format!("{signed}.{}", encode(&signature)))
    }
}

impl VerifyingKey {
    /// The RSA signing keys of a JSON Web Key Set.
    pub(crate) fn of_set(jwks: &Value) -> Vec<Self> {
        let keys = jwks.get("keys").and_then(Value::as_array);
        keys.into_iter().flatten().filter_map(Self::of).collect()
    }

    fn of(jwk: &Value) -> Option<Self> {
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        (member("kty") == Some("RSA")).then_some(())?;
        Some(Self {
            kid: member("kid").unwrap_or_default().to_owned(),
            modulus: decode(member("n")?)?,
            exponent: decode(member("e")?)?,
        })
    }

    pub(crate) fn jwk(&self) -> Value {
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "x5t": self.kid,
            "n": encode(&self.modulus), "e": encode(&self.exponent),
        })
    }

    /// Whether this key signed the token.
    pub(crate) fn has_signed(&self, token: &Unchecked<'_>) -> bool {
        let key = RsaPublicKeyComponents {
            n: &self.modulus,
            e: &self.exponent,
        };
        let message = token.signed.as_bytes();
        token.header_text("alg") == Some("RS256")
            && token.header_text("kid").is_none_or(|kid| kid == self.kid)
            && key
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, &token.signature)
                .is_ok()
    }
}

impl<'a> Unchecked<'a> {
    /// Takes a token apart; `None` when it has not the form of a signed one.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: serde_json::from_slice(&decode(header)?).ok()?,
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
            signed,
            signature: decode(signature)?,
        })
    }

    pub(crate) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.claims.get(name).and_then(Value::as_i64)
    }
}

/// Unpadded base64url.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

fn encode_json(value: &Value) -> String {
    encode(value.to_string().as_bytes())
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017, A.1.1).
fn rsa_public_key(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let (content, _) = der_value(der, SEQUENCE)?;
    let (modulus, rest) = der_value(content, INTEGER)?;
    let (exponent, _) = der_value(rest, INTEGER)?;
    Some((unsigned(modulus), unsigned(exponent)))
}

/// The content of the first DER value, which has this tag, and what follows it.
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    (*found == tag).then_some(())?;
    if *first < 0x80 {
        return rest.split_at_checked(usize::from(*first));
    }
    let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    let length = length.iter().try_fold(0_usize, |sum, byte| {
        Some(sum.checked_mul(256)? + usize::from(*byte))
    })?;
    rest.split_at_checked(length)
}

/// A positive DER integer without the zero that keeps it positive.
fn unsigned(integer: &[u8]) -> Vec<u8> {
    integer.strip_prefix(&[0]).unwrap_or(integer).to_vec()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_accepted_by_its_own_key_alone_and_only_unchanged() {
        let [key, other] = [(); 2].map(|()| SigningKey::generate().unwrap());
        let token = key.sign(&json!({"tid": "t", "exp": 7})).unwrap();
        let parsed = Unchecked::parse(&token).unwrap();
        assert_eq!(parsed.text("tid"), Some("t"));
        assert_eq!(parsed.number("exp"), Some(7));
        assert!(key.public().has_signed(&parsed));
        assert!(!other.public().has_signed(&parsed));
        let forged = token.replacen(parsed.signed, "eyJhbGciOiJSUzI1NiJ9.e30", 1);
        assert!(!key.public().has_signed(&Unchecked::parse(&forged).unwrap()));
        for broken in ["", "a", "a.b", "a.b.c", ".."] {
            assert!(Unchecked::parse(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn a_key_survives_its_json_form() {
        let key = SigningKey::generate().unwrap();
        let set = json!({"keys": [{"kty": "EC", "kid": "x"}, key.public().jwk()]});
        assert_eq!(VerifyingKey::of_set(&set), [key.public().clone()]);
        assert_eq!(key.public().jwk()["e"], "AQAB");
    }
}
