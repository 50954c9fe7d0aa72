//! Requests as they go over a connection, and the limit on the time of each step.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response};
use tokio::time::Instant;

use super::connection::Connection;
use crate::error::{Error, Result, ServerContext, codes};
use crate::http::{HttpOptions, Outgoing, ServiceUrl};

/// Bytes of the page that comes with a challenge.
const LARGEST_PAGE: usize = 64 << 10;

/// What all requests to a server share.
pub(super) struct Template {
    path: String,
    headers: HeaderMap,
}

/// How long the first byte and the whole answer may take.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    first_byte: Duration,
    end: Instant,
}

/// A request that got no answer.
pub(super) enum Broken {
    /// Not a byte of it left.
    Unsent,
    /// It may have arrived.
    Lost(Error),
}

impl Template {
    /// Reads path, host and user agent.
    pub(super) fn new(url: &ServiceUrl, options: &HttpOptions) -> Result<Self> {
        let invalid = |error| Error::new(&codes::CONFIG_INVALID, "HTTP client").with_source(error);
        let address = url.as_url();
        let host = address.host_str().unwrap_or_default();
        let host = match address.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::try_from(host).map_err(invalid)?);
        let agent = HeaderValue::try_from(&options.user_agent).map_err(invalid)?;
        headers.insert(USER_AGENT, agent);
        Ok(Self {
            path: path_of(url),
            headers,
        })
    }

    /// A request with no body, for a step of the sign-in.
    pub(super) fn empty(&self, authorization: HeaderValue) -> Request<Full<Bytes>> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        self.request(&self.path, headers, Bytes::new())
    }

    /// The request itself.
    pub(super) fn whole(
        &self,
        outgoing: &Outgoing<'_>,
        authorization: Option<HeaderValue>,
    ) -> Request<Full<Bytes>> {
        let mut headers = outgoing.headers.clone();
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        self.request(&path_of(outgoing.url), headers, outgoing.body.clone())
    }

    fn request(&self, path: &str, headers: HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
        let length = HeaderValue::from(body.len());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        // A checked URL's path is one of HTTP's too; a server refuses "/" by itself.
        *request.uri_mut() = path.parse().unwrap_or_default();
        *request.headers_mut() = headers;
        request.headers_mut().extend(self.headers.clone());
        request.headers_mut().insert(CONTENT_LENGTH, length);
        request
    }
}

fn path_of(url: &ServiceUrl) -> String {
    let address = url.as_url();
    match address.query() {
        Some(query) => format!("{}?{query}", address.path()),
        None => address.path().to_owned(),
    }
}

impl Deadline {
    /// Begins now.
    pub(super) fn new(options: &HttpOptions, within: Option<Duration>) -> Self {
        Self {
            first_byte: options.first_byte_timeout,
            end: Instant::now() + within.unwrap_or(options.total_timeout),
        }
    }

    /// When the whole answer must have been read.
    pub(super) fn end(self) -> Instant {
        self.end
    }

    fn first_byte(self) -> Instant {
        self.end.min(Instant::now() + self.first_byte)
    }
}

/// Sends a request and waits for the answer's head.
pub(super) async fn send(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
    deadline: Deadline,
    outgoing: &Outgoing<'_>,
) -> Result<Response<Incoming>, Broken> {
    let lost = |code| Error::new(code, outgoing.operation).with_server(sent(outgoing));
    // The end of the answer before may not have been noticed yet.
    let ready = tokio::time::timeout_at(deadline.first_byte(), connection.sender.ready());
    if !matches!(ready.await, Ok(Ok(()))) {
        return Err(Broken::Unsent);
    }
    let answer = connection.sender.try_send_request(request);
    match tokio::time::timeout_at(deadline.first_byte(), answer).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) if error.message().is_some() => Err(Broken::Unsent),
        Ok(Err(error)) => {
            let closed = lost(&codes::HTTP_CLOSED);
            Err(Broken::Lost(closed.with_source(error.into_error())))
        }
        Err(_) => Err(Broken::Lost(lost(&codes::HTTP_TIMEOUT))),
    }
}

/// Reads the page of a challenge, so that the connection can be used further; whether it can.
pub(super) async fn read_away(body: Incoming, deadline: Deadline) -> bool {
    let page = Limited::new(body, LARGEST_PAGE).collect();
    let read = tokio::time::timeout_at(deadline.first_byte(), page).await;
    matches!(read, Ok(Ok(_)))
}

/// What is known of a request before its answer.
pub(super) fn sent(outgoing: &Outgoing<'_>) -> ServerContext {
    ServerContext {
        client_request_id: Some(outgoing.request_id.to_owned()),
        ..ServerContext::default()
    }
}
