//! Too many connections: as many requests as the server takes, over all sources of a gate.

use std::time::Duration;

use email_logging::Result;
use email_logging::source::ews::{EwsSource, ThrottlingGate};
use email_logging::source::{Listing, MailSource};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::support::*;

/// The requests that are open at the server now, the most that ever were since the last reset, and all that came.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    now: usize,
    most: usize,
    came: usize,
}

/// A server that answers once so many requests are open, and says at the eighth that something is wrong.
#[derive(Clone)]
struct Hall {
    open: watch::Sender<Open>,
    wanted: watch::Sender<usize>,
    eighth: String,
}

impl Hall {
    async fn start(eighth: &str) -> (String, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/EWS/Exchange.asmx",
            listener.local_addr().unwrap()
        );
        let hall = Self {
            open: watch::Sender::new(Open::default()),
            wanted: watch::Sender::new(8),
            eighth: fault(eighth, None),
        };
        let door = hall.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(door.clone().serve(stream));
            }
        });
        (url, hall)
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut request = Vec::new();
        while !request.ends_with(b"Envelope>") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let mut place = 0;
        self.open.send_modify(|open| {
            open.now += 1;
            open.came += 1;
            open.most = open.most.max(open.now);
            place = open.came;
        });
        let wanted = *self.wanted.borrow();
        let mut open = self.open.subscribe();
        let full = open.wait_for(|open| open.now >= wanted || open.most >= wanted);
        // A crowd that never comes together fails the test, and must not stop it.
        let _ = tokio::time::timeout(Duration::from_secs(5), full).await;
        if place < 8 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let body = match place {
            8 => self.eighth.clone(),
            _ => response("FindItem", &[page("", 0, true)]),
        };
        self.open.send_modify(|open| open.now -= 1);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all((head + &body).as_bytes()).await;
    }

    fn expect(&self, wanted: usize) {
        self.wanted.send_replace(wanted);
        self.open.send_modify(|open| open.most = 0);
    }
}

async fn list_with_all(sources: &[EwsSource]) {
    let queue = folder("Q");
    let listed: Vec<Result<Listing>> =
        join_all(sources.iter().map(|source| source.list(&queue, all()))).await;
    assert!(listed.iter().all(Result::is_ok), "{listed:?}");
}

/// The most requests that eight sources with one gate have open after the server said this to one of them.
async fn most_open_after(code: &str, expected: usize) -> usize {
    let (url, hall) = Hall::start(code).await;
    let gate = ThrottlingGate::new();
    let sources: Vec<_> = (0..8)
        .map(|_| source_at(&url, |builder| builder.with_gate(gate.clone())).0)
        .collect();
    list_with_all(&sources).await;
    hall.expect(expected);
    list_with_all(&sources).await;
    hall.open.borrow().most
}

#[tokio::test]
async fn half_as_many_requests_are_open_after_too_many_connections() {
    assert_eq!(most_open_after("ErrorExceededConnectionCount", 4).await, 4);
}

#[tokio::test]
async fn as_many_requests_are_open_after_another_wish_to_wait() {
    assert_eq!(most_open_after("ErrorServerBusy", 8).await, 8);
}
