//! From an HTTP request to a reply: authentication, throttling, faults, the operation, recording.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{HeaderName, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response};

use super::authentication::{Authentication, Verdict};
use super::autodiscover::Autodiscover;
use super::failure::Failure;
use super::fault::{FaultKind, FaultPlan, Firing, html_page, spoil};
use super::impersonation::mailbox_of_application;
use super::operation::{Context, Effects, Operation};
use super::recording::{RecordedCall, Recorder, kept_headers};
use super::reply::{Reply, ReplyBody};
use super::routing::Routing;
use super::server::{Hangup, Serve};
use super::statistics::Statistics;
use super::store::World;
use super::throttle::Throttle;
use super::version::{RequestVersion, ServerVersion};
use super::xml::Element;
use super::{lock, soap, xml};

/// The path of the service.
pub(crate) const PATH: &str = "/EWS/Exchange.asmx";

const XML: &str = "text/xml; charset=utf-8";

/// All that the connections of one server share.
pub(crate) struct Service {
    pub(crate) version: ServerVersion,
    pub(crate) chunk_size: Option<usize>,
    pub(crate) authentication: Authentication,
    pub(crate) routing: Routing,
    pub(crate) autodiscover: Autodiscover,
    /// Shared with a simulated Graph over the same mailboxes.
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) faults: Mutex<FaultPlan>,
    pub(crate) statistics: Mutex<Statistics>,
    pub(crate) throttle: Mutex<Throttle>,
    pub(crate) recorder: Recorder,
    pub(crate) requests: AtomicU64,
}

/// A request that was let in.
struct Call<'a> {
    headers: &'a HeaderMap,
    body: &'a Bytes,
    /// `None` for an application as itself.
    user: Option<String>,
    connection: u64,
}

/// A call whose envelope was understood.
struct Order<'a> {
    operation: Operation,
    version: RequestVersion,
    element: &'a Element,
    user: &'a str,
    headers: &'a HeaderMap,
}

/// A request that counts as open until it is dropped, also when its client goes away.
struct OpenRequest<'a> {
    throttle: &'a Mutex<Throttle>,
    number: usize,
}

impl<'a> OpenRequest<'a> {
    fn new(throttle: &'a Mutex<Throttle>) -> Self {
        let number = lock(throttle).enter();
        Self { throttle, number }
    }
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        lock(self.throttle).leave();
    }
}

/// What became of a call.
struct Outcome {
    operation: Option<Operation>,
    faults: Vec<&'static str>,
    reply: Result<Reply, Hangup>,
}

impl Outcome {
    fn of(reply: Reply) -> Self {
        Self {
            operation: None,
            faults: Vec::new(),
            reply: Ok(reply),
        }
    }
}

/// Who asks autodiscover, where it is an application.
const APPLICATION: &str = "application";

impl Serve for Service {
    fn connected(&self) {
        lock(&self.statistics).connections += 1;
    }

    fn disconnected(&self, connection: u64) {
        self.authentication.forget(connection);
    }

    async fn serve(
        self: Arc<Self>,
        connection: u64,
        request: Request<Incoming>,
    ) -> Result<Response<ReplyBody>, Hangup> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Hangup)?.to_bytes();
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let open = OpenRequest::new(&self.throttle);
        let reply = self.reply(connection, &parts, &body).await;
        self.count(open.number, body.len(), reply.as_ref().ok());
        let reply = with_server_headers(reply?, number, &parts.headers);
        Ok(reply.into_response(self.chunk_size))
    }
}

impl Service {
    fn count(&self, open: usize, received: usize, reply: Option<&Reply>) {
        let mut statistics = lock(&self.statistics);
        statistics.requests += 1;
        statistics.most_concurrent = statistics.most_concurrent.max(open);
        statistics.bytes_received += received as u64;
        if let Some(reply) = reply {
            statistics.bytes_sent += reply.length();
            statistics.unauthorized += u64::from(reply.status == 401);
        }
    }

