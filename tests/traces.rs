//! What is traced at the finest level: enough to follow a run, and no personal data and no secret.
//!
//! A binary of its own, and one test at a time: whether a place is traced is remembered for the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::clone_on_ref_ptr
)]

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use email_logging::Error;
use email_logging::error::codes;
use email_logging::source::memory::{SourceFault, SourceOperation};
use tracing_subscriber::fmt::MakeWriter;

use crate::bench::{Bench, mail};
use crate::setting::{PASSWORD, QUEUE, Setting};

#[allow(dead_code)]
#[path = "logger/bench.rs"]
mod bench;
#[allow(dead_code)]
#[path = "end_to_end/setting.rs"]
mod setting;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Runs with everything traced, and answers what was written.
fn traced<F: Future<Output = ()>>(run: impl FnOnce() -> F) -> String {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run());
    });
    String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned()
}

#[test]
fn traces_hold_counts_and_codes() {
    let text = traced(|| async {
        let bench = Bench::new();
        let subject = "Confidential planted subject";
        bench.deliver(mail(
            "ada@contacts.example",
            "ah@ours.example",
            subject,
            "1@x",
        ));
        bench.deliver("planted garbage");
        let logger = bench
            .builder()
            .with_mailbox("sales@ours.example")
            .build()
            .unwrap();
        logger.run_once().await.unwrap();
        let refused = Error::new(&codes::HTTP_UNAUTHORIZED, "FindItem");
        bench
            .source
            .fail_next(SourceOperation::List, SourceFault::Error(refused));
        logger.run_once().await.unwrap_err();
    });
    for expected in [
        "email_log.run",
        "logged=1",
        "quarantined=1",
        "http.unauthorized",
        "worker-1",
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    for planted in ["ada@", "ours.example", "planted", "sales@"] {
        assert!(!text.contains(planted), "{planted} is in {text}");
    }
}

fn planted(sensitivity: &str, number: u32) -> String {
    format!(
        "From: planted-sender@contacts.example\r\nTo: ah@ours.example\r\n\
         Subject: planted-subject\r\n{sensitivity}Message-ID: <planted-id{number}@x.example>\r\n\r\n\
         planted-body\r\n"
    )
}

#[test]
fn traces_of_real_requests_and_a_real_file_hold_nothing_of_a_mail_and_no_secret() {
    let text = traced(|| async {
        let setting = Setting::new().await;
        setting.deliver_numbers(0..2, 500);
        let private = planted("Sensitivity: Private\r\n", 1);
        setting.exchange.deliver(QUEUE, private).unwrap();
        setting.exchange.deliver(QUEUE, planted("", 2)).unwrap();
        let report = setting.builder().build().unwrap().run_once().await.unwrap();
        assert_eq!(
            (report.logged, report.excluded, report.not_matched),
            (2, 1, 1)
        );
    });
    assert!(
        text.contains("email_log.run") && text.contains("logged=2"),
        "{text}"
    );
    for needle in [
        "planted-",
        "ada@contacts.example",
        "ah@ours.example",
        PASSWORD,
        "Basic ",
    ] {
        assert!(!text.contains(needle), "{needle} is traced");
    }
}
