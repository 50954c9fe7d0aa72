//! From addresses to records, built once per change.

use std::collections::BTreeMap;

use super::problems::RecordProblem;
use super::records::{ContactRecord, SalespersonRecord};
use crate::ids::{ContactNo, SalespersonCode};
use crate::message::Address;
use crate::parties::{AddressParties, ContactMatch, MatchedBy, SalespersonMatch};

/// The answers by address. Records are taken in the order of their keys, so that answers are in a stable order.
#[derive(Debug, Default)]
pub(super) struct Index {
    answers: BTreeMap<Address, AddressParties>,
    /// What was odd about the records.
    pub(super) problems: Vec<RecordProblem>,
}

impl Index {
    pub(super) fn new(
        salespeople: &BTreeMap<SalespersonCode, SalespersonRecord>,
        contacts: &BTreeMap<ContactNo, ContactRecord>,
    ) -> Self {
        let mut index = Self::default();
        for record in salespeople.values() {
            index.add_salesperson(record);
        }
        for record in contacts.values() {
            index.add_contact(record, contacts);
        }
        index
    }

    pub(super) fn answer(&self, address: &Address) -> AddressParties {
        self.answers.get(address).cloned().unwrap_or_default()
    }

    fn add_salesperson(&mut self, record: &SalespersonRecord) {
        let key = record.code.as_str();
        let mut fields = self.email_field(key, "email", &record.email);
        for alias in &record.aliases {
            fields.extend(
                self.parse(key, "aliases", alias)
                    .map(|address| (address, MatchedBy::Alias)),
            );
        }
        for (address, matched_by) in best_of_each(fields, |matched_by| *matched_by) {
            let found = SalespersonMatch::new(record.code.as_str(), record.name.as_str())
                .with_matched_by(matched_by)
                .with_active(record.active);
            self.answers
                .entry(address)
                .or_default()
                .salespeople
                .push(found);
        }
    }

    fn add_contact(
        &mut self,
        record: &ContactRecord,
        contacts: &BTreeMap<ContactNo, ContactRecord>,
    ) {
        let mut fields: Vec<(Address, (MatchedBy, Option<&str>))> = Vec::new();
        let emails = self.contact_emails(record, contacts);
        fields.extend(
            emails
                .into_iter()
                .map(|(address, by)| (address, (by, None))),
        );
        let key = record.no.as_str();
        for part in parts(record.email2.as_deref().unwrap_or_default()) {
            let found = self.parse(key, "email2", part);
            fields.extend(found.map(|address| (address, (MatchedBy::Email2, None))));
        }
        for alternative in &record.alternatives {
            for part in parts(&alternative.email) {
                let found = self.parse(key, "alternative", part);
                let by = (
                    MatchedBy::AlternativeAddress,
                    Some(alternative.code.as_str()),
                );
                fields.extend(found.map(|address| (address, by)));
            }
        }
        for (address, (matched_by, code)) in best_of_each(fields, |by| *by) {
            let found = contact_match(record, matched_by, code);
            self.answers
                .entry(address)
                .or_default()
                .contacts
                .push(found);
        }
    }

    /// The e-mail field: the contact's own, or the company's where it was inherited.
    fn contact_emails(
        &mut self,
        record: &ContactRecord,
        contacts: &BTreeMap<ContactNo, ContactRecord>,
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

fn contact_match(
    record: &ContactRecord,
    matched_by: MatchedBy,
    code: Option<&str>,
) -> ContactMatch {
    let mut found = ContactMatch::new(record.no.as_str(), record.name.as_str(), record.kind)
        .with_matched_by(matched_by)
        .with_privacy_blocked(record.privacy_blocked);
    found.company_no = record.company_no();
    found.alt_address_code = code.map(str::to_owned);
    found.language_code.clone_from(&record.language);
    found
}
