//! One look-up: from host to host, each once, within bounds.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION};

use super::answer::{AutodiscoverAttempt, AutodiscoverProtocol};
use super::hosts::Hosts;
use super::settings::{self, GET_USER_SETTINGS, PATH, Told};
use super::{Autodiscover, OPERATION, json};
use crate::error::Result;
use crate::http::{Reply, ServiceUrl, new_guid};

/// Questions of one look-up.
const QUESTIONS: usize = 40;
/// Redirects in a row.
const REDIRECTS: usize = 5;
/// How often the address itself may be redirected.
const ADDRESSES: usize = 3;

/// What is asked about a mailbox.
const SETTINGS: &[&str] = &[
    "ExternalEwsUrl",
    "InternalEwsUrl",
    "PublicFolderInformation",
    "InternalRpcClientServer",
    "AutoDiscoverSMTPAddress",
];

/// A look-up that is under way.
pub(super) struct Walk<'a> {
    of: &'a Autodiscover,
    pub(super) hosts: Hosts,
    mailbox: String,
    asked: BTreeSet<String>,
    pub(super) tried: Vec<AutodiscoverAttempt>,
    /// The first host that was named and may not be followed.
    pub(super) refused: Option<String>,
}

/// What one question led to.
enum Step {
    /// An answer.
    Answer(Vec<u8>),
    /// Another address to ask at.
    Elsewhere(Url),
    /// Nothing of use.
    Nothing,
}

impl<'a> Walk<'a> {
    pub(super) fn new(of: &'a Autodiscover, hosts: Hosts) -> Self {
        Self {
            of,
            hosts,
            mailbox: of.address.trim().to_owned(),
            asked: BTreeSet::new(),
            tried: Vec::new(),
            refused: None,
        }
    }

    /// The address of the service by JSON, without credentials.
    pub(super) async fn by_json(&mut self, hosts: &[String]) -> Option<String> {
        for host in hosts {
            let Ok(mut url) = json::question(host, &self.mailbox) else {
                continue;
            };
            for _ in 0..=REDIRECTS {
                match self.ask_json(&url).await {
                    Step::Elsewhere(next) => url = next,
                    Step::Nothing => break,
                    Step::Answer(bytes) => match self.service_in(&url, &bytes) {
                        Some(found) => return Some(found),
                        None => break,
                    },
                }
            }
        }
        None
    }

    fn service_in(&mut self, asked: &Url, answer: &[u8]) -> Option<String> {
        let json = AutodiscoverProtocol::Json;
        let Some(found) = json::service_url(answer) else {
            self.note(asked, json, "no service in the answer");
            return None;
        };
        let found = self.acceptable(&found);
        let outcome = if found.is_some() {
            "found"
        } else {
            "service at a refused host"
        };
        self.note(asked, json, outcome);
        found
    }

    /// A service address that may be used, as it was written.
    pub(super) fn acceptable(&mut self, text: &str) -> Option<String> {
        let url = ServiceUrl::parse(text, false).ok()?;
        let host = url.as_url().host_str()?.to_owned();
        if self.hosts.may_serve(&host) {
            return Some(url.as_url().to_string());
        }
        self.refused.get_or_insert(host);
        None
    }

    /// The settings by SOAP, with an access token, of the hosts that may get one.
    pub(super) async fn by_soap(&mut self, hosts: &[String]) -> BTreeMap<String, String> {
        let mut addresses = ADDRESSES;
        let mut left = hosts.iter();
        let mut current = None;
        loop {
            let host = current.take().or_else(|| left.next().cloned());
            let Some(host) = host else {
                return BTreeMap::new();
            };
            match self.settings_at(&host).await {
                Some(Told::Settings(settings)) => return settings,
                Some(Told::Address(address)) if addresses > 0 && self.follow(&address) => {
                    addresses -= 1;
                    current = Some(host);
                }
                _ => {}
            }
        }
    }

    /// Takes another address, if it is one of the same organisation.
    fn follow(&mut self, address: &str) -> bool {
        let Some((_, domain)) = address.rsplit_once('@') else {
            return false;
        };
        let admitted = self.hosts.admit(domain);
        if admitted {
            address.trim().clone_into(&mut self.mailbox);
        } else {
            self.refused
                .get_or_insert_with(|| domain.to_ascii_lowercase());
        }
        admitted
    }

