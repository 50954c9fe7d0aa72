//! The host: its own interaction log, and the set-up that a person may switch off in mid-run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use email_logging::Scope;
use email_logging::error::{Error, Result, codes};
use email_logging::setup::EmailLoggingSetup;
use email_logging::source::FolderPath;
use email_logging::store::{HostReference, InteractionSink, SetupStore, SinkDelivery, StoredSetup};

use crate::book::Book;
use crate::stage::{Fault, Op, Phase, Stage};

/// The host's own log.
#[derive(Debug)]
pub(crate) struct SimSink {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
    pub(crate) book: Arc<Book>,
}

#[async_trait]
impl InteractionSink for SimSink {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        let failed = || Error::new(&codes::HTTP_TIMEOUT, "put");
        let before = self.stage.wait(self.worker, Op::Put, Phase::Before).await;
        let taken = match before {
            None => delivery.entries.len(),
            // The host takes the first entry and then fails.
            Some(Fault::Partial(_)) => 1,
            Some(_) => return Err(failed()),
        };
        let mut references = Vec::new();
        for entry in &delivery.entries[..taken] {
            let id = entry.entry.id;
            *self.book.pages().host.entry(id).or_default() += 1;
            references.push(HostReference::new(id, format!("H{}", entry.entry_no)));
        }
        self.stage.writes(&references);
        self.stage.sees(self.worker, &references);
        let after = self.stage.wait(self.worker, Op::Put, Phase::After).await;
        match (before, after) {
            (None, None) => Ok(references),
            _ => Err(failed()),
        }
    }
}

pub(crate) fn path(name: &str) -> FolderPath {
    format!(r"\Email Logging\{name}\").parse().unwrap()
}

/// The stored set-up.
#[derive(Debug)]
pub(crate) struct SimSetup {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
    pub(crate) book: Arc<Book>,
    pub(crate) enabled: Arc<AtomicBool>,
    /// Whether this run has read it already.
    pub(crate) read: AtomicBool,
}

#[async_trait]
impl SetupStore for SimSetup {
    async fn load_setup(&self, _: &Scope) -> Result<Option<StoredSetup>> {
        for phase in [Phase::Before, Phase::After] {
            let fault = self.stage.wait(self.worker, Op::LoadSetup, phase).await;
            if fault.is_some() {
                return Err(Error::new(&codes::STORE_UNAVAILABLE, "load_setup"));
            }
        }
        let mut setup = EmailLoggingSetup::default();
        setup.enabled = self.enabled.load(Ordering::Relaxed);
        setup.queue_folder = Some(path("Queue"));
        setup.storage_folder = Some(path("Storage"));
        if !self.read.swap(true, Ordering::Relaxed) {
            self.book.set_quiet(self.worker, !setup.enabled);
        }
        self.stage.sees(self.worker, &setup.enabled);
        Ok(Some(StoredSetup::new(setup, 1)))
    }

    async fn save_setup(&self, _: &Scope, _: &EmailLoggingSetup, _: u64) -> Result<u64> {
        Err(Error::new(&codes::STORE_UNAVAILABLE, "save_setup"))
    }
}
