//! The bytes of a sign-in as they leave, and what is worth nothing to one who copies them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::parts::{Counted, PASSWORD, QUEUE, USER, exchange, list, open, source_to};
use crate::tap::Tap;

/// The message of a request's header and its number.
fn message(head: &str) -> (Vec<u8>, u8) {
    let line = head.split("authorization: NTLM ").nth(1).unwrap();
    let token = line.split("\r\n").next().unwrap();
    let message = base64_simd::STANDARD.decode_to_vec(token).unwrap();
    let number = message[8];
    (message, number)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn the_body_leaves_once_with_the_last_message_and_no_header_after_it() {
    let exchange = exchange().with_recording(true).start().await.unwrap();
    let tap = Tap::start(exchange.port()).await;
    let source = source_to(&tap.url(), &Counted::new(USER, PASSWORD), |it| it);
    open(&source, QUEUE).await.unwrap();
    let connections = tap.requests();
    let [offer, ntlm] = &connections[..] else {
        panic!("{} connections", connections.len());
    };
    let [(head, body)] = &offer[..] else {
        panic!("{} requests for the offer", offer.len());
    };
    assert!(head.starts_with("GET ") && body.is_empty());
    assert!(!head.contains("authorization"));
    let (first, third, later) = (&ntlm[0], &ntlm[1], &ntlm[2..]);
    assert_eq!(message(&first.0).1, 1);
    assert!(first.0.contains("content-length: 0") && first.1.is_empty());
    assert!(!first.0.contains("soapaction"));
    assert_eq!(message(&third.0).1, 3);
    assert!(third.0.contains("soapaction: "));
    assert!(
        later
            .iter()
            .all(|(head, _)| !head.contains("authorization"))
    );
    let bodies = ntlm[1..].iter().map(|(_, body)| body.as_bytes().to_vec());
    let recorded = exchange.recorded();
    let asked: Vec<_> = recorded.iter().map(|call| call.request.to_vec()).collect();
    assert_eq!(bodies.collect::<Vec<_>>(), asked);
    let agent = concat!("user-agent: email-logging/", env!("CARGO_PKG_VERSION"));
    assert!(ntlm.iter().all(|(head, _)| head.contains(agent)));
}

#[tokio::test]
async fn no_message_holds_the_password() {
    let exchange = exchange().start().await.unwrap();
    let tap = Tap::start(exchange.port()).await;
    let source = source_to(&tap.url(), &Counted::new(USER, PASSWORD), |it| it);
    open(&source, QUEUE).await.unwrap();
    let connections = tap.requests();
    let wide: Vec<u8> = PASSWORD.bytes().flat_map(|byte| [byte, 0]).collect();
    for (head, body) in connections.iter().flatten() {
        let mut bytes = [head.as_bytes(), body.as_bytes()].concat();
        if head.contains("authorization") {
            bytes.extend(message(head).0);
        }
        assert!(!contains(&bytes, PASSWORD.as_bytes()) && !contains(&bytes, &wide));
    }
}

#[tokio::test]
async fn a_copied_sign_in_opens_nothing() {
    let exchange = exchange().start().await.unwrap();
    let tap = Tap::start(exchange.port()).await;
    let source = source_to(&tap.url(), &Counted::new(USER, PASSWORD), |it| it);
    open(&source, QUEUE).await.unwrap();
    let connections = tap.requests();
    let whole = |at: usize| {
        let (head, body) = &connections[1][at];
        format!("{head}\r\n\r\n{body}")
    };
    let (first, third) = (whole(0), whole(1));
    for requests in [
        // Without a challenge, against a new challenge, and again after the connection was signed in by no one.
        vec![third.clone()],
        vec![first.clone(), third.clone()],
        vec![first, third.clone(), third],
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", exchange.port()))
            .await
            .unwrap();
        for request in requests {
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = vec![0; 4096];
            let read = stream.read(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
            assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        }
    }
}

#[tokio::test]
async fn an_idle_connection_that_the_server_ended_is_replaced() {
    let exchange = exchange().start().await.unwrap();
    let tap = Tap::start(exchange.port()).await;
    let source = source_to(&tap.url(), &Counted::new(USER, PASSWORD), |it| it);
    let queue = open(&source, QUEUE).await.unwrap();
    tap.cut();
    // The end of a connection reaches its other side in a moment; nothing can be waited for instead.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(list(&source, &queue).await.len(), 0);
    let connections = tap.requests();
    // The offer, the connection that ended, and the new one with a sign-in of its own.
    assert_eq!(connections.len(), 3);
    let numbers = connections[2][..2].iter().map(|(head, _)| message(head).1);
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 3]);
}
