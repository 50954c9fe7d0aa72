//! An application at the simulated Exchange: what every one of its calls carries, and a token that ends in the middle.

#![cfg(feature = "oauth2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ews/support.rs"]
mod ews;
#[path = "oauth/support.rs"]
mod support;

use std::sync::{Arc, Mutex};

use email_logging::credential::AppSignIn;
use email_logging::source::{FolderPath, ListRequest, MailSource};
use email_logging::testkit::exchange::SimulatedExchange;
use ews::{Collect, moves, source_at};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

const QUEUE: &str = r"\Email Logging\Queue\";
const STORAGE: &str = r"\Email Logging\Storage\";

/// Stands before an Exchange that knows Basic alone: takes one bearer token at a time, and refuses all others.
async fn front(port: u16, valid: Arc<Mutex<&'static str>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!(
        "http://{}/EWS/Exchange.asmx",
        listener.local_addr().unwrap()
    );
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(client, port, Arc::clone(&valid)));
        }
    });
    address
}

async fn connection(client: TcpStream, port: u16, valid: Arc<Mutex<&'static str>>) {
    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let Some((head, body)) = request(&mut from_client).await else {
        return;
    };
    let bearer = format!("authorization: Bearer {}", *valid.lock().unwrap());
    if !head.contains(&bearer) {
        let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\
                           x-ms-diagnostics: 2000002;error_category=\"token_expired\"\r\n\r\n";
        to_client.write_all(refusal.as_bytes()).await.unwrap();
        return;
    }
    let basic = base64_simd::STANDARD.encode_to_string("svc@example.com:canary-secret");
    let head = head.replace(
        &bearer,
        &format!("connection: close\r\nauthorization: Basic {basic}"),
    );
    to_server.write_all(head.as_bytes()).await.unwrap();
    to_server.write_all(&body).await.unwrap();
    copy(&mut from_server, &mut to_client).await.unwrap();
}

async fn request(from: &mut (impl AsyncReadExt + Unpin)) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = from.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.unwrap_or("0").parse().unwrap();
        let start = head.len() + 4;
        if bytes.len() >= start + length {
            return Some((format!("{head}\r\n\r\n"), bytes[start..].to_vec()));
        }
    }
}

#[tokio::test]
async fn every_call_of_an_application_names_the_mailbox_it_acts_for_and_a_token_that_ends_is_not_noticed()
 {
    let exchange = SimulatedExchange::builder()
        .with_user("svc@example.com", "canary-secret")
        .with_public_folder(QUEUE)
        .with_public_folder(STORAGE)
        .with_recording(true)
        .start()
        .await
        .unwrap();
    for number in 0..3 {
        let mail = format!("From: a@example.com\r\nMessage-ID: <{number}@x>\r\n\r\nx\r\n");
        exchange.deliver(QUEUE, mail).unwrap();
    }
    let identity = Identity::start().await;
    identity.tokens.then(token("first")).then(token("second"));
    let sign_in = AppSignIn::at(identity.service(TENANT), account())
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let valid = Arc::new(Mutex::new("first"));
    let url = front(exchange.port(), Arc::clone(&valid)).await;
    let (source, _) = source_at(&url, |builder| {
        builder
            .with_app_sign_in(sign_in)
            .with_impersonation("queue@example.com")
    });
    let open = |path: &str| {
        let path: FolderPath = path.parse().unwrap();
        let source = source.clone();
        async move { source.open_folder(&path.into()).await.unwrap() }
    };
    let (queue, storage) = (open(QUEUE).await, open(STORAGE).await);
    let listed = source
        .list(&queue, ListRequest::new(0, 10))
        .await
        .unwrap()
        .items;
    *valid.lock().unwrap() = "second";
    let mut sink = Collect::default();
    source.fetch(&queue, &listed, &mut sink).await.unwrap();
    let items: Vec<_> = listed.iter().map(|row| row.item.clone()).collect();
    let moved = moves(&source.move_to(&queue, &items, &storage).await.unwrap());
    assert_eq!((listed.len(), moved.len()), (3, 3));
    assert_eq!(exchange.count(STORAGE).unwrap(), 3);
    assert_eq!(identity.count().await, 2);
    let calls = exchange.recorded();
    assert!(calls.len() >= 5, "{}", calls.len());
    for call in calls {
        let body = String::from_utf8_lossy(&call.request).into_owned();
        let anchor = call.headers.get("x-anchormailbox").map(String::as_str);
        assert_eq!(anchor, Some("queue@example.com"), "{:?}", call.operation);
        let owner = "<t:PrimarySmtpAddress>queue@example.com</t:PrimarySmtpAddress>";
        let (_, inside) = body.split_once("<t:ExchangeImpersonation>").unwrap();
        let (inside, _) = inside.split_once("</t:ExchangeImpersonation>").unwrap();
        assert!(inside.contains(owner), "{:?}", call.operation);
    }
}
