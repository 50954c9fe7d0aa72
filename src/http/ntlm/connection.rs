//! One TCP connection with TLS, on which a sign-in holds.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::binding::channel_binding;
use crate::error::{Error, Result, codes};
use crate::http::failure::connection_error;
use crate::http::{AddressGuard, HttpOptions, Port, ServiceUrl, tls};

/// Opens connections to one server.
pub(super) struct Connector {
    guard: AddressGuard,
    host: String,
    port: Port,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// A connection with nothing under way.
pub(super) struct Connection {
    /// Sends requests, one after the other.
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// The hash of the channel's bindings.
    pub(super) channel: Option<[u8; 16]>,
    /// When it was opened.
    pub(super) opened: Instant,
}

impl Connector {
    /// Reads where to connect to.
    pub(super) fn new(url: &ServiceUrl, options: &HttpOptions) -> Result<Self> {
        let invalid = || Error::new(&codes::CONFIG_INVALID, "service URL");
        let address = url.as_url();
        let host = address.host_str().ok_or_else(invalid)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let tls = if address.scheme() == "https" {
            let config = tls::client_config(options)?;
            let name = ServerName::try_from(host.to_owned());
            let name = name.map_err(|error| invalid().with_source(error))?;
            Some((TlsConnector::from(Arc::new(config)), name))
        } else {
            None
        };
        Ok(Self {
            guard: AddressGuard::new(options),
            host: host.to_owned(),
            port: match (address.port(), address.port_or_known_default()) {
                (Some(port), _) => Port::Named(port),
                (None, Some(port)) => Port::OfScheme(port),
                (None, None) => return Err(invalid()),
            },
            tls,
        })
    }

    /// Opens a connection; the caller limits the time.
    pub(super) async fn open(&self, operation: &'static str) -> Result<Connection> {
        let failed = |error| connection_error(operation, error);
        let addresses = self.guard.resolve(operation, &self.host, self.port).await?;
        let stream = connect(&addresses).await.map_err(failed)?;
        let Some((tls, name)) = &self.tls else {
            return handshake(stream, None, operation).await;
        };
        let stream = tls.connect(name.clone(), stream).await.map_err(failed)?;
        let certificates = stream.get_ref().1.peer_certificates();
        let leaf = certificates.and_then(<[_]>::first);
        let channel = leaf.and_then(|leaf| channel_binding(leaf));
        handshake(stream, channel, operation).await
    }
}

/// Connects to the first of these addresses that answers. They were checked; nothing is looked up here.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addresses).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn handshake<S>(
    stream: S,
    channel: Option<[u8; 16]>,
    operation: &'static str,
) -> Result<Connection>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = http1::handshake(TokioIo::new(stream)).await;
    let (sender, driver) =
        made.map_err(|error| Error::new(&codes::HTTP_CONNECT, operation).with_source(error))?;
    // The driver ends when the sender and the answer's body are dropped; a failure shows there, too.
    tokio::spawn(async move {
        let _ended = driver.await;
    });
    Ok(Connection {
        sender,
        channel,
        opened: Instant::now(),
    })
}
