//! The audit of a directory in memory: what its index found odd, and who has no address at all.

use async_trait::async_trait;

use super::problems::RecordProblem;
use super::records::{ContactRecord, SalespersonRecord};
use super::{MemoryDirectory, State};
use crate::directory::{AuditPage, DirectoryAudit};
use crate::error::Result;
use crate::scope::Scope;

#[async_trait]
impl DirectoryAudit for MemoryDirectory {
    /// An inactive salesperson and a contact that asked not to be processed need no address.
    async fn audit(&self, _scope: &Scope, offset: u32, limit: u32) -> Result<AuditPage> {
        let mut all = self.problems();
        all.extend(self.read().without_address());
        all.sort();
        let total = all.len();
        let asked = all.into_iter().skip(offset as usize).take(limit as usize);
        let page: Vec<_> = asked.collect();
        let complete = (offset as usize).saturating_add(page.len()) >= total;
        Ok(AuditPage::new(page, complete))
    }
}

impl State {
    fn without_address(&self) -> Vec<RecordProblem> {
        let salespeople = self.salespeople.values();
        let salespeople = salespeople.filter(|record| record.active && !salesperson_has(record));
        let contacts = self.contacts.values();
        let contacts =
            contacts.filter(|record| !record.privacy_blocked && !self.contact_has(record));
        let codes = salespeople.map(|record| RecordProblem::no_address(record.code.as_str()));
        let numbers = contacts.map(|record| RecordProblem::no_address(record.no.as_str()));
        codes.chain(numbers).collect()
    }

    fn contact_has(&self, record: &ContactRecord) -> bool {
        let company = record.company.as_ref().filter(|_| record.inherited);
        let company = company.and_then(|no| self.contacts.get(no));
        let own = [Some(&record.email), record.email2.as_ref()];
        let inherited = [company.map(|company| &company.email)];
        let further = record.alternatives.iter().map(|other| Some(&other.email));
        let fields = own.into_iter().chain(inherited).chain(further);
        fields.flatten().any(|field| is_filled(field))
    }
}

fn salesperson_has(record: &SalespersonRecord) -> bool {
    let aliases = record.aliases.iter();
    aliases.chain([&record.email]).any(|field| is_filled(field))
}

/// Whether a field, which may hold several addresses separated by `;`, holds one.
fn is_filled(field: &str) -> bool {
    field.split(';').any(|part| !part.trim().is_empty())
}
