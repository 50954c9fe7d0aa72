//! Sending requests: sign-in, waiting, repeating what may be repeated.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use futures_util::StreamExt;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;

use super::address::Addresses;
use super::codes::{Chance, Class};
use super::content::{foreign, is_no_json};
use super::failure::{Failure, Remedy, of_status};
use super::json::{Refusal, mended, read};
use crate::clock::{Clock, Entropy};
use crate::error::{Error, ErrorKind, Result, ServerContext, codes};
use crate::http::{
    Authenticator, Bearer, Body, Gate, HttpClient, OpenPlace, Reply, ServiceUrl, http_date,
    new_guid, retry_after,
};

/// The longest wait that no server asked for.
const LONGEST_OWN_WAIT: Duration = Duration::from_mins(1);

/// Bytes of a refusal that are read.
const REFUSAL: usize = 64 << 10;

/// What makes ids that survive a move within the mailbox (Microsoft Graph, "Obtain immutable identifiers for Outlook
/// resources"). On every request, as an id of the other kind is another text.
pub(super) const PREFER: &str = "IdType=\"ImmutableId\"";

/// The connection to one mailbox with one credential.
pub(super) struct Session {
    pub(super) http: HttpClient,
    pub(super) addresses: Addresses,
    pub(super) auth: Bearer,
    pub(super) gate: Gate,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) repeats: usize,
    /// The longest time of a request that changes something.
    pub(super) longest_change: Duration,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("repeats", &self.repeats)
            .finish_non_exhaustive()
    }
}

/// One request.
pub(super) struct Question {
    /// What is asked, for errors.
    pub(super) operation: &'static str,
    /// Where to.
    pub(super) url: ServiceUrl,
    /// JSON to send; without it the request is a GET.
    pub(super) body: Option<Bytes>,
    /// Whether it changes something, so that it is never repeated after an unknown effect.
    pub(super) changes: bool,
    /// Another method than GET or POST.
    pub(super) method: Option<Method>,
    /// How many of the places at the mailbox it takes.
    pub(super) places: u32,
    /// How often it is asked again because its answer cannot be read.
    pub(super) readings: usize,
}

impl Question {
    /// Asks for a document.
    pub(super) fn of(operation: &'static str, url: ServiceUrl) -> Self {
        Self {
            operation,
            url,
            body: None,
            changes: false,
            method: None,
            places: 1,
            readings: usize::MAX,
        }
    }

    /// Is a batch of so many parts. An answer that cannot be read is asked for once more only: its parts can be asked for one
    /// by one.
    pub(super) fn with_parts(mut self, parts: usize) -> Self {
        self.places = u32::try_from(parts).unwrap_or(u32::MAX);
        self.readings = 1;
        self
    }

    /// Asks by another method than GET, or POST where there is a body.
    pub(super) fn with_method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Sends JSON.
    pub(super) fn with_body(mut self, body: Vec<u8>, changes: bool) -> Self {
        self.body = Some(body.into());
        self.changes = changes;
        self
    }
}

/// An answer whose body was not read yet. Its request is open until the places are dropped.
pub(super) struct Opened {
    pub(super) reply: Reply,
    pub(super) places: Places,
}

/// The places that a request takes at the mailbox.
#[must_use]
pub(super) struct Places {
    _few: Option<OwnedSemaphorePermit>,
    _open: OpenPlace,
}

/// An answer that was read.
pub(super) struct Told<T> {
    /// What it holds.
    pub(super) content: T,
    /// What to say about the server in an error.
    pub(super) server: ServerContext,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
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

    /// Asks until there is an answer of success, whose body was not read yet.
    pub(super) async fn open(&self, question: &Question, waits: &mut Waits) -> Result<Opened> {
        let mut signed_in_again = false;
        loop {
            let pass = self.gate.pass(question.operation).await?;
            let authorization = self.auth.authorize().await?;
            let places = Places {
                _few: self.gate.few(question.places).await,
                _open: self.gate.place().await,
            };
            // Getting a token or a place may have taken long enough for another call to be told to wait.
            if self.gate.is_held() {
                continue;
            }
            let failure = match self.attempt(question, authorization.clone()).await {
                Ok(reply) => return Ok(Opened { reply, places }),
                Err(failure) => failure,
            };
            if failure.remedy == Remedy::SignIn {
                drop((pass, places));
                if signed_in_again || !self.auth.challenge(&authorization).await {
                    return Err(failure.error);
                }
                signed_in_again = true;
            } else {
                // Who waits for this call's answer, or for its place, must find the hold that it leads to.
                let own = self.hold_for(question.changes, failure, waits)?;
                drop((pass, places));
                self.wait_for(own).await;
            }
        }
    }

