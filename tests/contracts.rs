//! What the compiler must keep: every role can be held as `Arc<dyn …>`, shared between threads, and awaited anywhere.

use std::sync::Arc;

use email_logging::clock::{Clock, Entropy};
use email_logging::credential::{CredentialProvider, RefreshTokenStore};
use email_logging::decision::LoggingHooks;
use email_logging::directory::{ContactDirectory, ContactEditor};
use email_logging::logger::{EmailLoggerBuilder, Progress, Schedule};
use email_logging::source::ews::EwsSource;
use email_logging::source::{MailFolders, MailSource, MemorySource, Wakeup};
use email_logging::store::{
    ContentIndex, EventFeed, InteractionLog, InteractionSink, InteractionStore, MailLedger,
    MemoryStore, SecretStore, SetupStore, SqliteStore,
};
use email_logging::{EmailLogger, Error};

fn shared<T: ?Sized + Send + Sync + 'static>() {}

fn sent<T: Send>(_: T) {}

#[test]
fn every_role_is_object_safe_and_shared() {
    shared::<Arc<dyn MailSource>>();
    shared::<Arc<dyn MailFolders>>();
    shared::<Arc<dyn Wakeup>>();
    shared::<Arc<dyn ContactDirectory>>();
    shared::<Arc<dyn ContactEditor>>();
    shared::<Arc<dyn CredentialProvider>>();
    shared::<Arc<dyn LoggingHooks>>();
    shared::<Arc<dyn Progress>>();
    shared::<Arc<dyn Clock>>();
    shared::<Arc<dyn Entropy>>();
    shared::<Arc<dyn MailLedger>>();
    shared::<Arc<dyn InteractionLog>>();
    shared::<Arc<dyn ContentIndex>>();
    shared::<Arc<dyn EventFeed>>();
    shared::<Arc<dyn SetupStore>>();
    shared::<Arc<dyn SecretStore>>();
    shared::<Arc<dyn RefreshTokenStore>>();
    shared::<Arc<dyn InteractionSink>>();
    shared::<Arc<dyn InteractionStore>>();
}

#[test]
fn the_parts_are_shared_between_threads() {
    shared::<EmailLogger>();
    shared::<EmailLoggerBuilder>();
    shared::<EwsSource>();
    shared::<MemorySource>();
    shared::<SqliteStore>();
    shared::<MemoryStore>();
    shared::<Error>();
    assert!(
        size_of::<Error>() <= size_of::<usize>(),
        "an error is one word"
    );
}

/// Compiled, never run: the futures of a logger can be spawned on any runtime.
#[allow(dead_code)]
fn the_futures_of_a_logger_can_be_sent(logger: &EmailLogger, schedule: &Schedule) {
    sent(logger.run_once());
    sent(logger.run_until(std::future::ready(())));
    sent(logger.run(schedule, std::future::ready(()), |_| ()));
    sent(logger.dry_run());
    sent(logger.index(1));
}
