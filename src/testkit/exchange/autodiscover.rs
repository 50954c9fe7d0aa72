//! The autodiscover services beside EWS: JSON version 2 without sign-in, SOAP GetUserSettings with it.
//!
//! Facts from Microsoft, "GetUserSettings operation (SOAP)", "How to: Route public folder hierarchy requests" and "How to:
//! Route public folder content requests". A request that lacks something or is out of order is refused.

mod answer;
mod question;

use std::sync::Mutex;

use hyper::header::{AUTHORIZATION, HOST, LOCATION};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use secrecy::{ExposeSecret, SecretString};

use self::question::Question;
use super::lock;
use super::reply::Reply;
use super::routing::Routing;
use super::store::World;

const JSON: &str = "/autodiscover/autodiscover.json";
const SOAP: &str = "/autodiscover/autodiscover.svc";
const XML: &str = "text/xml; charset=utf-8";

/// What goes wrong with the autodiscover services, from the time it is set on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AutodiscoverFault {
    /// Both answer 302 to this address.
    Redirect(String),
    /// SOAP answers `RedirectUrl` with this address.
    RedirectUrl(String),
    /// SOAP answers `RedirectAddress` with this mail address.
    RedirectAddress(String),
    /// Both answer 401.
    Unauthorized,
    /// Both answer an HTML page with status 200.
    HtmlPage,
    /// SOAP answers an envelope of something else, JSON an object of something else.
    OtherContent,
    /// Both answer this status.
    Status(u16),
    /// Only the mailboxes that hold the content of public folders are not known, as in Exchange Online.
    ContentMailboxesUnknown,
}

/// A question to one of the autodiscover services.
///
/// Its debug form holds no address.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AutodiscoverCall {
    /// The host that the request named.
    pub host: String,
    /// Whether it was SOAP; else JSON.
    pub is_soap: bool,
    /// The mailbox that was asked about, where the request was understood.
    pub mailbox: Option<String>,
    /// Whether it held an Authorization header field.
    pub with_credentials: bool,
}

impl std::fmt::Debug for AutodiscoverCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AutodiscoverCall")
            .field("host", &self.host)
            .field("is_soap", &self.is_soap)
            .field("with_credentials", &self.with_credentials)
            .finish_non_exhaustive()
    }
}

/// The services of one server.
pub(crate) struct Autodiscover {
    pub(crate) secure: bool,
    pub(crate) service_url: Option<String>,
    /// An access token that SOAP accepts beside what the server accepts.
    pub(crate) token: Option<SecretString>,
    pub(crate) fault: Mutex<Option<AutodiscoverFault>>,
    pub(crate) calls: Mutex<Vec<AutodiscoverCall>>,
}

impl Autodiscover {
    /// Whether a request is for one of the services.
    pub(crate) fn serves(parts: &Parts) -> bool {
        let path = parts.uri.path();
        path.eq_ignore_ascii_case(JSON) || path.eq_ignore_ascii_case(SOAP)
    }

    /// Answers a request; `user` is who signed in, if anybody. Nothing is a 401.
    pub(crate) fn answer(
        &self,
        parts: &Parts,
        body: &[u8],
        user: Option<&str>,
        surroundings: (&World, &Routing),
    ) -> Option<Reply> {
        let is_soap = parts.uri.path().eq_ignore_ascii_case(SOAP);
        let question = if is_soap {
            question::from_soap(body)
        } else {
            question::from_query(parts.uri.query().unwrap_or_default())
        };
        self.keep(parts, is_soap, question.as_ref().ok());
        let fault = lock(&self.fault).clone();
        if fault == Some(AutodiscoverFault::Unauthorized) {
            return None;
        }
        if let Some(reply) = fault.as_ref().and_then(|fault| spoilt(fault, is_soap)) {
            return Some(reply);
        }
        if is_soap && user.is_none() && !self.knows_token(&parts.headers) {
            return None;
        }
        let ews_url = self.ews_url(&parts.headers);
        Some(match question {
            Err(_) if is_soap => Reply::new(500).with_body(XML, answer::fault()),
            Err(text) => Reply::new(400).with_body("application/json", answer::json_error(&text)),
            Ok(question) if is_soap && parts.method == Method::POST => {
                let text = answer::settings(&question, &ews_url, surroundings, fault.as_ref());
                Reply::new(200).with_body(XML, text)
            }
            Ok(question) if !is_soap && parts.method == Method::GET => {
                json(&question, &ews_url, surroundings.0)
            }
            Ok(_) => Reply::new(405),
        })
    }

    fn knows_token(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let given = given.and_then(|text| text.strip_prefix("Bearer "));
        let known = self.token.as_ref().map(ExposeSecret::expose_secret);
        given.is_some() && given == known
    }

    fn ews_url(&self, headers: &HeaderMap) -> String {
        self.service_url.clone().unwrap_or_else(|| {
            let scheme = if self.secure { "https" } else { "http" };
            format!("{scheme}://{}{}", host(headers), super::service::PATH)
        })
    }

    fn keep(&self, parts: &Parts, is_soap: bool, question: Option<&Question>) {
        lock(&self.calls).push(AutodiscoverCall {
            host: host(&parts.headers),
            is_soap,
            mailbox: question.map(|question| question.mailbox.clone()),
            with_credentials: parts.headers.contains_key(AUTHORIZATION),
        });
    }
}

fn json(question: &Question, ews_url: &str, world: &World) -> Reply {
    if world.mailbox(&question.mailbox).is_some() {
        Reply::new(200).with_body("application/json", answer::json(ews_url))
    } else {
        Reply::new(404).with_body("application/json", answer::json_error("MailboxNotFound"))
    }
}

/// What a fault answers instead.
fn spoilt(fault: &AutodiscoverFault, is_soap: bool) -> Option<Reply> {
    Some(match fault {
        AutodiscoverFault::Redirect(url) => Reply::new(302).with_header(LOCATION, url),
        AutodiscoverFault::HtmlPage => super::fault::html_page(),
        AutodiscoverFault::Status(status) => Reply::new(*status),
        AutodiscoverFault::OtherContent if is_soap => {
            Reply::new(200).with_body(XML, answer::other_envelope())
        }
        AutodiscoverFault::OtherContent => Reply::new(200).with_body("application/json", "[1]"),
        _ => return None,
    })
}

fn host(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    host.unwrap_or_default().to_owned()
}