    /// Forgets the token that a part of a batch was refused with, and says whether asking once more makes sense.
    pub(super) async fn sign_in_again(&self) -> Result<bool> {
        let refused = self.auth.authorize().await?;
        Ok(self.auth.challenge(&refused).await)
    }

    /// Asks and reads the whole answer, which `take` turns into what it holds; `None` where it cannot be read.
    pub(super) async fn ask<T>(
        &self,
        question: &Question,
        mut take: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Told<T>> {
        let mut waits = self.waits();
        let mut take = |bytes: &[u8]| take(bytes).or_else(|| take(&mended(bytes)?));
        let mut unread = 0;
        loop {
            let Opened { reply, places } = self.open(question, &mut waits).await?;
            let (server, date) = (reply.server.clone(), http_date(&reply.headers));
            let no_json = is_no_json(&reply.headers);
            let read = reply.read_all().await;
            drop(places);
            let failure = match read {
                Ok(bytes) => {
                    if let Some(content) = take(&bytes) {
                        return Ok(Told {
                            content,
                            server,
                            date,
                        });
                    }
                    unread += 1;
                    let error = if no_json {
                        foreign(question.operation, server)
                    } else {
                        Error::new(&codes::GRAPH_ANSWER_INVALID, question.operation)
                            .with_server(server)
                    };
                    unreadable(question, error, unread)?
                }
                Err(error) => Failure::of_transport(error),
            };
            self.recover(question.changes, failure, &mut waits).await?;
        }
    }

    /// As [`ask`](Self::ask), for a document that keeps nothing of the bytes.
    pub(super) async fn document<T: DeserializeOwned>(
        &self,
        question: &Question,
    ) -> Result<Told<T>> {
        self.ask(question, |bytes| read::<T>(bytes)).await
    }

    /// Prepares the next attempt, or gives the error back where there is none.
    ///
    /// A server that wants to be left alone is left alone by every call. One that could not do this one thing is asked again
    /// by this call after a while, and the others go on.
    pub(super) async fn recover(
        &self,
        changes: bool,
        failure: Failure,
        waits: &mut Waits,
    ) -> Result<()> {
        let own = self.hold_for(changes, failure, waits)?;
        self.wait_for(own).await;
        Ok(())
    }

    /// Holds every call where the server wants that, and answers how long this one has to wait by itself.
    fn hold_for(
        &self,
        changes: bool,
        failure: Failure,
        waits: &mut Waits,
    ) -> Result<Option<Duration>> {
        if let Remedy::Wait(Some(wait)) = failure.remedy {
            self.gate.hold(wait);
        }
        let next = match failure.remedy {
            Remedy::Wait(_) => waits.0.next(),
            Remedy::Repeat if !changes => waits.0.next(),
            _ => None,
        };
        let Some(next) = next else {
            return Err(failure.error);
        };
        match failure.remedy {
            Remedy::Wait(None) => {
                let busy = failure.error.kind() == ErrorKind::Throttled;
                let own = if busy { next * 10 } else { next };
                self.gate.hold(own.min(LONGEST_OWN_WAIT));
            }
            Remedy::Repeat => return Ok(Some(next.min(LONGEST_OWN_WAIT))),
            _ => {}
        }
        Ok(None)
    }

    async fn wait_for(&self, own: Option<Duration>) {
        if let Some(wait) = own {
            self.clock.sleep(wait).await;
        }
    }

    /// Keeps what a part of a batch says about waiting.
    pub(super) fn heed(&self, class: Class, wait: Option<Duration>) {
        if class == Class::Crowded {
            self.gate.shrink();
        }
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            self.gate.hold(wait);
        }
    }

