//! The ERP's own tables of people. What was made or changed here is a table in the ERP's file; the rest is given at the start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use email_logging::directory::{ContactEditor, ContactRecord, DirectoryRecords, MemoryDirectory};
use email_logging::error::{Error, Result as LibraryResult, codes};
use email_logging::message::Address;
use email_logging::opportunity::PrivacyBlock;
use email_logging::parties::{ContactKind, NewContact};
use email_logging::{ContactNo, SalespersonCode, Scope};
use rusqlite::{Connection, params};

/// A contact of the ERP.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) record: ContactRecord,
    /// Whether something was sold to it.
    pub(crate) customer: bool,
}

/// Contacts and salespeople, as far as the pages show them.
#[derive(Debug)]
pub(crate) struct People {
    kept: Mutex<Kept>,
    directory: Arc<MemoryDirectory>,
    /// Code and name.
    pub(crate) salespeople: Vec<(String, String)>,
    own: BTreeMap<SalespersonCode, Vec<String>>,
}

#[derive(Debug)]
struct Kept {
    table: Connection,
    contacts: BTreeMap<ContactNo, Contact>,
    /// The numbers that went when contacts were merged, each with the one that stays.
    merged: BTreeMap<ContactNo, ContactNo>,
}

/// What goes wrong with the table.
type Broken = Box<dyn std::error::Error + Send + Sync>;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS erp_contact (
    no TEXT PRIMARY KEY, record TEXT, customer INTEGER NOT NULL DEFAULT 0) STRICT";

const MERGED: &str = "CREATE TABLE IF NOT EXISTS erp_merged (
    goes TEXT PRIMARY KEY, stays TEXT NOT NULL) STRICT";

/// What was merged into a contact before goes on to the one that it is merged into.
const MERGE_ON: &str = "UPDATE erp_merged SET stays = ?1 WHERE stays = ?2";
const MERGE: &str = "INSERT INTO erp_merged (stays, goes) VALUES (?1, ?2)
    ON CONFLICT (goes) DO UPDATE SET stays = excluded.stays";

const SAVE: &str = "INSERT INTO erp_contact (no, record, customer) VALUES (?1, ?2, ?3)
    ON CONFLICT (no) DO UPDATE SET record = excluded.record, customer = excluded.customer";

/// What is given at each start stays removed.
const REMOVE: &str = "INSERT INTO erp_contact (no, record) VALUES (?1, NULL)
    ON CONFLICT (no) DO UPDATE SET record = NULL, customer = 0";

impl People {
    /// The records that are given, and over them those of the table; the directory learns of both.
    pub(crate) fn open(
        records: &DirectoryRecords,
        directory: &Arc<MemoryDirectory>,
        file: &Path,
    ) -> Result<Self, Broken> {
        let table = Connection::open(file)?;
        table.busy_timeout(std::time::Duration::from_secs(10))?;
        // Who is erased leaves nothing in the file, as with the rest of it.
        table.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        table.execute(TABLE, [])?;
        table.execute(MERGED, [])?;
        let merged = merged(&table)?;
        let given = records.contact.iter().map(|record| {
            let contact = Contact {
                record: record.clone(),
                customer: false,
            };
            (record.no.clone(), contact)
        });
        let mut contacts: BTreeMap<_, _> = given.collect();
        for (no, record, customer) in rows(&table)? {
            let no = ContactNo::new(no);
            let Some(record) = record else {
                contacts.remove(&no);
                directory.remove_contact(&no);
                continue;
            };
            let record: ContactRecord = serde_json::from_str(&record)?;
            directory.upsert_contact(record.clone());
            contacts.insert(no, Contact { record, customer });
        }
        let salespeople = records.salesperson.iter();
        let own = records.salesperson.iter().map(|one| {
            let all = one
                .email
                .split(';')
                .chain(one.aliases.iter().map(String::as_str));
            let all = all.map(|text| text.trim().to_owned());
            (
                one.code.clone(),
                all.filter(|text| !text.is_empty()).collect(),
            )
        });
        Ok(Self {
            own: own.collect(),
            salespeople: salespeople
                .map(|one| (one.code.to_string(), one.name.clone()))
                .collect(),
            kept: Mutex::new(Kept {
                table,
                contacts,
                merged,
            }),
            directory: Arc::clone(directory),
        })
    }

