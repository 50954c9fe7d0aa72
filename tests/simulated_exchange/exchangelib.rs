//! exchangelib, unmodified, against the simulated Exchange.
//!
//! Runs when EMAIL_LOGGING_EXCHANGELIB names a Python interpreter that has exchangelib.

use std::path::{Path, PathBuf};
use std::process::Command;

use email_logging::testkit::exchange::{
    AuthScheme, ServerVersion, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};

use super::validation::{schema, validate};

const QUEUE: &str = r"\Email Logging\Queue\";
const MESSAGES: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn exchangelib_works_over_http() {
    check(builder()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exchangelib_works_over_https_with_the_given_authority() {
    check(builder().with_tls(TlsCertificate::Trusted)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exchangelib_finds_the_version_of_an_older_server() {
    for version in [
        ServerVersion::Exchange2010Sp2,
        ServerVersion::Exchange2013Sp1,
    ] {
        check(builder().with_server_version(version)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exchangelib_works_over_ntlm_with_extended_protection() {
    let builder = builder()
        .with_auth_schemes([AuthScheme::Negotiate, AuthScheme::Ntlm])
        .with_tls(TlsCertificate::Trusted)
        .with_extended_protection(true);
    check_with(builder, Some("NTLM")).await;
}

fn builder() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user("logger@corp.example", "s3cret")
        .with_mailbox("logger@corp.example")
        .with_recording(true)
        .with_public_folder(QUEUE)
        .with_public_folder(r"\Email Logging\Storage\")
        .with_directory_entry(Some("/o=Corp/cn=anna"), "anna@corp.example", "Anna Berg")
}

async fn check(builder: SimulatedExchangeBuilder) {
    check_with(builder, None).await;
}

async fn check_with(builder: SimulatedExchangeBuilder, scheme: Option<&str>) {
    let Some(python) = interpreter() else { return };
    let exchange = builder.start().await.unwrap();
    for number in 1..=MESSAGES {
        exchange.deliver(QUEUE, message(number)).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let mut arguments = vec![
        exchange.url(),
        "logger@corp.example".into(),
        "s3cret".into(),
    ];
    arguments.push("logger@corp.example".into());
    if let Some(pem) = exchange.ca_pem() {
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, pem).unwrap();
        arguments.push(file.to_str().unwrap().to_owned());
    }
    arguments.extend(scheme.map(str::to_owned));
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/exchangelib/check.py");
    let run = move || Command::new(python).arg(script).args(arguments).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.trim_end().ends_with("0 failed"), "{text}");
    eprintln!("exchangelib: {}", text.lines().last().unwrap_or_default());
    validate_answers(&exchange, directory.path());
}

/// Whatever exchangelib asked: the answers must be valid. Its own requests are its own affair.
fn validate_answers(exchange: &SimulatedExchange, directory: &Path) {
    let Some(schema) = schema() else { return };
    exchange.write_recorded(directory).unwrap();
    let files = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_answer = |file: &PathBuf| file.to_str().unwrap().ends_with("-answer.xml");
    let answers: Vec<_> = files.filter(is_answer).collect();
    assert_eq!(answers.len(), exchange.recorded().len());
    validate(&schema, &answers);
}

fn interpreter() -> Option<String> {
    let python = std::env::var("EMAIL_LOGGING_EXCHANGELIB").ok();
    if python.is_none() {
        crate::skipped::skipped(
            "EMAIL_LOGGING_EXCHANGELIB does not name a Python with exchangelib",
        );
    }
    python
}

fn message(number: usize) -> String {
    format!(
        "From: Anna <anna@customer.example>\r\nTo: Sam <sam@corp.example>\r\n\
         Subject: Offer {number}\r\nMessage-ID: <{number}@customer.example>\r\n\
         Date: Mon, 5 Jan 2026 09:00:00 +0100\r\nContent-Type: text/plain\r\n\r\n\
         Offer number {number}\r\n"
    )
}
