//! The whole way of an administrator, on loopback and over HTTPS: from the first field through consent, validation, a run in
//! which everything changes, to a cleared set-up that leaves no secret behind.

#![cfg(all(
    feature = "ntlm",
    feature = "oauth2",
    feature = "seal",
    feature = "sqlite"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "whole_way/browser.rs"]
mod browser;
#[path = "support/canary.rs"]
mod canary;
#[path = "whole_way/company.rs"]
mod company;
#[path = "whole_way/failures.rs"]
mod failures;
#[path = "whole_way/kept.rs"]
mod kept;
#[path = "whole_way/meanwhile.rs"]
mod meanwhile;
#[path = "whole_way/place.rs"]
mod place;
#[path = "whole_way/traced.rs"]
mod traced;

use std::sync::Arc;
use std::time::Duration;

use canary::Canary;
use company::{Company, mail};
use email_logging::setup::{
    AuthenticationType, Check, Enabling, SignInState, ValidationReport, Verdict,
};
use email_logging::store::SecretName;
use email_logging::testkit::exchange::SimulatedExchangeBuilder;
use email_logging::testkit::identity::Endpoint;
use place::*;
use secrecy::ExposeSecret as _;
use traced::traced;

/// What a way leaves: everything that was shown, and every secret that there was.
struct Left {
    shown: String,
    secrets: Vec<String>,
    folder: tempfile::TempDir,
}

impl Left {
    fn shows(&mut self, text: impl AsRef<str>) {
        self.shown.push_str(text.as_ref());
    }
}

fn green(report: &ValidationReport, but: &[Check]) {
    for result in &report.results {
        let expected = but.contains(&result.check);
        let passed = result.verdict == Verdict::Passed;
        assert_eq!(passed, !expected, "{result:?}");
    }
}

/// Consent, if it is needed: the browser goes the whole way.
async fn consent(place: &Place, host: &Host, left: &mut Left) {
    let enabling = host
        .administration
        .enable(&scope(), &mut |_| ())
        .await
        .unwrap();
    left.shows(format!("{enabling:?}"));
    let Enabling::ConsentNeeded(needed) = enabling else {
        panic!("{enabling:?}");
    };
    let request = needed.request.unwrap();
    let callback = place
        .landing
        .visit(&request.authorize_url, &place.trusted())
        .await;
    let (administration, whose) = (&host.administration, scope());
    let finished = host
        .consent
        .finish(administration, &whose, &request.pending, &callback);
    let changed = finished.await.unwrap();
    assert_eq!(
        changed.stored.setup.exchange_tenant_id.as_deref(),
        Some(place.identity.tenant_id())
    );
    left.shows(format!("{changed:?} {request:?}"));
    let pending = request.pending.expose_secret();
    let pending: serde_json::Value = serde_json::from_str(pending).unwrap();
    left.secrets
        .push(pending["verifier"].as_str().unwrap().to_owned());
    let again = host
        .consent
        .finish(administration, &whose, &request.pending, &callback);
    let error = again.await.unwrap_err();
    assert_eq!(error.code(), "oauth.state_mismatch");
    left.shows(format!("{error} {error:?}"));
}

async fn enabled(host: &Host, left: &mut Left) {
    let enabling = host
        .administration
        .enable(&scope(), &mut |_| ())
        .await
        .unwrap();
    left.shows(format!("{enabling:?}"));
    assert!(matches!(enabling, Enabling::Enabled(_)), "{enabling:?}");
}

/// Six mails in batches of two: the token is taken back, it ends, and logging is disabled, all while the run goes on.
async fn run(place: &Place, host: &Host, left: &mut Left) {
    for number in 1..7 {
        place.exchange.deliver(QUEUE, mail(number)).unwrap();
    }
    let company = Company::default();
    let (identity, clock) = (Arc::clone(&place.identity), place.clock.clone());
    company.then(async move || identity.revoke_access_tokens());
    company.then(async move || clock.advance(LIFETIME + Duration::from_secs(1)));
    let logger = host.logger(&company).await;
    let report = logger.run_once().await.unwrap();
    left.shows(format!("{report:?} {logger:?}"));
    assert_eq!((report.logged, report.moved, report.deferred), (6, 6, 0));
    assert_eq!(company.left(), 0);
    drained(place, host, left).await;
}

/// Disabled in the middle of the next run: what was begun is finished. Enabled again without a question, it goes on.
async fn drained(place: &Place, host: &Host, left: &mut Left) {
    for number in 7..27 {
        place.exchange.deliver(QUEUE, mail(number)).unwrap();
    }
    let company = Company::default();
    let administration = Arc::clone(&host.administration);
    company.then(async move || assert!(administration.disable(&scope()).await.unwrap()));
    let report = host.logger(&company).await.run_once().await.unwrap();
    assert_eq!(report.logged, report.moved, "{report:?}");
    assert!((2..20).contains(&report.logged), "{report:?}");
    assert_eq!(report.logged + report.deferred, 20, "{report:?}");
    let asked = place.identity.statistics().requests_to(Endpoint::Authorize);
    enabled(host, left).await;
    assert_eq!(
        place.identity.statistics().requests_to(Endpoint::Authorize),
        asked
    );
    let rest = host
        .logger(&Company::default())
        .await
        .run_once()
        .await
        .unwrap();
    assert_eq!(rest.logged, report.deferred, "{rest:?}");
    assert_eq!(place.exchange.count(QUEUE).unwrap(), 0);
    assert_eq!(place.exchange.count(STORAGE).unwrap(), 27);
}

