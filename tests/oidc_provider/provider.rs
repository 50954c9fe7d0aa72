//! The provider as a process of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use email_logging::credential::{IdentityService, StaticCredentials};
use email_logging::testkit::identity::ClientCertificate;
use serde_json::{Value, json};

use super::certificate::ServerCertificate;
use super::mailbox::http;

pub(crate) const RESOURCE: &str = "https://mail.example.com";
pub(crate) const REDIRECT: &str = "https://erp.example.com/OAuthLanding.htm";
pub(crate) const SECRET: &str = "canary+secret/with%odd&characters=";
pub(crate) const SCOPE: &str = "EWS.AccessAsUser.All";

/// How long Node.js may take to load the package on a busy machine.
const START: Duration = Duration::from_mins(1);

/// A running `oidc-provider`; it ends when it is dropped.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    /// The certificate (PEM) of the authority that must be trusted.
    pub(crate) authority: String,
    pub(crate) client_certificate: ClientCertificate,
    process: Child,
    _input: ChildStdin,
}

/// What the provider did, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The grant types for which tokens were issued.
    pub(crate) issued: Vec<String>,
    /// The errors with which requests were refused.
    pub(crate) refused: Vec<String>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself; nobody is left to be told.
        let _killed = self.process.kill();
        let _waited = self.process.wait();
    }
}

/// Where the package is installed, or `None`, said aloud, where it is not and need not be.
fn installed() -> Option<PathBuf> {
    let given = std::env::var_os("EMAIL_LOGGING_OIDC_PROVIDER").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = given.unwrap_or_else(|| root.join("target/ci/oidc"));
    let has_package = directory
        .join("node_modules/oidc-provider/lib/index.js")
        .is_file();
    let node = Command::new("node").arg("--version").output();
    let missing = match (
        has_package,
        node.is_ok_and(|output| output.status.success()),
    ) {
        (true, true) => return Some(directory),
        (false, _) => "the npm package oidc-provider is not installed",
        (true, false) => "there is no node",
    };
    let required = std::env::var_os("EMAIL_LOGGING_REQUIRE_OIDC").is_some();
    assert!(!required, "this must not be skipped here: {missing}");
    // Nobody is left to be told where standard error cannot be written.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    None
}

impl Provider {
    /// Starts it with access tokens that live this many seconds; `None` where it is not installed.
    pub(crate) fn start(lifetime: u32) -> Option<Self> {
        let directory = installed()?;
        let server = ServerCertificate::make();
        let client_certificate = ClientCertificate::generate(2040).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc_provider/server.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let settings = json!({
            "key": server.key, "certificate": server.certificate, "lifetime": lifetime,
            "redirect": REDIRECT, "secret": SECRET,
            "clientCertificate": client_certificate.certificate_pem,
        });
        let mut input = process.stdin.take().unwrap();
        writeln!(input, "{settings}").unwrap();
        let started = listen(process.stdout.take().unwrap());
        let issuer = started.recv_timeout(START).expect("the provider starts");
        Some(Self {
            issuer,
            authority: server.authority,
            client_certificate,
            process,
            _input: input,
        })
    }

    /// What the provider did until now.
    pub(crate) async fn said(&self) -> Said {
        let request = http(&self.authority).get(format!("{}/said", self.issuer));
        let text = request.send().await.unwrap().text().await.unwrap();
        let said: Value = serde_json::from_str(&text).unwrap();
        let texts = |what: &str| {
            let texts = said[what].as_array().unwrap().iter();
            texts
                .map(|text| text.as_str().unwrap().to_owned())
                .collect()
        };
        Said {
            issued: texts("issued"),
            refused: texts("refused"),
        }
    }

    /// The service as an administrator sets it up.
    pub(crate) fn service(&self) -> IdentityService {
        let at = |path: &str| format!("{}/{path}", self.issuer);
        IdentityService::custom(self.issuer.as_str(), at("token"))
            .with_authorize_endpoint(at("auth"))
            .with_jwks_endpoint(at("jwks"))
            .with_scope(SCOPE)
            .with_delegated_scope(SCOPE)
            .with_resource(RESOURCE)
            .with_audience(RESOURCE)
    }
}

/// Waits for the address that the process says; warnings may come before it.
fn listen(output: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, started) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let line = serde_json::from_str::<Value>(&line).unwrap_or_default();
            if let Some(issuer) = line["issuer"].as_str() {
                // Whoever waited may have given up.
                let _sent = sender.send(issuer.to_owned());
            }
        }
    });
    started
}

/// The credentials of one of the provider's clients.
pub(crate) fn credentials(client_id: &str) -> StaticCredentials {
    StaticCredentials::new().with_client_id(client_id)
}
