//! What clients send to a server, written down on the way.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The bytes of each connection.
type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

pub(crate) struct Tap {
    port: u16,
    sent: Sent,
    cut: watch::Sender<()>,
}

impl Tap {
    /// Listens, and passes everything on to this port.
    pub(crate) async fn start(to: u16) -> Self {
        let sent = Sent::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::clone(&sent);
        let (cut, cuts) = watch::channel(());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let pass = pass(stream, to, Arc::clone(&state));
                let mut cuts = cuts.clone();
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = pass => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self { port, sent, cut }
    }

    /// Ends the connections that stand.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(());
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/EWS/Exchange.asmx", self.port)
    }

    /// The requests of each connection as text: head and body.
    pub(crate) fn requests(&self) -> Vec<Vec<(String, String)>> {
        let sent = self.sent.lock().unwrap();
        let text = |bytes: &Vec<u8>| split(&String::from_utf8(bytes.clone()).unwrap());
        sent.iter().map(text).collect()
    }
}

async fn pass(client: TcpStream, to: u16, sent: Sent) {
    let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
    let number = {
        let mut all = sent.lock().unwrap();
        all.push(Vec::new());
        all.len() - 1
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = copy(&mut from_server, &mut to_client);
    let forth = async {
        let mut buffer = vec![0; 65536];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            sent.lock().unwrap()[number].extend_from_slice(&buffer[..read]);
            to_server.write_all(&buffer[..read]).await.unwrap();
        }
    };
    tokio::select! {
        _ = back => {}
        () = forth => {}
    }
}

/// Requests one after the other, by their Content-Length.
fn split(mut text: &str) -> Vec<(String, String)> {
    let mut requests = Vec::new();
    while let Some((head, rest)) = text.split_once("\r\n\r\n") {
        let length = head.split_once("content-length: ");
        let length = length.and_then(|(_, rest)| rest.split("\r\n").next());
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let (body, rest) = rest.split_at(length);
        requests.push((head.to_owned(), body.to_owned()));
        text = rest;
    }
    requests
}
