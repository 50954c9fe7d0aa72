//! From an HTTP request to a reply: the token, the throttle, faults, the operation, recording.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};

use super::access::{Access, Visitor};
use super::answer::Answer;
use super::batch::announced;
use super::delta::{self, DeltaTokens};
use super::fault::{self, Effects, FaultPlan, GraphFaultKind, Instead, spoil};
use super::mailbox::{Desk, Outcome};
use super::operation::{GraphOperation, Route};
use super::problem::Problem;
use super::recording::{RecordedGraphCall, Recorder, kept_headers};
use super::reply::{Reply, ReplyBody};
use super::request::GraphRequest;
use super::rewriting::MimeRendering;
use super::server::{Hangup, Serve};
use super::statistics::GraphStatistics;
use super::subscriptions::Subscriptions;
use super::{folders, lock, messages, transfer};
use crate::clock::Clock;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::clock::text;

/// What stays as it is while the server runs.
pub(super) struct Settings {
    pub(super) chunk_size: Option<usize>,
    pub(super) rendering: MimeRendering,
    pub(super) mime_type: String,
    pub(super) skip_tokens: bool,
    /// How many requests may be open for a mailbox.
    pub(super) limit: usize,
    /// The Retry-After of those that are refused.
    pub(super) limit_wait: Duration,
}

/// All that the connections of one server share.
pub(super) struct Service {
    pub(super) settings: Settings,
    pub(super) world: Arc<Mutex<World>>,
    pub(super) access: Access,
    pub(super) clock: Arc<dyn Clock>,
    /// Where links begin.
    pub(super) base: Mutex<String>,
    pub(super) faults: Mutex<FaultPlan>,
    pub(super) statistics: Mutex<GraphStatistics>,
    pub(super) tokens: Mutex<DeltaTokens>,
    pub(super) subscriptions: Mutex<Subscriptions>,
    pub(super) throttle: Mutex<Throttle>,
    pub(super) recorder: Recorder,
    pub(super) requests: AtomicU64,
}

/// Open requests, and the wait that clients must keep.
#[derive(Default)]
pub(super) struct Throttle {
    open: usize,
    /// Open requests and running parts of batches. A batch itself is none.
    by_mailbox: BTreeMap<String, usize>,
    quiet_until: Option<Timestamp>,
    /// Parts of batches that are being worked on.
    parts: usize,
}

/// Something that is open at a mailbox until this is dropped, also when its client goes away.
pub(super) struct Open<'a> {
    throttle: &'a Mutex<Throttle>,
    mailbox: Option<String>,
    part: bool,
    /// Whether there is more open by it than is allowed.
    crowded: bool,
}

impl Open<'_> {
    /// Why it is not worked on.
    pub(super) fn refusal(&self, service: &Service) -> Option<Problem> {
        let wait = service.settings.limit_wait;
        self.crowded.then(|| Problem::throttled(Some(wait)))
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut throttle = lock(self.throttle);
        let all = if self.part {
            &mut throttle.parts
        } else {
            &mut throttle.open
        };
        *all = all.saturating_sub(1);
        if let Some(mailbox) = &self.mailbox
            && let Some(open) = throttle.by_mailbox.get_mut(mailbox)
        {
            *open = open.saturating_sub(1);
        }
    }
}

/// What became of an operation.
pub(super) struct Performed {
    pub(super) outcome: Outcome,
    /// The faults that it met.
    pub(super) faults: Vec<GraphFaultKind>,
}

impl Performed {
    pub(super) fn plain(outcome: Outcome) -> Self {
        Self {
            outcome,
            faults: Vec::new(),
        }
    }
}

/// A reply and what is to be recorded with it.
struct Served {
    operation: Option<GraphOperation>,
    faults: Vec<&'static str>,
    reply: Result<Reply, Hangup>,
}

impl Serve for Service {
    fn connected(&self) {
        lock(&self.statistics).connections += 1;
    }

    async fn serve(
        self: Arc<Self>,
        connection: u64,
        request: Request<Incoming>,
    ) -> Result<Response<ReplyBody>, Hangup> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Hangup)?.to_bytes();
        let served = self.answer(&parts, &body).await;
        self.count(&body, served.reply.as_ref().ok());
        self.record(connection, &parts, &body, &served);
        let is_mime = served.operation == Some(GraphOperation::GetMime);
        let reply = self.with_server_headers(served.reply?, &parts.headers);
        // MIME comes in chunks, as from Graph; a cut answer needs the length that it does not keep.
        let chunked = (is_mime && reply.claimed_length.is_none()).then_some(16 * 1024);
        Ok(reply.into_response(self.settings.chunk_size.or(chunked)))
    }
}

