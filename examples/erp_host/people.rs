//! The ERP's own tables of people. Contacts that were made here are kept in a file beside the store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use email_logging::ContactNo;
use email_logging::directory::{ContactRecord, DirectoryRecords, MemoryDirectory};

/// Contacts and salespeople, as far as the pages show them.
#[derive(Debug)]
pub(crate) struct People {
    contacts: Mutex<BTreeMap<ContactNo, ContactRecord>>,
    /// Code and name.
    pub(crate) salespeople: Vec<(String, String)>,
    made: PathBuf,
}

impl People {
    /// The records of a directory, and those of the file, which the directory learns.
    pub(crate) fn open(
        records: &DirectoryRecords,
        directory: &MemoryDirectory,
        made: PathBuf,
    ) -> std::io::Result<Self> {
        let salespeople = records.salesperson.iter();
        let people = Self {
            salespeople: salespeople
                .map(|one| (one.code.to_string(), one.name.clone()))
                .collect(),
            contacts: Mutex::default(),
            made,
        };
        let mut all = records.contact.clone();
        if let Ok(bytes) = std::fs::read(&people.made) {
            let made: Vec<ContactRecord> = serde_json::from_slice(&bytes)?;
            for contact in made {
                directory.upsert_contact(contact.clone());
                all.push(contact);
            }
        }
        let mut contacts = people.lock();
        contacts.extend(all.into_iter().map(|one| (one.no.clone(), one)));
        drop(contacts);
        Ok(people)
    }

    pub(crate) fn contact(&self, no: &ContactNo) -> Option<ContactRecord> {
        self.lock().get(no).cloned()
    }

    pub(crate) fn contacts(&self) -> Vec<ContactRecord> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn salesperson(&self, code: &str) -> Option<&str> {
        let mut all = self.salespeople.iter();
        all.find(|(known, _)| known == code)
            .map(|(_, name)| name.as_str())
    }

    /// Takes a contact in that was made here.
    pub(crate) fn add(&self, contact: ContactRecord) -> std::io::Result<()> {
        let mut made: Vec<ContactRecord> = match std::fs::read(&self.made) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(_) => Vec::new(),
        };
        made.retain(|one| one.no != contact.no);
        made.push(contact.clone());
        let fresh = self.made.with_extension("new");
        std::fs::write(&fresh, serde_json::to_vec_pretty(&made)?)?;
        std::fs::rename(&fresh, &self.made)?;
        self.lock().insert(contact.no.clone(), contact);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<ContactNo, ContactRecord>> {
        self.contacts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
