//! Which of the offered schemes is used, and what is refused before anything is sent.

use email_logging::source::ews::EwsSource;
use email_logging::testkit::exchange::{AuthScheme, TlsCertificate};

use crate::parts::{Counted, PASSWORD, QUEUE, USER, exchange, open, source, source_to};
use crate::scripted::Scripted;
use crate::support::{account, code_of};

#[tokio::test]
async fn basic_is_taken_over_https_and_ntlm_before_it_without() {
    let all = [AuthScheme::Negotiate, AuthScheme::Ntlm, AuthScheme::Basic];
    for (tls, refused) in [(true, 1), (false, 2)] {
        let mut builder = exchange().with_auth_schemes(all);
        if tls {
            builder = builder.with_tls(TlsCertificate::Trusted);
        }
        let exchange = builder.start().await.unwrap();
        let source = source(&exchange, &Counted::new(USER, PASSWORD));
        open(&source, QUEUE).await.unwrap();
        open(&source, QUEUE).await.unwrap();
        // Basic takes no message of its own after the offer was read, and the choice is kept.
        assert_eq!(exchange.statistics().unauthorized, refused, "{tls}");
    }
}

#[tokio::test]
async fn basic_alone_is_enough() {
    let exchange = exchange()
        .with_auth_schemes([AuthScheme::Basic])
        .start()
        .await
        .unwrap();
    let source = source(&exchange, &Counted::new(USER, PASSWORD));
    assert!(open(&source, QUEUE).await.is_ok());
    assert_eq!(exchange.statistics().connections, 1);
}

#[tokio::test]
async fn an_offer_that_takes_no_password_is_named_and_nobody_is_asked() {
    for (offer, detail) in [
        ("Bearer client_id=\"x\"", "the server offers Bearer"),
        ("", "the server offers nothing"),
    ] {
        let server = Scripted::start(vec![Some(unauthorized(&[offer]))]).await;
        let account = Counted::new(USER, PASSWORD);
        let source = source_to(&server.url(), &account, |builder| builder);
        let error = open(&source, QUEUE).await.unwrap_err();
        assert_eq!(code_of(&error), "http.scheme_not_offered");
        assert_eq!(error.detail(), Some(detail));
        assert_eq!(account.asked(), 0);
        assert!(error.remedy().contains("NTLM"));
    }
}

#[tokio::test]
async fn a_401_is_read_for_another_scheme() {
    let script = [
        Some(unauthorized(&["NTLM"])),
        Some(unauthorized(&["Basic realm=\"x\""])),
        Some("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned()),
    ];
    let server = Scripted::start(script.to_vec()).await;
    let source = source_to(&server.url(), &Counted::new(USER, PASSWORD), |it| it);
    let error = open(&source, QUEUE).await.unwrap_err();
    assert_eq!(code_of(&error), "http.forbidden");
    let requests = server.requests();
    let schemes = ["GET /EWS", "authorization: NTLM ", "authorization: Basic "];
    assert_eq!(requests.len(), 3);
    for (request, part) in requests.iter().zip(schemes) {
        assert!(request.contains(part), "{part}: {request}");
    }
    assert!(!requests[0].contains("authorization"));
}

#[tokio::test]
async fn an_answer_that_is_no_offer_is_read_as_what_it_is() {
    for (status, code) in [
        (
            "302 Found\r\nLocation: https://elsewhere.example/",
            "http.redirect",
        ),
        ("503 Service Unavailable", "http.unavailable"),
        ("200 OK", "http.closed"),
    ] {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let server = Scripted::start(vec![Some(head)]).await;
        let account = Counted::new(USER, PASSWORD);
        let source = source_to(&server.url(), &account, |it| it);
        let error = open(&source, QUEUE).await.unwrap_err();
        assert_eq!((code_of(&error), account.asked()), (code, 0));
    }
}

#[test]
fn exchange_online_and_a_proxy_are_refused_before_anything_is_sent() {
    let online = EwsSource::builder("https://outlook.office365.com/EWS/Exchange.asmx");
    let error = online.with_account(account()).build().unwrap_err();
    assert_eq!(code_of(&error), "ews.basic_online");
    let proxied = EwsSource::builder("https://mail.example.com/EWS/Exchange.asmx")
        .with_account(account())
        .with_proxy("http://127.0.0.1:3128");
    let error = proxied.build().unwrap_err();
    assert_eq!(code_of(&error), "config.invalid");
    assert!(error.detail().unwrap().contains("proxy"));
}

/// A 401 with these challenges; an empty one is none.
pub(crate) fn unauthorized(challenges: &[&str]) -> String {
    let given = challenges.iter().filter(|challenge| !challenge.is_empty());
    let lines = given.fold(String::new(), |lines, challenge| {
        lines + "WWW-Authenticate: " + challenge + "\r\n"
    });
    format!("HTTP/1.1 401 Unauthorized\r\n{lines}Content-Length: 0\r\n\r\n")
}