async fn cleared(place: &Place, host: &Host, left: &mut Left) {
    left.secrets.extend(tokens(place));
    assert!(host.administration.disable(&scope()).await.unwrap());
    let consequences = host.administration.clear(&scope()).await.unwrap();
    let status = host.administration.status(&scope()).await.unwrap();
    assert_eq!(
        (status.enabled, status.signed_in),
        (false, SignInState::SignedOut)
    );
    left.shows(format!("{consequences:?} {status:?} {:?}", host.connector));
    left.shows(format!("{:?} {:?}", host.consent, host.administration));
    for name in SecretName::ALL {
        assert!(!host.secrets.is_stored(&scope(), *name).await.unwrap());
    }
}

/// What the identity service and Exchange were shown: tokens, codes and verifiers.
fn tokens(place: &Place) -> Vec<String> {
    let names = ["refresh_token", "code", "code_verifier", "client_secret"];
    let asked = place.identity.recorded().into_iter();
    let mut tokens: Vec<String> = asked
        .flat_map(|request| names.map(|name| request.parameter(name).map(str::to_owned)))
        .flatten()
        .collect();
    tokens.extend(place.identity.access_tokens());
    tokens.sort();
    tokens.dedup();
    tokens
}

/// The whole way of one authentication type at one Exchange.
async fn whole_way(kind: AuthenticationType, exchange: SimulatedExchangeBuilder) -> Left {
    let place = Place::new(exchange).await;
    let host = place.host().await;
    let mut left = Left {
        shown: String::new(),
        secrets: vec![CLIENT_SECRET.into(), PASSWORD.into()],
        folder: tempfile::tempdir().unwrap(),
    };
    let changes = place.changes(kind);
    let stored = host
        .administration
        .change(&scope(), Some(0), &changes)
        .await;
    left.shows(format!("{:?}", stored.unwrap()));
    place.exchange.deliver(STORAGE, mail(0)).unwrap();
    if kind == AuthenticationType::Basic {
        host.put(SecretName::AccountPassword, PASSWORD).await;
    } else {
        host.put(SecretName::ClientSecret, CLIENT_SECRET).await;
        consent(&place, &host, &mut left).await;
    }
    enabled(&host, &mut left).await;
    let report = host
        .administration
        .validate(&scope(), &mut |_| ())
        .await
        .unwrap();
    left.shows(format!("{report} {report:?}"));
    // Nobody says when a client secret ends; an account has neither that nor permissions.
    let untold: &[Check] = match kind {
        AuthenticationType::Basic => &[Check::CredentialExpiry, Check::TokenPermissions],
        _ => &[Check::CredentialExpiry],
    };
    green(&report, untold);
    run(&place, &host, &mut left).await;
    if let Some(token) = host
        .secrets
        .load(&scope(), SecretName::RefreshToken)
        .await
        .unwrap()
    {
        left.secrets.push(token.value.expose_secret().to_owned());
    }
    cleared(&place, &host, &mut left).await;
    // As the files are while the program still runs, with the journal that there is.
    for file in database_files(place.folder.path()) {
        std::fs::copy(&file, left.folder.path().join(file.file_name().unwrap())).unwrap();
    }
    left
}

/// Fails where a secret is left in anything that was written, shown or traced.
fn nothing_is_left((traced, left): (Vec<u8>, Left)) {
    assert!(left.secrets.len() >= 2);
    for secret in &left.secrets {
        let canary = Canary::new(secret);
        canary.assert_absent("what was traced", &traced);
        canary.assert_absent("what was shown", &left.shown);
        assert!(canary.assert_folder(left.folder.path()) >= 2);
    }
}

#[test]
fn an_application_goes_the_whole_way_and_leaves_no_secret() {
    nothing_is_left(traced(|| whole_way(AuthenticationType::OAuth2, exchange())));
}

#[test]
fn a_person_with_rotating_refresh_tokens_goes_the_whole_way_and_leaves_no_secret() {
    nothing_is_left(traced(|| {
        whole_way(AuthenticationType::OAuth2Delegated, exchange())
    }));
}

#[test]
fn an_account_by_ntlm_with_extended_protection_goes_the_whole_way_and_leaves_no_secret() {
    nothing_is_left(traced(|| {
        whole_way(AuthenticationType::Basic, on_premises())
    }));
}

#[test]
fn queue_and_storage_in_two_content_mailboxes_are_found_by_autodiscovery() {
    for kind in [
        AuthenticationType::OAuth2,
        AuthenticationType::OAuth2Delegated,
    ] {
        nothing_is_left(traced(|| whole_way(kind, apart(exchange()))));
    }
    nothing_is_left(traced(|| {
        whole_way(AuthenticationType::Basic, apart(on_premises()))
    }));
}
