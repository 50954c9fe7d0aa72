//! From the address to a service that answers.

use std::sync::Arc;
use std::time::Duration;

use email_logging::error::ServerContext;
use email_logging::error::codes;
use email_logging::setup::{AuthenticationType, Check, NotChecked, ServiceFacts, SignedIn};

use crate::bench::Bench;
use crate::fake_mail::{answer, error, fails};

#[tokio::test]
async fn an_autodiscovery_address_is_needed() {
    let remedy = "Give the e-mail address of the mailbox that the job reads.";
    for text in [None, Some(""), Some("  ")] {
        let bench = Bench::with_setup(|s| s.autodiscovery_email_address = text.map(Into::into));
        let check = Check::AutodiscoveryAddress;
        bench.fails(check, "check.address_missing", remedy).await;
    }
}

#[tokio::test]
async fn an_autodiscovery_address_must_be_one() {
    let bench = Bench::with_setup(|s| s.autodiscovery_email_address = Some("nobody".into()));
    let remedy = "Give the address of the mailbox that is read, as name@domain.";
    for check in [Check::AutodiscoveryAddress, Check::Fields] {
        bench.fails(check, "setup.address", remedy).await;
    }
}

#[tokio::test]
async fn a_field_that_breaks_its_rule_fails_with_all_of_them_named() {
    let bench = Bench::with_setup(|setup| {
        setup.exchange_service_url = Some("no domain".into());
        setup.exchange_redirect_url = Some("http://erp.corp.example/".into());
    });
    let remedy = "Leave it blank for autodiscovery, or give a domain or the whole URL that ends with /EWS/Exchange.asmx.";
    let result = bench
        .fails(Check::Fields, "setup.service_url", remedy)
        .await;
    let found = result.found.unwrap();
    assert!(found.contains("[config.insecure]"), "{found}");
}

#[tokio::test]
async fn a_service_that_cannot_be_found_fails() {
    let bench = Bench::with_answers(|answers| answers.connect = fails(&codes::HTTP_REDIRECT));
    let remedy = "Set the service URL to the final address.";
    bench.fails(Check::Service, "http.redirect", remedy).await;
    let because = NotChecked::DependsOn(Check::Service);
    bench.not_checked(Check::Credentials, because).await;
}

#[tokio::test]
async fn credentials_that_are_missing_or_refused_fail() {
    for (code, remedy) in [
        (
            &codes::CREDENTIAL_MISSING,
            "Add a credential provider or store the credentials in the set-up.",
        ),
        (
            &codes::OAUTH_TOKEN_REFUSED,
            "Check the client id, its secret and its permissions.",
        ),
    ] {
        let bench = Bench::with_answers(|answers| answers.sign_in = fails(code));
        bench.fails(Check::Credentials, code.code, remedy).await;
        let because = NotChecked::DependsOn(Check::Credentials);
        bench.not_checked(Check::Connection, because).await;
        bench.not_checked(Check::TokenPermissions, because).await;
    }
}

#[tokio::test]
async fn a_credential_that_ends_is_told_before_and_after() {
    let bench = |days: u64| {
        Bench::with_answers(|answers| {
            let now = email_logging::testkit::clock::ManualClock::default();
            let ends = now.now_plus(Duration::from_hours(24 * days));
            let signed_in = SignedIn::as_application(["full_access_as_app"]);
            answers.sign_in = answer(signed_in.with_credential_ends(ends));
        })
    };
    let remedy = "Make a new one at the app registration and store it in the set-up.";
    let check = Check::CredentialExpiry;
    let result = bench(0)
        .fails(check, "check.credential_ended", remedy)
        .await;
    assert!(result.found.unwrap().ends_with("(2026-01-01)"));
    let remedy =
        "Make a new one at the app registration and store it in the set-up before this one ends.";
    bench(29)
        .warns(check, "check.credential_ends", remedy)
        .await;
    bench(30).passes(check).await;
}

#[tokio::test]
async fn a_service_that_does_not_answer_fails() {
    let bench = Bench::with_answers(|answers| answers.reach = fails(&codes::HTTP_CONNECT));
    let remedy = "Check the address and the network.";
    bench.fails(Check::Connection, "http.connect", remedy).await;
}

#[tokio::test]
async fn a_certificate_is_refused_for_a_reason_that_is_said() {
    for code in [
        &codes::HTTP_TLS,
        &codes::HTTP_TLS_HOST,
        &codes::HTTP_TLS_EXPIRED,
        &codes::HTTP_TLS_NOT_YET_VALID,
        &codes::HTTP_TLS_UNTRUSTED,
        &codes::HTTP_TLS_PIN,
    ] {
        let (name, remedy) = (code.code, code.remedy);
        let bench = Bench::with_answers(|answers| answers.reach = fails(code));
        bench.fails(Check::Tls, name, remedy).await;
        let found = Bench::with_answers(|answers| answers.connect = fails(code));
        found.fails(Check::Tls, name, remedy).await;
        let identity = Bench::with_answers(|answers| answers.sign_in = fails(code));
        identity.fails(Check::Tls, name, remedy).await;
    }
}