    async fn reply(&self, connection: u64, parts: &Parts, body: &Bytes) -> Result<Reply, Hangup> {
        if Autodiscover::serves(parts) {
            return Ok(self.discovered(connection, parts, body));
        }
        if !parts.uri.path().eq_ignore_ascii_case(PATH) {
            return Ok(Reply::new(404));
        }
        let headers = &parts.headers;
        let user = match self.authentication.check(headers, connection) {
            Verdict::Accepted { user } => Some(user),
            Verdict::AcceptedApplication => None,
            Verdict::Challenged { scheme, token } => {
                return Ok(Authentication::challenge(scheme, &token));
            }
            Verdict::Refused => return Ok(self.authentication.refusal()),
            Verdict::Denied(denial) => return Ok(denial.reply()),
        };
        if parts.method != Method::POST {
            return Ok(Reply::new(200).with_body("text/html", "<html><body>Service</body></html>"));
        }
        let call = Call {
            headers,
            body,
            user,
            connection,
        };
        let outcome = self.call(&call).await;
        self.record(&call, &outcome);
        outcome.reply
    }

    fn discovered(&self, connection: u64, parts: &Parts, body: &Bytes) -> Reply {
        let user = match self.authentication.check(&parts.headers, connection) {
            Verdict::Accepted { user } => Some(user),
            Verdict::AcceptedApplication => Some(APPLICATION.to_owned()),
            Verdict::Challenged { scheme, token } => {
                return Authentication::challenge(scheme, &token);
            }
            Verdict::Denied(denial) => return denial.reply(),
            Verdict::Refused => None,
        };
        let surroundings = (&*lock(&self.world), &self.routing);
        let reply = self
            .autodiscover
            .answer(parts, body, user.as_deref(), surroundings);
        reply.unwrap_or_else(|| self.authentication.refusal())
    }

    async fn call(&self, call: &Call<'_>) -> Outcome {
        if let Some(crowded) = self.throttled() {
            return Outcome::of(crowded);
        }
        let document = match std::str::from_utf8(call.body) {
            Ok(text) => xml::parse(text).map_err(Failure::schema),
            Err(_) => Err(Failure::schema("The request is not UTF-8.")),
        };
        let root = match document {
            Ok(root) => root,
            Err(failure) => return Outcome::of(fault(&failure)),
        };
        let order = self
            .caller(call, &root)
            .and_then(|user| order(&soap::open(&root)?, call, user));
        match order {
            Ok(order) => self.obey(&order).await,
            Err(failure) => Outcome::of(fault(&failure)),
        }
    }

