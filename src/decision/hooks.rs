//! Where a host takes part in the decision: the original's events, as one trait.

use std::fmt;

use super::Decision;
use crate::interaction::{InteractionLogEntry, NewEntry};
use crate::message::{Address, Message};
use crate::parties::{AddressParties, Parties};

/// A host's part in the decision and in what an entry holds.
///
/// Hooks are synchronous and pure: the same input gives the same answer, and they do no I/O (a slow look-up belongs into
/// the directory). A hook that fails quarantines the one mail; it never ends a run. Every method has a default that
/// changes nothing.
///
/// A hook that panics has failed, and what its panic says goes nowhere but to the panic hook of the process. Where that is built
/// with `panic = "abort"` no panic can be caught: then one mail ends the process, and does so again after each restart.
pub trait LoggingHooks: fmt::Debug + Send + Sync + 'static {
    /// Before anything is decided (`OnBeforeIsMessageToLog`): may decide everything.
    ///
    /// # Errors
    ///
    /// The mail is quarantined with `hook-failed`.
    fn before_decision(
        &self,
        message: &Message,
        parties: &Parties,
    ) -> Result<HookAnswer<Decision>, HookError> {
        let _ = (message, parties);
        Ok(HookAnswer::Continue)
    }

    /// When an address is about to be taken as a salesperson or a contact (`OnBeforeIsSalesperson`, `OnBeforeIsContact`):
    /// may answer other parties.
    ///
    /// # Errors
    ///
    /// The mail is quarantined with `hook-failed`.
    fn identify(
        &self,
        role: PartyRole,
        address: &Address,
        parties: &AddressParties,
    ) -> Result<HookAnswer<AddressParties>, HookError> {
        let _ = (role, address, parties);
        Ok(HookAnswer::Continue)
    }

    /// When the rules have decided: may change the decision, add flags or fields to its entries.
    ///
    /// # Errors
    ///
    /// The mail is quarantined with `hook-failed`.
    fn after_decision(&self, message: &Message, decision: &mut Decision) -> Result<(), HookError> {
        let _ = (message, decision);
        Ok(())
    }

    /// Before an entry is written: may fill its fields.
    ///
    /// # Errors
    ///
    /// The mail is quarantined with `hook-failed`.
    fn before_entry(&self, message: &Message, entry: &mut NewEntry) -> Result<(), HookError> {
        let _ = (message, entry);
        Ok(())
    }

    /// After an entry was committed (`OnAfterInsertInteractionLogEntry`). It is called once per written entry in a run
    /// that lives on; for a promise that holds over a crash, read the event feed. A panic of it is passed over.
    fn after_entry(&self, message: &Message, entry: &InteractionLogEntry) {
        let _ = (message, entry);
    }
}

/// Whether a hook took the question over.
#[derive(Debug, Clone, PartialEq)]
pub enum HookAnswer<T> {
    /// Not handled: the rules go on.
    Continue,
    /// Handled: this is the answer.
    Handled(T),
}

/// In which role an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartyRole {
    /// The author.
    Sender,
    /// A recipient.
    Recipient,
}

/// Why a hook failed. Its text must hold no mail content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HookError(pub String);
