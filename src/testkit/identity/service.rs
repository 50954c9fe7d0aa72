//! From an HTTP request to a reply: faults, the endpoint, recording.

use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, HeaderName, LOCATION, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response};
use serde_json::json;

use super::endpoint::Endpoint;
use super::failure::{Failure, Trace};
use super::fault::IdentityFaultKind;
use super::issue::Desk;
use super::parameters::Parameters;
use super::recording::RecordedRequest;
use super::reply::{Reply, ReplyBody};
use super::server::{Hangup, Serve};
use super::settings::Settings;
use super::state::State;
use super::{authorize, consent_page, lock, metadata, token};

pub(super) const JSON: &str = "application/json; charset=utf-8";

/// All that the connections of one provider share.
pub(super) struct Service {
    pub(super) settings: Settings,
    pub(super) state: Mutex<State>,
    /// The address, known once the port is.
    pub(super) base: OnceLock<String>,
}

/// A request that was understood.
struct Call<'a> {
    endpoint: Endpoint,
    tenant: &'a str,
    method: &'a Method,
    headers: &'a HeaderMap,
    parameters: Parameters,
}

impl Serve for Service {
    fn connected(&self) {
        lock(&self.state).statistics.connections += 1;
    }

    async fn serve(
        self: Arc<Self>,
        _connection: u64,
        request: Request<Incoming>,
    ) -> Result<Response<ReplyBody>, Hangup> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Hangup)?.to_bytes();
        let reply = match Endpoint::of(parts.uri.path()) {
            Some((endpoint, tenant)) => self.reply(endpoint, tenant, &parts, &body).await?,
            None => Reply::new(404),
        };
        Ok(reply
            .with_header(CACHE_CONTROL, "no-store")
            .into_response(None))
    }
}

impl Service {
    pub(super) fn base(&self) -> &str {
        self.base.get().map(String::as_str).unwrap_or_default()
    }

    async fn reply(
        &self,
        endpoint: Endpoint,
        tenant: &str,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Reply, Hangup> {
        let text = match parts.method {
            Method::POST => &body[..],
            _ => parts.uri.query().unwrap_or_default().as_bytes(),
        };
        let parsed = Parameters::parse(text);
        let call = Call {
            endpoint,
            tenant,
            method: &parts.method,
            headers: &parts.headers,
            parameters: parsed.clone().unwrap_or_default(),
        };
        let (index, faults) = self.note(&call);
        for fault in &faults {
            if let IdentityFaultKind::Delay(time) = fault {
                tokio::time::sleep(*time).await;
            }
        }
        let reply = match faults.iter().find_map(|fault| self.instead(fault)) {
            Some(reply) => reply?,
            None => self.answer(&call, parsed.err()),
        };
        if faults.contains(&IdentityFaultKind::LoseReply) {
            return Err(Hangup);
        }
        if let Some(record) = lock(&self.state).recorded.get_mut(index) {
            record.status = reply.status;
        }
        Ok(reply)
    }

    /// Counts and records a request, and tells the faults that it meets.
    fn note(&self, call: &Call<'_>) -> (usize, Vec<IdentityFaultKind>) {
        let scheme = call.authorization().and_then(|text| text.split(' ').next());
        let record = RecordedRequest::new(
            call.endpoint,
            call.tenant,
            scheme.map(str::to_owned),
            call.parameters.clone().into_map(),
        );
        let mut state = lock(&self.state);
        *state.statistics.requests.entry(call.endpoint).or_default() += 1;
        state.recorded.push(record);
        (state.recorded.len() - 1, state.faults.meet(call.endpoint))
    }

    /// What a fault answers instead of doing anything.
    fn instead(&self, fault: &IdentityFaultKind) -> Option<Result<Reply, Hangup>> {
        if let Some(failure) = fault.refusal() {
            return Some(Ok(
                failure.to_reply(&self.trace(&mut lock(&self.state), None))
            ));
        }
        Some(match fault {
            IdentityFaultKind::DropBefore => Err(Hangup),
            IdentityFaultKind::Http {
                status,
                retry_after,
            } => {
                let reply = Reply::new(*status);
                Ok(match retry_after {
                    Some(time) => reply.with_header(RETRY_AFTER, time.as_secs().to_string()),
                    None => reply,
                })
            }
            IdentityFaultKind::HtmlPage => Ok(consent_page::tell(200, "We are working on it.")),
            IdentityFaultKind::RedirectTo(url) => Ok(Reply::new(307).with_header(LOCATION, url)),
            _ => return None,
        })
    }

    fn trace(&self, state: &mut State, correlation: Option<&str>) -> Trace {
        Trace::new(state.next_number(), correlation, self.settings.clock.now())
    }

    fn answer(&self, call: &Call<'_>, malformed: Option<Failure>) -> Reply {
        let mut state = lock(&self.state);
        let trace = self.trace(&mut state, call.header("client-request-id"));
        let mut desk = Desk {
            settings: &self.settings,
            state: &mut state,
            base: self.base(),
            tenant: call.tenant,
            trace,
        };
        if let Some(failure) = malformed {
            return refuse(&mut desk, &failure);
        }
        if !self.settings.knows_tenant(call.tenant) {
            return refuse(&mut desk, &Failure::unknown_tenant(call.tenant));
        }
        match (call.endpoint, call.method) {
            (Endpoint::Metadata, &Method::GET) => {
                let description = metadata::describe(desk.settings, desk.base, desk.tenant);
                Reply::new(200).with_body(JSON, description.to_string())
            }
            (Endpoint::Keys, &Method::GET) => {
                let keys = desk.state.keys.iter();
                let keys: Vec<_> = keys.map(|key| key.public().jwk()).collect();
                Reply::new(200).with_body(JSON, json!({ "keys": keys }).to_string())
            }
            (Endpoint::Authorize, &Method::GET | &Method::POST) => {
                authorize::authorize(&mut desk, &call.parameters)
            }
            (Endpoint::Consent, &Method::POST) => authorize::consent(&mut desk, &call.parameters),
            (Endpoint::Token, &Method::POST) => {
                match token::token(&mut desk, &call.parameters, call.authorization()) {
                    Ok(answer) => Reply::new(200).with_body(JSON, answer.to_string()),
                    Err(failure) => refuse(&mut desk, &failure),
                }
            }
            _ => Reply::new(405),
        }
    }
}

impl Call<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn authorization(&self) -> Option<&str> {
        self.header(AUTHORIZATION.as_str())
    }
}

fn refuse(desk: &mut Desk<'_>, failure: &Failure) -> Reply {
    *desk
        .state
        .statistics
        .refusals
        .entry(failure.number)
        .or_default() += 1;
    failure.to_reply(&desk.trace).with_header(
        HeaderName::from_static("x-ms-request-id"),
        desk.trace.id.clone(),
    )
}
