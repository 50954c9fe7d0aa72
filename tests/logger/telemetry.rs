//! What a run tells to `tracing`: enough to follow it, and nothing of a mail.

use std::io::Write;
use std::sync::{Arc, Mutex};

use email_logging::Error;
use email_logging::error::codes;
use email_logging::source::memory::{SourceFault, SourceOperation};
use tracing_subscriber::fmt::MakeWriter;

use crate::bench::{Bench, mail};

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

#[test]
fn traces_hold_counts_and_codes_and_no_personal_data() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
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
    });
    let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
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
