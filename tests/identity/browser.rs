//! What a browser sees: consent, refusals, redirects that end where they should and nowhere else.

use email_logging::testkit::identity::{Application, UserBehaviour};
use reqwest::redirect::Policy;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::client::*;

#[tokio::test]
async fn an_accepted_consent_comes_back_to_the_exact_address_with_code_state_and_issuer() {
    let identity = builder().start().await.unwrap();
    let answer = browse(&identity, &[]).await;
    assert_eq!(answer.status, 302);
    let (address, parameters) = answer.way_back();
    assert_eq!(address, REDIRECT);
    assert_eq!(parameters["state"], "the state");
    assert_eq!(parameters["iss"], identity.issuer());
    assert!(!parameters["code"].is_empty());
}

#[tokio::test]
async fn every_user_is_told_apart() {
    let identity = builder().start().await.unwrap();
    for (user, error, number, state, issuer) in [
        (UserBehaviour::Accepts, "", "", "the state", true),
        (
            UserBehaviour::Declines,
            "access_denied",
            "AADSTS65004",
            "the state",
            true,
        ),
        (
            UserBehaviour::NotAdministrator,
            "access_denied",
            "AADSTS90094",
            "the state",
            true,
        ),
        (
            UserBehaviour::ReturnsWrongState,
            "",
            "",
            "another state",
            true,
        ),
        (UserBehaviour::ReturnsWithoutState, "", "", "", true),
        (
            UserBehaviour::ReturnsWithoutIssuer,
            "",
            "",
            "the state",
            false,
        ),
    ] {
        identity.set_user(user);
        let (_, parameters) = browse(&identity, &[]).await.way_back();
        let text = |name: &str| parameters.get(name).cloned().unwrap_or_default();
        assert_eq!(text("error"), error, "{user:?}");
        assert!(text("error_description").starts_with(number), "{user:?}");
        assert_eq!(text("code").is_empty(), !error.is_empty(), "{user:?}");
        assert_eq!(text("state"), state, "{user:?}");
        assert_eq!(parameters.contains_key("iss"), issuer, "{user:?}");
    }
    identity.set_user(UserBehaviour::ReturnsWrongIssuer);
    let (_, parameters) = browse(&identity, &[]).await.way_back();
    assert_ne!(parameters["iss"], identity.issuer());
    identity.set_user(UserBehaviour::NeverReturns);
    let answer = browse(&identity, &[]).await;
    assert_eq!((answer.status, answer.location), (200, None));
}

#[tokio::test]
async fn whoever_is_not_registered_is_shown_a_page_and_sent_nowhere() {
    let identity = builder().start().await.unwrap();
    for (change, number) in [
        (
            ("redirect_uri", "https://evil.example/OAuthLanding.htm"),
            "AADSTS50011",
        ),
        (
            ("redirect_uri", "https://erp.example/OAuthLanding.htm?x"),
            "AADSTS50011",
        ),
        (("redirect_uri", ""), "AADSTS900144"),
        (("client_id", "another"), "AADSTS700016"),
    ] {
        let answer = browse(&identity, &[change]).await;
        assert_eq!(
            (answer.status, &answer.location),
            (400, &None),
            "{change:?}"
        );
        assert!(answer.text.contains(number), "{change:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_bad_request_of_a_registered_application_comes_back_as_an_error() {
    let identity = builder().start().await.unwrap();
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_mode", "fragment"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("scope", ""), "invalid_request"),
        (("scope", "https://other.example/.default"), "invalid_scope"),
    ] {
        let (address, parameters) = browse(&identity, &[change]).await.way_back();
        assert_eq!(address, REDIRECT);
        assert_eq!(parameters["error"], error, "{change:?}");
        assert_eq!(parameters["state"], "the state", "{change:?}");
        assert!(!parameters.contains_key("code"), "{change:?}");
    }
}

#[tokio::test]
async fn a_browser_that_follows_redirects_ends_at_the_listener() {
    let listener = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/landing"))
        .respond_with(ResponseTemplate::new(200).set_body_string("you may close this window"))
        .expect(2)
        .mount(&listener)
        .await;
    let landing = format!("{}/landing", listener.uri());
    let application = application().with_redirect_url("http://127.0.0.1/landing");
    let identity = builder().start().await.unwrap();
    identity.register(application);
    let browser = http().redirect(Policy::limited(5)).build().unwrap();
    let url = authorize_url(&identity, &[("redirect_uri", &landing)]);
    let page = Answer::of(browser.get(&url)).await;
    assert_eq!(page.text, "you may close this window");
    identity.set_user(UserBehaviour::Interactive);
    let page = Answer::of(browser.get(&url)).await;
    assert!(page.text.contains("EWS.AccessAsUser.All"));
    let landed = Answer::of(answer_page(&browser, &identity.url(), &page.text, "accept")).await;
    assert_eq!(landed.text, "you may close this window");
    let requests = listener.received_requests().await.unwrap();
    for request in requests {
        let query = request.url.query().unwrap();
        assert!(query.starts_with("code=0.code.") && query.contains("&state=the+state&"));
    }
}

/// Presses a button of the consent page.
fn answer_page(
    browser: &reqwest::Client,
    base: &str,
    page: &str,
    decision: &str,
) -> reqwest::RequestBuilder {
    let between = |start: &str| {
        let (_, rest) = page.split_once(start).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let url = format!("{base}{}", between("action=\""));
    let body = format!("ticket={}&decision={decision}", between("value=\""));
    browser
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

#[tokio::test]
async fn the_consent_page_takes_one_answer() {
    let identity = builder()
        .with_user(UserBehaviour::Interactive)
        .start()
        .await
        .unwrap();
    let page = browse(&identity, &[]).await;
    assert_eq!((page.status, page.location), (200, None));
    let browser = http().build().unwrap();
    let press = || answer_page(&browser, &identity.url(), &page.text, "decline");
    let (_, parameters) = Answer::of(press()).await.way_back();
    assert_eq!(parameters["error"], "access_denied");
    let again = Answer::of(press()).await;
    assert_eq!((again.status, again.location), (400, None));
}

#[tokio::test]
async fn without_pkce_and_issuer_where_it_is_set_so() {
    let identity = builder()
        .with_pkce_required(false)
        .with_response_issuer(false)
        .start()
        .await
        .unwrap();
    let changes = [("code_challenge", ""), ("code_challenge_method", "")];
    let (_, parameters) = browse(&identity, &changes).await.way_back();
    assert!(!parameters.contains_key("iss"));
    let code = &parameters["code"];
    // A verifier that nothing was promised for is a downgrade (RFC 9700, 4.8.2).
    let refused = redeem(&identity, code, VERIFIER).await.refusal();
    assert_eq!(refused, (400, "invalid_grant".to_owned(), 501_481));
    assert_eq!(redeem(&identity, code, "").await.status, 200);
}

#[test]
fn the_debug_form_of_an_application_holds_no_secret() {
    let shown = format!("{:?}", Application::new(CLIENT).with_secret(SECRET));
    assert!(
        shown.contains(CLIENT) && !shown.contains("canary"),
        "{shown}"
    );
}
