//! One row per HTTP status, and for those whose headers say more: for what reads and for what changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use super::scripted::*;

const TABLE: &str = include_str!("../fixtures/http_statuses.tsv");

struct Row {
    statuses: std::ops::RangeInclusive<u16>,
    header: Option<(&'static str, &'static str)>,
    listed: &'static str,
    moved: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.skip(1).map(row).collect()
}

fn row(line: &'static str) -> Row {
    let [statuses, header, listed, moved] = line.split('\t').collect::<Vec<_>>()[..] else {
        panic!("not four columns: {line}");
    };
    let (first, last) = statuses.split_once('-').unwrap_or((statuses, statuses));
    Row {
        statuses: first.parse().unwrap()..=last.parse().unwrap(),
        header: header.split_once(": "),
        listed,
        moved,
    }
}

/// The time of the test's clock, by which a server names a date to wait for.
const NOW: &str = "Sun, 01 Nov 2026 10:00:00 GMT";

#[test]
fn every_status_from_100_to_599_stands_once() {
    let plain = rows().into_iter().filter(|row| row.header.is_none());
    let statuses: Vec<u16> = plain.flat_map(|row| row.statuses).collect();
    assert_eq!(statuses, (100..=599).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_status_does_what_its_row_says() {
    let (server, script) = Script::start().await;
    let mut wrong = Vec::new();
    for row in rows()
        .into_iter()
        .filter(|row| *row.statuses.start() >= 200)
    {
        for status in row.statuses.clone() {
            let template = ResponseTemplate::new(status)
                .set_body_raw("<p>no</p>", "text/html")
                .insert_header("date", NOW);
            let template = match row.header {
                Some((name, value)) => template.insert_header(name, value),
                None => template,
            };
            let say = || {
                let template = template.clone();
                script.say(move |_, _| template.clone());
            };
            say();
            let (source, clock) = impatient(&server.uri());
            let listed = list(&script, &source, &clock).await;
            say();
            let (source, _) = impatient(&server.uri());
            let moved = move_both(&script, &source).await;
            if [&*listed, &*moved] != [row.listed, row.moved] {
                wrong.push(format!("{status}\t{:?}\t{listed}\t{moved}", row.header));
            }
        }
    }
    assert!(wrong.is_empty(), "found instead:\n{}", wrong.join("\n"));
}

/// A server that answers each connection with these bytes and counts them.
async fn raw_server(answer: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/EWS/Exchange.asmx",
        listener.local_addr().unwrap()
    );
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 16 << 10];
            if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                count.fetch_add(1, Ordering::SeqCst);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (url, asked)
}

/// No answer may end with an interim status, so the server closes the connection after it.
#[tokio::test]
async fn an_interim_status_is_no_answer() {
    let (empty_script_server, script) = Script::start().await;
    drop(empty_script_server);
    for row in rows().into_iter().filter(|row| *row.statuses.start() < 200) {
        for status in row.statuses.clone() {
            let (url, asked) = raw_server(format!("HTTP/1.1 {status} Interim\r\n\r\n")).await;
            let (source, clock) = impatient(&url);
            let listed = list(&script, &source, &clock).await;
            let listed = format!("{listed}, asked {}", asked.swap(0, Ordering::SeqCst));
            let (source, _) = impatient(&url);
            let moved = move_both(&script, &source).await;
            let moved = format!("{moved}, asked {}", asked.load(Ordering::SeqCst));
            assert_eq!([&*listed, &*moved], [row.listed, row.moved], "{status}");
        }
    }
}
