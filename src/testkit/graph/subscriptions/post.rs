//! Calls to those who subscribed.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use form_urlencoded::byte_serialize;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Graph waits ten seconds for the answer to a validation.
const PATIENCE: Duration = Duration::from_secs(10);

/// A call to make.
pub(super) struct Call<'a> {
    pub(super) url: &'a str,
    pub(super) query: Option<(&'a str, &'a str)>,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

/// What was answered.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// Posts to a loopback address by plain HTTP: a test's own server.
pub(super) async fn post(call: Call<'_>) -> io::Result<Answered> {
    match tokio::time::timeout(PATIENCE, exchange(call)).await {
        Ok(answered) => answered,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn exchange(call: Call<'_>) -> io::Result<Answered> {
    let uri: Uri = call
        .url
        .parse()
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let host = uri.host().unwrap_or_default();
    if uri.scheme_str() != Some("http") || !["127.0.0.1", "localhost"].contains(&host) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let port = uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host, port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let target = target(&uri, call.query);
    let request = Request::post(target)
        .header(HOST, format!("{host}:{port}"))
        .header(CONTENT_TYPE, call.content_type)
        .body(Full::new(Bytes::from(call.body)))
        .map_err(io::Error::other)?;
    let answering = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let status = response.status().as_u16();
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = response.into_body().collect().await;
        let body = body.map_err(io::Error::other)?.to_bytes().to_vec();
        Ok(Answered {
            status,
            content_type,
            body,
        })
    };
    tokio::pin!(connection, answering);
    tokio::select! {
        biased;
        answered = &mut answering => answered,
        _ended = &mut connection => answering.await,
    }
}

fn target(uri: &Uri, query: Option<(&str, &str)>) -> String {
    let own = uri.query().map(str::to_owned);
    let more = query.map(|(name, value)| {
        let value: String = byte_serialize(value.as_bytes()).collect();
        format!("{name}={value}")
    });
    let all: Vec<_> = own.into_iter().chain(more).collect();
    if all.is_empty() {
        return uri.path().to_owned();
    }
    format!("{}?{}", uri.path(), all.join("&"))
}
