//! The whole job over PostgreSQL.

use std::sync::Arc;

use email_logging::EmailLogger;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::message::MailFacts;
use email_logging::parties::ContactKind;
use email_logging::source::{FolderPath, MemorySource};
use email_logging::store::{InteractionLog, LogFilter};

use crate::cluster::server;
use crate::scope;

fn mail(number: u32, text: &str) -> String {
    format!(
        "From: Anna Berg <anna@corp.example>\r\nTo: tim@customer.example\r\n\
         Subject: Offer {number}\r\nMessage-ID: <{number}@corp.example>\r\n\r\n{text}\r\n"
    )
}

#[tokio::test]
async fn a_run_logs_each_mail_once_moves_every_copy_and_finds_the_words_of_bodies() {
    let Some(server) = server() else { return };
    let queue: FolderPath = r"\Email Logging\Queue\".parse().unwrap();
    let storage: FolderPath = r"\Email Logging\Storage\".parse().unwrap();
    let source = MemorySource::new()
        .with_folder(&queue)
        .with_folder(&storage);
    for number in 0..120 {
        source.deliver(&queue, mail(number, "Hello"), MailFacts::default());
    }
    // A second copy, a conflict of Message-IDs, and a mail that is staged in pieces.
    source.deliver(&queue, mail(7, "Hello"), MailFacts::default());
    source.deliver(&queue, mail(8, "Other words"), MailFacts::default());
    let large = mail(200, &"Gro\u{df}es Angebot ".repeat(400_000));
    source.deliver(&queue, large.clone(), MailFacts::default());
    let directory = MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new(
            "AB",
            "Anna Berg",
            "anna@corp.example",
        ))
        .with_contact(
            ContactRecord::new("CT000012", "Tim Lund", ContactKind::Person)
                .with_email("tim@customer.example"),
        );
    let store = Arc::new(server.store().await);
    let logger = EmailLogger::builder()
        .with_source(Arc::new(source.clone()))
        .with_directory(Arc::new(directory))
        .with_store(Arc::clone(&store))
        .with_queue_folder(queue.clone())
        .with_storage_folder(storage.clone())
        .build()
        .unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.already_logged), (122, 1));
    assert_eq!((report.entries, report.moved), (122, 123));
    assert!(source.items(&queue).is_empty());
    assert_eq!(source.items(&storage).len(), 123);
    let mut filter = LogFilter::default();
    filter.text = Some("gro\u{df}es ange".into());
    let found = store.mails(&scope(), &filter, None, 10).await.unwrap();
    assert_eq!((found.rows.len(), found.not_indexed), (1, 0));
    let message = found.rows[0].message;
    let original = store
        .original(&scope(), &message, 0..u64::MAX)
        .await
        .unwrap();
    assert!(original.bytes == large.as_bytes());
    filter.text = None;
    filter.flag = Some("message-id-conflict".into());
    let flagged = store.mails(&scope(), &filter, None, 10).await.unwrap();
    assert_eq!(flagged.rows.len(), 2);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.listed, report.logged), (0, 0));
}