    async fn attempt(
        &self,
        question: &Question,
        authorization: HeaderValue,
    ) -> Result<Reply, Failure> {
        let operation = question.operation;
        let request_id = new_guid(&*self.entropy);
        let headers = headers(
            operation,
            &request_id,
            authorization,
            question.body.is_some(),
        );
        let headers = headers.map_err(Failure::lasting)?;
        let http = self
            .http
            .within(question.changes.then_some(self.longest_change));
        let sent = match &question.body {
            body if question.method.is_some() => {
                let method = question.method.clone().unwrap_or_default();
                let (url, body) = (&question.url, body.clone().unwrap_or_default());
                let call = http.call(operation, method, url, &request_id, headers, body);
                call.await
            }
            Some(body) => {
                let post = http.post(operation, &question.url, &request_id, headers, body.clone());
                post.await
            }
            None => {
                let get = http.get(operation, &question.url, &request_id, headers);
                get.await
            }
        };
        let reply = sent.map_err(Failure::of_transport)?;
        match reply.status {
            200..=299 => Ok(reply),
            300..=399 => Err(Failure::lasting(
                Error::new(&codes::HTTP_REDIRECT, operation).with_server(reply.server),
            )),
            _ => Err(self.refused(operation, reply).await),
        }
    }

    /// The body first: it tells more than the status.
    async fn refused(&self, operation: &'static str, reply: Reply) -> Failure {
        let (status, server, headers) = (reply.status, reply.server, reply.headers);
        let wait = retry_after(&headers, self.clock.now()).filter(|wait| !wait.is_zero());
        let bytes = start_of(reply.body).await;
        let said = read::<Refusal>(&bytes).or_else(|| read(&mended(&bytes)?));
        let said = said.and_then(|refusal| refusal.error);
        let mut failure = match said {
            Some(said) => {
                let class = Class::of(&said, status);
                self.heed(class, None);
                let class = match class {
                    // Nothing was done where a time is named, which then comes from the service and not from a proxy.
                    Class::Transient if status == 503 && wait.is_some() => Class::Busy,
                    class => class,
                };
                let error = class.error(operation, &said.code, server);
                Failure::of_class(class, error, wait, &headers)
            }
            None => of_status(operation, status, server, wait, &headers),
        };
        if let Some(wait) = wait {
            self.gate.hold(wait);
            failure.error = failure.error.with_retry_after(wait);
        }
        failure
    }

    /// The longest time that a part of a batch names; `date` is the server's clock, where its answer tells it.
    pub(super) fn wait_of_part(
        &self,
        headers: &HeaderMap,
        date: Option<Timestamp>,
    ) -> Option<Duration> {
        let now = date.unwrap_or_else(|| self.clock.now());
        retry_after(headers, now).filter(|wait| !wait.is_zero())
    }
}

/// What may be done about the answer that could not be read, after so many of them.
fn unreadable(question: &Question, error: Error, times: usize) -> Result<Failure> {
    if times > question.readings {
        return Err(error);
    }
    let remedy = Remedy::Repeat;
    Ok(Failure { error, remedy })
}

/// Whether a part that failed so may be asked again.
pub(super) fn may_ask_again(class: Class, changes: bool) -> bool {
    match class.chance() {
        Chance::Wait => true,
        Chance::Repeat => !changes,
        Chance::None => false,
    }
}

async fn start_of(mut body: Body) -> Vec<u8> {
    let mut start = Vec::new();
    while let Some(Ok(piece)) = body.next().await {
        start.extend_from_slice(&piece);
        if start.len() > REFUSAL {
            return Vec::new();
        }
    }
    start
}

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const RETURN_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("return-client-request-id");
const PREFER_NAME: HeaderName = HeaderName::from_static("prefer");

fn headers(
    operation: &'static str,
    request_id: &str,
    authorization: HeaderValue,
    has_body: bool,
) -> Result<HeaderMap> {
    let id = HeaderValue::try_from(request_id).map_err(|_| Error::new(&codes::INTERNAL, operation));
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*"));
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(PREFER_NAME, HeaderValue::from_static(PREFER));
    headers.insert(CLIENT_REQUEST_ID, id?);
    headers.insert(RETURN_CLIENT_REQUEST_ID, HeaderValue::from_static("true"));
    Ok(headers)
}
