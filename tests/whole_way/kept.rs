//! What a connector keeps between two connections of one set-up, what begins anew, and what it refuses before it sends.

use std::sync::Arc;
use std::time::Duration;

use email_logging::Scope;
use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::setup::{
    AuthenticationType, EmailLoggingSetup, EwsConnector, MailConnection, MailConnector as _,
};
use jiff::Timestamp;

use crate::browser::client;
use crate::place::*;

async fn reached(
    connector: &EwsConnector,
    scope: &Scope,
    setup: &EmailLoggingSetup,
) -> MailConnection {
    let connection = connector.connect(scope, setup).await.unwrap();
    connection.probe.reach().await.unwrap();
    connection
}

#[tokio::test]
async fn a_token_and_a_connection_are_kept_until_a_field_of_the_connection_changes() {
    let place = Place::new(exchange()).await;
    place.identity.set_token_lifetime(Duration::from_hours(1));
    let host = place.host().await;
    let connector = &host.connector;
    let setup = host.entered(&place, AuthenticationType::OAuth2).await;
    let tokens = || place.identity.statistics().grants_of("client_credentials");
    let first = reached(connector, &scope(), &setup).await;
    let mut other_field = setup.clone();
    other_field.interaction_template_code = Some("OTHER".into());
    for setup in [&setup, &other_field, &setup] {
        let again = reached(connector, &scope(), setup).await;
        assert!(Arc::ptr_eq(&first.source, &again.source));
    }
    assert_eq!(tokens(), 1);
    // Validation signs in anew, and the token that it got is kept in the place of the other.
    assert!(first.probe.sign_in().await.unwrap().application);
    reached(connector, &scope(), &setup).await;
    assert_eq!(tokens(), 2);
    let mut url = setup.clone();
    url.exchange_service_url = Some(format!("https://{HOST}/EWS/Exchange.asmx"));
    let elsewhere = reached(connector, &scope(), &url).await;
    assert!(!Arc::ptr_eq(&first.source, &elsewhere.source));
    assert_eq!(tokens(), 3);
    reached(connector, &scope(), &url).await;
    assert_eq!(tokens(), 3);
    connector.forget(&scope());
    let anew = reached(connector, &scope(), &url).await;
    assert!(!Arc::ptr_eq(&elsewhere.source, &anew.source));
    assert_eq!(tokens(), 4);
}

#[tokio::test]
async fn two_scopes_share_nothing() {
    let place = Place::new(exchange()).await;
    place.identity.set_token_lifetime(Duration::from_hours(1));
    let host = place.host().await;
    let setup = host.entered(&place, AuthenticationType::OAuth2).await;
    let connector = place
        .connector(Arc::new(
            StaticCredentials::new().with_client_secret(CLIENT_SECRET),
        ))
        .with_trusted_roots(place.trusted())
        .build()
        .unwrap();
    let scopes = ["one", "two"].map(|name| Scope::new("tenant", name).unwrap());
    for scope in &scopes {
        reached(&connector, scope, &setup).await;
    }
    connector.forget(&scopes[0]);
    for scope in &scopes {
        reached(&connector, scope, &setup).await;
    }
    let statistics = place.identity.statistics();
    assert_eq!(statistics.grants_of("client_credentials"), 3);
}

#[tokio::test]
async fn a_set_up_without_tenant_or_address_is_refused_before_anything_is_sent() {
    let place = Place::new(exchange()).await;
    let host = place.host().await;
    let entered = host.entered(&place, AuthenticationType::OAuth2).await;
    let without: [fn(&mut EmailLoggingSetup); 5] = [
        |setup| setup.exchange_tenant_id = None,
        |setup| {
            setup.exchange_tenant_id = None;
            setup.authentication_type = AuthenticationType::OAuth2Delegated;
        },
        |setup| setup.autodiscovery_email_address = None,
        |setup| setup.autodiscovery_email_address = Some("  ".into()),
        |setup| {
            setup.autodiscovery_email_address = None;
            setup.authentication_type = AuthenticationType::Basic;
        },
    ];
    for (at, change) in without.into_iter().enumerate() {
        let mut setup = entered.clone();
        change(&mut setup);
        let refused = host.connector.connect(&scope(), &setup).await;
        let error = refused.unwrap_err();
        assert_eq!(error.code(), "setup.incomplete", "{at}");
        assert_eq!(error.remedy(), "Complete the set-up and validate it.");
    }
    assert_eq!(place.identity.statistics().connections, 0);
    assert_eq!(place.exchange.statistics().connections, 0);
}

/// A token as a host gets one itself.
async fn own_token(place: &Place) -> AccessToken {
    let body = format!(
        "grant_type=client_credentials&client_id={CLIENT}&client_secret=canary-client%2FSecret~%3F%3D\
         &scope=https%3A%2F%2Foutlook.office365.com%2F.default"
    );
    let answer = client(&place.trusted())
        .post(place.identity.token_url())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    AccessToken::new(token, None::<Timestamp>)
}

/// How often somebody was impersonated, of how many calls.
fn impersonated(place: &Place) -> (usize, usize) {
    let calls = place.exchange.recorded();
    let texts = calls
        .iter()
        .map(|call| String::from_utf8_lossy(&call.request));
    let acting = texts.filter(|text| text.contains("ExchangeImpersonation"));
    (acting.count(), calls.len())
}

#[tokio::test]
async fn a_token_of_the_host_acts_as_it_says_itself_or_as_the_host_says() {
    for (said, expected) in [
        (None, Ok((1, 1))),
        (Some(true), Ok((1, 1))),
        // Exchange wants to know where an application's call goes, and takes no such call for one.
        (Some(false), Err((0, 0))),
    ] {
        let place = Place::new(exchange()).await;
        let host = place.host().await;
        let mut setup = host.entered(&place, AuthenticationType::OAuth2).await;
        setup.authentication_type = AuthenticationType::AccessToken;
        setup.exchange_tenant_id = None;
        let credentials = StaticCredentials::new().with_access_token(own_token(&place).await);
        let mut builder = place
            .connector(Arc::new(credentials))
            .with_trusted_roots(place.trusted());
        if let Some(said) = said {
            builder = builder.with_application_tokens(said);
        }
        let connector = builder.build().unwrap();
        let connection = connector.connect(&scope(), &setup).await.unwrap();
        let signed_in = connection.probe.sign_in().await.unwrap();
        let permissions = signed_in.permissions.unwrap();
        assert_eq!(permissions, ["full_access_as_app"]);
        let reached = connection.probe.reach().await;
        let called = impersonated(&place);
        let outcome = reached.map(|_| called).map_err(|_| called);
        assert_eq!(outcome, expected, "{said:?}");
        // The token of the host is all there is: none is asked for.
        let statistics = place.identity.statistics();
        assert_eq!(statistics.grants_of("client_credentials"), 1);
    }
}

#[tokio::test]
async fn without_a_token_of_the_host_its_absence_is_said() {
    let place = Place::new(exchange()).await;
    let host = place.host().await;
    let mut setup = host.entered(&place, AuthenticationType::OAuth2).await;
    setup.authentication_type = AuthenticationType::AccessToken;
    setup.exchange_service_url = Some(format!("https://{HOST}/EWS/Exchange.asmx"));
    let connection = host.connector.connect(&scope(), &setup).await.unwrap();
    let error = connection.probe.sign_in().await.unwrap_err();
    assert_eq!(error.code(), "credential.missing");
    assert_eq!(place.exchange.statistics().connections, 0);
}