impl Service {
    async fn answer(&self, parts: &Parts, body: &Bytes) -> Served {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut served = Served {
            operation: None,
            faults: Vec::new(),
            reply: Err(Hangup),
        };
        let request =
            GraphRequest::of_http(&parts.method, &parts.uri, &parts.headers, body.clone());
        let Some(request) = request else {
            let problem = Problem::new(404, "UnknownError", "There is nothing here.");
            served.reply = Ok(self.answer_of(Err(problem)).into_reply());
            return served;
        };
        let entered = self
            .access
            .visitor(&parts.headers)
            .and_then(|visitor| Ok((visitor, Route::of(&request)?)));
        let (visitor, route) = match entered {
            Ok(entered) => entered,
            Err(problem) => {
                served.reply = Ok(self.answer_of(Err(problem)).into_reply());
                return served;
            }
        };
        served.operation = Some(route.operation);
        let open = self.open(self.mailbox_key(&route, &visitor));
        served.reply = match open.refusal(self) {
            None => {
                let (faults, reply) = self.whole(&route, &request, &visitor).await;
                served.faults = faults;
                reply
            }
            Some(problem) => {
                self.announce(self.settings.limit_wait);
                Ok(self.answer_of(Err(problem)).into_reply())
            }
        };
        drop(open);
        served
    }

    /// Performs a request that came alone, with the faults in the bytes of its answer.
    async fn whole(
        &self,
        route: &Route,
        request: &GraphRequest,
        visitor: &Visitor,
    ) -> (Vec<&'static str>, Result<Reply, Hangup>) {
        let performed = match Box::pin(self.perform(route, request, visitor, false)).await {
            Ok(performed) => performed,
            Err(hangup) => return (Vec::new(), Err(hangup)),
        };
        let kinds = performed.faults;
        let names = kinds.iter().map(GraphFaultKind::name).collect();
        let replaced = kinds.iter().find_map(|kind| match fault::instead(kind) {
            Some(Instead::Reply(reply)) => Some(reply),
            _ => None,
        });
        let reply = replaced.unwrap_or_else(|| self.answer_of(performed.outcome).into_reply());
        if kinds.contains(&GraphFaultKind::LoseReply) {
            return (names, Err(Hangup));
        }
        (names, Ok(kinds.iter().fold(reply, spoil)))
    }

    /// Performs an operation with the faults that it meets.
    pub(super) async fn perform(
        &self,
        route: &Route,
        request: &GraphRequest,
        visitor: &Visitor,
        part: bool,
    ) -> Result<Performed, Hangup> {
        let call = {
            let immutable = request.wants_immutable_ids();
            lock(&self.statistics).count(route.operation, part, immutable)
        };
        let mut faults = lock(&self.faults).meet(route, call, part);
        for kind in &faults {
            match kind {
                GraphFaultKind::Delay(time) => tokio::time::sleep(*time).await,
                GraphFaultKind::ByHand(deed) => deed.apply(&mut lock(&self.world)),
                _ => {}
            }
        }
        if faults.contains(&GraphFaultKind::DropBefore) {
            return Err(Hangup);
        }
        let instead = faults.iter().find_map(fault::instead);
        let outcome = match instead {
            Some(Instead::Problem(problem)) => Err(problem),
            Some(Instead::Answer(answer)) => Ok(answer),
            Some(Instead::Reply(reply)) => Ok(Answer::empty(reply.status)),
            None if route.operation == GraphOperation::Batch => {
                let performed = Box::pin(self.batch(request, visitor, &faults)).await?;
                faults.extend(performed.faults);
                performed.outcome
            }
            None if route.operation.is_of_subscriptions() => {
                self.subscription(route, request, visitor).await
            }
            None => self.execute(route, request, visitor, &faults),
        };
        if let Some(wait) = announced(&outcome) {
            self.announce(wait);
        }
        Ok(Performed { outcome, faults })
    }

    fn execute(
        &self,
        route: &Route,
        request: &GraphRequest,
        visitor: &Visitor,
        faults: &[GraphFaultKind],
    ) -> Outcome {
        let mut world = lock(&self.world);
        let smtp = self
            .access
            .mailbox(visitor, route.owner.as_deref(), &world)?;
        let base = lock(&self.base).clone();
        let effects = Effects::of(faults);
        let mut desk = Desk {
            world: &mut world,
            smtp,
            request,
            base: &base,
            effects: &effects,
            settings: &self.settings,
        };
        let folder = route.folder.as_deref();
        let item = route.item.as_deref().unwrap_or_default();
        match route.operation {
            GraphOperation::ListFolders | GraphOperation::ListChildFolders => {
                folders::list(&desk, folder)
            }
            GraphOperation::CreateFolder | GraphOperation::CreateChildFolder => {
                folders::create(&mut desk, folder)
            }
            GraphOperation::GetFolder => folders::one(&desk, folder.unwrap_or_default()),
            GraphOperation::ListMessages => messages::list(&desk, folder),
            GraphOperation::MessagesDelta => {
                let mut tokens = lock(&self.tokens);
                delta::answer(&desk, folder.unwrap_or_default(), &mut tokens)
            }
            GraphOperation::GetMessage => messages::one(&desk, item, folder),
            GraphOperation::GetMime => messages::mime(&desk, item, folder),
            GraphOperation::ListAttachments => messages::attachments(&desk, item, folder),
            GraphOperation::UpdateMessage => transfer::update(&mut desk, item, folder),
            GraphOperation::MoveMessage => transfer::move_message(&mut desk, item, folder),
            GraphOperation::CopyMessage => transfer::copy_message(&mut desk, item, folder),
            GraphOperation::DeleteMessage => transfer::delete(&mut desk, item, folder),
            GraphOperation::PermanentDelete => transfer::purge(&mut desk, item, folder),
            GraphOperation::Batch
            | GraphOperation::CreateSubscription
            | GraphOperation::GetSubscription
            | GraphOperation::RenewSubscription
            | GraphOperation::DeleteSubscription => Err(Problem::new(
                501,
                "NotImplemented",
                "This is not simulated.",
            )),
        }
    }

