//! Metadata, keys and certificates.

use email_logging::testkit::exchange::TlsCertificate;
use reqwest::Certificate;
use serde_json::Value;

use super::client::*;

async fn fetch(url: &str) -> Value {
    Answer::of(http().build().unwrap().get(url)).await.json()
}

fn key_ids(keys: &Value) -> Vec<String> {
    let keys = keys["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_metadata_names_the_endpoints() {
    let identity = builder().start().await.unwrap();
    let metadata = fetch(&identity.metadata_url()).await;
    assert_eq!(metadata["issuer"], identity.issuer());
    assert_eq!(metadata["authorization_endpoint"], identity.authorize_url());
    assert_eq!(metadata["token_endpoint"], identity.token_url());
    assert_eq!(metadata["jwks_uri"], identity.jwks_url());
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    let common = format!(
        "{}/common/v2.0/.well-known/openid-configuration",
        identity.url()
    );
    let expected = format!("{}/{{tenantid}}/v2.0", identity.url());
    assert_eq!(fetch(&common).await["issuer"], expected);
}

#[tokio::test]
async fn a_new_key_signs_beside_the_old_one_until_that_is_retired() {
    let identity = builder().start().await.unwrap();
    let signed_by =
        async || part(&as_itself(&identity).await.member("access_token"), 0)["kid"].clone();
    let old = signed_by().await;
    assert_eq!(
        key_ids(&fetch(&identity.jwks_url()).await),
        [old.as_str().unwrap()]
    );
    identity.rotate_key().unwrap();
    let new = signed_by().await;
    assert_ne!(old, new);
    let both = [old.as_str().unwrap(), new.as_str().unwrap()];
    assert_eq!(key_ids(&fetch(&identity.jwks_url()).await), both);
    identity.retire_old_keys();
    assert_eq!(key_ids(&fetch(&identity.jwks_url()).await), both[1..]);
}

#[tokio::test]
async fn only_the_good_certificate_is_trusted() {
    for (kind, trusted) in [
        (TlsCertificate::Trusted, true),
        (TlsCertificate::WrongHost, false),
        (TlsCertificate::Expired, false),
        (TlsCertificate::SelfSigned, false),
    ] {
        let identity = builder().with_tls(kind).start().await.unwrap();
        assert!(identity.issuer().starts_with("https://127.0.0.1:"));
        let authority = Certificate::from_pem(identity.ca_pem().unwrap().as_bytes()).unwrap();
        let client = http().tls_certs_only([authority]).build().unwrap();
        let answer = Answer::try_of(client.get(identity.jwks_url())).await;
        let status = answer.map(|answer| answer.status).ok();
        assert_eq!(status, trusted.then_some(200), "{kind:?}");
    }
}
