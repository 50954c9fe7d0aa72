//! From addresses to records, built once per change.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::problems::RecordProblem;
use super::records::{ContactRecord, SalespersonRecord};
use crate::ids::{ContactNo, SalespersonCode};
use crate::message::Address;
use crate::parties::{AddressParties, ContactMatch, MatchedBy, SalespersonMatch};

/// Who is found under which address, as references to the records: an answer is made when it is asked for, so that memory
/// is what the records take and little more. Sorted by address, and under one by the keys of the records, so that answers
/// are in a stable order.
#[derive(Debug, Default)]
pub(super) struct Index {
    salespeople: Vec<(Address, Arc<SalespersonRecord>, MatchedBy)>,
    contacts: Vec<(Address, Arc<ContactRecord>, Field)>,
    /// What was odd about the records.
    pub(super) problems: Vec<RecordProblem>,
}

/// The field of a contact that holds an address.
#[derive(Debug, Clone, Copy)]
struct Field {
    matched_by: MatchedBy,
    /// Which of the alternative addresses.
    alternative: Option<usize>,
}

impl Field {
    fn of(matched_by: MatchedBy) -> Self {
        Self {
            matched_by,
            alternative: None,
        }
    }
}

impl Index {
    pub(super) fn new(
        salespeople: &BTreeMap<SalespersonCode, Arc<SalespersonRecord>>,
        contacts: &BTreeMap<ContactNo, Arc<ContactRecord>>,
    ) -> Self {
        let mut index = Self::default();
        for record in salespeople.values() {
            index.add_salesperson(record);
        }
        for record in contacts.values() {
            index.add_contact(record, contacts);
        }
        index.salespeople.sort_by(|one, other| one.0.cmp(&other.0));
        index.contacts.sort_by(|one, other| one.0.cmp(&other.0));
        index.salespeople.shrink_to_fit();
        index.contacts.shrink_to_fit();
        index
    }

    pub(super) fn answer(&self, address: &Address) -> AddressParties {
        let salespeople = under(&self.salespeople, |entry| entry.0.cmp(address));
        let contacts = under(&self.contacts, |entry| entry.0.cmp(address));
        AddressParties {
            salespeople: salespeople
                .iter()
                .map(|(_, record, matched_by)| salesperson_match(record, *matched_by))
                .collect(),
            contacts: contacts
                .iter()
                .map(|(_, record, field)| contact_match(record, *field))
                .collect(),
        }
    }

    fn add_salesperson(&mut self, record: &Arc<SalespersonRecord>) {
        let key = record.code.as_str();
        let mut fields = self.email_field(key, "email", &record.email);
        for alias in &record.aliases {
            fields.extend(
                self.parse(key, "aliases", alias)
                    .map(|address| (address, MatchedBy::Alias)),
            );
        }
        for (address, matched_by) in best_of_each(fields, |matched_by| *matched_by) {
            self.salespeople
                .push((address, Arc::clone(record), matched_by));
        }
    }

    fn add_contact(
        &mut self,
        record: &Arc<ContactRecord>,
        contacts: &BTreeMap<ContactNo, Arc<ContactRecord>>,
    ) {
        let emails = self.contact_emails(record, contacts).into_iter();
        let mut fields: Vec<(Address, Field)> = emails
            .map(|(address, by)| (address, Field::of(by)))
            .collect();
        let key = record.no.as_str();
        for part in parts(record.email2.as_deref().unwrap_or_default()) {
            let found = self.parse(key, "email2", part);
            fields.extend(found.map(|address| (address, Field::of(MatchedBy::Email2))));
        }
        for (number, alternative) in record.alternatives.iter().enumerate() {
            for part in parts(&alternative.email) {
                let found = self.parse(key, "alternative", part);
                let field = Field {
                    matched_by: MatchedBy::AlternativeAddress,
                    alternative: Some(number),
                };
                fields.extend(found.map(|address| (address, field)));
            }
        }
        for (address, field) in best_of_each(fields, |field| by_code(record, *field)) {
            self.contacts.push((address, Arc::clone(record), field));
        }
    }

    /// The e-mail field: the contact's own, or the company's where it was inherited.
    fn contact_emails(
        &mut self,
        record: &ContactRecord,
        contacts: &BTreeMap<ContactNo, Arc<ContactRecord>>,
    ) -> Vec<(Address, MatchedBy)> {
        let company = record.company.as_ref().and_then(|no| contacts.get(no));
        let field = match company {
            Some(company) if record.inherited && record.email.is_empty() => &company.email,
            _ => &record.email,
        };
        let found = self.email_field(record.no.as_str(), "email", field);
        let by = |matched_by| {
            if record.inherited {
                MatchedBy::Inherited
            } else {
                matched_by
            }
        };
        found
            .into_iter()
            .map(|(address, matched_by)| (address, by(matched_by)))
            .collect()
    }

    /// An e-mail field, which may hold several addresses separated by `;`.
    fn email_field(
        &mut self,
        key: &str,
        field: &'static str,
        text: &str,
    ) -> Vec<(Address, MatchedBy)> {
        let matched_by = match parts(text).count() {
            0 | 1 => MatchedBy::Email,
            _ => MatchedBy::EmailList,
        };
        let found = parts(text).filter_map(|part| self.parse(key, field, part));
        found.map(|address| (address, matched_by)).collect()
    }

    fn parse(&mut self, key: &str, field: &'static str, text: &str) -> Option<Address> {
        match Address::parse(text) {
            Ok(address) => Some(address),
            Err(reason) => {
                self.problems
                    .push(RecordProblem::unusable(key, field, reason));
                None
            }
        }
    }
}

fn parts(field: &str) -> impl Iterator<Item = &str> {
    field
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// A record answers once per address, with the best field that holds it.
fn best_of_each<B: Copy, K: Ord>(
    mut fields: Vec<(Address, B)>,
    rank: impl Fn(&B) -> K,
) -> Vec<(Address, B)> {
    fields.sort_by(|one, other| {
        one.0
            .cmp(&other.0)
            .then_with(|| rank(&one.1).cmp(&rank(&other.1)))
    });
    fields.dedup_by(|later, first| later.0 == first.0);
    fields
}

/// The entries that a sorted list has under one address.
fn under<T>(sorted: &[T], order: impl Fn(&T) -> Ordering) -> &[T] {
    let start = sorted.partition_point(|entry| order(entry).is_lt());
    let rest = sorted.get(start..).unwrap_or_default();
    let length = rest.iter().take_while(|entry| order(entry).is_eq()).count();
    rest.get(..length).unwrap_or_default()
}

/// What of a record's fields is the better one: of two alternative addresses that with the smaller code.
fn by_code(record: &ContactRecord, field: Field) -> (MatchedBy, Option<&str>) {
    (field.matched_by, code(record, field))
}

fn code(record: &ContactRecord, field: Field) -> Option<&str> {
    let alternative = record.alternatives.get(field.alternative?)?;
    Some(&alternative.code)
}

fn salesperson_match(record: &SalespersonRecord, matched_by: MatchedBy) -> SalespersonMatch {
    SalespersonMatch::new(record.code.as_str(), record.name.as_str())
        .with_matched_by(matched_by)
        .with_active(record.active)
}

fn contact_match(record: &ContactRecord, field: Field) -> ContactMatch {
    let mut found = ContactMatch::new(record.no.as_str(), record.name.as_str(), record.kind)
        .with_matched_by(field.matched_by)
        .with_privacy_blocked(record.privacy_blocked);
    found.company_no = record.company_no();
    found.alt_address_code = code(record, field).map(str::to_owned);
    found.language_code.clone_from(&record.language);
    found
}
