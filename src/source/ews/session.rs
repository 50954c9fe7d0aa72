//! Sending requests: sign-in, version, waiting, repeating what may be repeated.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::answer::{Answer, Opened, ResponseMessage};
use super::codes::{Chance, Class};
use super::failure::{Failure, Remedy, StatusReading};
use super::probe::Greeting;
use super::request::{Request, envelope};
use super::soap::Tree;
use super::version::{Negotiated, Version};
use crate::clock::{Clock, Entropy};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::http::{
    Body, Gate, HttpClient, Outgoing, Reply, ServiceUrl, SignedIn, http_date, new_guid,
};

/// The longest wait that no server asked for.
const LONGEST_OWN_WAIT: Duration = Duration::from_mins(1);

/// The wait after a busy answer that names no time: ten seconds, twice as long each time.
fn busy_wait(next: Duration) -> Duration {
    (next * 10).min(LONGEST_OWN_WAIT)
}

/// The wait after a failed move, which a crowded mailbox causes.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// The connection to one mailbox with one credential.
pub(super) struct Session {
    pub(super) http: HttpClient,
    pub(super) url: ServiceUrl,
    pub(super) auth: SignedIn,
    pub(super) gate: Gate,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) version: Negotiated,
    pub(super) impersonated: Option<String>,
    /// Routing headers of calls about the tree of folders, and of all calls where there is no other routing.
    pub(super) routing: HeaderMap,
    /// Routing headers of calls about the content of public folders.
    pub(super) content_routing: Option<HeaderMap>,
    pub(super) repeats: usize,
    /// The longest time of a request that changes something.
    pub(super) longest_change: Duration,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("version", &self.version)
            .field("repeats", &self.repeats)
            .finish_non_exhaustive()
    }
}

/// The waits of one call, longer each time; none is left after the last attempt.
pub(super) struct Waits(ExponentialBackoff);

impl Session {
    /// The waits of a new call.
    pub(super) fn waits(&self) -> Waits {
        let builder = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(LONGEST_OWN_WAIT)
            .with_max_times(self.repeats);
        Waits(builder.build())
    }

