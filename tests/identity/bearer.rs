//! Tokens at the simulated Exchange: who is let in, and how the others are refused.

use std::sync::Arc;
use std::time::Duration;

use email_logging::testkit::clock::ManualClock;
use email_logging::testkit::exchange::{EwsBlock, SimulatedExchange};
use email_logging::testkit::identity::{SimulatedIdentity, TokenAuthority, TokenFlaw};

use super::client::*;

const MAILBOX: &str = "queue@corp.example";
const OTHER: &str = "boss@corp.example";

/// Asks for the inbox, in the name of a mailbox where one is given.
fn find_folder(impersonated: Option<&str>) -> String {
    let impersonation = impersonated.map_or(String::new(), |smtp| {
        format!(
            "<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>{smtp}\
             </t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>"
        )
    });
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
         xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Header>\
         <t:RequestServerVersion Version=\"Exchange2013_SP1\"/>{impersonation}</s:Header><s:Body>\
         <m:FindFolder Traversal=\"Shallow\"><m:FolderShape><t:BaseShape>Default</t:BaseShape>\
         </m:FolderShape><m:ParentFolderIds><t:DistinguishedFolderId Id=\"msgfolderroot\"/>\
         </m:ParentFolderIds></m:FindFolder></s:Body></s:Envelope>"
    )
}

struct Called {
    status: u16,
    diagnostics: String,
    challenge: String,
    text: String,
}

impl Called {
    /// The status and the category of the diagnostics.
    fn denial(&self) -> (u16, &str) {
        let category = self.diagnostics.split("error_category=\"").nth(1);
        (
            self.status,
            category.map_or("", |rest| rest.trim_end_matches('"')),
        )
    }
}

async fn call(
    exchange: &SimulatedExchange,
    token: &str,
    anchor: Option<&str>,
    impersonated: Option<&str>,
) -> Called {
    let mut request = http()
        .build()
        .unwrap()
        .post(exchange.url())
        .bearer_auth(token)
        .header("content-type", "text/xml; charset=utf-8");
    if let Some(anchor) = anchor {
        request = request.header("X-AnchorMailbox", anchor);
    }
    let response = request
        .body(find_folder(impersonated))
        .send()
        .await
        .unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    Called {
        status: response.status().as_u16(),
        diagnostics: header("x-ms-diagnostics"),
        challenge: header("www-authenticate"),
        text: response.text().await.unwrap(),
    }
}

async fn as_application(exchange: &SimulatedExchange, token: &str) -> Called {
    call(exchange, token, Some(MAILBOX), Some(MAILBOX)).await
}

