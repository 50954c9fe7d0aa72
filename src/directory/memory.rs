//! A directory in memory: for hosts with few contacts, for demos and for tests.
//!
//! Owns the index from addresses to records. Knows nothing of policies: it answers every candidate.

mod audit;
mod index;
mod problems;
mod records;
mod suggest;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use super::{ContactDirectory, ContactEditor};
use crate::error::Result;
use crate::ids::{ContactNo, SalespersonCode};
use crate::message::Address;
use crate::parties::{AddressParties, ContactKind, NewContact};
use crate::scope::Scope;

use index::Index;
pub use problems::{ProblemKind, RecordProblem};
pub use records::{AlternativeAddress, ContactRecord, DirectoryRecords, SalespersonRecord};

/// Contacts and salespeople in memory, the same for every scope.
///
/// Clones share their records. Records can be changed while others read. An address that cannot be used is no error: its
/// record is found by its other addresses, and [`problems`](Self::problems) names it.
#[derive(Clone, Default)]
pub struct MemoryDirectory(Arc<RwLock<State>>);

#[derive(Default)]
struct State {
    own_domains: BTreeSet<String>,
    salespeople: BTreeMap<SalespersonCode, Arc<SalespersonRecord>>,
    contacts: BTreeMap<ContactNo, Arc<ContactRecord>>,
    duplicates: Vec<RecordProblem>,
    /// Rebuilt when it is asked for after a change, so that many changes in a row cost one rebuild.
    index: Option<Arc<Index>>,
}

impl MemoryDirectory {
    /// An empty directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// A directory with these records. Of two records with one key the first stays, and the second is a problem.
    pub fn from_records(records: DirectoryRecords) -> Self {
        let mut state = State {
            own_domains: records
                .own_domains
                .iter()
                .map(|domain| domain.to_lowercase())
                .collect(),
            ..State::default()
        };
        for record in records.salesperson {
            if state.salespeople.contains_key(&record.code) {
                state
                    .duplicates
                    .push(RecordProblem::duplicate(record.code.as_str()));
            } else {
                let code = record.code.clone();
                state.salespeople.insert(code, Arc::new(record));
            }
        }
        for record in records.contact {
            if state.contacts.contains_key(&record.no) {
                state
                    .duplicates
                    .push(RecordProblem::duplicate(record.no.as_str()));
            } else {
                state.contacts.insert(record.no.clone(), Arc::new(record));
            }
        }
        Self(Arc::new(RwLock::new(state)))
    }

    /// Adds a salesperson, or replaces the one with this code.
    #[must_use]
    pub fn with_salesperson(self, record: SalespersonRecord) -> Self {
        self.upsert_salesperson(record);
        self
    }

    /// Adds a contact, or replaces the one with this number.
    #[must_use]
    pub fn with_contact(self, record: ContactRecord) -> Self {
        self.upsert_contact(record);
        self
    }

    /// Adds a salesperson, or replaces the one with this code.
    pub fn upsert_salesperson(&self, record: SalespersonRecord) {
        let mut state = self.write();
        let code = record.code.clone();
        state.salespeople.insert(code, Arc::new(record));
        state.index = None;
    }

    /// Adds a contact, or replaces the one with this number.
    pub fn upsert_contact(&self, record: ContactRecord) {
        let mut state = self.write();
        state.contacts.insert(record.no.clone(), Arc::new(record));
        state.index = None;
    }

    /// Removes a contact and answers its record, if there was one.
    pub fn remove_contact(&self, no: &ContactNo) -> Option<ContactRecord> {
        let mut state = self.write();
        state.index = None;
        state.contacts.remove(no).map(Arc::unwrap_or_clone)
    }

    /// The record of a contact.
    pub fn contact(&self, no: &ContactNo) -> Option<ContactRecord> {
        self.read()
            .contacts
            .get(no)
            .map(|record| (**record).clone())
    }

    /// The company's own domains, for the policy's `own_domains`.
    pub fn own_domains(&self) -> BTreeSet<String> {
        self.read().own_domains.clone()
    }

    /// The records with an address that cannot be used or a key that another record has, in a stable order.
    pub fn problems(&self) -> Vec<RecordProblem> {
        let index = self.index();
        let mut problems = self.read().duplicates.clone();
        problems.extend(index.problems.iter().cloned());
        problems.sort();
        problems
    }

    /// Who has an address.
    pub fn parties(&self, address: &Address) -> AddressParties {
        self.index().answer(address)
    }

    fn index(&self) -> Arc<Index> {
        if let Some(index) = &self.read().index {
            return Arc::clone(index);
        }
        self.write().index()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.read();
        f.debug_struct("MemoryDirectory")
            .field("salespeople", &state.salespeople.len())
            .field("contacts", &state.contacts.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ContactDirectory for MemoryDirectory {
    async fn resolve(&self, _scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let index = self.index();
        Ok(addresses
            .iter()
            .map(|address| index.answer(address))
            .collect())
    }
}

#[async_trait]
impl ContactEditor for MemoryDirectory {
    /// The new number is the lowest free one of `NEW00001`, `NEW00002`, and so on.
    async fn create_contact(&self, _scope: &Scope, contact: &NewContact) -> Result<ContactNo> {
        let mut state = self.write();
        let known = state.index().answer(&contact.address).contacts;
        if let Some(no) = known.into_iter().map(|found| found.no).min() {
            return Ok(no);
        }
        let no = state.free_number();
        let name = contact
            .name
            .clone()
            .unwrap_or_else(|| contact.address.to_string());
        let record = ContactRecord::new(no.as_str(), name, ContactKind::Person)
            .with_email(contact.address.as_str());
        state.contacts.insert(no.clone(), Arc::new(record));
        state.index = None;
        Ok(no)
    }
}

impl State {
    fn index(&mut self) -> Arc<Index> {
        let (salespeople, contacts) = (&self.salespeople, &self.contacts);
        let index = self
            .index
            .get_or_insert_with(|| Arc::new(Index::new(salespeople, contacts)));
        Arc::clone(index)
    }

    fn free_number(&self) -> ContactNo {
        let mut numbers = (1_u64..).map(|number| ContactNo::new(format!("NEW{number:05}")));
        let free = numbers.find(|no| !self.contacts.contains_key(no));
        free.unwrap_or_else(|| ContactNo::new("NEW"))
    }
}
