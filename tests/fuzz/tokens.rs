//! What an identity service and a server that signs in send: token answers, tokens, NTLM challenges.

use std::sync::OnceLock;

use email_logging::credential::testing::{ISSUER, check_id_token, read_token_answer};
use email_logging::credential::{AccessToken, TokenFacts};
use email_logging::source::ews::testing;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::engine::{Target, run};
use super::soap::now;

/// The first byte chooses the status. Neither an error nor `Debug` shows a token.
fn check_answer(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else {
        return;
    };
    let status = [200, 201, 400, 401, 403, 404][usize::from(*choice) % 6];
    let read = now(read_token_answer(status, body));
    let shown = match &read {
        Ok(granted) => granted.shown.clone(),
        Err(error) => format!("{error} {error:?}"),
    };
    // What stands after the object is not looked at.
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let sent = values.next().and_then(Result::ok).unwrap_or_default();
    for name in ["access_token", "refresh_token", "id_token"] {
        let token = sent.get(name).and_then(Value::as_str).unwrap_or_default();
        assert!(
            token.len() < 12 || !shown.contains(token),
            "{name} is shown"
        );
    }
    let Ok(granted) = read else { return };
    assert!((200..300).contains(&status), "a grant with status {status}");
    assert_eq!(
        sent.get("access_token").and_then(Value::as_str),
        Some(&*granted.access_token)
    );
    let scopes: usize = granted.scopes.iter().flatten().map(String::len).sum();
    assert!(scopes <= 3 * body.len());
}

#[test]
fn token_answers() {
    run(Target {
        name: "token_answers",
        words: &[
            "\"access_token\":\"",
            "\"refresh_token\":\"canary-refresh-token\"",
            "\"expires_in\":3600",
            "\"expires_in\":\"3600\"",
            "\"expires_in\":-1",
            "\"expires_in\":1e400",
            "\"token_type\":\"Bearer\"",
            "\"token_type\":\"mac\"",
            "\"scope\":\"a b\"",
            "\"error\":\"invalid_grant\"",
            "\"error_description\":\"AADSTS70000: canary\"",
            "\"id_token\":\"a.b.c\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            "null",
            "\\u0000",
            "\\ud800",
        ],
        made: Vec::new,
        check: check_answer,
    });
}

/// What a token says about itself is bounded by it.
fn check_facts(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let token = AccessToken::new(&*text, None);
    let Some(facts) = TokenFacts::read(&token) else {
        return;
    };
    assert_eq!(text.matches('.').count(), 2);
    let lists = facts.permissions.iter().chain(&facts.audiences);
    let weight: usize = lists.map(String::len).sum();
    assert!(weight <= 3 * text.len());
    // Any payload of JSON, with the parts of a token around it.
    let payload = base64_simd::URL_SAFE_NO_PAD.encode_to_string(input);
    drop(TokenFacts::read(&AccessToken::new(
        format!("e30.{payload}.x"),
        None,
    )));
}

#[test]
fn access_tokens() {
    run(Target {
        name: "access_tokens",
        words: &[
            ".",
            "e30",
            "eyJleHAiOjFlOTl9",
            "W10",
            "bnVsbA",
            "=",
            "-",
            "_",
            "{\"exp\":1e99}",
            "{\"aud\":[1,\"a\"]}",
        ],
        made: Vec::new,
        check: check_facts,
    });
}

const CLIENT: &str = "client-of-the-fuzzer";
const NONCE: &str = "nonce-of-the-fuzzer";
const SIGNED_AT: i64 = 1_790_000_000;

/// A token that is right, with the set of its key.
fn right() -> &'static (String, String) {
    static RIGHT: OnceLock<(String, String)> = OnceLock::new();
    RIGHT.get_or_init(|| {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let point = pair.public_key_raw();
        let part = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256",
            "x": part(&point[1..33]), "y": part(&point[33..]),
        }]});
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("k".into());
        let claims = json!({
            "iss": ISSUER, "aud": CLIENT, "nonce": NONCE, "exp": SIGNED_AT + 600, "sub": "s",
        });
        let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        assert!(
            accepts(&token, keys.to_string().as_bytes()),
            "the right token is refused"
        );
        (token, keys.to_string())
    })
}

fn accepts(token: &str, keys: &[u8]) -> bool {
    let signed_at = Timestamp::from_second(SIGNED_AT).unwrap();
    check_id_token(token, keys, CLIENT, NONCE, signed_at).is_ok()
}

/// A token and a key set, separated by a line end: no token but the right one is accepted, with whatever keys.
fn check_id(input: &[u8]) {
    let (token, keys) = right();
    let at = input
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(input.len());
    let (sent, rest) = input.split_at(at);
    let sent = String::from_utf8_lossy(sent);
    for keys in [rest, keys.as_bytes()] {
        assert!(!accepts(&sent, keys) || sent == *token, "accepted: {sent}");
    }
}

#[test]
fn id_tokens() {
    run(Target {
        name: "id_tokens",
        words: &[
            ".",
            "\n",
            "eyJhbGciOiJub25lIn0",
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJhbGciOiJSUzI1NiJ9",
            "e30",
            "=",
            "\"kty\":\"oct\"",
            "\"k\":\"AA\"",
            "\"alg\":\"HS256\"",
            "\"alg\":\"none\"",
            "\"kid\":\"k\"",
            "\"crv\":\"P-384\"",
            "{\"keys\":[]}",
            ",",
            "\"n\":\"AQAB\"",
            "\"e\":\"AQAB\"",
        ],
        made: || {
            let (token, keys) = right();
            vec![format!("{token}\n{keys}").into_bytes()]
        },
        check: check_id,
    });
}

/// What goes back for a challenge is the server's attributes and three of ours.
fn check_challenge(input: &[u8]) {
    let Some(answer) = testing::ntlm_answer(input) else {
        return;
    };
    assert!(input.starts_with(b"NTLMSSP\0"));
    assert!(answer.len() <= input.len() + 80, "{} bytes", answer.len());
    assert!(answer.ends_with(&[0; 4]));
}

#[test]
fn ntlm_challenges() {
    run(Target {
        name: "ntlm_challenges",
        words: &[
            "NTLMSSP\0",
            "\u{2}\0\0\0",
            "\0\0\0\0",
            "\u{1}\0",
            "\u{9}\0",
            "\u{a}\0\u{10}\0",
            "\u{7}\0\u{8}\0",
        ],
        made: Vec::new,
        check: check_challenge,
    });
}
