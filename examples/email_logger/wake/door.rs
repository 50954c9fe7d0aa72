//! The address at which Microsoft Graph calls: a listener before the library's receiver.

use std::net::{Ipv4Addr, SocketAddr};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use email_logging::notifications::{NotificationReceiver, NotificationRequest};
use tokio::net::TcpListener;

use crate::config::{ConfigError, Wake};
use crate::exit::Failure;

/// Where it listens if nobody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8025);

/// A listener; it ends with the program.
#[derive(Debug)]
pub(super) struct Door {
    /// What Graph is told to call.
    pub(super) url: String,
    pub(super) address: SocketAddr,
    pub(super) receiver: NotificationReceiver,
}

impl Door {
    pub(super) async fn open(wake: &Wake) -> Result<Self, Failure> {
        let url = wake.url.clone().ok_or_else(|| ConfigError {
            code: "config.missing",
            what: "[wake]: `url` is missing, the address at which Microsoft Graph reaches this program".into(),
            remedy: "Write it into the file: an https address that a reverse proxy passes on to `listen`. Or leave \
                     `by` at `auto`, which needs none."
                .into(),
        })?;
        let listen = wake.listen.unwrap_or(LISTEN);
        let failed = |error| Failure::input(format!("nothing can listen at {listen}"), &error);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let receiver = NotificationReceiver::new();
        let router = axum::Router::new()
            .fallback(receive)
            .with_state(receiver.clone());
        tokio::spawn(async move {
            // A listener that ends costs the hints alone.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            url,
            address,
            receiver,
        })
    }
}

/// Hands a request to the receiver, whatever its path is: the proxy may have changed it.
async fn receive(State(receiver): State<NotificationReceiver>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, NotificationReceiver::BODY_LIMIT).await else {
        return bare(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let mut asked = NotificationRequest::new(parts.method.as_str()).with_body(&body);
    if let Some(query) = parts.uri.query() {
        asked = asked.with_query(query);
    }
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    if let Some(text) = content_type.and_then(|value| value.to_str().ok()) {
        asked = asked.with_header("content-type", text);
    }
    let answer = receiver.receive(&asked);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let response = response.body(Body::from(answer.body));
    response.unwrap_or_else(|_| bare(StatusCode::INTERNAL_SERVER_ERROR))
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