    /// The answer of an outcome.
    pub(super) fn answer_of(&self, outcome: Outcome) -> Answer {
        match outcome {
            Ok(answer) => answer,
            Err(problem) => {
                let date = text(self.clock.now());
                let date = date.trim_end_matches('Z').to_owned();
                Answer::of(&problem, &self.request_id(), &date)
            }
        }
    }

    pub(super) fn request_id(&self) -> String {
        let number = self.requests.load(Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{number:012x}")
    }

    pub(super) fn note_batch(&self, parts: usize) {
        let mut statistics = lock(&self.statistics);
        statistics.largest_batch = statistics.largest_batch.max(parts);
    }

    /// The mailbox that counts a request; that of a batch is counted by its parts.
    pub(super) fn mailbox_key(&self, route: &Route, visitor: &Visitor) -> Option<String> {
        if route.operation == GraphOperation::Batch {
            return None;
        }
        let world = lock(&self.world);
        self.access
            .mailbox(visitor, route.owner.as_deref(), &world)
            .ok()
    }

    /// Counts a request.
    fn open(&self, mailbox: Option<String>) -> Open<'_> {
        let quiet = lock(&self.throttle)
            .quiet_until
            .is_some_and(|until| self.clock.now() < until);
        lock(&self.statistics).back_off_violations += u64::from(quiet);
        self.enter(mailbox, false)
    }

    /// Counts a request, or a part of a batch, in.
    pub(super) fn enter(&self, mailbox: Option<String>, part: bool) -> Open<'_> {
        let mut throttle = lock(&self.throttle);
        let all = if part {
            &mut throttle.parts
        } else {
            &mut throttle.open
        };
        *all += 1;
        let all = *all;
        let own = mailbox.as_ref().map_or(0, |mailbox| {
            let open = throttle.by_mailbox.entry(mailbox.clone()).or_default();
            *open += 1;
            *open
        });
        drop(throttle);
        let crowded = own > self.settings.limit;
        let mut statistics = lock(&self.statistics);
        let most = if part {
            &mut statistics.most_concurrent_parts
        } else {
            &mut statistics.most_concurrent
        };
        *most = all.max(*most);
        statistics.most_concurrent_of_mailbox = statistics.most_concurrent_of_mailbox.max(own);
        statistics.refused += u64::from(crowded);
        Open {
            throttle: &self.throttle,
            mailbox,
            part,
            crowded,
        }
    }

    fn announce(&self, wait: Duration) {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let until = self.clock.now().saturating_add(wait).ok();
        let mut throttle = lock(&self.throttle);
        throttle.quiet_until = throttle.quiet_until.max(until);
    }

    fn count(&self, received: &Bytes, reply: Option<&Reply>) {
        let mut statistics = lock(&self.statistics);
        statistics.requests += 1;
        statistics.bytes_received += received.len() as u64;
        if let Some(reply) = reply {
            statistics.bytes_sent += reply.length();
            statistics.unauthorized += u64::from(reply.status == 401);
        }
    }

    fn record(&self, connection: u64, parts: &Parts, body: &Bytes, served: &Served) {
        if !self.recorder.is_on() {
            return;
        }
        let reply = served.reply.as_ref().ok();
        self.recorder.keep(RecordedGraphCall {
            connection,
            operation: served.operation,
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            headers: kept_headers(&parts.headers),
            request: Arc::from(&body[..]),
            status: reply.map_or(0, |reply| reply.status),
            answer: Arc::from(&reply.map(Reply::whole_body).unwrap_or_default()[..]),
            faults: served.faults.clone(),
        });
    }

    /// Adds the header fields by which a real server can be asked about a request.
    fn with_server_headers(&self, reply: Reply, request: &HeaderMap) -> Reply {
        let id = self.request_id();
        let client = request.get("client-request-id");
        let client = client.and_then(|value| value.to_str().ok());
        let client = client.map_or_else(|| id.clone(), str::to_owned);
        reply
            .with_header(HeaderName::from_static("request-id"), id)
            .with_header(HeaderName::from_static("client-request-id"), client)
            .with_header(
                HeaderName::from_static("x-ms-ags-diagnostic"),
                "{\"ServerInfo\":{\"DataCenter\":\"Simulated\"}}",
            )
    }
}
