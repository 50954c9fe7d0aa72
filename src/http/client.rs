//! One request: to an address that was checked, no redirect, no proxy unless configured, no decompression, no retry.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::body::Body;
use super::context::server_context;
use super::failure::transport_error;
use super::{AddressGuard, HttpOptions, ServiceUrl};
use crate::error::{Error, Result, ServerContext, codes};
use crate::tls;

/// A request with its body.
pub(crate) struct Outgoing<'a> {
    /// What is asked, for errors.
    pub(crate) operation: &'static str,
    /// Where to.
    pub(crate) url: &'a ServiceUrl,
    /// The id that the request carries.
    pub(crate) request_id: &'a str,
    /// The headers, without those of a sign-in.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
    /// The longest time to the last byte of its answer, where it is another than that of the client.
    pub(crate) within: Option<Duration>,
}

impl Outgoing<'_> {
    /// Sends the request with this client.
    pub(crate) async fn send(self, http: &HttpClient) -> Result<Reply> {
        http.within(self.within)
            .post(
                self.operation,
                self.url,
                self.request_id,
                self.headers,
                self.body,
            )
            .await
    }
}

/// A client with the settings of one source.
#[derive(Clone)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    guard: AddressGuard,
    body_limit: u64,
    first_byte: Duration,
    idle: Duration,
    within: Option<Duration>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}

/// An answer whose body was not read yet.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// What to say about the server in an error.
    pub(crate) server: ServerContext,
    /// The body.
    pub(crate) body: Body,
}

impl HttpClient {
    /// Builds the client.
    pub(crate) fn new(options: &HttpOptions) -> Result<Self> {
        let invalid = |error: reqwest::Error| {
            Error::new(&codes::CONFIG_INVALID, "HTTP client").with_source(error.without_url())
        };
        if options.plain_loopback && options.proxy.is_some() {
            // A proxy would carry what is for this machine only to another one.
            return Err(Error::new(&codes::CONFIG_INSECURE, "HTTP client")
                .with_detail("plain http on loopback does not go with a proxy"));
        }
        let guard = AddressGuard::new(options);
        let mut tls = tls::client_config(options.roots.as_deref(), &options.pinned_keys)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(guard.clone()))
            .https_only(!options.plain_loopback)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(options.connect_timeout)
            .timeout(options.total_timeout)
            .user_agent(&options.user_agent)
            .tcp_nodelay(true)
            .no_proxy();
        if let Some(proxy) = &options.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(invalid)?);
        }
        Ok(Self {
            client: builder.build().map_err(invalid)?,
            guard,
            body_limit: options.body_limit,
            first_byte: options.first_byte_timeout,
            idle: options.idle_timeout,
            within: None,
        })
    }

    /// The same client, with another longest time to the last byte of an answer where one is given.
    pub(crate) fn within(&self, total: Option<Duration>) -> Self {
        Self {
            within: total,
            ..self.clone()
        }
    }

    /// Whether this address may be called with these settings. Every request asks it; a builder asks it early.
    ///
    /// # Errors
    ///
    /// `Config` (`http.host_refused`, `http.address_refused`).
    pub(crate) fn check(&self, operation: &'static str, url: &ServiceUrl) -> Result<()> {
        self.guard.check(operation, url)
    }

    /// Sends one request; `request_id` is the id that it carries.
    pub(crate) async fn post(
        &self,
        operation: &'static str,
        url: &ServiceUrl,
        request_id: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply> {
        self.check(operation, url)?;
        let request = self.client.post(url.as_url().clone());
        let request = request.headers(headers).body(body);
        self.send(operation, request_id, request).await
    }

    /// Sends one request by any method; an empty body is none.
    #[cfg_attr(not(feature = "graph"), allow(dead_code))]
    pub(crate) async fn call(
        &self,
        operation: &'static str,
        method: reqwest::Method,
        url: &ServiceUrl,
        request_id: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply> {
        self.check(operation, url)?;
        let request = self.client.request(method, url.as_url().clone());
        let request = request.headers(headers);
        let request = if body.is_empty() {
            request
        } else {
            request.body(body)
        };
        self.send(operation, request_id, request).await
    }

    /// Asks for one document.
    pub(crate) async fn get(
        &self,
        operation: &'static str,
        url: &ServiceUrl,
        request_id: &str,
        headers: HeaderMap,
    ) -> Result<Reply> {
        self.check(operation, url)?;
        let request = self.client.get(url.as_url().clone()).headers(headers);
        self.send(operation, request_id, request).await
    }

    async fn send(
        &self,
        operation: &'static str,
        request_id: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Reply> {
        let sent = ServerContext {
            client_request_id: Some(request_id.to_owned()),
            ..ServerContext::default()
        };
        let request = match self.within {
            Some(total) => request.timeout(total),
            None => request,
        };
        let response = match tokio::time::timeout(self.first_byte, request.send()).await {
            Ok(response) => response.map_err(|error| transport_error(operation, error, sent))?,
            Err(_) => return Err(Error::new(&codes::HTTP_TIMEOUT, operation).with_server(sent)),
        };
        self.reply(operation, request_id, response)
    }

    fn reply(
        &self,
        operation: &'static str,
        request_id: &str,
        response: reqwest::Response,
    ) -> Result<Reply> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Reply::new(operation, request_id, status, headers, |server| {
            let failed = server.clone();
            let pieces = response.bytes_stream().map(move |piece| {
                piece.map_err(|error| transport_error(operation, error, failed.clone()))
            });
            Body::new(
                pieces.boxed(),
                self.body_limit,
                self.idle,
                operation,
                server,
            )
        })
    }
}

impl Reply {
    /// An answer with these headers, whose body must not be encoded.
    pub(crate) fn new(
        operation: &'static str,
        request_id: &str,
        status: u16,
        headers: HeaderMap,
        body: impl FnOnce(ServerContext) -> Body,
    ) -> Result<Self> {
        let server = server_context(status, request_id, &headers);
        if is_encoded(&headers) {
            return Err(Error::new(&codes::HTTP_ENCODING, operation).with_server(server));
        }
        Ok(Self {
            status,
            headers,
            server: server.clone(),
            body: body(server),
        })
    }
}

impl Reply {
    /// Reads the whole body, which the client's limit keeps small.
    pub(crate) async fn read_all(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.body.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(bytes)
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    values
        .into_iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}