    /// In whose name the call is made.
    fn caller<'a>(&self, call: &'a Call<'_>, root: &'a Element) -> Result<&'a str, Failure> {
        match &call.user {
            Some(user) => Ok(user),
            None => mailbox_of_application(root, &lock(&self.world), &self.authentication),
        }
    }

    /// Notes a broken back-off, and refuses when too many requests are open.
    fn throttled(&self) -> Option<Reply> {
        let (quiet, crowded) = {
            let throttle = lock(&self.throttle);
            (throttle.is_quiet_time(), throttle.is_crowded())
        };
        let mut statistics = lock(&self.statistics);
        statistics.back_off_violations += u64::from(quiet);
        statistics.refused += u64::from(crowded);
        let failure = Failure::new("ErrorExceededConnectionCount");
        crowded.then(|| fault(&failure.with_detail("BackOffMilliseconds", "0")))
    }

    async fn obey(&self, order: &Order<'_>) -> Outcome {
        let call = lock(&self.statistics).count(order.operation);
        let firing = lock(&self.faults).meet(order.operation, call, order.element);
        for one in &firing {
            match &one.kind {
                FaultKind::Delay(time) => tokio::time::sleep(*time).await,
                FaultKind::ByHand(deed) => deed.apply(&mut lock(&self.world)),
                _ => {}
            }
        }
        let reply = self.perform(order, &firing);
        if let Some(back_off) = firing.iter().filter_map(Firing::back_off).max() {
            lock(&self.throttle).announce(back_off);
        }
        let faults = firing.iter().map(|one| one.kind.name()).collect();
        Outcome {
            operation: Some(order.operation),
            faults,
            reply,
        }
    }

    fn perform(&self, order: &Order<'_>, firing: &[Firing]) -> Result<Reply, Hangup> {
        let instead = firing.iter().find_map(|one| self.instead(&one.kind));
        let reply = match instead {
            Some(reply) => reply?,
            None => self.execute(order, firing),
        };
        if firing.iter().any(|one| one.kind == FaultKind::LoseReply) {
            return Err(Hangup);
        }
        Ok(firing
            .iter()
            .fold(reply, |reply, one| spoil(reply, &one.kind)))
    }

    /// What a fault answers instead of doing anything.
    fn instead(&self, kind: &FaultKind) -> Option<Result<Reply, Hangup>> {
        Some(match kind {
            FaultKind::DropBefore => Err(Hangup),
            FaultKind::ServerBusy { back_off } => {
                let milliseconds = back_off.as_millis().to_string();
                let busy = Failure::new("ErrorServerBusy");
                Ok(fault(
                    &busy.with_detail("BackOffMilliseconds", milliseconds),
                ))
            }
            FaultKind::SoapFault { code } => Ok(fault(&Failure::new(code.clone()))),
            FaultKind::Http {
                status,
                retry_after,
            } => {
                let reply = Reply::new(*status);
                Ok(match retry_after {
                    Some(time) => reply.with_header(RETRY_AFTER, time.as_secs().to_string()),
                    None => reply,
                })
            }
            FaultKind::HtmlPage => Ok(html_page()),
            FaultKind::RedirectTo(url) => {
                Ok(Reply::new(302).with_header(hyper::header::LOCATION, url))
            }
            FaultKind::Unauthorized => Ok(self.authentication.refusal()),
            _ => return None,
        })
    }

    fn execute(&self, order: &Order<'_>, firing: &[Firing]) -> Reply {
        if !self.version.accepts(order.version) {
            return fault(&Failure::new("ErrorInvalidServerVersion"));
        }
        let mut effects = Effects::default();
        for one in firing {
            one.affect(&mut effects);
        }
        let mut world = lock(&self.world);
        let mut context = Context {
            world: &mut world,
            user: order.user,
            version: order.version,
            effects: &effects,
            route: self.routing.route(order.operation, order.headers),
        };
        let body = soap::answer(self.version, |w| {
            order.operation.answer(&mut context, order.element, w)
        });
        match body {
            Ok(body) => Reply::new(200).with_body(XML, body),
            Err(failure) => fault(&failure),
        }
    }

    fn record(&self, call: &Call<'_>, outcome: &Outcome) {
        if !self.recorder.is_on() {
            return;
        }
        let reply = outcome.reply.as_ref().ok();
        self.recorder.keep(RecordedCall {
            connection: call.connection,
            operation: outcome.operation,
            headers: kept_headers(call.headers),
            request: Arc::from(&call.body[..]),
            status: reply.map_or(0, |reply| reply.status),
            answer: Arc::from(&reply.map(Reply::whole_body).unwrap_or_default()[..]),
            faults: outcome.faults.clone(),
        });
    }
}

fn order<'a>(
    envelope: &soap::Envelope<'a>,
    call: &'a Call<'_>,
    user: &'a str,
) -> Result<Order<'a>, Failure> {
    let element = envelope.operation;
    let operation = Operation::by_name(&element.name);
    let operation = operation.ok_or_else(|| Failure::new("ErrorInvalidRequest"))?;
    Ok(Order {
        operation,
        version: envelope.version.clone()?,
        element,
        user,
        headers: call.headers,
    })
}

fn fault(failure: &Failure) -> Reply {
    Reply::new(500).with_body(XML, soap::fault(failure))
}

/// Adds the header fields by which a real server can be asked about a request.
fn with_server_headers(reply: Reply, number: u64, request: &HeaderMap) -> Reply {
    let id = format!("00000000-0000-4000-8000-{number:012x}");
    let reply = reply
        .with_header(HeaderName::from_static("request-id"), id)
        .with_header(HeaderName::from_static("x-feserver"), "SIMULATED-FE")
        .with_header(HeaderName::from_static("x-beserver"), "SIMULATED-BE");
    let wanted = request
        .get("return-client-request-id")
        .is_some_and(|value| value == "true");
    match request
        .get("client-request-id")
        .and_then(|value| value.to_str().ok())
    {
        Some(id) if wanted => reply.with_header(HeaderName::from_static("client-request-id"), id),
        _ => reply,
    }
}
