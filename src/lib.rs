//! Email logging for ERP and CRM systems.
//!
//! Exchange puts a copy of every mail that enters or leaves a company into a *queue folder*. [`EmailLogger`] reads that
//! folder, finds out which salesperson exchanged each mail with which contact, writes *interaction log entries* together
//! with the original mail, and moves the mail to a *storage folder*. The host brings its contacts and reads the log.
//!
//! ```text
//!  queue folder                                                    storage folder
//!       |                                                                ^
//!       | list, fetch                                                    | move, after the commit
//!       v                                                                |
//!  MailSource ----> Message ----> decision ----> InteractionStore ----> MailSource
//!                   (parse)          ^           (one transaction)
//!                                    | resolve
//!                             ContactDirectory
//! ```
//!
//! A host that keeps a log of its own gets the entries between commit and move
//! ([`InteractionSink`](store::InteractionSink)).
//!
//! Stages overlap: while one batch moves, the next is committed and the one after it is fetched. One batch is one
//! transaction.
//!
//! # Promises
//!
//! * **Nothing is lost.** A mail leaves the queue only after its entries and its original are durable. A crash anywhere
//!   is healed by the next run.
//! * **Nothing is logged twice.** An [`EntryId`] is derived from what the entry says; writing it again changes nothing.
//! * **Nothing is deleted unasked.** What is not logged is moved on with its reason. Deleting is a field of the
//!   [policy](decision::LoggingPolicy); of the presets only
//!   [`business_central`](decision::LoggingPolicy::business_central) sets it.
//! * **Every decision is explained.** Each mail ends in one [`Outcome`](decision::Outcome), with every
//!   [`Step`](decision::Step) that led there.
//! * **No secret leaks.** An [`Error`], `Debug` output and traces hold codes and ids: no password, no address, no subject.
//!
//! # Quick start
//!
//! The whole job in memory. With `SqliteStore` for the store and `EwsSource` for the source it is the job on Exchange;
//! `examples/embed.rs` is that program.
//!
//! ```
//! use std::sync::Arc;
//!
//! use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
//! use email_logging::interaction::InformationFlow;
//! use email_logging::message::MailFacts;
//! use email_logging::parties::ContactKind;
//! use email_logging::source::{FolderPath, MemorySource};
//! use email_logging::store::{InteractionLog, LogFilter, MemoryStore};
//! use email_logging::{EmailLogger, Scope};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let queue: FolderPath = r"\Email Logging\Queue\".parse()?;
//! let storage: FolderPath = r"\Email Logging\Storage\".parse()?;
//! let source = MemorySource::new().with_folder(&queue).with_folder(&storage);
//! let mail = "From: Anna Berg <anna@corp.example>\r\nTo: tim@customer.example\r\n\
//!             Subject: Our offer\r\nMessage-ID: <1@corp.example>\r\n\r\nDear Tim, here it is.\r\n";
//! source.deliver(&queue, mail, MailFacts::default());
//!
//! let directory = MemoryDirectory::new()
//!     .with_salesperson(SalespersonRecord::new("AB", "Anna Berg", "anna@corp.example"))
//!     .with_contact(
//!         ContactRecord::new("CT000012", "Tim Lund", ContactKind::Person)
//!             .with_email("tim@customer.example"),
//!     );
//! let store = Arc::new(MemoryStore::new());
//!
//! let logger = EmailLogger::builder()
//!     .with_source(Arc::new(source.clone()))
//!     .with_directory(Arc::new(directory))
//!     .with_store(Arc::clone(&store))
//!     .with_queue_folder(queue.clone())
//!     .with_storage_folder(storage.clone())
//!     .build()?;
//! let report = logger.run_once().await?;
//! assert_eq!((report.logged, report.entries, report.moved), (1, 1, 1));
//!
//! let page = store.entries(&Scope::default(), &LogFilter::default(), None, 10).await?;
//! let entry = &page.rows[0].entry;
//! assert_eq!(entry.description, "Our offer");
//! assert_eq!((entry.contact_no.as_str(), entry.salesperson_code.as_str()), ("CT000012", "AB"));
//! assert_eq!(entry.information_flow, InformationFlow::Outbound);
//!
//! let original = store.original(&Scope::default(), &entry.message, 0..u64::MAX).await?;
//! assert_eq!(original.bytes, mail.as_bytes());
//! assert!(source.items(&queue).is_empty());
//! assert_eq!(source.items(&storage).len(), 1);
//!
//! // A copy of the same mail is recognised, and moved as well.
//! source.deliver(&queue, mail, MailFacts::default());
//! let report = logger.run_once().await?;
//! assert_eq!((report.logged, report.already_logged, report.moved), (0, 1, 1));
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new()?.block_on(example())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `ews` | yes | `EwsSource`: Exchange Web Services, autodiscovery, public folders |
//! | `graph` | | `GraphSource`: Microsoft Graph, for mailboxes of Exchange Online |
//! | `files` | | `FileSource`: a folder of .eml files, an mbox file, a Maildir |
//! | `sqlite` | yes | `SqliteStore` |
//! | `postgres` | | `PostgresStore`: PostgreSQL and engines that speak its protocol |
//! | `ntlm` | | NTLMv2 with channel binding, for user name and password on premises |
//! | `oauth2` | | OAuth2: administrator consent, app-only and delegated sign-in, at Microsoft or any other identity service |
//! | `seal` | | secrets at rest: sealed in the store under a key of the host's |
//! | `export` | | the log as JSON lines and CSV, and the originals as a .zip |
//! | `html` | | the HTML view of an original: sanitised, pictures resolved, nothing fetched |
//! | `serde` | with `sqlite` | serde for the policy, the set-up, the entries and the decisions |
//! | `tracing` | | spans and events without personal data |
//! | `testkit` | | the simulated Exchange and the conformance suites, for hosts' own tests |
//!
//! Features only add.
//!
//! # Code map
//!
//! | room | what it owns |
//! |---|---|
//! | [`logger`] | the job: runs, schedule, recovery, report |
//! | [`message`] | what a mail is: addresses, MIME, identity of its content |
//! | [`decision`] | what becomes of a mail and why: policy, rules, hooks |
//! | [`interaction`] | the entries and the template they are made from |
//! | [`opportunity`] | sales cycles and the life of an opportunity that was made of an entry |
//! | [`parties`] | what a directory says about an address |
//! | [`source`] | [`MailSource`](source::MailSource) and its back ends |
//! | [`directory`] | [`ContactDirectory`](directory::ContactDirectory) and the ones that come with the crate |
//! | [`store`] | the roles of a store, the host's own log, and the stores that come with the crate |
//! | [`credential`] | [`CredentialProvider`](credential::CredentialProvider) and the chain |
//! | [`setup`] | the set-up that a host stores per scope: its fields' rules, its administration, its validation |
//! | [`view`] | an original shown to people: headers, text, HTML, attachments |
//! | [`error`] | the one error and the table of its codes |
//! | [`clock`] | time and randomness, which are injected |
//! | `export` | the log in files that other programs read |
//! | `testkit` | the simulated Exchange, a clock for tests, the conformance suites |
//!
//! # What does not depend on what
//!
//! * `message`, `decision`, `interaction`, `opportunity`, `parties` and `error` know no source, store, directory, credential or HTTP, and do
//!   no I/O. [`decision::decide`] is a function of a message, the directory's answers and a policy.
//! * Back ends never know each other. Only `logger` knows all the traits.
//! * The logger needs no runtime of its own: it joins futures and never spawns. Time and randomness come through
//!   [`clock`] alone.
//! * No type of another library stands in a public signature, but for `secrecy::SecretString`, `jiff`'s `Timestamp` and
//!   `civil::Date` and, under its feature, serde.
//! * The library reads no environment by itself, installs no subscriber and keeps no global state.
//! * Every call to a store or a directory names its [`Scope`]; rows of another one are never seen.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod caught;
pub mod clock;
pub mod credential;
pub mod decision;
pub mod directory;
pub mod error;
mod exchange_online;
#[cfg(feature = "export")]
#[cfg_attr(docsrs, doc(cfg(feature = "export")))]
pub mod export;
mod faults;
mod forward;
#[cfg(feature = "http")]
#[cfg_attr(not(feature = "ews"), allow(dead_code, unused_imports))]
mod http;
mod ids;
pub mod interaction;
pub mod logger;
pub mod message;
#[cfg(feature = "graph")]
#[cfg_attr(docsrs, doc(cfg(feature = "graph")))]
pub mod notifications;
pub mod opportunity;
pub mod parties;
pub mod privacy;
mod scope;
pub mod setup;
pub mod source;
pub mod store;
#[cfg(feature = "testkit")]
#[cfg_attr(docsrs, doc(cfg(feature = "testkit")))]
pub mod testkit;
#[cfg(any(feature = "http", feature = "postgres"))]
mod tls;
pub mod view;
mod wish;

pub use error::{Error, ErrorKind, Result};
pub use ids::{
    ContactNo, EntryId, EventId, MailboxKey, MessageUid, OpportunityNo, SalespersonCode, StageId,
    WorkerId,
};
pub use logger::EmailLogger;
pub use scope::Scope;

/// The code of the README, compiled and run as documentation tests.
#[cfg(all(
    doctest,
    feature = "ews",
    feature = "oauth2",
    feature = "postgres",
    feature = "seal",
    feature = "sqlite",
    feature = "testkit"
))]
#[doc = include_str!("../README.md")]
struct Readme;
