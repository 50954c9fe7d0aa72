//! Email logging for ERP and CRM systems.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod clock;
pub mod credential;
pub mod decision;
pub mod directory;
pub mod error;
mod faults;
mod forward;
mod ids;
pub mod interaction;
pub mod logger;
pub mod message;
pub mod parties;
mod scope;
pub mod setup;
pub mod source;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use error::{Error, ErrorKind, Result};
pub use ids::{
    ContactNo, EntryId, EventId, MailboxKey, MessageUid, SalespersonCode, StageId, WorkerId,
};
pub use logger::EmailLogger;
pub use scope::Scope;
