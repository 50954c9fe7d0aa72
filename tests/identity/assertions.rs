//! Client assertions, signed here with the key of a certificate (RFC 7523).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use base64_simd::URL_SAFE_NO_PAD;
use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::identity::{Application, ClientCertificate};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::client::*;

/// 2026-01-01T00:00:00Z, what the clock shows.
const NOW: i64 = 1_767_225_600;

fn sign(by: &ClientCertificate, header: &Value, claims: &Value) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    let header_text = encode(header.to_string().as_bytes());
    let signed = format!("{header_text}.{}", encode(claims.to_string().as_bytes()));
    let key = PrivateKeyDer::from_pem_slice(by.key_pem.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(key.secret_der()).unwrap();
    let padding: &'static dyn RsaEncoding = match header["alg"].as_str() {
        Some("PS256") => &RSA_PSS_SHA256,
        _ => &RSA_PKCS1_SHA256,
    };
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        padding,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", encode(&signature))
}

fn header(of: &ClientCertificate, algorithm: &str) -> Value {
    let der = CertificateDer::from_pem_slice(of.certificate_pem.as_bytes()).unwrap();
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode_to_string(digest(algorithm, &der).as_ref());
    match algorithm {
        "PS256" => json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(&SHA256)}),
        other => json!({"alg": other, "typ": "JWT", "x5t": thumbprint(&SHA1_FOR_LEGACY_USE_ONLY)}),
    }
}

/// What each assertion is refused with, if it is.
fn assertions(url: &str, own: &ClientCertificate) -> Vec<(&'static str, String, Option<u64>)> {
    let other = ClientCertificate::generate(2040).unwrap();
    let good =
        json!({"iss": CLIENT, "sub": CLIENT, "aud": url, "jti": "1", "nbf": NOW, "exp": NOW + 60});
    let (rs256, ps256) = (header(own, "RS256"), header(own, "PS256"));
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        sign(own, &ps256, &claims)
    };
    let elsewhere = json!("https://other.example/token");
    let unregistered = sign(&other, &header(&other, "PS256"), &good);
    vec![
        ("RS256", sign(own, &rs256, &good), None),
        ("PS256", sign(own, &ps256, &good), None),
        ("another key", sign(&other, &rs256, &good), Some(700_027)),
        ("another certificate", unregistered, Some(700_027)),
        (
            "alg none",
            sign(own, &header(own, "none"), &good),
            Some(700_027),
        ),
        ("audience", with("aud", elsewhere), Some(700_023)),
        ("expired", with("exp", json!(NOW)), Some(700_024)),
        ("not yet", with("nbf", json!(NOW + 301)), Some(700_024)),
        ("issuer", with("iss", json!("another")), Some(700_021)),
        ("no token", "abc".to_owned(), Some(50_027)),
    ]
}

#[tokio::test]
async fn an_assertion_is_good_only_with_the_registered_key_for_this_service_and_in_time() {
    let own = ClientCertificate::generate(2040).unwrap();
    let application = Application::new(CLIENT)
        .with_certificate(&own.certificate_pem)
        .with_role("full_access_as_app");
    let clock = Arc::new(ManualClock::default());
    let identity = builder().with_clock(clock).start().await.unwrap();
    identity.register(application);
    let bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    for (what, assertion, expected) in assertions(&identity.token_url(), &own) {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_assertion_type", bearer),
            ("client_assertion", &assertion),
            ("scope", DEFAULT),
        ];
        let answer = post(&identity, &form).await;
        match expected {
            None => assert_eq!(answer.status, 200, "{what}: {}", answer.text),
            Some(number) => {
                let refusal = (401, "invalid_client".to_owned(), number);
                assert_eq!(answer.refusal(), refusal, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_that_is_none_is_told_at_the_start() {
    let application = Application::new(CLIENT).with_certificate("no certificate");
    let error = builder()
        .with_application(application)
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn the_debug_form_of_a_certificate_does_not_hold_the_key() {
    let certificate = ClientCertificate::generate(2040).unwrap();
    assert!(!format!("{certificate:?}").contains("PRIVATE"));
}