    pub(crate) fn contact(&self, no: &ContactNo) -> Option<Contact> {
        self.lock().contacts.get(no).cloned()
    }

    /// The contact that stayed when this one was merged into it.
    pub(crate) fn merged_into(&self, no: &ContactNo) -> Option<ContactNo> {
        let kept = self.lock();
        if kept.contacts.contains_key(no) {
            return None;
        }
        kept.merged.get(no).cloned()
    }

    /// The numbers of the contacts that were merged into this one. Mail and closed opportunities may still name them.
    pub(crate) fn merged_numbers(&self, no: &ContactNo) -> Vec<ContactNo> {
        let kept = self.lock();
        let all = kept.merged.iter().filter(|(_, stays)| *stays == no);
        all.map(|(goes, _)| goes.clone()).collect()
    }

    /// How many contacts there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().contacts.len()
    }

    /// Contacts that all these words fit, by number: so many, after so many; and how many there are in all.
    pub(crate) fn find(&self, words: &str, skip: usize, take: usize) -> (Vec<Contact>, usize) {
        let words = words.to_lowercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        let kept = self.lock();
        let fits = |contact: &&Contact| {
            let record = &contact.record;
            let company = record.company.as_ref();
            let company = company.and_then(|no| kept.contacts.get(no));
            let company = company.map_or("", |company| &company.record.name);
            let text = format!("{} {} {} {company}", record.no, record.name, record.email);
            let text = text.to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        if words.is_empty() {
            let some = kept.contacts.values().skip(skip).take(take);
            return (some.cloned().collect(), kept.contacts.len());
        }
        let fitting: Vec<&Contact> = kept.contacts.values().filter(fits).collect();
        let some = fitting.iter().skip(skip).take(take);
        (some.map(|one| (*one).clone()).collect(), fitting.len())
    }

    pub(crate) fn salesperson(&self, code: &str) -> Option<&str> {
        let mut all = self.salespeople.iter();
        all.find(|(known, _)| known == code)
            .map(|(_, name)| name.as_str())
    }

    /// Every address of a salesperson.
    pub(crate) fn addresses_of(&self, code: &SalespersonCode) -> &[String] {
        self.own.get(code).map_or(&[], Vec::as_slice)
    }

    /// Whether a contact, or its company, asked not to be processed. Who is not known did: nothing says otherwise.
    pub(crate) fn privacy_of(&self, no: &ContactNo) -> PrivacyBlock {
        let Some(contact) = self.contact(no) else {
            return PrivacyBlock::Blocked;
        };
        let company = contact.record.company.as_ref();
        let company = company.and_then(|no| self.contact(no));
        let company = company.is_some_and(|one| one.record.privacy_blocked);
        PrivacyBlock::of(contact.record.privacy_blocked, company)
    }

    /// Stores a contact: first in the table, then for everybody who asks.
    pub(crate) fn save(&self, record: ContactRecord, customer: bool) -> Result<(), Broken> {
        let text = serde_json::to_string(&record)?;
        let mut kept = self.lock();
        kept.table
            .execute(SAVE, params![record.no.as_str(), text, customer])?;
        self.directory.upsert_contact(record.clone());
        let contact = Contact { record, customer };
        kept.contacts.insert(contact.record.no.clone(), contact);
        Ok(())
    }

    /// Stores the contact that stays of two and removes the other: both, or nothing.
    pub(crate) fn merge(&self, stays: Contact, goes: &ContactNo) -> Result<(), Broken> {
        let text = serde_json::to_string(&stays.record)?;
        let no = stays.record.no.clone();
        let mut kept = self.lock();
        let both = kept.table.transaction()?;
        both.execute(SAVE, params![no.as_str(), text, stays.customer])?;
        both.execute(REMOVE, [goes.as_str()])?;
        for step in [MERGE_ON, MERGE] {
            both.execute(step, [no.as_str(), goes.as_str()])?;
        }
        both.commit()?;
        forget_pages(&kept.table)?;
        self.directory.remove_contact(goes);
        kept.contacts.remove(goes);
        kept.merged.insert(goes.clone(), no.clone());
        for stays in kept.merged.values_mut().filter(|stays| *stays == goes) {
            stays.clone_from(&no);
        }
        self.directory.upsert_contact(stays.record.clone());
        kept.contacts.insert(no, stays);
        Ok(())
    }

    /// Removes a contact; one that is given at each start stays removed.
    pub(crate) fn remove(&self, no: &ContactNo) -> Result<(), Broken> {
        let mut kept = self.lock();
        kept.table.execute(REMOVE, [no.as_str()])?;
        kept.table
            .execute("DELETE FROM erp_merged WHERE stays = ?1", [no.as_str()])?;
        forget_pages(&kept.table)?;
        self.directory.remove_contact(no);
        kept.contacts.remove(no);
        kept.merged.retain(|_, stays| stays != no);
        Ok(())
    }

    /// Something was sold: the company of the contact is a customer from now on, or the person who has none. Answers who, where
    /// that is new.
    pub(crate) fn becomes_customer(&self, no: &ContactNo) -> Result<Option<String>, Broken> {
        let Some(contact) = self.contact(no) else {
            return Ok(None);
        };
        let company = contact.record.company.as_ref();
        let buyer = company.and_then(|no| self.contact(no)).unwrap_or(contact);
        if buyer.customer {
            return Ok(None);
        }
        let name = buyer.record.name.clone();
        self.save(buyer.record, true)?;
        Ok(Some(name))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the pages of before out of the file beside the table's, where the file has one.
fn forget_pages(table: &Connection) -> rusqlite::Result<()> {
    table.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn merged(table: &Connection) -> rusqlite::Result<BTreeMap<ContactNo, ContactNo>> {
    let mut all = table.prepare("SELECT goes, stays FROM erp_merged")?;
    let all = all.query_map([], |row| {
        let number = |at| row.get::<_, String>(at).map(ContactNo::new);
        Ok((number(0)?, number(1)?))
    })?;
    all.collect()
}

type Row = (String, Option<String>, bool);

fn rows(table: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut all = table.prepare("SELECT no, record, customer FROM erp_contact ORDER BY no")?;
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// Every address of a contact.
pub(crate) fn addresses(record: &ContactRecord) -> BTreeSet<Address> {
    let more = record.alternatives.iter().map(|one| one.email.as_str());
    let fields = [
        record.email.as_str(),
        record.email2.as_deref().unwrap_or_default(),
    ];
    let all = fields.into_iter().chain(more);
    let all = all.flat_map(|field| field.split(';'));
    all.filter_map(|text| Address::parse(text.trim()).ok())
        .collect()
}

/// Whether a contact is a person.
pub(crate) fn is_person(record: &ContactRecord) -> bool {
    record.kind == ContactKind::Person
}

#[async_trait]
impl ContactEditor for People {
    /// The contact is in the table before anybody writes an entry of it.
    async fn create_contact(
        &self,
        scope: &Scope,
        contact: &NewContact,
    ) -> LibraryResult<ContactNo> {
        let no = self.directory.create_contact(scope, contact).await?;
        if self.contact(&no).is_some() {
            return Ok(no);
        }
        if let Some(record) = self.directory.contact(&no)
            && let Err(error) = self.save(record, false)
        {
            self.directory.remove_contact(&no);
            let failed = Error::new(&codes::DIRECTORY_UNAVAILABLE, "create_contact");
            return Err(failed.with_source(error));
        }
        Ok(no)
    }
}