    /// Sends a request until it is answered, within the rules for what may be repeated.
    pub(super) async fn call(&self, request: &dyn Request) -> Result<Box<Answer>> {
        let mut waits = self.waits();
        let mut signed_in_again = false;
        loop {
            let pass = self.gate.pass(request.name()).await?;
            let version = self.version.current();
            let authorization = self.auth.authorize().await?;
            // Getting a token may have taken long enough for another call to be told to wait.
            if self.gate.is_held() {
                continue;
            }
            let failure = match self.attempt(request, version, authorization.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if failure.remedy == Remedy::SignIn {
                drop(pass);
                if signed_in_again || !self.auth.challenge(authorization.as_ref()).await {
                    return Err(failure.error);
                }
                signed_in_again = true;
            } else {
                // Who waits for this call's answer must find the hold that it leads to.
                self.recover(request, version, failure, &mut waits)?;
                drop(pass);
            }
        }
    }

    /// Prepares the next attempt, or gives the error back where there is none.
    pub(super) fn recover(
        &self,
        request: &dyn Request,
        version: Version,
        failure: Failure,
        waits: &mut Waits,
    ) -> Result<()> {
        let wait = match failure.remedy {
            Remedy::OlderVersion if self.version.step_down(version) => return Ok(()),
            Remedy::Wait(wait) => wait,
            Remedy::Repeat if !request.changes() => None,
            _ => return Err(failure.error),
        };
        if let Some(wait) = wait {
            self.gate.hold(wait);
        }
        match (waits.0.next(), wait) {
            (None, _) => Err(failure.error),
            (Some(_), Some(_)) => Ok(()),
            (Some(next), None) => {
                let busy = failure.error.kind() == ErrorKind::Throttled;
                self.gate.hold(if busy { busy_wait(next) } else { next });
                Ok(())
            }
        }
    }

    /// Keeps the wish to be left alone that a response message may hold, whatever its code.
    pub(super) fn heed(&self, message: &ResponseMessage) {
        let class = message.class();
        if class == Class::Crowded {
            self.gate.shrink();
        }
        let failed = class == Class::MoveFailed;
        let least = if failed { SHORT_WAIT } else { Duration::ZERO };
        let wait = message.back_off.unwrap_or_default().max(least);
        if !wait.is_zero() {
            self.gate.hold(wait);
        }
    }

    /// Sends a request that has one response message, and reads it into the tree.
    pub(super) async fn ask(
        &self,
        request: &dyn Request,
        tree: &mut Tree,
    ) -> Result<ResponseMessage> {
        let mut waits = self.waits();
        loop {
            let version = self.version.current();
            let failure = match self.ask_once(request, tree).await? {
                Asked::Answered(message) => return Ok(message),
                Asked::Failed(failure) => failure,
            };
            self.recover(request, version, failure, &mut waits)?;
        }
    }

    /// As [`ask`](Self::ask), once, with what the server says of itself.
    pub(super) async fn greeted(
        &self,
        request: &dyn Request,
        tree: &mut Tree,
    ) -> Result<(ResponseMessage, Greeting)> {
        let mut answer = self.call(request).await?;
        let greeting = answer.greeting().clone();
        let message = answer.next(tree, None).await?;
        let mut message = message.ok_or_else(|| answer.miscounted())?;
        self.heed(&message);
        message.server = answer.server().clone();
        answer.drain().await;
        Ok((message, greeting))
    }

    async fn ask_once(&self, request: &dyn Request, tree: &mut Tree) -> Result<Asked> {
        let mut answer = self.call(request).await?;
        let mut message = match answer.next(tree, None).await {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(Asked::Failed(Failure::lasting(answer.miscounted()))),
            Err(error) => return Ok(Asked::Failed(Failure::of_transport(error))),
        };
        self.heed(&message);
        let mut rest = Tree::default();
        match answer.next(&mut rest, None).await {
            Ok(None) => {}
            Ok(Some(_)) => return Err(answer.miscounted()),
            Err(error) => return Ok(Asked::Failed(Failure::of_transport(error))),
        }
        // Whoever gave the routing knows another one.
        let elsewhere = message.misrouted && request.has_other_ways();
        let failure = message_failure(request.name(), &message, &answer).filter(|_| !elsewhere);
        message.server = answer.server().clone();
        answer.drain().await;
        Ok(failure.map_or(Asked::Answered(message), Asked::Failed))
    }

    async fn attempt(
        &self,
        request: &dyn Request,
        version: Version,
        authorization: Option<HeaderValue>,
    ) -> Result<Box<Answer>, Failure> {
        let operation = request.name();
        let reply = self.send(request, version, authorization).await?;
        let date = http_date(&reply.headers);
        let status = StatusReading {
            operation,
            headers: &reply.headers,
            server: reply.server.clone(),
            online: self.url.is_exchange_online(),
            now: self.clock.now(),
        };
        if matches!(reply.status, 300..=399 | 401 | 407 | 456) {
            return Err(status.failure(reply.status));
        }
        let (start, body) = if reply.status == 500 {
            peeked(reply.body).await
        } else {
            (Bytes::new(), reply.body.boxed())
        };
        // The body first: good answers were seen with 500, faults with 200.
        let opened = Answer::open(body, operation, reply.server).await;
        let failure = match opened {
            Ok(Opened::Response(mut answer)) => {
                answer.dated(date);
                return Ok(answer);
            }
            Ok(Opened::Fault(fault)) if fault.misrouted && request.has_other_ways() => {
                Failure::lasting(fault.error(operation))
            }
            Ok(Opened::Fault(fault)) => {
                if fault.class() == Class::Crowded {
                    self.gate.shrink();
                }
                Failure::of_fault(&fault, operation)
            }
            Ok(Opened::NotSoap) if refuses_version(&start) => status.older_version(),
            Ok(Opened::Empty) if reply.status == 200 => status.empty(),
            Ok(Opened::Empty | Opened::NotSoap) => status.failure(reply.status),
            Err(error) if error.server().is_none() => {
                Failure::of_transport(error.with_server(status.server.clone()))
            }
            Err(error) => Failure::of_transport(error),
        };
        Err(self.held(failure, status.wish(reply.status)))
    }

    /// Holds every call for the longest wait that the answer names, whatever the failure.
    fn held(&self, mut failure: Failure, wish: Option<Duration>) -> Failure {
        let named = failure.error.retry_after().max(wish);
        let Some(wait) = named.filter(|wait| !wait.is_zero()) else {
            return failure;
        };
        self.gate.hold(wait);
        failure.error = failure.error.with_retry_after(wait);
        if let Remedy::Wait(_) = failure.remedy {
            failure.remedy = Remedy::Wait(Some(wait));
        }
        failure
    }

    async fn send(
        &self,
        request: &dyn Request,
        version: Version,
        authorization: Option<HeaderValue>,
    ) -> Result<Reply, Failure> {
        let owner = request.acts_for().or(self.impersonated.as_deref());
        let body = envelope(request, version, owner);
        let request_id = new_guid(&*self.entropy);
        let headers = self.headers(request, &request_id, authorization);
        let headers = headers.map_err(Failure::lasting)?;
        let outgoing = Outgoing {
            operation: request.name(),
            url: &self.url,
            request_id: &request_id,
            headers,
            body: body.into(),
            within: request.changes().then_some(self.longest_change),
        };
        self.deliver(outgoing).await.map_err(Failure::of_transport)
    }

    /// Sends a request that is complete but for the sign-in of an account.
    pub(super) async fn deliver(&self, outgoing: Outgoing<'_>) -> Result<Reply> {
        match &self.auth {
            SignedIn::Header(_) => outgoing.send(&self.http).await,
            SignedIn::Account(client) => client.post(outgoing).await,
        }
    }

    fn headers(
        &self,
        request: &dyn Request,
        request_id: &str,
        authorization: Option<HeaderValue>,
    ) -> Result<HeaderMap> {
        let operation = request.name();
        let invalid = |_| Error::new(&codes::INTERNAL, operation);
        let content = self
            .content_routing
            .as_ref()
            .filter(|_| !request.is_about_hierarchy());
        let own = request.routing();
        let mut headers = own.or(content).unwrap_or(&self.routing).clone();
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/xml; charset=utf-8"),
        );
        headers.insert(ACCEPT, HeaderValue::from_static("text/xml"));
        let action = format!("\"{ACTION}{operation}\"");
        headers.insert(SOAP_ACTION, HeaderValue::try_from(action).map_err(invalid)?);
        let id = HeaderValue::try_from(request_id).map_err(invalid)?;
        headers.insert(CLIENT_REQUEST_ID, id);
        headers.insert(RETURN_CLIENT_REQUEST_ID, HeaderValue::from_static("true"));
        Ok(headers)
    }
}