#[tokio::test]
async fn a_service_that_refuses_over_a_good_certificate_leaves_the_certificate_green() {
    let refused = || {
        let mut server = ServerContext::default();
        server.status = Some(401);
        Err(error(&codes::HTTP_UNAUTHORIZED).with_server(server))
    };
    let bench = Bench::with_answers(|answers| answers.reach = Arc::new(refused));
    bench.passes(Check::Tls).await;
}

#[tokio::test]
async fn a_tenant_that_blocks_ews_is_recognised() {
    let bench = Bench::with_answers(|answers| answers.reach = fails(&codes::EWS_BLOCKED));
    let remedy = "Let the administrator run Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs with the application id; Exchange Online ends EWS for good on 2027-04-01.";
    bench.fails(Check::EwsAllowed, "ews.blocked", remedy).await;
    bench.fails(Check::Connection, "ews.blocked", remedy).await;
    let locked = Bench::with_answers(|answers| answers.reach = fails(&codes::HTTP_ACCOUNT_LOCKED));
    let because = NotChecked::DependsOn(Check::Connection);
    locked.not_checked(Check::EwsAllowed, because).await;
}

#[tokio::test]
async fn exchange_online_is_told_when_ews_ends() {
    let bench = Bench::with_answers(|answers| answers.reach = answer(ServiceFacts::new(true)));
    let remedy = "Put the client id into EwsAllowedAppIDs, and plan the change to Microsoft Graph before 2027-04-01.";
    let soon = "check.ews_blocked_soon";
    let result = bench.warns(Check::EwsEnd, soon, remedy).await;
    let found = result.found.unwrap();
    assert!(found.contains("from 2026-10-01 on"), "{found}");
    assert!(found.ends_with("(455 days are left)"), "{found}");
    bench.mail.clock.advance(Duration::from_hours(24 * 273));
    let remedy = "Keep the client id in EwsAllowedAppIDs, and plan the change to Microsoft Graph before 2027-04-01.";
    let result = bench.warns(Check::EwsEnd, "check.ews_ends", remedy).await;
    let found = result.found.unwrap();
    assert!(found.contains("since 2026-10-01"), "{found}");
    assert!(found.ends_with("(182 days are left)"), "{found}");
    bench.mail.clock.advance(Duration::from_hours(24 * 183));
    let result = bench.result(Check::EwsEnd).await;
    assert!(result.found.unwrap().ends_with("(it has ended)"));
    Bench::new().passes(Check::EwsEnd).await;
}

#[tokio::test]
async fn a_clock_that_is_more_than_5_minutes_wrong_fails_oauth2_and_warns_basic() {
    let remedy = "Let this machine take its time from a time server.";
    let bench = |ahead: u64, behind: u64| {
        let bench = Bench::new();
        let theirs = bench.mail.clock.now_plus(Duration::from_secs(behind));
        let ours = bench.mail.clock.now_plus(Duration::from_secs(ahead));
        let facts = ServiceFacts::new(false).with_clocks(theirs, ours);
        bench.mail.answers(|answers| answers.reach = answer(facts));
        bench
    };
    let check = Check::ClockSkew;
    bench(300, 0).passes(check).await;
    bench(0, 300).passes(check).await;
    let result = bench(301, 0).fails(check, "check.clock_skew", remedy).await;
    assert!(
        result
            .found
            .unwrap()
            .ends_with("(this machine is 301 seconds ahead)")
    );
    let result = bench(0, 301).fails(check, "check.clock_skew", remedy).await;
    assert!(
        result
            .found
            .unwrap()
            .ends_with("(this machine is 301 seconds behind)")
    );
    let mut basic = bench(301, 0);
    basic.setup.authentication_type = AuthenticationType::Basic;
    basic.setup.exchange_client_id = None;
    basic.setup.exchange_tenant_id = None;
    basic.warns(check, "check.clock_skew", remedy).await;
    let silent = Bench::with_answers(|answers| answers.reach = answer(ServiceFacts::new(false)));
    silent.not_checked(check, NotChecked::NotTold).await;
}

#[tokio::test]
async fn a_sign_in_that_nobody_has_made_is_told_with_the_credentials_and_not_with_the_service() {
    let bench = Bench::with_answers(|answers| answers.connect = fails(&codes::SETUP_INCOMPLETE));
    let remedy = "Complete the set-up and validate it.";
    let check = Check::Credentials;
    bench.fails(check, "setup.incomplete", remedy).await;
    let because = NotChecked::DependsOn(check);
    bench.not_checked(Check::Service, because).await;
    bench.not_checked(Check::Connection, because).await;
    // A set-up without an address is told by the check of the address alone.
    let bench = Bench::with_setup(|setup| setup.autodiscovery_email_address = None);
    bench
        .mail
        .answers(|answers| answers.connect = fails(&codes::SETUP_INCOMPLETE));
    let because = NotChecked::DependsOn(Check::AutodiscoveryAddress);
    bench.not_checked(Check::Service, because).await;
    let because = NotChecked::DependsOn(Check::Service);
    bench.not_checked(check, because).await;
}