    async fn settings_at(&mut self, host: &str) -> Option<Told> {
        let mut url = Url::parse(&format!("https://{host}{PATH}")).ok()?;
        for _ in 0..=REDIRECTS {
            let told = match self.ask_soap(&url).await {
                Step::Answer(bytes) => settings::read(bytes).await,
                Step::Elsewhere(next) => {
                    url = next;
                    continue;
                }
                Step::Nothing => return None,
            };
            let soap = AutodiscoverProtocol::Soap;
            match told {
                Ok(Told::Url(target)) => {
                    self.note(&url, soap, "redirect");
                    url = self.judge(&url, &target, soap)?;
                }
                Ok(Told::Refused(code)) => {
                    self.note(&url, soap, code);
                    return None;
                }
                Ok(told) => {
                    self.note(&url, soap, "found");
                    return Some(told);
                }
                Err(error) => {
                    self.note(&url, soap, error.code());
                    return None;
                }
            }
        }
        None
    }

    async fn ask_json(&mut self, url: &Url) -> Step {
        let json = AutodiscoverProtocol::Json;
        if !self.may_ask(url, json) {
            return Step::Nothing;
        }
        let Ok(to) = ServiceUrl::parse(url.as_str(), false) else {
            return Step::Nothing;
        };
        let id = new_guid(&*self.of.entropy);
        let reply = self
            .of
            .http
            .get(OPERATION, &to, &id, HeaderMap::new())
            .await;
        self.step(url, json, reply).await
    }

    async fn ask_soap(&mut self, url: &Url) -> Step {
        let soap = AutodiscoverProtocol::Soap;
        if !self.may_ask(url, soap) {
            return Step::Nothing;
        }
        let host = url.host_str().unwrap_or_default();
        if !self.hosts.is_trusted(host) {
            self.note(url, soap, "not asked: the host gets no token");
            return Step::Nothing;
        }
        let Ok(to) = ServiceUrl::parse(url.as_str(), false) else {
            return Step::Nothing;
        };
        let token = match self.of.sign_in.authorize(&to.origin()).await {
            Ok(Some(token)) => token,
            Ok(None) => return Step::Nothing,
            Err(error) => {
                self.note(url, soap, error.code());
                return Step::Nothing;
            }
        };
        let mut headers = settings::headers();
        headers.insert(AUTHORIZATION, token);
        let body = settings::request(url.as_str(), &self.mailbox, SETTINGS);
        let id = new_guid(&*self.of.entropy);
        let sent = self
            .of
            .http
            .post(GET_USER_SETTINGS, &to, &id, headers, body.into());
        let reply = sent.await;
        self.step(url, soap, reply).await
    }

    /// Whether a question is allowed and new.
    fn may_ask(&mut self, url: &Url, protocol: AutodiscoverProtocol) -> bool {
        let question = format!("{protocol:?} {url} {}", self.mailbox);
        if self.asked.contains(&question) {
            self.note(url, protocol, "asked before");
            return false;
        }
        let free = self.asked.len() < QUESTIONS;
        self.asked.insert(question);
        free
    }

    async fn step(
        &mut self,
        url: &Url,
        protocol: AutodiscoverProtocol,
        reply: Result<Reply>,
    ) -> Step {
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                self.note(url, protocol, error.code());
                return Step::Nothing;
            }
        };
        match reply.status {
            200 => match reply.read_all().await {
                Ok(bytes) => Step::Answer(bytes),
                Err(error) => {
                    self.note(url, protocol, error.code());
                    Step::Nothing
                }
            },
            301 | 302 | 303 | 307 | 308 => {
                let target = reply
                    .headers
                    .get(LOCATION)
                    .and_then(|value| value.to_str().ok());
                let target = target.map(str::to_owned).unwrap_or_default();
                self.note(url, protocol, "redirect");
                self.judge(url, &target, protocol)
                    .map_or(Step::Nothing, Step::Elsewhere)
            }
            status => {
                self.note(url, protocol, format!("status {status}"));
                Step::Nothing
            }
        }
    }

    /// The target of a redirect, if it may be asked.
    fn judge(&mut self, from: &Url, target: &str, protocol: AutodiscoverProtocol) -> Option<Url> {
        let url = from.join(target.trim()).ok()?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let safe = url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none_or(|port| Some(port) == from.port());
        if safe && self.hosts.may_ask(&host) {
            return Some(url);
        }
        let reason = if safe {
            "redirect refused: host"
        } else {
            "redirect refused: not https"
        };
        self.note(&url, protocol, reason);
        self.refused.get_or_insert(host);
        None
    }

    fn note(&mut self, url: &Url, protocol: AutodiscoverProtocol, outcome: impl Into<String>) {
        self.tried.push(AutodiscoverAttempt {
            host: url.host_str().unwrap_or_default().to_owned(),
            protocol,
            outcome: outcome.into(),
        });
    }
}