const ACTION: &str = "http://schemas.microsoft.com/exchange/services/2006/messages/";
const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const RETURN_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("return-client-request-id");

/// Bytes of an answer with status 500 that are looked at for what is not written as SOAP.
const PEEKED: usize = 4 << 10;

/// The start of a body, and the whole of it.
async fn peeked(mut body: Body) -> (Bytes, BoxStream<'static, Result<Bytes>>) {
    let (mut start, mut pieces) = (Vec::new(), Vec::new());
    while start.len() < PEEKED {
        let Some(piece) = body.next().await else {
            break;
        };
        let failed = piece.is_err();
        if let Ok(bytes) = &piece {
            start.extend_from_slice(bytes.get(..PEEKED).unwrap_or(bytes));
        }
        pieces.push(piece);
        if failed {
            break;
        }
    }
    let whole = futures_util::stream::iter(pieces).chain(body);
    (start.into(), whole.boxed())
}

/// Servers were seen that refuse a version in plain text.
fn refuses_version(start: &[u8]) -> bool {
    VERSION_CODES
        .iter()
        .any(|code| memchr::memmem::find(start, code.as_bytes()).is_some())
}

const VERSION_CODES: [&str; 3] = [
    "ErrorInvalidServerVersion",
    "ErrorIncorrectSchemaVersion",
    "ErrorInvalidSchemaVersionForMailboxVersion",
];

enum Asked {
    Answered(ResponseMessage),
    Failed(Failure),
}

/// What a response message asks for before it can be taken as the answer.
fn message_failure(
    operation: &'static str,
    message: &ResponseMessage,
    answer: &Answer,
) -> Option<Failure> {
    let class = message.class();
    if class.chance() == Chance::None {
        return None;
    }
    let error = class.error(operation, message.decisive_code(), answer.server().clone());
    Some(Failure::of_class(class, error, message.back_off))
}
