//! The listener: connections, TLS, and the end of both.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::lock;
use super::service::Service;

const AFTER_ERROR: Duration = Duration::from_millis(10);

/// A running listener; it stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) async fn start(
        service: Arc<Service>,
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
async fn accept(
    listener: TcpListener,
    service: Arc<Service>,
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
        lock(&service.statistics).connections += 1;
        connections.spawn(connection(
            stream,
            number,
            Arc::clone(&service),
            tls.clone(),
        ));
    }
    connections.shutdown().await;
}

async fn connection(
    stream: TcpStream,
    number: u64,
    service: Arc<Service>,
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
    service.authentication.forget(number);
}

/// Serves requests until the client or a fault ends the connection; either way there is nobody to
/// tell.
async fn http<S>(stream: S, number: u64, service: Arc<Service>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let serve = service_fn(move |request| Arc::clone(&service).serve(number, request));
    let _ended = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), serve)
        .await;
}
