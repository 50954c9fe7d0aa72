//! The listener: connections, TLS, and the end of both.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::reply::ReplyBody;

const AFTER_ERROR: Duration = Duration::from_millis(10);

/// The connection must close without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection closes without an answer")]
pub(crate) struct Hangup;

/// What answers the requests of a listener.
pub(crate) trait Serve: Send + Sync + 'static {
    /// A connection was accepted.
    fn connected(&self);

    /// The connection of this number has ended.
    fn disconnected(&self, connection: u64) {
        let _ = connection;
    }

    /// Answers one request of the connection of this number, from 1.
    fn serve(
        self: Arc<Self>,
        connection: u64,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<ReplyBody>, Hangup>> + Send;
}

/// A running listener; it stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) async fn start<H: Serve>(
        service: Arc<H>,
        port: u16,
        tls: Option<TlsAcceptor>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, service, tls, stopped));
        Ok(Self {
            address,
            stop,
            task: Some(task),
        })
    }

    /// Closes the listener and all connections, and waits until they are gone.
    pub(crate) async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // The task ends by itself; that it was cancelled with its runtime is no news.
            let _ended = task.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Accepts until told to stop; the connections end with the set that holds them.
async fn accept<H: Serve>(
    listener: TcpListener,
    service: Arc<H>,
    tls: Option<TlsAcceptor>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: trying again at once would only burn time.
            tokio::time::sleep(AFTER_ERROR).await;
            continue;
        };
        number += 1;
        service.connected();
        connections.spawn(connection(
            stream,
            number,
            Arc::clone(&service),
            tls.clone(),
        ));
    }
    connections.shutdown().await;
}

async fn connection<H: Serve>(
    stream: TcpStream,
    number: u64,
    service: Arc<H>,
    tls: Option<TlsAcceptor>,
) {
    // Without it small answers wait for delayed acknowledgements; a refusal is harmless.
    let _set = stream.set_nodelay(true);
    match tls {
        None => http(stream, number, Arc::clone(&service)).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                http(stream, number, Arc::clone(&service)).await;
            }
        }
    }
    service.disconnected(number);
}

/// Serves requests until the client or a fault ends the connection; either way there is nobody to
/// tell.
async fn http<S, H>(stream: S, number: u64, service: Arc<H>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Serve,
{
    let serve = service_fn(move |request| Arc::clone(&service).serve(number, request));
    let _ended = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), serve)
        .await;
}
