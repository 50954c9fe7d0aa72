//! A listener on loopback that keeps every byte that reaches it: as it came over the wire, and as TLS opened it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

type Bytes = Arc<Mutex<Vec<u8>>>;

/// What a listener does with a connection.
#[derive(Clone, Default)]
pub(crate) struct Manner {
    /// Opens TLS; without it the bytes are taken as they come.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Answered to every request.
    pub(crate) answer: Option<String>,
    /// Ends the connection after an answer.
    pub(crate) closes: bool,
}

/// What reached a listener.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Connections that were accepted.
    pub(crate) connections: usize,
    /// Every byte as it came.
    pub(crate) raw: Vec<u8>,
    /// Every byte within TLS, or every byte where there is no TLS.
    pub(crate) clear: Vec<u8>,
}

impl Reached {
    /// The clear bytes as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.clear).into_owned()
    }

    /// The requests, by their heads.
    pub(crate) fn requests(&self) -> usize {
        self.text().matches(" HTTP/1.1\r\n").count()
    }
}

/// A running listener.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    raw: Bytes,
    clear: Bytes,
    accepting: JoinHandle<usize>,
    last: Arc<Mutex<Option<SocketAddr>>>,
}

impl Listener {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) async fn start(manner: Manner) -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), manner).await
    }

    /// Listens on this address.
    pub(crate) async fn at(address: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (raw, clear, last) = (Bytes::default(), Bytes::default(), Arc::default());
        let kept = (Arc::clone(&raw), Arc::clone(&clear));
        let accepting = tokio::spawn(accept(listener, manner, kept, Arc::clone(&last)));
        Self {
            address,
            raw,
            clear,
            accepting,
            last,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What reached it up to now, once every client has gone. Connections are accepted in order: when the one that is made
    /// here was accepted, so was every other before it.
    pub(crate) async fn finish(self) -> Reached {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        *self.last.lock().unwrap() = Some(socket.local_addr().unwrap());
        let last = socket.connect(self.address).await.unwrap();
        let connections = self.accepting.await.unwrap();
        drop(last);
        Reached {
            connections,
            raw: std::mem::take(&mut self.raw.lock().unwrap()),
            clear: std::mem::take(&mut self.clear.lock().unwrap()),
        }
    }
}

async fn accept(
    listener: TcpListener,
    manner: Manner,
    kept: (Bytes, Bytes),
    last: Arc<Mutex<Option<SocketAddr>>>,
) -> usize {
    let mut open = JoinSet::new();
    let mut connections = 0;
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        if *last.lock().unwrap() == Some(peer) {
            break;
        }
        connections += 1;
        open.spawn(serve(stream, manner.clone(), kept.clone()));
    }
    while open.join_next().await.is_some() {}
    connections
}

async fn serve(stream: TcpStream, manner: Manner, (raw, clear): (Bytes, Bytes)) {
    let stream = Tee { stream, kept: raw };
    match manner.tls {
        // A client that does not trust the certificate ends the handshake.
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, manner.answer, manner.closes, clear).await;
            }
        }
        None => converse(stream, manner.answer, manner.closes, clear).await,
    }
}

/// Reads to the end, and answers each request once its body is there.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Option<String>,
    closes: bool,
    clear: Bytes,
) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        clear.lock().unwrap().extend_from_slice(&piece[..length]);
        request.extend_from_slice(&piece[..length]);
        let Some(answer) = answer.as_ref().filter(|_| is_whole(&request)) else {
            continue;
        };
        request.clear();
        if stream.write_all(answer.as_bytes()).await.is_err() {
            break;
        }
        if closes {
            let _ = stream.shutdown().await;
            break;
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    body.len() >= length
}

/// A stream that keeps what is read from it.
struct Tee {
    stream: TcpStream,
    kept: Bytes,
}

impl AsyncRead for Tee {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.kept
            .lock()
            .unwrap()
            .extend_from_slice(&buf.filled()[before..]);
        polled
    }
}

impl AsyncWrite for Tee {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