async fn exchange(identity: &SimulatedIdentity) -> SimulatedExchange {
    SimulatedExchange::builder()
        .with_bearer(identity)
        .with_mailbox(MAILBOX)
        .with_mailbox(OTHER)
        .with_application_access([MAILBOX])
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn an_application_says_in_whose_name_it_calls() {
    let identity = builder().start().await.unwrap();
    let exchange = exchange(&identity).await;
    let token = as_itself(&identity).await.member("access_token");
    let good = as_application(&exchange, &token).await;
    assert_eq!(good.status, 200, "{}", good.text);
    assert!(good.text.contains("Inbox"));
    let unanchored = call(&exchange, &token, None, Some(MAILBOX)).await;
    assert_eq!(unanchored.denial(), (401, "invalid_user"));
    for (impersonated, code) in [
        (None, "ErrorImpersonationRequired"),
        (Some("nobody@corp.example"), "ErrorNonExistentMailbox"),
        (Some(OTHER), "ErrorAccessDenied"),
    ] {
        let answer = call(&exchange, &token, Some(MAILBOX), impersonated).await;
        assert_eq!(answer.status, 500);
        assert!(
            answer.text.contains(&format!("a:{code}<")),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_user_needs_no_impersonation() {
    let identity = builder().with_user_name(MAILBOX).start().await.unwrap();
    let exchange = exchange(&identity).await;
    let code = code(&identity).await;
    let token = redeem(&identity, &code, VERIFIER)
        .await
        .member("access_token");
    let answer = call(&exchange, &token, None, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn each_bad_token_has_its_diagnosis() {
    let identity = builder().start().await.unwrap();
    let exchange = exchange(&identity).await;
    for (flaw, number, category) in [
        (TokenFlaw::WrongSignature, "2000000;", "invalid_signature"),
        (TokenFlaw::Opaque, "2000001;", "invalid_token"),
        (TokenFlaw::Expired, "2000002;", "token_expired"),
        (TokenFlaw::WrongAudience, "2000003;", "invalid_resource"),
        (TokenFlaw::WrongTenant, "2000004;", "invalid_tenant"),
        (TokenFlaw::WithoutTenant, "2000004;", "invalid_tenant"),
        (TokenFlaw::WithoutPermissions, "2000008;", "invalid_grant"),
    ] {
        identity.set_flaw(Some(flaw));
        let token = as_itself(&identity).await.member("access_token");
        let answer = as_application(&exchange, &token).await;
        assert_eq!(answer.denial(), (401, category), "{flaw:?}");
        assert!(answer.diagnostics.starts_with(number), "{flaw:?}");
        assert!(answer.challenge.starts_with("Bearer "), "{flaw:?}");
    }
    assert_eq!(exchange.statistics().unauthorized, 7);
}

#[tokio::test]
async fn a_token_ends_with_its_time_its_key_or_its_revocation() {
    let clock = ManualClock::default();
    let identity = builder()
        .with_clock(Arc::new(clock.clone()))
        .start()
        .await
        .unwrap();
    let exchange = exchange(&identity).await;
    let token = as_itself(&identity).await.member("access_token");
    clock.advance(Duration::from_secs(3598));
    assert_eq!(as_application(&exchange, &token).await.status, 200);
    clock.advance(Duration::from_secs(1));
    let expired = as_application(&exchange, &token).await;
    assert_eq!(expired.denial(), (401, "token_expired"));
    let token = as_itself(&identity).await.member("access_token");
    assert_eq!(as_application(&exchange, &token).await.status, 200);
    identity.revoke_access_tokens();
    let revoked = as_application(&exchange, &token).await;
    assert_eq!(revoked.denial(), (401, "invalid_token"));
    let token = as_itself(&identity).await.member("access_token");
    identity.rotate_key().unwrap();
    assert_eq!(as_application(&exchange, &token).await.status, 200);
    identity.retire_old_keys();
    let retired = as_application(&exchange, &token).await;
    assert_eq!(retired.denial(), (401, "invalid_signature"));
}

#[tokio::test]
async fn a_tenant_can_switch_ews_off_and_on_again() {
    let identity = builder().start().await.unwrap();
    let exchange = exchange(&identity).await;
    let token = as_itself(&identity).await.member("access_token");
    for (block, denial) in [
        (Some(EwsBlock::Forbidden), (403, "")),
        (Some(EwsBlock::ForbiddenWithReason), (403, "invalid_grant")),
        (Some(EwsBlock::Unauthorized), (401, "")),
        (None, (200, "")),
    ] {
        exchange.set_ews_block(block);
        assert_eq!(
            as_application(&exchange, &token).await.denial(),
            denial,
            "{block:?}"
        );
    }
}

#[tokio::test]
async fn published_keys_are_enough_to_judge_and_basic_is_not_offered_without_users() {
    let identity = builder().start().await.unwrap();
    let keys = Answer::of(http().build().unwrap().get(identity.jwks_url()))
        .await
        .text;
    let tenant = Some(identity.tenant_id().to_owned());
    let authority = TokenAuthority::from_jwks(&keys, "https://outlook.office365.com", tenant);
    let exchange = SimulatedExchange::builder()
        .with_token_authority(authority)
        .with_mailbox(MAILBOX)
        .start()
        .await
        .unwrap();
    let token = as_itself(&identity).await.member("access_token");
    assert_eq!(as_application(&exchange, &token).await.status, 200);
    let request = http()
        .build()
        .unwrap()
        .post(exchange.url())
        .basic_auth(MAILBOX, Some("x"));
    let refused = request.send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let offered: Vec<_> = refused
        .headers()
        .get_all("www-authenticate")
        .iter()
        .collect();
    assert_eq!(offered, ["Bearer"]);
}
