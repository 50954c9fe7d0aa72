//! curl, an NTLM client that nobody here wrote, against the simulated Exchange.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;

use std::process::{Command, Output};

use email_logging::testkit::exchange::{
    AuthScheme, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};

fn exchange() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user(r"CORP\anna", "s3cret pass")
        .with_user("svc@corp.example", "s3cret")
        .with_auth_schemes([AuthScheme::Negotiate, AuthScheme::Ntlm])
        .with_tls(TlsCertificate::Trusted)
}

fn curl_has_ntlm() -> bool {
    let version = Command::new("curl").arg("--version").output();
    let has = version.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_whitespace().any(|word| word == "NTLM")
    });
    if !has {
        skipped::skipped("there is no curl with NTLM");
    }
    has
}

/// The statuses of two requests over one connection, as curl prints them.
async fn statuses(exchange: &SimulatedExchange, user: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("ca.pem");
    std::fs::write(&authority, exchange.ca_pem().unwrap()).unwrap();
    let (url, user) = (exchange.url(), user.to_owned());
    let run = move || -> Output {
        Command::new("curl")
            .args(["--silent", "--ntlm", "--user", &user, "--cacert"])
            .arg(authority)
            .args(["--write-out", "%{http_code} ", "--output", "/dev/null"])
            .args(["--output", "/dev/null", &url, &url])
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_signs_a_connection_in_once() {
    if !curl_has_ntlm() {
        return;
    }
    for user in [r"CORP\anna:s3cret pass", "svc@corp.example:s3cret"] {
        let exchange = exchange().start().await.unwrap();
        assert_eq!(statuses(&exchange, user).await, "200 200 ");
        let seen = exchange.statistics();
        assert_eq!((seen.connections, seen.unauthorized), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_channel_that_is_not_bound_are_refused() {
    if !curl_has_ntlm() {
        return;
    }
    let open = exchange().start().await.unwrap();
    let wrong = statuses(&open, "svc@corp.example:s3cret2").await;
    assert_eq!(wrong, "401 401 ");
    // curl binds no channel.
    let protected = exchange().with_extended_protection(true);
    let protected = protected.start().await.unwrap();
    let unbound = statuses(&protected, "svc@corp.example:s3cret").await;
    assert_eq!(unbound, "401 401 ");
}
