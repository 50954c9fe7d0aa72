//! Faults at the n-th request, counters, and what is kept of a request.

use std::time::Duration;

use email_logging::testkit::identity::{Endpoint, IdentityFault, IdentityFaultKind as Kind};

use super::client::*;

#[tokio::test]
async fn faults_strike_the_call_that_was_named_and_no_other() {
    let identity = builder().start().await.unwrap();
    let throttled = Kind::Http {
        status: 429,
        retry_after: Some(Duration::from_secs(7)),
    };
    let refused = Kind::Refuse {
        error: "temporarily_unavailable".to_owned(),
        number: 90_033,
    };
    identity.add_fault(IdentityFault::new(throttled).on(Endpoint::Token).at_call(2));
    identity.add_fault(
        IdentityFault::new(refused)
            .on(Endpoint::Token)
            .at_call(3)
            .times(2),
    );
    identity.add_fault(IdentityFault::new(Kind::HtmlPage).on(Endpoint::Keys));
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(as_itself(&identity).await.status);
    }
    assert_eq!(answers, [200, 429, 400, 400, 200]);
    assert_eq!(identity.statistics().tokens, 2);
    assert_eq!(identity.statistics().requests_to(Endpoint::Token), 5);
    let page = Answer::of(http().build().unwrap().get(identity.jwks_url())).await;
    assert!(page.status == 200 && page.text.starts_with("<!DOCTYPE html>"));
    let statuses: Vec<_> = identity.recorded().iter().map(|one| one.status).collect();
    assert_eq!(statuses, [200, 429, 400, 400, 200, 200]);
}

#[tokio::test]
async fn retry_after_is_told_in_seconds() {
    let fault = Kind::Http {
        status: 503,
        retry_after: Some(Duration::from_secs(7)),
    };
    let identity = builder()
        .with_fault(IdentityFault::new(fault))
        .start()
        .await
        .unwrap();
    let answer = http()
        .build()
        .unwrap()
        .get(identity.jwks_url())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["retry-after"], "7");
}

#[tokio::test]
async fn a_lost_reply_has_its_effect_and_a_dropped_request_has_none() {
    for (kind, tokens) in [(Kind::LoseReply, 1), (Kind::DropBefore, 0)] {
        let fault = IdentityFault::new(kind.clone())
            .on(Endpoint::Token)
            .always();
        let identity = builder().with_fault(fault).start().await.unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_secret", SECRET),
            ("scope", DEFAULT),
        ];
        let answer = Answer::try_of(request_to(&identity.token_url(), &form)).await;
        assert!(answer.is_err(), "{kind:?}");
        // The client may send it a second time by itself when the connection ends.
        let asked = identity.statistics().requests_to(Endpoint::Token);
        assert_eq!(identity.statistics().tokens, tokens * asked, "{kind:?}");
        identity.clear_faults();
        assert_eq!(as_itself(&identity).await.status, 200, "{kind:?}");
    }
}

#[tokio::test]
async fn a_slow_answer_and_a_redirect_are_answers_too() {
    let identity = builder().start().await.unwrap();
    let slow = Kind::Delay(Duration::from_millis(1));
    identity.add_fault(IdentityFault::new(slow));
    assert_eq!(as_itself(&identity).await.status, 200);
    let elsewhere = "https://evil.example/token".to_owned();
    identity.add_fault(IdentityFault::new(Kind::RedirectTo(elsewhere.clone())));
    let answer = as_itself(&identity).await;
    assert_eq!((answer.status, answer.location), (307, Some(elsewhere)));
}

#[tokio::test]
async fn a_recorded_request_keeps_its_secret_out_of_its_debug_form() {
    let identity = builder().start().await.unwrap();
    as_itself(&identity).await;
    let recorded = identity.recorded();
    assert_eq!(recorded[0].parameter("client_secret"), Some(SECRET));
    let names: Vec<_> = recorded[0].parameter_names().collect();
    assert_eq!(names, ["client_id", "client_secret", "grant_type", "scope"]);
    let shown = format!("{recorded:?} {identity:?}");
    assert!(
        shown.contains("client_credentials") && !shown.contains("canary"),
        "{shown}"
    );
}
