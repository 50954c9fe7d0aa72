//! NTLM against an acceptor that nobody here wrote: pyspnego, behind HTTPS with channel bindings.
//!
//! Runs when EMAIL_LOGGING_PYSPNEGO, or else EMAIL_LOGGING_EXCHANGELIB, names a Python that has pyspnego.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;
#[path = "ews/support.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use email_logging::credential::StaticCredentials;
use email_logging::source::ews::EwsSource;
use email_logging::source::{FolderPath, ListRequest, MailSource};
use email_logging::testkit::exchange::SimulatedExchange;
use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
use support::{Collect, code_of, source_at};

const QUEUE: &str = r"\Email Logging\Queue\";
const MAILS: usize = 20;

/// The server process; it ends with the test.
struct Acceptor {
    process: Child,
    output: BufReader<ChildStdout>,
    port: u16,
    ca_pem: String,
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}

impl Acceptor {
    fn start(python: &str, directory: &Path, exchange: &SimulatedExchange) -> Self {
        let sha256 = (&rcgen::PKCS_ECDSA_P256_SHA256, "sha256");
        Self::start_with(python, directory, exchange, sha256, "Negotiate,NTLM")
    }

    fn start_with(
        python: &str,
        directory: &Path,
        exchange: &SimulatedExchange,
        (algorithm, hash): (&'static SignatureAlgorithm, &str),
        offered: &str,
    ) -> Self {
        let ca_pem = write_certificate(directory, algorithm);
        let accounts = "CORP:anna:pässwörd €\n:svc@corp.example:s3cret\n:plain:\n";
        std::fs::write(directory.join("accounts"), accounts).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let upstream = base64_simd::STANDARD.encode_to_string("proxy@example.com:secret");
        let mut process = Command::new(python)
            .arg(root.join("tests/ntlm_acceptor/server.py"))
            .args([directory.join("cert.pem"), directory.join("key.pem")])
            .args([hash, offered])
            .args([exchange.port().to_string(), format!("Basic {upstream}")])
            .env("NTLM_USER_FILE", directory.join("accounts"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        Self {
            process,
            output,
            port: line.trim().parse().unwrap(),
            ca_pem,
        }
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn source(&self, user: &str, password: &str) -> EwsSource {
        let account = StaticCredentials::new().with_password(user, password);
        let url = format!("https://localhost:{}/EWS/Exchange.asmx", self.port);
        let change = |builder: email_logging::source::ews::EwsSourceBuilder| {
            builder
                .with_account(Arc::new(account))
                .with_trusted_roots(&*self.ca_pem)
                .with_repeats(0)
        };
        source_at(&url, change).0
    }
}

fn write_certificate(directory: &Path, algorithm: &'static SignatureAlgorithm) -> String {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    std::fs::write(directory.join("cert.pem"), &pem).unwrap();
    std::fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
    pem
}

/// A Python that has pyspnego.
fn interpreter() -> Option<String> {
    let variables = ["EMAIL_LOGGING_PYSPNEGO", "EMAIL_LOGGING_EXCHANGELIB"];
    let has_pyspnego = |python: &String| {
        let import = Command::new(python).args(["-c", "import spnego"]).output();
        import.is_ok_and(|output| output.status.success())
    };
    let mut named = variables.iter().filter_map(|name| std::env::var(name).ok());
    let usable = named.find(has_pyspnego);
    if usable.is_none() {
        skipped::skipped("EMAIL_LOGGING_PYSPNEGO does not name a Python with pyspnego");
    }
    usable
}

async fn exchange() -> SimulatedExchange {
    let exchange = SimulatedExchange::builder()
        .with_user("proxy@example.com", "secret")
        .with_public_folder(QUEUE)
        .start()
        .await
        .unwrap();
    for number in 0..MAILS {
        let mail = format!("Subject: Mail {number}\r\n\r\nHello\r\n");
        exchange.deliver(QUEUE, mail).unwrap();
    }
    exchange
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_account_signs_in_with_channel_and_integrity_code() {
    let Some(python) = interpreter() else { return };
    let (exchange, directory) = (exchange().await, tempfile::tempdir().unwrap());
    let mut acceptor = Acceptor::start(&python, directory.path(), &exchange);
    for (user, password, principal) in [
        (r"CORP\anna", "pässwörd €", r"CORP\anna"),
        ("svc@corp.example", "s3cret", "svc@corp.example"),
        ("plain", "", "plain"),
    ] {
        let source = acceptor.source(user, password);
        let queue = QUEUE.parse::<FolderPath>().unwrap().into();
        let queue = source.open_folder(&queue).await.unwrap();
        let listed = source.list(&queue, ListRequest::new(0, 100)).await.unwrap();
        let mut sink = Collect::default();
        let items = &listed.items;
        source.fetch(&queue, items, &mut sink).await.unwrap();
        assert_eq!(sink.got.len(), MAILS);
        // One line: all calls went over one sign-in, and no body came with its first message.
        let expected =
            format!("signed in {principal} bound=True code=True no_lm=True service=HTTP/localhost");
        assert_eq!(acceptor.next_line(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn negotiate_alone_takes_the_same_messages_and_another_hash_binds_the_channel() {
    let Some(python) = interpreter() else { return };
    let (exchange, directory) = (exchange().await, tempfile::tempdir().unwrap());
    let sha384 = (&rcgen::PKCS_ECDSA_P384_SHA384, "sha384");
    let path = directory.path();
    let mut acceptor = Acceptor::start_with(&python, path, &exchange, sha384, "Negotiate");
    let source = acceptor.source("svc@corp.example", "s3cret");
    let queue = QUEUE.parse::<FolderPath>().unwrap().into();
    assert!(source.open_folder(&queue).await.is_ok());
    let line = acceptor.next_line();
    let expected = "bound=True code=True no_lm=True service=HTTP/localhost";
    assert!(line.ends_with(expected), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused() {
    let Some(python) = interpreter() else { return };
    let (exchange, directory) = (exchange().await, tempfile::tempdir().unwrap());
    let mut acceptor = Acceptor::start(&python, directory.path(), &exchange);
    let source = acceptor.source(r"CORP\anna", "pässwörd $");
    let queue = QUEUE.parse::<FolderPath>().unwrap().into();
    let error = source.open_folder(&queue).await.unwrap_err();
    assert_eq!(code_of(&error), "http.unauthorized");
    assert_eq!(acceptor.next_line(), "refused InvalidTokenError");
    assert_eq!(exchange.statistics().requests, 0);
}
