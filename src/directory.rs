//! Who an address belongs to: the host's salespeople and contacts.

mod audit;
mod cached;
mod forward;
mod memory;
mod suggestions;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Result;
use crate::ids::ContactNo;
use crate::message::Address;
use crate::parties::{AddressParties, NewContact};
use crate::scope::Scope;

pub use audit::{AuditPage, DirectoryAudit};
pub use cached::{CachedDirectory, CachedEditor};
pub use memory::{
    AlternativeAddress, ContactRecord, DirectoryRecords, MemoryDirectory, ProblemKind,
    RecordProblem, SalespersonRecord,
};
pub use suggestions::{ContactSuggestions, SuggestedBecause, Suggestion};

/// The host's contacts and salespeople.
///
/// The contract, which `testkit::conformance::directory` checks:
///
/// * one answer per address, in the order of the question; an address that nobody has answers an empty
///   [`AddressParties`];
/// * every candidate is answered, with how it matched; choosing among them is the policy's, not the directory's;
/// * candidates are in a stable order, so that the same question has the same answer;
/// * an outage is an error, never "no match": mail would be set aside for the wrong reason.
#[async_trait]
pub trait ContactDirectory: Debug + Send + Sync + 'static {
    /// Finds the parties behind every address of a batch in one call.
    ///
    /// # Errors
    ///
    /// `Unavailable` (`directory.unavailable`) when the directory cannot answer; the run ends and nothing moves.
    ///
    /// # Cancel safety
    ///
    /// Reads only; dropping the future has no effect.
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>>;
}

/// A directory that can take up new contacts. Optional.
#[async_trait]
pub trait ContactEditor: Debug + Send + Sync + 'static {
    /// Creates a contact, or answers the one that already has this address. Called again with the same address after a
    /// crash, it must answer the same contact.
    ///
    /// # Errors
    ///
    /// `Unavailable` or `PermissionDenied`; the mail waits for the next attempt.
    ///
    /// # Cancel safety
    ///
    /// The effect is unknown after a drop; the call is repeated.
    async fn create_contact(&self, scope: &Scope, contact: &NewContact) -> Result<ContactNo>;
}
