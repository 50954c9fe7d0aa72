//! Every way to sign in, each with a secret that is easy to find again.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use email_logging::credential::{AccessToken, AppSignIn, CredentialProvider, StaticCredentials};
use email_logging::source::MailSource as _;
use email_logging::source::ews::{AddressPolicy, EwsSource, EwsSourceBuilder, NameResolver};
use email_logging::{Error, Result};

use crate::support::{all, folder};

/// In every secret, and in nothing else.
pub(crate) const CANARY: &str = "canary-7f3a";

/// What must be nowhere: the secret, what Basic makes of it, and the name of the header.
pub(crate) fn needles() -> [String; 3] {
    let basic = format!("svc@corp.example:{CANARY}-password");
    let basic = base64_simd::STANDARD.encode_to_string(basic);
    [CANARY.to_owned(), basic, "uthorization".to_owned()]
}

/// How a request proves who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    Basic,
    AccessToken,
    /// The server in question is the token endpoint.
    App,
}

pub(crate) const EVERY: [SignIn; 3] = [SignIn::Basic, SignIn::AccessToken, SignIn::App];

pub(crate) fn credentials() -> Arc<dyn CredentialProvider> {
    let credentials = StaticCredentials::new()
        .with_password("svc@corp.example", format!("{CANARY}-password"))
        .with_client_id("app-id")
        .with_client_secret(format!("{CANARY}-secret"))
        .with_access_token(AccessToken::new(format!("{CANARY}-token"), None));
    Arc::new(credentials)
}

/// A resolver that answers from a list, the last one again and again, and counts.
#[derive(Debug)]
pub(crate) struct Answers {
    answers: Vec<Vec<IpAddr>>,
    asked: Mutex<Vec<String>>,
}

impl Answers {
    pub(crate) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self {
            answers: answers.iter().map(parse).collect(),
            asked: Mutex::default(),
        })
    }

    /// The hosts that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl NameResolver for Answers {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(host.to_owned());
        let at = asked.len().min(self.answers.len()) - 1;
        Ok(self.answers[at].clone())
    }
}

/// Every name is this machine.
pub(crate) fn this_machine() -> Arc<Answers> {
    Answers::new(&[&["127.0.0.1"]])
}

/// Lets connections to this machine through.
pub(crate) fn loopback() -> AddressPolicy {
    AddressPolicy::on_premises(["127.0.0.1", "::1"]).unwrap()
}

/// What a client trusts.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    pub(crate) roots: Option<String>,
    pub(crate) pins: Vec<String>,
}

fn ews(url: &str, trust: &Trust) -> EwsSourceBuilder {
    let mut builder = EwsSource::builder(url)
        .with_address_policy(loopback())
        .with_name_resolver(this_machine())
        .with_impersonation("queue@corp.example")
        .with_repeats(0);
    if let Some(roots) = &trust.roots {
        builder = builder.with_trusted_roots(roots);
    }
    trust
        .pins
        .iter()
        .fold(builder, EwsSourceBuilder::with_pinned_key)
}

fn app(url: &str, trust: &Trust) -> Result<AppSignIn> {
    let mut builder = AppSignIn::builder(url, credentials())
        .with_address_policy(loopback())
        .with_name_resolver(this_machine());
    if let Some(roots) = &trust.roots {
        builder = builder.with_trusted_roots(roots);
    }
    for pin in &trust.pins {
        builder = builder.with_pinned_key(pin);
    }
    builder.build()
}

/// A source whose first request goes to this address, in this way.
pub(crate) fn source(sign_in: SignIn, url: &str, trust: &Trust) -> Result<EwsSource> {
    match sign_in {
        SignIn::Basic => ews(url, trust).with_basic(credentials()).build(),
        SignIn::AccessToken => ews(url, trust).with_access_token(credentials()).build(),
        SignIn::App => {
            let port_1 = format!("https://{}:1/EWS/Exchange.asmx", Ipv4Addr::LOCALHOST);
            ews(&port_1, trust)
                .with_app_sign_in(app(url, trust)?)
                .build()
        }
    }
}

/// The error of a request in this way to this address.
pub(crate) async fn refused(sign_in: SignIn, url: &str, trust: &Trust) -> Error {
    let source = source(sign_in, url, trust).unwrap();
    source.list(&folder("Q"), all()).await.unwrap_err()
}
